"""A task whose id was lost with a broken create: found again in the server's list, or paid for anew and told of."""

import logging
import time
from datetime import UTC, datetime

from twelvelabs_core._errors import BadRequestError, NotFoundError
from twelvelabs_core._lost_tasks import LostTask, is_the_one
from twelvelabs_core._operations._paid_assets import PaidAssets
from twelvelabs_core._polling import next_look
from twelvelabs_core._responses import TaskSummary
from twelvelabs_core._storage.entries import TaskEntry

logger = logging.getLogger("twelvelabs_core")

LISTED_BEFORE = 600.0  # seconds: how far the server's clock may be behind ours
SETTLED_AFTER = 60.0  # seconds: a create that has not shown up by then never will
ANSWERED_AFTER = 1.0  # seconds: the same where the server has answered, so that it is done with the create


class LostTasks(PaidAssets):
    """Finds tasks that were created though nobody heard of it."""

    async def _recover(self, entry: TaskEntry, *, is_answered: bool = False) -> bool:
        """Look for the task of an intent whose create broke off; return whether the journal has its id now.

        It is adopted only where exactly one task of the list can be it. A create may still be on its way in the
        server, so that nothing is concluded from an empty list before the intent is old enough.
        """
        # An answer that takes longer than the time-out is one that nobody would have waited for.
        settled_after = ANSWERED_AFTER if is_answered else min(self.settings.timeout, SETTLED_AFTER)
        while True:
            candidates = await self._candidates(entry)
            if candidates is None or len(candidates) > 1:
                return False
            if candidates:
                return await self._adopt(entry, candidates)
            age = time.time() - entry.updated_at
            if age >= settled_after:
                return False
            await self._io.sleep(next_look(age, settled_after - age))

    async def _adopt(self, entry: TaskEntry, candidates: list[TaskSummary]) -> bool:
        journal = await self._io.blocking(lambda: self.store.journal_name)
        others = await self._io.blocking(lambda: self.store.intents(self.settings.account))
        if not is_the_one(candidates, [LostTask.of(other, journal) for other in others if other.key != entry.key]):
            return False
        task_id = candidates[0].id
        logger.info("found task %s of %s, whose create had broken off; going on with it", task_id, entry.source)
        return await self._io.blocking(lambda: self.store.adopt_task(entry, task_id))

    async def _candidates(self, entry: TaskEntry) -> list[TaskSummary] | None:
        """Return the tasks at the server which the journal does not have and which can be the lost one."""
        lost = LostTask.of(entry, await self._io.blocking(lambda: self.store.journal_name))
        since = datetime.fromtimestamp(entry.created_at - LISTED_BEFORE, UTC)
        try:
            # Failed tasks do not count: they would be created again anyway.
            alike = [
                task
                async for task in self.list_tasks(started_at=since)
                if task.status != "failed" and lost.could_be(task)
            ]
        except (BadRequestError, NotFoundError) as error:
            logger.warning("the list of tasks cannot be had: %s", error)
            return None
        known = await self._io.blocking(lambda: self.store.known_task_ids([task.id for task in alike]))
        return [task for task in alike if task.id not in known]
