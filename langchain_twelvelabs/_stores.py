"""How documents with fixed ids get into each vector store so that doing it again leaves no second copy. Sends nothing.

A plan is a generator of calls on the store; whoever runs it decides whether they block or are awaited, so that the
sync and async functions are the same plan.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from twelvelabs_core import ConfigurationError, InputError

# Stores that were seen to replace a document when its id comes again.
UPSERTING = frozenset({"InMemoryVectorStore", "Chroma", "QdrantVectorStore", "PGVectorStore"})


@dataclass(frozen=True, slots=True)
class StoreCall:
    """One method to be called on an object: under its name, or as its async twin with an `a` before the name."""

    target: Any
    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


Plan = Generator[StoreCall, Any, None]


def plan_batch(store: VectorStore, documents: Sequence[Document], ids: Sequence[str]) -> Plan:
    """Return the calls that put documents into a store, in place of any that have the same ids.

    Raises:
        ConfigurationError: The store can neither replace nor delete by id, or embeds with something else.
        InputError: The store did not take all documents.
    """
    check_embeddings(store)
    names = {cls.__name__ for cls in type(store).__mro__}
    if "Milvus" in names:
        return plan_milvus(store, documents, ids)
    if "LanceDB" in names:
        return plan_lancedb(store, documents, ids)
    if "PGVector" in names:
        return plan_pgvector(store, documents, ids)
    if names & UPSERTING:
        return plan_upsert(store, documents, ids)
    return plan_delete_first(store, documents, ids)


def plan_upsert(store: VectorStore, documents: Sequence[Document], ids: Sequence[str]) -> Plan:
    """Add: the store replaces by itself."""
    yield adding(store, documents, ids)


def plan_delete_first(store: VectorStore, documents: Sequence[Document], ids: Sequence[str]) -> Plan:
    """Delete what is there under these ids, then add: for FAISS, and for stores that nobody has tried here."""
    if not overrides(store, "delete"):
        raise ConfigurationError(
            f"{type(store).__name__} can neither replace nor delete documents by id, so adding segments again would "
            "leave each of them twice. Use another vector store, or store.add_documents(...) exactly once."
        )
    there = list(ids)
    if overrides(store, "get_by_ids"):
        found = yield StoreCall(store, "get_by_ids", (list(ids),))
        there = [document.id for document in found if document.id] if all(doc.id for doc in found) else there
    yield from plan_replacement(store, documents, ids, there)


def plan_lancedb(store: Any, documents: Sequence[Document], ids: Sequence[str]) -> Plan:
    """Delete, then add: a LanceDB table in append mode keeps both, in its default mode it loses everything else."""
    if store.mode != "append":
        raise ConfigurationError(
            f"this LanceDB store has mode={store.mode!r} (its default), which replaces the whole table at each call of "
            'add_documents. Make it with LanceDB(..., mode="append").'
        )
    has_table = store.get_table() is not None
    yield from plan_replacement(store, documents, ids, list(ids) if has_table else [])


def plan_milvus(store: Any, documents: Sequence[Document], ids: Sequence[str]) -> Plan:
    """Upsert: Milvus ignores `Document.id`, and a server keeps both of two inserts; upsert needs a collection."""
    is_there = store.client.has_collection(store.collection_name)
    # A collection that begins with a bare add_documents makes ids of its own, whatever the store is told later.
    if store.auto_id or (is_there and store.client.describe_collection(store.collection_name)["auto_id"]):
        raise ConfigurationError(
            f"the Milvus collection {store.collection_name!r} makes ids of its own (auto_id), so adding segments again "
            "would leave each of them twice. Use a new collection, with auto_id=False (the default) and add_segments."
        )
    if is_there:
        yield StoreCall(store, "upsert", (), {"ids": list(ids), "documents": list(documents)})
    else:
        yield adding(store, documents, ids)


def plan_pgvector(store: VectorStore, documents: Sequence[Document], ids: Sequence[str]) -> Plan:
    """Add, and look: PGVector's ids are shared by all collections, and a document stays in the first that had it."""
    yield adding(store, documents, ids)
    found = yield StoreCall(store, "get_by_ids", (list(ids),))
    if len(found) < len(ids):
        raise InputError(
            f"{len(ids) - len(found)} of {len(ids)} segments stayed in another collection of this PGVector database, "
            "because its ids are shared by all collections. Load them with id_namespace=<name of the collection>."
        )


def plan_replacement(store: VectorStore, documents: Sequence[Document], ids: Sequence[str], old: Sequence[str]) -> Plan:
    """Delete the old ids, then add; but first make sure that the adding cannot fail for want of a vector."""
    if old:
        if store.embeddings is not None:
            texts = [document.page_content for document in documents]
            yield StoreCall(store.embeddings, "embed_documents", (texts,))
        if (yield StoreCall(store, "delete", (list(old),))) is False:
            raise ConfigurationError(f"{type(store).__name__} could not delete documents by id; nothing was added.")
    yield adding(store, documents, ids)


def adding(store: VectorStore, documents: Sequence[Document], ids: Sequence[str]) -> StoreCall:
    """Return the call that adds; with the ids beside the documents, because some stores do not look into these."""
    return StoreCall(store, "add_documents", (list(documents),), {"ids": list(ids)})


def check_embeddings(store: VectorStore) -> None:
    """Refuse a store whose embeddings would take the reference line of a segment for text to embed.

    Raises:
        ConfigurationError: They are neither ours nor a wrapper (such as a cache) around ours.
    """
    used: Any = store.embeddings
    if used is None:  # the store does not tell
        return
    for one in used if isinstance(used, list) else [used]:
        if any(isinstance(part, TwelveLabsEmbeddings) for part in (one, *getattr(one, "__dict__", {}).values())):
            return
    raise ConfigurationError(
        f"this {type(store).__name__} embeds with {type(used).__name__}, which cannot find the vectors of segments. "
        "Make it with the TwelveLabsEmbeddings of the loader, in a collection of its own."
    )


def overrides(store: VectorStore, method: str) -> bool:
    """Return whether a store has its own version of a method, blocking or async."""
    return any(getattr(type(store), name) is not getattr(VectorStore, name) for name in (method, f"a{method}"))
