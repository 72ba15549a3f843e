"""`sync_videos`: keep an index in step with a folder of videos."""

import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import BaseNode

from llama_index_twelvelabs.contents import delete_stored, place_of, stored_segments, with_all_parts
from llama_index_twelvelabs.ingestion import IndexTarget
from llama_index_twelvelabs.nodes import to_node
from llama_index_twelvelabs.readers import ExtraInfo
from llama_index_twelvelabs.segmenter import TwelveLabsVideoSegmenter
from llama_index_twelvelabs.vector_stores import check_keys, delete_nodes, insert_nodes, is_a
from twelvelabs_core import ConfigurationError, IngestionPlan, InputError, Media, MediaInput, OnError, SyncReport
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


def sync_videos(
    index: VectorStoreIndex,
    sources: MediaInput | Iterable[MediaInput],
    *,
    prefix: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    allow_empty: bool = False,
    max_removed_share: float = 1.0,
    on_error: OnError = "skip",
    extra_info: ExtraInfo = None,
    **options: Any,
) -> SyncReport:
    """Bring an index to the state of a folder of videos: what is new, changed, renamed or removed.

    Each video is stored as soon as its vectors are available, its new segments before its old ones are deleted; only
    then are the segments of removed videos deleted. The segments of a video that fails stay as they are. A run
    that was ended at any point is completed by the next one, which pays for nothing twice. Videos are named by their
    absolute paths, whatever the working directory is. The vector store itself says what it holds. Where an index also
    keeps nodes in its document store, as with `SimpleVectorStore`, a segment that is missing there is written again.

    Args:
        index: A `VectorStoreIndex` with a `TwelveLabsEmbedding`, on a vector store that `list_sources` can list and
            that can delete: not FAISS.
        sources: A folder, with all folders below it; a pattern such as `videos/**/*.mp4`; or an iterable of videos, as
            for `ingest_videos`. In a folder, files with the ending of a video count, hidden ones do not.
        prefix: For an iterable: what the names of the videos begin with of which it is all that exists; others are
            never removed. A `Path` stands for a folder. Default: nothing is removed. Of a folder or pattern, what is
            below its own folder and does not exist any more is removed.
        dry_run: Whether only the report is made: nothing is paid for, written or deleted.
        allow_empty: Whether all videos may be removed that the index has of the folder, pattern or prefix. Default
            False: an empty folder may be one that is not mounted.
        max_removed_share: The largest share of these that may be removed, such as 0.2. Default 1.0.
        on_error: `skip` (default) logs a warning that lists the videos that failed, `raise` raises an error at the end.
            A function is called with each `twelvelabs_core.Failure` instead. The report has them, too.
        extra_info: Metadata for all nodes that are written; a key that segments use gets the prefix `extra_`.
        **options: Options of `TwelveLabsVideoSegmenter` but `embed_model`, such as `segmentation`, `embedding_option`,
            `max_tasks`.

    Returns:
        A `twelvelabs_core.SyncReport`: `added`, `changed`, `renamed`, `removed`, `unchanged`, `failures`; with
        `dry_run` also `plan`, and in `refused` why the run itself would be refused.

    Raises:
        InputError: More would be removed than is allowed, the folder cannot be read, an option cannot be used, or the
            vector store has segments of another space; nothing was paid for, written or deleted.
        ConfigurationError: The index cannot store videos, or its vector store can neither be listed nor delete.
        IngestionError: At the end, with `on_error="raise"`, if some of several videos failed.
        TypeError: There is no option of this name.

    Example:
        ```python
        report = sync_videos(index, "videos", max_removed_share=0.2)
        print(report)  # 2 added, 1 changed, 0 renamed, 0 removed, 240 unchanged, 0 failed
        ```
    """
    rules = SyncRules(allow_empty=allow_empty, max_removed_share=max_removed_share, dry_run=dry_run)
    return finish(
        _sync(_Videos(BLOCKING, index, options, extra_info, dry_run=dry_run), sources, prefix, rules, on_error)
    )


