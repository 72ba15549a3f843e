"""Embedding tasks: creation, background work, status, expiry after seven days."""

import asyncio
import hashlib
import logging
import math
import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from twelvelabs_sandbox.embedding.marengo35_documents import TaskFailure
from twelvelabs_sandbox.embedding.response_json import data_array, shuffled
from twelvelabs_sandbox.embedding.types import LocalMedia, Row, Usage
from twelvelabs_sandbox.embedding.vectors import task_rows
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.errors import not_found, too_many_requests
from twelvelabs_sandbox.faults import TaskFate
from twelvelabs_sandbox.formats import new_id, rfc3339, rfc3339_seconds
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.requests.types import TaskRequest
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.resources import Files, Workers

RETENTION_SECONDS = 7 * 24 * 60 * 60
UNPROCESSABLE = "We could not process your media for embedding. Please verify the input file and try again."
FAILED = "The embedding task failed. Please try again later."
RESULT_EXPIRED = "The embedding result is no longer available and cannot be retrieved."

log = logging.getLogger(__name__)

Status = Literal["processing", "ready", "failed"]
STATUSES: tuple[Status, ...] = ("processing", "ready", "failed")
Api = Literal["v1", "v2"]


@dataclass(eq=False, slots=True)
class Task:
    """A task.

    Attributes:
        seconds: Its minimum duration on the sandbox's clock.
        fate: The outcome scripted by a fault.
        polls: Number of responses with its status.
        sha256: SHA-256 of its media, in hex; None until computed.
    """

    id: str
    model: str
    request: TaskRequest
    media: LocalMedia
    created_at: float
    seconds: float
    fate: TaskFate | None = None
    polls: int = 0
    finished_at: float | None = None
    error: str | None = None
    result: Path | None = None
    sha256: str | None = None
    usage: Usage = field(default_factory=Usage)


