"""Waiting for tasks: one list request answers for all that a client waits for, a task's own request brings its body."""

import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from twelvelabs_core import _limits
from twelvelabs_core._errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    RateLimitError,
    ServerError,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core._io import Io
from twelvelabs_core._operations._declared import GET_TASK, GET_TASKS, calls
from twelvelabs_core._operations._tasks import TaskOperations
from twelvelabs_core._polling import FIRST_LOOK, Patience
from twelvelabs_core._progress import check_callback
from twelvelabs_core._rate_limiter import RateLimiter
from twelvelabs_core._responses import Task, TaskSummary
from twelvelabs_core._settings import Settings
from twelvelabs_core._store import SegmentStore
from twelvelabs_core._watch import SECONDS_PER_PAGE, Look, Watch

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
        patience = Patience(self.settings.task_timeout if timeout is None else timeout, self._io.now)
        with self._watch.waiting(task_id, self._io.now()):
            if is_new:
                await self._io.sleep(min(FIRST_LOOK, patience.limit))
            task = await (self._look(task_id, patience) if is_new else self.retrieve_task(task_id))
            while not _is_ready(task, callback):
                if patience.is_over:
                    raise _too_late(task, patience)
                await self._io.sleep(self._pause(patience))
                task = await self._look(task_id, patience)
        return task

    def _pause(self, patience: Patience) -> float:
        if not self._watch.is_shared():
            return patience.next_look()
        return min(self._watch.pause(self._io.now()), patience.left)

    async def _look(self, task_id: str, patience: Patience) -> Task:
        """Look at a task; a look that fails when the time is over says that it is processing."""
        try:
            return await self._seen(task_id, patience)
        except (APIConnectionError, RateLimitError, ServerError) as error:
            if not patience.is_over:
                raise
            logger.warning("the last look at task %s failed: %s", task_id, error)
            return _still_processing(task_id)

    async def _seen(self, task_id: str, patience: Patience) -> Task:
        """Look at a task by the list, where that serves others too, else by its own request."""
        if not self._watch.is_shared():
            return await self.retrieve_task(task_id)
        look = await self._latest_look(patience)
        if look is None and patience.is_over and self._watch.is_listed:
            return _still_processing(task_id)
        if look is None or look.verdict(task_id) == "unknown":
            # Not among those that are processing: ready, failed, expired, or just between two pages.
            return await self.retrieve_task(task_id)
        return _still_processing(task_id, look.processing.get(task_id))

    async def _latest_look(self, patience: Patience) -> Look | None:
        """Return a fresh look at the list; None where it cannot be used, or somebody else's takes too long."""
        own = Patience(min(2 * self.settings.timeout, max(patience.left, LAST_LOOK)), self._io.now)
        while self._watch.is_listed and not own.is_over:
            look = self._watch.begin(self._io.now())
            if look is not None:
                await self._carry_out(look, patience)
                return look
            last = self._watch.last()
            if last is not None and last.is_done:
                return last
            await self._io.sleep(SECONDS_PER_PAGE / 4)
        return None

    async def _carry_out(self, look: Look, patience: Patience) -> None:
        """Ask the server which of the tasks are still processing, for as long as the caller has time."""
        try:
            look.processing = await self._processing(look.asked, self._io.now() + max(patience.left, LAST_LOOK))
        except TwelveLabsError as error:
            if _cannot_be_listed(error):
                logger.warning("the list of tasks cannot be had (%s); each task is asked for by itself", error)
                self._watch.is_listed = False
            elif isinstance(error, APIConnectionError) and patience.is_over:
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
        left = _limits.PAGE_LIMIT_MAX * max(2, len(asked))
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


def _too_late(task: Task, patience: Patience) -> TaskTimeoutError:
    return TaskTimeoutError(
        f"task {task.id} is still {task.status} after {patience.limit:g} s; it goes on at the server: "
        "wait again with its id, nothing is paid twice.",
        task_id=task.id,
    )
