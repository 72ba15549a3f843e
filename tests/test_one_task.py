"""The calls that README and docstrings show for a video, without a segmentation, are one paid task in any order."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.vectorstores import InMemoryVectorStore
from llama_index.core import VectorStoreIndex

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    ingest_videos,
)
from twelvelabs_core import AsyncClient, Client
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

ROOT = Path(__file__).parents[1]
# Each call as it is written in the sources, and what it does here.
CALLS: dict[str, Callable[["User"], object]] = {
    'client.segment_video("match.mp4")': lambda user: user.client.segment_video(user.video),
    'await client.segment_video("match.mp4")': lambda user: asyncio.run(user.async_client.segment_video(user.video)),
    "client.segment_many(paths)": lambda user: list(user.client.segment_many([user.video])),
    'TwelveLabsVideoLoader("match.mp4", embeddings=embeddings)': lambda user: add_segments(
        InMemoryVectorStore(user.embeddings), TwelveLabsVideoLoader(user.video, embeddings=user.embeddings).lazy_load()
    ),
    'embeddings=embeddings, embedding_option=["visual"])': lambda user: TwelveLabsVideoLoader(
        [user.video], embeddings=user.embeddings, embedding_option=["visual"]
    ).load(),
    'TwelveLabsVideoReader(embed_model=embed_model).load_nodes("match.mp4")': lambda user: TwelveLabsVideoReader(
        embed_model=user.embed_model
    ).load_nodes(user.video),
    "TwelveLabsVideoSegmenter()([document])": lambda user: TwelveLabsVideoSegmenter(embed_model=user.embed_model)(
        TwelveLabsVideoReader(embed_model=user.embed_model).load_data(user.video, segment=False)
    ),
    'ingest_videos(index, ["match.mp4"': lambda user: ingest_videos(
        VectorStoreIndex([], embed_model=user.embed_model), [user.video]
    ),
}
NARROWER = 'embeddings=embeddings, embedding_option=["visual"])'  # in docs/langchain.md: fewer vectors than the default


class User:
    """One user's objects on one segment store."""

    def __init__(self, sandbox: Sandbox, store: Path, video: Path) -> None:
        access: dict[str, Any] = {"api_key": sandbox.api_key, "base_url": sandbox.base_url}
        self.video = video
        self.client = Client(**access, store=store)
        self.async_client = AsyncClient(**access, store=store)
        self.embeddings = TwelveLabsEmbeddings(**access, segment_store=store)
        self.embed_model = TwelveLabsEmbedding(**access, segment_store=store)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "match.mp4"
    write_film(path, [Scene(seconds=6.0, sound="tone")], fps=5)
    return path


def test_the_calls_are_those_of_the_sources() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    packages = ("twelvelabs_core", "langchain_twelvelabs", "llama_index_twelvelabs")
    pages += [path for package in packages for path in (ROOT / package).rglob("*.py")]
    texts = [path.read_text("utf-8") for path in pages]
    assert [call for call in CALLS if not any(call in text for text in texts)] == []
    shown = {found for text in texts for found in re.findall(r"\w*\.segment_video\(\"match.mp4\"[^)]*\)", text)}
    assert {call for call in shown if "segmentation" not in call and "on_progress" not in call} == {
        'client.segment_video("match.mp4")'
    }


@pytest.mark.parametrize("first", [call for call in CALLS if call != NARROWER])
def test_one_task_whichever_call_comes_first(first: str, video: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    user = User(sandbox, tmp_path / "segments.sqlite3", video)
    for call in (first, *(call for call in CALLS if call != first)):
        CALLS[call](user)
        assert sandbox.count("POST", "/embed-v2/tasks") == 1, call
