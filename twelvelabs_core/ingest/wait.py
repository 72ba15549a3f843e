"""What is known of the tasks that one client waits for: who looks at the server's list, when, and what it said.

One request for the list answers for up to fifty tasks, so that waiting for many costs hardly more than for one. The
waiters are threads or coroutines, of several event loops too; nothing here waits or talks to anything.

Waiting for tasks: one list request answers for all that a client waits for, a task's own request brings its body.
"""

import copy
import logging
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from twelvelabs_core.api.endpoints import GET_TASK, GET_TASKS, calls
from twelvelabs_core.api.tasks import TaskOperations
from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    RateLimitError,
    ServerError,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.base.progress import check_callback
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.results.responses import Task, TaskSummary
from twelvelabs_core.store.store import SegmentStore
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.polling import FIRST_DELAY, LONGEST_DELAY, Deadline, next_delay
from twelvelabs_core.transport.rate_limit import RateLimiter

Verdict = Literal["processing", "unknown"]

LONGEST_SHARED_GAP = 4.5  # seconds: one look serves many, so that they need not wait as long as one alone
SECONDS_PER_PAGE = 0.2  # never more than five pages a second
CHEAPER = 25  # times fewer requests than if each task were looked at by itself


def shared_gap(elapsed: list[float]) -> float:
    """Return the seconds between two looks at the list.

    Args:
        elapsed: For each task, the seconds since waiting for it began; at least one.
    """
    count, pages = len(elapsed), math.ceil(len(elapsed) / limits.PAGE_LIMIT_MAX)
    alone = [next_delay(seconds, math.inf) for seconds in elapsed]
    looks_per_second = sum(1 / gap for gap in alone)
    gap = min(sum(alone) / count, CHEAPER * pages / looks_per_second, max(LONGEST_SHARED_GAP, LONGEST_DELAY / count))
    return max(gap, min(alone) if count == 1 else 0.0, pages * SECONDS_PER_PAGE)


@dataclass(slots=True)
class Look:
    """One look at the list, under way or done.

    Attributes:
        began: When, on the clock of the caller.
        asked: The tasks that were waited for when it began.
        processing: Those of them that the list has as processing, by id.
        error: What it ended with, if it failed.
        is_done: Whether it has ended.
    """

    began: float
    asked: frozenset[str]
    processing: dict[str, TaskSummary] = field(default_factory=dict)
    error: TwelveLabsError | None = None
    is_done: bool = False

    def verdict(self, task_id: str) -> Verdict | None:
        """Return what it said of a task, None if it was not asked.

        Raises:
            TwelveLabsError: It failed.
        """
        if task_id not in self.asked:
            return None
        if self.error is not None:
            raise copy.copy(self.error)  # several raise it, each with a traceback of its own
        return "processing" if task_id in self.processing else "unknown"


class Watch:
    """The tasks that a client waits for, and its looks at the list."""

    def __init__(self) -> None:
        self._forget()
        self.is_listed = True  # until the server shows that its list cannot be used

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._waiting: dict[str, list[float]] = {}
        self._last: Look | None = None
        self._gap: tuple[float, float] | None = None

    @contextmanager
    def waiting(self, task_id: str, now: float) -> Iterator[None]:
        """Count a task among those that are waited for."""
        if self._pid != os.getpid():
            self._forget()  # after fork: those who waited and looked live in the parent only
        with self._lock:
            self._waiting.setdefault(task_id, []).append(now)
            self._gap = None
        try:
            yield
        finally:
            with self._lock:
                self._waiting[task_id].remove(now)
                if not self._waiting[task_id]:
                    del self._waiting[task_id]

    def is_shared(self) -> bool:
        """Whether a look at the list would serve more than one."""
        return self.is_listed and len(self._waiting) > 1

    def last(self) -> Look | None:
        """Return the latest look, under way or done."""
        return self._last

    def begin(self, now: float) -> Look | None:
        """Begin a look, for this caller to carry out; None while one is under way or the last is fresh."""
        with self._lock:
            last = self._last
            if last is not None and (not last.is_done or now < last.began + self._gap_at(now)):
                return None
            self._last = Look(now, frozenset(self._waiting))
            return self._last

    def pause(self, now: float) -> float:
        """Return the seconds until the next look is due."""
        with self._lock:
            gap = self._gap_at(now)
            return gap if self._last is None else max(self._last.began + gap - now, min(gap, SECONDS_PER_PAGE))

    def _gap_at(self, now: float) -> float:
        """Return the gap; worked out anew only once part of it has passed, for thousands may ask."""
        if self._gap is None or now > self._gap[0] + self._gap[1] / 4:
            elapsed = [now - since for times in self._waiting.values() for since in times]
            self._gap = (now, shared_gap(elapsed or [0.0]))
        return self._gap[1]


logger = logging.getLogger("twelvelabs_core")

LAST_LOOK = 2.0  # seconds for a look at the list that falls on the end of a caller's time
_OF_ALL_REQUESTS = (401, 429)  # a refused key, or too many requests

TaskCallback = Callable[[Task], Any]


