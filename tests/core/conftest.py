"""Media that several test files of the core share; written once per run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twelvelabs import TwelveLabs

from tests.core import postgres
from tests.core.recorder import KEY, Recorder
from tests.core.surface import Surface, make_surface
from tests.core.video_server import VideoServer
from tests.shared_media import shared_folder, write_once
from twelvelabs_core import Settings
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film, write_picture, write_sound

RED = Scene(color="red", pattern="stripes", motion="fast", sound="noise", seconds=4.0)
BLUE = Scene(color="blue", sound="tone", seconds=4.0)


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with video.mp4 (8 s), short.mp4 (3 s), sound.wav and picture.jpg."""
    folder = shared_folder(tmp_path_factory, "core")
    write_once(folder / "video.mp4", lambda path: write_film(path, [RED, BLUE], fps=5))
    write_once(folder / "short.mp4", lambda path: write_film(path, [Scene(color="red", seconds=3.0)], fps=5))
    write_once(folder / "sound.wav", lambda path: write_sound(path, [RED, BLUE], rate=16000))
    write_once(folder / "picture.jpg", lambda path: write_picture(path, RED))
    write_once(folder / "picture.png", lambda path: write_picture(path, BLUE))
    return folder


@pytest.fixture(scope="session")
def video_path(media_folder: Path) -> Path:
    return media_folder / "video.mp4"


@pytest.fixture
def server(video_path: Path) -> Iterator[VideoServer]:
    """A host of the video."""
    with VideoServer(video_path) as server:
        yield server


@pytest.fixture
def elsewhere(video_path: Path) -> Iterator[VideoServer]:
    """Another host of the video, the target of redirects."""
    with VideoServer(video_path) as server:
        yield server


@pytest.fixture(scope="session")
def sound(media_folder: Path) -> Path:
    return media_folder / "sound.wav"


@pytest.fixture(scope="session")
def picture(media_folder: Path) -> Path:
    return media_folder / "picture.jpg"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with postgres.server(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """A server that records requests and refuses them."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def sdk(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> TwelveLabs:
    """The official SDK's client of that server."""
    monkeypatch.delenv("TWELVELABS_BASE_URL", raising=False)  # it would override the argument
    return TwelveLabs(api_key=KEY, base_url=recorder.base_url)


Connect = Callable[..., Surface]


@pytest.fixture
def settings(sandbox: Sandbox) -> Settings:
    """Settings for the sandbox, with short waits between retries."""
    return Settings.resolve(api_key=sandbox.api_key, base_url=sandbox.base_url, max_retry_wait=0.05, timeout=20.0)


# Both run the same coroutines: `make test` runs each test with `Client`, `make test-all` with `AsyncClient` too.
@pytest.fixture(params=["blocking", pytest.param("async", marks=pytest.mark.slow)])
def connect(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Connect:
    """Make a client of the sandbox with the test's own segment store, and options of `Settings` or the client."""
    monkeypatch.setattr("twelvelabs_core.transport.polling.FIRST_DELAY", 0.02)  # the media of the tests are ready soon

    def make(*, store: Any = tmp_path / "segments.sqlite3", **changes: Any) -> Surface:
        names = ("model", "embedding_dimension", "rate_limiter")
        options = {name: changes.pop(name) for name in names if name in changes}
        return make_surface(request.param, settings.replace(**changes), store=store, **options)

    return make


@pytest.fixture
def client(connect: Connect) -> Surface:
    """A client of the sandbox: a `Client` in one run and an `AsyncClient` in the next, both awaitable."""
    return connect()
