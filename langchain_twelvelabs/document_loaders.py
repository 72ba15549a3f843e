"""Loaders for video, audio and documents, which return one LangChain `Document` per segment."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Literal, NoReturn

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from twelvelabs_core import (
    IngestionPlan,
    InputError,
    Media,
    MediaInput,
    OnError,
    OnProgress,
    Segmentation,
    SegmentRecord,
    TimeBasedMetadata,
)
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    FailureReport,
    Mode,
    checked_metadata,
    drain,
    each_medium,
    finish,
    media_list,
    plan_media,
)

UserMetadata = Mapping[str, Any] | Callable[[str], Mapping[str, Any]]
"""Metadata for the segments of all files, or a function that returns those of a file by its `source`."""


def to_document(record: SegmentRecord, own: Mapping[str, Any] | None = None) -> Document:
    """Return the document of a segment; its text refers to the stored vector, its id is the segment's."""
    metadata = {**record.metadata, **(own or {})}
    return Document(id=record.segment_id, page_content=record.text(with_reference=True), metadata=metadata)


class LoadedDocuments(Iterator[Document]):
    """The documents of a loader as they are loaded, with the space of their vectors, known before any is loaded.

    Example:
        ```python
        if isinstance(documents, LoadedDocuments):
            print(documents.space)
        ```
    """

    def __init__(self, documents: Generator[Document], space: str) -> None:
        self.space = space
        self._documents = documents

    def __next__(self) -> Document:
        return next(self._documents)

    def close(self) -> None:
        """End loading: no new tasks are created."""
        self._documents.close()


class AsyncLoadedDocuments(AsyncIterator[Document]):
    """The async variant of `LoadedDocuments`."""

    def __init__(self, documents: AsyncGenerator[Document], space: str) -> None:
        self.space = space
        self._documents = documents

    async def __anext__(self) -> Document:
        return await anext(self._documents)

    async def aclose(self) -> None:
        """End loading: no new tasks are created."""
        await self._documents.aclose()


