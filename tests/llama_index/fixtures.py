"""What the tests of the LlamaIndex side share: one video, its nodes, and embeddings that live in the sandbox."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.schema import TextNode

from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsVideoReader
from twelvelabs_sandbox import RecordedRequest, RequestLog, Sandbox
from twelvelabs_sandbox.films import Scene, describe_look, write_film, write_picture, write_sound

SCENES = (
    Scene("red", "white", "stripes", "fast", "noise"),
    Scene("blue", "yellow", "plain", "still", "tone"),
    Scene("green", "black", "checkerboard", "slow", "music"),
    Scene("yellow", "purple", "plain", "fast", "silence"),
)
SCENE_SEC = 6.0
END_SEC = 24.0
FIXED = {"strategy": "fixed", "fixed": {"duration_sec": 6}}
# Containers round a video's length up; cut there, it has its four scenes and no sliver after them.
CUT: dict[str, Any] = {"segmentation": FIXED, "end_sec": END_SEC}


@pytest.fixture(scope="session")
def video_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of four scenes of 6 s; in the first one somebody speaks."""
    path = tmp_path_factory.mktemp("media") / "scenes.mkv"
    write_film(path, SCENES, captions=[(0.0, 4.0, "a goalkeeper dives")])
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip like the video's second scene."""
    path = tmp_path_factory.mktemp("clips") / "blue.mkv"
    write_film(path, SCENES[1:2])
    return path


@pytest.fixture(scope="session")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture of the video's third scene."""
    return write_picture(tmp_path_factory.mktemp("pictures") / "green.png", SCENES[2], at=2.0)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound of the video's first scene."""
    path = tmp_path_factory.mktemp("sounds") / "noise.wav"
    write_sound(path, SCENES[:1])
    return path


class PeakLog(RequestLog):
    """The sandbox's request log; it also knows how many requests were under way at once."""

    peak = 0

    def arrived(self, method: str, path: str, template: str) -> RecordedRequest:
        request = super().arrived(method, path, template)
        # More are under way only when one arrives, so looking then finds every peak.
        self.peak = max(self.peak, sum(one.status is None for one in self.all()))
        return request


@pytest.fixture
def watched() -> Iterator[Sandbox]:
    """A sandbox of the test's own, which knows how many requests were under way at once."""
    sandbox = Sandbox()
    sandbox._requests = PeakLog()
    with sandbox:
        yield sandbox


@pytest.fixture
def embed_model(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbedding:
    """An embedding with an empty segment store, in the sandbox that counts from zero."""
    return connected(sandbox, tmp_path / "segments.sqlite3")


@pytest.fixture(scope="session")
def shared_model(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> TwelveLabsEmbedding:
    """An embedding whose segment store the video is loaded into."""
    return connected(sandbox_server, tmp_path_factory.mktemp("store") / "segments.sqlite3")


@pytest.fixture(scope="session")
def loaded(shared_model: TwelveLabsEmbedding, video_path: Path) -> list[TextNode]:
    """The video's nodes: four segments, seen and heard, and spoken where somebody speaks."""
    return TwelveLabsVideoReader(embed_model=shared_model, **CUT).load_nodes(video_path)


@pytest.fixture
def nodes(loaded: list[TextNode]) -> list[TextNode]:
    """A copy of the video's nodes, free to be changed."""
    return [node.model_copy(deep=True) for node in loaded]


def connected(sandbox: Sandbox, segment_store: Path | str, **options: Any) -> TwelveLabsEmbedding:
    """Return an embedding that talks to a sandbox."""
    return TwelveLabsEmbedding(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=segment_store, **options
    )


def paid(sandbox: Sandbox) -> int:
    """Return how many requests that cost something were made."""
    return sandbox.count("POST", "/embed-v2") + sandbox.count("POST", "/embed-v2/tasks")


def tasks(sandbox: Sandbox) -> int:
    """Return how many embedding tasks were asked for."""
    return sandbox.count("POST", "/embed-v2/tasks")


def look(scene: int) -> str:
    """Return how a person describes what a scene of the video looks like."""
    return describe_look(SCENES[scene])
