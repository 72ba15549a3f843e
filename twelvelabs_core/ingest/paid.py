"""From a medium to its stored segments, paid once: journal, asset, task, wait, matrix, store.

The journal is written before and after each step that costs something, so that a crash at any point leaves the next
run knowing what was begun.
"""

import logging
import time
from contextlib import suppress
from dataclasses import replace

from twelvelabs_core.api.embed import check_dimension
from twelvelabs_core.api.identity import content_of
from twelvelabs_core.base.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    ServerError,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.ingest.assets import place_of
from twelvelabs_core.ingest.job import Job, Work
from twelvelabs_core.ingest.recovery import CLOCK_MARGIN, LostTasks, could_be_result, mark_of, marked
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.ingest.transcripts import TranscriptWork
from twelvelabs_core.media.inspect import upload_name
from twelvelabs_core.media.source import Media
from twelvelabs_core.results.records import SegmentedMedia, task_key
from twelvelabs_core.results.responses import Task
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.store.journal import FOUND, has_ended, is_own
from twelvelabs_core.store.store import TaskEntry
from twelvelabs_core.transport.io import CONNECT_TIMEOUT
from twelvelabs_core.transport.polling import FIRST_LOOK, Patience

logger = logging.getLogger("twelvelabs_core")

_TIMED_OUT = 408
_OF_GATEWAYS = frozenset({408, 502, 504})
NOTES_MAX = 3  # tries to write down a task's id; each waits for other writers by itself


