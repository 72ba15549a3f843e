"""The old embed API (v1), `/embed` and `/embed/tasks`: embed, create, look, list, wait."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from twelvelabs_core.api.embed import check_dimension
from twelvelabs_core.api.endpoints import V1_GET_STATUS, V1_GET_TASK, V1_GET_TASKS, V1_POST_EMBED, V1_POST_TASKS, calls
from twelvelabs_core.api.legacy_v1_checks import (
    check_audio_v1,
    check_embed_options,
    check_number,
    check_video_v1,
    one_source,
    task_options,
)
from twelvelabs_core.api.tasks import task_filters
from twelvelabs_core.base.errors import APIResponseError, InputError, TaskFailedError, TaskTimeoutError
from twelvelabs_core.base.progress import check_callback
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.media.validate import check_image, check_text
from twelvelabs_core.models.marengo import MARENGO_30, check_length
from twelvelabs_core.results.legacy_v1 import (
    VECTOR_KEYS,
    LegacyEmbedding,
    LegacyTask,
    parse_legacy_created,
    parse_legacy_embedding,
    parse_legacy_status,
    parse_legacy_task,
)
from twelvelabs_core.results.responses import TaskSummary, parse_task_page
from twelvelabs_core.transport.body import Body, Call, FilePart, files_body
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.polling import Deadline, poll_until
from twelvelabs_core.transport.rate_limit import RateLimiter
from twelvelabs_core.transport.session import Requests, path_part

MODEL = MARENGO_30.name
_TASKS = "/embed/tasks"
T = TypeVar("T", TaskSummary, LegacyTask)


class LegacyV1Operations(Requests):
    """Speaks the old embed API. Nothing here enters the segment store."""

    def __init__(self, settings: Settings, io: Io, model: str, rate_limiter: RateLimiter | None) -> None:
        super().__init__(settings, io, rate_limiter)
        self._model = model

    @calls(V1_POST_EMBED, models=[MODEL])
    async def embed(
        self,
        *,
        text: str | None = None,
        image_url: str | None = None,
        image_file: MediaInput | None = None,
        audio_url: str | None = None,
        audio_file: MediaInput | None = None,
        audio_start_offset_sec: float | None = None,
    ) -> LegacyEmbedding:
        """Embed a text, an image and a sound, any of them, each by itself, in one request of the old API.

        Deprecated: use `embed_text`, `embed_image`, `embed_audio`.

        Args:
            text: At least one character that is not white space; to 500 tokens. The API cuts a longer one without a
                word, so one that is too long beyond doubt is refused here.
            image_url: http(s) URL of an image. Or:
            image_file: Path, bytes or binary file object: JPEG or PNG from 128x128 pixels, to 32 MB (model page).
            audio_url: http(s) URL of audio. Or:
            audio_file: Path, bytes or binary file object: WAV, MP3 or FLAC (model page), to 10 minutes.
            audio_start_offset_sec: First second of audio to embed. Default 0.

        Returns:
            A `LegacyEmbedding`. An input that failed is in it with its `error_message`; its `segments` raise that.

        Raises:
            InputError: Nothing to embed, or something that cannot be; nothing was sent.
        """
        self._check_model("embed")
        fields = _texts(text)
        if audio_start_offset_sec is not None:
            check_number("audio_start_offset_sec", audio_start_offset_sec, 0)
            if audio_url is None and audio_file is None:
                raise InputError("audio_start_offset_sec needs audio_url or audio_file.")
            fields["audio_start_offset_sec"] = str(audio_start_offset_sec)
        given: dict[str, tuple[str | None, MediaInput | None]] = {
            "image": (image_url, image_file),
            "audio": (audio_url, audio_file),
        }
        media = await self._io.blocking(lambda: _checked_media(given, audio_start_offset_sec))
        kinds = [*(["text"] if text is not None else []), *media]
        if not kinds:
            raise InputError("nothing to embed: pass text, image_url or image_file, audio_url or audio_file.")
        body = await self._io.blocking(lambda: _form(fields, media))
        await self._wait_for_turn()
        # Seconds of audio are billed: when no answer comes, the caller decides whether to ask again.
        attempt = f"embed the {' and '.join(kinds)} by the old API"
        # Of several kinds it counts as the heaviest, as everywhere; old and new calls share each kind's limit.
        kind = next(kind for kind in ("audio", "image", "text") if kind in kinds)
        call = Call(attempt, "POST", "/embed", body=body, repeatable="audio" not in media, category=kind)
        split = await self._call_for_vectors(call, VECTOR_KEYS)
        check_dimension(split.vectors, MARENGO_30.dimensions[-1])
        return parse_legacy_embedding(split, kinds)

    @calls(V1_POST_TASKS, models=[MODEL])
    async def create_task(
        self,
        *,
        video_file: MediaInput | None = None,
        video_url: str | None = None,
        video_start_offset_sec: float | None = None,
        video_end_offset_sec: float | None = None,
        video_clip_length: float | None = None,
        video_embedding_scope: Sequence[str] | None = None,
    ) -> str:
        """Start a task of the old API that embeds a video. Each call is paid for; it is never repeated by itself.

        Deprecated: use `segment_video`, or `create_video_task`.

        Args:
            video_file: Path, bytes or binary file object, sent in the request, streamed from disk: to 2 GB (reference
                of v1), from 4 s, 360x360 to 5184x2160 pixels (model page). Or:
            video_url: http(s) URL of a video.
            video_start_offset_sec: First second to embed; goes together with `video_end_offset_sec`. Default 0.
            video_end_offset_sec: Last second; a clip must fit between the two. Default: the end.
            video_clip_length: Seconds of a clip, 2 to 10. Default 6. A last clip under 2 s is dropped.
            video_embedding_scope: `["clip"]` (default), or `["clip", "video"]` for the whole film too.

        Returns:
            The task's id.

        Raises:
            InputError: The video or an option cannot be used; nothing was sent.
        """
        self._check_model("create_task")
        options = task_options(video_start_offset_sec, video_end_offset_sec, video_clip_length, video_embedding_scope)
        video = await self._io.blocking(lambda: one_source("video", video_url, video_file))
        if video is None:
            raise InputError("no video: pass video_file or video_url.")
        await self._io.blocking(lambda: check_video_v1(video, options))
        fields = {"model_name": MODEL, **options.fields()}
        body = await self._io.blocking(lambda: _form(fields, {"video": video}))
        await self._wait_for_turn()
        attempt = f"create the old embedding task of {video.source}"
        call = Call(attempt, "POST", _TASKS, body=body, repeatable=False, category="video")
        return parse_legacy_created((await self._call(call)).body)

    @calls(V1_GET_STATUS)
    async def task_status(self, task_id: str) -> TaskSummary:
        """Return how far a task of the old API is, without its vectors.

        Deprecated: for tasks of today use `retrieve_task`.

        Args:
            task_id: Its id.

        Returns:
            A `TaskSummary`; its `status` is `processing`, `ready` or `failed`.

        Raises:
            BadRequestError: There is none of this id, or its seven days are over (the old API knows no 404).
        """
        return await self._status(task_id)

    @calls(V1_GET_TASK)
    async def retrieve_task(self, task_id: str, *, embedding_option: Sequence[str] | None = None) -> LegacyTask:
        """Return a task of the old API as it is now; with its vectors when it is ready.

        Deprecated: for tasks of today use `retrieve_task` of the client.

        Args:
            task_id: Its id.
            embedding_option: Only the vectors of these: `visual`, `audio`, `transcription` (`visual-text` of
                Marengo 2.7). Default all.

        Returns:
            A `LegacyTask`; `segments` is None unless it is `ready`.

        Raises:
            BadRequestError: There is none of this id, or its seven days are over (the old API knows no 404).
        """
        return await self._retrieve(task_id, check_embed_options(embedding_option))

    @calls(V1_GET_TASKS)
    async def list_tasks(
        self,
        *,
        status: str | None = None,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
    ) -> AsyncIterator[TaskSummary]:
        """Iterate over the account's tasks of the old API, newest first; pages are fetched as they are needed.

        Deprecated: for tasks of today use `list_tasks` of the client.

        Args:
            status: Only `processing`, `ready` or `failed`.
            started_at: Only those created after; with a time zone. Default: seven days ago.
            ended_at: Only those created before; with a time zone.
        """
        filters = task_filters(status, started_at, ended_at)
        async for task in self._pages(Call("list old embedding tasks", "GET", _TASKS), parse_task_page, filters):
            yield task

    @calls(V1_GET_STATUS, V1_GET_TASK)
    async def wait_for_task(
        self,
        task_id: str,
        *,
        timeout: float | None = None,
        callback: Callable[[TaskSummary], Any] | None = None,
    ) -> LegacyTask:
        """Wait until a task of the old API is ready. The first error ends the wait.

        Deprecated: for tasks of today use `wait_for_task` of the client.

        Args:
            task_id: Its id.
            timeout: Longest wait in seconds. Default: the settings' `task_timeout`.
            callback: Called with the `TaskSummary` after each look.

        Returns:
            The ready `LegacyTask`, with its `segments`.

        Raises:
            TaskFailedError: It ended as failed.
            TaskTimeoutError: It was not ready in time; it goes on at the server.
            BadRequestError: There is none of this id, or its seven days are over.
        """
        check_callback(callback, "callback")
        patience = Deadline(self.settings.task_timeout if timeout is None else timeout)

        async def look() -> TaskSummary:
            task = await self._status(task_id)
            if callback is not None:
                callback(task)
            return task

        task = await poll_until(look, lambda task: task.status in ("ready", "failed"), patience, self._io.sleep)
        if task.status == "ready":
            return await self._retrieve(task_id, ())
        if task.status == "failed":
            raise TaskFailedError(f"old task {task_id} failed; the old API gives no reason.", task_id=task_id)
        raise TaskTimeoutError(
            f"old task {task_id} is still {task.status} after {patience.limit:g} s; it goes on at the server: "
            "wait again with its id, nothing is paid twice.",
            task_id=task_id,
        )

    def _check_model(self, name: str) -> None:
        """Refuse to make vectors of another space than the client's."""
        if self._model != MODEL:
            raise InputError(
                f"the old API embeds with {MODEL} alone, this client with {self._model}: their vectors are not "
                f"comparable. Use Client(model={MODEL!r}).legacy_v1.{name}, or the client's own methods."
            )

    async def _status(self, task_id: str) -> TaskSummary:
        call = Call(f"look at old task {task_id}", "GET", f"{_task_path(task_id)}/status")
        task = parse_legacy_status((await self._call(call)).body)
        return _same(task, task_id)

    async def _retrieve(self, task_id: str, options: Sequence[str]) -> LegacyTask:
        params = tuple(("embedding_option", option) for option in options)
        call = Call(f"look at old task {task_id}", "GET", _task_path(task_id), params)
        return _same(parse_legacy_task(await self._call_for_vectors(call, VECTOR_KEYS)), task_id)


