"""The `segment_*` methods of the client: media as stored segments, paid for once."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from twelvelabs_core.api.tasks import document_options
from twelvelabs_core.base.checks import check_bool, check_count
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.progress import OnProgress
from twelvelabs_core.ingest.batch import FailureReport, OnError, segment_all
from twelvelabs_core.ingest.budget import budget_of
from twelvelabs_core.ingest.job import Ingestion
from twelvelabs_core.ingest.named_vectors import vectors_of_ids, vectors_of_texts
from twelvelabs_core.ingest.plan import InputType, Segmentations, check_transcript, plan_tasks
from twelvelabs_core.ingest.run import RunOptions
from twelvelabs_core.media.source import Media, MediaInput, is_one, many
from twelvelabs_core.media.validate import check_readable, check_text
from twelvelabs_core.models.marengo import EmbeddingModel
from twelvelabs_core.models.options import ImageOptions, SegmentOptions, TimeBasedMetadata
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.records import SegmentedMedia, SegmentRecord
from twelvelabs_core.results.segments import Matrix
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore


class SegmentMethods:
    """The methods of `AsyncClient` that embed media as stored segments; their state is the client's."""

    _session: Session
    _embedding_model: EmbeddingModel
    _ingestion: Ingestion
    _open_store: "Callable[[], SegmentStore]"

    async def segment_video(
        self,
        video: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        check: bool = True,
        include_transcript: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the segments of a video, embedded by an asynchronous task that is paid for once.

        The same content with the same options comes from the segment store without a request. A task that an earlier
        run created is waited for. A local file is uploaded as an asset, once for all its tasks; above 200 MB in chunks,
        so that a run after a crash sends only the missing ones. The API fetches a URL itself.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`, up to 4 GB; with marengo3.0 4 s to 4 h, 360x360
                to 5184x2160 pixels, aspect ratio 1:1 to 2.4:1, landscape or portrait (reference, model page).
            source: The name of the video. Default: the path as given, the URL without signature, `asset:<id>`.
            version: For a URL: a new value means that the video at the URL changed.
            start_sec: First second to embed. Default 0.
            end_sec: Last second to embed. Default: the end.
            segmentation: `DynamicSegmentation` (default: 4 s, with marengo3.5 2 s) or `FixedSegmentation`.
            embedding_option: `visual`, `audio`, `transcription` (marengo3.0 only; `audio` of marengo3.5 covers
                speech). Default: all.
            embedding_scope: `clip` (each segment), `asset` (the whole video). Default: both; a task has both anyway.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both. Fused needs two options, and
                with marengo3.5 `time_based_metadata`.
            time_based_metadata: Your own text for the fused vectors of marengo3.5: a list of
                {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds of the video; `start` may equal `end`.
            embedding_uncertainty: Also return the uncertainty of each value; the scope is then `clip` only.
                marengo3.5.
            timeout: Longest time for the whole call in seconds, uploads included. Default: only the task is limited, by
                the settings' `task_timeout`.
            keep_asset: False deletes the uploaded file at the API once its segments are stored or its task failed,
                unless another task of the same file is unfinished. An `asset:<id>` is never deleted.
            check: Whether local media are checked before anything is sent: format, tracks, duration, resolution. False
                verifies only that they can be read, and the API decides.
            include_transcript: Also fetch the words spoken in the video, once: the `body` of each record has those of
                its segment. A URL becomes an asset for this, and a deleted asset of a local file is uploaded again;
                neither costs a task. Without words at the API, or after 15 minutes of waiting, a warning is logged and
                there are none; later runs request them once more while the asset exists.
            on_progress: Called with a `Progress` at each step.

        Returns:
            A `SegmentedMedia`.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            TaskFailedError: The task failed; the message has the server's reason.
            TaskTimeoutError: The task was not ready in time; the next run waits for the same task.
        """
        options = SegmentOptions.of(
            "video",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            embedding_uncertainty=embedding_uncertainty,
            model=self._embedding_model.name,
        )
        media = await self._session.io.blocking(lambda: Media.of(video, source=source, version=version, check=check))
        run = RunOptions(timeout, on_progress, keep_asset, include_transcript)
        return await self._ingestion.segment(media, options, run)

    async def segment_audio(
        self,
        audio: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        check: bool = True,
        include_transcript: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the segments of audio, embedded by an asynchronous task that is paid for once.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`, up to 4 GB; with marengo3.0 4 s to 4 h, WAV,
                MP3 or FLAC (reference, model page).
            source: As for `segment_video`.
            version: As for `segment_video`.
            start_sec: As for `segment_video`.
            end_sec: As for `segment_video`.
            segmentation: `FixedSegmentation` (default with marengo3.0, 6 s), with marengo3.5 also
                `DynamicSegmentation` (default there, 2 s).
            embedding_option: `audio`, `transcription`. Default: both. marengo3.5: `audio`, which covers speech.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default: both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both. Fused needs two options.
            time_based_metadata: As for `segment_video`; audio of marengo3.5 has no fused vectors.
            embedding_uncertainty: As for `segment_video`.
            timeout: As for `segment_video`.
            keep_asset: As for `segment_video`.
            check: As for `segment_video`.
            include_transcript: As for `segment_video`.
            on_progress: As for `segment_video`.

        Returns:
            A `SegmentedMedia`.
        """
        options = SegmentOptions.of(
            "audio",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            embedding_uncertainty=embedding_uncertainty,
            model=self._embedding_model.name,
        )
        media = await self._session.io.blocking(lambda: Media.of(audio, source=source, version=version, check=check))
        run = RunOptions(timeout, on_progress, keep_asset, include_transcript)
        return await self._ingestion.segment(media, options, run)

    async def segment_document(
        self,
        document: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        check: bool = True,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the pages of a PDF or the chunks of a text, embedded by a task that is paid for once (marengo3.5).

        Everything is as for `segment_video`, except the file and these options. The API offers these pairs of option
        and scope (API reference): for a PDF `visual` with `local` (each page; default), `visual` with `asset` (the
        whole), `text` with `asset`; for text `text` with `asset` (default), `text` with `local` (each chunk).

        Args:
            document: Path, URL, bytes, binary file object or `asset:<id>`: PDF, text (.txt) or Markdown (.md), at most
                512 MB (API reference); an upload at most 200 MB. A PDF may have 64 pages for each MB, `quadrants`
                counting each page five times: the API counts, and the task fails.
            source: As for `segment_video`.
            version: As for `segment_video`.
            segmentation: `SpatialSegmentation` of a PDF (default: whole pages), or `SequentialSegmentation` of text,
                which scope `local` needs.
            embedding_option: `visual`, `text`. Default: `visual` for a PDF, `text` for text. Required for an asset, or
                a URL without a known ending.
            embedding_scope: `local` (each page or chunk), `asset` (the whole). Default: `local` for the pages of a PDF
                and where a segmentation is given, else `asset`.
            embedding_uncertainty: Also return the uncertainty of each value; for chunks of text only.
            timeout: As for `segment_video`.
            keep_asset: As for `segment_video`.
            check: As for `segment_video`.
            on_progress: As for `segment_video`.

        Returns:
            A `SegmentedMedia`; its segments have a page or chunk, and no times.

        Raises:
            InputError: The file or an option cannot be used, or the model has no documents; nothing was sent.
        """
        self._embedding_model.rules.rules("document")
        io = self._session.io
        media = await io.blocking(lambda: Media.of(document, source=source, version=version, check=check))
        options = await io.blocking(
            lambda: document_options(
                media,
                self._embedding_model.name,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_uncertainty=embedding_uncertainty,
            )
        )
        return await self._ingestion.segment(media, options, RunOptions(timeout, on_progress, keep_asset))

    async def segment_image(
        self,
        image: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        check: bool = True,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the one vector of an image, embedded by a task that is paid for once (marengo3.5).

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`; at most 32 MB (API reference).
            source: As for `segment_video`.
            version: As for `segment_video`.
            embedding_uncertainty: Also return the uncertainty of each value.
            timeout: As for `segment_video`.
            keep_asset: As for `segment_video`.
            check: As for `segment_video`.
            on_progress: As for `segment_video`.

        Returns:
            A `SegmentedMedia` of one segment: option `visual`, scope `asset`.

        Raises:
            InputError: The file cannot be used, or the model has no image tasks; nothing was sent.
        """
        options = ImageOptions.of(embedding_uncertainty=embedding_uncertainty, model=self._embedding_model.name)
        media = await self._session.io.blocking(lambda: Media.of(image, source=source, version=version, check=check))
        return await self._ingestion.segment(media, options, RunOptions(timeout, on_progress, keep_asset))

    def segment_many(
        self,
        media: Iterable[MediaInput],
        *,
        input_type: InputType | Sequence[InputType] = "video",
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentations | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        check: bool = True,
        include_transcript: bool = False,
        max_tasks: int | None = None,
        max_minutes: float | None = None,
        max_cost: float | None = None,
        price_per_minute: float | None = None,
        on_error: OnError = "raise",
        on_progress: OnProgress | None = None,
    ) -> AsyncIterator[SegmentedMedia]:
        """Iterate over multiple media as their tasks end, with at most `max_tasks` unfinished at once.

        One failed item does not stop the others, whatever its error is. Closing the iterator starts no more work;
        the journal keeps what was begun. Arguments that are not listed are those of `segment_video`, for each.

        Args:
            media: Any number of media; `Media.of(value, source=..., version=...)` names one.
            input_type: `video` or `audio`; with marengo3.5 also `document` or `image`. Or a list of them: each
                item has the type that its name, else its first bytes, show.
            start_sec: First second to embed; audio and video only, as `end_sec`, `time_based_metadata` and
                `include_transcript`.
            end_sec: As for `segment_video`.
            segmentation: As for `segment_video` or `segment_document`. With multiple input types, or as a list, each
                item uses the one that applies to it, else the default.
            embedding_option: As for `segment_video` or `segment_document`; so are scope and uncertainty.
            embedding_scope: As for `segment_video`.
            embedding_type: As for `segment_video`.
            time_based_metadata: As for `segment_video`.
            embedding_uncertainty: As for `segment_video`.
            timeout: As for `segment_video`.
            keep_asset: As for `segment_video`.
            check: As for `segment_video`.
            include_transcript: As for `segment_video`.
            max_tasks: Most unfinished media at once, and so the most that is paid for ahead of the consumer. Default:
                the settings' `max_concurrency`. Tasks take minutes: with hundreds of media, 50 and more save hours;
                `max_concurrent_requests` then limits the requests.
            max_minutes: Most minutes of audio and video for which tasks are created on this segment store within 24
                hours, by all its processes. Media that do not fit, or whose length is unknown, fail with `BudgetError`.
            max_cost: The same as money: `max_cost / price_per_minute` minutes.
            price_per_minute: What you pay for a minute, for `max_cost`.
            on_error: What happens at the end if media failed: `raise` (default) an error that lists them, or `skip`
                them with a warning in the log. A function is called with each `Failure` as it happens instead.
            on_progress: Called with a `Progress` at each step of each item.

        Yields:
            A `SegmentedMedia` each, in the order in which they become ready.

        Raises:
            InputError: An option cannot be used; nothing was sent.
            IngestionError: At the end, if media failed: each with its reason and task id. A single item raises its
                own error instead.
            AuthenticationError: At once, when the API refuses the key.
            ConfigurationError: At once, when the segment store cannot be used.
        """
        if is_one(media):
            raise InputError("segment_many takes a list of media; for one, use segment_video or a sibling method.")
        plan = plan_tasks(
            input_type,
            self._embedding_model.name,
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            embedding_uncertainty=embedding_uncertainty,
        )
        check_transcript(include_transcript, plan.input_types)
        budget = budget_of(max_minutes, max_cost, price_per_minute)
        run = RunOptions(timeout, on_progress, keep_asset, include_transcript, budget)
        report = FailureReport(on_error)
        limit = self._session.settings.max_concurrency if max_tasks is None else check_count("max_tasks", max_tasks)
        check_bool("check", check)
        return segment_all(self._session.io, self._ingestion, media, plan, run, report=report, limit=limit, check=check)

    async def register(self, media: SegmentedMedia, *, id_namespace: str | None = None) -> list[SegmentRecord]:
        """Return the records of one item, and register their ids in the segment store.

        Args:
            media: What `segment_video`, `segment_audio` or `segment_many` returned.
            id_namespace: Derives other ids for the same segments.

        Returns:
            One `SegmentRecord` per segment, in their order.
        """

        def add() -> list[SegmentRecord]:
            records = media.records(id_namespace)
            numbers = range(len(records)) if media.rows is None else media.rows
            rows = [(record.segment_id, row) for row, record in zip(numbers, records, strict=True)]
            store = self._open_store()
            store.add_aliases(media.task_key, rows, source=media.source, title=media.title, is_new=not media.reused)
            return records

        return await self._session.io.blocking(add)

    async def content_of(self, media: MediaInput) -> str:
        """Return the content identity of media, by which paid work is found again; nothing is sent to the API.

        Args:
            media: A path, URL, bytes, binary file object or `asset:<id>`; `Media.of(value, version=...)` states the
                version of a URL.

        Returns:
            The SHA-256 of local bytes (read only when the file changed since the last time), the asset's id, or the
            URL without signature and with the ETag or Last-Modified of its host (a HEAD request without the key, or a
            GET request for one byte where the host refuses HEAD).

        Raises:
            InputError: The value is not media, or the file does not exist.
        """
        io = self._session.io
        item = await io.blocking(lambda: Media.of(media))
        await io.blocking(lambda: check_readable(item))
        return await self._ingestion.content_of(item)

    async def find_vectors(self, segment_ids: Sequence[str]) -> list[Matrix]:
        """Return the stored vectors of registered segments; nothing is sent.

        Args:
            segment_ids: Ids, as in metadata or reference lines.

        Returns:
            One float32 array of shape (dimension,) per id, in their order.

        Raises:
            SegmentNotFoundError: An id is not in this client's segment store.
            InputError: An id belongs to another vector space.
        """
        ids = many(segment_ids, "segment_ids")
        return await self._session.io.blocking(lambda: vectors_of_ids(ids, self._open_store(), self._ingestion.space))

    async def find_vectors_by_text(self, texts: Sequence[str], *, as_query: bool = False) -> list[Matrix | None]:
        """Return the stored vectors of those texts that are documents of registered segments; nothing is sent.

        For embeddings objects of frameworks, which get only the text of a document. A text is believed to be the
        document of a segment if it has the segment's id (as a reference line, or as LlamaIndex's metadata line) and
        its head line, title and position as they were registered; text around them changes nothing.

        Args:
            texts: Any texts, each with at least one character that is not white space.
            as_query: Whether the texts are queries, which are never refused for being a part of a document.

        Returns:
            One float32 array of shape (dimension,) for each such text, and None for any other, in their order.

        Raises:
            InputError: A text is empty or is a part of a segment's document, or its vector is of another space; the
                message has its position.
            SegmentNotFoundError: The whole document of a segment that is not in this client's segment store.
        """
        given = many(texts, "texts")

        def find() -> list[Matrix | None]:
            checked = [
                check_text(text, "the query" if as_query else f"texts[{index}]") for index, text in enumerate(given)
            ]
            return vectors_of_texts(checked, self._open_store, self._ingestion.space, as_query=as_query)

        return await self._session.io.blocking(find)
