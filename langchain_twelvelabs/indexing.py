"""`index_segments`: LangChain's `index` for segments, where some media may fail."""

import json
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Literal

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.indexing import IndexingResult, RecordManager, aindex, index
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.document_loaders import SegmentLoader
from langchain_twelvelabs.vectorstores import check_collection, delete_by_id, segment_id_of
from twelvelabs_core import InputError
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, SpaceCheck, drain, finish

# The root of the keys of records. It never changes: records in users' databases depend on it.
_KEY_NAMESPACE = uuid.UUID("c3f0b1de-60a4-5cf2-9d4c-5b1f0e6a7f21")

Cleanup = Literal["scoped_full", "full"]


def index_segments(
    loader: BaseLoader,
    record_manager: RecordManager,
    vector_store: VectorStore,
    *,
    cleanup: Cleanup = "scoped_full",
) -> IndexingResult:
    """Bring a vector store up to date with the media of a loader: `langchain_core.indexing.index`, safe for failures.

    If media fail, the segments of all others are stored and their old ones deleted; then the error is raised. A failed
    item keeps the segments that it has. `index` itself loses the last batch when the loader raises, and deletes
    nothing. An unchanged item creates no task and writes nothing.

    Args:
        loader: A loader of this package with all segments of its media.
        record_manager: LangChain's record of what is in the vector store.
        vector_store: The vector store; its embeddings are the loader's.
        cleanup: What is deleted: `scoped_full` (default), the old segments of media that were loaded; `full`, also
            those of media that the loader does not have any more.

    Returns:
        The numbers of documents that were added, updated, skipped and deleted.

    Raises:
        TwelveLabsError: The only item failed.
        IngestionError: Some of several media failed; the others are stored.
        InputError: `cleanup` is unknown, or is `full` and the loader is not one of this package, or the vector store
            has segments of another space.

    Example:
        ```python
        index_segments(loader, record_manager, vector_store)
        ```
    """
    return finish(_index(BLOCKING, loader, record_manager, vector_store, cleanup))


async def aindex_segments(
    loader: BaseLoader,
    record_manager: RecordManager,
    vector_store: VectorStore,
    *,
    cleanup: Cleanup = "scoped_full",
) -> IndexingResult:
    """Bring a vector store up to date with the media of a loader; the async variant of `index_segments`."""
    return await _index(AWAITING, loader, record_manager, vector_store, cleanup)


def index_kwargs() -> dict[str, Any]:
    """Return the arguments with which `langchain_core.indexing.index` keeps segments up to date.

    For documents that are loaded already; for a loader, some of whose media may fail, use `index_segments`, or a loader
    with `on_error="skip"`: `index` drops the batch during which a loader raises. Never use `cleanup="incremental"`:
    with more segments of one video than a batch has it deletes and writes some of them again on every run. Nor
    `cleanup="full"` with a loader that skips failed media: it deletes their segments.

    Returns:
        `cleanup`, `source_id_key` and `key_encoder`. The key of a document, by which the vector store has it too, is a
        UUID of its segment, text and metadata.

    Example:
        ```python
        index(documents, record_manager, vector_store, **index_kwargs())
        ```
    """
    return {"cleanup": "scoped_full", "source_id_key": "source", "key_encoder": _key_of}


def _key_of(document: Document) -> str:
    parts = (segment_id_of(document), document.page_content, document.metadata)
    return str(uuid.uuid5(_KEY_NAMESPACE, json.dumps(parts, sort_keys=True, default=str)))


async def _index(
    mode: Mode,
    loader: BaseLoader,
    record_manager: RecordManager,
    vector_store: VectorStore,
    cleanup: Cleanup,
) -> IndexingResult:
    if cleanup not in ("scoped_full", "full"):
        raise InputError(f"cleanup must be 'scoped_full' or 'full', got {cleanup!r}.")
    if cleanup == "full" and not isinstance(loader, SegmentLoader):
        raise InputError(f"cleanup='full' needs a loader of this package, got {type(loader).__name__}.")
    space = loader.embeddings.space if isinstance(loader, SegmentLoader) else None
    check_space = await check_collection(mode, vector_store, space)
    start = await mode.call(record_manager, "get_time")
    errors: list[Exception] = []
    run: Callable[..., Any] = aindex if mode.is_async else index
    async with aclosing(_loaded(mode, loader, errors, check_space)) as loaded:
        documents = loaded if mode.is_async else drain(loaded)
        result: IndexingResult = await mode.run(run, documents, record_manager, vector_store, **index_kwargs())
    if cleanup == "full" and isinstance(loader, SegmentLoader) and loader.sources is not None:
        old = set(await mode.call(record_manager, "list_keys", before=start))
        old -= set(await mode.call(record_manager, "list_keys", group_ids=loader.sources))
        if old:
            await delete_by_id(mode, vector_store, list(old))
            await mode.call(record_manager, "delete_keys", list(old))
            result["num_deleted"] += len(old)
    if errors:
        raise errors[0]
    return result


async def _loaded(
    mode: Mode, loader: BaseLoader, errors: list[Exception], check_space: SpaceCheck | None
) -> AsyncGenerator[Document]:
    """Yield the documents of a loader; its error ends them and is kept, so that those before it are processed."""
    try:
        async with aclosing(mode.each(loader.alazy_load() if mode.is_async else loader.lazy_load())) as documents:
            async for document in documents:
                if check_space is not None and "segment_id" in document.metadata:
                    check_space([document.metadata])
                yield document
    except Exception as error:  # noqa: BLE001  # raised at the end of the run
        errors.append(error)
