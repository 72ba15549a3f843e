"""The creation of a paid task: upload, intent, create request, id.

The journal is written before and after each step, so that a crash at any point leaves the next run with what it needs.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_core.base.errors import TwelveLabsError
from twelvelabs_core.ingest.assets import MediaAssets
from twelvelabs_core.ingest.budget import minutes_to_pay
from twelvelabs_core.ingest.recovery import Recovery, is_answered, log_new_attempt, may_have_created
from twelvelabs_core.ingest.run import Job
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.paid_work import embedded_minutes
from twelvelabs_core.transport.polling import FIRST_DELAY
from twelvelabs_core.transport.rate_limit import Permit
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import TaskEntry
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_WRITES_MAX = 3  # attempts to write a task's id; each one already waits for other writers


class Creation:
    """Creates tasks, each once for all runs that share a segment store."""

    def __init__(
        self,
        session: Session,
        tasks: AsyncTasks,
        media_assets: MediaAssets,
        recovery: Recovery,
        open_store: "Callable[[], SegmentStore]",
    ) -> None:
        self._session = session
        self._io = session.io
        self._tasks = tasks
        self._media_assets = media_assets
        self._recovery = recovery
        self._open_store = open_store

    async def create(self, job: Job, entry: "TaskEntry | None") -> tuple[str, bool] | None:
        """Upload local media, write the intent, create the task.

        While this runs, other processes wait for the intent.

        Returns:
            The task's id, and whether it was found in the list of tasks; None where another process was faster.
        """
        store, minutes = self._open_store(), embedded_minutes(job.params, job.media.duration_sec)
        if (budget := job.run.budget) is not None:  # before an upload; the intent decides
            minutes = needed = await self._io.blocking(lambda: minutes_to_pay(job.media, job.paid))
            await self._io.blocking(lambda: store.check_budget(job.space, job.source, needed, budget))
        await self._io.blocking(store.ensure_beat)  # refuses, before an upload, a store that cannot be written
        with store.creating():
            permit = await self._write_intent(job, entry, minutes)
            if permit is None:
                return None
            try:
                return await self._send_create(job, permit)
            finally:
                self._session.release(permit)

    async def _write_intent(self, job: Job, entry: "TaskEntry | None", minutes: float | None) -> Permit | None:
        """Upload local media, then write the intent; return the permit for the create.

        The permit is acquired first, so that an intent never waits for rate limits.

        Returns:
            None where another process was faster.
        """
        async with self._media_assets.lock(job.content, job.source, job.timeout):
            if job.media.is_local:
                await self._media_assets.ensure_uploaded(job.order, job.timeout)
            await self._session.wait_for_rate_limiter()
            permit = await self._session.acquire(job.options.input_type, f"embed {job.source}")
            is_written = False
            try:
                is_written = await self._io.blocking(
                    lambda: self._open_store().put_intent(
                        job.key,
                        space=job.space,
                        content=job.content,
                        model=job.options.model,
                        params=job.params,
                        source=job.source,
                        account=self._session.settings.account,
                        url=job.url,
                        replacing=entry,
                        wanted=job.wanted,
                        minutes=minutes,
                        budget=job.run.budget,
                    )
                )
            finally:
                if not is_written:
                    self._session.release(permit)
        if is_written and entry is not None and entry.key == job.key:
            log_new_attempt(job.source, entry)
        return permit if is_written else None

    async def _send_create(self, job: Job, permit: Permit) -> tuple[str, bool]:
        """Create the task; its id is in the journal before anything else happens."""
        media = job.media
        try:
            if media.is_local:
                asset_id = await self._media_assets.find(job.content)
                media = Media.of(f"asset:{asset_id}", source=job.source)
            task = await self._tasks.start(
                media, job.paid, note=lambda task: self._write_task_id(job, task.id), permit=permit
            )
        except TwelveLabsError as error:
            if not may_have_created(error):
                reason = str(error)
                if error.task_id is None:
                    await self._io.blocking(lambda: self._open_store().put_failure(job.key, reason))
                raise
            task_id = await self._recover(job, error)
            if task_id is None:
                raise
            return task_id, True
        return task.id, False

    async def _write_task_id(self, job: Job, task_id: str) -> None:
        """Write the id of the created task to the journal; where that fails, name it in the log and the error."""
        for remaining in reversed(range(_WRITES_MAX)):
            try:
                is_ours = await self._io.blocking(lambda: self._open_store().put_task_id(job.key, task_id))
            except TwelveLabsError as error:
                if remaining:
                    await self._io.sleep(FIRST_DELAY)
                    continue
                logger.error(  # noqa: TRY400  # the error is raised, with the id
                    "task %s of %s was created, but its id could not be written to the segment store",
                    task_id,
                    job.source,
                )
                error.task_id = task_id
                raise
            if not is_ours:  # a process that was silent for too long; another one continued its work
                logger.warning(
                    "task %s of %s was created beside another one: it is paid for twice", task_id, job.source
                )
            return

    async def _recover(self, job: Job, error: TwelveLabsError) -> str | None:
        """Find the task of a create whose outcome is unknown; return its id, or None."""
        logger.warning("the outcome of a create is unknown (%s); searching the list of tasks", error)
        entry = await self._io.blocking(lambda: self._open_store().find_task(job.key))
        if entry is None or entry.state != "intent":
            return None if entry is None else entry.task_id
        try:
            return await self._recovery.adopt_lost_task(entry, is_answered=is_answered(error))
        except TwelveLabsError as failure:
            logger.warning("failed to list tasks: %s", failure)
            return None
