"""The tested vector stores: how to create, filter and count each, and the effect of a plain repeated add.

Each is imported where it is created: the imports take seconds, which every worker of a parallel run would spend.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

Repeat = Literal["safe", "doubles", "corrupts", "loses the others"]


@dataclass(frozen=True)
class StoreCase:
    """A vector store and its properties.

    Attributes:
        name: Product name.
        make: Creates an empty store that ranks by cosine.
        count: Returns the number of documents in the store.
        not_before: Returns the search arguments for `start_sec` >= a time.
        search: Arguments that every search needs to rank by cosine.
        bare_repeat: Effect of `store.add_documents` with documents that are already stored.
        extra_keys: Metadata keys that the store adds.
    """

    name: str
    make: Callable[[Embeddings, Path], VectorStore]
    count: Callable[[Any], int]
    not_before: Callable[[float], dict[str, Any]]
    search: dict[str, Any] = field(default_factory=dict)
    bare_repeat: Repeat = "safe"
    extra_keys: frozenset[str] = frozenset()


def make_memory(embeddings: Embeddings, _: Path) -> VectorStore:
    return InMemoryVectorStore(embeddings)


def memory_not_before(seconds: float) -> dict[str, Any]:
    def late(document: Document) -> bool:
        return bool(document.metadata["start_sec"] >= seconds)

    return {"filter": late}


def make_chroma(embeddings: Embeddings, folder: Path) -> VectorStore:
    from langchain_chroma import Chroma

    return Chroma(
        collection_name="moments",
        embedding_function=embeddings,
        persist_directory=str(folder / f"chroma-{uuid.uuid4()}"),
        collection_configuration={"hnsw": {"space": "cosine"}},
    )


def make_qdrant(embeddings: Embeddings, _: Path) -> VectorStore:
    from langchain_qdrant import QdrantVectorStore
    from qdrant_client import QdrantClient
    from qdrant_client.models import Distance, VectorParams

    client = QdrantClient(":memory:")
    client.create_collection("moments", vectors_config=VectorParams(size=512, distance=Distance.COSINE))
    # Without the last argument the store embeds a text through the API to determine the dimension.
    return QdrantVectorStore(client, "moments", embeddings, validate_collection_config=False)


def qdrant_not_before(seconds: float) -> dict[str, Any]:
    from qdrant_client.models import FieldCondition, Filter, Range

    return {"filter": Filter(must=[FieldCondition(key="metadata.start_sec", range=Range(gte=seconds))])}


def make_faiss(embeddings: Embeddings, _: Path) -> VectorStore:
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore
    from langchain_community.vectorstores import FAISS

    return FAISS(embeddings, faiss.IndexFlatL2(512), InMemoryDocstore(), {}, normalize_L2=True)


def make_lancedb(embeddings: Embeddings, folder: Path) -> VectorStore:
    import lancedb
    from langchain_community.vectorstores import LanceDB

    connection = lancedb.connect(str(folder / f"lance-{uuid.uuid4()}"))
    return LanceDB(connection=connection, embedding=embeddings, table_name="moments", mode="append")


def make_milvus(embeddings: Embeddings, folder: Path) -> VectorStore:
    from langchain_milvus import Milvus

    store = Milvus(
        embeddings,
        collection_name="moments",
        connection_args={"uri": str(folder / f"m{uuid.uuid4().hex[:8]}.db")},
        index_params={"index_type": "FLAT", "metric_type": "COSINE"},
    )
    join(store)
    return store


def join(store: Any) -> None:
    """Register the connection where langchain-milvus 0.3 expects it, since pymilvus from 2.6.10 no longer does.

    Users need langchain-milvus from 0.4, which fixes this (langchain-ai/langchain-milvus#130), but requires a pymilvus
    that LlamaIndex's Milvus store does not support.
    """
    if version("langchain-milvus").startswith("0.3."):
        from pymilvus import connections  # type: ignore[import-untyped]  # it has no types

        connections._alias_handlers.setdefault(store.alias, store.client._get_connection())


def count_milvus(store: Any) -> int:
    rows = store.client.query(store.collection_name, filter="start_sec >= 0.0", output_fields=["pk"])
    return len(rows)


CASES = (
    StoreCase("InMemory", make_memory, lambda store: len(store.store), memory_not_before),
    StoreCase(
        "Chroma",
        make_chroma,
        lambda store: len(store.get(include=[])["ids"]),
        lambda seconds: {"filter": {"start_sec": {"$gte": seconds}}},
    ),
    StoreCase(
        "Qdrant",
        make_qdrant,
        lambda store: store.client.count(store.collection_name).count,
        qdrant_not_before,
        extra_keys=frozenset({"_id", "_collection_name"}),
    ),
    StoreCase(
        "FAISS",
        make_faiss,
        lambda store: store.index.ntotal,
        lambda seconds: {"filter": {"start_sec": {"$gte": seconds}}, "fetch_k": 10_000},
        bare_repeat="corrupts",
    ),
    StoreCase(
        "LanceDB",
        make_lancedb,
        lambda store: store.get_table().count_rows(),
        lambda seconds: {"filter": f"metadata.start_sec >= {seconds}", "prefilter": True},
        search={"metrics": "cosine"},
        bare_repeat="doubles",
    ),
    StoreCase(
        "Milvus Lite",
        make_milvus,
        count_milvus,
        lambda seconds: {"expr": f"start_sec >= {seconds}"},
        bare_repeat="doubles",
        extra_keys=frozenset({"pk"}),
    ),
)
