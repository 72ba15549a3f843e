"""Fixtures of the sandbox's tests: clients, and small media files that are written once per session."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import twelvelabs as sdk

from tests.sandbox.api import connect
from tests.sandbox.file_server import FileServer
from tests.shared_media import shared_folder, write_once
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film, write_picture, write_sound

RED = Scene(color="red", pattern="stripes", motion="fast", sound="noise", seconds=4.0)
BLUE = Scene(color="blue", pattern="plain", motion="still", sound="tone", seconds=4.0)


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A bare HTTP client of the shared sandbox."""
    with connect(sandbox) as client:
        yield client


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with video.mp4, silent.mp4, spoken.mkv (8 s each), sound.wav, .mp3, .flac, picture.jpg and .png."""
    folder = shared_folder(tmp_path_factory, "sandbox-media")
    scenes, words = [RED, BLUE], [(0.5, 2.0, "a goalkeeper dives")]
    write_once(folder / "video.mp4", lambda path: write_film(path, scenes, fps=5))
    write_once(folder / "silent.mp4", lambda path: write_film(path, scenes, fps=5, audio=False))
    write_once(folder / "spoken.mkv", lambda path: write_film(path, scenes, fps=5, captions=words))
    for suffix in ("wav", "mp3", "flac"):
        write_once(folder / f"sound.{suffix}", lambda path: write_sound(path, scenes, rate=16000))
    write_once(folder / "picture.jpg", lambda path: write_picture(path, RED))
    write_once(folder / "picture.png", lambda path: write_picture(path, BLUE))
    return folder


@pytest.fixture(scope="session")
def video_file(media: Path) -> Path:
    return media / "video.mp4"


@pytest.fixture(scope="session")
def picture(media: Path) -> Path:
    return media / "picture.jpg"


@pytest.fixture(scope="session")
def sound(media: Path) -> Path:
    return media / "sound.wav"


@pytest.fixture(scope="session")
def file_server(media: Path) -> Iterator[FileServer]:
    """A plain web server that serves the media."""
    with FileServer(media) as server:
        yield server


@pytest.fixture(params=["sync", "async"])
async def official(
    sandbox: Sandbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """The official SDK's client of the shared sandbox, sync and async."""
    monkeypatch.delenv("TWELVELABS_BASE_URL", raising=False)
    if request.param == "sync":
        with sdk.TwelveLabs(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
            yield client
    else:
        async with sdk.AsyncTwelveLabs(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
            yield client
