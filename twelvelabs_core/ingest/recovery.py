"""Which task in the server's list is the one whose id was lost with a broken create? Pure decisions.

A create whose answer never came may have happened. The list of tasks shows where each one's media came from; that and
the options tell a lost task from all others, or nothing does: then it must not be guessed.

A task whose id was lost with a broken create: found again in the server's list, or paid for anew and told of.
"""

import hashlib
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

from twelvelabs_core.base.errors import BadRequestError, NotFoundError, TwelveLabsError
from twelvelabs_core.base.limits import FILENAME_MAX
from twelvelabs_core.base.redact import unsigned_url
from twelvelabs_core.ingest.assets import PaidAssets
from twelvelabs_core.models.marengo import ASSET, CLIP, LOCAL
from twelvelabs_core.results.responses import MediaMetadata, TaskSummary
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.store.entries import TaskEntry
from twelvelabs_core.transport.polling import FIRST_LOOK, next_look

_ENDING_MAX = 16
_ROUNDING = 0.5  # seconds by which times may be off: a film's pictures and its sound do not end together
_SHORTEST_CLIP = 2.5  # a last clip of less than 2 s may be left out (the old API says so)
_LONGEST_MINIMUM = 5  # seconds, of dynamic segmentation (reference)
_TIMED = ("audio", "video")
_FUSED = "fused"


def mark_of(journal: str, content: str) -> str:
    """Return the mark that the uploads of one content carry in their names, different in every journal."""
    return hashlib.sha256(f"{journal}\n{content}".encode()).hexdigest()[:16]


def marked(filename: str, mark: str) -> str:
    """Return a name with the mark before its ending: `match.0b9a7c5e1f2d3a4b.mp4`; at most 255 characters."""
    ending = PurePath(filename).suffix[:_ENDING_MAX]
    tail = f".{mark}{ending}"
    stem = filename[: len(filename) - len(ending)] if ending else filename
    return stem[: FILENAME_MAX - len(tail)] + tail


@dataclass(frozen=True, slots=True)
class LostTask:
    """What a task that was lost must look like in the list.

    Attributes:
        content: Identity of its medium.
        mark: The mark of its upload's name, where the medium is local.
        params: The parameters of its request.
        model: Its model.
        dimension: Number of values in its vectors.
    """

    content: str
    mark: str
    params: Mapping[str, Any]
    model: str
    dimension: int

    @classmethod
    def of(cls, entry: TaskEntry, journal: str) -> "LostTask":
        """Return what the task of a journal's entry looks like."""
        dimension = int(entry.space.rpartition("/")[2])
        return cls(entry.content, mark_of(journal, entry.content), entry.params, entry.model, dimension)

    @property
    def is_marked(self) -> bool:
        """Whether its medium is an upload of this journal."""
        return self.content.startswith("sha256:")

    def could_be(self, task: TaskSummary) -> bool:
        """Whether nothing tells a task of the list from this one; never where its origin is not shown."""
        found = task.metadata
        if found is None or task.model_name not in (None, self.model):
            return False
        return self._has_origin(found) and self._has_options(found) and self._has_times(found)

    def _has_origin(self, found: MediaMetadata) -> bool:
        if self.is_marked:
            return f".{self.mark}" in (found.input_filename or "")
        if self.content.startswith("url:") and found.input_url is not None:
            # The state of the file behind the URL stands after an @; a URL that has one itself is only more alike.
            shown = f"url:{_unsigned(found.input_url)}"
            return self.content == shown or self.content.startswith(f"{shown}@")
        return False  # the list does not say which asset a task was made of

    def _has_options(self, found: MediaMetadata) -> bool:
        return (
            found.input_type in (None, self.params["input_type"])
            and found.embedding_dimension in (None, self.dimension)
            and _agree(found.embedding_options, self.params["embedding_option"])
            and _agree(found.embedding_scopes, self.params["embedding_scope"])
        )

    def _has_times(self, found: MediaMetadata) -> bool:
        cut = self.params.get("segmentation") or {}
        length = cut.get("fixed", {}).get("duration_sec") if self.params["input_type"] == "video" else None
        start, end = self.params.get("start_sec") or 0.0, self.params.get("end_sec")
        return (
            found.clip_length == length  # the list shows it for fixed segmentation, and for nothing else
            and found.start_offset_sec in (None, start)
            and (found.end_offset_sec in (None, end) or (end is None and found.end_offset_sec == found.duration))
        )


def can_be_told(params: Mapping[str, Any], *, is_marked: bool) -> bool:
    """Whether a task of these parameters can be told from others, by the list and then by its result.

    Neither shows what texts were fused or how a text was cut into chunks. The end of a film shows only in vectors that
    every part of it has; the mark of an upload makes up for that, since all tasks of it are this journal's.
    """
    cut = params.get("segmentation") or {}
    if params.get("time_based_metadata") or "max_sentences" in cut:
        return False
    is_seen = "visual" in params["embedding_option"] or ASSET in params["embedding_scope"]
    return is_marked or params["input_type"] not in _TIMED or is_seen