def _task_path(task_id: str) -> str:
    return f"{_TASKS}/{path_part(task_id, 'task')}"


def _same(task: T, task_id: str) -> T:
    """Return the task; refuse the answer about another one."""
    if task.id != task_id:
        raise APIResponseError(f"asked for task {task_id}, the API answered with task {task.id}; nothing was used.")
    return task


def _texts(text: str | None) -> dict[str, str | Sequence[str]]:
    fields: dict[str, str | Sequence[str]] = {"model_name": MODEL}
    if text is not None:
        fields["text"] = check_length(check_text(text), MARENGO_30)
    return fields


def _checked_media(
    given: dict[str, tuple[str | None, MediaInput | None]], audio_start: float | None
) -> dict[str, Media]:
    """Return what is there of image and audio, checked."""
    sources = {kind: one_source(kind, url, file) for kind, (url, file) in given.items()}
    media = {kind: item for kind, item in sources.items() if item is not None}
    if "image" in media:
        check_image(media["image"])
    if "audio" in media:
        check_audio_v1(media["audio"], audio_start)
    return media


def _form(fields: dict[str, str | Sequence[str]], media: dict[str, Media]) -> Body:
    """Return the form: media as `<kind>_url`, or as the file `<kind>_file`."""
    urls = {f"{kind}_url": item.url for kind, item in media.items() if item.url is not None}
    files = [FilePart(f"{kind}_file", item, item.filename) for kind, item in media.items() if item.url is None]
    return files_body({**fields, **urls}, files)
