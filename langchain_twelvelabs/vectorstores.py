"""`add_segments`: add the documents of segments to any vector store, safely more than once."""

import logging
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from types import MemberDescriptorType, ModuleType
from typing import Any

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.document_loaders import AsyncLoadedDocuments, LoadedDocuments
from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from langchain_twelvelabs.listing import can_list, check_keys, listed
from twelvelabs_core import ConfigurationError, InputError, parse_reference
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, SpaceCheck, check_count, client_of, finish

logger = logging.getLogger("langchain_twelvelabs")

BATCH_SIZE = 256  # 512 floats are 16 kB as Python objects: a batch is 4 MB, and below every store's own limit
_PROBE_SIZE = 10
_WRAPPERS_MAX = 3  # wrappers around a store or its embeddings
# Stores that were observed to replace a document when its id is added again.
UPSERTING = frozenset({"InMemoryVectorStore", "Chroma", "QdrantVectorStore", "PGVectorStore"})


def add_segments(store: VectorStore, documents: Iterable[Document], *, batch_size: int = BATCH_SIZE) -> list[str]:
    """Add the documents of segments to a vector store, without duplicates when it is called again.

    `store.add_documents` alone is not safe to repeat on every store: FAISS is corrupted, Milvus and LanceDB duplicate
    documents, LanceDB in its default mode deletes all others, and some stores refuse an empty list or a repeated id.

    Args:
        store: Any vector store whose embeddings are the loader's `TwelveLabsEmbeddings`.
        documents: Documents of this package's loaders; `loader.lazy_load()` is read batch by batch, and its space is
            known before it is read. Of another iterator the first document shows it, when its task is paid for.
        batch_size: Number of documents per call of the store. Default 256.

    Returns:
        The ids of the documents in the store, each once, in the order of `documents`.

    Raises:
        InputError: A document is not the document of a segment, its vector is of another space than the store's
            embeddings, or the store did not accept all documents.
        ConfigurationError: The store, as configured, would lose or duplicate documents.

    Example:
        ```python
        add_segments(vector_store, loader.lazy_load())
        ```
    """
    check_arguments(store, documents)
    if not isinstance(documents, Iterable):
        raise InputError("documents are asynchronous; use aadd_segments.")
    return finish(_add(BLOCKING, store, documents, check_count("batch_size", batch_size)))


async def aadd_segments(
    store: VectorStore,
    documents: Iterable[Document] | AsyncIterable[Document],
    *,
    batch_size: int = BATCH_SIZE,
) -> list[str]:
    """Add the documents of segments to a vector store; the async variant of `add_segments`.

    Args:
        store: As for `add_segments`.
        documents: As for `add_segments`; `loader.alazy_load()` is read batch by batch.
        batch_size: As for `add_segments`.

    Returns:
        As for `add_segments`.

    Raises:
        InputError: As for `add_segments`.
        ConfigurationError: As for `add_segments`.
    """
    check_arguments(store, documents)
    return await _add(AWAITING, store, documents, check_count("batch_size", batch_size))


def segment_id_of(document: Document) -> str:
    """Return the id of the segment of a document; a vector store may have it under another id, or return none.

    Raises:
        InputError: The document has none.
    """
    segment_id = document.metadata.get("segment_id") or document.id
    if not segment_id:
        raise InputError(
            f"the document {document.page_content[:80]!r} has neither an id nor a segment_id; pass the documents of "
            "this package's loaders unchanged."
        )
    return str(segment_id)


async def _add(
    mode: Mode, store: VectorStore, documents: Iterable[Document] | AsyncIterable[Document], batch_size: int
) -> list[str]:
    space = documents.space if isinstance(documents, LoadedDocuments | AsyncLoadedDocuments) else None
    check_space = await check_collection(mode, store, space)
    added: dict[str, None] = {}
    async with aclosing(_batches(mode, documents, batch_size, check_space)) as batches:
        async for batch in batches:
            fresh = _without_known(added, batch)
            if fresh:
                await _add_batch(mode, store, list(fresh.values()), list(fresh))
                added |= dict.fromkeys(fresh)
    return list(added)