class PaidWork(LostTasks, TranscriptWork):
    """Embeds a medium by an asynchronous task, once for all runs that share a segment store."""

    @property
    def space(self) -> str:
        """The vector space of this client, such as `marengo3.0/512`; never mix two in one vector store."""
        return self.settings.space(self.model, self.embedding_dimension)

    async def _segment(self, work: Work) -> SegmentedMedia:
        try:
            work.report("checking")
            await self._io.blocking(lambda: self._check_task(work.media, work.options))
            content = await content_of(work.media, self.store, self._io)
            job = await self._job(work, content)
            place = place_of(self.store)
            async with single_flight(self._io, place, job.key, source=job.source, timeout=job.timeout):
                return await self._obtain_and_clean_up(job)
        except TwelveLabsError:
            work.report("failed")
            raise

    async def _job(self, work: Work, content: str) -> Job:
        filename = upload_name(work.media, work.options.input_type)
        if work.media.is_local:
            filename = marked(filename, mark_of(await self._io.blocking(lambda: self.store.journal_name), content))
        key = task_key(self.space, content, work.options.identity())
        timeout = self.settings.task_timeout if work.timeout is None else work.timeout
        return Job(work, content, key, filename, timeout)

    async def _obtain_and_clean_up(self, job: Job) -> SegmentedMedia:
        deletes = job.work.media.is_local and not job.work.keep_asset
        try:
            segmented = await self._with_words(job, await self._obtain(job))
        except TaskFailedError:
            if deletes:
                with suppress(TwelveLabsError):  # the failure of the task is what the caller must hear of
                    await self._delete_used_asset(job.order(), job.timeout)
            raise
        if deletes:
            try:
                await self._delete_used_asset(job.order(), job.timeout)
            except TwelveLabsError as error:  # the segments are there, and must not be lost to this
                logger.warning("the upload of %s could not be deleted at the API: %s", job.source, error)
        return segmented

    async def _with_words(self, job: Job, segmented: SegmentedMedia) -> SegmentedMedia:
        """Add the words spoken in the medium, before its asset is deleted."""
        if not job.work.include_transcript:
            return segmented
        # Nobody is told of bytes sent: the medium has been reported as ready.
        order = replace(job.order(), on_sent=None)
        words = await self._words_of(order, job.timeout, keep_asset=job.work.keep_asset)
        return replace(segmented, words=words)

    async def _obtain(self, job: Job) -> SegmentedMedia:
        """Take the result from the store, wait for a task that was begun, or pay for a new one."""
        patience = Patience(job.timeout)
        while True:
            entry = await self._io.blocking(lambda: self.store.find_task(job.key))
            if entry is not None and entry.state == "ready":
                return await self._stored(job, reused=True)
            if await self._went_on(job, entry):
                continue  # it is ready now, or has expired and the journal says so
            if await self._found(entry):
                continue
            if await self._claim(job, entry):
                task_id = await self._pay(job)
                await self._await_result(job, task_id, is_new=True)
                return await self._stored(job, reused=False)
            if patience.is_over:
                raise TaskTimeoutError(
                    f"{job.source} is being embedded by another process, not ready after "
                    f"{patience.limit:g} s; run again later.",
                    task_id=(entry.task_id if entry else None) or "unknown",
                )
            await self._io.sleep(patience.next_look())

    async def _went_on(self, job: Job, entry: TaskEntry | None) -> bool:
        """Wait for the task that this or another process began, if this account can see it."""
        if entry is None or entry.state != "processing" or entry.task_id is None:
            return False
        if entry.account != self.settings.account and not await self._is_visible(entry.task_id):
            return False
        logger.info("going on with task %s of %s", entry.task_id, job.source)
        try:
            await self._await_result(job, entry.task_id)
        except (NotFoundError, TaskFailedError) as error:
            if not (await self._is_gone(entry) if isinstance(error, NotFoundError) else _is_expiry(error)):
                raise
            logger.warning("task %s of %s has expired at the server", entry.task_id, job.source)
            reason = f"task {entry.task_id} is not known at the server any more"
            await self._io.blocking(
                lambda: self.store.put_failure(job.key, reason, task_id=entry.task_id, expired=True)
            )
        return True

    async def _is_visible(self, task_id: str) -> bool:
        """Whether the present key sees a task that another one began: all keys of an organisation are one account."""
        try:
            await self.retrieve_task(task_id)
        except (AuthenticationError, BadRequestError, NotFoundError):
            return False
        return True

    async def _found(self, entry: TaskEntry | None) -> bool:
        """Whether the task of an intent that was left behind is in the journal now; see `_recover`."""
        if entry is None or entry.state != "intent":
            return False
        return self._is_abandoned(entry) and await self._recover(entry)

    async def _claim(self, job: Job, entry: TaskEntry | None) -> bool:
        """Write the intent; False when another process, still at work, was faster."""
        if entry is not None and entry.state == "intent" and not self._is_abandoned(entry):
            return False
        order, timeout = job.order(), job.timeout
        async with self._asset_lock(order, timeout):
            if job.work.media.is_local:
                await self._make_reachable(order, timeout)  # before the intent: an upload costs no task
            # This too: an intent must not grow old while its owner is alive.
            await self._wait_for_turn(job.work.options.input_type, f"embed {job.work.media.source}")
            written = await self._put_intent(job, entry)
        if not written:
            self._give_turn_back()
        if written and entry is not None:
            _report_again(job, entry)
        return written

    async def _put_intent(self, job: Job, replacing: TaskEntry | None) -> bool:
        return await self._io.blocking(
            lambda: self.store.put_intent(
                job.key,
                space=self.space,
                content=job.content,
                model=self.model,
                params=job.work.options.identity(),
                source=job.source,
                account=self.settings.account,
                replacing=replacing,
            )
        )

    def _is_abandoned(self, entry: TaskEntry) -> bool:
        """Whether the writer of an intent is gone: it has ended, or had more time than a create can take."""
        if is_own(entry.owner) or has_ended(entry.owner):
            return True  # its own: this call holds the key alone, so an earlier one left the intent behind
        tries = self.settings.max_retries + 1  # each after a wait, the first too: a pause may have begun meanwhile
        longest = tries * (CONNECT_TIMEOUT + self.settings.timeout + self.settings.max_retry_wait)
        return time.time() - entry.updated_at > longest + CLOCK_MARGIN

    async def _pay(self, job: Job) -> str:
        """Create the task; the journal has its id before anything else happens."""
        media = job.work.media
        if media.is_local:
            asset_id = await self._io.blocking(lambda: self.store.find_asset(job.content, self.settings.account))
            media = Media.of(f"asset:{asset_id}", source=media.source)
        try:
            return await self._create_and_note(job, media)
        except TwelveLabsError as error:
            if not _may_have_happened(error):
                raise
            entry = await self._recovered(job, error)
            if entry is None or entry.task_id is None:
                raise
            return entry.task_id

    async def _create_and_note(self, job: Job, media: Media) -> str:
        async def note(task: Task) -> None:
            await self._note(job, task.id)

        try:
            task = await self._start_task(media, job.work.options, note)
        except TwelveLabsError as error:
            reason = str(error)
            if error.task_id is None and not _may_have_happened(error):
                await self._io.blocking(lambda: self.store.put_failure(job.key, reason))
            raise
        return task.id

    async def _note(self, job: Job, task_id: str) -> None:
        """Write down the task that was created; where that cannot be done, say at least which one it is."""
        for left in reversed(range(NOTES_MAX)):
            try:
                await self._io.blocking(lambda: self.store.put_task_id(job.key, task_id))
            except TwelveLabsError as error:
                if left:
                    await self._io.sleep(FIRST_LOOK)
                    continue
                logger.error("task %s of %s was created and could not be noted", task_id, job.source)  # noqa: TRY400
                error.task_id = task_id
                raise
            return

    async def _recovered(self, job: Job, error: TwelveLabsError) -> TaskEntry | None:
        """After a create whose outcome is unknown, look for its task; None where that cannot be told either."""
        logger.warning("the outcome of a create is unknown (%s); looking for its task", error)
        entry = await self._io.blocking(lambda: self.store.find_task(job.key))
        if entry is None or entry.state != "intent":
            return entry
        try:
            await self._recover(entry, is_answered=_is_answered(error))
        except TwelveLabsError as failure:
            logger.warning("the list of tasks cannot be had: %s", failure)
            return None
        return await self._io.blocking(lambda: self.store.find_task(job.key))

    async def _await_result(self, job: Job, task_id: str, *, is_new: bool = False) -> None:
        job.work.report("processing", task_id=task_id)
        try:
            task = await self._wait(task_id, job.timeout, is_new=is_new)
        except TaskFailedError as error:
            reason = str(error)
            await self._io.blocking(lambda: self.store.put_failure(job.key, reason, task_id=task_id))
            raise
        except TwelveLabsError as error:
            error.task_id = task_id  # it goes on at the server: whoever reads the report can look for it
            raise
        segments = task.segments if task.segments is not None else Segments.empty(self.embedding_dimension)
        check_dimension(segments.vectors, self.embedding_dimension)
        duration = _duration(task, segments)
        await self._check_found(job, task_id, segments, duration)
        await self._io.blocking(lambda: self.store.put_result(job.key, segments, duration_sec=duration))

    async def _check_found(self, job: Job, task_id: str, segments: Segments, duration: float) -> None:
        """Refuse the result of a task that was found in the list and turns out to be another's."""
        entry = await self._io.blocking(lambda: self.store.find_task(job.key))
        if entry is None or entry.error != FOUND:
            return
        is_marked = job.work.media.is_local
        if could_be_result(entry.params, segments, duration, is_marked=is_marked):
            return
        reason = f"task {task_id}, found in the list, turned out to be another's, or cannot be told from one"
        await self._io.blocking(lambda: self.store.put_failure(job.key, reason, task_id=task_id))
        raise APIResponseError(f"{job.source}: {reason}. Nothing of it was stored; the next run creates a task.")

    async def _stored(self, job: Job, *, reused: bool) -> SegmentedMedia:
        entry = await self._io.blocking(lambda: self.store.find_task(job.key))
        segments, duration = await self._io.blocking(lambda: self.store.load_result(job.key))
        task_id = None if entry is None else entry.task_id
        if not len(segments):  # on every run: nothing of it will ever be found
            logger.warning("task %s of %s gave no vectors; other embedding options may", task_id, job.source)
        job.work.report("reused" if reused else "ready", task_id=task_id)
        media = job.work.media
        return SegmentedMedia(
            source=media.source,
            title=media.title,
            model=self.model,
            space=self.space,
            content=job.content,
            duration_sec=duration,
            segments=segments,
            task_id=task_id,
            reused=reused,
            attempts=1 if entry is None else entry.attempts,
            task_key=job.key,
            options=job.work.options.identity(),
        )


