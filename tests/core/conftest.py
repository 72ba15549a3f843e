"""Media that several test files of the core share; written once per run."""

from pathlib import Path

import pytest

from twelvelabs_sandbox.films import Scene, write_film, write_picture, write_sound

RED = Scene(color="red", pattern="stripes", motion="fast", sound="noise", seconds=4.0)
BLUE = Scene(color="blue", sound="tone", seconds=4.0)


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with film.mp4 (8 s), short.mp4 (3 s), sound.wav and picture.jpg."""
    folder = tmp_path_factory.mktemp("media")
    write_film(folder / "film.mp4", [RED, BLUE], fps=5)
    write_film(folder / "short.mp4", [Scene(color="red", seconds=3.0)], fps=5)
    write_sound(folder / "sound.wav", [RED, BLUE], rate=16000)
    write_picture(folder / "picture.jpg", RED)
    write_picture(folder / "picture.png", BLUE)
    return folder


@pytest.fixture(scope="session")
def film(media_folder: Path) -> Path:
    return media_folder / "film.mp4"


@pytest.fixture(scope="session")
def sound(media_folder: Path) -> Path:
    return media_folder / "sound.wav"


@pytest.fixture(scope="session")
def picture(media_folder: Path) -> Path:
    return media_folder / "picture.jpg"
