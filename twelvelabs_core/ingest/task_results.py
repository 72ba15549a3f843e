"""The result of a paid task: waited for, stored, and returned as what is wanted of it."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from twelvelabs_core.api.embed import check_dimension
from twelvelabs_core.base.errors import APIResponseError, NotFoundError, TaskFailedError, TwelveLabsError
from twelvelabs_core.ingest.recovery import Recovery, has_fixed_length
from twelvelabs_core.ingest.run import Job, Work
from twelvelabs_core.models.marengo import EmbeddingModel
from twelvelabs_core.results.records import SegmentedMedia, wanted_part
from twelvelabs_core.results.responses import Task
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import Findings, TaskEntry
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

Result = tuple[Segments, float]
"""Vectors, and the length of their media in seconds."""

Wait = Callable[[str], Awaitable[Task]]
"""Waits for a task by its id; raises `TaskTimeoutError` where it is not ready in time."""


class TaskResults:
    """The results of tasks, in the segment store and at the server."""

    def __init__(
        self,
        session: Session,
        embedding_model: EmbeddingModel,
        recovery: Recovery,
        open_store: "Callable[[], SegmentStore]",
    ) -> None:
        self._io = session.io
        self._account = session.settings.account
        self._model = embedding_model
        self._space = session.settings.space(embedding_model.name, embedding_model.dimension)
        self._recovery = recovery
        self._open_store = open_store

    def find(self, work: Work) -> "Findings":
        """Return what the store knows of an item."""
        return self._open_store().find_work(
            lambda _: work.content, space=self._space, params=work.params, wanted=work.wanted
        )

    async def resume(self, work: Work, entry: "TaskEntry", wait: Wait) -> bool:
        """Wait for the task that this or another process created; record it as expired if the server dropped it.

        Returns:
            False where it is the task of another account, which this one cannot see. The keys of one organisation share
            their tasks.
        """
        task_id = str(entry.task_id)
        logger.info("resuming task %s of %s", task_id, work.source)
        try:
            await self.finish(work, entry.key, task_id, wait)
        except NotFoundError:
            if entry.account != self._account:
                return False
            if not await self._recovery.has_expired(entry):
                raise
        except TaskFailedError as error:
            if not _is_expiry(error):
                raise
        else:
            return True
        logger.warning("task %s of %s has expired at the server", task_id, work.source)
        reason = f"task {task_id} has expired at the server"
        await self._io.blocking(
            lambda: self._open_store().put_failure(entry.key, reason, task_id=task_id, expired=True)
        )
        return True

    async def finish(
        self, work: Work, key: str, task_id: str, wait: Wait, *, may_be_adopted: bool = True
    ) -> "tuple[Result, int | None]":
        """Wait for a task and store its result.

        Returns:
            The result, and the number of attempts; None where another process stored the result that counts.
        """
        try:
            task = await wait(task_id)
        except TaskFailedError as error:
            reason = str(error)
            await self._io.blocking(lambda: self._open_store().put_failure(key, reason, task_id=task_id))
            raise
        except TwelveLabsError as error:
            error.task_id = task_id  # the task continues at the server and can be retrieved by its id
            raise
        segments = task.segments if task.segments is not None else Segments.empty(self._model.dimension)
        check_dimension(segments.vectors, self._model.dimension)
        if may_be_adopted:
            await self._check_adopted(key, work.source, task_id, segments)
        duration = _duration(task, segments)
        attempts = await self._io.blocking(lambda: self._open_store().put_result(key, segments, duration_sec=duration))
        return (segments, duration), attempts

    async def _check_adopted(self, key: str, source: str, task_id: str, segments: Segments) -> None:
        """Refuse the result of an adopted task whose clips have another length than requested."""
        from twelvelabs_core.store.journal import FOUND  # noqa: PLC0415  # start-up without SQLAlchemy

        entry = await self._io.blocking(lambda: self._open_store().find_task(key))
        if entry is None or entry.error != FOUND or has_fixed_length(entry.params, segments):
            return
        reason = f"task {task_id}, adopted from the list of tasks, has clips of another length than requested"
        await self._io.blocking(lambda: self._open_store().put_failure(key, reason, task_id=task_id))
        raise APIResponseError(f"{source}: {reason}. Nothing was stored; the next run creates a task.")

    def segmented(
        self,
        work: Work,
        of: "Job | TaskEntry",
        result: Result,
        task_id: str | None,
        attempts: int,
        *,
        reused: bool,
    ) -> SegmentedMedia:
        """Return what is wanted of the result of a task, which is that of a job or entry."""
        (segments, duration), wanted, rows = result, work.wanted, None
        if of.params != wanted:
            segments, rows = wanted_part(segments, wanted)
        if not len(segments):  # on every run: a search will never find this item
            logger.warning("task %s of %s returned no vectors; try other embedding options", task_id, work.source)
        return SegmentedMedia(
            source=work.source,
            title=work.title,
            model=self._model.name,
            space=self._space,
            content=work.content,
            duration_sec=duration,
            segments=segments,
            task_id=task_id,
            reused=reused,
            attempts=attempts,
            task_key=of.key,
            options=wanted,
            rows=rows,
        )


def _is_expiry(error: TaskFailedError) -> bool:
    """Whether a task failed because the server deleted its result after seven days; the API says it in these words."""
    return "no longer available" in str(error)


def _duration(task: Task, segments: Segments) -> float:
    stated = None if task.metadata is None else task.metadata.duration
    return float(stated) if stated else max((segment.end_sec for segment in segments), default=0.0)
