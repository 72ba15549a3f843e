"""`TwelveLabsVideoSegmenter`: the transformation that converts documents of videos to nodes of segments."""

import hashlib
import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from llama_index.core.schema import BaseNode, TransformComponent
from pydantic import ConfigDict, Field

from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from llama_index_twelvelabs.nodes import PickledFully, VideoDocument, media_of, to_node, to_video_document
from twelvelabs_core import (
    ConfigurationError,
    IngestionPlan,
    InputError,
    InputType,
    Media,
    MediaInput,
    Segmentation,
    SegmentRecord,
    TimeBasedMetadata,
)
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    UNTIMED_TYPES,
    Mode,
    check_unique,
    client_of,
    each_medium,
    finish,
    input_type_of,
    media_list,
    minutes_allowed,
    plain_options,
    plan_media,
)

InputTypes = InputType | Sequence[InputType]
CLIPS = ("clip",)
# The options that decide into which nodes an item is divided; those of later versions count only if they are used.
_FIRST = ("segmentation", "embedding_option", "embedding_scope", "embedding_type", "start_sec", "end_sec", "input_type")
_LATER = ("time_based_metadata", "include_transcript")
_OF_RUNS = ("timeout", "keep_asset", "check", "max_tasks", "max_minutes", "max_cost", "price_per_minute")


