"""Lost tasks: created at the server, but their id never reached the journal.

A create whose answer was lost may have succeeded. Its task is adopted from the server's list of tasks by one rule, and
otherwise paid for again. The upload of local media carries a mark of this journal in its name, so a task that names the
mark is ours. A URL carries none: a task that names it is adopted only if the list shows every option of the request.
Either way exactly one task since the intent may match, and no other entry of the journal may be waiting for it.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_core.base.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    BadRequestError,
    NotFoundError,
    ServerError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.base.limits import FILENAME_MAX
from twelvelabs_core.base.redact import unsigned_url
from twelvelabs_core.models.marengo import CLIP, LOCAL
from twelvelabs_core.results.responses import TaskSummary
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.transport.polling import FIRST_DELAY, current_time_limit, next_delay
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
_REQUEST_TIMEOUT = 408
_GATEWAY_STATUSES = frozenset({408, 502, 504})
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

    async def adopt_lost_task(self, entry: "TaskEntry", *, is_answered: bool = False) -> str | None:
        """Find the task of an intent whose create was interrupted; return its id, which is in the journal now.

        The server may still be working on the create, so an empty list is final only after some time.

        Args:
            entry: The intent.
            is_answered: Whether the API itself answered the create, so that it no longer works on it.
        """
        if not _is_recoverable(entry):
            return None
        io, store = self._session.io, self._open_store()
        journal = await io.blocking(lambda: store.journal_name)
        timeout = _VISIBLE_AFTER_ANSWER if is_answered else min(self._session.settings.timeout, _VISIBLE_AFTER)
        began, is_logged = io.now(), False
        while True:
            try:
                candidates = [task for task in await self._tasks_since(entry) if _could_be(task, entry, journal)]
            except (BadRequestError, NotFoundError) as error:
                logger.warning("failed to list tasks: %s", error)
                return None
            if candidates:
                return await self._adopt_only(candidates, entry)
            # Whichever clock says more: the wall clock may have been set back.
            age = max(time.time() - entry.updated_at, io.now() - began)
            if age >= timeout:
                return None
            remaining = min(timeout - age, current_time_limit().remaining(io.now()))
            if remaining <= 0:
                late = (
                    f"the time-out has passed before its task would be in the list, {timeout:g} s after it; run again"
                )
                raise TaskTimeoutError(f"{entry.source}: the outcome of an earlier create is unknown, and {late}.")
            if not is_logged:
                logger.info("%s: searching the list of tasks for that of an earlier create", entry.source)
                is_logged = True
            await io.sleep(next_delay(age, remaining))

    async def has_expired(self, entry: "TaskEntry") -> bool:
        """Whether the server no longer lists a task that it answered with 404.

        A 404 alone may come from a wrong address, a proxy, or a replica that lags behind.
        """
        await self._session.io.sleep(4 * FIRST_DELAY)
        try:
            return not any(task.id == entry.task_id for task in await self._listed(entry))
        except TwelveLabsError:
            return False

    async def _adopt_only(self, candidates: list[TaskSummary], entry: "TaskEntry") -> str | None:
        """Adopt the only candidate that no other entry of the journal has, or may be waiting for."""
        io, store = self._session.io, self._open_store()
        journal = await io.blocking(lambda: store.journal_name)
        others = await io.blocking(lambda: store.claimants(entry, [task.id for task in candidates]))
        known = {other.task_id for other in others}
        unknown = [task for task in candidates if task.id not in known]
        # An id may be missing in the journal for an intent, and for the earlier attempts of an entry. If its last
        # attempt is older than this intent, the earlier ones are too: they did not create a task since.
        may_wait = [
            other
            for other in others
            if other.state == "intent" or (other.attempts > 1 and other.created_at >= entry.created_at)
        ]
        if len(unknown) != 1 or any(_could_be(unknown[0], other, journal) for other in may_wait):
            return None
        task_id = unknown[0].id
        if not await io.blocking(lambda: store.adopt_task(entry, task_id)):
            return None
        logger.info("adopted task %s of %s, whose create was interrupted", task_id, entry.source)
        return task_id

    async def _tasks_since(self, entry: "TaskEntry") -> list[TaskSummary]:
        """Return the tasks created since the intent that did not fail: a failed one would be created again anyway."""
        listed = await self._listed(entry)
        # Read after the list: its answer carries the server's clock.
        since = datetime.fromtimestamp(entry.created_at - CLOCK_MARGIN, UTC) + self._session.clock_offset
        return [task for task in listed if task.status != "failed" and (task.created_at or since) >= since]

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


def may_have_created(error: TwelveLabsError) -> bool:
    """Whether a create that ended with this error may have created a task."""
    if isinstance(error, APIConnectionError):
        return error.may_have_arrived
    if isinstance(error, APIStatusError):
        # An error of a gateway says nothing about what the server behind it did.
        return isinstance(error, ServerError) or error.status_code == _REQUEST_TIMEOUT
    return isinstance(error, APIResponseError)


def is_answered(error: TwelveLabsError) -> bool:
    """Whether the API itself answered, not a gateway: then it does not work on the request any more."""
    if isinstance(error, APIStatusError):
        return error.status_code not in _GATEWAY_STATUSES
    return isinstance(error, APIResponseError)


def log_new_attempt(source: str, entry: "TaskEntry") -> None:
    """Log that this work was begun before, and what that may have cost."""
    if entry.state == "intent":
        logger.warning(
            "%s: the outcome of an earlier create is unknown, and no task in the list matches this request; a new task "
            "is paid for, perhaps the second",
            source,
        )
    elif entry.task_id is not None:
        logger.warning("%s was begun before (%s); a new task is paid for", source, entry.error or entry.state)
    else:
        logger.info("%s was begun before (%s); no task was created", source, entry.error or entry.state)


def _is_upload(entry: "TaskEntry") -> bool:
    return entry.content.startswith("sha256:")


def _medium(entry: "TaskEntry") -> str:
    return entry.content if _is_upload(entry) else entry.content.partition("@")[0]  # a validator follows the @


def _is_recoverable(entry: "TaskEntry") -> bool:
    """Whether the list can show that a task is the one of this entry: by its mark, or by every option of a URL."""
    params = entry.params
    has_hidden_options = (
        any(params.get(name) for name in ("start_sec", "end_sec", "time_based_metadata", "embedding_uncertainty"))
        or list(params.get("embedding_type") or ["separate_embedding"]) != ["separate_embedding"]
        or params["input_type"] == "document"  # neither its pages nor its sentences are listed
    )
    return _is_upload(entry) or (entry.content.startswith("url:") and not has_hidden_options)


def _could_be(task: TaskSummary, entry: "TaskEntry", journal: str) -> bool:
    """Whether a listed task names the media of an entry, and shows no other option than those requested."""
    found, params = task.metadata, entry.params
    if found is None:
        return False
    if _is_upload(entry):
        names_medium = f".{upload_mark(journal, entry.content)}" in (found.input_filename or "")
    else:  # the list does not show which asset a task was created from
        names_medium = found.input_url is not None and _medium(entry) == f"url:{_unsigned(found.input_url)}"
    fixed = (params.get("segmentation") or {}).get("fixed", {}).get("duration_sec")
    end = params.get("end_sec")
    shown = (
        (task.model_name, entry.model),
        (found.input_type, params["input_type"]),
        (found.embedding_dimension, int(entry.space.rpartition("/")[2])),
        (found.start_offset_sec, params.get("start_sec") or 0.0),
        (found.end_offset_sec, found.duration if end is None else end),
    )
    return (
        names_medium
        and all(value in (None, requested) for value, requested in shown)
        and _agree(found.embedding_options, params["embedding_option"])
        and _agree(found.embedding_scopes, params["embedding_scope"])
        # The list shows the length of clips for fixed segmentation of video only.
        and found.clip_length == (fixed if params["input_type"] == "video" else None)
    )


def _agree(shown: Sequence[str], requested: Sequence[str]) -> bool:
    """Whether a list of options or scopes is the requested one; the API shows `clip` for `local`."""
    return not shown or {CLIP if name == LOCAL else name for name in shown} == {
        CLIP if name == LOCAL else name for name in requested
    }


def _unsigned(url: str) -> str:
    try:
        return unsigned_url(url)
    except ValueError:
        return url
