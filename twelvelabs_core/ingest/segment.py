"""Long video and audio as segments: the operations that a user calls."""

from collections.abc import AsyncIterator, Iterable, Sequence

from twelvelabs_core.api.endpoints import EVERY_MODEL, GET_TASK, PAID_ONCE, POST_TASKS, calls
from twelvelabs_core.api.identity import content_of
from twelvelabs_core.base.checks import check_bool, check_count, check_timeout
from twelvelabs_core.base.errors import InputError, SegmentNotFoundError
from twelvelabs_core.base.progress import OnProgress, check_callback
from twelvelabs_core.ingest.documents import DocumentOperations
from twelvelabs_core.ingest.job import Work
from twelvelabs_core.ingest.plan import InputType, TaskPlan, check_transcript, task_plan
from twelvelabs_core.ingest.report import FailureReport, OnError
from twelvelabs_core.media.source import Media, MediaInput, is_one, many
from twelvelabs_core.media.validate import check_readable
from twelvelabs_core.models.options import SegmentOptions, TimeBasedMetadata
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.records import SegmentedMedia, SegmentRecord
from twelvelabs_core.results.segments import Matrix


class SegmentOperations(DocumentOperations):
    """Turns long video and audio into stored segments."""

    @calls(POST_TASKS, GET_TASK, also=PAID_ONCE, models=EVERY_MODEL)
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
        include_transcript: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the segments of a video, embedded by an asynchronous task once and never again.

        The same content with the same options comes from the segment store without a request; a task that an earlier
        run began is waited for. A local file is uploaded as an asset, the same bytes once for all their tasks; above
        200 MB in chunks, of which a run after a crash sends only those that are missing. A URL is fetched by the API.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`, to 4 GB; with marengo3.0 4 s to 4 h, 360x360
                to 5184x2160 pixels, 1:1 to 2.4:1 lying or standing (reference, model page).
            source: The name to know it by. Default: the path as given, the URL without signature, `asset:<id>`.
            version: For a URL: a new value means that the film behind it changed.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.
            segmentation: `DynamicSegmentation` (default: 4 s, with marengo3.5 2 s) or `FixedSegmentation`.
            embedding_option: `visual`, `audio`, `transcription` (marengo3.0 only; `audio` of marengo3.5 covers
                speech). Default all.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both; fused takes two options, and
                with marengo3.5 `time_based_metadata`.
            time_based_metadata: Text of your own for the fused vectors of marengo3.5: a list of
                {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds of the film; `start` may equal `end`.
            embedding_uncertainty: Return also how unsure the model is of each value; scope is then `clip` alone.
                marengo3.5.
            timeout: Longest wait for the task in seconds. Default: the settings' `task_timeout`.
            keep_asset: False deletes the uploaded file at the API once its segments are stored, or its task failed,
                unless another task of the same bytes is under way. An `asset:<id>` is never deleted.
            include_transcript: Also fetch the words spoken in it, once: each record's `body` has its segment's. Local
                bytes are an asset for that; a URL becomes one, which costs no task; if the asset is gone, local bytes
                are uploaded again. Where the API has no words, or not within 15 minutes, there are none, and a warning;
                later runs look for late ones once, without waiting, as long as the asset is kept.
            on_progress: Called with a `Progress` at each step.

        Returns:
            A `SegmentedMedia`.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            TaskFailedError: The task failed; the message has the server's reason.
            TaskTimeoutError: It was not ready in time; the next run goes on waiting for the same task.
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
            model=self.model,
        )
        media = await self._io.blocking(lambda: Media.of(video, source=source, version=version))
        return await self._segment(Work(media, options, timeout, on_progress, keep_asset, include_transcript))

    @calls(POST_TASKS, GET_TASK, also=PAID_ONCE, models=EVERY_MODEL)
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
        include_transcript: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the segments of audio, embedded by an asynchronous task once and never again.

        Everything is as for `segment_video`, but for the media and the options.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`, to 4 GB; with marengo3.0 4 s to 4 h, WAV,
                MP3 or FLAC (reference, model page).
            source: The name to know it by. Default: the path as given, the URL without signature, `asset:<id>`.
            version: For a URL: a new value means that the audio behind it changed.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.
            segmentation: `FixedSegmentation` (default with marengo3.0, 6 s), or with marengo3.5 also
                `DynamicSegmentation` (default there, 2 s).
            embedding_option: `audio`, `transcription`; default both. marengo3.5: `audio`, which covers speech.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both; fused takes two options.
            time_based_metadata: For fused vectors of marengo3.5, as for video; audio alone has none.
            embedding_uncertainty: Return also how unsure the model is of each value; scope is then `clip` alone.
                marengo3.5.
            timeout: Longest wait for the task in seconds. Default: the settings' `task_timeout`.
            keep_asset: False deletes the uploaded file at the API once its segments are stored, or its task failed,
                unless another task of the same bytes is under way. An `asset:<id>` is never deleted.
            include_transcript: As for `segment_video`.
            on_progress: Called with a `Progress` at each step.

        Returns:
            A `SegmentedMedia`.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            TaskFailedError: The task failed; the message has the server's reason.
            TaskTimeoutError: It was not ready in time; the next run goes on waiting for the same task.
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
            model=self.model,
        )
        media = await self._io.blocking(lambda: Media.of(audio, source=source, version=version))
        return await self._segment(Work(media, options, timeout, on_progress, keep_asset, include_transcript))

    @calls(POST_TASKS, GET_TASK, also=PAID_ONCE, models=EVERY_MODEL)
    def segment_many(
        self,
        media: Iterable[MediaInput],
        *,
        input_type: InputType | Sequence[InputType] = "video",
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | Sequence[Segmentation] | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        include_transcript: bool = False,
        max_tasks: int | None = None,
        on_error: OnError = "raise",
        on_progress: OnProgress | None = None,
    ) -> AsyncIterator[SegmentedMedia]:
        """Iterate over many media as their tasks end, at most `max_tasks` on their way at once.

        One bad source does not stop the others. Closing the iterator stops new work; what was begun is in the journal.

        Args:
            media: Any number of media; `Media.of(value, source=..., version=...)` names one. Two URLs under one name
                that may be two films are refused: their results could not be told apart.
            input_type: `video` or `audio`; with marengo3.5 also `document` or `image`. Or a list of them: each medium
                is what its name, else its first bytes, say.
            start_sec: As for `segment_video`, for each; audio and video only.
            end_sec: As for `segment_video`, for each; audio and video only.
            segmentation: As for `segment_video` or `segment_document`. With several input types, or as a list, each
                medium takes the one that suits it, else the default.
            embedding_option: As for `segment_video` or `segment_document`.
            embedding_scope: As for `segment_video` or `segment_document`.
            embedding_type: As for `segment_video`.
            time_based_metadata: As for `segment_video`, the same for each.
            embedding_uncertainty: As for `segment_video` or `segment_document`.
            timeout: Longest wait for each task in seconds. Default: the settings' `task_timeout`.
            keep_asset: As for `segment_video`, for each.
            include_transcript: As for `segment_video`, for each; audio and video only.
            max_tasks: Most media on their way at once, and so the most that is paid for ahead of the consumer. Default:
                the settings' `max_concurrency`. Tasks take minutes: with hundreds of media, 50 and more save hours;
                `max_concurrent_requests` then bounds what is sent at once.
            on_error: What is done at the end when some failed: `raise` (default) an error that lists them, or `skip`
                them with a warning in the log. A function is called with each `Failure` as it happens instead.
            on_progress: Called with a `Progress` at each step of each.

        Yields:
            A `SegmentedMedia` each, in the order in which they become ready.

        Raises:
            InputError: An option cannot be used; nothing was sent.
            IngestionError: At the end, when some failed: each with its reason and task id. A single source raises
                its own error instead.
            AuthenticationError: At once, when the key is refused: no other medium would fare better.
            ConfigurationError: At once, when the segment store cannot be used.
        """
        if is_one(media):
            raise InputError("segment_many takes a list of media; for one, use segment_video or its like.")
        plan = task_plan(
            input_type,
            self.model,
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            embedding_uncertainty=embedding_uncertainty,
        )
        check_transcript(include_transcript, plan.kinds)
        check_bool("keep_asset", keep_asset)
        check_callback(on_progress, "on_progress")
        report = FailureReport(on_error)
        limit = self.settings.max_concurrency if max_tasks is None else check_count("max_tasks", max_tasks)
        if timeout is not None:
            check_timeout(timeout)
        how = (timeout, on_progress, keep_asset, include_transcript)
        return self._segment_many(media, plan, how, report, limit)

    @calls()
    async def register(self, media: SegmentedMedia, *, id_namespace: str | None = None) -> list[SegmentRecord]:
        """Return a medium's records, and let their ids be found in the segment store from now on.

        Args:
            media: What `segment_video`, `segment_audio` or `segment_many` returned.
            id_namespace: Makes other ids for the same segments.

        Returns:
            One `SegmentRecord` per segment, in their order.
        """
        records = media.records(id_namespace)
        rows = [(record.segment_id, row) for row, record in enumerate(records)]
        await self._io.blocking(lambda: self.store.add_aliases(media.task_key, rows, source=media.source))
        return records

    @calls()
    async def content_of(self, media: MediaInput) -> str:
        """Return the identity of a medium's content, by which paid work is found again; nothing is sent to the API.

        Args:
            media: A path, URL, bytes, binary file object or `asset:<id>`; `Media.of(value, version=...)` names the
                state of a URL.

        Returns:
            The SHA-256 of local bytes (read only when the file changed since the last time), the asset's id, or the
            URL without signature and what its host says of its state (a HEAD request, without the key); where it says
            nothing, a digest of what was left out of the URL but may name the film.

        Raises:
            InputError: Nothing that media can come from, or no such file.
        """
        item = await self._io.blocking(lambda: Media.of(media))
        await self._io.blocking(lambda: check_readable(item))
        return await content_of(item, self.store, self._io)

    @calls()
    async def find_vectors(self, segment_ids: Sequence[str]) -> list[Matrix]:
        """Return the stored vectors of registered segments; nothing is sent.

        Args:
            segment_ids: Ids, as in metadata or reference lines.

        Returns:
            One float32 array of shape (dimension,) per id, in their order.

        Raises:
            SegmentNotFoundError: One of them is not in this client's store.
            InputError: One of them belongs to another vector space.
        """
        ids = many(segment_ids, "segment_ids")
        found = await self._io.blocking(lambda: self.store.find_vectors(ids))
        for segment_id in ids:
            if segment_id not in found:
                raise SegmentNotFoundError(
                    f"segment {segment_id} is not in the segment store {self.store.location}. Load its video again, "
                    "or pass the store that it was loaded with (segment_store=..., or TWELVELABS_STORE)."
                )
            if found[segment_id].space != self.space:
                raise InputError(
                    f"segment {segment_id} lives in the space {found[segment_id].space}, but this client in "
                    f"{self.space}: their vectors are not comparable. Use the model and key it was made with, "
                    "or load the video again into a collection of its own."
                )
        return [found[segment_id].vector for segment_id in ids]

    async def _segment_many(
        self,
        media: Iterable[MediaInput],
        plan: TaskPlan,
        how: tuple[float | None, OnProgress | None, bool, bool],
        report: FailureReport,
        limit: int,
    ) -> AsyncIterator[SegmentedMedia]:
        async def one(value: MediaInput) -> SegmentedMedia:
            item = await self._io.blocking(lambda: Media.of(value))
            options = await self._io.blocking(lambda: plan.options(item))
            return await self._segment(Work(item, options, *how))

        outcomes = self._io.as_completed(one, media, limit)
        try:
            async for outcome in outcomes:
                if outcome.result is not None:
                    report.succeeded.append(outcome.result.source)
                    yield outcome.result
                elif outcome.error is not None:
                    report.add(outcome.item, outcome.error)
        finally:
            await outcomes.aclose()  # type: ignore[attr-defined]
        report.close()
