"""`ingest_videos`: store videos in an index or a pipeline's vector store, each paid for once."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, cast

from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline, arun_transformations, run_transformations
from llama_index.core.schema import BaseNode, Document
from llama_index.core.storage.docstore.types import BaseDocumentStore
from llama_index.core.vector_stores.types import BasePydanticVectorStore

from llama_index_twelvelabs.contents import Place, check_collection, place_of
from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from llama_index_twelvelabs.nodes import VideoDocument, inherited, media_of, to_node
from llama_index_twelvelabs.segmenter import TwelveLabsVideoSegmenter
from llama_index_twelvelabs.vector_stores import (
    check_node,
    delete_from_store,
    has_nodes,
    replace_in_index,
)
from twelvelabs_core import (
    ConfigurationError,
    Failure,
    IngestionError,
    InputError,
    Media,
    MediaInput,
    OnError,
    SegmentRecord,
    TwelveLabsError,
)
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    FailureReport,
    Mode,
    SpaceCheck,
    check_unique,
    finish,
    is_one,
    with_distinct_titles,
)

Sources = MediaInput | BaseNode | Iterable[MediaInput | BaseNode]
"""Videos as media, or as the documents of `TwelveLabsVideoReader.load_data(..., segment=False)`."""


@dataclass(frozen=True, slots=True)
class IngestionReport:
    """The result of `ingest_videos`.

    Attributes:
        stored: The names of the videos whose nodes were written, new or replaced.
        unchanged: The names of the videos that were already stored; nothing was sent or written for them.
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
    max_minutes: float | None = None,
    max_cost: float | None = None,
    price_per_minute: float | None = None,
    on_error: OnError = "raise",
    show_progress: bool = False,
) -> IngestionReport:
    """Store videos in an index or a pipeline's vector store, each as soon as its vectors are available.

    A video whose content and options have not changed since the last call is skipped: the document store of the index
    or pipeline records it, so persist it together with the vector store (without it, all videos are written again, at
    no cost). If the vector store has no node of it any more, it is written again, at no cost. The old segments of a
    changed video are replaced only when the new ones are available. A failed video does not stop the others: its stored
    nodes remain, it is reported at the end, and the next call retries it. Other documents are not changed, even with
    `docstore_strategy="upserts_and_delete"`.

    Args:
        index_or_pipeline: A `VectorStoreIndex` with a `TwelveLabsEmbedding`, or an `IngestionPipeline` with a
            `TwelveLabsVideoSegmenter` among its transformations and a vector store.
        sources: Any number of videos (or media of the segmenter's `input_type`): paths, URLs, bytes, binary file
            objects, `asset:<id>`, or documents of `TwelveLabsVideoReader.load_data(..., segment=False)`, whose
            metadata are copied to the segments.
        segmenter: How to segment, for an index. Default: `TwelveLabsVideoSegmenter()` with the index's embedding.
        max_minutes: The budget, as of `TwelveLabsVideoSegmenter`. Default: the segmenter's.
        max_cost: As of `TwelveLabsVideoSegmenter`. Default: the segmenter's.
        price_per_minute: As of `TwelveLabsVideoSegmenter`. Default: the segmenter's.
        on_error: How to handle failures among several videos: `raise` (default) raises an error at the end that lists
            them, `skip` logs a warning; the report lists them. A function is called with each `Failure` instead.
        show_progress: Whether to write progress to stderr.

    Returns:
        An `IngestionReport`.

    Raises:
        ConfigurationError: The index or pipeline cannot store videos; nothing was sent.
        InputError: Two videos have the same name, or the vector store has segments of another space; nothing was sent.
        TwelveLabsError: The only video failed, or all would fail, for example because the key is refused.
        IngestionError: Some of several videos failed: each with its reason and task id.

    Example:
        ```python
        index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding())
        ingest_videos(index, ["match.mp4", "https://example.com/interview.mp4"])
        ```
    """
    target = target_of(index_or_pipeline, segmenter)
    budget = target.segmenter.budget(max_minutes, max_cost, price_per_minute)
    report = FailureReport(on_error)
    return finish(_ingest(BLOCKING, target, sources, report, budget=budget, show_progress=show_progress))


async def aingest_videos(
    index_or_pipeline: VectorStoreIndex | IngestionPipeline,
    sources: Sources,
    *,
    segmenter: TwelveLabsVideoSegmenter | None = None,
    max_minutes: float | None = None,
    max_cost: float | None = None,
    price_per_minute: float | None = None,
    on_error: OnError = "raise",
    show_progress: bool = False,
) -> IngestionReport:
    """Store videos in an index or a pipeline's vector store; the async variant of `ingest_videos`."""
    target = target_of(index_or_pipeline, segmenter)
    budget = target.segmenter.budget(max_minutes, max_cost, price_per_minute)
    report = FailureReport(on_error)
    return await _ingest(AWAITING, target, sources, report, budget=budget, show_progress=show_progress)


