"""`list_sources` and `delete_segments`: which segments an index or vector store contains, and how to remove them."""

import json
import logging
import os
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.storage.docstore.types import BaseDocumentStore
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters
from llama_index.core.vector_stores.types import BasePydanticVectorStore

from llama_index_twelvelabs.segmenter import TwelveLabsVideoSegmenter
from llama_index_twelvelabs.vector_stores import (
    check_keys,
    delete_from_store,
    has_collection,
    is_a,
    keeps_nodes,
    replace_in_index,
    search_nodes,
)
from twelvelabs_core import ConfigurationError, InputError
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    EmbeddingFields,
    Mode,
    SpaceCheck,
    StoredSegment,
    client_of,
    finish,
    segments_among,
    segments_named,
)

logger = logging.getLogger("llama_index_twelvelabs")

PAGE_SIZE = 1_000  # nodes of one request to a vector store
PROBE_SIZE = 10
KEYS = ("segment_id", "source", "title", "space", "ref_doc_id", "model", "segment_index")
NO_DOCUMENT = ("", "None")  # the second is what LlamaIndex writes
Holder = VectorStoreIndex | IngestionPipeline | BasePydanticVectorStore
Source = str | os.PathLike[str]
Rows = Iterable[tuple[Any, Any]]


def list_sources(index_or_store: Holder) -> list[str]:
    """Return the `source` of each file whose segments an index or a vector store contains, sorted.

    Args:
        index_or_store: A `VectorStoreIndex`, an `IngestionPipeline` with a vector store, or a vector store.

    Raises:
        ConfigurationError: The vector store cannot be asked for its nodes.

    Example:
        ```python
        for source in list_sources(index):
            print(source)
        ```
    """
    return finish(_list(BLOCKING, index_or_store))


async def alist_sources(index_or_store: Holder) -> list[str]:
    """Return the `source` of each file whose segments are stored; the async variant of `list_sources`."""
    return await _list(AWAITING, index_or_store)


def delete_segments(index_or_store: Holder, *, source: Source | Sequence[Source]) -> int:
    """Delete all segments of one or several files; nothing is deleted that is paid for.

    Other nodes stay. The document store of an index or pipeline forgets the file as well, so that `ingest_videos`
    stores it again. The vectors stay in the segment store, so that this costs nothing.

    Args:
        index_or_store: As for `list_sources`.
        source: The `source` of a file, its title, or a title with folders as results show it; or a list of these. For
            a vector store alone, the `source`.

    Returns:
        The number of segments that were deleted; 0 where there are none of the file.

    Raises:
        InputError: Several files that are stored have this title; nothing was deleted.
        ConfigurationError: The vector store cannot delete.

    Example:
        ```python
        delete_segments(index, source="match.mp4")
        ```
    """
    return finish(_delete(BLOCKING, index_or_store, source))


async def adelete_segments(index_or_store: Holder, *, source: Source | Sequence[Source]) -> int:
    """Delete all segments of one or several files; the async variant of `delete_segments`."""
    return await _delete(AWAITING, index_or_store, source)


@dataclass(frozen=True, slots=True)
class Place:
    """Where nodes are: a vector store, with what belongs to it in an index or a pipeline."""

    store: BasePydanticVectorStore
    docstore: BaseDocumentStore | None = None
    index: VectorStoreIndex | None = None
    embed_model: EmbeddingFields | None = None


def place_of(index_or_store: Holder) -> Place:
    """Return where the nodes of an index, a pipeline or a vector store are.

    Raises:
        InputError: It is something else.
        ConfigurationError: The pipeline has no vector store.
    """
    if isinstance(index_or_store, VectorStoreIndex):
        model: Any = index_or_store._embed_model  # noqa: SLF001  # LlamaIndex's own retrievers use it too
        ours = model if isinstance(model, EmbeddingFields) else None
        return Place(index_or_store.vector_store, index_or_store.docstore, index_or_store, ours)
    if isinstance(index_or_store, IngestionPipeline):
        if index_or_store.vector_store is None:
            raise ConfigurationError("the pipeline has no vector_store.")
        models = [
            step.embed_model if isinstance(step, TwelveLabsVideoSegmenter) else step
            for step in index_or_store.transformations
        ]
        ours = next((model for model in models if isinstance(model, EmbeddingFields)), None)
        return Place(index_or_store.vector_store, index_or_store.docstore, embed_model=ours)
    if isinstance(index_or_store, BasePydanticVectorStore):
        return Place(index_or_store)
    raise InputError(
        "index_or_store must be a VectorStoreIndex, an IngestionPipeline or a vector store, got "
        f"{type(index_or_store).__name__}."
    )


async def stored_segments(
    mode: Mode, place: Place, sources: Collection[str] | None = None, limit: int | None = None
) -> list[StoredSegment]:
    """Return the segments of some sources that are stored, up to a limit; by default all of all sources.

    Raises:
        ConfigurationError: The vector store cannot be asked for its nodes.
    """
    found: list[StoredSegment] = []
    async with aclosing(_pages(mode, place, sources, limit)) as pages:
        async for page in pages:
            found += islice(segments_among(page, sources), None if limit is None else limit - len(found))
            if len(found) == limit:
                break
    return found


