"""Videos into an index or a pipeline, each paid for once; `ingest_videos` goes video by video."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import BaseNode

from llama_index_twelvelabs._modes import AWAITING, BLOCKING, Mode, finish
from llama_index_twelvelabs._nodes import VideoDocument, inherited, keep_segment_ids, media_of, to_node
from llama_index_twelvelabs._replace import areplace_video, replace_video
from llama_index_twelvelabs._segmenter import TwelveLabsVideoSegmenter
from llama_index_twelvelabs._segmenting import each_film
from llama_index_twelvelabs._targets import Target, target_of
from twelvelabs_core import (
    Failure,
    IngestionError,
    InputError,
    Media,
    MediaInput,
    OnError,
    SegmentRecord,
    TwelveLabsError,
)
from twelvelabs_core.ingest.report import FailureReport
from twelvelabs_core.media.source import check_unique, is_one

__all__ = [
    "IngestionReport",
    "TwelveLabsVideoSegmenter",
    "aingest_videos",
    "areplace_video",
    "ingest_videos",
    "keep_segment_ids",
    "replace_video",
]

Sources = MediaInput | BaseNode | Iterable[MediaInput | BaseNode]
"""Videos as media, or as the documents of `TwelveLabsVideoReader.load_data(..., segment=False)`."""


@dataclass(frozen=True, slots=True)
class IngestionReport:
    """What `ingest_videos` did.

    Attributes:
        stored: The names of the videos whose nodes were written, new or in place of old ones.
        unchanged: The names of the videos that were there already; nothing was sent or written for them.
        failures: A `twelvelabs_core.Failure` for each video that was skipped, with `on_error="skip"`.

    Example:
        ```python
        report = ingest_videos(index, ["match.mp4", "interview.mp4"])
        print(len(report.stored), "new or changed,", len(report.unchanged), "unchanged")
        ```
    """

    stored: tuple[str, ...]
    unchanged: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


def ingest_videos(
    index_or_pipeline: VectorStoreIndex | IngestionPipeline,
    sources: Sources,
    *,
    segmenter: TwelveLabsVideoSegmenter | None = None,
    on_error: OnError = "raise",
    show_progress: bool = False,
) -> IngestionReport:
    """Put videos into an index or a pipeline's vector store, each as soon as its vectors are there.

    A video that has not changed since the last time, content and options, is skipped: the document store of the index
    or pipeline knows, so keep it with the vector store (without it, all videos are written anew, which costs nothing).
    The old segments of a changed video are replaced only when the new ones have arrived. One bad video does not stop
    the others: it keeps what it had in the store, is reported at the end, and is tried again the next time. Other
    documents are left alone, also under `docstore_strategy="upserts_and_delete"`.

    Args:
        index_or_pipeline: A `VectorStoreIndex` with a `TwelveLabsEmbedding`, or an `IngestionPipeline` with a
            `TwelveLabsVideoSegmenter` among its transformations and a vector store.
        sources: Any number of videos (or what the segmenter's `input_type` says): paths, URLs, bytes, binary file
            objects, `asset:<id>`, or documents of `TwelveLabsVideoReader.load_data(..., segment=False)`, whose metadata
            the segments get too.
        segmenter: How to segment, for an index. Default: `TwelveLabsVideoSegmenter()` with the index's embedding.
        on_error: What is done at the end when some failed: `raise` (default) an error that lists them, or `skip` them:
            they are in the report, and a warning is in the log. A function is called with each `Failure` instead.
        show_progress: Whether to write progress to stderr.

    Returns:
        An `IngestionReport`.

    Raises:
        ConfigurationError: The index or the pipeline is not made for videos; nothing was sent.
        InputError: Two videos have the same name, or a document is no video; nothing was sent.
        TwelveLabsError: The only video failed, or what would meet every video: the key is refused.
        IngestionError: Some of several videos failed: each with its reason and task id.

    Example:
        ```python
        index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding())
        ingest_videos(index, ["match.mp4", "https://example.com/interview.mp4"])
        ```
    """
    target = target_of(index_or_pipeline, segmenter)
    return finish(_ingest(BLOCKING, target, sources, FailureReport(on_error), show_progress=show_progress))


async def aingest_videos(
    index_or_pipeline: VectorStoreIndex | IngestionPipeline,
    sources: Sources,
    *,
    segmenter: TwelveLabsVideoSegmenter | None = None,
    on_error: OnError = "raise",
    show_progress: bool = False,
) -> IngestionReport:
    """Put videos into an index or a pipeline's vector store; the async twin of `ingest_videos`."""
    target = target_of(index_or_pipeline, segmenter)
    return await _ingest(AWAITING, target, sources, FailureReport(on_error), show_progress=show_progress)


async def _ingest(
    mode: Mode, target: Target, sources: Sources, report: FailureReport, *, show_progress: bool
) -> IngestionReport:
    wanted = await mode.blocking(lambda: as_videos(sources, target.segmenter.kinds))
    check_unique([media.source for media, _ in wanted])
    unchanged: list[str] = []
    changed: dict[str, tuple[Media, VideoDocument]] = {}
    for media, given in wanted:
        try:
            document = await document_of(mode, target.segmenter, media, given)
        except InputError as error:
            report.add(media, error)
            continue
        if await target.hash_of(mode, document.node_id) == document.hash:
            unchanged.append(media.source)
        else:
            changed[media.source] = (media, document)
    stored = []
    async with aclosing(
        _films(mode, target.segmenter, [media for media, _ in changed.values()], report, show_progress=show_progress)
    ) as films:
        async for source, records in films:
            _, document = changed[source]
            await target.put(mode, document, [to_node(record, document) for record in records])
            stored.append(source)
    report.succeeded += [*unchanged, *stored]
    report.close()
    return IngestionReport(tuple(stored), tuple(unchanged), tuple(report.failures))


async def _films(
    mode: Mode,
    segmenter: TwelveLabsVideoSegmenter,
    media: Sequence[Media],
    report: FailureReport,
    *,
    show_progress: bool,
) -> AsyncGenerator[tuple[str, list[SegmentRecord]]]:
    """Yield the good ones as they come; note the failures of the others."""
    if not media:
        return
    films = each_film(
        mode,
        segmenter.embed_model,
        media,
        segmenter.options(),
        id_namespace=segmenter.id_namespace,
        show_progress=show_progress or segmenter.show_progress,
    )
    async with aclosing(films):
        while True:
            # Only what the media raise is a failure of theirs; what the caller's stores raise goes through.
            try:
                film = await anext(films)
            except StopAsyncIteration:
                return
            except IngestionError as error:
                for failure in error.failures:
                    report.note(failure)
                return
            except TwelveLabsError as error:
                if len(media) > 1:
                    raise  # of no single one: a wrong key, a segment store that cannot be used
                report.add(media[0], error)
                return
            yield film


def as_videos(sources: Sources, kinds: Sequence[str]) -> list[tuple[Media, BaseNode | None]]:
    """Return each video as a medium, with the document that it came as.

    Raises:
        InputError: A document that is no video, or nothing that media can come from.
    """
    alone = is_one(sources) or isinstance(sources, BaseNode)
    items = [cast("MediaInput", sources)] if alone else list(cast("Iterable[MediaInput | BaseNode]", sources))
    return [(_medium(item, kinds), item if isinstance(item, BaseNode) else None) for item in items]


def _medium(item: MediaInput | BaseNode, kinds: Sequence[str]) -> Media:
    if not isinstance(item, BaseNode):
        return Media.of(item)
    media = media_of(item, kinds)
    if media is None:
        raise InputError(
            f"the document {item.node_id} is no {' or '.join(kinds)}: none was read into it. Insert other documents "
            "with index.insert or pipeline.run."
        )
    return media


async def document_of(
    mode: Mode, segmenter: TwelveLabsVideoSegmenter, media: Media, given: BaseNode | None
) -> VideoDocument:
    """Return the document of a video, with the id and the additional metadata of the one that was given."""
    if given is None:
        return await segmenter.document(mode, media)
    document = await segmenter.document(mode, media, inherited(given))
    document.id_ = given.node_id
    document.excluded_llm_metadata_keys = given.excluded_llm_metadata_keys
    return document
