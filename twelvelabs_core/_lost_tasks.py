"""Which task in the server's list is the one whose id was lost with a broken create? Pure decisions.

A create whose answer never came may have happened. The list of tasks shows where each one's media came from; that and
the options tell a lost task from all others, or nothing does: then it must not be guessed.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from twelvelabs_core._models import CLIP, LOCAL
from twelvelabs_core._responses import MediaMetadata, TaskSummary
from twelvelabs_core._segments import Segments
from twelvelabs_core._storage.entries import TaskEntry
from twelvelabs_core._urls import unsigned_url

_FILENAME_MAX = 255
_ENDING_MAX = 16
_ROUNDING = 0.5  # seconds by which times may be off: a film's pictures and its sound do not end together


def mark_of(journal: str, content: str) -> str:
    """Return the mark that the uploads of one content carry in their names, different in every journal."""
    return hashlib.sha256(f"{journal}\n{content}".encode()).hexdigest()[:16]


def marked(filename: str, mark: str) -> str:
    """Return a name with the mark before its ending: `match.0b9a7c5e1f2d3a4b.mp4`; at most 255 characters."""
    ending = PurePath(filename).suffix[:_ENDING_MAX]
    tail = f".{mark}{ending}"
    stem = filename[: len(filename) - len(ending)] if ending else filename
    return stem[: _FILENAME_MAX - len(tail)] + tail


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

    def could_be(self, task: TaskSummary) -> bool:
        """Whether nothing tells a task of the list from this one; never where its origin is not shown."""
        found = task.metadata
        if found is None or task.model_name not in (None, self.model):
            return False
        return self._has_origin(found) and self._has_options(found) and self._has_times(found)

    def _has_origin(self, found: MediaMetadata) -> bool:
        if self.content.startswith("sha256:"):
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


def could_be_result(params: Mapping[str, Any], segments: Segments) -> bool:
    """Whether the segments of a task are cut as was asked for; the list does not show all of that."""
    start, end = params.get("start_sec") or 0.0, params.get("end_sec")
    clips = segments.select(embedding_scope=CLIP).loci
    if params["input_type"] not in ("audio", "video") or not clips:
        return True
    times = sorted({(locus.start_sec, locus.end_sec) for locus in clips})
    if abs(times[0][0] - start) > _ROUNDING or (end is not None and times[-1][1] > end + _ROUNDING):
        return False
    cut = params["segmentation"]
    lengths = [end - start for start, end in times[:-1]]  # the last may be shorter
    if cut["strategy"] == "fixed":
        return all(abs(length - cut["fixed"]["duration_sec"]) <= _ROUNDING for length in lengths)
    return all(length >= cut["dynamic"]["min_duration_sec"] - _ROUNDING for length in lengths)


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
