"""Readers for videos and documents, which return nodes or documents of segments with their vectors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

from fsspec import AbstractFileSystem  # type: ignore[import-untyped]  # it ships no types
from llama_index.core.readers.base import BasePydanticReader
from llama_index.core.schema import Document, TextNode
from pydantic import ConfigDict

from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from llama_index_twelvelabs.files import Files, as_media, named
from llama_index_twelvelabs.nodes import PickledFully, VideoDocument, to_document, to_node
from llama_index_twelvelabs.segmenter import CLIPS, InputTypes, TwelveLabsVideoSegmenter
from twelvelabs_core import (
    ConfigurationError,
    IngestionPlan,
    InputType,
    Media,
    MediaInput,
    Segmentation,
    TimeBasedMetadata,
)
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    DOCUMENT_MODEL,
    FailureReport,
    Mode,
    drain,
    finish,
    untimed_types,
)

ExtraInfo = Mapping[str, Any] | None
# Of the options of the segmenter; those that are missing here are None by default.
_DEFAULTS = {
    "embedding_scope": CLIPS,
    "include_transcript": False,
    "keep_asset": True,
    "check": True,
    "show_progress": False,
    "input_type": "video",
}


class TwelveLabsVideoReader(PickledFully, BasePydanticReader):
    """Reads videos as searchable moments, one node or document per segment and option, with its vector and times.

    Each video is embedded once by an asynchronous task of the API, which costs money and takes minutes; the vectors are
    kept in the segment store of `embed_model`, so that every later read of the same content with the same options is
    free. `load_nodes` is the direct way to an index. For `IngestionPipeline`, whose document store skips unchanged
    videos before anything is paid for, `load_data(..., segment=False)` returns one document per video for
    `TwelveLabsVideoSegmenter`.

    In `SimpleDirectoryReader` pass `raise_on_error=True`: by default it prints the error of a failed video only.

    Args:
        embed_model: The `TwelveLabsEmbedding` that the index uses too. Default: a new one.
        segment: What `load_data` returns: a document per segment (default), or one per video, not embedded yet.
        segmentation: `DynamicSegmentation` (by shots; default, at least 4 s) or `FixedSegmentation`.
        embedding_option: Among `visual`, `audio`, `transcription`. Default: all; each becomes a separate node.
        embedding_scope: Among `clip` (each segment), `asset` (the whole video). Default: only `clip`.
        embedding_type: Among `separate_embedding` (default), `fused_embedding`.
        time_based_metadata: As for `TwelveLabsVideoSegmenter`.
        include_transcript: Whether a node's text includes the spoken words; see `TwelveLabsVideoSegmenter`.
        start_sec: First second to embed. Default 0.
        end_sec: Last second. Default: the end.
        id_namespace: Changes the ids of the segments, for stores whose ids are shared by several collections.
        keep_asset: As for `TwelveLabsVideoSegmenter`.
        check: As for `TwelveLabsVideoSegmenter`.
        timeout: Longest time for one item in seconds, its upload included. Default: 7200 for its task.
        max_tasks: As for `TwelveLabsVideoSegmenter`.
        max_minutes: As for `TwelveLabsVideoSegmenter`.
        max_cost: As for `TwelveLabsVideoSegmenter`.
        price_per_minute: As for `TwelveLabsVideoSegmenter`.
        show_progress: Whether to write progress to stderr.
        input_type: `video`, or `audio` for audio files. For documents and images: `TwelveLabsDocumentReader`.
        segmenter: A segmenter with all of the above options except `segment`; then pass none of them.
        is_remote: LlamaIndex's flag for data from a remote API, True for the vectors.

    Raises:
        InputError: An option cannot be used.
        ConfigurationError: No API key was found.

    Example:
        ```python
        embed_model = TwelveLabsEmbedding()
        nodes = TwelveLabsVideoReader(embed_model=embed_model).load_nodes("match.mp4")
        index = VectorStoreIndex(nodes, embed_model=embed_model)
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True)

    segmenter: TwelveLabsVideoSegmenter
    segment: bool = True
    is_remote: bool = True

    def __init__(
        self,
        *,
        embed_model: TwelveLabsEmbedding | None = None,
        segment: bool = True,
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
        segmenter: TwelveLabsVideoSegmenter | Mapping[str, Any] | None = None,
        is_remote: bool = True,
    ) -> None:
        options: dict[str, Any] = {
            "embed_model": embed_model,
            "segmentation": segmentation,
            "embedding_option": embedding_option,
            "embedding_scope": embedding_scope,
            "embedding_type": embedding_type,
            "time_based_metadata": time_based_metadata,
            "include_transcript": include_transcript,
            "start_sec": start_sec,
            "end_sec": end_sec,
            "id_namespace": id_namespace,
            "keep_asset": keep_asset,
            "check": check,
            "timeout": timeout,
            "max_tasks": max_tasks,
            "max_minutes": max_minutes,
            "max_cost": max_cost,
            "price_per_minute": price_per_minute,
            "show_progress": show_progress,
            "input_type": input_type,
        }
        given = [name for name, value in options.items() if value != _DEFAULTS.get(name)]
        if segmenter is not None and given:
            raise ConfigurationError(f"pass segmenter, or {', '.join(sorted(given))}, not both.")
        if segmenter is None:
            segmenter = TwelveLabsVideoSegmenter(**options)
        elif isinstance(segmenter, Mapping):
            segmenter = TwelveLabsVideoSegmenter.from_dict(dict(segmenter))
        fields: dict[str, Any] = {"segmenter": segmenter, "segment": segment, "is_remote": is_remote}
        super().__init__(**fields)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serializes."""
        return "TwelveLabsVideoReader"

    def load_nodes(
        self, file: Files, extra_info: ExtraInfo = None, fs: AbstractFileSystem | None = None
    ) -> list[TextNode]:
        """Return one node per segment and option, with its vector; its source is the document of the video.

        Args:
            file: One video or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`. 4 s to 4 h,
                360x360 to 5184x2160 pixels, files to 4 GB (API reference and model page).
            extra_info: Metadata for all nodes; a key that segments use gets the prefix `extra_`.
            fs: The fsspec file system of the paths. Default: the local one.

        Returns:
            The nodes, video by video in the order of `file`.

        Raises:
            InputError: The media cannot be used, or two have one name.
            TwelveLabsError: The only video failed.
            IngestionError: Some of several videos failed; the others are in the segment store.
        """
        return finish(self._load_nodes(BLOCKING, file, extra_info, fs))

    async def aload_nodes(
        self, file: Files, extra_info: ExtraInfo = None, fs: AbstractFileSystem | None = None
    ) -> list[TextNode]:
        """Return one node per segment and option; the async variant of `load_nodes`."""
        return await self._load_nodes(AWAITING, file, extra_info, fs)

    def plan(
        self,
        file: Files,
        fs: AbstractFileSystem | None = None,
        *,
        probe_urls: bool = False,
        price_per_minute: float | None = None,
    ) -> IngestionPlan:
        """Return what reading these files would do and pay for; the API is sent nothing.

        Args:
            file: As for `load_nodes`.
            fs: As for `load_nodes`.
            probe_urls: As for `TwelveLabsVideoSegmenter.plan`.
            price_per_minute: As for `TwelveLabsVideoSegmenter.plan`.

        Returns:
            An `IngestionPlan`; `print` shows a table.
        """
        with ExitStack() as opened:
            media = as_media(file, fs, opened)
            return self.segmenter.plan(media, probe_urls=probe_urls, price_per_minute=price_per_minute)

    async def aplan(
        self,
        file: Files,
        fs: AbstractFileSystem | None = None,
        *,
        probe_urls: bool = False,
        price_per_minute: float | None = None,
    ) -> IngestionPlan:
        """Return what reading these files would do and pay for; the async variant of `plan`."""
        with ExitStack() as opened:
            media = await AWAITING.blocking(lambda: as_media(file, fs, opened))
            return await self.segmenter.aplan(media, probe_urls=probe_urls, price_per_minute=price_per_minute)

    def load_data(
        self,
        file: Files,
        extra_info: ExtraInfo = None,
        fs: AbstractFileSystem | None = None,
        *,
        segment: bool | None = None,
    ) -> list[Document]:
        """Return one document per segment and option with its vector, or one per video.

        Args:
            file: As for `load_nodes`.
            extra_info: Metadata for all documents. The document of a video omits the file's dates: a changed date would
                make it a new version.
            fs: As for `load_nodes`.
            segment: Whether to segment now. Default: the reader's `segment`.

        Returns:
            The documents, video by video in the order of `file`.

        Raises:
            InputError: As for `load_nodes`.
            TwelveLabsError: As for `load_nodes`.
            IngestionError: As for `load_nodes`.
        """
        return finish(self._load_data(BLOCKING, file, extra_info, fs, segment=segment))

    async def aload_data(
        self,
        file: Files,
        extra_info: ExtraInfo = None,
        fs: AbstractFileSystem | None = None,
        *,
        segment: bool | None = None,
    ) -> list[Document]:
        """Return one document per segment and option, or one per video; the async variant of `load_data`."""
        return await self._load_data(AWAITING, file, extra_info, fs, segment=segment)

    def lazy_load_data(
        self,
        file: Files,
        extra_info: ExtraInfo = None,
        fs: AbstractFileSystem | None = None,
        *,
        segment: bool | None = None,
    ) -> Iterator[Document]:
        """Yield the documents of each video when its embedding task has ended.

        Args:
            file: As for `load_nodes`.
            extra_info: As for `load_data`.
            fs: As for `load_nodes`.
            segment: As for `load_data`.

        Yields:
            The documents of `load_data`.

        Raises:
            InputError: As for `load_nodes`.
            TwelveLabsError: As for `load_nodes`.
            IngestionError: As for `load_nodes`, at the end.
        """
        if not self._segments_now(segment):
            yield from self.load_data(file, extra_info, fs, segment=False)
            return
        with ExitStack() as opened:
            segmented = self.segmenter.each_medium(BLOCKING, as_media(file, fs, opened))
            for _, records in opened.enter_context(closing(drain(segmented))):
                yield from (to_document(record, extra_info) for record in records)

    async def alazy_load_data(
        self,
        file: Files,
        extra_info: ExtraInfo = None,
        fs: AbstractFileSystem | None = None,
        *,
        segment: bool | None = None,
    ) -> list[Document]:
        """Return the documents of `load_data`; LlamaIndex awaits this and then iterates without awaiting."""
        return await self.aload_data(file, extra_info, fs, segment=segment)

    async def _load_nodes(
        self, mode: Mode, file: Files, extra_info: ExtraInfo, fs: AbstractFileSystem | None
    ) -> list[TextNode]:
        with ExitStack() as opened:
            media = await mode.blocking(lambda: as_media(file, fs, opened))
            found = await self.segmenter.all_records(mode, media)  # raises after all were tried
            documents = await self._documents(mode, media, extra_info)
        return [to_node(record, document) for document in documents for record in found[document.metadata["source"]]]

    async def _load_data(
        self, mode: Mode, file: Files, extra_info: ExtraInfo, fs: AbstractFileSystem | None, *, segment: bool | None
    ) -> list[Document]:
        if not self._segments_now(segment):
            # A remote file stays open: the segmenter reads it later.
            media = await mode.blocking(lambda: as_media(file, fs, ExitStack()))
            return list(await self._documents(mode, media, extra_info))
        with ExitStack() as opened:
            media = await mode.blocking(lambda: as_media(file, fs, opened))
            found = await self.segmenter.all_records(mode, media)
        return [to_document(record, extra_info) for item in named(media) for record in found[item.source]]

    async def _documents(self, mode: Mode, media: Sequence[MediaInput], extra_info: ExtraInfo) -> list[VideoDocument]:
        """Return one document per item.

        Raises:
            IngestionError: Media cannot be read; all were tried. A single one raises its own error.
        """
        report = FailureReport("raise")
        documents = []
        for item in media:
            try:
                documents.append(await self.segmenter.document(mode, Media.of(item), extra_info))
                report.succeeded.append(documents[-1].metadata["source"])
            except Exception as error:  # noqa: BLE001  # `add` raises what concerns more than this item
                report.add(item, error)
        report.close()
        return documents

    def _segments_now(self, segment: bool | None) -> bool:  # noqa: FBT001  # private, passed on
        return self.segment if segment is None else segment


class TwelveLabsDocumentReader(TwelveLabsVideoReader):
    """Reads documents and images as searchable pages and chunks, one node or document each (marengo3.5).

    Accepts PDF, text (.txt), Markdown (.md) and images, of one kind or mixed. Each file is embedded once by an
    asynchronous task, as videos are, and everything else is as for `TwelveLabsVideoReader`: `load_nodes`, `load_data`,
    also with `segment=False` for the `segmenter` in a pipeline, and
    `SimpleDirectoryReader(file_extractor={".pdf": ...})`. For `ingest_videos` pass `segmenter=reader.segmenter`.

    By default a PDF becomes one node per page, a text or image one node. A node has the metadata keys of a video's:
    times are 0.0, `page_start` and `page_end` 1-based (0 for none), `quadrant` is "" for none, `chunk_index` 0-based
    (-1 for none). Its text is file, page or chunk, and option only: the API returns neither the words of a page or
    chunk nor the boundaries of chunks.

    Args:
        embed_model: The `TwelveLabsEmbedding` that the index uses too, with a model that embeds documents. Default: a
            new one with marengo3.5.
        segment: As for `TwelveLabsVideoReader`.
        input_type: The type of all files: `document` (PDF, text, Markdown) or `image`. Default: by each file's name or
            first bytes, else `document`.
        segmentation: `SpatialSegmentation` (pages of PDFs; `quadrants` five vectors each), `SequentialSegmentation`
            (chunks of text), or a list of both; each file uses the one that applies to it, if any.
        embedding_option: Among `visual`, `text`. Default: `visual` for PDFs and images, `text` for text. Pass it
            for an asset or a URL without a known file extension.
        embedding_scope: Among `local` (each page or chunk), `asset` (the whole). Default: `local` for the pages of PDFs
            and where a segmentation applies, else `asset`.
        id_namespace: As for `TwelveLabsVideoReader`.
        keep_asset: As for `TwelveLabsVideoReader`.
        check: As for `TwelveLabsVideoReader`.
        timeout: As for `TwelveLabsVideoReader`.
        max_tasks: As for `TwelveLabsVideoSegmenter`.
        show_progress: As for `TwelveLabsVideoReader`.
        segmenter: As for `TwelveLabsVideoReader`.
        is_remote: As for `TwelveLabsVideoReader`.

    Raises:
        InputError: An option cannot be used; with marengo3.0 always.
        ConfigurationError: No API key was found.

    Example:
        ```python
        embed_model = TwelveLabsEmbedding(model="marengo3.5")
        nodes = TwelveLabsDocumentReader(embed_model=embed_model).load_nodes(["plan.pdf", "notes.md", "photo.jpg"])
        index = VectorStoreIndex(nodes, embed_model=embed_model)
        ```
    """

    def __init__(
        self,
        *,
        embed_model: TwelveLabsEmbedding | None = None,
        segment: bool = True,
        input_type: InputType | None = None,
        segmentation: Segmentation | Sequence[Segmentation] | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        id_namespace: str | None = None,
        keep_asset: bool = True,
        check: bool = True,
        timeout: float | None = None,
        max_tasks: int | None = None,
        show_progress: bool = False,
        segmenter: TwelveLabsVideoSegmenter | Mapping[str, Any] | None = None,
        is_remote: bool = True,
    ) -> None:
        options: dict[str, Any] = {
            "embed_model": embed_model,
            "segmentation": segmentation,
            "embedding_option": embedding_option,
            "embedding_scope": CLIPS if embedding_scope is None else embedding_scope,
            "id_namespace": id_namespace,
            "keep_asset": keep_asset,
            "check": check,
            "timeout": timeout,
            "max_tasks": max_tasks,
            "show_progress": show_progress,
        }
        if segmenter is None:
            options["embed_model"] = (
                TwelveLabsEmbedding(model_name=DOCUMENT_MODEL) if embed_model is None else embed_model
            )
            options["input_type"] = untimed_types(input_type)
        elif input_type is not None:
            raise ConfigurationError("pass segmenter, or input_type, not both.")
        super().__init__(segment=segment, segmenter=segmenter, is_remote=is_remote, **options)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serializes."""
        return "TwelveLabsDocumentReader"