class Target(Protocol):
    """Stores videos whose vectors are in the segment store."""

    segmenter: TwelveLabsVideoSegmenter
    vector_store: BasePydanticVectorStore
    docstore: BaseDocumentStore | None
    place: Place

    async def put(self, mode: Mode, document: Document, nodes: list[BaseNode]) -> None:
        """Replace a video's nodes, and record its document's hash."""


class IndexTarget:
    """A `VectorStoreIndex` with its document store."""

    def __init__(self, index: VectorStoreIndex, segmenter: TwelveLabsVideoSegmenter | None) -> None:
        model = index._embed_model  # noqa: SLF001  # LlamaIndex's own retrievers use it too
        if not isinstance(model, TwelveLabsEmbedding):
            raise ConfigurationError(
                f"the index embeds queries with {type(model).__name__}, whose vectors are not comparable with those of "
                "videos: create it with VectorStoreIndex(..., embed_model=TwelveLabsEmbedding())."
            )
        self.segmenter = TwelveLabsVideoSegmenter(embed_model=model) if segmenter is None else segmenter
        if self.segmenter.embed_model.space != model.space:
            raise ConfigurationError(
                f"the index embeds queries in the space {model.space}, but the segmenter uses "
                f"{self.segmenter.embed_model.space}: their vectors are not comparable."
            )
        self.vector_store = index.vector_store
        self.docstore: BaseDocumentStore | None = index.docstore
        self.place = place_of(index)
        self._index = index

    async def put(self, mode: Mode, document: Document, nodes: list[BaseNode]) -> None:
        """Replace the nodes in the index."""
        await replace_in_index(mode, self._index, document.node_id, nodes)
        await mode.call(self.docstore, "set_document_hash", document.node_id, document.hash)


class PipelineTarget:
    """The vector store and the document store of an `IngestionPipeline`, after all its transformations."""

    def __init__(self, pipeline: IngestionPipeline, segmenter: TwelveLabsVideoSegmenter | None) -> None:
        if segmenter is not None:
            raise ConfigurationError("a pipeline has a segmenter among its transformations; do not pass another.")
        if pipeline.vector_store is None:
            raise ConfigurationError("the pipeline has no vector_store for the videos.")
        segmenters = [step for step in pipeline.transformations if isinstance(step, TwelveLabsVideoSegmenter)]
        if len(segmenters) != 1:
            raise ConfigurationError(
                f"the pipeline must have one TwelveLabsVideoSegmenter as a transformation; it has {len(segmenters)}."
            )
        (self.segmenter,) = segmenters
        self.vector_store = pipeline.vector_store
        self.docstore = pipeline.docstore
        self.place = place_of(pipeline)
        self._pipeline = pipeline

    async def put(self, mode: Mode, document: Document, nodes: list[BaseNode]) -> None:  # noqa: ARG002  # the transformations create the nodes again
        """Run the pipeline's transformations, which read the vectors from the segment store, and replace the nodes.

        `pipeline.run` with one document would delete all others under `upserts_and_delete`, and the old nodes before
        the new ones exist.
        """
        made = await self._transform(mode, document)
        for node in made:
            check_node(node)
        known = await hash_of(mode, self.docstore, document.node_id) is not None
        await delete_from_store(mode, self.vector_store, document.node_id, is_known=known)
        if made:
            await mode.call(self.vector_store, "add", made, async_name="async_add")
        if self.docstore is not None:
            await mode.call(self.docstore, "set_document_hash", document.node_id, document.hash)
            await mode.call(self.docstore, "add_documents", [document], async_name="async_add_documents")

    async def _transform(self, mode: Mode, document: Document) -> list[BaseNode]:
        options: dict[str, Any] = {"cache": None if self._pipeline.disable_cache else self._pipeline.cache}
        run = arun_transformations if mode.is_async else run_transformations
        return list(await mode.run(run, [document], self._pipeline.transformations, **options))


def target_of(
    index_or_pipeline: VectorStoreIndex | IngestionPipeline, segmenter: TwelveLabsVideoSegmenter | None
) -> Target:
    """Return the target that stores videos.

    Raises:
        ConfigurationError: Neither an index nor a pipeline, or one that cannot store videos.
    """
    if isinstance(index_or_pipeline, VectorStoreIndex):
        return IndexTarget(index_or_pipeline, segmenter)
    if isinstance(index_or_pipeline, IngestionPipeline):
        return PipelineTarget(index_or_pipeline, segmenter)
    raise ConfigurationError(
        f"index_or_pipeline must be a VectorStoreIndex or an IngestionPipeline, got {type(index_or_pipeline).__name__}."
    )


