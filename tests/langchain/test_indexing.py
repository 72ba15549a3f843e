"""`langchain_core.indexing.index` with `index_kwargs()`: a second run creates no task and writes nothing."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, aindex, index
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, index_kwargs
from tests.langchain.fixtures import FIXED, requests_of
from twelvelabs_core import InputError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
NOTHING = {"num_added": 0, "num_updated": 0, "num_deleted": 0}


class CountingStore(InMemoryVectorStore):
    """The in-memory store of langchain-core, which also counts written documents."""

    writes = 0

    def add_documents(self, documents: list[Document], ids: list[str] | None = None, **kwargs: Any) -> list[str]:
        self.writes += len(documents)
        return super().add_documents(documents, ids, **kwargs)

    async def aadd_documents(self, documents: list[Document], ids: list[str] | None = None, **kwargs: Any) -> list[str]:
        self.writes += len(documents)
        return await super().aadd_documents(documents, ids, **kwargs)


async def run(mode: str, loader: TwelveLabsVideoLoader, records: InMemoryRecordManager, store: Any) -> dict[str, int]:
    if mode == "async":
        return dict(await aindex(loader, records, store, **index_kwargs()))  # type: ignore[arg-type]
    return dict(index(loader, records, store, **index_kwargs()))  # type: ignore[arg-type]


@both_modes
async def test_second_run_creates_no_task_and_writes_nothing(
    mode: str, video_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    records, store = InMemoryRecordManager("videos"), CountingStore(fresh_embeddings)
    records.create_schema()
    loader = TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, segmentation=FIXED)
    first = await run(mode, loader, records, store)
    count = len(store.store)
    assert first == {**NOTHING, "num_added": count, "num_skipped": 0}
    sent, written = requests_of(sandbox), store.writes
    assert await run(mode, loader, records, store) == {**NOTHING, "num_skipped": count}
    assert (requests_of(sandbox), store.writes, len(store.store)) == (sent, written, count)


@both_modes
async def test_unchanged_segments_of_several_batches_are_skipped(
    mode: str, fresh_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    video_path = tmp_path / "long.mp4"
    write_film(video_path, [Scene(seconds=3 * 60.0)], fps=2, audio=False)
    loader = TwelveLabsVideoLoader(
        video_path,
        embeddings=fresh_embeddings,
        embedding_option=["visual"],
        segmentation={"strategy": "fixed", "fixed": {"duration_sec": 2}},
        embedding_scope=["clip", "asset"],
    )
    records, store = InMemoryRecordManager("videos"), CountingStore(fresh_embeddings)
    records.create_schema()
    batch = {"batch_size": 20}
    count = len(loader.load())
    assert count > batch["batch_size"]
    for expected in ({**NOTHING, "num_added": count, "num_skipped": 0}, {**NOTHING, "num_skipped": count}):
        if mode == "async":
            done = await aindex(loader, records, store, **batch, **index_kwargs())  # type: ignore[arg-type]
        else:
            done = index(loader, records, store, **batch, **index_kwargs())  # type: ignore[arg-type]
        assert dict(done) == expected


@both_modes
async def test_changed_video_replaces_its_old_segments(
    mode: str, fresh_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    video_path = tmp_path / "video.mp4"
    records, store = InMemoryRecordManager("videos"), CountingStore(fresh_embeddings)
    records.create_schema()
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=fresh_embeddings, embedding_option=["visual"], segmentation=FIXED
    )
    write_film(video_path, [Scene("red", seconds=12.0)])
    await run(mode, loader, records, store)
    old = set(store.store)
    write_film(video_path, [Scene("blue", seconds=6.0)])
    assert await run(mode, loader, records, store) == {**NOTHING, "num_added": 1, "num_deleted": 2, "num_skipped": 0}
    assert len(store.store) == 1
    assert not old & set(store.store)


def test_a_document_without_id_is_refused(fresh_embeddings: TwelveLabsEmbeddings) -> None:
    records, store = InMemoryRecordManager("videos"), CountingStore(fresh_embeddings)
    records.create_schema()
    with pytest.raises(InputError, match="has neither an id nor a segment_id"):
        index([Document(page_content="a", metadata={"source": "b"})], records, store, **index_kwargs())
    assert not store.store
