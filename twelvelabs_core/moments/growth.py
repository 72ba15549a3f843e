"""Which neighbouring clips belong to one moment."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

Range = tuple[int, int]
"""First and last millisecond of a clip."""


class Bounds(NamedTuple):
    """How far a moment may grow, in milliseconds.

    Attributes:
        max_gap: Longest gap between two clips of one moment.
        max_length: Longest moment of more than one clip.
    """

    max_gap: int
    max_length: int


def grow(
    ranges: Sequence[Range], scores: Sequence[float], seed: int, usable: Sequence[bool], bounds: Bounds
) -> list[int]:
    """Return the indexes of the clips of the moment around one clip, in time order.

    Of the clips before and after the moment the better one is added, as long as it is usable and the moment stays
    within its bounds. So a moment never continues beyond a clip that is not usable.

    Args:
        ranges: The clips of one file in time order.
        scores: The score of each; the better neighbour is added first.
        seed: The clip to start from.
        usable: For each clip whether it is relevant and belongs to no other moment.
        bounds: How far the moment may grow.
    """
    clips = [seed]
    while True:
        start, end = ranges[clips[0]][0], ranges[clips[-1]][1]
        candidates = []
        before, after = _before(ranges, start), _after(ranges, end)
        if before is not None and start - ranges[before][1] <= bounds.max_gap:
            candidates.append((scores[before], before, end - ranges[before][0]))
        if after is not None and ranges[after][0] - end <= bounds.max_gap:
            candidates.append((scores[after], after, ranges[after][1] - start))
        fitting = [(score, clip) for score, clip, length in candidates if usable[clip] and length <= bounds.max_length]
        if not fitting:
            return clips
        _, clip = max(fitting)
        clips = [clip, *clips] if clip < clips[0] else [*clips, clip]


def _before(ranges: Sequence[Range], start: int) -> int | None:
    """Return the last clip that ends at or before a time."""
    index = bisect_left(ranges, (start, 0)) - 1
    while index >= 0 and ranges[index][1] > start:
        index -= 1
    return index if index >= 0 else None


def _after(ranges: Sequence[Range], end: int) -> int | None:
    """Return the first clip that starts at or after a time."""
    index = bisect_left(ranges, (end, 0))
    return index if index < len(ranges) else None
