"""LangChain vector stores in files, for processes that are killed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faiss
from langchain_chroma import Chroma
from langchain_community.docstore.in_memory import InMemoryDocstore
from langchain_community.vectorstores import FAISS
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_qdrant import QdrantVectorStore
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, VectorParams

from langchain_twelvelabs import TwelveLabsEmbeddings, sync_videos
from langchain_twelvelabs.contents import stored_segments
from langchain_twelvelabs.sync import _Videos
from tests.sync_folder import OPTIONS
from tests.sync_process import Held, Opened, Place
from tests.vector_stores.stores import join
from twelvelabs_core.integration import BLOCKING, finish


def opened(place: Place) -> Opened:
    """Open the vector store of a name, from its files if there are any."""
    embeddings = _connected(place)
    path = place.path / "store"
    return _synchronized(_OPENERS[place.store](path, embeddings), embeddings, path, _SAVERS.get(place.store))


def opened_new(place: Place) -> Opened:
    """Open a second collection in Chroma, for another model."""
    embeddings = _connected(place, model="marengo3.5")
    path = place.path / "store"
    return _synchronized(open_chroma(path, embeddings, "new"), embeddings, path, None)


def _connected(place: Place, **options: Any) -> TwelveLabsEmbeddings:
    segments = place.path / "segments.sqlite3"
    return TwelveLabsEmbeddings(api_key=place.api_key, base_url=place.base_url, segment_store=segments, **options)


def _synchronized(
    store: Any, embeddings: TwelveLabsEmbeddings, path: Path, save: Callable[[Any, Path], None] | None
) -> Opened:
    def sync(folder: Path) -> Any:
        report = sync_videos(store, folder, embeddings=embeddings, **OPTIONS)
        if save is not None:
            save(store, path)
        return report

    def held() -> Held:
        found: Held = {}
        for segment in finish(stored_segments(BLOCKING, store)):
            found.setdefault(segment.source, []).append(segment.segment_id)
        return found

    return Opened(sync, held, writer=None if save is not None else _Videos)


def _memory(path: Path, embeddings: TwelveLabsEmbeddings) -> Any:
    return InMemoryVectorStore.load(str(path), embeddings) if path.exists() else InMemoryVectorStore(embeddings)


def _save_memory(store: Any, path: Path) -> None:
    store.dump(str(path) + ".part")
    Path(str(path) + ".part").replace(path)


def _faiss(path: Path, embeddings: TwelveLabsEmbeddings) -> Any:
    if path.exists():
        return FAISS.load_local(str(path), embeddings, allow_dangerous_deserialization=True, normalize_L2=True)
    return FAISS(embeddings, faiss.IndexFlatL2(512), InMemoryDocstore(), {}, normalize_L2=True)


def _save_faiss(store: Any, path: Path) -> None:
    """Save to a new folder, to which a link points then, so that a kill leaves either of the two."""
    draft = path.with_name(f"faiss-{os.getpid()}")
    store.save_local(str(draft))
    link = path.with_name(f"link-{os.getpid()}")
    link.symlink_to(draft)
    old = path.resolve()
    link.replace(path)
    if old != path:
        shutil.rmtree(old, ignore_errors=True)


def open_chroma(path: Path, embeddings: TwelveLabsEmbeddings, name: str = "moments") -> Any:
    """Open a collection of Chroma."""
    return Chroma(name, embeddings, str(path), collection_configuration={"hnsw": {"space": "cosine"}})


def _qdrant(path: Path, embeddings: TwelveLabsEmbeddings) -> Any:
    client = QdrantClient(path=str(path))
    if not client.collection_exists("moments"):
        client.create_collection("moments", vectors_config=VectorParams(size=512, distance=Distance.COSINE))
    return QdrantVectorStore(client, "moments", embeddings, validate_collection_config=False)


def _lancedb(path: Path, embeddings: TwelveLabsEmbeddings) -> Any:
    import lancedb
    from langchain_community.vectorstores import LanceDB

    return LanceDB(connection=lancedb.connect(str(path)), embedding=embeddings, table_name="moments", mode="append")


def _milvus(path: Path, embeddings: TwelveLabsEmbeddings) -> Any:
    from langchain_milvus import Milvus
    from pymilvus import MilvusClient

    make = MilvusClient.__init__

    def make_and_join(client: Any, *args: Any, **kwargs: Any) -> None:
        make(client, *args, **kwargs)
        join(SimpleNamespace(alias=client._using, client=client))

    MilvusClient.__init__ = make_and_join  # the store opens its collection before it could be joined
    return Milvus(
        embeddings,
        collection_name="moments",
        connection_args={"uri": str(path.with_suffix(".db"))},
        index_params={"index_type": "FLAT", "metric_type": "COSINE"},
    )


_OPENERS = {
    "InMemory": _memory,
    "Chroma": open_chroma,
    "Qdrant": _qdrant,
    "FAISS": _faiss,
    "LanceDB": _lancedb,
    "Milvus Lite": _milvus,
}
_SAVERS = {"InMemory": _save_memory, "FAISS": _save_faiss}
