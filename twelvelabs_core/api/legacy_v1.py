"""The old embed API (v1), `/embed` and `/embed/tasks`, for existing tasks and older code; each call warns."""

import functools
import inspect
import os
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from twelvelabs_core.api.embed import check_dimension
from twelvelabs_core.api.legacy_v1_checks import (
    EMBED_OPTIONS,
    FormFields,
    among,
    check_media,
    one_source,
    seconds,
    task_fields,
)
from twelvelabs_core.api.tasks import check_task_id, list_tasks
from twelvelabs_core.base.errors import InputError, TaskFailedError, TaskTimeoutError
from twelvelabs_core.base.progress import check_callback
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.media.validate import check_text
from twelvelabs_core.models.marengo import MARENGO_30
from twelvelabs_core.results.decode import read_answer
from twelvelabs_core.results.legacy_v1 import (
    VECTOR_KEYS,
    LegacyEmbedding,
    LegacyTask,
    parse_legacy_created,
    parse_legacy_embedding,
    parse_legacy_task,
)
from twelvelabs_core.results.responses import TaskSummary
from twelvelabs_core.transport.body import Body, Call, FilePart, files_body
from twelvelabs_core.transport.polling import Deadline, poll_until
from twelvelabs_core.transport.session import Session, path_part

F = TypeVar("F", bound=Callable[..., Any])

_MODEL = MARENGO_30.name
_TASKS_PATH = "/embed/tasks"
_PACKAGE = str(Path(__file__).parents[1]) + os.sep


def _deprecated(replacement: str) -> Callable[[F], F]:
    """Warn at each call of a method, at the line outside this package that calls it or its blocking variant.

    The warning is emitted when the method is called, not when its coroutine runs: a coroutine may run as a task of an
    event loop, where the caller's line is not on the stack.
    """

    def decorate(method: F) -> F:
        message = (
            f"legacy_v1.{method.__name__} uses the old embed API (v1), which the vendor will switch off; "
            f"use {replacement}."
        )

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            level, frame = 1, inspect.currentframe()
            while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
                level, frame = level + 1, frame.f_back
            warnings.warn(message, DeprecationWarning, stacklevel=level)
            return method(*args, **kwargs)

        return cast("F", call)

    return decorate