class Tasks:
    """All tasks of a sandbox; used on the server's event loop only."""

    def __init__(
        self,
        options: Options,
        clock: Clock,
        files: Files,
        workers: Workers,
        write: Callable[[Iterable[Row]], Iterable[bytes]] = data_array,
    ) -> None:
        self._write = write
        self._options = options
        self._clock = clock
        self._files = files
        self._workers = workers
        self._tasks: dict[str, Task] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._spread = random.Random(options.seed)  # noqa: S311 - a spread of durations, not a secret

    def check_capacity(self) -> None:
        """Raise ApiError 429 while too many tasks are unfinished."""
        if len(self._running) >= self._options.max_waiting_tasks:
            raise too_many_requests(rfc3339_seconds(self._clock.now() + 1))

    def create(self, model: str, request: TaskRequest, media: LocalMedia, fate: TaskFate | None) -> Task:
        """Create a task; the ownership of the media passes to it."""
        now = self._clock.now()
        created = now - RETENTION_SECONDS - 1 if fate == "expired" else now
        seconds = self._options.task_seconds * math.exp(self._spread.gauss(0.0, self._options.task_seconds_sigma))
        task = Task(new_id(now), model, request, media, created, seconds, fate)
        self._tasks[task.id] = task
        running = asyncio.get_running_loop().create_task(self._run(task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return task

    def poll(self, task_id: str) -> Task:
        """Return a task and count the poll; raise ApiError 404 if it does not exist or has expired."""
        task = self._tasks.get(task_id)
        if task is None or (self.expired(task) and self._options.expired_as == "not_found"):
            raise not_found(task_id, "embedding_tasks")
        task.polls += 1
        return task

    def poll_all(self, since: float | None, until: float | None, statuses: Collection[str]) -> list[Task]:
        """Return tasks, newest first, and count the poll of each; without dates those of the last seven days."""
        dated = since is not None or until is not None
        found = []
        for task in reversed(self._tasks.values()):
            hidden = self.expired(task) and (not dated or self._options.expired_as == "not_found")
            early = since is not None and task.created_at < since
            late = until is not None and task.created_at > until
            if not (hidden or early or late):
                task.polls += 1
                found.append(task)
        return [task for task in found if not statuses or self.status(task) in statuses]

    def all(self) -> list[Task]:
        """Return all tasks in order of creation, without counting a poll."""
        return list(self._tasks.values())

    def status(self, task: Task) -> Status:
        """Return the reported status of a task, ``processing`` during the first ``task_polls`` polls."""
        is_early = task.polls <= self._options.task_polls and not self.expired(task)
        return "processing" if is_early else self.actual_status(task)

    def actual_status(self, task: Task) -> Status:
        """Return the status of a task on the sandbox's clock, regardless of polls."""
        if self.expired(task):
            return "failed"
        if task.finished_at is None or self._clock.now() < task.created_at + task.seconds:
            return "processing"
        return "failed" if task.error else "ready"

    def error(self, task: Task) -> str | None:
        """Return why a task failed."""
        return RESULT_EXPIRED if self.expired(task) else task.error

    def updated_at(self, task: Task) -> float:
        """Return the time of the last change of the status."""
        if task.finished_at is None or self.status(task) == "processing":
            return task.created_at
        return max(task.finished_at, task.created_at + task.seconds)

    def expired(self, task: Task) -> bool:
        """Return whether the task is older than seven days."""
        return self._clock.now() > task.created_at + RETENTION_SECONDS

    async def aclose(self) -> None:
        """Cancel all background work."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, task: Task) -> None:
        try:
            task.sha256 = await self._workers.run_task(_sha256, task.media.path)
            if task.fate == "failed":
                task.error = FAILED
            elif task.fate is None:
                task.result = await self._workers.run_task(self._compute, task)
        except TaskFailure as error:
            task.error = str(error)
        except MediaError as error:
            task.error = f"{UNPROCESSABLE} ({error})"
        except Exception:
            log.exception("task %s failed", task.id)
            task.error = FAILED
        finally:
            task.media.delete()
        if task.fate != "stuck":
            task.finished_at = self._clock.now()

    def _compute(self, task: Task) -> Path:
        rows = task_rows(task.request, task.media, task.usage)
        path = self._files.new_path()
        # Written once and streamed from disk for each response: the vectors of four hours are 60 MB.
        try:
            with path.open("wb") as file:
                file.writelines(self._write(shuffled(rows) if self._options.shuffle_data else rows))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class RecordedTask:
    """A task that was created.

    Attributes:
        id: The task id.
        api: ``v2`` for ``/embed-v2/tasks``, ``v1`` for ``/embed/tasks``.
        model: The requested model.
        input_type: For example ``video``.
        sha256: SHA-256 of its media, in hex; None shortly after its creation.
        filename: The name of its asset or file, if any, whether or not responses report it.
        url: The URL of its media, if any.
        status: ``processing``, ``ready`` or ``failed``, regardless of polls.
        fate: The outcome scripted by a fault: ``failed``, ``stuck``, ``expired`` or None.
        is_computed: Whether its vectors are computed, so that only the sandbox's clock delays it.
        created_at: Creation on the sandbox's clock, RFC 3339; more than seven days ago for ``expired``.
        start_sec: Start of the requested window of audio or video; None for other media.
        end_sec: Its end; None for the end of the media.

    Example:
        >>> at = "2026-01-01T00:00:00.000Z"
        >>> task = RecordedTask("65", "v2", "marengo3.0", "video", None, "match.mp4", None, "ready", None, True, at)
        >>> task.filename
        'match.mp4'
    """

    id: str
    api: Api
    model: str
    input_type: str
    sha256: str | None
    filename: str | None
    url: str | None
    status: Status
    fate: TaskFate | None
    is_computed: bool
    created_at: str
    start_sec: float | None = None
    end_sec: float | None = None


def recorded_tasks(v2: Tasks, v1: Tasks) -> list[RecordedTask]:
    """Return all tasks, those of v2 first, each in order of creation."""
    return [
        *(_record("v2", task, v2) for task in v2.all()),
        *(_record("v1", task, v1) for task in v1.all()),
    ]


def _record(api: Api, task: Task, tasks: Tasks) -> RecordedTask:
    return RecordedTask(
        task.id,
        api,
        task.model,
        task.request.input_type,
        task.sha256,
        task.media.filename,
        task.media.url,
        tasks.actual_status(task),
        task.fate,
        task.finished_at is not None,
        rfc3339(task.created_at),
        getattr(task.request, "start_sec", None),
        getattr(task.request, "end_sec", None),
    )
