"""Lost tasks: created at the server, but their id never reached the journal.

A create whose answer was lost may have succeeded. Its task is adopted from the server's list of tasks by one rule, and
otherwise paid for again. The upload of local media carries a mark of this journal in its name, so a task that names the
mark is ours. A URL carries none: a task that names it is adopted only if the list shows every option of the request.
Either way exactly one task since the intent may match, and no other entry of the journal may be waiting for it.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_core.base.errors import BadRequestError, NotFoundError, TwelveLabsError
from twelvelabs_core.base.limits import FILENAME_MAX
from twelvelabs_core.base.redact import unsigned_url
from twelvelabs_core.models.marengo import CLIP, LOCAL
from twelvelabs_core.results.responses import MediaMetadata, TaskSummary
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.transport.polling import FIRST_DELAY, next_delay
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import TaskEntry
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

CLOCK_MARGIN = 5.0  # seconds by which the clocks of machines that share a store may differ
_LISTED_BEFORE = 600.0  # seconds: how far the server's clock may be behind ours
_VISIBLE_AFTER = 60.0  # seconds: a create that is not in the list by then never happened
_VISIBLE_AFTER_ANSWER = 1.0  # seconds: the same where the API itself answered, so that it no longer works on the create
_MARK_DIGITS = 16
_SUFFIX_MAX = 16  # characters of a file name's ending that are kept


def upload_mark(journal: str, content: str) -> str:
    """Return the mark that uploads of one content carry in their names, different in every journal."""
    return hashlib.sha256(f"{journal}\n{content}".encode()).hexdigest()[:_MARK_DIGITS]


def marked_filename(filename: str, mark: str) -> str:
    """Return a file name with a mark before its ending: `match.0b9a7c5e1f2d3a4b.mp4`; at most 255 characters."""
    suffix = PurePath(filename).suffix[:_SUFFIX_MAX]
    tail = f".{mark}{suffix}"
    stem = filename[: len(filename) - len(suffix)] if suffix else filename
    return stem[: FILENAME_MAX - len(tail)] + tail


class Recovery:
    """Finds lost tasks in the server's list, and writes their ids to the journal."""

    def __init__(self, session: Session, tasks: AsyncTasks, open_store: "Callable[[], SegmentStore]") -> None:
        self._session = session
        self._tasks = tasks
        self._open_store = open_store

    async def adopt_lost_task(self, entry: "TaskEntry", *, is_answered: bool = False) -> bool:
        """Find the task of an intent whose create was interrupted; return whether the journal has its id now.

        The server may still be working on the create, so an empty list is final only after some time.

        Args:
            entry: The intent.
            is_answered: Whether the API itself answered the create, so that it no longer works on it.
        """
        io, store = self._session.io, self._open_store()
        mark = upload_mark(await io.blocking(lambda: store.journal_name), entry.content)
        if not _is_recoverable(entry):
            return False
        timeout = _VISIBLE_AFTER_ANSWER if is_answered else min(self._session.settings.timeout, _VISIBLE_AFTER)
        began = io.now()
        while True:
            try:
                candidates = [task for task in await self._tasks_since(entry) if _matches(task, entry, mark)]
            except (BadRequestError, NotFoundError) as error:
                logger.warning("failed to list tasks: %s", error)
                return False
            if candidates:
                return await self._adopt_only(candidates, entry)
            # Whichever clock says more: the wall clock may have been set back.
            age = max(time.time() - entry.updated_at, io.now() - began)
            if age >= timeout:
                return False
            await io.sleep(next_delay(age, timeout - age))

    async def has_expired(self, entry: "TaskEntry") -> bool:
        """Whether the server no longer lists a task that it answered with 404.

        A 404 alone may come from a wrong address, a proxy, or a replica that lags behind.
        """
        await self._session.io.sleep(4 * FIRST_DELAY)
        try:
            return not any(task.id == entry.task_id for task in await self._listed(entry))
        except TwelveLabsError:
            return False

    async def _adopt_only(self, candidates: list[TaskSummary], entry: "TaskEntry") -> bool:
        """Adopt the only candidate that no other entry of the journal has, or may be waiting for."""
        io, store = self._session.io, self._open_store()
        ids = [task.id for task in candidates]
        others = await io.blocking(lambda: store.claimants(entry, ids))
        known = {other.task_id for other in others}
        unknown = [task for task in candidates if task.id not in known]
        if len(unknown) != 1 or any(_waits_for_same_medium(other, entry) for other in others):
            return False
        is_adopted = await io.blocking(lambda: store.adopt_task(entry, unknown[0].id))
        if is_adopted:
            logger.info("adopted task %s of %s, whose create was interrupted", unknown[0].id, entry.source)
        return is_adopted

    async def _tasks_since(self, entry: "TaskEntry") -> list[TaskSummary]:
        """Return the tasks created since the intent that did not fail: a failed one would be created again anyway."""
        listed = await self._listed(entry)
        # Read after the list: its answer carries the server's clock.
        since = datetime.fromtimestamp(entry.created_at, UTC) + self._session.clock_offset
        since -= timedelta(seconds=CLOCK_MARGIN)
        return [
            task for task in listed if task.status != "failed" and (task.created_at is None or task.created_at >= since)
        ]

    async def _listed(self, entry: "TaskEntry") -> list[TaskSummary]:
        started_at = datetime.fromtimestamp(entry.created_at - _LISTED_BEFORE, UTC)
        return [task async for task in self._tasks.list(started_at=started_at)]


