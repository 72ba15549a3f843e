"""The same moments from every LangChain vector store, sync and async, with and without conditions."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsMomentRetriever, add_segments, segment_filter
from tests.adapters import each_store, slow_async_mode
from tests.langchain.fixtures import call, description
from tests.vector_stores.stores import CASES, StoreCase

SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {"source": "scenes.mkv"},
    {"source": 'o\'hara "x".mkv'},
    {"time_window": (7.0, 11.0)},
    {"embedding_option": "audio"},
    {"source": "scenes.mkv", "time_window": (0.0, 12.0), "embedding_option": "visual"},
)


async def results(store: Any, mode: str) -> list[tuple[bool, list[tuple[Any, ...]]]]:
    """Return for each scene and search whether there are results, and id, score and text of the relevant ones."""
    retriever = TwelveLabsMomentRetriever(vectorstore=store, fetch_k=3)
    found = []
    for scene in range(3):
        for search in SEARCHES:
            documents = await call(mode, retriever, "search", description(scene), k=2, **search)
            assert all(document.metadata["exact"] for document in documents)
            # Which of equally irrelevant clips are found, the store decides.
            relevant = [document for document in documents if document.metadata["score"] > 0]
            shown = [(one.id, round(one.metadata["score"], 5), one.page_content[:30]) for one in relevant]
            found.append((bool(documents), shown))
    return found


@pytest.fixture(scope="module")
def expected_store(shared_embeddings: TwelveLabsEmbeddings, loaded: list[Document]) -> InMemoryVectorStore:
    store = InMemoryVectorStore(shared_embeddings)
    add_segments(store, [document.model_copy(deep=True) for document in loaded])
    return store


@slow_async_mode
@each_store(CASES)
async def test_every_store_gives_the_same_moments(
    case: StoreCase,
    mode: str,
    *,
    shared_embeddings: TwelveLabsEmbeddings,
    documents: list[Document],
    expected_store: InMemoryVectorStore,
    tmp_path: Path,
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    add_segments(store, documents)
    found = await results(store, mode)
    assert found == await results(expected_store, "sync")
    assert [is_found for is_found, _ in found[: len(SEARCHES)]] == [True, True, False, True, True, True]
    assert any(relevant for _, relevant in found)


@each_store(CASES)
def test_filter_of_every_store(
    case: StoreCase, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    add_segments(store, documents)
    page = {**documents[0].metadata, "segment_id": "page", "start_sec": 0.0, "end_sec": 0.0}
    store.add_documents([Document("a page", metadata=page)], ids=[str(uuid.uuid4())])

    def starts(**conditions: Any) -> list[float]:
        filters = segment_filter(store, source="scenes.mkv", embedding_option="visual", **conditions)
        found = store.similarity_search(description(0), k=len(documents), **{**case.search, **filters})
        return sorted(one.metadata["start_sec"] for one in found)

    assert starts() == [0.0, 0.0, 6.0, 12.0, 18.0]
    assert starts(start_sec=6.5, end_sec=13.0) == [6.0, 12.0]
    assert starts(start_sec=12.0, end_sec=18.0) == [12.0]  # the two beside it only touch the range
    assert starts(start_sec=12) == [12.0, 18.0]
    assert starts(end_sec=6.5) == [0.0, 6.0]  # a page has no time


@each_store(CASES)
def test_filter_by_unusual_names(case: StoreCase, tmp_path: Path) -> None:
    names = [
        "plain.mp4",
        'o\'hara "x".mkv',
        "\u00fcn\u00ef/\u30b3\u30fc.mp4",
        "back\\slash.mp4",
        "50% _x.mp4",
        "a\tb.mp4",
    ]
    keys = {"title": "", "start_sec": 0.0, "end_sec": 1.0, "embedding_option": "visual", "embedding_scope": "clip"}
    documents = [Document(name, metadata={"source": name, "segment_id": name, **keys}) for name in names]
    store = case.make(DeterministicFakeEmbedding(size=512), tmp_path)
    store.add_documents(documents, ids=[str(uuid.uuid4()) for _ in documents])
    for name in names:
        found = store.similarity_search("a", k=9, **{**case.search, **segment_filter(store, source=name)})
        assert [document.metadata["source"] for document in found] == [name]
    several = segment_filter(store, source=names[:3])
    assert len(store.similarity_search("a", k=9, **{**case.search, **several})) == 3
