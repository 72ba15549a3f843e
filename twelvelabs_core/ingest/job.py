"""The life of a paid task: identity, upload, intent, create, wait, result.

The journal in the segment store is written before and after each step that costs something, so that a crash at any
point leaves the next run with what it needs to continue.
"""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from twelvelabs_core.api.assets import AsyncAssets
from twelvelabs_core.api.chunked_upload import UploadOrder
from twelvelabs_core.api.embed import check_dimension
from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_core.base.errors import (
    APIResponseError,
    NotFoundError,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.ingest.assets import MediaAssets
from twelvelabs_core.ingest.budget import minutes_to_pay
from twelvelabs_core.ingest.identity import MediaHosts, content_of, stated_content, url_now, validated_url, validator_of
from twelvelabs_core.ingest.recovery import (
    Recovery,
    has_fixed_length,
    is_answered,
    log_new_attempt,
    marked_filename,
    may_have_created,
    upload_mark,
)
from twelvelabs_core.ingest.run import Job, RunOptions
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.ingest.transcripts import Transcripts
from twelvelabs_core.media.inspect import upload_name
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import EmbeddingModel
from twelvelabs_core.models.options import TaskOptions
from twelvelabs_core.models.paid_work import embedded_minutes, paid_options
from twelvelabs_core.results.records import SegmentedMedia, wanted_part
from twelvelabs_core.results.responses import Task
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.transport.polling import FIRST_DELAY, Deadline, time_limit
from twelvelabs_core.transport.rate_limit import Permit
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.media.inspect import Probe
    from twelvelabs_core.store.entries import Findings, KnownUrl, TaskEntry
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_NO_PLAYBACK = {"enable_hls": False, "enable_thumbnail": False}
_WRITES_MAX = 3  # attempts to write a task's id; each one already waits for other writers


class Ingestion:
    """Segments media by asynchronous tasks, each paid for once by all runs that share a segment store."""

    def __init__(
        self,
        session: Session,
        embedding_model: EmbeddingModel,
        tasks: AsyncTasks,
        assets: AsyncAssets,
        open_store: "Callable[[], SegmentStore]",
    ) -> None:
        self._session = session
        self._io = session.io
        self._model = embedding_model
        self.space = session.settings.space(embedding_model.name, embedding_model.dimension)
        self._tasks = tasks
        self._open_store = open_store
        self._media_assets = MediaAssets(session, assets, open_store)
        self._transcripts = Transcripts(session, assets, self._media_assets, open_store)
        self._recovery = Recovery(session, tasks, open_store)
        self._hosts = MediaHosts()

    @property
    def model(self) -> str:
        """The name of the model."""
        return self._model.name

    @property
    def _store(self) -> "SegmentStore":
        return self._open_store()

    async def segment(self, media: Media, options: TaskOptions, run: RunOptions) -> SegmentedMedia:
        """Return the segments of one item, from the segment store, else by a task."""
        with time_limit(math.inf if run.timeout is None else self._io.now() + run.timeout):
            return await self._segment(media, options, run)

    async def _segment(self, media: Media, options: TaskOptions, run: RunOptions) -> SegmentedMedia:
        try:
            run.report(media.source, "checking")
            await self._io.blocking(lambda: self._tasks.check(media, options))
            job, found = await self._identify(media, options, run)
            held = single_flight(self._io, self._store, job.flight, source=job.source, timeout=job.timeout)
            async with held as has_waited:
                try:
                    segmented = await self._add_words(job, await self._obtain(job, None if has_waited else found))
                except TaskFailedError:
                    with suppress(TwelveLabsError):  # the failure of the task is what the caller needs to know
                        await self._delete_asset(job)
                    raise
                try:
                    await self._delete_asset(job)
                except TwelveLabsError as error:  # the segments are stored and must be returned
                    logger.warning("failed to delete the uploaded asset of %s: %s", job.source, error)
                return segmented
        except Exception:
            run.report(media.source, "failed")
            raise

    async def content_of(self, media: Media) -> str:
        """Return the content identity of media."""
        return await content_of(media, await self._io.blocking(lambda: self._store), self._io, self._hosts)

    async def look_up(
        self, media: Media, options: TaskOptions, *, head_only: bool = False
    ) -> "tuple[str, Findings, str | None]":
        """Return the content of media, what the store knows of it, read at once, and the validator of its URL."""
        validator = await validator_of(media, self._io, self._hosts, head_only=head_only)
        store, url = await self._io.blocking(lambda: self._store), validated_url(media)

        def find() -> "tuple[str, Findings]":
            stated = "" if url else stated_content(media, store)

            def content(known: "KnownUrl | None") -> str:
                return url_now(url, validator, known).content if url else stated

            params, wanted = paid_options(options).identity(), options.identity()
            found = store.find_work(content, space=self.space, params=params, wanted=wanted, url=url)
            return content(found.url), found

        return *await self._io.blocking(find), validator

    def check(self, media: Media, options: TaskOptions) -> "Probe | None":
        """Check media against the limits of their type; return the properties of local audio or video, if known."""
        return self._tasks.check(media, options)

    async def _identify(self, media: Media, options: TaskOptions, run: RunOptions) -> "tuple[Job, Findings]":
        """Return an item with its identity, and what the store knows of it."""
        paid, url, store = paid_options(options), validated_url(media), await self._io.blocking(lambda: self._store)
        content, found, validator = await self.look_up(media, options)
        new_url = None
        if url is not None and (now := url_now(url, validator, found.url)) != found.url:
            new_url = url, now
            if found.entry is not None:  # no intent may follow that it could be written with
                await self._io.blocking(lambda: store.put_url(url, *now))
        filename = upload_name(media, options.input_type)
        if media.is_local:
            journal = await self._io.blocking(lambda: self._store.journal_name)
            filename = marked_filename(filename, upload_mark(journal, content))
        order = UploadOrder(
            media,
            filename,
            asset_type=options.input_type,
            options=_NO_PLAYBACK,
            on_sent=lambda done, total: run.report(media.source, "uploading", done, total),
            content=content,
        )
        timeout = self._session.settings.task_timeout if run.timeout is None else run.timeout
        return Job(media, options, paid, run, self.space, content, new_url, order, timeout), found

    async def _obtain(self, job: Job, found: "Findings | None") -> SegmentedMedia:
        """Return the stored result; else resume the task that was begun, adopt a lost one, or pay for a new one.

        Args:
            job: The item.
            found: What the store knew of it; None reads it again. Every write names the state that it starts from, so
                that another process may have changed it since.
        """
        deadline = Deadline(job.timeout)
        while True:
            if found is None:
                found = await self._io.blocking(lambda: self._find(job))
            (_, entry, result), found = found, None
            if entry is not None and result is not None:
                return self._segmented(job, entry, result, entry.task_id, entry.attempts, reused=True)
            if entry is not None and entry.state == "processing" and await self._resume(job, entry):
                continue  # the entry is ready now, or expired
            created = None
            if entry is None or entry.state != "intent":
                created = await self._create(job, entry)
            elif await self._io.blocking(partial(self._store.is_abandoned, entry)):
                if await self._recovery.adopt_lost_task(entry):
                    continue  # the entry has a task now, to be resumed
                created = await self._create(job, entry)
            if created is not None:
                task_id, was_found = created
                return await self._await_result(job, job, task_id, is_new=True, may_be_adopted=was_found)
            if deadline.is_expired:
                late = f"was not ready after {deadline.limit:g} s; run again later."
                raise TaskTimeoutError(f"{job.source} is being embedded by another process and {late}")
            logger.info("%s: waiting for another process, which is creating its task", job.source)
            await self._io.sleep(deadline.next_delay())

    def _find(self, job: Job) -> "Findings":
        """Return what the store knows of an item."""
        wanted = job.options.identity()
        return self._store.find_work(lambda _: job.content, space=job.space, params=job.params, wanted=wanted)

    async def _resume(self, job: Job, entry: "TaskEntry") -> bool:
        """Wait for the task that this or another process created; record it as expired if the server dropped it.

        Returns:
            False where it is the task of another account, which this one cannot see. The keys of one organisation share
            their tasks.
        """
        task_id = str(entry.task_id)
        logger.info("resuming task %s of %s", task_id, job.source)
        try:
            await self._await_result(job, entry, task_id)
        except NotFoundError:
            if entry.account != self._session.settings.account:
                return False
            if not await self._recovery.has_expired(entry):
                raise
        except TaskFailedError as error:
            if not _is_expiry(error):
                raise
        else:
            return True
        logger.warning("task %s of %s has expired at the server", task_id, job.source)
        reason = f"task {task_id} has expired at the server"
        await self._io.blocking(lambda: self._store.put_failure(entry.key, reason, task_id=task_id, expired=True))
        return True

    async def _create(self, job: Job, entry: "TaskEntry | None") -> tuple[str, bool] | None:
        """Upload local media, write the intent, create the task.

        While this runs, other processes wait for the intent.

        Returns:
            The task's id, and whether it was found in the list of tasks; None where another process was faster.
        """
        store, minutes = self._store, embedded_minutes(job.params, job.media.duration_sec)
        if (budget := job.run.budget) is not None:  # before an upload; the intent decides
            minutes = needed = await self._io.blocking(lambda: minutes_to_pay(job.media, job.paid))
            await self._io.blocking(lambda: store.check_budget(self.space, job.source, needed, budget))
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
        async with self._media_assets.lock(job.order, job.timeout):
            if job.media.is_local:
                await self._media_assets.ensure_uploaded(job.order, job.timeout)
            await self._session.wait_for_rate_limiter()
            permit = await self._session.acquire(job.options.input_type, f"embed {job.source}")
            is_written = False
            try:
                is_written = await self._io.blocking(
                    lambda: self._store.put_intent(
                        job.key,
                        space=self.space,
                        content=job.content,
                        model=self._model.name,
                        params=job.params,
                        source=job.source,
                        account=self._session.settings.account,
                        url=job.url,
                        replacing=entry,
                        wanted=job.options.identity(),
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
                asset_id = await self._media_assets.find(job.order)
                media = Media.of(f"asset:{asset_id}", source=job.source)
            task = await self._tasks.start(
                media, job.paid, note=lambda task: self._write_task_id(job, task.id), permit=permit
            )
        except TwelveLabsError as error:
            if not may_have_created(error):
                reason = str(error)
                if error.task_id is None:
                    await self._io.blocking(lambda: self._store.put_failure(job.key, reason))
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
                is_ours = await self._io.blocking(lambda: self._store.put_task_id(job.key, task_id))
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
        entry = await self._io.blocking(lambda: self._store.find_task(job.key))
        if entry is None or entry.state != "intent":
            return None if entry is None else entry.task_id
        try:
            return await self._recovery.adopt_lost_task(entry, is_answered=is_answered(error))
        except TwelveLabsError as failure:
            logger.warning("failed to list tasks: %s", failure)
            return None

    async def _await_result(
        self, job: Job, work: "Job | TaskEntry", task_id: str, *, is_new: bool = False, may_be_adopted: bool = True
    ) -> SegmentedMedia:
        """Wait for the task of `work`, store its result and return what the job wants of it."""
        job.report("processing", task_id)
        try:
            task = await (self._tasks.wait_for_new if is_new else self._tasks.wait)(task_id, timeout=job.timeout)
        except TaskFailedError as error:
            reason = str(error)
            await self._io.blocking(lambda: self._store.put_failure(work.key, reason, task_id=task_id))
            raise
        except TwelveLabsError as error:
            error.task_id = task_id  # the task continues at the server and can be retrieved by its id
            raise
        segments = task.segments if task.segments is not None else Segments.empty(self._model.dimension)
        check_dimension(segments.vectors, self._model.dimension)
        if may_be_adopted:
            await self._check_adopted(work.key, job.source, task_id, segments)
        duration = _duration(task, segments)
        attempts = await self._io.blocking(lambda: self._store.put_result(work.key, segments, duration_sec=duration))
        if attempts is None:  # another process stored the result that counts
            return replace(await self._obtain(job, None), reused=not is_new)
        return self._segmented(job, work, (segments, duration), task_id, attempts, reused=not is_new)

    async def _check_adopted(self, key: str, source: str, task_id: str, segments: Segments) -> None:
        """Refuse the result of an adopted task whose clips have another length than requested."""
        from twelvelabs_core.store.journal import FOUND  # noqa: PLC0415  # start-up without SQLAlchemy

        entry = await self._io.blocking(lambda: self._store.find_task(key))
        if entry is None or entry.error != FOUND or has_fixed_length(entry.params, segments):
            return
        reason = f"task {task_id}, adopted from the list of tasks, has clips of another length than requested"
        await self._io.blocking(lambda: self._store.put_failure(key, reason, task_id=task_id))
        raise APIResponseError(f"{source}: {reason}. Nothing was stored; the next run creates a task.")

    def _segmented(
        self,
        job: Job,
        work: "Job | TaskEntry",
        result: tuple[Segments, float],
        task_id: str | None,
        attempts: int,
        *,
        reused: bool,
    ) -> SegmentedMedia:
        """Return what a job wants of the result of a task."""
        (segments, duration), wanted, rows = result, job.options.identity(), None
        if work.params != wanted:
            segments, rows = wanted_part(segments, wanted)
        if not len(segments):  # on every run: a search will never find this item
            logger.warning("task %s of %s returned no vectors; try other embedding options", task_id, job.source)
        job.report("reused" if reused else "ready", task_id)
        return SegmentedMedia(
            source=job.source,
            title=job.media.title,
            model=self._model.name,
            space=self.space,
            content=job.content,
            duration_sec=duration,
            segments=segments,
            task_id=task_id,
            reused=reused,
            attempts=attempts,
            task_key=work.key,
            options=wanted,
            rows=rows,
        )

    async def _add_words(self, job: Job, segmented: SegmentedMedia) -> SegmentedMedia:
        """Add the words spoken in the media; before its asset is deleted."""
        if not job.run.include_transcript:
            return segmented
        order = replace(job.order, on_sent=None)  # the item was reported as ready: no upload is reported after it
        words = await self._transcripts.words_of(order, job.timeout, keep_asset=job.run.keep_asset)
        return replace(segmented, words=words)

    async def _delete_asset(self, job: Job) -> None:
        if job.media.is_local and not job.run.keep_asset:
            await self._media_assets.delete_unused(job.order, job.timeout)


def _is_expiry(error: TaskFailedError) -> bool:
    """Whether a task failed because the server deleted its result after seven days; the API says it in these words."""
    return "no longer available" in str(error)


def _duration(task: Task, segments: Segments) -> float:
    stated = None if task.metadata is None else task.metadata.duration
    return float(stated) if stated else max((segment.end_sec for segment in segments), default=0.0)
