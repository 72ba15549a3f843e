"""Asynchronous embedding tasks, `/embed-v2/tasks`: create, look, list, wait."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from twelvelabs_core.api import requests
from twelvelabs_core.api.embed_media import EmbedMediaOperations
from twelvelabs_core.api.endpoints import AS_ASSET, EVERY_MODEL, GET_TASK, GET_TASKS, POST_TASKS, calls
from twelvelabs_core.base.errors import APIResponseError, InputError
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.media.validate import check_document, check_image
from twelvelabs_core.models.options import SegmentOptions, TaskOptions, TimeBasedMetadata
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.responses import Task, TaskSummary, parse_created_task, parse_task, parse_task_page
from twelvelabs_core.transport.body import Call, Reply, json_body
from twelvelabs_core.transport.session import path_part

TASK_STATUSES = ("processing", "ready", "failed")


class TaskOperations(EmbedMediaOperations):
    """Creates tasks and brings their results."""

    @calls(POST_TASKS, also=AS_ASSET, models=EVERY_MODEL)
    async def create_audio_task(
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
    ) -> Task:
        """Start a task that embeds audio (marengo3.0: 4 s to 4 h). Each call is paid for; see `segment_audio`.

        A local file is uploaded as an asset first.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`; with marengo3.0 WAV, MP3
                or FLAC (model page).
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

        Returns:
            The `Task`, processing.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
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
        return await self._create_task(audio, options)

    @calls(POST_TASKS, also=AS_ASSET, models=EVERY_MODEL)
    async def create_video_task(
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
    ) -> Task:
        """Start a task that embeds video (marengo3.0: 4 s to 4 h). Each call is paid for; see `segment_video`.

        A local file is uploaded as an asset first.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`; with marengo3.0 360x360 to
                5184x2160 pixels, 1:1 to 2.4:1 lying or standing (model page).
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

        Returns:
            The `Task`, processing.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
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
        return await self._create_task(video, options)

    @calls(GET_TASK)
    async def retrieve_task(self, task_id: str) -> Task:
        """Return a task as it is now; with its vectors when it is ready.

        Args:
            task_id: Its id.

        Returns:
            The `Task`; `segments` is None unless it is `ready`.

        Raises:
            NotFoundError: There is none of this id, or its seven days are over.
        """
        call = Call(f"look at task {task_id}", "GET", f"/embed-v2/tasks/{path_part(task_id, 'task')}")
        task = parse_task(await self._call_for_vectors(call))
        if task.id != task_id:
            raise APIResponseError(f"asked for task {task_id}, the API answered with task {task.id}; nothing was used.")
        return task

    @calls(GET_TASKS)
    async def list_tasks(
        self,
        *,
        status: str | None = None,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
    ) -> AsyncIterator[TaskSummary]:
        """Iterate over the account's tasks, newest first; pages are fetched as they are needed.

        Args:
            status: Only `processing`, `ready` or `failed`.
            started_at: Only those created after; with a time zone. Default: seven days ago.
            ended_at: Only those created before; with a time zone.
        """
        async for task in self._listed_tasks(task_filters(status, started_at, ended_at)):
            yield task

    def _listed_tasks(self, filters: dict[str, str], *, until: float = math.inf) -> AsyncIterator[TaskSummary]:
        call = Call("list embedding tasks", "GET", "/embed-v2/tasks", until=until)
        return self._pages(call, parse_task_page, filters)

    async def _create_task(self, value: MediaInput, options: TaskOptions) -> Task:
        media = await self._io.blocking(lambda: Media.of(value))
        await self._io.blocking(lambda: self._check_task(media, options))
        if media.is_local:
            media = await self._as_ready_asset(media, options.input_type)
        await self._wait_for_turn()
        return await self._start_task(media, options)

    async def _start_task(
        self, media: Media, options: TaskOptions, note: Callable[[Task], Awaitable[None]] | None = None
    ) -> Task:
        """Create the task for media that the API can reach; never repeated once it may have arrived.

        Args:
            media: The medium.
            options: How to embed it.
            note: Notes the task before the caller hears of it, even if the caller leaves meanwhile.
        """

        async def noted(reply: Reply) -> None:
            if note is not None:
                await note(parse_created_task(reply.body))

        request = requests.with_extras(
            requests.segments_request(self.model, media, options),
            self._rules,
            embedding_dimension=self.embedding_dimension,
            embedding_uncertainty=options.embedding_uncertainty,
        )
        body = json_body(request)
        attempt, category = f"create the embedding task of {media.source}", options.input_type
        call = Call(attempt, "POST", "/embed-v2/tasks", body=body, repeatable=False, category=category, note=noted)
        return parse_created_task((await self._call(call)).body)

    def _check_task(self, media: Media, options: TaskOptions) -> None:
        """Check a medium against the limits of its kind."""
        if isinstance(options, SegmentOptions):
            self._check_segments(media, options, task=True)
        elif options.input_type == "image":
            check_image(media, self._rules)
        else:
            check_document(media)


def task_filters(status: str | None, started_at: datetime | None, ended_at: datetime | None) -> dict[str, str]:
    """Return the query of a list of tasks.

    Raises:
        InputError: A status that there is not, or a time without its zone.
    """
    if status is not None and status not in TASK_STATUSES:
        raise InputError(f"status must be one of {', '.join(TASK_STATUSES)}; got {status!r}.")
    filters: dict[str, str] = {} if status is None else {"status": status}
    for name, moment in (("started_at", started_at), ("ended_at", ended_at)):
        if moment is not None:
            filters[name] = _rfc3339(name, moment, up=name == "ended_at")
    return filters


def _rfc3339(name: str, moment: datetime, *, up: bool) -> str:
    """Return a time in whole seconds, as documented, rounded so that nothing of the range is lost."""
    if not isinstance(moment, datetime):
        raise InputError(f"{name} must be a datetime with a time zone, got {moment!r}.")
    if moment.tzinfo is None:
        raise InputError(f"{name} needs a time zone, got {moment.isoformat()}; add tzinfo, such as datetime.UTC.")
    if up and moment.microsecond:
        moment += timedelta(seconds=1)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