async def with_all_parts(mode: Mode, index: Any, segments: list[StoredSegment]) -> list[StoredSegment]:
    """Return segments in the vector store of an index; without title where another part of it lacks the node as it is.

    LlamaIndex writes to the vector store, the index and the document store one after the other. A segment without its
    title is written again by `synchronize`.
    """
    if not keeps_nodes(index):
        return segments
    listed = set(index.index_struct.nodes_dict.values())
    titles: dict[str, Any] = {}
    for start in range(0, len(segments), PAGE_SIZE):
        ids = [segment.id for segment in segments[start : start + PAGE_SIZE] if segment.id in listed]
        nodes = await mode.call(index.docstore, "get_nodes", ids, raise_error=False)
        titles |= {node.node_id: node.metadata.get("title") for node in nodes}
    return [one if titles.get(one.id) == one.title else one._replace(title="") for one in segments]


async def check_collection(mode: Mode, place: Place, check: SpaceCheck) -> None:
    """Refuse a vector store with segments of another space; it is asked for a few, where it can be.

    Raises:
        InputError: A segment is of another space.
        ConfigurationError: The store has no place for the metadata of segments.
    """
    await mode.blocking(lambda: check_keys(place.store))
    found: list[Mapping[str, Any]] = []
    try:
        if is_a(place.store, *_LISTED) or (place.index is not None and not place.store.stores_text):
            found = [segment._asdict() for segment in await stored_segments(mode, place, None, PROBE_SIZE)]
        else:
            result = await search_nodes(mode, place.store, check.dimension, similarity_top_k=PROBE_SIZE)
            found = [node.metadata for node in result.nodes or () if "segment_id" in node.metadata]
    except Exception as error:  # noqa: BLE001  # whatever a store raises that is empty
        logger.debug("%s cannot be searched for segments: %s", type(place.store).__name__, type(error).__name__)
    check(found)


async def delete_stored(mode: Mode, place: Place, segments: Sequence[StoredSegment]) -> int:
    """Delete segments, all of each file; return how many there were.

    Raises:
        ConfigurationError: The vector store cannot delete.
    """
    loose = [segment.id for segment in segments if segment.ref_doc_id in NO_DOCUMENT]
    if loose:
        await mode.call(place.index or place.store, "delete_nodes", loose)
    for ref_doc_id in dict.fromkeys(segment.ref_doc_id for segment in segments):
        if ref_doc_id in NO_DOCUMENT:
            continue
        if place.index is None:
            await delete_from_store(mode, place.store, ref_doc_id, is_known=True)
        else:
            await replace_in_index(mode, place.index, ref_doc_id, [])
        if place.docstore is not None:  # its hash, by which the file would count as stored
            await mode.call(place.docstore, "delete_document", ref_doc_id, raise_error=False)
    return len(segments)


async def _list(mode: Mode, index_or_store: Holder) -> list[str]:
    return sorted({segment.source for segment in await stored_segments(mode, place_of(index_or_store))})


async def _delete(mode: Mode, index_or_store: Holder, source: Source | Sequence[Source]) -> int:
    place = place_of(index_or_store)
    client = None if place.embed_model is None else await client_of(mode, place.embed_model)

    async def find(sources: tuple[str, ...]) -> list[StoredSegment]:
        return await stored_segments(mode, place, sources)

    return await delete_stored(mode, place, await segments_named(mode, client, source, find))


async def _pages(mode: Mode, place: Place, sources: Collection[str] | None, limit: int | None) -> AsyncGenerator[Rows]:
    """Yield ids and metadata of nodes; of all nodes, or at least of those of the sources, or of the first segments."""
    store: Any = place.store
    size = limit or PAGE_SIZE
    if is_a(store, "SimpleVectorStore"):
        yield store.data.metadata_dict.items()
    elif not store.stores_text and place.index is not None:
        yield await mode.blocking(lambda: list(_in_docstore(place.index, size)))
    elif is_a(store, "QdrantVectorStore"):
        async for page in _in_qdrant(mode, store, sources, size):
            yield page
    elif is_a(store, "PGVectorStore"):
        yield await _in_postgres(mode, store, sources, limit)
    elif is_a(store, *_LISTERS):
        list_rows = next(_LISTERS[name] for name in _LISTERS if is_a(store, name))
        yield await mode.blocking(lambda: list(islice(filter(_is_segment, list_rows(store, sources, size)), limit)))
    else:
        yield await _asked(mode, store, sources)


def _is_segment(row: tuple[Any, Any]) -> bool:
    return bool((row[1] or {}).get("segment_id"))