async def add_documents(mode: Mode, store: VectorStore, documents: Sequence[Document]) -> None:
    """Add the documents of segments, each with another id, in place of those with the same ids."""
    for start in range(0, len(documents), BATCH_SIZE):
        batch = documents[start : start + BATCH_SIZE]
        await _add_batch(mode, store, list(batch), [segment_id_of(document) for document in batch])


async def _batches(
    mode: Mode, documents: Iterable[Document] | AsyncIterable[Document], size: int, check_space: SpaceCheck | None
) -> AsyncGenerator[list[Document]]:
    """Yield the documents in lists of at most `size`; if their source fails, yield earlier ones before its error.

    Each is checked at once, so that of a generator that is paid for as it is read little is read in vain.

    Raises:
        InputError: A document is not the document of a segment, or its vector is of another space; its list is lost.
    """
    pending: list[Document] = []
    try:
        async with aclosing(mode.each(documents)) as items:
            async for document in items:
                try:
                    _check_document(document, check_space)
                except InputError:
                    pending.clear()
                    raise
                pending.append(document)
                if len(pending) == size:
                    yield pending
                    pending = []
    except Exception:
        # A loader raises for failed videos at the end; the last documents of the others are already paid for.
        if pending:
            yield pending
        raise
    if pending:
        yield pending


def _check_document(document: object, check_space: SpaceCheck | None) -> None:
    if not isinstance(document, Document):
        raise InputError(f"documents must be LangChain documents, got {type(document).__name__}.")
    if parse_reference(document.page_content) is None:
        raise InputError(
            f"the document {document.page_content[:80]!r} is not the document of a segment; add_segments accepts "
            "what this package's loaders return, store.add_documents accepts everything else."
        )
    segment_id_of(document)
    if check_space is not None:
        check_space([document.metadata])


def _without_known(added: dict[str, None], batch: Iterable[Document]) -> dict[str, Document]:
    """Return the documents by id, without those already added, since several stores fail on a repeated id."""
    fresh: dict[str, Document] = {}
    for document in batch:
        segment_id = segment_id_of(document)
        if segment_id not in added:
            fresh.setdefault(segment_id, document)
    return fresh


async def check_collection(mode: Mode, store: VectorStore, space: str | None = None) -> SpaceCheck | None:
    """Refuse a store with segments or embeddings of another space; return the check for more segments.

    Args:
        mode: Blocking or awaiting.
        store: The vector store.
        space: The space of the segments to add. Default: that of the store's embeddings; None for a store that shows no
            embeddings, which is then not checked.

    Raises:
        InputError: A segment in the store, or the store's embeddings, are of another space.
        ConfigurationError: The store has other embeddings, or no place for the metadata of segments.
    """
    inner = innermost_store(store)
    await mode.blocking(lambda: check_keys(inner, class_names(inner)))
    embeddings = embeddings_of(store)
    used = space if embeddings is None else embeddings.space
    if used is None:
        return None
    if space not in (None, used):
        raise InputError(
            f"this {type(store).__name__} embeds queries in the space {used}, and the loader makes vectors of {space}: "
            "they are not comparable. Give the loader the embeddings of the store, or use another collection."
        )
    check = SpaceCheck(used)
    check(await some_segments(mode, store, check.dimension))
    return check


async def some_segments(mode: Mode, store: VectorStore, dimension: int) -> list[Mapping[str, Any]]:
    """Return the metadata of a few segments in a store; none where it cannot be asked."""
    inner = innermost_store(store)
    names = class_names(inner)
    try:
        if can_list(names):
            return [segment._asdict() for segment in await listed(mode, inner, names, limit=_PROBE_SIZE)]
        vector = [dimension**-0.5] * dimension
        found: list[Document] = await mode.call(store, "similarity_search_by_vector", vector, k=_PROBE_SIZE)
    except Exception as error:  # noqa: BLE001  # whatever a store raises that is empty, or cannot be searched by vector
        logger.debug("%s cannot be searched for segments: %s", type(store).__name__, type(error).__name__)
        return []
    return [document.metadata for document in found if "segment_id" in document.metadata]


