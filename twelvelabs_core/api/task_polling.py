"""Waiting for tasks: while several are waited for, one request for the list of tasks answers for up to fifty of them.

The waiters of one client are threads or coroutines of several event loops. A waiter that finds the latest listing too
old fetches the next one; the others sleep and read it. A task that is not listed as processing is retrieved by itself.
"""

import copy
import logging
import math
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

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
from twelvelabs_core.results.responses import Task, TaskSummary
from twelvelabs_core.transport.polling import (
    FIRST_DELAY,
    LAST_REQUEST,
    LONGEST_DELAY,
    Deadline,
    next_delay,
    time_limit,
)
from twelvelabs_core.transport.session import Session

logger = logging.getLogger("twelvelabs_core")

TaskCallback = Callable[[Task], Any]

LONGEST_SHARED_DELAY = 4.5  # seconds: one listing serves many, so that they need not wait as long as one alone
SECONDS_PER_PAGE = 0.2  # at most five pages a second
LIST_PAUSE = 60.0  # seconds until the list is tried again after a 5xx
_FEWER_REQUESTS = 25  # times, compared with polling each task by itself
_ACCOUNT_ERRORS = (401, 429)  # a refused key and too many requests concern every request, not the list alone


def shared_delay(elapsed: list[float]) -> float:
    """Return the seconds between two listings.

    Args:
        elapsed: For each task, the seconds since waiting for it began; at least one.
    """
    count, pages = len(elapsed), math.ceil(len(elapsed) / limits.PAGE_LIMIT_MAX)
    alone = [next_delay(seconds, math.inf) for seconds in elapsed]
    requests_per_second = sum(1 / delay for delay in alone)
    delay = min(
        sum(alone) / count,
        _FEWER_REQUESTS * pages / requests_per_second,
        max(LONGEST_SHARED_DELAY, LONGEST_DELAY / count),
    )
    return max(delay, min(alone) if count == 1 else 0.0, pages * SECONDS_PER_PAGE)


@dataclass(frozen=True, slots=True)
class _Listing:
    """One finished listing of the tasks that were processing.

    Attributes:
        started: When it began, on the clock of the session's `Io`.
        requested: The tasks that were waited for when it began.
        processing: Those of them that are processing, by id.
        error: The error that it ended with, which concerns every waiter.
    """

    started: float
    requested: frozenset[str]
    processing: Mapping[str, TaskSummary] = field(default_factory=dict)
    error: TwelveLabsError | None = None


