"""`TwelveLabsVideoSegmenter`: one document per video in, one node per segment out; the paid step of a pipeline."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.schema import BaseNode, TransformComponent
from pydantic import ConfigDict, Field

from llama_index_twelvelabs._modes import AWAITING, BLOCKING, Mode, finish
from llama_index_twelvelabs._nodes import VideoDocument, media_of, to_node, to_video_document
from llama_index_twelvelabs._segmenting import all_films
from llama_index_twelvelabs._travelling import TravelsWhole
from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from twelvelabs_core import ConfigurationError, InputError, Media, Segmentation, TimeBasedMetadata
from twelvelabs_core.base.checks import check_count
from twelvelabs_core.ingest.plan import PAPERS, InputType, check_transcript, kind_among, task_plan, written_options
from twelvelabs_core.media.source import check_unique

InputTypes = InputType | Sequence[InputType]
CLIPS = ("clip",)
# What decides which nodes a medium becomes; the names that came later count only where they are used.
_FIRST = ("segmentation", "embedding_option", "embedding_scope", "embedding_type", "start_sec", "end_sec", "input_type")
_LATER = ("time_based_metadata", "include_transcript")


class TwelveLabsVideoSegmenter(TravelsWhole, TransformComponent):
    """Turns documents of whole videos into nodes, one per segment and option, with vectors and times.

    The step of an `IngestionPipeline` that costs money, behind its document store: a video that has not changed never
    reaches it. Each video is embedded once by an asynchronous task of the API; the vectors are kept in the segment
    store of `embed_model`, so that doing it again is free. Documents that are no videos pass through. It stands first
    among the transformations; a node parser after it needs `id_func=keep_segment_ids`.

    A node's text is title, time range and option; its id is a UUID, the same on every run; its source is the
    document of the video. Its metadata has the same keys on every node: `segment_id`, `source`, `title`,
    `start_sec`, `end_sec` and `duration_sec` (float seconds; the last is the film's), `segment_index`,
    `embedding_option`, `embedding_scope`, `model`.

    One bad video does not stop the others: all are tried, then it raises, and the pipeline stores nothing of that run;
    the next run gets the good ones from the segment store and pays for nothing twice. Two things in between are
    LlamaIndex's: it deletes the old nodes of changed videos before the new ones are made, and with
    `docstore_strategy="duplicates_only"` it notes documents as done before they are tried, and never tries them again.
    `ingest_videos` stores video by video, replaces only what has arrived, and tries again what failed.

    Args:
        embed_model: The `TwelveLabsEmbedding` that the index uses too. Default: a new one.
        segmentation: `DynamicSegmentation` (by shots; default, at least 4 s) or `FixedSegmentation`.
        embedding_option: Among `visual`, `audio`, `transcription` (marengo3.0 only). Default all; each gives a node of
            its own.
        embedding_scope: Among `clip` (each segment), `asset` (the whole video). Default `clip` alone.
        embedding_type: Among `separate_embedding` (default), `fused_embedding`; with marengo3.5 the latter needs
            `time_based_metadata`.
        time_based_metadata: Text of your own for the fused vectors of marengo3.5, the same for each video: a list of
            {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds.
        include_transcript: Whether the words spoken in a segment stand in its node's text. They are fetched once and
            kept in the segment store. A local file is an asset of the API already; a URL becomes one, which costs no
            embedding task; where the asset is gone, a local file is uploaded again, and an `asset:<id>` stays without
            words. So does, with a warning, a video that the API has no words of, or none within 15 minutes. Ids and
            vectors do not depend on it.
        start_sec: First second to embed. Default 0.
        end_sec: Last second. Default: the end.
        id_namespace: Makes other ids for the same segments, for stores whose ids are shared by several collections.
        keep_asset: False deletes each uploaded file at the API once its vectors, and words, are in the segment store.
        timeout: Longest wait for one embedding task, in seconds. Default 7200.
        max_tasks: Most videos on their way at once. Default: `max_concurrency` of `embed_model`. With hundreds, 50 and
            more save hours.
        show_progress: Whether to write progress to stderr.
        input_type: `video`; `audio`, for documents with an `audio_resource`; `image`, `document` or a list of these two
            (marengo3.5), for what `TwelveLabsDocumentReader` reads, which says what their options are.

    `embedding_uncertainty` of marengo3.5 is left to `twelvelabs_core.Client`: metadata hold no vectors.

    Raises:
        InputError: An option cannot be used.
        ConfigurationError: No key anywhere.

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
    # None of these changes a node, so none belongs into the identity of a pipeline's transformation.
    keep_asset: bool = Field(default=True, exclude=True)
    timeout: float | None = Field(default=None, exclude=True)
    max_tasks: int | None = Field(default=None, exclude=True)
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
        timeout: float | None = None,
        max_tasks: int | None = None,
        show_progress: bool = False,
        input_type: InputTypes = "video",
    ) -> None:
        if isinstance(embed_model, Mapping):
            embed_model = TwelveLabsEmbedding.from_dict(dict(embed_model))
        if embed_model is not None and not isinstance(embed_model, TwelveLabsEmbedding):
            raise ConfigurationError(f"embed_model must be a TwelveLabsEmbedding, got {type(embed_model).__name__}.")
        if embed_model is None:
            embed_model = TwelveLabsEmbedding()
        kinds = kinds_of(input_type)
        if embedding_scope is CLIPS and kinds[0] in PAPERS:
            embedding_scope = None  # pages and chunks have no clips
        plan = task_plan(
            input_type if isinstance(input_type, str) else kinds,
            embed_model.model_name,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            start_sec=start_sec,
            end_sec=end_sec,
        )
        check_transcript(include_transcript, kinds)
        if max_tasks is not None:
            check_count("max_tasks", max_tasks)
        fields: dict[str, Any] = {
            "embed_model": embed_model,
            **written_options(plan),
            "include_transcript": include_transcript,
            "start_sec": start_sec,
            "end_sec": end_sec,
            "id_namespace": id_namespace,
            "keep_asset": keep_asset,
            "timeout": timeout,
            "max_tasks": max_tasks,
            "show_progress": show_progress,
            "input_type": input_type if isinstance(input_type, str) else list(kinds),
        }
        super().__init__(**fields)

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex writes it down."""
        return "TwelveLabsVideoSegmenter"

    def __call__(self, nodes: Sequence[BaseNode], **_: Any) -> list[BaseNode]:
        """Return the nodes of all segments in place of their videos' documents, other nodes as they are.

        Raises:
            TwelveLabsError: The only video failed.
            IngestionError: Some of several videos failed; the others are in the segment store.
            InputError: Two videos have the same name, or a document came without its medium; nothing was sent.
        """
        return finish(self._segment(BLOCKING, nodes))

    async def acall(self, nodes: Sequence[BaseNode], **_: Any) -> list[BaseNode]:
        """Return the nodes of all segments; the async twin of `__call__`."""
        return await self._segment(AWAITING, nodes)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the media may be: the `input_type`s."""
        return kinds_of(self.input_type)

    def options(self) -> dict[str, Any]:
        """Return the arguments of `twelvelabs_core.Client.segment_many`."""
        return {name: getattr(self, name) for name in (*_FIRST, *_LATER, "timeout", "keep_asset", "max_tasks")}

    def identity(self) -> str:
        """Return a digest of everything but the video that decides which nodes it becomes."""
        options = {name: getattr(self, name) for name in _FIRST}
        options |= {name: value for name in _LATER if (value := getattr(self, name))}
        parts = {"space": self.embed_model.space, "id_namespace": self.id_namespace, **options}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    async def document(self, mode: Mode, media: Media, extra_info: Mapping[str, Any] | None = None) -> VideoDocument:
        """Return the document of a whole video; reads the file, or asks its host, and sends nothing to the API.

        Raises:
            InputError: There is no such file, or `extra_info` has a key of a segment's own.
        """
        client = self.embed_model.async_client if mode.is_async else self.embed_model.client
        content = await mode.ask(client.content_of, media)
        kind = await mode.blocking(lambda: kind_among(media, self.kinds))
        return to_video_document(media, content, segmented_as=self.identity(), input_type=kind, extra_info=extra_info)

    async def _segment(self, mode: Mode, nodes: Sequence[BaseNode]) -> list[BaseNode]:
        media = [media_of(node, self.kinds) for node in nodes]
        videos = [item for item in media if item is not None]
        check_unique([item.source for item in videos])
        found = await all_films(
            mode,
            self.embed_model,
            videos,
            self.options(),
            id_namespace=self.id_namespace,
            show_progress=self.show_progress,
        )
        segmented: list[BaseNode] = []
        for node, item in zip(nodes, media, strict=True):
            segmented += [node] if item is None else [to_node(record, node) for record in found[item.source]]
        return segmented


def kinds_of(input_type: InputTypes) -> tuple[InputType, ...]:
    """Return the kinds of media that one segmenter takes.

    Raises:
        InputError: Several of which one has times: their options differ.
    """
    if isinstance(input_type, str):
        return (input_type,)
    kinds: tuple[InputType, ...] = tuple(input_type)
    if not kinds or (len(kinds) > 1 and not set(kinds) <= set(PAPERS)):
        raise InputError(f"input_type must be one kind, or a list of {' and '.join(PAPERS)}; got {list(kinds)}.")
    return kinds
