"""`LegacyV1` and `AsyncLegacyV1`: the old embed API (v1) for both clients; every call warns and names its successor."""

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from twelvelabs_core.api.legacy_v1 import LegacyV1Operations
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.media.source import MediaInput
from twelvelabs_core.results.legacy_v1 import LegacyEmbedding, LegacyTask
from twelvelabs_core.results.responses import TaskSummary
from twelvelabs_core.transport.io import Io, drain, finish
from twelvelabs_core.transport.rate_limit import RateLimiter

INSTEAD = {
    "embed": "embed_text, embed_image or embed_audio",
    "create_task": "segment_video, or create_video_task",
    "task_status": "retrieve_task for the tasks of create_video_task",
    "retrieve_task": "retrieve_task for the tasks of create_video_task",
    "list_tasks": "list_tasks for the tasks of create_video_task",
    "wait_for_task": "wait_for_task for the tasks of create_video_task",
}
"""What each method of v1 has become, as methods of the client."""


class AsyncLegacyV1(LegacyV1Operations):
    """The old embed API (v1) for asyncio, as `AsyncClient.legacy_v1`; the same methods as `LegacyV1`, awaited.

    Example:
        ```python
        async with AsyncClient() as client:
            async for task in client.legacy_v1.list_tasks(status="ready"):
                print((await client.legacy_v1.retrieve_task(task.id)).segments)
        ```
    """

    def __init__(self, settings: Settings, io: Io, model: str, rate_limiter: RateLimiter | None, owner: object) -> None:
        super().__init__(settings, io, model, rate_limiter)
        self._owner = owner

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, "legacy_v1")

    def __repr__(self) -> str:
        return f"AsyncLegacyV1(base_url={self.settings.base_url!r})"


class LegacyV1:
    """The old embed API (v1), as `Client.legacy_v1`: to fetch tasks that were made with it, and for older code.

    The vendor is going to switch it off. Each call emits a `DeprecationWarning` that names the method to use instead.
    It has tasks of its own: those of `create_video_task` are not among them, and its vectors (of marengo3.0) do not
    enter the segment store. It shares the connections of its client.

    Example:
        ```python
        with Client() as client:
            task = client.legacy_v1.wait_for_task("64f8d2c7e4a1b37f8a9c5d12")
            print(task.segments.vectors.shape)
        ```
    """

    def __init__(self, settings: Settings, io: Io, model: str, rate_limiter: RateLimiter | None, owner: object) -> None:
        self._operations = LegacyV1Operations(settings, io, model, rate_limiter)
        self._owner = owner

    @property
    def settings(self) -> Settings:
        """The client's settings."""
        return self._operations.settings

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, "legacy_v1")

    def __repr__(self) -> str:
        return f"LegacyV1(base_url={self.settings.base_url!r})"

    def embed(
        self,
        *,
        text: str | None = None,
        image_url: str | None = None,
        image_file: MediaInput | None = None,
        audio_url: str | None = None,
        audio_file: MediaInput | None = None,
        audio_start_offset_sec: float | None = None,
    ) -> LegacyEmbedding:
        return finish(
            self._operations.embed(
                text=text,
                image_url=image_url,
                image_file=image_file,
                audio_url=audio_url,
                audio_file=audio_file,
                audio_start_offset_sec=audio_start_offset_sec,
            )
        )

    def create_task(
        self,
        *,
        video_file: MediaInput | None = None,
        video_url: str | None = None,
        video_start_offset_sec: float | None = None,
        video_end_offset_sec: float | None = None,
        video_clip_length: float | None = None,
        video_embedding_scope: Sequence[str] | None = None,
    ) -> str:
        return finish(
            self._operations.create_task(
                video_file=video_file,
                video_url=video_url,
                video_start_offset_sec=video_start_offset_sec,
                video_end_offset_sec=video_end_offset_sec,
                video_clip_length=video_clip_length,
                video_embedding_scope=video_embedding_scope,
            )
        )

    def task_status(self, task_id: str) -> TaskSummary:
        return finish(self._operations.task_status(task_id))

    def retrieve_task(self, task_id: str, *, embedding_option: Sequence[str] | None = None) -> LegacyTask:
        return finish(self._operations.retrieve_task(task_id, embedding_option=embedding_option))

    def list_tasks(
        self, *, status: str | None = None, started_at: datetime | None = None, ended_at: datetime | None = None
    ) -> Iterator[TaskSummary]:
        return drain(self._operations.list_tasks(status=status, started_at=started_at, ended_at=ended_at))

    def wait_for_task(
        self,
        task_id: str,
        *,
        timeout: float | None = None,
        callback: Callable[[TaskSummary], Any] | None = None,
    ) -> LegacyTask:
        return finish(self._operations.wait_for_task(task_id, timeout=timeout, callback=callback))


def _warning(operation: Callable[..., Any], instead: str) -> Callable[..., Any]:
    """Return the operation with a warning at the caller's own line, when it is called and not when it is awaited."""

    @functools.wraps(operation)
    def call(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"legacy_v1.{operation.__name__} speaks the old embed API, which the vendor is going to switch off; "
            f"use the client's {instead}.",
            DeprecationWarning,
            stacklevel=2,
        )
        return operation(*args, **kwargs)

    return call


for _name, _instead in INSTEAD.items():
    _once, _twin = getattr(LegacyV1Operations, _name), getattr(LegacyV1, _name)
    # One docstring serves both, so that they cannot come to differ.
    _twin.__doc__ = _once.__doc__
    setattr(AsyncLegacyV1, _name, _warning(_once, _instead))
    setattr(LegacyV1, _name, _warning(_twin, _instead))
