"""`sync_videos`: keep a vector store in step with a folder of videos."""

import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.contents import delete_stored, stored_segments
from langchain_twelvelabs.document_loaders import TwelveLabsVideoLoader
from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from langchain_twelvelabs.listing import check_keys
from langchain_twelvelabs.vectorstores import (
    add_documents,
    check_arguments,
    class_names,
    embeddings_of,
    innermost_store,
)
from twelvelabs_core import IngestionPlan, InputError, MediaInput, OnError, SyncReport
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    DRY_RUN,
    FailureReport,
    Mode,
    StoredSegment,
    SyncRules,
    check_options,
    client_of,
    finish,
    media_set,
    synchronize,
)

_OWN = ("media", "embeddings", "source", "on_error")  # options of the loader that `sync_videos` sets itself


def sync_videos(
    store: VectorStore,
    sources: MediaInput | Iterable[MediaInput],
    *,
    embeddings: TwelveLabsEmbeddings,
    prefix: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    allow_empty: bool = False,
    max_removed_share: float = 1.0,
    on_error: OnError = "skip",
    **options: Any,
) -> SyncReport:
    """Bring a vector store to the state of a folder of videos: what is new, changed, renamed or removed.

    Each video is stored as soon as its vectors are available, its new segments before its old ones are deleted; only
    then are the segments of removed videos deleted. The segments of a video that fails stay as they are. A run
    that was ended at any point is completed by the next one, which pays nothing twice. Videos are named by their
    absolute paths, whatever the working directory is.

    Args:
        store: A vector store that `list_sources` can list.
        sources: A folder, with all folders below it; a pattern such as `videos/**/*.mp4`; or an iterable of videos, as
            for `TwelveLabsVideoLoader`. In a folder, files with the ending of a video count, hidden ones do not.
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too.
        prefix: For an iterable: what the names of the videos begin with of which it is all that exists; others are
            never removed. A `Path` stands for a folder. Default: nothing is removed. Of a folder or pattern, what is
            below its own folder and does not exist any more is removed.
        dry_run: Whether only the report is made: nothing is paid for, written or deleted.
        allow_empty: Whether all videos may be removed that the store has of the folder, pattern or prefix. Default
            False: an empty folder may be one that is not mounted.
        max_removed_share: The largest share of these that may be removed, such as 0.2. Default 1.0.
        on_error: `skip` (default) logs a warning that lists the videos that failed, `raise` raises an error at the end.
            A function is called with each `twelvelabs_core.Failure` instead. The report has them, too.
        **options: Options of `TwelveLabsVideoLoader`, such as `segmentation`, `embedding_option`, `max_tasks`.

    Returns:
        A `twelvelabs_core.SyncReport`: `added`, `changed`, `renamed`, `removed`, `unchanged`, `failures`; with
        `dry_run` also `plan`, and in `refused` why the run itself would be refused.

    Raises:
        InputError: More would be removed than is allowed, the folder cannot be read, an option cannot be used, or the
            vector store has segments of another space; nothing was paid for, written or deleted.
        ConfigurationError: The vector store can neither be listed nor asked by id, or has other embeddings.
        IngestionError: At the end, with `on_error="raise"`, if some of several videos failed.
        TypeError: There is no option of this name.

    Example:
        ```python
        report = sync_videos(vector_store, "videos", embeddings=embeddings, max_removed_share=0.2)
        print(report)  # 2 added, 1 changed, 0 renamed, 0 removed, 240 unchanged, 0 failed
        ```
    """
    rules = SyncRules(allow_empty=allow_empty, max_removed_share=max_removed_share, dry_run=dry_run)
    videos = _Videos(BLOCKING, store, embeddings, options, dry_run=dry_run)
    return finish(_sync(videos, sources, prefix, rules, on_error))


async def async_videos(
    store: VectorStore,
    sources: MediaInput | Iterable[MediaInput],
    *,
    embeddings: TwelveLabsEmbeddings,
    prefix: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    allow_empty: bool = False,
    max_removed_share: float = 1.0,
    on_error: OnError = "skip",
    **options: Any,
) -> SyncReport:
    """Bring a vector store to the state of a folder of videos; the async variant of `sync_videos`."""
    rules = SyncRules(allow_empty=allow_empty, max_removed_share=max_removed_share, dry_run=dry_run)
    return await _sync(_Videos(AWAITING, store, embeddings, options, dry_run=dry_run), sources, prefix, rules, on_error)


class _Videos:
    """The segments of videos in a vector store."""

    def __init__(
        self,
        mode: Mode,
        store: VectorStore,
        embeddings: TwelveLabsEmbeddings,
        options: dict[str, Any],
        *,
        dry_run: bool,
    ) -> None:
        check_arguments(store, ())
        check_options("async_videos" if mode.is_async else "sync_videos", options, TwelveLabsVideoLoader, _OWN)
        TwelveLabsVideoLoader((), embeddings=embeddings, **options)  # raises for invalid options
        used = embeddings_of(store)
        if used is not None and used.space != embeddings.space:
            raise InputError(
                f"this {type(store).__name__} embeds queries in the space {used.space}, and embeddings= makes vectors "
                f"of {embeddings.space}: they are not comparable. Pass the embeddings of the store, or another "
                "collection."
            )
        self.mode = mode
        self.embeddings = embeddings
        self.budget = {name: options.get(name) for name in ("max_minutes", "max_cost", "price_per_minute")}
        self._store = store
        self._options = {**options, **DRY_RUN} if dry_run else options

    async def stored(self) -> list[StoredSegment]:
        """Return the segments in the vector store."""
        inner = innermost_store(self._store)
        await self.mode.blocking(lambda: check_keys(inner, class_names(inner)))
        return await stored_segments(self.mode, self._store)

    async def plan(self, media: Sequence[MediaInput]) -> IngestionPlan:
        """Return what loading the videos would pay for."""
        loader = TwelveLabsVideoLoader(media, embeddings=self.embeddings, **self._options)
        return await self.mode.call(loader, "plan")  # type: ignore[no-any-return]

    async def segmented(
        self, media: Sequence[MediaInput], report: FailureReport
    ) -> AsyncGenerator[tuple[str, list[Document]]]:
        """Yield the documents of each video when its vectors are available."""
        options = {**self._options, "on_error": report.note}
        loader = TwelveLabsVideoLoader(media, embeddings=self.embeddings, **options)
        async with aclosing(loader.each_source(self.mode)) as loaded:
            async for source, documents in loaded:
                yield source, documents

    async def add(self, segments: Sequence[Document]) -> None:
        """Add documents, in place of those with the same ids."""
        await add_documents(self.mode, self._store, segments)

    async def delete(self, segments: Sequence[StoredSegment]) -> None:
        """Delete segments."""
        await delete_stored(self.mode, self._store, segments)

    remove = delete


async def _sync(
    videos: _Videos,
    sources: MediaInput | Iterable[MediaInput],
    prefix: str | os.PathLike[str] | None,
    rules: SyncRules,
    on_error: OnError,
) -> SyncReport:
    wanted = await videos.mode.blocking(lambda: media_set(sources, prefix=prefix))
    client = await client_of(videos.mode, videos.embeddings)
    return await synchronize(videos, client, wanted, rules, on_error)