async def async_videos(
    index: VectorStoreIndex,
    sources: MediaInput | Iterable[MediaInput],
    *,
    prefix: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    allow_empty: bool = False,
    max_removed_share: float = 1.0,
    on_error: OnError = "skip",
    extra_info: ExtraInfo = None,
    **options: Any,
) -> SyncReport:
    """Bring an index to the state of a folder of videos; the async variant of `sync_videos`."""
    rules = SyncRules(allow_empty=allow_empty, max_removed_share=max_removed_share, dry_run=dry_run)
    videos = _Videos(AWAITING, index, options, extra_info, dry_run=dry_run)
    return await _sync(videos, sources, prefix, rules, on_error)


class _Videos:
    """The segments of videos in an index."""

    def __init__(
        self, mode: Mode, index: VectorStoreIndex, options: dict[str, Any], extra_info: ExtraInfo, *, dry_run: bool
    ) -> None:
        if not isinstance(index, VectorStoreIndex):
            raise InputError(f"index must be a VectorStoreIndex, got {type(index).__name__}.")
        if is_a(index.vector_store, "FaissVectorStore"):
            raise ConfigurationError(
                "FAISS cannot be kept in step: its LlamaIndex store does not delete. Use another vector store, or "
                "ingest_videos for videos that never change."
            )
        check_options(
            "async_videos" if mode.is_async else "sync_videos", options, TwelveLabsVideoSegmenter, ("embed_model",)
        )
        self.mode = mode
        self.segmenter = IndexTarget(index, None).segmenter
        if options:
            self.segmenter = TwelveLabsVideoSegmenter(embed_model=self.segmenter.embed_model, **options)
        self.budget = self.segmenter.budget(None, None, None)
        if dry_run:
            self.segmenter = self.segmenter.model_copy(update=DRY_RUN)
        self._index = index
        self._extra_info = extra_info
        self._stored: set[str] = set()

    async def stored(self) -> list[StoredSegment]:
        """Return the segments in the vector store."""
        await self.mode.blocking(lambda: check_keys(self._index.vector_store))
        found = await stored_segments(self.mode, place_of(self._index))
        self._stored = {segment.id for segment in found}
        return await with_all_parts(self.mode, self._index, found)

    async def plan(self, media: Sequence[MediaInput]) -> IngestionPlan:
        """Return what embedding the videos would pay for."""
        return await self.mode.call(self.segmenter, "plan", media)  # type: ignore[no-any-return]

    async def segmented(
        self, media: Sequence[MediaInput], report: FailureReport
    ) -> AsyncGenerator[tuple[str, list[BaseNode]]]:
        """Yield the nodes of each video when its vectors are available."""
        named = {item.source: item for item in media if isinstance(item, Media)}
        async with aclosing(self.segmenter.each_medium(self.mode, media, {"on_error": report.note})) as found:
            async for source, records in found:
                document = await self.segmenter.document(self.mode, named[source], self._extra_info)
                yield source, [to_node(record, document) for record in records]

    async def add(self, segments: Sequence[BaseNode]) -> None:
        """Insert nodes, in place of those with the same ids."""
        await insert_nodes(self.mode, self._index, segments, self._stored)

    async def delete(self, segments: Sequence[StoredSegment]) -> None:
        """Delete some segments of a video."""
        await delete_nodes(self.mode, self._index, [segment.id for segment in segments])

    async def remove(self, segments: Sequence[StoredSegment]) -> None:
        """Delete all segments of a video."""
        await delete_stored(self.mode, place_of(self._index), segments)


async def _sync(
    videos: _Videos,
    sources: MediaInput | Iterable[MediaInput],
    prefix: str | os.PathLike[str] | None,
    rules: SyncRules,
    on_error: OnError,
) -> SyncReport:
    segmenter = videos.segmenter
    wanted = await videos.mode.blocking(lambda: media_set(sources, prefix=prefix, input_types=segmenter.input_types))
    client = await client_of(videos.mode, segmenter.embed_model)
    return await synchronize(videos, client, wanted, rules, on_error)
