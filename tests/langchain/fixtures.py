"""Fixtures of the LangChain tests: one video, and embeddings connected to the sandbox."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader
from tests.adapters import FIXED, SCENE_SEC, SCENES, description, frame, video_path, watched
from tests.peak_log import PeakLog
from twelvelabs_sandbox import Sandbox

__all__ = ["FIXED", "SCENES", "SCENE_SEC", "PeakLog", "description", "frame", "video_path", "watched"]


@pytest.fixture
def fresh_embeddings(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbeddings:
    """Embeddings with an empty segment store."""
    return connected(sandbox, tmp_path / "fresh.sqlite3")


@pytest.fixture(scope="session")
def shared_embeddings(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> TwelveLabsEmbeddings:
    """Embeddings whose segment store contains the video."""
    return connected(sandbox_server, tmp_path_factory.mktemp("store") / "segments.sqlite3")


@pytest.fixture(scope="session")
def loaded(shared_embeddings: TwelveLabsEmbeddings, video_path: Path) -> list[Document]:
    """The documents of the video: four segments with their visual, audio and (with speech) transcription vectors."""
    return TwelveLabsVideoLoader(
        str(video_path), embeddings=shared_embeddings, segmentation=FIXED, source="scenes.mkv", end_sec=24.0
    ).load()


@pytest.fixture
def documents(loaded: list[Document]) -> list[Document]:
    """A copy of the documents of the video that the test may change."""
    return [document.model_copy(deep=True) for document in loaded]


def connected(sandbox: Sandbox, segment_store: Path | str, **options: Any) -> TwelveLabsEmbeddings:
    """Return embeddings connected to a sandbox."""
    return TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=segment_store, **options
    )


def requests_of(sandbox: Sandbox) -> int:
    """Return the number of requests to a sandbox."""
    return sandbox.count()


def tasks_of(sandbox: Sandbox) -> int:
    """Return the number of requests that create tasks."""
    return sandbox.count("POST", "/embed-v2/tasks")


def peak_of(sandbox: Sandbox) -> int:
    """Return the largest number of concurrent requests."""
    log = sandbox._requests
    assert isinstance(log, PeakLog)
    return log.peak


def visual(documents: list[Document]) -> list[Document]:
    """Return the documents of visual vectors, in the order of the video."""
    return [document for document in documents if document.metadata["embedding_option"] == "visual"]


async def call(mode: str, target: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method or its async variant, so that one test covers both."""
    if mode == "sync":
        function: Callable[..., Any] = getattr(target, method)
        return await asyncio.to_thread(function, *args, **kwargs)
    answer = getattr(target, f"a{method}")(*args, **kwargs)
    assert inspect.isawaitable(answer)
    return await answer
