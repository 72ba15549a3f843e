"""Required settings of particular stores, and settings refused because they would lose or duplicate documents."""

import logging
from pathlib import Path
from typing import Any

import pytest
from langchain_classic.embeddings import CacheBackedEmbeddings
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.stores import InMemoryByteStore
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, aadd_segments, add_segments
from tests.langchain.fixtures import FIXED, connected, description
from tests.langchain.test_add_segments import Traced
from tests.vector_stores.stores import join, make_chroma, make_faiss, make_lancedb
from twelvelabs_core import ConfigurationError, InputError
from twelvelabs_sandbox import Sandbox


@pytest.mark.slow
def test_lancedb_in_overwrite_mode_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    import lancedb
    from langchain_community.vectorstores import LanceDB

    store = LanceDB(connection=lancedb.connect(str(tmp_path / "lance")), embedding=shared_embeddings)
    store.add_documents(documents[:2])
    store.add_documents(documents[2:5])
    assert store.get_table().count_rows() == 3  # the first two were overwritten

    for wrapped in (store, Traced(Traced(store))):
        with pytest.raises(ConfigurationError, match='mode="append"'):
            add_segments(wrapped, documents)
    assert store.get_table().count_rows() == 3


@pytest.mark.slow
def test_lancedb_filters_only_its_first_hits_without_prefilter(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = make_lancedb(shared_embeddings, tmp_path)
    add_segments(store, documents)
    late = "metadata.start_sec >= 12.0"
    assert len(store.similarity_search(description(0), k=2, filter=late, metrics="cosine")) < 2
    assert len(store.similarity_search(description(0), k=2, filter=late, metrics="cosine", prefilter=True)) == 2


def test_faiss_filters_only_its_first_hits_without_a_large_fetch_k(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = make_faiss(shared_embeddings, tmp_path)
    add_segments(store, documents)
    late = {"start_sec": {"$gte": 12.0}}
    assert len(store.similarity_search(description(0), k=2, filter=late, fetch_k=2)) < 2
    assert len(store.similarity_search(description(0), k=2, filter=late, fetch_k=10_000)) == 2


@pytest.mark.slow
def test_milvus_with_auto_id_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    from langchain_milvus import Milvus

    place = {"uri": str(tmp_path / "auto.db")}
    store = Milvus(shared_embeddings, connection_args=place, auto_id=True)
    with pytest.raises(ConfigurationError, match="auto_id"):
        add_segments(store, documents)


@pytest.mark.slow
def test_milvus_collection_with_auto_ids_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    add_to_milvus(tmp_path / "bare.db", shared_embeddings).add_documents(documents)
    with pytest.raises(ConfigurationError, match="'LangChainCollection' assigns ids itself"):
        add_segments(add_to_milvus(tmp_path / "bare.db", shared_embeddings), documents)


def add_to_milvus(place: Path, embeddings: TwelveLabsEmbeddings) -> VectorStore:
    from langchain_milvus import Milvus

    store = Milvus(embeddings, connection_args={"uri": str(place)})
    join(store)
    return store


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in a cache"])
def test_store_with_other_embeddings_is_refused(
    documents: list[Document], shared_embeddings: TwelveLabsEmbeddings, *, wrapped: bool
) -> None:
    other: Embeddings = DeterministicFakeEmbedding(size=512)
    ours: Embeddings = shared_embeddings
    if wrapped:
        other, ours = cached(other), cached(ours)
    store = InMemoryVectorStore(other)
    with pytest.raises(ConfigurationError, match="cannot find the vectors of segments"):
        add_segments(store, documents)
    assert not store.store
    add_segments(InMemoryVectorStore(ours), documents)


def cached(embeddings: Embeddings) -> Embeddings:
    return CacheBackedEmbeddings.from_bytes_store(embeddings, InMemoryByteStore(), key_encoder="sha256")


def test_the_space_as_namespace_keeps_vectors_of_two_spaces_apart_in_a_cache(sandbox: Sandbox) -> None:
    kept = InMemoryByteStore()
    for model, dimension in (("marengo3.0", 512), ("marengo3.5", 512), ("marengo3.5", 128)):
        embeddings = connected(sandbox, ":memory:", model=model, embedding_dimension=dimension)
        assert embeddings.space == f"sandbox/{model}/{dimension}"
        for _ in range(2):
            cache = CacheBackedEmbeddings.from_bytes_store(
                embeddings, kept, namespace=embeddings.space, key_encoder="sha256"
            )
            assert len(cache.embed_documents(["a red car"])[0]) == dimension
    assert sandbox.count("POST", "/embed-v2") == 3


async def test_store_without_delete_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = AppendOnlyStore(shared_embeddings)
    with pytest.raises(ConfigurationError, match="AppendOnlyStore can neither replace nor delete"):
        add_segments(store, documents)
    with pytest.raises(ConfigurationError, match="AppendOnlyStore can neither replace nor delete"):
        await aadd_segments(store, documents)
    assert not store.texts


def test_unknown_store_with_delete_gets_no_duplicates(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = DeletableStore(shared_embeddings)
    add_segments(store, documents)
    add_segments(store, documents)
    assert sorted(store.texts) == sorted(document.page_content for document in documents)


def test_a_store_that_cannot_be_searched_is_logged(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], caplog: pytest.LogCaptureFixture
) -> None:
    class Unsearchable(DeletableStore):
        def similarity_search_by_vector(self, *_: Any, **__: Any) -> list[Document]:
            raise OSError("password=secret")

    caplog.set_level(logging.DEBUG, "langchain_twelvelabs")
    add_segments(Unsearchable(shared_embeddings), documents)
    assert "Unsearchable cannot be searched for segments: OSError" in caplog.messages


async def test_failed_delete_raises_and_adds_no_duplicates(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = FailingDeleteStore(shared_embeddings)
    with pytest.raises(ConfigurationError, match="FailingDeleteStore could not delete"):
        add_segments(store, documents)
    with pytest.raises(ConfigurationError, match="FailingDeleteStore could not delete"):
        await aadd_segments(store, documents)
    assert not store.texts


@pytest.mark.parametrize("batch_size", [1, 4, 1000])
async def test_documents_stream_from_the_loader_into_the_store(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], video_path: Path, batch_size: int
) -> None:
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=shared_embeddings, segmentation=FIXED, source="scenes.mkv", end_sec=24.0
    )
    ids = [document.id for document in documents]
    for filled in (
        add_segments(InMemoryVectorStore(shared_embeddings), loader.lazy_load(), batch_size=batch_size),
        await aadd_segments(InMemoryVectorStore(shared_embeddings), loader.alazy_load(), batch_size=batch_size),
        await aadd_segments(InMemoryVectorStore(shared_embeddings), loader.lazy_load(), batch_size=batch_size),
    ):
        assert filled == ids


def test_chroma_image_search_uses_the_embeddings(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], frame: Path, tmp_path: Path
) -> None:
    store: Any = make_chroma(shared_embeddings, tmp_path)
    add_segments(store, documents)
    (best,) = store.similarity_search_by_image(str(frame), k=1)
    assert best.metadata["start_sec"] == 12.0
    store.add_images([str(frame)], metadatas=[{"kind": "image"}])
    (itself,) = store.similarity_search_by_image(str(frame), k=1)
    assert itself.metadata == {"kind": "image"}


