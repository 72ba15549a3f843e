"""The life of a paid task: identity, upload, intent, create, wait, result.

The journal in the segment store is written before and after each step that costs something, so that a crash at any
point leaves the next run with what it needs to continue.
"""

import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from twelvelabs_core.api.assets import AsyncAssets
from twelvelabs_core.api.chunked_upload import UploadOrder
from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_core.base.errors import (
    ConfigurationError,
    InputError,
    NotFoundError,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.ingest.assets import MediaAssets
from twelvelabs_core.ingest.creation import Creation
from twelvelabs_core.ingest.identity import MediaHosts, content_of, stated_content, url_now, validated_url, validator_of
from twelvelabs_core.ingest.recovery import Recovery, marked_filename, upload_mark
from twelvelabs_core.ingest.run import Job, RunOptions, Work
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.ingest.task_results import Result, TaskResults
from twelvelabs_core.ingest.ticket import Ticket
from twelvelabs_core.ingest.transcripts import Transcripts
from twelvelabs_core.media.inspect import upload_name
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import EmbeddingModel
from twelvelabs_core.models.options import TaskOptions
from twelvelabs_core.models.paid_work import paid_options
from twelvelabs_core.results.records import SegmentedMedia
from twelvelabs_core.results.responses import Task
from twelvelabs_core.transport.polling import Deadline, time_limit
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.media.inspect import Probe
    from twelvelabs_core.store.entries import Findings, KnownUrl, TaskEntry
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_NO_PLAYBACK = {"enable_hls": False, "enable_thumbnail": False}


class Begun(NamedTuple):
    """A task that serves a job.

    Attributes:
        task_id: Its id.
        entry: Its journal entry; None for a task that was created just now.
        result: Its stored result, if it is ready.
        was_found: Whether the id of a new task was found in the list of tasks.
    """

    task_id: str
    entry: "TaskEntry | None" = None
    result: Result | None = None
    was_found: bool = False


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
        self._creation = Creation(session, tasks, self._media_assets, self._recovery, open_store)
        self._results = TaskResults(session, embedding_model, self._recovery, open_store)
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
        async with self._held(media, options, run) as (job, found):
            try:
                segmented = await self._add_words(job, await self._obtain(job, found))
            except TaskFailedError:
                await self._delete_asset(job, keep=run.keep_asset)
                raise
            await self._delete_asset(job, keep=run.keep_asset)
            return segmented

    async def submit(self, media: Media, options: TaskOptions, run: RunOptions) -> Ticket:
        """Return the ticket of one item; its task is created unless one serves it already."""
        async with self._held(media, options, run) as (job, found):
            begun = await self._begin(job, found)
            if begun.result is None and not await self._is_visible(begun):
                begun = await self._begin(job, None, hidden=begun.entry)
            job.report("processing" if begun.result is None else "reused", begun.task_id)
            return Ticket(
                job.source, job.title, self.space, job.content, begun.task_id, job.wanted, job.params, run.keep_asset
            )

    async def collect(self, ticket: Ticket, timeout: float | None) -> SegmentedMedia | None:
        """Return the segments of a ticket, or None while its task is processed; nothing is created.

        Args:
            ticket: What `submit` returned.
            timeout: Longest wait in seconds; None asks the server once.
        """
        if ticket.space != self.space:
            raise InputError(
                f"the ticket of {ticket.source} is of the space {ticket.space}, the client's {self.space}."
            )
        deadline = Deadline(0.0 if timeout is None else timeout)
        while True:
            _, entry, result = await self._io.blocking(lambda: self._results.find(ticket))
            if entry is not None and result is not None:
                segmented = self._results.segmented(ticket, entry, result, entry.task_id, entry.attempts, reused=True)
                await self._delete_asset(ticket, keep=ticket.keep_asset)
                return segmented
            if entry is None or entry.state in ("failed", "expired"):
                raise _not_collectable(ticket, entry, self._store.location)
            if entry.state == "processing":
                try:
                    await self._collect_result(ticket, entry, None if timeout is None else deadline.remaining)
                except TaskTimeoutError:
                    return None
                continue
            if await self._io.blocking(partial(self._store.is_abandoned, entry)):
                raise _not_collectable(ticket, entry, self._store.location)
            if deadline.is_expired:
                return None
            await self._io.sleep(deadline.next_delay())

    async def _collect_result(self, ticket: Ticket, entry: "TaskEntry", timeout: float | None) -> None:
        """Store the result of the task of a ticket once it is ready."""

        async def wait(task_id: str) -> Task:
            return await (self._tasks.poll(task_id) if timeout is None else self._tasks.wait(task_id, timeout=timeout))

        try:
            is_visible = await self._results.resume(ticket, entry, wait)
        except TaskFailedError as error:
            await self._delete_asset(ticket, keep=ticket.keep_asset)
            raise _failed(ticket, str(error), error.task_id) from error
        if not is_visible:
            raise ConfigurationError(
                f"task {entry.task_id} of {ticket.source} is of another account, which this API key cannot see."
            )

    @asynccontextmanager
    async def _held(
        self, media: Media, options: TaskOptions, run: RunOptions
    ) -> "AsyncIterator[tuple[Job, Findings | None]]":
        """Check and identify one item; no other caller of this process has it until the block ends.

        Yields:
            The job, and what the store knows of it; None where another caller may have changed that.
        """
        with time_limit(math.inf if run.timeout is None else self._io.now() + run.timeout):
            try:
                run.report(media.source, "checking")
                properties = await self._io.blocking(lambda: self._tasks.check(media, options))
                if properties is not None and media.duration_sec is None:  # for the budget and `usage`
                    media = replace(media, duration_sec=properties.duration_sec)
                job, found = await self._identify(media, options, run)
                held = single_flight(self._io, self._store, job.flight, source=job.source, timeout=job.timeout)
                async with held as has_waited:
                    yield job, None if has_waited else found
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
        """Return the stored result; else wait for the task that serves the job, which may be a new one.

        Args:
            job: The item.
            found: What the store knew of it; None reads it again.
        """
        hidden, is_new = None, False
        while True:
            begun, found = await self._begin(job, found, hidden=hidden), None
            entry, task_id = begun.entry, begun.task_id
            if entry is not None and begun.result is not None:
                return self._reported(job, entry, begun.result, task_id, entry.attempts, reused=not is_new)
            job.report("processing", task_id)
            if entry is None:
                is_new, wait = True, partial(self._tasks.wait_for_new, timeout=job.timeout)
                result, attempts = await self._results.finish(
                    job, job.key, task_id, wait, may_be_adopted=begun.was_found
                )
                if attempts is not None:  # else another process stored the result that counts
                    return self._reported(job, job, result, task_id, attempts, reused=False)
            elif not await self._results.resume(job, entry, partial(self._tasks.wait, timeout=job.timeout)):
                hidden = entry

    async def _begin(self, job: Job, found: "Findings | None", *, hidden: "TaskEntry | None" = None) -> Begun:
        """Return the task that serves a job: a ready one, the one that was begun, a lost one, else a new one.

        Args:
            job: The item.
            found: What the store knew of it; None reads it again. Every write names the state that it starts from, so
                that another process may have changed it since.
            hidden: The entry of a task of another account, which this one cannot see: it is replaced.
        """
        deadline = Deadline(job.timeout)
        while True:
            if found is None:
                found = await self._io.blocking(lambda: self._results.find(job))
            (_, entry, result), found = found, None
            if entry is not None and entry != hidden and entry.state in ("ready", "processing"):
                return Begun(str(entry.task_id), entry, result)
            created = None
            if entry is None or entry.state != "intent":
                created = await self._creation.create(job, entry)
            elif await self._io.blocking(partial(self._store.is_abandoned, entry)):
                if await self._recovery.adopt_lost_task(entry):
                    continue  # the entry has a task now
                created = await self._creation.create(job, entry)
            if created is not None:
                return Begun(created[0], was_found=created[1])
            if deadline.is_expired:
                late = f"was not ready after {deadline.limit:g} s; run again later."
                raise TaskTimeoutError(f"{job.source} is being embedded by another process and {late}")
            logger.info("%s: waiting for another process, which is creating its task", job.source)
            await self._io.sleep(deadline.next_delay())

    async def _is_visible(self, begun: Begun) -> bool:
        """Return whether this account can see a task. The keys of one organisation share their tasks."""
        if begun.entry is None or begun.entry.account == self._session.settings.account:
            return True
        try:
            await self._tasks.retrieve(begun.task_id)
        except NotFoundError:
            return False
        return True

    def _reported(
        self, job: Job, of: "Job | TaskEntry", result: Result, task_id: str, attempts: int, *, reused: bool
    ) -> SegmentedMedia:
        segmented = self._results.segmented(job, of, result, task_id, attempts, reused=reused)
        job.report("reused" if reused else "ready", task_id)
        return segmented

    async def _add_words(self, job: Job, segmented: SegmentedMedia) -> SegmentedMedia:
        """Add the words spoken in the media; before its asset is deleted."""
        if not job.run.include_transcript:
            return segmented
        order = replace(job.order, on_sent=None)  # the item was reported as ready: no upload is reported after it
        words = await self._transcripts.words_of(order, job.timeout, keep_asset=job.run.keep_asset)
        return replace(segmented, words=words)

    async def _delete_asset(self, work: Work, *, keep: bool) -> None:
        """Delete the uploaded asset of local bytes; a failure does not replace the outcome of the task."""
        if keep or not work.content.startswith("sha256:"):
            return
        try:
            timeout = self._session.settings.task_timeout
            await self._media_assets.delete_unused(work.content, work.source, timeout)
        except TwelveLabsError as error:
            logger.warning("failed to delete the uploaded asset of %s: %s", work.source, error)


def _not_collectable(ticket: Ticket, entry: "TaskEntry | None", place: str) -> TwelveLabsError:
    """Return the error for a ticket whose task has ended, or is not in this segment store."""
    if entry is None:
        return InputError(
            f"the segment store {place} has no task of {ticket.source}: collect with the store with which it was "
            "submitted, or submit it again."
        )
    return _failed(ticket, entry.error or "its create was interrupted", entry.task_id)


def _failed(ticket: Ticket, reason: str, task_id: str | None) -> TaskFailedError:
    """Return the error of each `collect` of a ticket whose task failed."""
    return TaskFailedError(
        f"{ticket.source}: {reason.rstrip('. ')}. Submit it again for another task.", task_id=task_id
    )
