"""Media for the examples of both adapters, the demo and the blocks of the documentation."""

import re
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.sandbox.pdf import write_pdf
from tests.shared_media import shared_folder, write_once
from twelvelabs_sandbox.films import Scene, write_film, write_picture

SCENES = [
    Scene("red", "white", "stripes", "fast", "noise", seconds=6.0),
    Scene("blue", "yellow", "plain", "still", "tone", seconds=6.0),
    Scene("green", "black", "checkerboard", "slow", "music", seconds=6.0),
]
TIMES = re.compile(r"(\d+\.\d)-(\d+\.\d) s")


# Of each film: its scenes and captions.
FILMS: dict[str, tuple[list[Scene], list[tuple[float, float, str]]]] = {
    "match.mp4": (SCENES, []),
    "other.mp4": ([Scene("purple", "white", "stripes", "slow", "music")], []),
    "talk.mkv": (
        [Scene("red", seconds=6.0), Scene("blue", seconds=6.0)],
        [(6.5, 10.0, "the goalkeeper is called Amara")],
    ),
}


def write_media(folder: Path, factory: pytest.TempPathFactory) -> None:
    """Write three videos, a broken one, an image of the third scene of the first video, and a folder of documents."""
    shared = shared_folder(factory, "examples")
    for name, (scenes, captions) in FILMS.items():
        film = write_once(shared / name, partial(write_film, scenes=scenes, captions=captions, fps=5))
        shutil.copyfile(film, folder / name)
    write_picture(folder / "green.png", SCENES[2], at=2.0)
    (folder / "broken.mp4").write_text("not a video")
    documents = folder / "documents"
    documents.mkdir()
    write_pdf(documents / "plan.pdf", [[(20, 150, "purple stripes")], [(20, 40, "blue checkerboard")]])
    (documents / "notes.md").write_text("A red car drives fast. It is loud.", "utf-8")
    write_picture(documents / "green.png", SCENES[2], at=2.0)