def _may_have_happened(error: TwelveLabsError) -> bool:
    """Whether a create that ended with this error may have made a task all the same."""
    if isinstance(error, APIConnectionError):
        return error.may_have_arrived
    if isinstance(error, APIStatusError):
        # Behind a gateway, an error of the server's side says nothing of what the server has done.
        return isinstance(error, ServerError) or error.status_code == _TIMED_OUT
    return isinstance(error, APIResponseError)


def _is_answered(error: TwelveLabsError) -> bool:
    """Whether the API itself has answered, not a gateway before it: then it does not work on the request any more."""
    if isinstance(error, APIStatusError):
        return error.status_code not in _OF_GATEWAYS
    return isinstance(error, APIResponseError)


def _report_again(job: Job, entry: TaskEntry) -> None:
    """Say that this work had been begun before, and what that may have cost."""
    if entry.state == "intent":
        logger.warning(
            "%s was begun before and no task of the list can be told to be its own; a new task is paid for, "
            "perhaps the second",
            job.source,
        )
    elif entry.task_id is not None:
        logger.warning("%s was begun before (%s); a new task is paid for", job.source, entry.error or entry.state)
    else:
        logger.info("%s was begun before (%s); no task had come of it", job.source, entry.error or entry.state)


def _is_expiry(error: TwelveLabsError) -> bool:
    """Whether a task failed because the server has forgotten its result after seven days: in these words."""
    return "no longer available" in str(error)


def _duration(task: Task, segments: Segments) -> float:
    told = None if task.metadata is None else task.metadata.duration
    return float(told) if told else max((position.end_sec for position in segments.positions), default=0.0)
