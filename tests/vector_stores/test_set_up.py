"""How single stores must be set up, and what is refused because it would lose documents or keep them twice."""

from pathlib import Path
from typing import Any

import pytest
from langchain_classic.embeddings import CacheBackedEmbeddings
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.stores import InMemoryByteStore
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, aadd_segments, add_segments
from tests.langchain.fixtures import FIXED, look
from tests.vector_stores.stores import join, make_chroma, make_faiss, make_lancedb
from twelvelabs_core import ConfigurationError, InputError


def test_lancedb_in_its_default_mode_replaces_the_table_and_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    import lancedb
    from langchain_community.vectorstores import LanceDB

    store = LanceDB(connection=lancedb.connect(str(tmp_path / "lance")), embedding=shared_embeddings)
    store.add_documents(documents[:2])
    store.add_documents(documents[2:5])
    assert store.get_table().count_rows() == 3  # the first two are gone

    with pytest.raises(ConfigurationError, match='mode="append"'):
        add_segments(store, documents)
    assert store.get_table().count_rows() == 3


def test_lancedb_filters_only_its_first_hits_without_prefilter(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = make_lancedb(shared_embeddings, tmp_path)
    add_segments(store, documents)
    late = "metadata.start_sec >= 12.0"
    assert len(store.similarity_search(look(0), k=2, filter=late, metrics="cosine")) < 2
    assert len(store.similarity_search(look(0), k=2, filter=late, metrics="cosine", prefilter=True)) == 2


def test_faiss_filters_only_its_first_hits_without_a_large_fetch_k(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = make_faiss(shared_embeddings, tmp_path)
    add_segments(store, documents)
    late = {"start_sec": {"$gte": 12.0}}
    assert len(store.similarity_search(look(0), k=2, filter=late, fetch_k=2)) < 2
    assert len(store.similarity_search(look(0), k=2, filter=late, fetch_k=10_000)) == 2


def test_milvus_that_makes_ids_of_its_own_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    from langchain_milvus import Milvus

    place = {"uri": str(tmp_path / "auto.db")}
    store = Milvus(shared_embeddings, connection_args=place, auto_id=True)
    with pytest.raises(ConfigurationError, match="auto_id"):
        add_segments(store, documents)


def test_milvus_that_began_with_ids_of_its_own_is_refused(
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
def test_a_store_with_other_embeddings_is_refused(
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


async def test_a_store_that_cannot_delete_is_refused(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = Forgetful(shared_embeddings)
    with pytest.raises(ConfigurationError, match="Forgetful can neither replace nor delete"):
        add_segments(store, documents)
    with pytest.raises(ConfigurationError, match="Forgetful can neither replace nor delete"):
        await aadd_segments(store, documents)
    assert not store.texts


def test_an_unknown_store_that_can_delete_is_made_safe(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = Plain(shared_embeddings)
    add_segments(store, documents)
    add_segments(store, documents)
    assert sorted(store.texts) == sorted(document.page_content for document in documents)


async def test_a_store_whose_delete_fails_gets_no_second_copy(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = Stubborn(shared_embeddings)
    with pytest.raises(ConfigurationError, match="Stubborn could not delete"):
        add_segments(store, documents)
    with pytest.raises(ConfigurationError, match="Stubborn could not delete"):
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


def test_chroma_finds_by_its_own_image_search(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], frame: Path, tmp_path: Path
) -> None:
    store: Any = make_chroma(shared_embeddings, tmp_path)
    add_segments(store, documents)
    (best,) = store.similarity_search_by_image(str(frame), k=1)
    assert best.metadata["start_sec"] == 12.0
    store.add_images([str(frame)], metadatas=[{"kind": "image"}])
    (itself,) = store.similarity_search_by_image(str(frame), k=1)
    assert itself.metadata == {"kind": "image"}


def test_lancedb_takes_images_by_its_own_method(
    shared_embeddings: TwelveLabsEmbeddings, frame: Path, tmp_path: Path
) -> None:
    store: Any = make_lancedb(shared_embeddings, tmp_path)
    store.add_images([str(frame)])
    (found,) = store.similarity_search_by_vector(shared_embeddings.embed_images([frame])[0], k=1)
    assert found.page_content  # the picture itself, as LanceDB stores it


def test_other_documents_are_refused(shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]) -> None:
    store = Plain(shared_embeddings)
    with pytest.raises(InputError, match="is not the document of a segment"):
        add_segments(store, [documents[0], Document(page_content="minutes of a meeting", id="1")])
    with pytest.raises(InputError, match="has neither an id nor a segment_id"):
        add_segments(store, [Document(page_content=documents[0].page_content)])
    with pytest.raises(InputError, match="batch_size must be a whole number, 1 or more, got 0"):
        add_segments(store, documents, batch_size=0)
    assert not store.texts


def test_documents_that_a_store_gave_back_without_id_can_go_into_another(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = Plain(shared_embeddings)
    nameless = [document.model_copy(update={"id": None}) for document in documents]
    assert add_segments(store, nameless) == [document.id for document in documents]


class Forgetful(VectorStore):
    """A store as several in langchain-community are: it adds, and that is all."""

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
    def from_texts(cls, *args: Any, **kwargs: Any) -> "Forgetful":
        raise NotImplementedError


class Plain(Forgetful):
    """A store that can also delete."""

    def delete(self, ids: list[str] | None = None, **_: Any) -> bool:
        kept = [(one, text) for one, text in zip(self.ids, self.texts, strict=True) if one not in (ids or [])]
        self.ids, self.texts = [one for one, _ in kept], [text for _, text in kept]
        return True


class Stubborn(Forgetful):
    """A store that fails to delete and says so as Milvus and Qdrant do: by its return value."""

    def delete(self, *_: Any, **__: Any) -> bool:
        return False