async def _asked(mode: Mode, store: Any, sources: Collection[str] | None) -> Rows:
    """Return the nodes of a vector store that was not tried, by LlamaIndex's own interface."""
    by_source = MetadataFilter(key="source", value=list(sources or ()), operator=FilterOperator.IN)
    any_segment = MetadataFilter(key="segment_index", value=0, operator=FilterOperator.GTE)
    filters = MetadataFilters(filters=[any_segment if sources is None else by_source])
    try:
        nodes = await mode.call(store, "get_nodes", filters=filters)
    except NotImplementedError:
        raise ConfigurationError(
            f"{type(store).__name__} cannot be asked for its nodes. Pass its index, or use its own client, with the "
            "metadata key source."
        ) from None
    return [(node.node_id, {**node.metadata, "ref_doc_id": node.ref_doc_id}) for node in nodes]


def _in_docstore(index: Any, size: int) -> Iterator[tuple[Any, Any]]:
    """Yield the nodes of an index whose vector store has only vectors, such as FAISS."""
    ids = list(index.index_struct.nodes_dict.values())
    for start in range(0, len(ids), size):
        for node in index.docstore.get_nodes(ids[start : start + size], raise_error=False):
            yield node.node_id, {**node.metadata, "ref_doc_id": node.ref_doc_id}


async def _in_qdrant(mode: Mode, store: Any, sources: Collection[str] | None, size: int) -> AsyncGenerator[Rows]:
    from qdrant_client import models  # noqa: PLC0415  # of the store's own package

    if not await has_collection(mode, store):
        return
    if sources is None:
        condition = models.FieldCondition(key="segment_index", range=models.Range(gte=0))
    else:
        condition = models.FieldCondition(key="source", match=models.MatchAny(any=list(sources)))
    wanted = models.Filter(must=[condition])
    client = store._aclient if mode.is_async else store._client  # noqa: SLF001  # the first has no public name
    offset = None
    while True:
        points, offset = await mode.run(
            client.scroll,
            *(store.collection_name, wanted, size),
            offset=offset,
            with_payload=list(KEYS),
            with_vectors=False,
        )
        yield [(point.id, point.payload) for point in points]
        if offset is None:
            return


def _in_chroma(store: Any, sources: Collection[str] | None, size: int) -> Iterator[tuple[Any, Any]]:
    where: dict[str, Any] = {"segment_index": {"$gte": 0}} if sources is None else {"source": {"$in": list(sources)}}
    offset = 0
    while True:
        page = store.client.get(where=where, limit=size, offset=offset, include=["metadatas"])
        yield from zip(page["ids"], page["metadatas"], strict=True)
        if len(page["ids"]) < size:
            return
        offset += size


def _in_lancedb(store: Any, _: Collection[str] | None, size: int) -> Iterator[tuple[Any, Any]]:
    table = getattr(store, "_table", None)  # its `table` raises while the store is empty
    if table is None:
        return
    # Neither a filter nor a part of the metadata: LanceDB fails on both after a node with fewer keys was added.
    for batch in table.search().select(["id", "metadata"]).to_batches(size):
        yield from ((row["id"], row["metadata"]) for row in batch.to_pylist())


def _in_milvus(store: Any, sources: Collection[str] | None, size: int) -> Iterator[tuple[Any, Any]]:
    wanted = "segment_index >= 0" if sources is None else f"source in {json.dumps(list(sources), ensure_ascii=False)}"
    store.client.load_collection(store.collection_name)  # Milvus Lite has released what another process filled
    pages = store.client.query_iterator(
        store.collection_name,
        batch_size=size,
        filter=wanted,
        output_fields=["id", *KEYS],
        consistency_level="Strong",
    )
    try:
        while page := pages.next():
            yield from ((row["id"], row) for row in page)
    finally:
        pages.close()


async def _in_postgres(mode: Mode, store: Any, sources: Collection[str] | None, limit: int | None) -> Rows:
    from sqlalchemy import select  # noqa: PLC0415  # of the store's own package

    store._initialize()  # noqa: SLF001  # it has no public method for a session
    table = store._table_class  # noqa: SLF001  # the same
    query = select(table.node_id, *(table.metadata_[key].as_string() for key in KEYS)).limit(limit)
    query = query.where(table.metadata_["segment_id"].as_string() != "")
    if sources is not None:
        query = query.where(table.metadata_["source"].as_string().in_(list(sources)))
    if mode.is_async:
        async with store._async_session() as session:  # noqa: SLF001  # the same
            rows = (await session.execute(query)).all()
    else:
        with store._session() as session:  # noqa: SLF001  # the same
            rows = session.execute(query).all()
    return [(node_id, dict(zip(KEYS, values, strict=True))) for node_id, *values in rows]


_LISTERS: Mapping[str, Callable[[Any, Collection[str] | None, int], Iterator[tuple[Any, Any]]]] = {
    "ChromaVectorStore": _in_chroma,
    "LanceDBVectorStore": _in_lancedb,
    "MilvusVectorStore": _in_milvus,
}
_LISTED = ("SimpleVectorStore", "QdrantVectorStore", "PGVectorStore", *_LISTERS)