async def hash_of(mode: Mode, docstore: BaseDocumentStore | None, doc_id: str) -> str | None:
    """Return the hash of a video's document when it was last stored, or None."""
    found: str | None = None if docstore is None else await mode.call(docstore, "get_document_hash", doc_id)
    return found


async def is_stored(mode: Mode, target: Target, document: Document) -> bool:
    """Return whether a video is stored as it is now: the document store says so, and the vector store has a node."""
    if await hash_of(mode, target.docstore, document.node_id) != document.hash:
        return False
    dimension = target.segmenter.embed_model.client.embedding_dimension
    return await has_nodes(mode, target.vector_store, document.node_id, dimension)


async def _ingest(
    mode: Mode,
    target: Target,
    sources: Sources,
    report: FailureReport,
    *,
    budget: Mapping[str, float | None],
    show_progress: bool,
) -> IngestionReport:
    wanted = await mode.blocking(lambda: as_videos(sources, target.segmenter.input_types, report))
    await check_collection(mode, target.place, SpaceCheck(target.segmenter.embed_model.space))
    unchanged: list[str] = []
    changed: dict[str, tuple[Media, VideoDocument]] = {}
    for media, given in wanted:
        try:
            document = await document_of(mode, target.segmenter, media, given)
        except Exception as error:  # noqa: BLE001  # `add` raises what concerns more than this item
            report.add(media, error)
            continue
        if await is_stored(mode, target, document):
            unchanged.append(media.source)
        else:
            changed[media.source] = (media, document)
    stored = []
    async with aclosing(
        _segmented(
            mode,
            target.segmenter,
            [media for media, _ in changed.values()],
            report,
            budget=budget,
            show_progress=show_progress,
        )
    ) as videos:
        async for source, records in videos:
            _, document = changed[source]
            await target.put(mode, document, [to_node(record, document) for record in records])
            stored.append(source)
    report.succeeded += [*unchanged, *stored]
    report.close()
    return IngestionReport(tuple(stored), tuple(unchanged), tuple(report.failures))


async def _segmented(
    mode: Mode,
    segmenter: TwelveLabsVideoSegmenter,
    media: Sequence[Media],
    report: FailureReport,
    *,
    budget: Mapping[str, float | None],
    show_progress: bool,
) -> AsyncGenerator[tuple[str, list[SegmentRecord]]]:
    """Yield the name and the records of each item; record failures in the report."""
    if not media:
        return
    async with aclosing(segmenter.each_medium(mode, media, budget, show_progress=show_progress)) as found:
        while True:
            # Only errors of the media are reported; errors of the caller's stores are raised.
            try:
                segmented = await anext(found)
            except StopAsyncIteration:
                return
            except IngestionError as error:
                for failure in error.failures:
                    report.note(failure)
                return
            except TwelveLabsError as error:
                if len(media) > 1:
                    raise  # not a failure of one video, such as an invalid key or an unusable segment store
                report.add(media[0], error)
                return
            yield segmented


def as_videos(
    sources: Sources, input_types: Sequence[str], report: FailureReport
) -> list[tuple[Media, BaseNode | None]]:
    """Return each video as `Media`, with the document that it came as; record in the report what is not a video.

    Raises:
        InputError: Two videos have the same name.
    """
    is_single = is_one(sources) or isinstance(sources, BaseNode)
    items = [cast("MediaInput", sources)] if is_single else list(cast("Iterable[MediaInput | BaseNode]", sources))
    media: list[Media] = []
    given: list[BaseNode | None] = []
    for item in items:
        try:
            media.append(_medium(item, input_types))
            given.append(item if isinstance(item, BaseNode) else None)
        except Exception as error:  # noqa: BLE001  # `add` raises what concerns more than this item
            report.add(item, error)
    check_unique([item.source for item in media])
    return list(zip(with_distinct_titles(media), given, strict=True))


def _medium(item: MediaInput | BaseNode, input_types: Sequence[str]) -> Media:
    if not isinstance(item, BaseNode):
        return Media.of(item)
    media = media_of(item, input_types)
    if media is None:
        raise InputError(
            f"the document {item.node_id} is not of the type {' or '.join(input_types)}. Insert other documents with "
            "index.insert or pipeline.run."
        )
    return media


async def document_of(
    mode: Mode, segmenter: TwelveLabsVideoSegmenter, media: Media, given: BaseNode | None
) -> VideoDocument:
    """Return the document of a video, with the id and the additional metadata of the given one."""
    if given is None:
        return await segmenter.document(mode, media)
    document = await segmenter.document(mode, media, inherited(given))
    document.id_ = given.node_id
    document.excluded_llm_metadata_keys = given.excluded_llm_metadata_keys
    return document
