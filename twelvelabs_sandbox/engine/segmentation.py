"""Cuts a stretch of time into clips: at fixed lengths, or at the places where the picture or the sound changes."""

from bisect import bisect, insort
from itertools import pairwise

import numpy as np

from twelvelabs_sandbox.engine.types import FloatArray
from twelvelabs_sandbox.engine.types import Segmentation

# A change counts as a cut when it is the largest within PEAK_SECONDS seconds, at least this large, and clearly above what
# is usual around it (a median, over USUAL seconds to each side).
MIN_CHANGE, MEDIAN_FACTOR, MEDIAN_OFFSET = 0.06, 3.0, 0.03
PEAK_SECONDS, USUAL = 0.35, 1.5
# Between pictures that are seconds apart a moving camera changes much as well.
SPARSE_SECONDS, MIN_CHANGE_SPARSE = 1.2, 0.25
# A shot that never changes is cut too, into equal parts of at most this: a moment is no longer.
MAX_CLIP_SECONDS = 30.0
MILLISECOND = 0.001


def clip_bounds(
    start: float, end: float, segmentation: Segmentation, changes: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return the clips of a window, contiguous and in order, as (start, end) rounded to milliseconds.

    Args:
        start: Where the window begins, in seconds.
        end: Where it ends.
        cut: How to cut.
        changes: (second, strength) of what changes; used when `cut` asks for a minimum length.
    """
    start, end = round(start, 3), round(end, 3)
    if segmentation.fixed_sec is not None:
        edges = [*np.arange(start, end - MILLISECOND, segmentation.fixed_sec).tolist(), end]
    else:
        edges = _long_split(_strongest(start, end, segmentation.min_sec or 0.0, changes))
    return list(pairwise(round(edge, 3) for edge in edges))


def shot_changes(times: FloatArray, changes: FloatArray) -> list[tuple[float, float]]:
    """Return (second, strength) of those changes from picture to picture that look like a cut."""
    found = []
    far = np.diff(times, prepend=times[:1]) > SPARSE_SECONDS
    for number in np.flatnonzero(changes >= np.where(far, MIN_CHANGE_SPARSE, MIN_CHANGE)):
        time, change = float(times[number]), float(changes[number])
        largest = change >= _around(times, changes, time, PEAK_SECONDS).max()
        # Pictures that are seconds apart say nothing about what is usual.
        usual = 0.0 if far[number] else float(np.median(_around(times, changes, time, USUAL)))
        if largest and change > MEDIAN_FACTOR * usual + MEDIAN_OFFSET:
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
        parts = int(np.ceil((end - start) / MAX_CLIP_SECONDS))
        split += [start + (end - start) * part / parts for part in range(parts)]
    return [*split, edges[-1]]
