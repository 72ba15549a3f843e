"""`langchain_core.indexing.index` with `index_kwargs()`: a second run creates no task and writes nothing."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, aindex, index
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    aindex_segments,
    index_kwargs,
    index_segments,
)
from tests.adapters import slow_async_mode
from tests.langchain.fixtures import FIXED, requests_of
from twelvelabs_core import Failure, IngestionError, InputError
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


@slow_async_mode
async def test_unchanged_segments_of_several_batches_are_skipped(
    mode: str, fresh_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    video_path = tmp_path / "long.mp4"
    write_film(video_path, [Scene(seconds=50.0)], fps=2, audio=False)
    loader = TwelveLabsVideoLoader(
        video_path,
        embeddings=fresh_embeddings,
        embedding_option=["visual"],
        segmentation={"strategy": "fixed", "fixed": {"duration_sec": 2}},
        embedding_scope=["clip", "asset"],
    )
    records, store = InMemoryRecordManager("videos"), CountingStore(fresh_embeddings)
    records.create_schema()
    batch = {"batch_size": 10}
    count = len(loader.load())
    assert count > batch["batch_size"]
    for expected in ({**NOTHING, "num_added": count, "num_skipped": 0}, {**NOTHING, "num_skipped": count}):
        if mode == "async":
            done = await aindex(loader, records, store, **batch, **index_kwargs())  # type: ignore[arg-type]
        else:
            done = index(loader, records, store, **batch, **index_kwargs())  # type: ignore[arg-type]
        assert dict(done) == expected


@slow_async_mode
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


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    """Two videos of two segments; the second is about to change."""
    paths = [tmp_path / "red.mp4", tmp_path / "blue.mp4"]
    for path, color in zip(paths, ("red", "blue"), strict=True):
        write_film(path, [Scene(color, seconds=12.0)], fps=5, audio=False)
    return paths


@slow_async_mode
@pytest.mark.parametrize("cleanup", ["scoped_full", pytest.param("full", marks=pytest.mark.slow)])
async def test_bad_videos_are_reported_after_the_good_ones_are_stored_and_cleaned_up(
    mode: str, cleanup: str, videos: list[Path], fresh_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    """A failed video keeps its old segments, a changed one loses them, and one that is gone only with `full`."""
    red, blue = videos
    gone = tmp_path / "gone.mp4"
    write_film(gone, [Scene("green", seconds=6.0)], fps=5, audio=False)
    records, store = InMemoryRecordManager("films"), CountingStore(fresh_embeddings)
    records.create_schema()

    async def run_again(*media: Path) -> dict[str, int]:
        loader = TwelveLabsVideoLoader(
            media, embeddings=fresh_embeddings, embedding_option=["visual"], segmentation=FIXED
        )
        if mode == "async":
            return dict(await aindex_segments(loader, records, store, cleanup=cleanup))  # type: ignore[arg-type]
        return dict(index_segments(loader, records, store, cleanup=cleanup))  # type: ignore[arg-type]

    def stored(path: Path) -> set[str]:
        return {key for key, entry in store.store.items() if entry["metadata"]["source"] == str(path)}

    assert await run_again(red, blue, gone) == {**NOTHING, "num_added": 5, "num_skipped": 0}
    before = {path: stored(path) for path in (red, blue, gone)}
    write_film(blue, [Scene("yellow", seconds=6.0)], fps=5, audio=False)
    red.write_bytes(b"no video")
    for _ in range(2):  # again on every run, until it is repaired
        with pytest.raises(IngestionError, match=r"red\.mp4") as caught:
            await run_again(red, blue, tmp_path / "missing.mp4")
        assert len(caught.value.failures) == 2
        assert stored(red) == before[red]
        assert len(stored(blue)) == 1
        assert not stored(blue) & before[blue]
        assert stored(gone) == (set() if cleanup == "full" else before[gone])
    write_film(red, [Scene("red", "white", seconds=6.0)], fps=5, audio=False)
    await run_again(red, blue)
    assert len(stored(red)) == 1


def test_langchains_own_index_stores_the_good_ones_if_failures_go_to_a_function(
    videos: list[Path], fresh_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    records, store = InMemoryRecordManager("films"), CountingStore(fresh_embeddings)
    records.create_schema()
    failures: list[Failure] = []
    loader = TwelveLabsVideoLoader(
        [*videos, tmp_path / "missing.mp4"],
        embeddings=fresh_embeddings,
        embedding_option=["visual"],
        segmentation=FIXED,
        on_error=failures.append,
    )
    assert index(loader, records, store, **index_kwargs())["num_added"] == 4
    assert [failure.source for failure in failures] == [str(tmp_path / "missing.mp4")]


@both_modes
async def test_a_text_or_metadata_that_changed_is_written_again(
    mode: str, video_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    records, store = InMemoryRecordManager("films"), CountingStore(fresh_embeddings)
    records.create_schema()
    options: dict[str, Any] = {"embeddings": fresh_embeddings, "segmentation": FIXED, "embedding_option": ["visual"]}
    await run(mode, TwelveLabsVideoLoader(video_path, **options), records, store)
    count, spoken = len(store.store), TwelveLabsVideoLoader(video_path, include_transcript=True, **options)
    done = await run(mode, spoken, records, store)
    assert (done["num_added"], done["num_deleted"], done["num_skipped"]) == (1, 1, count - 1)
    assert len(store.store) == count
    assert sum("a goalkeeper dives" in entry["text"] for entry in store.store.values()) == 1
    documents = spoken.load()
    for document in documents:
        document.metadata["team"] = "red"
    assert index(documents, records, store, **index_kwargs())["num_added"] == count
    assert {entry["metadata"]["team"] for entry in store.store.values()} == {"red"}
    assert len(store.store) == count
    assert sandbox.count("POST", "/embed-v2/tasks") == 1