class TaskPoller:
    """Waits for tasks, one or thousands.

    Args:
        session: Sends the requests.
        retrieve: Retrieves one task.
        list_processing: Lists the account's processing tasks.
    """

    def __init__(
        self,
        session: Session,
        retrieve: Callable[[str], Awaitable[Task]],
        list_processing: Callable[[], AsyncIterator[TaskSummary]],
    ) -> None:
        self._session = session
        self._retrieve = retrieve
        self._list_processing = list_processing
        self._list_usable_at = -math.inf  # on the clock of `Io.now`; later while the list fails, inf once it is refused
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._waiting: dict[str, list[float]] = {}  # by task id, when each of its waiters began
        self._listing: _Listing | None = None
        self._is_fetching = False
        self._delay: tuple[float, float] | None = None  # when it was computed, and the seconds

    async def wait(
        self, task_id: str, timeout: float | None, callback: TaskCallback | None = None, *, is_new: bool = False
    ) -> Task:
        """Wait until a task is ready.

        Args:
            task_id: The task's id.
            timeout: Longest wait in seconds. None: the settings' `task_timeout`.
            callback: Called with the `Task` after each poll.
            is_new: Whether the task was created just now, so that it is not polled at once.

        Raises:
            TaskFailedError: The task failed.
            TaskTimeoutError: The task was not ready in time.
        """
        io = self._session.io
        deadline = Deadline(self._session.settings.task_timeout if timeout is None else timeout, io.now)
        task: Task | None = None
        failure: TwelveLabsError | None = None
        with self._registered(task_id, io.now()), time_limit(deadline.end, is_patient=True):
            if is_new:
                await io.sleep(min(FIRST_DELAY, deadline.limit))
            is_known = is_new  # else the first poll asks for the task by its id
            while True:
                try:
                    task = await (self._poll(task_id, deadline) if is_known else self._retrieve(task_id))
                    is_known = True
                    failure = None
                except (APIConnectionError, RateLimitError, ServerError) as error:
                    if not self._session.may_pass(error):
                        raise
                    failure = error
                else:
                    if _is_ready(task_id, task, callback):
                        return task
                if deadline.is_expired:
                    raise _timeout_error(task_id, task, failure, deadline)
                await io.sleep(self._next_delay(deadline))

    async def poll(self, task_id: str) -> Task:
        """Return a task that is ready now; the errors are those of `wait`."""
        task = await self._retrieve(task_id)
        if _is_ready(task_id, task, None):
            return task
        raise _timeout_error(task_id, task, None, Deadline(0.0))

    @contextmanager
    def _registered(self, task_id: str, now: float) -> Iterator[None]:
        """Count a task among those that are waited for."""
        if self._pid != os.getpid():
            self._reset()  # the parent's waiters do not exist in a forked child
        with self._lock:
            self._waiting.setdefault(task_id, []).append(now)
            self._delay = None
        try:
            yield
        finally:
            with self._lock:
                self._waiting[task_id].remove(now)
                if not self._waiting[task_id]:
                    del self._waiting[task_id]

    async def _poll(self, task_id: str, deadline: Deadline) -> Task:
        """Return the state of a task."""
        if not self._is_shared():
            return await self._retrieve(task_id)
        listing = await self._latest_listing(deadline)
        is_overdue = listing is None and self._is_list_usable() and deadline.is_expired
        if is_overdue or (listing is not None and task_id not in listing.requested):
            return _processing(task_id)  # waiting began after the listing did; the next one includes the task
        if listing is None:
            return await self._retrieve(task_id)
        if listing.error is not None:
            raise copy.copy(listing.error)  # several waiters raise it, each with its own traceback
        if task_id in listing.processing:
            return _processing(task_id, listing.processing[task_id])
        # Ready, failed, expired, or moved between two pages of the list.
        return await self._retrieve(task_id)

    async def _latest_listing(self, deadline: Deadline) -> _Listing | None:
        """Return a fresh listing; None where tasks cannot be listed, or another waiter's listing takes too long."""
        io = self._session.io
        until = io.now() + min(2 * self._session.settings.timeout, max(deadline.remaining, LAST_REQUEST))
        while self._is_list_usable() and (now := io.now()) < until:
            with self._lock:
                latest = self._listing
                if latest is not None and now < latest.started + self._delay_at(now):
                    return latest
                is_ours = not self._is_fetching
                self._is_fetching = True
                requested = frozenset(self._waiting)
            if is_ours:
                return await self._fetch_listing(now, requested, deadline)
            await io.sleep(SECONDS_PER_PAGE / 4)
        return None

    async def _fetch_listing(self, started: float, requested: frozenset[str], deadline: Deadline) -> _Listing | None:
        """List the processing tasks once for all waiters; what ends in cancellation is left to the next waiter."""
        listing: _Listing | None = None
        now = self._session.io.now()
        try:
            with time_limit(now + max(deadline.remaining, LAST_REQUEST)):
                listing = _Listing(started, requested, await self._find_processing(requested))
        except TwelveLabsError as error:
            if _concerns_list_alone(error):
                logger.warning("failed to list tasks (%s); each task is polled by itself", error)
                self._list_usable_at = now + LIST_PAUSE if isinstance(error, ServerError) else math.inf
            elif self._session.may_pass(error) and deadline.remaining < self._session.settings.timeout:
                raise  # this caller's time was too short for an answer; other waiters may have more
            else:
                listing = _Listing(started, requested, error=error)
        finally:
            with self._lock:
                self._is_fetching = False
                self._listing = listing or self._listing
        return listing

    async def _find_processing(self, requested: frozenset[str]) -> dict[str, TaskSummary]:
        found: dict[str, TaskSummary] = {}
        # Tasks of other clients may stand between ours; then one request for each of ours is cheaper.
        remaining = limits.PAGE_LIMIT_MAX * max(2, len(requested))
        tasks = self._list_processing()
        async with aclosing(tasks):  # type: ignore[type-var]  # it is an async generator
            async for task in tasks:
                remaining -= 1
                if task.id in requested and task.status == "processing":
                    found[task.id] = task
                if not remaining or len(found) == len(requested):
                    break
        return found

    def _is_shared(self) -> bool:
        """Whether a listing would serve more than one task."""
        return self._is_list_usable() and len(self._waiting) > 1

    def _is_list_usable(self) -> bool:
        return self._session.io.now() >= self._list_usable_at

    def _next_delay(self, deadline: Deadline) -> float:
        if not self._is_shared():
            return deadline.next_delay()
        now = self._session.io.now()
        with self._lock:
            delay = self._delay_at(now)
            if self._listing is not None:
                delay = max(self._listing.started + delay - now, min(delay, SECONDS_PER_PAGE))
        return min(delay, deadline.remaining)

    def _delay_at(self, now: float) -> float:
        """Return the delay between listings; recomputed only after a quarter of it, since thousands may ask."""
        if self._delay is None or now > self._delay[0] + self._delay[1] / 4:
            elapsed = [now - since for times in self._waiting.values() for since in times]
            self._delay = (now, shared_delay(elapsed or [0.0]))
        return self._delay[1]


def _concerns_list_alone(error: TwelveLabsError) -> bool:
    """Whether a task may still be retrieved by its own request."""
    if isinstance(error, APIStatusError):
        return error.status_code not in _ACCOUNT_ERRORS
    return isinstance(error, APIResponseError)


def _processing(task_id: str, seen: TaskSummary | None = None) -> Task:
    times = {} if seen is None else {"created_at": seen.created_at, "updated_at": seen.updated_at}
    return Task.model_validate({"_id": task_id, "status": "processing", **times})


def _is_ready(task_id: str, task: Task, callback: TaskCallback | None) -> bool:
    if callback is not None:
        callback(task)
    if task.status == "failed":
        reason = (task.error or "no reason given").rstrip(". ")
        raise TaskFailedError(f"task {task_id} failed: {reason}.", task_id=task_id)
    return task.status == "ready"


def _timeout_error(
    task_id: str, task: Task | None, failure: TwelveLabsError | None, deadline: Deadline
) -> TaskTimeoutError:
    status = "of unknown status" if task is None else f"still {task.status}"
    last = f" The last poll failed: {failure}" if failure is not None else ""
    return TaskTimeoutError(
        f"task {task_id} is {status} after {deadline.limit:g} s and continues at the server: "
        f"wait for it again by its id, nothing is paid twice.{last}",
        task_id=task_id,
    )
