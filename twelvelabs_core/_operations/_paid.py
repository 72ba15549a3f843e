"""From a medium to its stored segments, paid once: journal, asset, task, wait, matrix, store.

The journal is written before and after each step that costs something, so that a crash at any point leaves the next
run knowing what was begun.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from twelvelabs_core._errors import APIStatusError, NotFoundError, TaskFailedError, TaskTimeoutError, TwelveLabsError
from twelvelabs_core._io import CONNECT_TIMEOUT
from twelvelabs_core._media import Media
from twelvelabs_core._media_types import upload_name
from twelvelabs_core._operations._content import content_of
from twelvelabs_core._operations._embed import check_dimension
from twelvelabs_core._operations._paid_assets import NO_PLAYBACK, place_of
from twelvelabs_core._operations._transcripts import TranscriptWork
from twelvelabs_core._operations._uploads import UploadOrder
from twelvelabs_core._options import TaskOptions, check_bool
from twelvelabs_core._polling import Patience, check_timeout
from twelvelabs_core._progress import OnProgress, Progress, Stage, check_callback
from twelvelabs_core._records import SegmentedMedia, task_key
from twelvelabs_core._responses import Task
from twelvelabs_core._segments import Segments
from twelvelabs_core._single_flight import single_flight
from twelvelabs_core._storage.owners import has_ended, is_own
from twelvelabs_core._store import TaskEntry

logger = logging.getLogger("twelvelabs_core")

CLOCK_MARGIN = 30.0  # between the clocks of machines that share a store


@dataclass(frozen=True, slots=True)
class Work:
    """One medium to be embedded, and how."""

    media: Media
    options: TaskOptions
    timeout: float | None
    on_progress: OnProgress | None
    keep_asset: bool = True
    include_transcript: bool = False

    def __post_init__(self) -> None:
        check_callback(self.on_progress, "on_progress")
        check_bool("keep_asset", self.keep_asset)
        check_bool("include_transcript", self.include_transcript)
        if self.timeout is not None:
            check_timeout(self.timeout)

    def report(self, stage: Stage, done: int = 0, total: int = 0, task_id: str | None = None) -> None:
        """Tell the caller."""
        if self.on_progress is not None:
            self.on_progress(Progress(self.media.source, stage, done, total, task_id))


@dataclass(frozen=True, slots=True)
class _Job:
    """A piece of work with its identity."""

    work: Work
    content: str
    key: str

    def order(self) -> UploadOrder:
        """Return how its local bytes become an asset."""
        media = self.work.media
        return UploadOrder(
            media,
            upload_name(media, self.work.options.input_type),
            asset_type=self.work.options.input_type,
            options=NO_PLAYBACK,
            on_sent=self._report_sent,
            content=self.content,
        )

    def _report_sent(self, done: int, total: int) -> None:
        self.work.report("uploading", done, total)


class PaidWork(TranscriptWork):
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
            job = _Job(work, content, task_key(self.space, content, work.options.identity()))
            place, timeout = place_of(self.store), self._task_timeout(job)
            async with single_flight(self._io, place, job.key, source=work.media.source, timeout=timeout):
                return await self._obtain_and_clean_up(job)
        except TwelveLabsError:
            work.report("failed")
            raise

    async def _obtain_and_clean_up(self, job: _Job) -> SegmentedMedia:
        deletes = job.work.media.is_local and not job.work.keep_asset
        try:
            segmented = await self._with_words(job, await self._obtain(job))
        except TaskFailedError:
            if deletes:
                with suppress(TwelveLabsError):  # the failure of the task is what the caller must hear of
                    await self._delete_used_asset(job.order(), self._task_timeout(job))
            raise
        if deletes:
            await self._delete_used_asset(job.order(), self._task_timeout(job))
        return segmented

    async def _with_words(self, job: _Job, segmented: SegmentedMedia) -> SegmentedMedia:
        """Add the words spoken in the medium, before its asset is deleted."""
        if not job.work.include_transcript:
            return segmented
        # Nobody is told of bytes sent: the medium has been reported as ready.
        order = replace(job.order(), on_sent=None)
        timeout, keep_asset = self._task_timeout(job), job.work.keep_asset
        return replace(segmented, words=await self._words_of(order, timeout, keep_asset=keep_asset))

    async def _obtain(self, job: _Job) -> SegmentedMedia:
        """Take the result from the store, wait for a task that was begun, or pay for a new one."""
        patience = Patience(self._task_timeout(job))
        while True:
            entry = await self._io.blocking(lambda: self.store.find_task(job.key))
            if entry is not None and entry.state == "ready":
                return await self._stored(job, entry.task_id, reused=True)
            if await self._went_on(job, entry):
                continue  # it is ready now, or has expired and the journal says so
            if await self._claim(job, entry):
                task_id = await self._pay(job)
                await self._await_result(job, task_id)
                return await self._stored(job, task_id, reused=False)
            if patience.is_over:
                raise TaskTimeoutError(
                    f"{job.work.media.source} is being embedded by another process, not ready after "
                    f"{patience.limit:g} s; run again later.",
                    task_id=(entry.task_id if entry else None) or "unknown",
                )
            await self._io.sleep(patience.next_look())

    async def _went_on(self, job: _Job, entry: TaskEntry | None) -> bool:
        """Wait for the task that this or another process began, if this account can see it."""
        if entry is None or entry.state != "processing" or entry.task_id is None:
            return False
        if entry.account != self.settings.account:
            return False
        logger.info("going on with task %s of %s", entry.task_id, job.work.media.source)
        try:
            await self._await_result(job, entry.task_id)
        except (NotFoundError, TaskFailedError) as error:
            if not _is_expiry(error):
                raise
            logger.warning("task %s of %s has expired at the server", entry.task_id, job.work.media.source)
            reason = f"task {entry.task_id} is not known at the server any more"
            await self._io.blocking(lambda: self.store.put_failure(job.key, reason, expired=True))
        return True

    async def _claim(self, job: _Job, entry: TaskEntry | None) -> bool:
        """Write the intent; False when another process, still at work, was faster."""
        if entry is not None and entry.state == "intent" and not self._is_abandoned(entry):
            return False
        order, timeout = job.order(), self._task_timeout(job)
        async with self._asset_lock(order, timeout):
            if job.work.media.is_local:
                await self._make_reachable(order, timeout)  # before the intent: an upload costs no task
            await self._wait_for_turn()  # this too: an intent must not grow old while its owner is alive
            written = await self._put_intent(job, entry)
        if written and entry is not None:
            logger.warning(
                "%s was begun before (%s, %s); a new task is paid for",
                job.work.media.source,
                entry.state,
                entry.error or "its outcome is unknown",
            )
        return written

    async def _put_intent(self, job: _Job, replacing: TaskEntry | None) -> bool:
        return await self._io.blocking(
            lambda: self.store.put_intent(
                job.key,
                space=self.space,
                content=job.content,
                model=self.model,
                params=job.work.options.identity(),
                source=job.work.media.source,
                account=self.settings.account,
                replacing=replacing,
            )
        )

    def _is_abandoned(self, entry: TaskEntry) -> bool:
        """Whether the writer of an intent is gone: it has ended, or had more time than a create can take."""
        if is_own(entry.owner) or has_ended(entry.owner):
            return True  # its own: this call holds the key alone, so an earlier one left the intent behind
        tries, waits = self.settings.max_retries + 1, self.settings.max_retries
        longest = tries * (CONNECT_TIMEOUT + self.settings.timeout) + waits * self.settings.max_retry_wait
        return time.time() - entry.updated_at > longest + CLOCK_MARGIN

    async def _pay(self, job: _Job) -> str:
        """Create the task; the journal has its id before anything else happens."""
        media = job.work.media
        if media.is_local:
            asset_id = await self._io.blocking(lambda: self.store.find_asset(job.content, self.settings.account))
            media = Media.of(f"asset:{asset_id}", source=media.source)
        return await self._io.uninterrupted(lambda: self._create_and_note(job, media))

    async def _create_and_note(self, job: _Job, media: Media) -> str:
        try:
            task = await self._start_task(media, job.work.options)
        except APIStatusError as error:
            reason = str(error)
            await self._io.blocking(lambda: self.store.put_failure(job.key, reason))
            raise
        await self._io.blocking(lambda: self.store.put_task_id(job.key, task.id))
        return task.id

    async def _await_result(self, job: _Job, task_id: str) -> None:
        job.work.report("processing", task_id=task_id)
        try:
            task = await self.wait_for_task(task_id, timeout=self._task_timeout(job))
        except TaskFailedError as error:
            reason = str(error)
            await self._io.blocking(lambda: self.store.put_failure(job.key, reason))
            raise
        segments = task.segments if task.segments is not None else Segments.empty(self.embedding_dimension)
        check_dimension(segments.vectors, self.embedding_dimension)
        if not len(segments):
            logger.warning("task %s of %s gave no vectors", task_id, job.work.media.source)
        duration = _duration(task, segments)
        await self._io.blocking(lambda: self.store.put_result(job.key, segments, duration_sec=duration))

    async def _stored(self, job: _Job, task_id: str | None, *, reused: bool) -> SegmentedMedia:
        segments, duration = await self._io.blocking(lambda: self.store.load_result(job.key))
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
            task_key=job.key,
            options=job.work.options.identity(),
        )

    def _task_timeout(self, job: _Job) -> float:
        return self.settings.task_timeout if job.work.timeout is None else job.work.timeout


def _is_expiry(error: TwelveLabsError) -> bool:
    """Whether the server has forgotten a task after its seven days: by 404, or as failed, in these words."""
    return isinstance(error, NotFoundError) or "no longer available" in str(error)


def _duration(task: Task, segments: Segments) -> float:
    told = None if task.metadata is None else task.metadata.duration
    return float(told) if told else max((locus.end_sec for locus in segments.loci), default=0.0)