class AsyncLegacyV1:
    """The old embed API (v1), as `AsyncClient.legacy_v1`: for tasks that were created with it, and for older code.

    The vendor will switch it off. Each call emits a `DeprecationWarning` that names the method to use instead. It has
    its own tasks, separate from those of `client.tasks`. Its vectors, of marengo3.0, do not enter the segment store.

    Example:
        ```python
        async with AsyncClient() as client:
            async for task in client.legacy_v1.list_tasks(status="ready"):
                print((await client.legacy_v1.retrieve_task(task.id)).segments)
        ```
    """

    def __init__(self, session: Session, model_name: str) -> None:
        self._session = session
        self._model_name = model_name

    @_deprecated("client.embed_text, client.embed_image or client.embed_audio")
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
        """Embed a text, an image and audio, any of them, each by itself, in one request of the old API.

        Deprecated: use `client.embed_text`, `client.embed_image`, `client.embed_audio`.

        Args:
            text: At least one character that is not white space; the API truncates it to 500 tokens.
            image_url: http(s) URL of an image. Or:
            image_file: Path, bytes or binary file object: JPEG or PNG of at least 128x128 pixels and at most 32 MB
                (model page).
            audio_url: http(s) URL of audio. Or:
            audio_file: Path, bytes or binary file object: WAV, MP3 or FLAC (model page), at most 10 minutes.
            audio_start_offset_sec: First second of audio to embed. Default 0.

        Returns:
            A `LegacyEmbedding`. An input that failed has an `error_message`; its `segments` raise that error.

        Raises:
            InputError: Nothing to embed, or an input that cannot be embedded; no request was sent.
        """
        self._check_model("embed")
        fields: FormFields = {"model_name": _MODEL}
        if text is not None:
            fields["text"] = check_text(text)
        if audio_start_offset_sec is not None:
            if audio_url is None and audio_file is None:
                raise InputError("audio_start_offset_sec needs audio_url or audio_file.")
            fields["audio_start_offset_sec"] = seconds("audio_start_offset_sec", audio_start_offset_sec)

        def read() -> tuple[dict[str, Media], Body]:
            image, audio = one_source("image", image_url, image_file), one_source("audio", audio_url, audio_file)
            media = {name: item for name, item in (("image", image), ("audio", audio)) if item is not None}
            if not media and text is None:
                raise InputError("nothing to embed: pass text, image_url or image_file, audio_url or audio_file.")
            for input_type, item in media.items():
                check_media(item, input_type, audio_start_offset_sec)
            return media, _form(fields, media)

        media, body = await self._session.io.blocking(read)
        input_types = [*(["text"] if text is not None else []), *media]
        await self._session.wait_for_rate_limiter()
        call = Call(
            f"embed the {' and '.join(input_types)} by the old API",
            "POST",
            "/embed",
            body=body,
            # Seconds of audio are billed: after a lost answer the caller decides whether to send it again.
            repeatable="audio" not in media,
            # The API counts old and new requests together; a combination counts as its largest input.
            category=next(input_type for input_type in ("audio", "image", "text") if input_type in input_types),
        )
        split = await self._session.send_for_vectors(call, VECTOR_KEYS)
        check_dimension(split.vectors, MARENGO_30.dimensions[-1])
        return parse_legacy_embedding(split, input_types)

    @_deprecated("client.segment_video or client.tasks.create_video")
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
        """Create a task of the old API that embeds a video. Each call is billed; the request is never repeated.

        Deprecated: use `client.segment_video`, or `client.tasks.create_video`.

        Args:
            video_file: Path, bytes or binary file object, streamed from disk in the request: at most 2 GB (reference of
                v1), at least 4 s, 360x360 to 5184x2160 pixels (model page). Or:
            video_url: http(s) URL of a video.
            video_start_offset_sec: First second to embed; requires `video_end_offset_sec`. Default 0.
            video_end_offset_sec: Last second to embed; at least one clip after the first. Default: the end.
            video_clip_length: Seconds of a clip, 2 to 10. Default 6. The API drops a last clip of less than 2 s.
            video_embedding_scope: `["clip"]` (default), or `["clip", "video"]` to embed the whole video too.

        Returns:
            The task's id.

        Raises:
            InputError: The video or an option cannot be used; no request was sent.
        """
        self._check_model("create_task")
        window = video_start_offset_sec, video_end_offset_sec
        fields = {"model_name": _MODEL, **task_fields(*window, video_clip_length, video_embedding_scope)}

        def read() -> tuple[Media, Body]:
            video = one_source("video", video_url, video_file)
            if video is None:
                raise InputError("no video: pass video_file or video_url.")
            check_media(video, "video", *window)
            return video, _form(fields, {"video": video})

        video, body = await self._session.io.blocking(read)
        await self._session.wait_for_rate_limiter()
        attempt = f"create the old embedding task of {video.source}"
        call = Call(attempt, "POST", _TASKS_PATH, body=body, repeatable=False, category="video")
        return parse_legacy_created((await self._session.send(call)).body)

    @_deprecated("client.tasks.create_video and client.tasks.retrieve")
    async def task_status(self, task_id: str) -> TaskSummary:
        """Return the state of a task of the old API, without its vectors.

        Deprecated: for tasks of `client.tasks` use `client.tasks.retrieve`.

        Args:
            task_id: The task's id.

        Returns:
            A `TaskSummary`; its `status` is `processing`, `ready` or `failed`.

        Raises:
            BadRequestError: The task does not exist, or its result has expired after seven days (the old API
                does not answer 404).
        """
        return await self._status(task_id)

    @_deprecated("client.tasks.create_video and client.tasks.retrieve")
    async def retrieve_task(self, task_id: str, *, embedding_option: Sequence[str] | None = None) -> LegacyTask:
        """Return the current state of a task of the old API, with its vectors if it is ready.

        Deprecated: for tasks of `client.tasks` use `client.tasks.retrieve`.

        Args:
            task_id: The task's id.
            embedding_option: Only the vectors of these options: `visual`, `audio`, `transcription` (`visual-text` of
                Marengo 2.7). Default all.

        Returns:
            A `LegacyTask`; `segments` is None unless it is `ready`.

        Raises:
            BadRequestError: The task does not exist, or its result has expired after seven days (the old API
                does not answer 404).
        """
        options = () if embedding_option is None else among("embedding_option", embedding_option, EMBED_OPTIONS)
        return await self._retrieve(task_id, options)

    @_deprecated("client.tasks.create_video and client.tasks.list")
    async def list_tasks(
        self,
        *,
        status: str | None = None,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
    ) -> AsyncIterator[TaskSummary]:
        """Iterate over the account's tasks of the old API, newest first; pages are requested as needed.

        Deprecated: for tasks of `client.tasks` use `client.tasks.list`.

        Args:
            status: Only `processing`, `ready` or `failed` tasks.
            started_at: Only tasks created after this time, which needs a time zone. Default: seven days ago.
            ended_at: Only tasks created before this time, which needs a time zone.
        """
        call = Call("list old embedding tasks", "GET", _TASKS_PATH)
        async for task in list_tasks(self._session, call, status, started_at, ended_at):
            yield task

    @_deprecated("client.tasks.create_video and client.tasks.wait")
    async def wait_for_task(
        self,
        task_id: str,
        *,
        timeout: float | None = None,
        callback: Callable[[TaskSummary], Any] | None = None,
    ) -> LegacyTask:
        """Wait until a task of the old API is ready. The first error ends the wait.

        Deprecated: for tasks of `client.tasks` use `client.tasks.wait`.

        Args:
            task_id: The task's id.
            timeout: Longest wait in seconds. Default: the settings' `task_timeout`.
            callback: Called with the `TaskSummary` after each polling request.

        Returns:
            The ready `LegacyTask`, with its `segments`.

        Raises:
            TaskFailedError: The task failed.
            TaskTimeoutError: It was not ready within the time limit; the API continues to process it.
            BadRequestError: The task does not exist, or its result has expired after seven days.
        """
        check_callback(callback, "callback")
        deadline = Deadline(self._session.settings.task_timeout if timeout is None else timeout)

        async def fetch() -> TaskSummary:
            task = await self._status(task_id)
            if callback is not None:
                callback(task)
            return task

        task = await poll_until(
            fetch, lambda task: task.status in ("ready", "failed"), deadline, self._session.io.sleep
        )
        if task.status == "ready":
            return await self._retrieve(task_id, ())
        if task.status == "failed":
            raise TaskFailedError(f"old task {task_id} failed; the old API gives no reason.", task_id=task_id)
        raise TaskTimeoutError(
            f"old task {task_id} is still {task.status} after {deadline.limit:g} s; the API continues to process it: "
            "wait again with its id, it is not billed twice.",
            task_id=task_id,
        )

    def _check_model(self, method: str) -> None:
        """Refuse to make vectors of another vector space than the client's."""
        if self._model_name != _MODEL:
            raise InputError(
                f"the old API embeds only with {_MODEL}, but this client uses {self._model_name}: their vectors are "
                f"not comparable. Use Client(model={_MODEL!r}).legacy_v1.{method}, or the client's own methods."
            )

    async def _status(self, task_id: str) -> TaskSummary:
        call = Call(f"retrieve the status of old task {task_id}", "GET", f"{_task_path(task_id)}/status")
        task = read_answer(TaskSummary, (await self._session.send(call)).body, "task")
        check_task_id(task, task_id)
        return task

    async def _retrieve(self, task_id: str, options: Sequence[str]) -> LegacyTask:
        params = tuple(("embedding_option", option) for option in options)
        call = Call(f"retrieve old task {task_id}", "GET", _task_path(task_id), params)
        task = parse_legacy_task(await self._session.send_for_vectors(call, VECTOR_KEYS))
        check_task_id(task, task_id)
        return task


def _task_path(task_id: str) -> str:
    return f"{_TASKS_PATH}/{path_part(task_id, 'task')}"


def _form(fields: FormFields, media: dict[str, Media]) -> Body:
    """Return the form: each item as the field `<type>_url`, or as the file `<type>_file`."""
    urls = {f"{name}_url": item.url for name, item in media.items() if item.url is not None}
    files = [FilePart(f"{name}_file", item, item.filename) for name, item in media.items() if item.url is None]
    return files_body({**fields, **urls}, files)