async def _add_batch(mode: Mode, store: Any, documents: list[Document], ids: list[str]) -> None:
    """Add documents to a store, replacing those with the same ids, as this kind of store requires.

    Raises:
        ConfigurationError: The store can neither replace nor delete by id.
        InputError: The store did not accept all documents.
    """
    inner = innermost_store(store)
    names = class_names(inner)
    # These kinds are added to without their wrappers, whose methods may not reach what is special to them.
    if "Milvus" in names and hasattr(inner, "client"):
        await _add_to_milvus(mode, inner, documents, ids)
    elif "LanceDB" in names:
        await _add_to_lancedb(mode, inner, documents, ids)
    elif "PGVector" in names:
        await _add_to_pgvector(mode, inner, documents, ids)
    elif names & UPSERTING:
        # The ids are passed beside the documents, because some stores ignore `Document.id`.
        await mode.call(store, "add_documents", documents, ids=ids)
    else:
        await _delete_and_add(mode, store, documents, ids)


async def _delete_and_add(mode: Mode, store: VectorStore, documents: list[Document], ids: list[str]) -> None:
    """Delete the documents with these ids, then add: for FAISS, and for stores that were not tested."""
    if not overrides(store, "delete"):
        raise ConfigurationError(
            f"{type(store).__name__} can neither replace nor delete documents by id, so adding segments again would "
            "duplicate them. Use another vector store, or store.add_documents(...) exactly once."
        )
    old = ids
    with suppress(NotImplementedError):
        found = await mode.call(store, "get_by_ids", ids)
        if all(document.id for document in found):
            old = [document.id for document in found]
    await _replace(mode, store, documents, ids, old)


async def _add_to_lancedb(mode: Mode, store: Any, documents: list[Document], ids: list[str]) -> None:
    """Delete, then add: append mode of LanceDB keeps duplicates, and its default mode deletes all other documents."""
    if store.mode != "append":
        raise ConfigurationError(
            f"this LanceDB store has mode={store.mode!r} (its default), which replaces the whole table at each call of "
            'add_documents. Create it with LanceDB(..., mode="append").'
        )
    await _replace(mode, store, documents, ids, ids if store.get_table() is not None else [])


async def _add_to_milvus(mode: Mode, store: Any, documents: list[Document], ids: list[str]) -> None:
    """Upsert, since Milvus ignores `Document.id` and a server keeps duplicates; upsert needs a collection."""
    exists = store.client.has_collection(store.collection_name)
    # A collection created by add_documents without ids assigns ids itself, whatever the store is given later.
    if store.auto_id or (exists and store.client.describe_collection(store.collection_name)["auto_id"]):
        raise ConfigurationError(
            f"the Milvus collection {store.collection_name!r} assigns ids itself (auto_id), so adding segments again "
            "would duplicate them. Use a new collection, with auto_id=False (the default) and add_segments."
        )
    if exists:
        await mode.call(store, "upsert", ids=ids, documents=documents)
    else:
        await mode.call(store, "add_documents", documents, ids=ids)


async def _add_to_pgvector(mode: Mode, store: VectorStore, documents: list[Document], ids: list[str]) -> None:
    """Add, then verify: PGVector's ids are shared by all collections, and a document stays in the first one.

    That of langchain-community keeps each document again, and cannot be asked by id.
    """
    if not overrides(store, "get_by_ids"):
        await _replace(mode, store, documents, ids, ids, collection_only=True)
        return
    await mode.call(store, "add_documents", documents, ids=ids)
    found = await mode.call(store, "get_by_ids", ids)
    if len(found) < len(ids):
        raise InputError(
            f"{len(ids) - len(found)} of {len(ids)} segments stayed in another collection of this PGVector database, "
            "because its ids are shared by all collections. Load them with id_namespace=<name of the collection>."
        )