@pytest.mark.slow
def test_lancedb_add_images_uses_the_embeddings(
    shared_embeddings: TwelveLabsEmbeddings, frame: Path, tmp_path: Path
) -> None:
    store: Any = make_lancedb(shared_embeddings, tmp_path)
    store.add_images([str(frame)])
    (found,) = store.similarity_search_by_vector(shared_embeddings.embed_images([frame])[0], k=1)
    assert found.page_content  # the image data, as LanceDB stores it


def test_other_documents_are_refused(shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]) -> None:
    store = DeletableStore(shared_embeddings)
    with pytest.raises(InputError, match="is not the document of a segment"):
        add_segments(store, [documents[0], Document(page_content="minutes of a meeting", id="1")])
    with pytest.raises(InputError, match="has neither an id nor a segment_id"):
        add_segments(store, [Document(page_content=documents[0].page_content)])
    with pytest.raises(InputError, match="batch_size must be a whole number from 1, got 0"):
        add_segments(store, documents, batch_size=0)
    assert not store.texts


def test_documents_without_id_can_be_added(shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]) -> None:
    store = DeletableStore(shared_embeddings)
    without_id = [document.model_copy(update={"id": None}) for document in documents]
    assert add_segments(store, without_id) == [document.id for document in documents]


class AppendOnlyStore(VectorStore):
    """A store that can only add, like several in langchain-community."""

    def __init__(self, embeddings: TwelveLabsEmbeddings) -> None:
        self.own = embeddings
        self.texts: list[str] = []
        self.ids: list[str] = []

    @property
    def embeddings(self) -> TwelveLabsEmbeddings:
        return self.own

    def add_texts(self, texts: Any, metadatas: Any = None, *, ids: Any = None, **_: Any) -> list[str]:  # noqa: ARG002  # VectorStore's signature
        taken = list(texts)
        self.own.embed_documents(taken)
        self.texts += taken
        self.ids += ids
        return list(ids)

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        raise NotImplementedError

    @classmethod
    def from_texts(cls, *args: Any, **kwargs: Any) -> "AppendOnlyStore":
        raise NotImplementedError


class DeletableStore(AppendOnlyStore):
    """A store that can add and delete."""

    def delete(self, ids: list[str] | None = None, **_: Any) -> bool:
        kept = [(one, text) for one, text in zip(self.ids, self.texts, strict=True) if one not in (ids or [])]
        self.ids, self.texts = [one for one, _ in kept], [text for _, text in kept]
        return True


class FailingDeleteStore(AppendOnlyStore):
    """A store whose delete fails and returns False, as in Milvus and Qdrant."""

    def delete(self, *_: Any, **__: Any) -> bool:
        return False
