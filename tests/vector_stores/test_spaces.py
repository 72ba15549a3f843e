"""Two spaces in one vector store: an error that names both, on every store and each way that can be seen."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
    index_segments,
)
from tests.adapters import each_store, slow_async_mode
from tests.langchain.fixtures import call, connected, description
from tests.vector_stores.stores import CASES, StoreCase
from tests.vector_stores.test_set_up import DeletableStore
from twelvelabs_core import InputError
from twelvelabs_sandbox import Sandbox

OLD = "sandbox/marengo3.0/512"


def opened_with(store: Any, embeddings: TwelveLabsEmbeddings) -> Any:
    """Let a store embed with other embeddings, as if its collection was opened with them."""
    for name, value in vars(store).items():
        if isinstance(value, TwelveLabsEmbeddings):
            setattr(store, name, embeddings)
        elif isinstance(value, list) and value and isinstance(value[0], TwelveLabsEmbeddings):
            setattr(store, name, [embeddings])
    return store


@slow_async_mode
@pytest.mark.parametrize("dimension", [512, pytest.param(256, marks=pytest.mark.slow)])
@each_store(CASES)
async def test_another_space_is_refused_by_add_and_by_search(
    case: StoreCase,
    dimension: int,
    mode: str,
    *,
    shared_embeddings: TwelveLabsEmbeddings,
    documents: list[Document],
    video_path: Path,
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    # Documents of the user's own, nearer to any probe than the segments.
    own = [Document(f"note {number}", metadata={**documents[0].metadata, "segment_id": ""}) for number in range(12)]
    store.add_documents(own, ids=[str(uuid.uuid4()) for _ in own])
    add_segments(store, documents)
    count = case.count(store)
    new = connected(sandbox, ":memory:", model="marengo3.5", embedding_dimension=dimension)
    both = rf"of the space {OLD}, .*sandbox/marengo3\.5/{dimension}"

    retriever = TwelveLabsMomentRetriever(vectorstore=store, embeddings=new)
    with pytest.raises(InputError, match=both):
        await call(mode, retriever, "invoke", description(0))

    store = opened_with(store, new)
    loader = TwelveLabsVideoLoader(video_path, embeddings=new)
    with pytest.raises(InputError, match=both):
        await aadd_segments(store, loader.alazy_load()) if mode == "async" else add_segments(store, loader.lazy_load())
    with pytest.raises(InputError, match=both):
        index_segments(loader, InMemoryRecordManager("spaces"), store)
    assert case.count(store) == count
    assert sandbox.count("POST", "/embed-v2/tasks") == 0


def test_a_search_error_of_a_store_of_one_space_is_the_stores_own(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    class Broken(InMemoryVectorStore):
        def similarity_search_by_vector(self, *_: Any, **__: Any) -> list[Document]:
            raise OSError("no connection")

    store = Broken(shared_embeddings)
    add_segments(store, documents)
    with pytest.raises(OSError, match="no connection"):
        TwelveLabsMomentRetriever(vectorstore=store).invoke(description(0))


def test_a_store_that_cannot_be_listed_is_searched_for_segments(
    documents: list[Document], video_path: Path, sandbox: Sandbox
) -> None:
    class Searchable(DeletableStore):
        def similarity_search_by_vector(self, *_: Any, **__: Any) -> list[Document]:
            return documents

    new = connected(sandbox, ":memory:", model="marengo3.5")
    with pytest.raises(InputError, match=f"of the space {OLD}, not sandbox/marengo3.5/512"):
        add_segments(Searchable(new), TwelveLabsVideoLoader(video_path, embeddings=new).lazy_load())
    assert sandbox.count("POST", "/embed-v2/tasks") == 0
