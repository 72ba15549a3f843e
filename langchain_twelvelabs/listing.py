"""The segments in a vector store, as it lists them by itself: ids and metadata of its documents."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any

from langchain_core.documents import Document

from twelvelabs_core import ConfigurationError
from twelvelabs_core.integration import Mode, StoredSegment, segments_among

PAGE_SIZE = 1_000  # documents of one request to a vector store
KEYS = ("segment_id", "source", "title", "space", "model", "segment_index")
Rows = Iterator[tuple[Any, Any]]


def can_list(names: Collection[str]) -> bool:
    """Return whether a vector store of a class with these names, its own and those of its bases, can be listed."""
    return "PGVector" in names or not _LISTERS.keys().isdisjoint(names)


def check_keys(store: Any, names: Collection[str]) -> None:
    """Refuse a LanceDB table that has no place for the metadata of segments.

    Raises:
        ConfigurationError: Its first document had other metadata.
    """
    table = store.get_table() if "LanceDB" in names else None
    if table is None or "metadata" not in table.schema.names:
        return
    kind = table.schema.field("metadata").type
    if "segment_id" not in [kind.field(number).name for number in range(kind.num_fields)]:
        raise ConfigurationError(
            f"the LanceDB table {table.name!r} has documents without the metadata key segment_id: LanceDB takes the "
            "keys of its first document, and would not store segments. Use another table, or fill a new one with "
            "segments before documents of your own."
        )


async def listed(
    mode: Mode, store: Any, names: Collection[str], sources: Collection[str] | None = None, limit: int | None = None
) -> list[StoredSegment]:
    """Return the segments in a vector store that can be listed.

    Args:
        mode: Blocking or awaiting.
        store: The vector store itself, without wrappers.
        names: The names of its class and of its bases.
        sources: The `source` of the segments. Default: any.
        limit: Maximum number of segments. Default: all.
    """
    if "PGVector" in names:
        return list(segments_among(await _in_pgvector(mode, store, sources, limit), sources))
    list_rows = next(_LISTERS[name] for name in _LISTERS if name in names)
    size = PAGE_SIZE if limit is None else limit
    return await mode.blocking(lambda: list(islice(segments_among(list_rows(store, sources, size), sources), limit)))


async def _in_pgvector(mode: Mode, store: Any, sources: Collection[str] | None, limit: int | None) -> Rows:
    """Return the segments in a collection of PGVector, of langchain-postgres or langchain-community."""
    from sqlalchemy import select  # noqa: PLC0415  # of the store's own package

    table, collections = store.EmbeddingStore, store.CollectionStore
    own = select(collections.uuid).where(collections.name == store.collection_name).scalar_subquery()
    id_column = getattr(table, "custom_id", None) or table.id
    query = select(id_column, *(table.cmetadata[key].as_string() for key in KEYS)).where(table.collection_id == own)
    query = query.where(table.cmetadata["segment_id"].as_string() != "").limit(limit)
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
    return iter([(id_, dict(zip(KEYS, values, strict=True))) for id_, *values in rows])


def _in_memory(store: Any, _: Collection[str] | None, __: int) -> Rows:
    for id_, entry in list(store.store.items()):
        yield id_, entry["metadata"]


def _in_faiss(store: Any, _: Collection[str] | None, __: int) -> Rows:
    for id_ in list(store.index_to_docstore_id.values()):
        document = store.docstore.search(id_)
        if isinstance(document, Document):  # else a text which says that there is none
            yield id_, document.metadata


def _in_chroma(store: Any, sources: Collection[str] | None, size: int) -> Rows:
    where: dict[str, Any] = {"segment_index": {"$gte": 0}} if sources is None else {"source": {"$in": list(sources)}}
    offset = 0
    while True:
        page = store.get(where=where, limit=size, offset=offset, include=["metadatas"])
        yield from zip(page["ids"], page["metadatas"], strict=True)
        if len(page["ids"]) < size:
            return
        offset += size


def _in_qdrant(store: Any, sources: Collection[str] | None, size: int) -> Rows:
    from qdrant_client import models  # noqa: PLC0415  # of the store's own package

    key = store.metadata_payload_key
    if sources is None:
        condition = models.FieldCondition(key=f"{key}.segment_index", range=models.Range(gte=0))
    else:
        condition = models.FieldCondition(key=f"{key}.source", match=models.MatchAny(any=list(sources)))
    wanted = models.Filter(must=[condition])
    offset = None
    while True:
        points, offset = store.client.scroll(
            store.collection_name, wanted, size, offset=offset, with_payload=[key], with_vectors=False
        )
        yield from ((point.id, (point.payload or {}).get(key)) for point in points)
        if offset is None:
            return


def _in_lancedb(store: Any, _: Collection[str] | None, size: int) -> Rows:
    table = store.get_table()
    if table is None or "metadata" not in table.schema.names:
        return
    # Neither a filter nor a part of the metadata: LanceDB fails on both after a document with fewer keys was added.
    for batch in table.search().select([store._id_key, "metadata"]).to_batches(size):  # noqa: SLF001  # no public name
        yield from ((row[store._id_key], row["metadata"]) for row in batch.to_pylist())  # noqa: SLF001  # the same


def _in_milvus(store: Any, sources: Collection[str] | None, size: int) -> Rows:
    client, name = store.client, store.collection_name
    if not client.has_collection(name):
        return
    collection = client.describe_collection(name)
    fields = {field["name"] for field in collection["fields"]}
    keys = [key for key in KEYS if key in fields or collection.get("enable_dynamic_field")]
    if not {"segment_id", "source", "segment_index"} <= set(keys):
        return
    pk = store._primary_field  # noqa: SLF001  # it has no public name
    wanted = "segment_index >= 0" if sources is None else f"source in {json.dumps(list(sources), ensure_ascii=False)}"
    options = {"output_fields": [pk, *keys], "consistency_level": "Strong"}
    pages = client.query_iterator(name, batch_size=size, filter=wanted, **options)
    try:
        while page := pages.next():
            yield from ((row[pk], row) for row in page)
    finally:
        pages.close()


_LISTERS: Mapping[str, Callable[[Any, Collection[str] | None, int], Rows]] = {
    "Chroma": _in_chroma,
    "FAISS": _in_faiss,
    "InMemoryVectorStore": _in_memory,
    "LanceDB": _in_lancedb,
    "Milvus": _in_milvus,
    "QdrantVectorStore": _in_qdrant,
}


def sql_text(text: str) -> str:
    """Return a text as it is in a filter of LanceDB."""
    return "'" + text.replace("'", "''") + "'"
