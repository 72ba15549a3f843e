"""Cuts a stretch of time into clips: at fixed lengths, or at the places where the picture or the sound changes."""

from bisect import bisect, insort
from itertools import pairwise

import numpy as np

from twelvelabs_sandbox._media_values import Cut, FloatArray

# A change counts as a cut when it is the largest within NEIGHBOURS seconds, at least this large, and clearly above what
# is usual around it (a median, over USUAL seconds to each side).
SMALLEST_CHANGE, OVER_USUAL, ABOVE_USUAL = 0.06, 3.0, 0.03
NEIGHBOURS, USUAL = 0.35, 1.5
# Between pictures that are seconds apart a moving camera changes much as well.
FAR_APART, SMALLEST_CHANGE_FAR_APART = 1.2, 0.25
# A shot that never changes is cut too, into equal parts of at most this: a moment is no longer.
LONGEST_CLIP = 30.0
MILLISECOND = 0.001


def clip_bounds(start: float, end: float, cut: Cut, changes: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the clips of a window, contiguous and in order, as (start, end) rounded to milliseconds.

    Args:
        start: Where the window begins, in seconds.
        end: Where it ends.
        cut: How to cut.
        changes: (second, strength) of what changes; used when `cut` asks for a minimum length.
    """
    start, end = round(start, 3), round(end, 3)
    if cut.fixed_sec is not None:
        edges = [*np.arange(start, end - MILLISECOND, cut.fixed_sec).tolist(), end]
    else:
        edges = _long_split(_strongest(start, end, cut.min_sec or 0.0, changes))
    return list(pairwise(round(edge, 3) for edge in edges))


def changes_of(times: FloatArray, changes: FloatArray) -> list[tuple[float, float]]:
    """Return (second, strength) of those changes from picture to picture that look like a cut."""
    found = []
    far = np.diff(times, prepend=times[:1]) > FAR_APART
    for number in np.flatnonzero(changes >= np.where(far, SMALLEST_CHANGE_FAR_APART, SMALLEST_CHANGE)):
        time, change = float(times[number]), float(changes[number])
        largest = change >= _around(times, changes, time, NEIGHBOURS).max()
        # Pictures that are seconds apart say nothing about what is usual.
        usual = 0.0 if far[number] else float(np.median(_around(times, changes, time, USUAL)))
        if largest and change > OVER_USUAL * usual + ABOVE_USUAL:
            found.append((time, change))
    return found


def _around(times: FloatArray, changes: FloatArray, time: float, seconds: float) -> FloatArray:
    return changes[np.searchsorted(times, time - seconds) : np.searchsorted(times, time + seconds, "right")]


def _strongest(start: float, end: float, shortest: float, changes: list[tuple[float, float]]) -> list[float]:
    """Return the edges of clips: the strongest changes first, as long as every clip stays long enough."""
    edges = [start, end]
    for exact, _ in sorted(changes, key=lambda change: (-change[1], change[0])):
        time = round(exact, 3)
        place = bisect(edges, time)
        inside = 0 < place < len(edges)
        if inside and time - edges[place - 1] >= shortest and edges[place] - time >= shortest:
            insort(edges, time)
    return edges


def _long_split(edges: list[float]) -> list[float]:
    split = []
    for start, end in pairwise(edges):
        parts = int(np.ceil((end - start) / LONGEST_CLIP))
        split += [start + (end - start) * part / parts for part in range(parts)]
    return [*split, edges[-1]]