class SegmentLoader(BaseLoader):
    """Loads media as the documents of segments; subclasses define the kind of media and the options."""

    def __init__(
        self,
        media: tuple[MediaInput, ...],
        embeddings: TwelveLabsEmbeddings,
        options: Mapping[str, Any],
        *,
        metadata: UserMetadata | None,
        id_namespace: str | None,
        show_progress: bool,
        on_progress: OnProgress | None,
    ) -> None:
        if not isinstance(embeddings, TwelveLabsEmbeddings):
            raise InputError(f"embeddings must be TwelveLabsEmbeddings, got {type(embeddings).__name__}.")
        if id_namespace is not None and not isinstance(id_namespace, str):
            raise InputError(f"id_namespace must be a str, got {type(id_namespace).__name__}.")
        if metadata is not None and not callable(metadata):
            metadata = checked_metadata(metadata, "the media")
        self.embeddings = embeddings
        self._media = media
        self._metadata = metadata
        self._id_namespace = id_namespace
        self._show_progress = show_progress
        self._on_progress = on_progress
        self._options = options
        embeddings.client.segment_many((), on_progress=on_progress, **options)  # raises for invalid options

    @property
    def sources(self) -> list[str] | None:
        """The names of the media, as in the metadata `source` of their documents; None if one of them has no name."""
        named = [media.source for media in self._media if isinstance(media, Media)]
        return named if len(named) == len(self._media) else None

    def lazy_load(self) -> Iterator[Document]:
        """Yield the documents of each item when its embedding task has ended.

        After the iterator is closed, no new tasks are created; existing ones are in the segment store's journal, and
        the next run resumes them.

        Yields:
            One document per segment and option.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            TwelveLabsError: The only item failed.
            IngestionError: At the end, if some of several media failed; the others are in the segment store.
        """
        return LoadedDocuments(self._each_document(), self.embeddings.space)

    def alazy_load(self) -> AsyncIterator[Document]:
        """Yield the documents of each item when its embedding task has ended; async variant of `lazy_load`."""
        return AsyncLoadedDocuments(self._aeach_document(), self.embeddings.space)

    def _each_document(self) -> Generator[Document]:
        with closing(drain(self.each_source(BLOCKING))) as loaded:
            for _, documents in loaded:
                yield from documents

    async def _aeach_document(self) -> AsyncGenerator[Document]:
        async with aclosing(self.each_source(AWAITING)) as loaded:
            async for _, documents in loaded:
                for document in documents:
                    yield document

    def plan(self, *, probe_urls: bool = False, price_per_minute: float | None = None) -> IngestionPlan:
        """Return the plan of loading: what it would do and pay for; the API is sent nothing. `print` shows a table.

        Args:
            probe_urls: Whether the length of a URL is read from it with PyAV: GET requests for ranges, up to 16 MB.
            price_per_minute: What you pay for a minute. Default: the loader's.
        """
        return finish(self._plan(BLOCKING, probe_urls=probe_urls, price_per_minute=price_per_minute))

    async def aplan(self, *, probe_urls: bool = False, price_per_minute: float | None = None) -> IngestionPlan:
        """Return what loading would do and pay for; async variant of `plan`."""
        return await self._plan(AWAITING, probe_urls=probe_urls, price_per_minute=price_per_minute)

    async def _plan(self, mode: Mode, **arguments: Any) -> IngestionPlan:
        return await plan_media(mode, self.embeddings, self._media, self._options, **arguments)

    def load_and_split(self, text_splitter: Any = None) -> NoReturn:  # noqa: ARG002  # BaseLoader's signature
        """Raise an error: a chunk of a segment's document would lose the segment's vector.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"{type(self).__name__} already returns one document per segment; a text splitter would separate text and "
            "vector. Use load() or lazy_load(); for shorter segments set segmentation=. Split other documents only."
        )

    async def each_source(self, mode: Mode) -> AsyncGenerator[tuple[str, list[Document]]]:
        """Yield the name and the documents of each item when its embedding task has ended."""
        report = FailureReport(self._options["on_error"])
        own = await mode.blocking(lambda: self._own_metadata(report))
        usable, options = self._media, self._options
        if report.failures:  # else the client itself reports what fails
            usable = tuple(item for item in usable if not isinstance(item, Media) or item.source in own)
            options = {**options, "on_error": report.note}
        media = each_medium(
            mode,
            self.embeddings,
            usable,
            options,
            id_namespace=self._id_namespace,
            show_progress=self._show_progress,
            on_progress=self._on_progress,
        )
        async with aclosing(media) as found:
            async for source, records in found:
                report.succeeded.append(source)
                yield source, [to_document(record, own[source]) for record in records]
        if report.failures:
            report.close()

    def _own_metadata(self, report: FailureReport) -> dict[str, dict[str, Any]]:
        """Return the user's metadata of each item that has a name; without those whose metadata cannot be used."""
        given: Any = self._metadata or {}
        own: dict[str, dict[str, Any]] = {}
        for media in self._media:
            if isinstance(media, Media):
                try:
                    own[media.source] = (
                        checked_metadata(given(media.source), media.source) if callable(given) else given
                    )
                except Exception as error:  # noqa: BLE001  # whatever the user's function raises; `add` reports it
                    report.add(media, error)
        return own


