"""Fixtures and constants shared by the tests of both adapters: one video, its scenes, and the metadata of segments."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peak_log import PeakLog
from tests.shared_media import shared_folder, write_once
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, describe_look, write_film, write_picture

SCENES = (
    Scene("red", "white", "stripes", "fast", "noise"),
    Scene("blue", "yellow", "plain", "still", "tone"),
    Scene("green", "black", "checkerboard", "slow", "music"),
    Scene("yellow", "purple", "plain", "fast", "silence"),
)
SCENE_SEC = 6.0
FIXED = {"strategy": "fixed", "fixed": {"duration_sec": 6}}
METADATA_TYPES = {
    "segment_id": str,
    "source": str,
    "title": str,
    "start_sec": float,
    "end_sec": float,
    "duration_sec": float,
    "segment_index": int,
    "embedding_option": str,
    "embedding_scope": str,
    "model": str,
    "space": str,
    "page_start": int,
    "page_end": int,
    "quadrant": str,
    "chunk_index": int,
}

# Not LanceDB and Milvus Lite: their imports take seconds, and so does each of their tests.
FAST_STORES = ("InMemory", "Simple", "Chroma", "Qdrant", "FAISS", "PostgreSQL")


def each_store(cases: Iterable[Any], *, fast: Collection[str] = FAST_STORES) -> pytest.MarkDecorator:
    """Run a test with each vector store, as its parameter `case`; with those that are not fast, in `make test-all`."""
    marked = [pytest.param(case, id=case.name, marks=() if case.name in fast else pytest.mark.slow) for case in cases]
    return pytest.mark.parametrize("case", marked)


# For a test that takes seconds in each mode: `make test` runs it blocking, `make test-all` async too.
slow_async_mode = pytest.mark.parametrize("mode", ["sync", pytest.param("async", marks=pytest.mark.slow)])


@pytest.fixture(scope="session")
def video_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of four scenes of 6 s, with speech in the first one."""
    path = shared_folder(tmp_path_factory, "adapters") / "scenes.mkv"
    return write_once(path, lambda part: write_film(part, SCENES, captions=[(0.0, 4.0, "a goalkeeper dives")]))


@pytest.fixture(scope="session")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of the video's third scene."""
    return write_picture(tmp_path_factory.mktemp("pictures") / "green.png", SCENES[2], at=2.0)


@pytest.fixture
def watched() -> Iterator[Sandbox]:
    """A separate sandbox that records the largest number of concurrent requests."""
    sandbox = Sandbox()
    sandbox._requests = PeakLog()
    with sandbox:
        yield sandbox


def description(scene: int) -> str:
    """Return a description of the visual content of a scene."""
    return describe_look(SCENES[scene])


async def loop_iterations(task: "asyncio.Task[Any]") -> int:
    """Return how often other work could run on the event loop until a task was done."""
    iterations = 0
    while not task.done():
        await asyncio.sleep(0.001)
        iterations += 1
    return iterations
