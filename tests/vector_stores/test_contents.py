"""`list_sources` and `delete_segments` on every vector store, sync and async."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    add_segments,
    adelete_segments,
    alist_sources,
    delete_segments,
    index_segments,
    list_sources,
)
from tests.adapters import each_store, slow_async_mode
from tests.langchain.fixtures import FIXED
from tests.langchain.test_add_segments import Traced
from tests.vector_stores.stores import CASES, StoreCase
from tests.vector_stores.test_set_up import AppendOnlyStore, DeletableStore
from twelvelabs_core import ConfigurationError, InputError, Media

NAMES = ["scenes.mkv", 'o\'hara "x".mkv', "\u00fcn\u00ef/back\\slash 50% _x.mkv"]


async def sources_in(mode: str, store: Any) -> list[str]:
    return await alist_sources(store) if mode == "async" else list_sources(store)


async def delete(mode: str, store: Any, source: Any) -> int:
    return await adelete_segments(store, source=source) if mode == "async" else delete_segments(store, source=source)


def named(embeddings: TwelveLabsEmbeddings, video_path: Path, names: list[str]) -> TwelveLabsVideoLoader:
    media = [Media.of(video_path, source=name) for name in names]
    return TwelveLabsVideoLoader(media, embeddings=embeddings, segmentation=FIXED, end_sec=24.0)


@slow_async_mode
@each_store(CASES)
async def test_sources_are_listed_and_deleted_one_by_one(
    case: StoreCase, mode: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path, tmp_path: Path
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    assert await sources_in(mode, store) == []
    assert await delete(mode, store, NAMES[0]) == 0
    documents = named(shared_embeddings, video_path, NAMES).load()
    count = len(documents) // len(NAMES)
    add_segments(store, documents)
    # A document of the user's own with the same source.
    own = {**documents[0].metadata, "segment_id": ""}
    store.add_documents([Document("minutes of a meeting", metadata=own)], ids=[str(uuid.uuid4())])

    assert await sources_in(mode, store) == sorted(NAMES)
    assert await delete(mode, store, "other.mkv") == 0
    for number, name in enumerate(NAMES):
        assert await delete(mode, store, name) == count
        assert await delete(mode, store, name) == 0
        assert await sources_in(mode, store) == sorted(NAMES[number + 1 :])
    assert case.count(store) == 1
    add_segments(store, documents)
    assert await delete(mode, store, NAMES[1:]) == 2 * count
    assert await sources_in(mode, store) == NAMES[:1]


@each_store(CASES)
def test_a_store_of_foreign_documents_has_no_sources(case: StoreCase, tmp_path: Path) -> None:
    store = case.make(DeterministicFakeEmbedding(size=512), tmp_path)
    store.add_documents([Document("a", metadata={"start_sec": 0.0})], ids=[str(uuid.uuid4())])
    assert list_sources(store) == []
    assert delete_segments(store, source="a.mp4") == 0
    assert case.count(store) == 1


def test_a_title_names_one_file_of_the_store(shared_embeddings: TwelveLabsEmbeddings, video_path: Path) -> None:
    names = ["cup/contents-a.mkv", "league/contents-a.mkv", "contents-b.mkv", "final/contents-b.mkv"]
    documents = named(shared_embeddings, video_path, names).load()
    count = len(documents) // len(names)
    store = InMemoryVectorStore(shared_embeddings)
    add_segments(Traced(Traced(store)), documents)
    with pytest.raises(InputError, match=r"'contents-a\.mkv' names 2 files: cup/contents-a\.mkv, league/"):
        delete_segments(store, source="contents-a.mkv")
    assert len(list_sources(Traced(store))) == len(names)
    # A name that is a source means that one, also when it is deleted already.
    for expected in (count, 0):
        assert delete_segments(Traced(store), source=Path("contents-b.mkv")) == expected
    assert delete_segments(store, source="cup/contents-a.mkv") == count
    assert delete_segments(store, source="contents-a.mkv") == count  # the only one that is left
    assert list_sources(store) == ["final/contents-b.mkv"]


def test_segments_that_index_wrote_under_other_ids_are_deleted(
    shared_embeddings: TwelveLabsEmbeddings, video_path: Path
) -> None:
    store = InMemoryVectorStore(shared_embeddings)
    records = InMemoryRecordManager("contents")
    result = index_segments(named(shared_embeddings, video_path, ["indexed.mkv"]), records, store)
    assert delete_segments(store, source="indexed.mkv") == result["num_added"] == len(records.list_keys())
    assert store.store == {}


class AskedById(DeletableStore):
    """A store that can be asked by id, and not listed."""

    def get_by_ids(self, ids: Any, /) -> list[Document]:
        return [
            Document(text, id=one, metadata=self.metadatas[one])
            for one, text in zip(self.ids, self.texts, strict=True)
            if one in ids
        ]

    def add_texts(self, texts: Any, metadatas: Any = None, *, ids: Any = None, **_: Any) -> list[str]:
        self.metadatas = {**getattr(self, "metadatas", {}), **dict(zip(ids, metadatas, strict=True))}
        return super().add_texts(texts, metadatas, ids=ids)


async def test_a_store_that_cannot_be_listed_is_asked_for_the_ids_of_the_segment_store(
    shared_embeddings: TwelveLabsEmbeddings, video_path: Path
) -> None:
    names = ["asked-a.mkv", "asked-b.mkv"]
    documents = named(shared_embeddings, video_path, names).load()
    store = AskedById(shared_embeddings)
    add_segments(store, documents)
    assert list_sources(store) == await alist_sources(store) == names
    for expected in (len(documents) // 2, 0):
        assert delete_segments(store, source=names[0]) == expected
    assert list_sources(store) == names[1:]


async def test_stores_that_cannot_be_listed_or_cannot_delete_say_what_to_do(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], video_path: Path
) -> None:
    deletable = DeletableStore(shared_embeddings)
    add_segments(deletable, documents)
    with pytest.raises(ConfigurationError, match=r"DeletableStore can neither be listed nor asked .* client\.store"):
        list_sources(deletable)
    known = len(named(shared_embeddings, video_path, ["scenes.mkv"]).load())
    assert await adelete_segments(deletable, source="scenes.mkv") >= known  # what the segment store knows
    assert deletable.texts == []
    append_only = AppendOnlyStore(shared_embeddings)
    append_only.add_documents(documents, ids=[str(document.id) for document in documents])
    with pytest.raises(ConfigurationError, match=r"AppendOnlyStore cannot delete .* metadata key source"):
        delete_segments(append_only, source="scenes.mkv")
    assert delete_segments(append_only, source="never-loaded.mkv") == 0
    with pytest.raises(InputError, match="store must be a LangChain VectorStore, got str"):
        delete_segments("store", source="scenes.mkv")  # type: ignore[arg-type]  # made wrong on purpose