class TimedSegmentLoader(SegmentLoader):
    """Loads media with times; subclasses define whether video or audio."""

    input_type: Literal["audio", "video"]

    def __init__(
        self,
        media: MediaInput | Iterable[MediaInput],
        *,
        embeddings: TwelveLabsEmbeddings,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = ("clip",),
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        include_transcript: bool = False,
        start_sec: float | None = None,
        end_sec: float | None = None,
        source: str | None = None,
        version: str | None = None,
        metadata: UserMetadata | None = None,
        id_namespace: str | None = None,
        keep_asset: bool = True,
        check: bool = True,
        timeout: float | None = None,
        max_tasks: int | None = None,
        max_minutes: float | None = None,
        max_cost: float | None = None,
        price_per_minute: float | None = None,
        on_error: OnError = "raise",
        show_progress: bool = False,
        on_progress: OnProgress | None = None,
    ) -> None:
        budget = {"max_minutes": max_minutes, "max_cost": max_cost, "price_per_minute": price_per_minute}
        options = {
            "input_type": self.input_type,
            "segmentation": segmentation,
            "embedding_option": embedding_option,
            "embedding_scope": embedding_scope,
            "embedding_type": embedding_type,
            "time_based_metadata": time_based_metadata,
            "include_transcript": include_transcript,
            "start_sec": start_sec,
            "end_sec": end_sec,
            "keep_asset": keep_asset,
            "check": check,
            "timeout": timeout,
            "max_tasks": max_tasks,
            **budget,
            "on_error": on_error,
        }
        super().__init__(
            media_list(media, source=source, version=version),
            embeddings,
            options,
            metadata=metadata,
            id_namespace=id_namespace,
            show_progress=show_progress,
            on_progress=on_progress,
        )


class TwelveLabsVideoLoader(TimedSegmentLoader):
    """Loads videos as searchable moments: one `Document` per segment and option, with its times.

    Each video is embedded once by an asynchronous task of the API, which costs money and takes minutes; the vectors
    are kept in the segment store of `embeddings`, so that every later load of the same content with the same options
    is free. Add the documents to any vector store that uses the same `embeddings`; do not split them.

    A document's text begins with title, time range and option, and ends with a line that refers to its vector. Its id
    is a UUID, the same on every run. Its metadata has the same keys on every document: `segment_id`, `source`, `title`,
    `start_sec`, `end_sec` and `duration_sec` (float seconds; the last is that of the whole video), `segment_index`,
    `embedding_option`, `embedding_scope`, `model`, `space`; and `page_start`, `page_end`, `quadrant`, `chunk_index`,
    which are 0, 0, "" and -1 for video and audio.

    Setup:
        Install `twelvelabs-rag[langchain]` and set the environment variable `TWELVELABS_API_KEY`.

    Args:
        media: One video or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`. 4 s to 4 h,
            360x360 to 5184x2160 pixels, files to 4 GB (API reference and model page).
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too.
        segmentation: `DynamicSegmentation` (by shots; default, at least 4 s) or `FixedSegmentation`.
        embedding_option: Among `visual`, `audio`, `transcription` (marengo3.0 only). Default: all; each
            becomes a separate document.
        embedding_scope: Among `clip` (each segment), `asset` (the whole video). Default: only `clip`.
        embedding_type: Among `separate_embedding` (default), `fused_embedding`; with marengo3.5 the latter needs
            `time_based_metadata`.
        time_based_metadata: Additional text for the fused vectors of marengo3.5, the same for each video: a list of
            {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds.
        include_transcript: Whether a document's text includes the words spoken in the segment. They are fetched once
            and kept in the segment store. A URL becomes an asset of the API for this, which costs no embedding task. If
            the asset was deleted, a local file is uploaded again, and an `asset:<id>` gets no transcript. A video whose
            transcription is not ready after 15 minutes gets none either, with a warning. Ids and vectors are the same
            with and without it.
        start_sec: First second to embed. Default 0.
        end_sec: Last second. Default: the end.
        source: The name of a single video: metadata `source`. Default: the path as given, the URL without signature,
            `asset:<id>`. For several videos pass `Media.of(video, source=...)` each.
        version: For a URL: a new value means that its content has changed.
        metadata: Metadata of your own for every document: a dict, or a function that returns one by the `source` of a
            video, with the same keys for all, since many vector stores fix their schema. Values are str without NUL and
            lone surrogates, int of 64 bits, finite float or bool; keys of segments and moments, `pk` and keys that
            begin with `_` are refused. A video for which the function returns others, or raises, fails before anything
            is sent for it. Neither ids nor what is paid for depend on it.
        id_namespace: Changes the ids of the segments, for stores whose collections share ids (PGVector).
        keep_asset: False deletes each uploaded file at the API once its vectors and transcript are stored.
        check: Whether local files are checked before anything is sent: format, tracks, duration, resolution. False
            verifies only that they can be read, and the API decides.
        timeout: Longest time for one item in seconds, its upload included. Default: 7200 for its task.
        max_tasks: Maximum number of simultaneous embedding tasks, and of media paid for ahead of the consumer.
            Default: `max_concurrency` of `embeddings`. With hundreds of videos, 50 or more save hours.
        max_minutes: Most minutes of media for which tasks are created on this segment store within 24 hours, by all its
            processes. Videos that do not fit, or whose length is unknown, fail with `BudgetError`.
        max_cost: The same as money: `max_cost / price_per_minute` minutes.
        price_per_minute: What you pay for a minute, for `max_cost` and `plan`.
        on_error: How to handle failures among several media: `raise` (default) raises an error at the end that lists
            them, `skip` logs a warning. A function is called with each `twelvelabs_core.Failure` instead.
        show_progress: Whether to show progress on stderr: a bar, tqdm's if it is installed; a file gets one line.
        on_progress: Called with a `twelvelabs_core.Progress` at each step, also from other threads.

    For `embedding_uncertainty` of marengo3.5 use `twelvelabs_core.Client`: metadata cannot hold vectors.

    Raises:
        InputError: `media` has a wrong type, `source` is given for several, or the model does not support an option.

    Instantiate:
        ```python
        from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader

        embeddings = TwelveLabsEmbeddings()
        loader = TwelveLabsVideoLoader("match.mp4", embeddings=embeddings)
        ```

    Load:
        ```python
        add_segments(vector_store, loader.lazy_load())
        ```

    Async load:
        ```python
        documents = await loader.aload()
        ```
    """

    input_type = "video"


