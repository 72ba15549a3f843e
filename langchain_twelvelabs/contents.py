"""`list_sources` and `delete_segments`: which segments a vector store contains, and how to remove them."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.filters import Source, sql_text
from langchain_twelvelabs.vectorstores import class_names, client_of_store, delete_by_id, innermost_store, overrides
from twelvelabs_core import ConfigurationError, InputError
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, finish, segments_named

PAGE_SIZE = 1_000  # documents of one request to a vector store
KEYS = ("segment_id", "source", "title", "space")


class StoredSegment(NamedTuple):
    """A segment that a vector store contains.

    Attributes:
        id: The vector store's id of its document: a UUID as a string, or whatever the store assigned.
        segment_id: Its id in the metadata.
        source: The `source` of its file.
        title: The title of its file.
        space: The space of its vector; "" where an earlier version did not write it.

    Example:
        ```python
        found = await stored_segments(BLOCKING, store)
        ```
    """

    id: Any
    segment_id: str
    source: str
    title: str
    space: str


def list_sources(store: VectorStore) -> list[str]:
    """Return the `source` of each file whose segments a vector store contains, sorted.

    Args:
        store: InMemoryVectorStore, Chroma, Qdrant, FAISS, LanceDB, Milvus or PGVector, also inside of wrappers; any
            other store that can be asked by id, for files that the segment store of its embeddings knows.

    Raises:
        ConfigurationError: The store can neither be listed nor asked by id.

    Example:
        ```python
        for source in list_sources(store):
            print(source)
        ```
    """
    return finish(_list(BLOCKING, store))


async def alist_sources(store: VectorStore) -> list[str]:
    """Return the `source` of each file whose segments a vector store contains; the async variant of `list_sources`."""
    return await _list(AWAITING, store)


def delete_segments(store: VectorStore, *, source: Source | Sequence[Source]) -> int:
    """Delete all segments of one or several files from a vector store; nothing is deleted that is paid for.

    Other documents stay, also those with the same `source` that are not of this package. The vectors stay in the
    segment store, so that loading the file again is free.

    Args:
        store: As for `list_sources`. From a store that can neither be listed nor asked by id, the ids that the segment
            store has of the file are deleted.
        source: The `source` of a file, its title, or a title with folders as results show it; or a list of these.

    Returns:
        The number of segments that were deleted; 0 where the store has none of the file.

    Raises:
        InputError: Several files in the store have this title; nothing was deleted.
        ConfigurationError: The store cannot delete by id.

    Example:
        ```python
        delete_segments(store, source="match.mp4")
        ```
    """
    return finish(_delete(BLOCKING, store, source))


async def adelete_segments(store: VectorStore, *, source: Source | Sequence[Source]) -> int:
    """Delete all segments of one or several files from a vector store; the async variant of `delete_segments`."""
    return await _delete(AWAITING, store, source)


async def stored_segments(
    mode: Mode, store: VectorStore, sources: Collection[str] | None = None
) -> list[StoredSegment]:
    """Return the segments of some sources that a vector store contains; of all sources by default.

    Raises:
        ConfigurationError: The store can neither be listed nor asked by id.
    """
    inner: Any = innermost_store(store)
    names = class_names(inner)
    if "PGVector" in names:
        found = await _in_pgvector(mode, inner, sources)
    elif kind := next((name for name in _LISTERS if name in names), None):
        found = await mode.blocking(lambda: list(_segments(_LISTERS[kind](inner, sources), sources)))
    elif overrides(store, "get_by_ids"):
        found = await _asked_by_id(mode, store, sources)
    else:
        raise ConfigurationError(
            f"{type(store).__name__} can neither be listed nor asked for documents by id. Use its own client, with the "
            "metadata key source; client.store.list_sources() returns what was ever loaded with this segment store."
        )
    return list(found)


async def delete_stored(mode: Mode, store: VectorStore, segments: Sequence[StoredSegment]) -> int:
    """Delete segments from a vector store; return how many there were.

    Raises:
        ConfigurationError: The store cannot delete by id.
    """
    inner = innermost_store(store)
    target = store if overrides(store, "delete") else inner
    if segments and not overrides(target, "delete"):
        raise ConfigurationError(
            f"{type(store).__name__} cannot delete documents by id. Use its own client, with the metadata key source; "
            "or fill a new collection, which costs nothing for files that are loaded."
        )
    # Two collections of a database share their ids.
    options = {"collection_only": True} if "PGVector" in class_names(inner) else {}
    ids = list(dict.fromkeys(segment.id for segment in segments))
    for start in range(0, len(ids), PAGE_SIZE):
        await delete_by_id(mode, target, ids[start : start + PAGE_SIZE], **options)
    return len(segments)


async def _list(mode: Mode, store: VectorStore) -> list[str]:
    _check_store(store)
    return sorted({segment.source for segment in await stored_segments(mode, store)})


async def _delete(mode: Mode, store: VectorStore, source: Source | Sequence[Source]) -> int:
    _check_store(store)
    client = await client_of_store(mode, store)

    async def find(sources: tuple[str, ...]) -> list[StoredSegment]:
        if client is None or _can_be_asked(store):
            return await stored_segments(mode, store, sources)
        known = await _known_ids(mode, client, sources)
        return [StoredSegment(segment_id, segment_id, where, "", "") for segment_id, where in known.items()]

    return await delete_stored(mode, store, await segments_named(mode, client, source, find))


def _check_store(store: object) -> None:
    if not isinstance(store, VectorStore):
        raise InputError(f"store must be a LangChain VectorStore, got {type(store).__name__}.")


def _can_be_asked(store: VectorStore) -> bool:
    names = class_names(innermost_store(store))
    return "PGVector" in names or bool(names & _LISTERS.keys()) or overrides(store, "get_by_ids")


async def _known_ids(mode: Mode, client: Any, sources: Collection[str] | None) -> dict[str, str]:
    """Return the source of each segment id that the segment store knows."""
    found: dict[str, str] = await mode.blocking(lambda: client.store.find_segment_ids(sources))
    return found


def _segments(rows: Iterable[tuple[Any, Any]], sources: Collection[str] | None) -> Iterator[StoredSegment]:
    """Yield the segments among documents, each given by id and metadata."""
    for id_, metadata in rows:
        segment_id, source, title, space = (str((metadata or {}).get(key) or "") for key in KEYS)
        if segment_id and (sources is None or source in sources):
            yield StoredSegment(id_, segment_id, source, title, space)


async def _asked_by_id(mode: Mode, store: VectorStore, sources: Collection[str] | None) -> list[StoredSegment]:
    """Return those segments that the segment store knows and the vector store has."""
    client = await client_of_store(mode, store)
    if client is None:
        raise ConfigurationError(
            f"this {type(store).__name__} cannot be listed, and has no TwelveLabsEmbeddings whose segment store knows "
            "its segments. Create it with the embeddings of the loader."
        )
    ids = list(await _known_ids(mode, client, sources))
    found: list[StoredSegment] = []
    for start in range(0, len(ids), PAGE_SIZE):
        documents: list[Document] = await mode.call(store, "get_by_ids", ids[start : start + PAGE_SIZE])
        rows = [(document.id or document.metadata.get("segment_id"), document.metadata) for document in documents]
        found += _segments(rows, sources)
    return found


async def _in_pgvector(mode: Mode, store: Any, sources: Collection[str] | None) -> list[StoredSegment]:
    """Return the segments in a collection of PGVector, of langchain-postgres or langchain-community."""
    from sqlalchemy import select  # noqa: PLC0415  # of the store's own package

    table, collections = store.EmbeddingStore, store.CollectionStore
    own = select(collections.uuid).where(collections.name == store.collection_name).scalar_subquery()
    id_column = getattr(table, "custom_id", None) or table.id
    query = select(id_column, *(table.cmetadata[key].as_string() for key in KEYS)).where(table.collection_id == own)
    if sources is not None:
        query = query.where(table.cmetadata["source"].as_string().in_(list(sources)))
    if mode.is_async and hasattr(store, "_make_async_session"):
        await store.__apost_init__()
        async with store._make_async_session() as session:  # noqa: SLF001  # it has no public method
            rows = (await session.execute(query)).all()
    else:
        make = getattr(store, "_make_sync_session", None) or store._make_session  # noqa: SLF001  # the same

        def fetch() -> list[Any]:
            with make() as session, session:
                return list(session.execute(query).all())

        rows = await mode.blocking(fetch)
    return list(_segments(((id_, dict(zip(KEYS, values, strict=True))) for id_, *values in rows), sources))


def _in_memory(store: Any, _: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    for id_, entry in list(store.store.items()):
        yield id_, entry["metadata"]


def _in_faiss(store: Any, _: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    for id_ in list(store.index_to_docstore_id.values()):
        document = store.docstore.search(id_)
        if isinstance(document, Document):  # else a text which says that there is none
            yield id_, document.metadata


def _in_chroma(store: Any, sources: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    where = None if sources is None else {"source": {"$in": list(sources)}}
    offset = 0
    while True:
        page = store.get(where=where, limit=PAGE_SIZE, offset=offset, include=["metadatas"])
        yield from zip(page["ids"], page["metadatas"], strict=True)
        if len(page["ids"]) < PAGE_SIZE:
            return
        offset += PAGE_SIZE


def _in_qdrant(store: Any, sources: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    from qdrant_client import models  # noqa: PLC0415  # of the store's own package

    key = store.metadata_payload_key
    match = None if sources is None else models.MatchAny(any=list(sources))
    wanted = None if match is None else models.Filter(must=[models.FieldCondition(key=f"{key}.source", match=match)])
    offset = None
    while True:
        points, offset = store.client.scroll(
            store.collection_name, wanted, PAGE_SIZE, offset=offset, with_payload=[key], with_vectors=False
        )
        yield from ((point.id, (point.payload or {}).get(key)) for point in points)
        if offset is None:
            return


def _in_lancedb(store: Any, sources: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    table = store.get_table()
    if table is None or "metadata" not in table.schema.names:
        return
    fields = {field.name for field in table.schema.field("metadata").type}
    columns = {key: f"metadata.{key}" for key in KEYS if key in fields}
    if "segment_id" not in columns or "source" not in columns:
        return
    query = table.search().select({"id": store._id_key, **columns})  # noqa: SLF001  # it has no public name
    if sources is not None:
        query = query.where(f"metadata.source in ({', '.join(map(sql_text, sources))})")
    for row in query.limit(max(table.count_rows(), 1)).to_list():
        yield row["id"], row


def _in_milvus(store: Any, sources: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    client, name = store.client, store.collection_name
    if not client.has_collection(name):
        return
    collection = client.describe_collection(name)
    fields = {field["name"] for field in collection["fields"]}
    keys = [key for key in KEYS if key in fields or collection.get("enable_dynamic_field")]
    if "segment_id" not in keys or "source" not in keys:
        return
    pk = store._primary_field  # noqa: SLF001  # it has no public name
    wanted = "" if sources is None else f"source in {json.dumps(list(sources), ensure_ascii=False)}"
    options = {"output_fields": [pk, *keys], "consistency_level": "Strong"}
    pages = client.query_iterator(name, batch_size=PAGE_SIZE, filter=wanted, **options)
    try:
        while page := pages.next():
            yield from ((row[pk], row) for row in page)
    finally:
        pages.close()


_LISTERS: Mapping[str, Callable[[Any, Collection[str] | None], Iterator[tuple[Any, Any]]]] = {
    "Chroma": _in_chroma,
    "FAISS": _in_faiss,
    "InMemoryVectorStore": _in_memory,
    "LanceDB": _in_lancedb,
    "Milvus": _in_milvus,
    "QdrantVectorStore": _in_qdrant,
}
