"""The life of embedding tasks: created, worked on, ready or failed, forgotten after seven days."""

import asyncio
import hashlib
import logging
import math
import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from twelvelabs_sandbox.state.resources import Files
from twelvelabs_sandbox.state.resources import Workers
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.requests.types import TaskRequest
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.formats import new_id
from twelvelabs_sandbox.formats import rfc3339
from twelvelabs_sandbox.formats import rfc3339_seconds
from twelvelabs_sandbox.faults import TaskFate
from twelvelabs_sandbox.errors import not_found
from twelvelabs_sandbox.errors import too_many_requests
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.embedding.vectors import task_rows
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.types import Row
from twelvelabs_sandbox.embedding.types import Usage
from twelvelabs_sandbox.embedding.response_json import data_array
from twelvelabs_sandbox.embedding.response_json import shuffled
from twelvelabs_sandbox.embedding.marengo35_documents import TaskFailure

RETENTION_SECONDS = 7 * 24 * 60 * 60
UNPROCESSABLE = "We could not process your media for embedding. Please verify the input file and try again."
FAILED = "The embedding task failed. Please try again later."
RESULT_EXPIRED = "The embedding result is no longer available and cannot be retrieved."

log = logging.getLogger(__name__)

Status = Literal["processing", "ready", "failed"]
STATUSES: tuple[Status, ...] = ("processing", "ready", "failed")


@dataclass(eq=False, slots=True)
class Task:
    """One task.

    Attributes:
        seconds: How long it takes on the sandbox's clock, beyond the real work.
        fate: What a fault decided for it.
        polls: How often its status was asked.
        sha256: Of the bytes of its medium, in hex; None until they were read.
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
    """All tasks of one sandbox; used on the server's event loop only."""

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
        self._spread = random.Random(options.seed)  # noqa: S311 - a lifelike spread, not a secret

    def check_capacity(self) -> None:
        """Refuse a new task while too many are unfinished."""
        if len(self._running) >= self._options.max_waiting_tasks:
            raise too_many_requests(rfc3339_seconds(self._clock.now() + 1))

    def create(self, model: str, request: TaskRequest, media: LocalMedia, fate: TaskFate | None) -> Task:
        """Begin a task; it owns the media from now on."""
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
        """Return one task; ApiError 404 where there is none (any more)."""
        task = self._tasks.get(task_id)
        if task is None or (self.expired(task) and self._options.expired_as == "not_found"):
            raise not_found(task_id, "embedding_tasks")
        task.polls += 1
        return task

    def poll_all(self, since: float | None, until: float | None, statuses: Collection[str]) -> list[Task]:
        """Return tasks, the newest first; without a time those of the last seven days."""
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
        """Return every task in the order of creation, without counting this as a look."""
        return list(self._tasks.values())

    def status(self, task: Task) -> Status:
        """Return what a task is for those who ask; the first ``task_polls`` of them hear that it is processing."""
        is_early = task.polls <= self._options.task_polls and not self.expired(task)
        return "processing" if is_early else self.actual_status(task)

    def actual_status(self, task: Task) -> Status:
        """Return what a task is on the sandbox's clock, which may be later than its work was done."""
        if self.expired(task):
            return "failed"
        if task.finished_at is None or self._clock.now() < task.created_at + task.seconds:
            return "processing"
        return "failed" if task.error else "ready"

    def error(self, task: Task) -> str | None:
        """Return why a task failed."""
        return RESULT_EXPIRED if self.expired(task) else task.error

    def updated_at(self, task: Task) -> float:
        """Return when the status changed last."""
        if task.finished_at is None or self.status(task) == "processing":
            return task.created_at
        return max(task.finished_at, task.created_at + task.seconds)

    def expired(self, task: Task) -> bool:
        """Whether the seven days are over."""
        return self._clock.now() > task.created_at + RETENTION_SECONDS

    async def aclose(self) -> None:
        """Stop all work."""
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
        # Written once and streamed from disk each time it is asked for: four hours are 60 MB.
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


Api = Literal["v1", "v2"]


@dataclass(frozen=True, slots=True)
class RecordedTask:
    """One task that was created.

    Attributes:
        id: Its id.
        api: ``v2`` for ``/embed-v2/tasks``, ``v1`` for ``/embed/tasks``.
        model: The model that it named.
        input_type: Such as ``video``.
        sha256: Of the bytes of its medium, in hex; None for a moment after its creation.
        filename: The name of the asset or file that it was made of, if any; also where answers do not say it.
        url: The address that its medium came from, if any.
        status: ``processing``, ``ready`` or ``failed``, also where nobody has asked for it yet.
        fate: What a fault decided for it: ``failed``, ``stuck``, ``expired`` or None.
        is_computed: Whether the sandbox has done its real work on it, so that only its clock holds the task back.
        created_at: When, on the sandbox's clock; RFC 3339. An ``expired`` one says more than seven days ago.

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


def recorded_tasks(v2: Tasks, v1: Tasks) -> list[RecordedTask]:
    """Return all tasks, those of v2 first, each kind in the order of creation."""
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
    )