class TwelveLabsAudioLoader(TimedSegmentLoader):
    """Loads audio files as searchable moments: one `Document` per segment and option, with its times.

    Everything is as for `TwelveLabsVideoLoader`, except the media and these options.

    Args:
        media: One audio file or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3
            or FLAC, 4 s to 4 h, files to 4 GB (API reference and model page).
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too.
        segmentation: `FixedSegmentation`. Default 6 s.
        embedding_option: Among `audio` (sounds and music), `transcription` (spoken words). Default: both.
        embedding_scope: As for `TwelveLabsVideoLoader`.
        embedding_type: As for `TwelveLabsVideoLoader`.
        time_based_metadata: As for `TwelveLabsVideoLoader`; without effect on audio with marengo3.5.
        include_transcript: As for `TwelveLabsVideoLoader`.
        start_sec: As for `TwelveLabsVideoLoader`.
        end_sec: As for `TwelveLabsVideoLoader`.
        source: As for `TwelveLabsVideoLoader`.
        version: As for `TwelveLabsVideoLoader`.
        metadata: As for `TwelveLabsVideoLoader`.
        id_namespace: As for `TwelveLabsVideoLoader`.
        keep_asset: As for `TwelveLabsVideoLoader`.
        check: As for `TwelveLabsVideoLoader`.
        timeout: As for `TwelveLabsVideoLoader`.
        max_tasks: As for `TwelveLabsVideoLoader`.
        max_minutes: As for `TwelveLabsVideoLoader`.
        max_cost: As for `TwelveLabsVideoLoader`.
        price_per_minute: As for `TwelveLabsVideoLoader`.
        on_error: As for `TwelveLabsVideoLoader`.
        show_progress: As for `TwelveLabsVideoLoader`.
        on_progress: As for `TwelveLabsVideoLoader`.

    Raises:
        InputError: As for `TwelveLabsVideoLoader`.

    Example:
        ```python
        loader = TwelveLabsAudioLoader(["talk.mp3", "https://example.com/show.mp3"], embeddings=embeddings)
        add_segments(vector_store, loader.lazy_load())
        ```
    """

    input_type = "audio"
