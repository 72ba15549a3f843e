"""A task whose id was lost with a broken create: found again in the server's list, or paid for anew and told of."""

import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from twelvelabs_core._errors import BadRequestError, NotFoundError, TwelveLabsError
from twelvelabs_core._lost_tasks import LostTask, can_be_told, is_the_one
from twelvelabs_core._operations._paid_assets import PaidAssets
from twelvelabs_core._polling import FIRST_LOOK, next_look
from twelvelabs_core._responses import TaskSummary
from twelvelabs_core._storage.entries import TaskEntry

logger = logging.getLogger("twelvelabs_core")

CLOCK_MARGIN = 30.0  # seconds between the clocks of machines that share a store
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
        journal = await self._io.blocking(lambda: self.store.journal_name)
        lost = LostTask.of(entry, journal)
        if not can_be_told(entry.params, is_marked=lost.is_marked):
            return False
        # An answer that takes longer than the time-out is one that nobody would have waited for.
        settled_after = ANSWERED_AFTER if is_answered else min(self.settings.timeout, SETTLED_AFTER)
        began = self._io.now()
        while True:
            candidates, others = await self._candidates(entry, lost)
            if candidates:
                rivals = [LostTask.of(other, journal) for other in others]
                return is_the_one(candidates, rivals) and await self._adopt(entry, candidates[0])
            # By whichever clock says more: that of the day may have been set back since.
            age = max(time.time() - entry.updated_at, self._io.now() - began)
            if candidates is None or age >= settled_after:
                return False
            await self._io.sleep(next_look(age, settled_after - age))

    async def _adopt(self, entry: TaskEntry, task: TaskSummary) -> bool:
        is_adopted = await self._io.blocking(lambda: self.store.adopt_task(entry, task.id))
        if is_adopted:
            logger.info("found task %s of %s, whose create had broken off; going on with it", task.id, entry.source)
        return is_adopted

    async def _candidates(self, entry: TaskEntry, lost: LostTask) -> tuple[list[TaskSummary] | None, list[TaskEntry]]:
        """Return the tasks at the server which can be the lost one, and the entries that may have made them too.

        Tasks that the journal has already are none; without a list there is None.
        """
        try:
            listed = [task async for task in self._listed_since(entry) if lost.could_be(task)]
        except (BadRequestError, NotFoundError) as error:
            logger.warning("the list of tasks cannot be had: %s", error)
            return None, []
        since = datetime.fromtimestamp(entry.created_at, UTC) + self._ahead - timedelta(seconds=CLOCK_MARGIN)
        # Failed tasks do not count: they would be created again anyway. Nor do those from before the intent.
        alike = [
            task for task in listed if task.status != "failed" and (task.created_at is None or task.created_at >= since)
        ]
        if not alike:
            return [], []
        ids = [task.id for task in alike]
        others = await self._io.blocking(lambda: self.store.claimants(entry, ids))
        known = {other.task_id for other in others}
        return [task for task in alike if task.id not in known], others

    def _listed_since(self, entry: TaskEntry) -> AsyncIterator[TaskSummary]:
        return self.list_tasks(started_at=datetime.fromtimestamp(entry.created_at - LISTED_BEFORE, UTC))

    async def _is_gone(self, entry: TaskEntry) -> bool:
        """Whether the server itself says that it does not have a task any more.

        A 404 alone may come from a wrong address, a proxy, or a copy of the data that is behind.
        """
        await self._io.sleep(4 * FIRST_LOOK)
        try:
            return not [task async for task in self._listed_since(entry) if task.id == entry.task_id]
        except TwelveLabsError:
            return False