class TwelveLabsVideoSegmenter(PickledFully, TransformComponent):
    """Converts documents of whole videos to nodes, one per segment and option, with vectors and times.

    The paid step of an `IngestionPipeline`, after its document store: an unchanged video never reaches it. Each video
    is embedded once by an asynchronous task of the API; the vectors are kept in the segment store of `embed_model`, so
    that a repetition is free. Other documents are returned unchanged. It is the first transformation; a node parser
    after it needs `id_func=keep_segment_ids`.

    A node's text is title, time range and option; its id is a UUID, the same on every run; its source is the
    document of the video. Its metadata has the same keys on every node: `segment_id`, `source`, `title`,
    `start_sec`, `end_sec` and `duration_sec` (float seconds; the last is that of the whole video), `segment_index`,
    `embedding_option`, `embedding_scope`, `model`, `space`; and `page_start`, `page_end`, `quadrant`, `chunk_index`,
    which are 0, 0, "" and -1 for video and audio.

    A failed video does not stop the others: all are tried, then it raises, and the pipeline stores nothing of that run;
    the next run gets the others from the segment store at no cost. LlamaIndex deletes the old nodes of changed videos
    before the new ones exist, and with `docstore_strategy="duplicates_only"` it records documents as done before they
    are processed, and never retries them. `ingest_videos` stores video by video, replaces nodes only when the new ones
    exist, and retries what failed.

    Args:
        embed_model: The `TwelveLabsEmbedding` that the index uses too. Default: a new one.
        segmentation: `DynamicSegmentation` (by shots; default, at least 4 s) or `FixedSegmentation`.
        embedding_option: Among `visual`, `audio`, `transcription` (marengo3.0 only). Default: all; each becomes a
            separate node.
        embedding_scope: Among `clip` (each segment), `asset` (the whole video). Default: only `clip`.
        embedding_type: Among `separate_embedding` (default), `fused_embedding`; with marengo3.5 the latter needs
            `time_based_metadata`.
        time_based_metadata: Additional text for the fused vectors of marengo3.5, the same for each video: a list of
            {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds.
        include_transcript: Whether a node's text includes the words spoken in the segment. They are fetched once and
            kept in the segment store. A URL becomes an asset of the API for this, which costs no embedding task. If the
            asset was deleted, a local file is uploaded again, and an `asset:<id>` gets no transcript. A video whose
            transcription is not ready after 15 minutes gets none either, with a warning. Ids and vectors are the same
            with and without it.
        start_sec: First second to embed. Default 0.
        end_sec: Last second. Default: the end.
        id_namespace: Changes the ids of the segments, for stores whose ids are shared by several collections.
        keep_asset: False deletes each uploaded file at the API once its vectors and transcript are stored.
        check: Whether local files are checked before anything is sent: format, tracks, duration, resolution. False
            verifies only that they can be read, and the API decides.
        timeout: Longest time for one item in seconds, its upload included. Default: 7200 for its task.
        max_tasks: Maximum number of simultaneous embedding tasks. Default: `max_concurrency` of `embed_model`. With
            hundreds of videos, 50 or more save hours.
        max_minutes: Most minutes of media for which tasks are created on this segment store within 24 hours, by all its
            processes. Videos that do not fit, or whose length is unknown, fail with `BudgetError`.
        max_cost: The same as money: `max_cost / price_per_minute` minutes.
        price_per_minute: What you pay for a minute, for `max_cost` and `plan`.
        show_progress: Whether to write progress to stderr.
        input_type: `video`; `audio`, for documents with an `audio_resource`; `image`, `document` or a list of these two
            (marengo3.5), for what `TwelveLabsDocumentReader` reads; see there for their options.

    For `embedding_uncertainty` of marengo3.5 use `twelvelabs_core.Client`: metadata cannot hold vectors.

    Raises:
        InputError: An option cannot be used.
        ConfigurationError: No API key was found.

    Example:
        ```python
        embed_model = TwelveLabsEmbedding()
        segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model)
        pipeline = IngestionPipeline(
            transformations=[segmenter, embed_model], docstore=SimpleDocumentStore(), vector_store=vector_store
        )
        pipeline.run(documents=TwelveLabsVideoReader(segmenter=segmenter).load_data("match.mp4", segment=False))
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True)

    embed_model: TwelveLabsEmbedding
    segmentation: dict[str, Any] | list[dict[str, Any]] | None = None
    embedding_option: list[str] | None = None
    embedding_scope: list[str] | None = None
    embedding_type: list[str] | None = None
    start_sec: float | None = None
    end_sec: float | None = None
    id_namespace: str | None = None
    time_based_metadata: list[dict[str, Any]] | None = None
    include_transcript: bool = False
    # These fields do not change nodes, so they are not part of the identity of the transformation in a pipeline.
    keep_asset: bool = Field(default=True, exclude=True)
    check: bool = Field(default=True, exclude=True)
    timeout: float | None = Field(default=None, exclude=True)
    max_tasks: int | None = Field(default=None, exclude=True)
    max_minutes: float | None = Field(default=None, exclude=True)
    max_cost: float | None = Field(default=None, exclude=True)
    price_per_minute: float | None = Field(default=None, exclude=True)
    show_progress: bool = Field(default=False, exclude=True)
    input_type: InputType | list[InputType] = "video"

    def __init__(
        self,
        *,
        embed_model: TwelveLabsEmbedding | Mapping[str, Any] | None = None,
        segmentation: Segmentation | Sequence[Segmentation] | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = CLIPS,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        include_transcript: bool = False,
        start_sec: float | None = None,
        end_sec: float | None = None,
        id_namespace: str | None = None,
        keep_asset: bool = True,
        check: bool = True,
        timeout: float | None = None,
        max_tasks: int | None = None,
        max_minutes: float | None = None,
        max_cost: float | None = None,
        price_per_minute: float | None = None,
        show_progress: bool = False,
        input_type: InputTypes = "video",
    ) -> None:
        embed_model = _model_of(embed_model)
        types = types_of(input_type)
        if embedding_scope is CLIPS and types[0] in UNTIMED_TYPES:
            embedding_scope = None  # pages and chunks have no clips
        options = plain_options(
            input_type if isinstance(input_type, str) else types,
            embed_model.model_name,
            include_transcript=include_transcript,
            max_tasks=max_tasks,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            start_sec=start_sec,
            end_sec=end_sec,
        )
        budget = {"max_minutes": max_minutes, "max_cost": max_cost, "price_per_minute": price_per_minute}
        minutes_allowed(**budget)  # raises for what cannot be used
        fields: dict[str, Any] = {
            "embed_model": embed_model,
            **options,
            "include_transcript": include_transcript,
            "start_sec": start_sec,
            "end_sec": end_sec,
            "id_namespace": id_namespace,
            "keep_asset": keep_asset,
            "check": check,
            "timeout": timeout,
            "max_tasks": max_tasks,
            **budget,
            "show_progress": show_progress,
            "input_type": input_type if isinstance(input_type, str) else list(types),
        }
        super().__init__(**fields)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serializes."""
        return "TwelveLabsVideoSegmenter"

    def __call__(self, nodes: Sequence[BaseNode], **_: Any) -> list[BaseNode]:
        """Return the nodes of the segments instead of the documents of videos, and other nodes unchanged.

        Raises:
            TwelveLabsError: The only video failed.
            IngestionError: Some of several videos failed; the others are in the segment store.
            InputError: Two videos have the same name, or a document has no media in this process; nothing was sent.
        """
        return finish(self._segment(BLOCKING, nodes))

    async def acall(self, nodes: Sequence[BaseNode], **_: Any) -> list[BaseNode]:
        """Return the nodes of the segments; the async variant of `__call__`."""
        return await self._segment(AWAITING, nodes)

    @property
    def input_types(self) -> tuple[str, ...]:
        """The types of media that this segmenter accepts."""
        return types_of(self.input_type)

    def options(self) -> dict[str, Any]:
        """Return the arguments of `twelvelabs_core.Client.segment_many`."""
        return {name: getattr(self, name) for name in (*_FIRST, *_LATER, *_OF_RUNS)}

    def budget(
        self, max_minutes: float | None, max_cost: float | None, price_per_minute: float | None
    ) -> dict[str, float | None]:
        """Return the budget of one run: these values, else those of this segmenter.

        Raises:
            InputError: A value cannot be used, or a cost has no price.
        """
        price = self.price_per_minute if price_per_minute is None else price_per_minute
        is_given = max_minutes is not None or max_cost is not None
        given = (max_minutes, max_cost) if is_given else (self.max_minutes, self.max_cost)
        minutes_allowed(*given, price)
        return {"max_minutes": given[0], "max_cost": given[1], "price_per_minute": price}

    def plan(
        self,
        media: MediaInput | Iterable[MediaInput],
        *,
        probe_urls: bool = False,
        price_per_minute: float | None = None,
    ) -> IngestionPlan:
        """Return what segmenting these media would do and pay for; the API is sent nothing.

        Args:
            media: One of the media or any number of them.
            probe_urls: Whether the length of a URL is read from it with PyAV: GET requests for ranges, up to 16 MB.
            price_per_minute: What you pay for a minute. Default: the segmenter's.

        Returns:
            An `IngestionPlan`: minutes, vectors, bytes and requests for each source and in total, what is paid for
            already, and what cannot be used. `print` shows a table.
        """
        return finish(self._plan(BLOCKING, media, probe_urls=probe_urls, price_per_minute=price_per_minute))

    async def aplan(
        self,
        media: MediaInput | Iterable[MediaInput],
        *,
        probe_urls: bool = False,
        price_per_minute: float | None = None,
    ) -> IngestionPlan:
        """Return what segmenting these media would do and pay for; the async variant of `plan`."""
        return await self._plan(AWAITING, media, probe_urls=probe_urls, price_per_minute=price_per_minute)

    async def _plan(self, mode: Mode, media: MediaInput | Iterable[MediaInput], **arguments: Any) -> IngestionPlan:
        return await plan_media(mode, self.embed_model, media_list(media), self.options(), **arguments)

    def identity(self) -> str:
        """Return a digest of the options that decide which nodes a video becomes."""
        options = {name: getattr(self, name) for name in _FIRST}
        options |= {name: value for name in _LATER if (value := getattr(self, name))}
        parts = {"space": self.embed_model.space, "id_namespace": self.id_namespace, **options}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    async def document(self, mode: Mode, media: Media, extra_info: Mapping[str, Any] | None = None) -> VideoDocument:
        """Return the document of a whole video; reads the file or requests its headers, and sends nothing to the API.

        Raises:
            InputError: The file does not exist.
        """
        client = await client_of(mode, self.embed_model)
        content = await mode.run(client.content_of, media)
        input_type = await mode.blocking(lambda: input_type_of(media, self.input_types))
        return to_video_document(
            media, content, segmented_as=self.identity(), input_type=input_type, extra_info=extra_info
        )

    def each_medium(
        self,
        mode: Mode,
        media: Sequence[MediaInput],
        arguments: Mapping[str, Any] | None = None,
        *,
        show_progress: bool = False,
    ) -> AsyncGenerator[tuple[str, list[SegmentRecord]]]:
        """Yield the name and the records of each item when its embedding task is done; close it with `aclosing`.

        `arguments` are those of `Client.segment_many` that differ from `options`.
        """
        return each_medium(
            mode,
            self.embed_model,
            media,
            {**self.options(), **(arguments or {})},
            id_namespace=self.id_namespace,
            show_progress=show_progress or self.show_progress,
        )

    async def all_records(self, mode: Mode, media: Sequence[MediaInput]) -> dict[str, list[SegmentRecord]]:
        """Return the records of all media by name."""
        if not media:
            return {}
        async with aclosing(self.each_medium(mode, media)) as found:
            return {source: records async for source, records in found}

    async def _segment(self, mode: Mode, nodes: Sequence[BaseNode]) -> list[BaseNode]:
        media = [media_of(node, self.input_types) for node in nodes]
        videos = [item for item in media if item is not None]
        check_unique([item.source for item in videos])
        found = await self.all_records(mode, videos)
        segmented: list[BaseNode] = []
        for node, item in zip(nodes, media, strict=True):
            segmented += [node] if item is None else [to_node(record, node) for record in found[item.source]]
        return segmented


def types_of(input_type: InputTypes) -> tuple[InputType, ...]:
    """Return the types of media that one segmenter accepts.

    Raises:
        InputError: Several types, one of which has times: their options differ.
    """
    if isinstance(input_type, str):
        return (input_type,)
    types: tuple[InputType, ...] = tuple(input_type)
    if not types or (len(types) > 1 and not set(types) <= set(UNTIMED_TYPES)):
        raise InputError(f"input_type must be one type, or a list of {' and '.join(UNTIMED_TYPES)}; got {list(types)}.")
    return types


def _model_of(embed_model: TwelveLabsEmbedding | Mapping[str, Any] | None) -> TwelveLabsEmbedding:
    """Return the embedding of a segmenter: the given one, also from its serialized form, else a new one."""
    if isinstance(embed_model, Mapping):
        return TwelveLabsEmbedding.from_dict(dict(embed_model))
    if embed_model is not None and not isinstance(embed_model, TwelveLabsEmbedding):
        raise ConfigurationError(f"embed_model must be a TwelveLabsEmbedding, got {type(embed_model).__name__}.")
    return TwelveLabsEmbedding() if embed_model is None else embed_model