def could_be_result(params: Mapping[str, Any], segments: Segments, duration: float, *, is_marked: bool) -> bool:
    """Whether the segments of a task are what was asked for; the list does not show all of that.

    Args:
        params: The parameters of the request.
        segments: The result.
        duration: Length of the whole medium in seconds.
        is_marked: Whether the medium is an upload of this journal. Else the task may be anybody's, and whatever the
            result could show must be seen in it.
    """
    if not len(segments):
        return is_marked
    if not _has_kinds(params, segments):
        return False
    return params["input_type"] not in _TIMED or _Times(params, segments, duration).fit(is_marked=is_marked)


def _has_kinds(params: Mapping[str, Any], segments: Segments) -> bool:
    """Whether options, scopes, quadrants and uncertainty are those that were asked for."""
    options = {position.embedding_option for position in segments.positions}
    scopes = {position.embedding_scope for position in segments.positions}
    types = params.get("embedding_type") or ["separate_embedding"]
    allowed = set(params["embedding_option"]) if "separate_embedding" in types else set()
    is_fused = "fused_embedding" in types
    asked = _plain(params["embedding_scope"])
    has_quadrants = any(position.quadrant for position in segments.positions)
    return (
        options <= (allowed | ({_FUSED} if is_fused else set()))
        and is_fused == (_FUSED in options)
        and {scope if scope == ASSET else CLIP for scope in scopes} <= asked
        and (ASSET in scopes) == (ASSET in asked)
        and (segments.uncertainty is not None) == bool(params.get("embedding_uncertainty"))
        and (CLIP not in asked or has_quadrants == ((params.get("segmentation") or {}).get("strategy") == "quadrants"))
    )


class _Times:
    """Where the clips of a result stand, against where they were asked for."""

    def __init__(self, params: Mapping[str, Any], segments: Segments, duration: float) -> None:
        self._start = params.get("start_sec") or 0.0
        self._end = min(params.get("end_sec") or duration, duration)
        self._cut = params["segmentation"]
        self._clips = _spans(segments.select(embedding_scope=CLIP))
        self._wholes = _spans(segments.select(embedding_scope=ASSET))
        self._is_seen = "visual" in params["embedding_option"]

    def fit(self, *, is_marked: bool) -> bool:
        for start, end in (*self._clips, *self._wholes):
            if start < self._start - _ROUNDING or end > self._end + _ROUNDING:
                return False
        return self._is_cut_right() and (is_marked or self._is_complete())

    def _is_cut_right(self) -> bool:
        # The last may be shorter; a clip without sound or speech may be missing.
        if self._cut["strategy"] == "fixed":
            length = self._cut["fixed"]["duration_sec"]
            return all(
                _is_near((start - self._start) % length, 0.0, length) and end - start <= length + _ROUNDING
                for start, end in self._clips
            ) and all(_is_near(end - start, length) for start, end in self._clips[:-1])
        shortest = self._cut["dynamic"]["min_duration_sec"]
        return all(end - start >= shortest - _ROUNDING for start, end in self._clips[:-1])

    def _is_complete(self) -> bool:
        """Whether all that was asked for is there, and nothing speaks for another way of cutting it."""
        if self._wholes and not (_is_near(self._wholes[0][0], self._start) and _is_near(self._wholes[0][1], self._end)):
            return False
        if not self._clips:
            return bool(self._wholes)
        if self._is_seen and not (
            _is_near(self._clips[0][0], self._start) and self._clips[-1][1] >= self._end - _SHORTEST_CLIP
        ):
            return False
        if self._cut["strategy"] == "fixed" or self._cut["dynamic"]["min_duration_sec"] == _LONGEST_MINIMUM:
            return True
        # A larger minimum would have left no clip as short as this.
        shortest = self._cut["dynamic"]["min_duration_sec"] + 1
        return any(end - start < shortest for start, end in self._clips[:-1])


def _spans(segments: Segments) -> list[tuple[float, float]]:
    return sorted({(position.start_sec, position.end_sec) for position in segments.positions})


def _is_near(value: float, wanted: float, circle: float = 0.0) -> bool:
    """Whether two times are the same but for rounding; on a circle, its end is near its beginning."""
    distance = abs(value - wanted)
    return min(distance, abs(circle - distance) if circle else distance) <= _ROUNDING


def is_the_one(candidates: Sequence[TaskSummary], rivals: Iterable[LostTask]) -> bool:
    """Whether there is exactly one candidate, and it could be no other task that is lost too."""
    return len(candidates) == 1 and not any(rival.could_be(candidates[0]) for rival in rivals)


def _agree(shown: Collection[str], asked: Collection[str]) -> bool:
    """Whether the list shows what was asked for, or nothing."""
    return not shown or _plain(shown) == _plain(asked)


def _plain(names: Iterable[str]) -> set[str]:
    return {CLIP if name == LOCAL else name for name in names}


def _unsigned(url: str) -> str:
    try:
        return unsigned_url(url)
    except ValueError:
        return url


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