def has_fixed_length(params: Mapping[str, Any], segments: Segments) -> bool:
    """Whether the clips of an adopted task have the length that a fixed segmentation asked for; the last is shorter."""
    fixed = (params.get("segmentation") or {}).get("fixed")
    if fixed is None:
        return True
    ends = {(clip.start_sec, clip.end_sec) for clip in segments.select(embedding_scope=CLIP)}
    last = max((end for _, end in ends), default=0.0)
    half = fixed["duration_sec"] / 2  # the streams of a video do not end together; other lengths differ by 1 s and more
    return all(abs(end - start - fixed["duration_sec"]) < min(half, 1.0) for start, end in ends if end < last)


def _is_recoverable(entry: "TaskEntry") -> bool:
    """Whether the list can show that a task is the one of this entry."""
    if _is_upload(entry):
        return True
    params = entry.params
    has_hidden_options = (
        bool(params.get("start_sec"))
        or params.get("end_sec") is not None
        or list(params.get("embedding_type") or ["separate_embedding"]) != ["separate_embedding"]
        or bool(params.get("time_based_metadata"))
        or bool(params.get("embedding_uncertainty"))
        or params["input_type"] == "document"  # neither its pages nor its sentences are listed
    )
    return entry.content.startswith("url:") and not has_hidden_options


def _matches(task: TaskSummary, entry: "TaskEntry", mark: str) -> bool:
    found = task.metadata
    if found is None or task.model_name not in (None, entry.model):
        return False
    return _names_medium(found, entry, mark) and _has_options(found, entry)


def _names_medium(found: MediaMetadata, entry: "TaskEntry", mark: str) -> bool:
    if _is_upload(entry):
        return f".{mark}" in (found.input_filename or "")
    if found.input_url is None:
        return False  # the list does not show which asset a task was created from
    shown = f"url:{_unsigned(found.input_url)}"
    return entry.content == shown or entry.content.startswith(f"{shown}@")  # a validator follows the @


def _has_options(found: MediaMetadata, entry: "TaskEntry") -> bool:
    """Whether every option that the list shows is the one that was asked for."""
    params = entry.params
    fixed = (params.get("segmentation") or {}).get("fixed", {}).get("duration_sec")
    start, end = params.get("start_sec") or 0.0, params.get("end_sec")
    return (
        found.input_type in (None, params["input_type"])
        and found.embedding_dimension in (None, int(entry.space.rpartition("/")[2]))
        and _agree(found.embedding_options, params["embedding_option"])
        and _agree(found.embedding_scopes, params["embedding_scope"])
        # The list shows the length of clips for fixed segmentation of video only.
        and found.clip_length == (fixed if params["input_type"] == "video" else None)
        and found.start_offset_sec in (None, start)
        and (found.end_offset_sec in (None, end) or (end is None and found.end_offset_sec == found.duration))
    )


def _waits_for_same_medium(other: "TaskEntry", entry: "TaskEntry") -> bool:
    """Whether another entry may have created the candidate: the same medium, its last or an earlier id unknown."""
    if other.state != "intent" and other.attempts <= 1:
        return False
    return _medium(other) == _medium(entry)


def _medium(entry: "TaskEntry") -> str:
    return entry.content if _is_upload(entry) else entry.content.partition("@")[0]


def _is_upload(entry: "TaskEntry") -> bool:
    return entry.content.startswith("sha256:")


def _agree(shown: Collection[str], asked: Collection[str]) -> bool:
    return not shown or _scopes(shown) == _scopes(asked)


def _scopes(names: Iterable[str]) -> set[str]:
    """Return names of options or scopes; the list says `clip` for the `local` scope of documents."""
    return {CLIP if name == LOCAL else name for name in names}


def _unsigned(url: str) -> str:
    try:
        return unsigned_url(url)
    except ValueError:
        return url