async def _replace(
    mode: Mode, store: VectorStore, documents: list[Document], ids: list[str], old: Sequence[str], **options: Any
) -> None:
    """Delete the old ids, then add; before deleting, verify that all vectors are available."""
    if old:
        if store.embeddings is not None:
            await mode.call(store.embeddings, "embed_documents", [document.page_content for document in documents])
        await delete_by_id(mode, store, list(old), **options)
    await mode.call(store, "add_documents", documents, ids=ids)


async def delete_by_id(mode: Mode, store: VectorStore, ids: list[str], **options: Any) -> None:
    """Delete documents by id.

    Raises:
        ConfigurationError: The store says that it could not.
    """
    if await mode.call(store, "delete", ids, **options) is False:
        raise ConfigurationError(f"{type(store).__name__} could not delete documents by id.")


def embeddings_of(store: VectorStore) -> TwelveLabsEmbeddings | None:
    """Return the `TwelveLabsEmbeddings` of a store, also inside wrappers such as a cache; None if it shows none.

    Raises:
        ConfigurationError: The store has other embeddings, which would embed a segment's reference line as text.
    """
    used: Any = store.embeddings
    if used is None:
        return None
    for one in used if isinstance(used, list) else [used]:
        found = next((value for value in wrapped(one) if isinstance(value, TwelveLabsEmbeddings)), None)
        if found is not None:
            return found
    raise ConfigurationError(
        f"this {type(store).__name__} embeds with {type(used).__name__}, which cannot find the vectors of segments. "
        "Create it with the TwelveLabsEmbeddings of the loader, in a separate collection."
    )


async def client_of_store(mode: Mode, store: VectorStore) -> Any:
    """Return the client of a store's embeddings; None where it has none, or those of another package."""
    with suppress(ConfigurationError):
        embeddings = embeddings_of(store)
        return None if embeddings is None else await client_of(mode, embeddings)
    return None


def innermost_store(store: VectorStore) -> VectorStore:
    """Return the vector store inside of wrappers that have one each, or the store itself."""
    for _ in range(_WRAPPERS_MAX):
        inner = [value for value in _attributes(store) if isinstance(value, VectorStore)]
        if len(inner) != 1:
            break
        (store,) = inner
    return store


def class_names(store: VectorStore) -> set[str]:
    """Return the names of the classes of a store, whose package may not be installed."""
    return {cls.__name__ for cls in type(store).__mro__}


def wrapped(value: object) -> Iterator[object]:
    """Yield an object, those in its attributes, and those in theirs, `_WRAPPERS_MAX` deep; the nearest first."""
    level = [value]
    for _ in range(_WRAPPERS_MAX + 1):
        yield from level
        level = [inner for one in level for inner in _attributes(one)]


def _attributes(value: object) -> Iterator[object]:
    """Yield the values in an object's dict and slots; of properties and other descriptors none is called."""
    if isinstance(value, type | ModuleType):
        return
    yield from getattr(value, "__dict__", {}).values()
    for cls in type(value).__mro__:
        for slot in cls.__dict__.values():
            if isinstance(slot, MemberDescriptorType):
                with suppress(AttributeError):  # it has no value
                    yield slot.__get__(value)


def overrides(store: VectorStore, method: str) -> bool:
    """Return whether a store implements a method itself, blocking or async."""
    return any(getattr(type(store), name) is not getattr(VectorStore, name) for name in (method, f"a{method}"))


def check_arguments(store: object, documents: object) -> None:
    """Check the store and the documents of `add_segments`.

    Raises:
        InputError: One has the wrong type; for a mistake such as passing the loader itself the message has advice.
    """
    if not isinstance(store, VectorStore):
        raise InputError(f"store must be a LangChain VectorStore, got {type(store).__name__}.")
    if isinstance(documents, BaseLoader):
        raise InputError("documents is a loader; pass loader.lazy_load(), or loader.alazy_load() to aadd_segments.")
    if isinstance(documents, Document) or not isinstance(documents, Iterable | AsyncIterable):
        raise InputError(f"documents must be a list of documents, got {type(documents).__name__}.")
