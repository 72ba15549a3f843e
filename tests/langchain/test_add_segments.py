"""`add_segments` on any store: documents that arrived before an error are kept."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, aadd_segments, add_segments
from twelvelabs_core import IngestionError, InputError


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
