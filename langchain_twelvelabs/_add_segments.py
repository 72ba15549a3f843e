"""`add_segments`: segment documents into any vector store, safely more than once."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs._documents import segment_id_of
from langchain_twelvelabs._stores import StoreCall, plan_batch
from twelvelabs_core import InputError, parse_reference

BATCH_SIZE = 256  # 512 floats are 16 kB as Python objects: a batch is 4 MB, and below every store's own limit


def add_segments(store: VectorStore, documents: Iterable[Document], *, batch_size: int = BATCH_SIZE) -> list[str]:
    """Put the documents of segments into a vector store, each once however often it is called.

    `store.add_documents` alone is not safe to repeat everywhere: FAISS ends corrupted, Milvus and LanceDB keep
    documents twice, LanceDB in its default mode loses all others, some stores refuse an empty list or an id twice.

    Args:
        store: Any vector store whose embeddings are the loader's `TwelveLabsEmbeddings`.
        documents: Documents of `TwelveLabsVideoLoader` or its kin; `loader.lazy_load()` is taken
            piece by piece.
        batch_size: How many documents go into the store at a time. Default 256.

    Returns:
        The ids of the documents in the store, each once, in their order.

    Raises:
        InputError: A document is not that of a segment, or the store did not take all.
        ConfigurationError: The store, as it is set up, would lose documents or keep them twice.

    Example:
        ```python
        add_segments(vector_store, loader.lazy_load())
        ```
    """
    check_arguments(store, documents, batch_size)
    if not isinstance(documents, Iterable):
        raise InputError("documents are asynchronous; use aadd_segments.")
    added: dict[str, None] = {}
    for batch in batches(documents, batch_size):
        fresh = not_yet(added, batch)
        if fresh:
            run(store, fresh)
            added |= dict.fromkeys(fresh)
    return list(added)


async def aadd_segments(
    store: VectorStore,
    documents: Iterable[Document] | AsyncIterable[Document],
    *,
    batch_size: int = BATCH_SIZE,
) -> list[str]:
    """Put the documents of segments into a vector store; the async twin of `add_segments`.

    Args:
        store: As for `add_segments`.
        documents: As for `add_segments`; `loader.alazy_load()` is taken piece by piece.
        batch_size: As for `add_segments`.

    Returns:
        As for `add_segments`.

    Raises:
        InputError: As for `add_segments`.
        ConfigurationError: As for `add_segments`.
    """
    check_arguments(store, documents, batch_size)
    added: dict[str, None] = {}
    async for batch in abatches(documents, batch_size):
        fresh = not_yet(added, batch)
        if fresh:
            await arun(store, fresh)
            added |= dict.fromkeys(fresh)
    return list(added)


def not_yet(added: dict[str, None], batch: Iterable[Document]) -> dict[str, Document]:
    """Return the documents by id, without those added before: several stores fail when an id comes twice.

    Raises:
        InputError: One of them is not a segment's.
    """
    fresh: dict[str, Document] = {}
    for document in batch:
        if not isinstance(document, Document):
            raise InputError(f"documents must be LangChain documents, got {type(document).__name__}.")
        if parse_reference(document.page_content) is None:
            raise InputError(
                f"the document {document.page_content[:80]!r} is not that of a segment; add_segments takes what "
                "TwelveLabsVideoLoader and its kin return, store.add_documents takes everything else."
            )
        identity = segment_id_of(document)
        if identity not in added:
            fresh.setdefault(identity, document)
    return fresh


def run(store: VectorStore, documents: dict[str, Document]) -> None:
    """Carry out the plan for one batch."""
    plan = plan_batch(store, list(documents.values()), list(documents))
    answer: Any = None
    try:
        while True:
            call = plan.send(answer)
            answer = getattr(call.target, call.method)(*call.args, **call.kwargs)
    except StopIteration:
        return


async def arun(store: VectorStore, documents: dict[str, Document]) -> None:
    """Carry out the plan for one batch; the async twin of `run`."""
    plan = plan_batch(store, list(documents.values()), list(documents))
    answer: Any = None
    try:
        while True:
            call: StoreCall = plan.send(answer)
            answer = await getattr(call.target, f"a{call.method}")(*call.args, **call.kwargs)
    except StopIteration:
        return


def batches(documents: Iterable[Document], size: int) -> Iterator[list[Document]]:
    """Yield the documents in lists of at most `size`; when their source fails, first what it gave, then its error."""
    pending: list[Document] = []
    try:
        for document in documents:
            pending.append(document)
            if len(pending) == size:
                yield pending
                pending = []
    except Exception:
        # A loader reports its bad films at the end; the good ones' last documents are paid for.
        if pending:
            yield pending
        raise
    if pending:
        yield pending


async def abatches(documents: Iterable[Document] | AsyncIterable[Document], size: int) -> AsyncIterator[list[Document]]:
    """Yield the documents in lists of at most `size`; the async twin of `batches`."""
    if not isinstance(documents, AsyncIterable):
        for batch in batches(documents, size):
            yield batch
        return
    pending: list[Document] = []
    try:
        async for document in documents:
            pending.append(document)
            if len(pending) == size:
                yield pending
                pending = []
    except Exception:
        if pending:
            yield pending
        raise
    if pending:
        yield pending


def check_arguments(store: object, documents: object, batch_size: object) -> None:
    """Refuse what is no store, no documents or no size.

    Raises:
        InputError: One of them; a slip such as passing the loader itself gets advice.
    """
    if not isinstance(store, VectorStore):
        raise InputError(f"store must be a LangChain VectorStore, got {type(store).__name__}.")
    if isinstance(documents, BaseLoader):
        raise InputError("documents is a loader; pass loader.lazy_load(), or loader.alazy_load() to aadd_segments.")
    if isinstance(documents, Document) or not isinstance(documents, Iterable | AsyncIterable):
        raise InputError(f"documents must be a list of documents, got {type(documents).__name__}.")
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f"batch_size must be a whole number, 1 or more, got {batch_size!r}.")
