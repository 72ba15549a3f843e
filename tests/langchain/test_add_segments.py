"""`add_segments` on any store: documents that arrived before an error are kept."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_chroma import Chroma
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
    index_segments,
)
from tests.langchain.fixtures import connected, requests_of
from twelvelabs_core import IngestionError, InputError, Media
from twelvelabs_sandbox import Sandbox


async def add(
    mode: str,
    store: VectorStore,
    documents: Callable[[], Iterator[Document]],
    adocuments: Callable[[], AsyncIterator[Document]],
) -> None:
    """Add documents that fit into one batch."""
    if mode == "sync":
        add_segments(store, documents())
    else:
        await aadd_segments(store, adocuments())


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_valid_videos_are_stored_before_the_error_is_raised(
    mode: str, video_path: Path, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    loader = TwelveLabsVideoLoader([video_path, Path("missing.mp4")], embeddings=shared_embeddings)
    store = InMemoryVectorStore(shared_embeddings)

    with pytest.raises(IngestionError, match=r"missing\.mp4"):
        await add(mode, store, loader.lazy_load, loader.alazy_load)

    assert {entry["metadata"]["source"] for entry in store.store.values()} == {str(video_path)}


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_error_within_a_batch_keeps_earlier_documents(
    mode: str, video_path: Path, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    documents = TwelveLabsVideoLoader(video_path, embeddings=shared_embeddings).load()
    store = InMemoryVectorStore(shared_embeddings)

    def broken() -> Iterator[Document]:
        yield from documents
        raise InputError("the source failed")

    async def abroken() -> AsyncIterator[Document]:
        for document in documents:
            yield document
        raise InputError("the source failed")

    with pytest.raises(InputError, match="the source failed"):
        await add(mode, store, broken, abroken)

    assert store.store.keys() == {document.id for document in documents}


def test_documents_without_their_space_are_added_with_one_warning(
    documents: list[Document], shared_embeddings: TwelveLabsEmbeddings, caplog: pytest.LogCaptureFixture
) -> None:
    store = Chroma("without-space", shared_embeddings)
    for document in documents:
        del document.metadata["space"]
    assert len(add_segments(store, documents, batch_size=2)) == len(documents) > 4
    assert len(store.get()["ids"]) == len(documents)
    (warning,) = [record.message for record in caplog.records if "`space`" in record.message]
    assert shared_embeddings.space in warning


@pytest.mark.parametrize("key", ["space", "model"])
def test_documents_of_another_space_are_refused_before_one_is_written(
    key: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    """The model decides where an earlier version did not write the space."""
    store = Chroma(f"other-{key}", shared_embeddings)
    other = {"space": "marengo3.5/512", "model": "marengo3.5"}
    for document in documents:
        document.metadata = {**document.metadata, "space": "", key: other[key]}
    with pytest.raises(InputError, match=rf"of the space {other[key]}, not sandbox/marengo3\.0/512") as caught:
        add_segments(store, documents)
    assert str(documents[0].id) in str(caught.value)
    assert store.get()["ids"] == []


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_collection_of_another_space_is_refused_before_anything_is_paid_for(
    mode: str,
    documents: list[Document],
    shared_embeddings: TwelveLabsEmbeddings,
    video_path: Path,
    sandbox: Sandbox,
) -> None:
    add_segments(Chroma(f"old-{mode}", shared_embeddings), documents)
    new = connected(sandbox, ":memory:", model="marengo3.5")
    store, loader = Chroma(f"old-{mode}", new), TwelveLabsVideoLoader(video_path, embeddings=new)
    sandbox.clear_requests()
    message = r"of the space sandbox/marengo3\.0/512, not sandbox/marengo3\.5/512"
    with pytest.raises(InputError, match=message):
        await add(mode, store, loader.lazy_load, loader.alazy_load)
    records = InMemoryRecordManager("old")
    with pytest.raises(InputError, match=message):
        index_segments(loader, records, store)
    assert requests_of(sandbox) == 0
    assert len(store.get()["ids"]) == len(documents)


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_loader_of_another_space_is_refused_before_anything_is_paid_for(
    mode: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox
) -> None:
    store = InMemoryVectorStore(shared_embeddings)
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=connected(sandbox, ":memory:", model="marengo3.5"), end_sec=6.0, max_tasks=1
    )
    message = r"in the space sandbox/marengo3\.0/512, and the loader makes vectors of sandbox/marengo3\.5/512"
    with pytest.raises(InputError, match=message):
        await add(mode, store, loader.lazy_load, loader.alazy_load)
    with pytest.raises(InputError, match=message):
        index_segments(loader, InMemoryRecordManager("new"), store)
    assert requests_of(sandbox) == 0
    assert store.store == {}


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_an_iterator_of_another_space_is_refused_at_its_first_document(
    mode: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    store, new = InMemoryVectorStore(shared_embeddings), connected(sandbox, tmp_path / "new", model="marengo3.5")
    media = [Media.of(video_path, source=str(number)) for number in range(3)]
    loader = TwelveLabsVideoLoader(media, embeddings=new, end_sec=6.0, max_tasks=1)
    read: list[Document] = []

    def changed() -> Iterator[Document]:
        for document in loader.lazy_load():
            read.append(document)
            yield document

    async def achanged() -> AsyncIterator[Document]:
        async for document in loader.alazy_load():
            read.append(document)
            yield document

    class Other(BaseLoader):
        def lazy_load(self) -> Iterator[Document]:
            return changed()

    message = r"of the space sandbox/marengo3\.5/512, not sandbox/marengo3\.0/512"
    with pytest.raises(InputError, match=message):
        await add(mode, store, changed, achanged)
    with pytest.raises(InputError, match=message):
        index_segments(Other(), InMemoryRecordManager("new"), store)
    assert len(read) == 2
    assert store.store == {}


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_store_without_embeddings_is_compared_with_the_loader(
    mode: str, documents: list[Document], video_path: Path, sandbox: Sandbox
) -> None:
    class Unknown(InMemoryVectorStore):
        embeddings = None  # type: ignore[assignment]

    store = Unknown(connected(sandbox, ":memory:"))
    store.store = {str(number): {"metadata": one.metadata} for number, one in enumerate(documents)}
    loader = TwelveLabsVideoLoader(video_path, embeddings=connected(sandbox, ":memory:", model="marengo3.5"))
    with pytest.raises(InputError, match=r"of the space sandbox/marengo3\.0/512, not sandbox/marengo3\.5/512"):
        await add(mode, store, loader.lazy_load, loader.alazy_load)
    assert requests_of(sandbox) == 0


class Slotted(Embeddings):
    """A wrapper whose attributes are not in a dict."""

    __slots__ = ("__inner",)

    def __init__(self, inner: Embeddings) -> None:
        self.__inner = inner

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.__inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.__inner.embed_query(text)


class Traced(VectorStore):
    """A wrapper around a vector store, which leaves deletion to it."""

    __slots__ = ("inner",)

    def __init__(self, inner: VectorStore) -> None:
        self.inner = inner

    @property
    def embeddings(self) -> Embeddings | None:
        return self.inner.embeddings

    def add_documents(self, documents: list[Document], **kwargs: Any) -> list[str]:
        return self.inner.add_documents(documents, **kwargs)

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return self.inner.similarity_search(query, k, **kwargs)

    @classmethod
    def from_texts(cls, *args: Any, **kwargs: Any) -> "Traced":
        raise NotImplementedError


def test_wrappers_of_a_store_and_of_its_embeddings_are_looked_into(
    documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    inner = InMemoryVectorStore(Slotted(Slotted(shared_embeddings)))
    for _ in range(2):
        add_segments(Traced(Traced(inner)), documents)
    assert len(inner.store) == len(documents)
