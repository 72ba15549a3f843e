"""LlamaIndex vector stores in files, for processes that are killed."""

import shutil
import uuid
from pathlib import Path
from typing import Any

import chromadb
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.vector_stores.chroma import ChromaVectorStore
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

from llama_index_twelvelabs import TwelveLabsEmbedding, sync_videos
from llama_index_twelvelabs.contents import place_of, stored_segments
from llama_index_twelvelabs.sync import _Videos
from tests.llama_index.stores import DIMENSION
from tests.sync_folder import OPTIONS
from tests.sync_process import Held, Opened, Place
from twelvelabs_core.integration import BLOCKING, finish


def opened(place: Place) -> Opened:
    """Open an index on the vector store of a name, from its files if there are any."""
    model = TwelveLabsEmbedding(
        api_key=place.api_key, base_url=place.base_url, segment_store=place.path / "segments.sqlite3"
    )
    path = place.path / "store"
    is_saved = place.store == "Simple"
    if is_saved and path.exists():
        index: Any = load_index_from_storage(
            StorageContext.from_defaults(persist_dir=str(path.resolve())), embed_model=model
        )
    else:
        context = StorageContext.from_defaults(vector_store=None if is_saved else _OPENERS[place.store](path))
        index = VectorStoreIndex([], storage_context=context, embed_model=model)

    def sync(folder: Path) -> Any:
        report = sync_videos(index, folder, **OPTIONS)
        if is_saved:
            _save(index, path)
        return report

    def held() -> Held:
        found: Held = {}
        for segment in finish(stored_segments(BLOCKING, place_of(index))):
            found.setdefault(segment.source, []).append(segment.id)
        return found

    return Opened(sync, held, writer=None if is_saved else _Videos)


def _save(index: Any, path: Path) -> None:
    """Save to a new folder, to which a link points then, so that a kill leaves either of the two."""
    draft, link, old = path.with_name(str(uuid.uuid4())), path.with_name(str(uuid.uuid4())), path.resolve()
    index.storage_context.persist(str(draft))
    link.symlink_to(draft)
    link.replace(path)
    if old != path:
        shutil.rmtree(old)


def _qdrant(path: Path) -> Any:
    return QdrantVectorStore("moments", client=QdrantClient(path=str(path)))


def _chroma(path: Path) -> Any:
    client = chromadb.PersistentClient(str(path))
    collection = client.get_or_create_collection("moments", configuration={"hnsw": {"space": "cosine"}})
    return ChromaVectorStore(chroma_collection=collection)


def _lancedb(path: Path) -> Any:
    from llama_index.vector_stores.lancedb import LanceDBVectorStore  # noqa: PLC0415  # starts a thread

    return LanceDBVectorStore(uri=str(path), table_name="moments")


def _milvus(path: Path) -> Any:
    from llama_index.vector_stores.milvus import MilvusVectorStore  # noqa: PLC0415  # slow to import

    return MilvusVectorStore(
        uri=str(path.with_suffix(".db")),
        dim=DIMENSION,
        similarity_metric="COSINE",
        index_config={"index_type": "FLAT"},
    )


_OPENERS = {"Qdrant": _qdrant, "Chroma": _chroma, "LanceDB": _lancedb, "Milvus Lite": _milvus}
