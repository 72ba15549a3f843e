"""`list_sources` and `delete_segments`: which segments a vector store contains, and how to remove them."""

from collections.abc import Collection, Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.filters import Source
from langchain_twelvelabs.listing import PAGE_SIZE, can_list, listed
from langchain_twelvelabs.vectorstores import class_names, client_of_store, delete_by_id, innermost_store, overrides
from twelvelabs_core import ConfigurationError, InputError
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, StoredSegment, finish, segments_among, segments_named


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
    if can_list(names):
        return await listed(mode, inner, names, sources)
    if overrides(store, "get_by_ids"):
        return await _asked_by_id(mode, store, sources)
    raise ConfigurationError(
        f"{type(store).__name__} can neither be listed nor asked for documents by id. Use its own client, with the "
        "metadata key source; client.store.list_sources() returns what was ever loaded with this segment store."
    )


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
        return [StoredSegment.of(name, {"segment_id": name, "source": where}) for name, where in known.items()]

    return await delete_stored(mode, store, await segments_named(mode, client, source, find))


def _check_store(store: object) -> None:
    if not isinstance(store, VectorStore):
        raise InputError(f"store must be a LangChain VectorStore, got {type(store).__name__}.")


def _can_be_asked(store: VectorStore) -> bool:
    return can_list(class_names(innermost_store(store))) or overrides(store, "get_by_ids")


async def _known_ids(mode: Mode, client: Any, sources: Collection[str] | None) -> dict[str, str]:
    """Return the source of each segment id that the segment store knows."""
    found: dict[str, str] = await mode.blocking(lambda: client.store.find_segment_ids(sources))
    return found


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
        rows = ((document.id or document.metadata.get("segment_id"), document.metadata) for document in documents)
        found += segments_among(rows, None)
    return found