class WatchOperations(TaskOperations):
    """Waits for tasks, one or thousands."""

    def __init__(
        self,
        settings: Settings,
        io: Io,
        *,
        model: str,
        store: Callable[[], SegmentStore],
        embedding_dimension: int | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        super().__init__(
            settings,
            io,
            model=model,
            store=store,
            embedding_dimension=embedding_dimension,
            rate_limiter=rate_limiter,
        )
        self._watch = Watch()

    @calls(GET_TASK, also=[GET_TASKS])
    async def wait_for_task(
        self,
        task_id: str,
        *,
        timeout: float | None = None,
        callback: TaskCallback | None = None,
    ) -> Task:
        """Wait until a task is ready.

        Any number of calls at once cost little: while a client waits for several tasks, one request for the list of
        those that are processing answers for up to fifty of them.

        Args:
            task_id: Its id.
            timeout: Longest wait in seconds. Default: the settings' `task_timeout`.
            callback: Called with the `Task` after each look.

        Returns:
            The ready `Task`, with its `segments`.

        Raises:
            TaskFailedError: It ended as failed; the message has the server's reason.
            TaskTimeoutError: It was not ready in time; it goes on at the server.
            NotFoundError: There is none of this id, or its seven days are over.
        """
        check_callback(callback, "callback")
        return await self._wait(task_id, timeout, callback)

    async def _wait(
        self, task_id: str, timeout: float | None, callback: TaskCallback | None = None, *, is_new: bool = False
    ) -> Task:
        """Wait for a task; one that was created just now is not looked at at once."""
        patience = Deadline(self.settings.task_timeout if timeout is None else timeout, self._io.now)
        with self._watch.waiting(task_id, self._io.now()):
            if is_new:
                await self._io.sleep(min(FIRST_DELAY, patience.limit))
            task = await (self._look(task_id, patience) if is_new else self.retrieve_task(task_id))
            while not _is_ready(task, callback):
                if patience.is_expired:
                    raise _too_late(task, patience)
                await self._io.sleep(self._pause(patience))
                task = await self._look(task_id, patience)
        return task

    def _pause(self, patience: Deadline) -> float:
        if not self._watch.is_shared():
            return patience.next_delay()
        return min(self._watch.pause(self._io.now()), patience.remaining)

    async def _look(self, task_id: str, patience: Deadline) -> Task:
        """Look at a task; a look that fails when the time is over says that it is processing."""
        try:
            return await self._seen(task_id, patience)
        except (APIConnectionError, RateLimitError, ServerError) as error:
            if not patience.is_expired:
                raise
            logger.warning("the last look at task %s failed: %s", task_id, error)
            return _still_processing(task_id)

    async def _seen(self, task_id: str, patience: Deadline) -> Task:
        """Look at a task by the list, where that serves others too, else by its own request."""
        if not self._watch.is_shared():
            return await self.retrieve_task(task_id)
        look = await self._latest_look(patience)
        if look is None and patience.is_expired and self._watch.is_listed:
            return _still_processing(task_id)
        if look is None or look.verdict(task_id) == "unknown":
            # Not among those that are processing: ready, failed, expired, or just between two pages.
            return await self.retrieve_task(task_id)
        return _still_processing(task_id, look.processing.get(task_id))

    async def _latest_look(self, patience: Deadline) -> Look | None:
        """Return a fresh look at the list; None where it cannot be used, or somebody else's takes too long."""
        own = Deadline(min(2 * self.settings.timeout, max(patience.remaining, LAST_LOOK)), self._io.now)
        while self._watch.is_listed and not own.is_expired:
            look = self._watch.begin(self._io.now())
            if look is not None:
                await self._carry_out(look, patience)
                return look
            last = self._watch.last()
            if last is not None and last.is_done:
                return last
            await self._io.sleep(SECONDS_PER_PAGE / 4)
        return None

    async def _carry_out(self, look: Look, patience: Deadline) -> None:
        """Ask the server which of the tasks are still processing, for as long as the caller has time."""
        try:
            look.processing = await self._processing(look.asked, self._io.now() + max(patience.remaining, LAST_LOOK))
        except TwelveLabsError as error:
            if _cannot_be_listed(error):
                logger.warning("the list of tasks cannot be had (%s); each task is asked for by itself", error)
                self._watch.is_listed = False
            elif isinstance(error, APIConnectionError) and patience.is_expired:
                look.asked = frozenset()  # the time of this caller was too short, and that of the others may not be
            else:
                look.error = error
        except BaseException:
            look.asked = frozenset()  # the caller has left: this look says nothing of any task
            raise
        finally:
            look.is_done = True

    async def _processing(self, asked: frozenset[str], until: float) -> dict[str, TaskSummary]:
        found: dict[str, TaskSummary] = {}
        # Other people's tasks may stand between ours; then a request for each of ours is the shorter way.
        left = limits.PAGE_LIMIT_MAX * max(2, len(asked))
        tasks = self._listed_tasks({"status": "processing"}, until=until)
        async with aclosing(tasks):  # type: ignore[type-var]  # it is an async generator
            async for task in tasks:
                left -= 1
                if task.id in asked and task.status == "processing":
                    found[task.id] = task
                if not left or len(found) == len(asked):
                    break
        return found


def _cannot_be_listed(error: TwelveLabsError) -> bool:
    """Whether only the list is refused, broken or not understood: a task's own request may be answered."""
    if isinstance(error, APIStatusError):
        return error.status_code not in _OF_ALL_REQUESTS
    return isinstance(error, APIResponseError)


def _still_processing(task_id: str, seen: TaskSummary | None = None) -> Task:
    times = {} if seen is None else {"created_at": seen.created_at, "updated_at": seen.updated_at}
    return Task.model_validate({"_id": task_id, "status": "processing", **times})


def _is_ready(task: Task, callback: TaskCallback | None) -> bool:
    if callback is not None:
        callback(task)
    if task.status == "failed":
        reason = (task.error or "no reason given").rstrip(". ")
        raise TaskFailedError(f"task {task.id} failed: {reason}.", task_id=task.id)
    return task.status == "ready"


def _too_late(task: Task, patience: Deadline) -> TaskTimeoutError:
    return TaskTimeoutError(
        f"task {task.id} is still {task.status} after {patience.limit:g} s; it goes on at the server: "
        "wait again with its id, nothing is paid twice.",
        task_id=task.id,
    )
