"""The resource `/embed-v2/tasks`: asynchronous embedding tasks of audio, video, documents and images."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from twelvelabs_core.api import requests
from twelvelabs_core.api.assets import AsyncAssets
from twelvelabs_core.api.embed_media import check_timed_media
from twelvelabs_core.api.task_polling import TaskCallback, TaskPoller
from twelvelabs_core.base.errors import APIResponseError, InputError
from twelvelabs_core.base.progress import check_callback
from twelvelabs_core.media.inspect import Probe, document_kind
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.media.validate import check_document, check_image
from twelvelabs_core.models.marengo import EmbeddingModel
from twelvelabs_core.models.options import (
    DocumentOptions,
    ImageOptions,
    SegmentOptions,
    TaskOptions,
    TimeBasedMetadata,
)
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.responses import Task, TaskSummary, page_parser, parse_created_task, parse_task
from twelvelabs_core.transport.body import Call, Reply, json_body
from twelvelabs_core.transport.session import Session, path_part

if TYPE_CHECKING:
    from twelvelabs_core.transport.rate_limit import Permit

_PATH = "/embed-v2/tasks"


class AsyncTasks:
    """The account's embedding tasks, as `AsyncClient.tasks`.

    Example:
        ```python
        async with AsyncClient() as client:
            task = await client.tasks.create_video("match.mp4")
            ready = await client.tasks.wait(task.id)
            print(ready.segments.vectors.shape)
        ```
    """

    def __init__(self, session: Session, embedding_model: EmbeddingModel, assets: AsyncAssets) -> None:
        self._session = session
        self._embedding_model = embedding_model
        self._assets = assets
        self._poller = TaskPoller(session, self.retrieve, self.list_processing)

    async def create_audio(
        self,
        audio: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        check: bool = True,
    ) -> Task:
        """Create a task that embeds audio (marengo3.0: 4 s to 4 h). Each call is billed; see `segment_audio`.

        A local file is uploaded as an asset first.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`; with marengo3.0 WAV, MP3 or FLAC (model page).
            start_sec: First second to embed. Default 0.
            end_sec: Last second to embed. Default: the end.
            segmentation: `FixedSegmentation` (default with marengo3.0, 6 s), or with marengo3.5 also
                `DynamicSegmentation` (default there, 2 s).
            embedding_option: `audio`, `transcription`; default both. marengo3.5: `audio`, which covers speech.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both; fused takes two options.
            time_based_metadata: For fused vectors of marengo3.5, as for video; audio alone has none.
            embedding_uncertainty: Also return the uncertainty of each value; the scope is then `clip` alone.
                marengo3.5.
            check: As for `segment_video`.

        Returns:
            The `Task`, `processing`.

        Raises:
            InputError: The media or an option cannot be used; no request was sent.
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
        return await self._create(audio, options, check=check)

    async def create_video(
        self,
        video: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        check: bool = True,
    ) -> Task:
        """Create a task that embeds video (marengo3.0: 4 s to 4 h). Each call is billed; see `segment_video`.

        A local file is uploaded as an asset first.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`; with marengo3.0 360x360 to 5184x2160 pixels,
                1:1 to 2.4:1, landscape or portrait (model page).
            start_sec: First second to embed. Default 0.
            end_sec: Last second to embed. Default: the end.
            segmentation: `DynamicSegmentation` (default: 4 s, with marengo3.5 2 s) or `FixedSegmentation`.
            embedding_option: `visual`, `audio`, `transcription` (marengo3.0 only; `audio` of marengo3.5 covers
                speech). Default all.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both; fused takes two options, and
                with marengo3.5 `time_based_metadata`.
            time_based_metadata: Your own text for the fused vectors of marengo3.5: a list of
                {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds of the video; `start` may equal `end`.
            embedding_uncertainty: Also return the uncertainty of each value; the scope is then `clip` alone.
                marengo3.5.
            check: As for `segment_video`.

        Returns:
            The `Task`, `processing`.

        Raises:
            InputError: The media or an option cannot be used; no request was sent.
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
        return await self._create(video, options, check=check)

    async def create_document(
        self,
        document: MediaInput,
        *,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        check: bool = True,
    ) -> Task:
        """Create a task that embeds a document (marengo3.5). Each call is billed; see `segment_document`.

        A local file is uploaded as an asset first.

        Args:
            document: As for `segment_document`.
            segmentation: As for `segment_document`.
            embedding_option: As for `segment_document`.
            embedding_scope: As for `segment_document`.
            embedding_uncertainty: As for `segment_document`.
            check: As for `segment_video`.

        Returns:
            The `Task`, `processing`.

        Raises:
            InputError: The file or an option cannot be used, or the model does not accept documents; no request was
                sent.
        """
        model = self._embedding_model
        model.rules.rules("document")

        def read() -> tuple[Media, DocumentOptions]:
            media = Media.of(document, check=check)
            options = document_options(
                media,
                model.name,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_uncertainty=embedding_uncertainty,
            )
            return media, options

        return await self._create(*await self._session.io.blocking(read))

    async def create_image(self, image: MediaInput, *, embedding_uncertainty: bool = False, check: bool = True) -> Task:
        """Create a task that embeds an image (marengo3.5). Each call is billed; see `segment_image`.

        A local file is uploaded as an asset first. `embed_image` embeds an image in one request.

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`; at most 32 MB (API reference).
            embedding_uncertainty: Also return the uncertainty of each value.
            check: As for `segment_video`.

        Returns:
            The `Task`, `processing`.

        Raises:
            InputError: The file cannot be used, or the model has no image tasks; no request was sent.
        """
        options = ImageOptions.of(embedding_uncertainty=embedding_uncertainty, model=self._embedding_model.name)
        return await self._create(image, options, check=check)

    async def retrieve(self, task_id: str) -> Task:
        """Return the current state of a task, with its vectors if it is ready.

        Args:
            task_id: The task's id.

        Returns:
            The `Task`; `segments` is None unless it is `ready`.

        Raises:
            NotFoundError: The task does not exist, or its result has expired after seven days.
        """
        call = Call(f"retrieve task {task_id}", "GET", f"{_PATH}/{path_part(task_id, 'task')}")
        task = parse_task(await self._session.send_for_vectors(call))
        check_task_id(task, task_id)
        return task

    async def list(
        self,
        *,
        status: str | None = None,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
    ) -> AsyncIterator[TaskSummary]:
        """Iterate over the account's tasks, newest first; pages are requested as needed.

        Args:
            status: Only `processing`, `ready` or `failed` tasks.
            started_at: Only tasks created after this time, which needs a time zone. Default: seven days ago.
            ended_at: Only tasks created before this time, which needs a time zone.

        Raises:
            InputError: An unknown status, or a time without a time zone; no request was sent.
        """
        call = Call("list embedding tasks", "GET", _PATH)
        async for task in list_tasks(self._session, call, status, started_at, ended_at):
            yield task

    async def wait(self, task_id: str, *, timeout: float | None = None, callback: TaskCallback | None = None) -> Task:
        """Wait until a task is ready.

        While a client waits for several tasks, one request for the list of processing tasks answers for up to fifty
        of them, so that many concurrent calls need few requests.

        Args:
            task_id: The task's id.
            timeout: Longest wait in seconds. Default: the settings' `task_timeout`.
            callback: Called with the `Task` after each polling request.

        Returns:
            The ready `Task`, with its `segments`.

        Raises:
            TaskFailedError: The task failed; the message has the API's reason.
            TaskTimeoutError: It was not ready within the time limit; the API continues to process it.
            NotFoundError: The task does not exist, or its result has expired after seven days.
        """
        check_callback(callback, "callback")
        return await self._poller.wait(task_id, timeout, callback)

    async def wait_for_new(self, task_id: str, timeout: float | None) -> Task:
        """Wait until a task that was created just now is ready; polled after a delay. For other modules of the core."""
        return await self._poller.wait(task_id, timeout, is_new=True)

    async def poll(self, task_id: str) -> Task:
        """Return a task that is ready, else raise at once what `wait` would. For other modules of the core."""
        return await self._poller.poll(task_id)

    def list_processing(self) -> AsyncIterator[TaskSummary]:
        """Iterate over the processing tasks. For other modules of the core."""
        return list_tasks(self._session, Call("list embedding tasks", "GET", _PATH), "processing")

    def check(self, media: Media, options: TaskOptions) -> Probe | None:
        """Check media against the limits of their type; reads local media. For other modules of the core.

        Returns:
            The properties of local audio or video, where they could be determined.
        """
        rules = self._embedding_model.rules
        if isinstance(options, SegmentOptions):
            return check_timed_media(media, options, rules, task=True)
        if options.input_type == "image":
            check_image(media, rules)
        else:
            check_document(media)
        return None

    async def start(
        self,
        media: Media,
        options: TaskOptions,
        *,
        note: Callable[[Task], Awaitable[None]] | None = None,
        permit: "Permit | None" = None,
    ) -> Task:
        """Create the task of media that the API can read. For other modules of the core.

        The request is not repeated once it may have arrived.

        Args:
            media: A URL or an asset.
            options: How to embed it.
            note: Called with the created task, also if the caller is cancelled during the request.
            permit: A rate-limit permit that was acquired for this request. Default: one is acquired.
        """

        async def parse_and_note(reply: Reply) -> None:
            if note is not None:
                await note(parse_created_task(reply.body))

        body = requests.with_model_fields(
            requests.segments_request(self._embedding_model.name, media, options),
            self._embedding_model,
            embedding_uncertainty=options.embedding_uncertainty,
        )
        call = Call(
            f"create the embedding task of {media.source}",
            "POST",
            _PATH,
            body=json_body(body),
            repeatable=False,
            category=options.input_type,
            note=None if note is None else parse_and_note,
            permit=permit,
        )
        return parse_created_task((await self._session.send(call)).body)

    async def _create(self, value: MediaInput, options: TaskOptions, *, check: bool = True) -> Task:
        def checked() -> Media:
            media = Media.of(value, check=check)
            self.check(media, options)
            return media

        media = await self._session.io.blocking(checked)
        if media.is_local:
            media = await self._assets.as_ready_asset(media, options.input_type)
        await self._session.wait_for_rate_limiter()
        return await self.start(media, options)


def document_options(media: Media, model: str, **arguments: Any) -> DocumentOptions:
    """Return the checked options of one document, whose kind its name or first bytes show."""
    try:
        return DocumentOptions.of(document_kind(media), model=model, **arguments)
    except InputError as error:
        raise InputError(f"{media.source}: {error}") from None


def check_task_id(task: Task | TaskSummary, task_id: str) -> None:
    """Refuse an answer that describes another task."""
    if task.id != task_id:
        raise APIResponseError(
            f"could not retrieve task {task_id}: the API returned task {task.id}; the answer was discarded."
        )


def list_tasks(
    session: Session,
    call: Call,
    status: str | None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> AsyncIterator[TaskSummary]:
    """Iterate over the tasks of a list, filtered as by `AsyncTasks.list`."""
    if status not in (None, "processing", "ready", "failed"):
        raise InputError(f"status must be one of processing, ready, failed; got {status!r}.")
    filters: dict[str, str] = {} if status is None else {"status": status}
    for name, time in (("started_at", started_at), ("ended_at", ended_at)):
        if time is None:
            continue
        if not isinstance(time, datetime) or time.tzinfo is None:
            raise InputError(f"{name} must be a datetime with a time zone, such as datetime.UTC; got {time!r}.")
        # Whole seconds, as documented, rounded so that the range does not shrink.
        rounded = time + timedelta(seconds=1) if name == "ended_at" and time.microsecond else time
        filters[name] = rounded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return session.pages(call, page_parser(TaskSummary), filters)
