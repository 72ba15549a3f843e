"""Fixtures of the LlamaIndex tests: one video, its nodes, and embeddings connected to the sandbox."""

from pathlib import Path
from typing import Any

import pytest
from llama_index.core.schema import TextNode

from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsVideoReader
from tests.adapters import FIXED, SCENE_SEC, SCENES, description, frame, video_path, watched
from tests.peak_log import PeakLog
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import write_film, write_sound

__all__ = ["FIXED", "SCENES", "SCENE_SEC", "PeakLog", "description", "frame", "video_path", "watched"]

END_SEC = 24.0
# Containers round the duration of a video up; without an end, a very short clip would follow the four scenes.
CUT: dict[str, Any] = {"segmentation": FIXED, "end_sec": END_SEC}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of the video's second scene."""
    path = tmp_path_factory.mktemp("clips") / "blue.mkv"
    write_film(path, SCENES[1:2], fps=5)
    return path


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound of the video's first scene."""
    path = tmp_path_factory.mktemp("sounds") / "noise.wav"
    write_sound(path, SCENES[:1])
    return path


@pytest.fixture
def embed_model(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbedding:
    """An embedding with an empty segment store, on a sandbox with an empty request log."""
    return connected(sandbox, tmp_path / "segments.sqlite3")


@pytest.fixture(scope="session")
def shared_model(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> TwelveLabsEmbedding:
    """An embedding whose segment store contains the video."""
    return connected(sandbox_server, tmp_path_factory.mktemp("store") / "segments.sqlite3")


@pytest.fixture(scope="session")
def loaded(shared_model: TwelveLabsEmbedding, video_path: Path) -> list[TextNode]:
    """The nodes of the video: four segments with visual and audio vectors, and transcription where there is speech."""
    return TwelveLabsVideoReader(embed_model=shared_model, **CUT).load_nodes(video_path)


@pytest.fixture
def nodes(loaded: list[TextNode]) -> list[TextNode]:
    """A copy of the nodes of the video that the test may change."""
    return [node.model_copy(deep=True) for node in loaded]


def connected(sandbox: Sandbox, segment_store: Path | str, **options: Any) -> TwelveLabsEmbedding:
    """Return an embedding that talks to a sandbox."""
    return TwelveLabsEmbedding(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=segment_store, **options
    )


def paid(sandbox: Sandbox) -> int:
    """Return the number of paid requests."""
    return sandbox.count("POST", "/embed-v2") + sandbox.count("POST", "/embed-v2/tasks")


def tasks(sandbox: Sandbox) -> int:
    """Return the number of requests that create tasks."""
    return sandbox.count("POST", "/embed-v2/tasks")
