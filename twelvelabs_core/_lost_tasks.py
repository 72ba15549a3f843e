"""Which task in the server's list is the one whose id was lost with a broken create? Pure decisions.

A create whose answer never came may have happened. The list of tasks shows where each one's media came from; that and
the options tell a lost task from all others, or nothing does: then it must not be guessed.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from twelvelabs_core._limits import FILENAME_MAX
from twelvelabs_core._models import ASSET, CLIP, LOCAL
from twelvelabs_core._responses import MediaMetadata, TaskSummary
from twelvelabs_core._segments import Segments
from twelvelabs_core._storage.entries import TaskEntry
from twelvelabs_core._urls import unsigned_url

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
    options = {locus.embedding_option for locus in segments.loci}
    scopes = {locus.embedding_scope for locus in segments.loci}
    types = params.get("embedding_type") or ["separate_embedding"]
    allowed = set(params["embedding_option"]) if "separate_embedding" in types else set()
    is_fused = "fused_embedding" in types
    asked = _plain(params["embedding_scope"])
    has_quadrants = any(locus.quadrant for locus in segments.loci)
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
    return sorted({(locus.start_sec, locus.end_sec) for locus in segments.loci})


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
