"""Splits a window into clips: of a fixed duration, or at changes of the picture or the audio."""

from bisect import bisect, insort
from itertools import pairwise

import numpy as np

from twelvelabs_sandbox.engine.types import FloatArray, Segmentation

# A change is a shot boundary if it is the largest within PEAK_SECONDS, at least MIN_CHANGE, and clearly above the
# median of the surrounding changes, MEDIAN_SECONDS to each side.
MIN_CHANGE, MEDIAN_FACTOR, MEDIAN_OFFSET = 0.06, 3.0, 0.03
PEAK_SECONDS, MEDIAN_SECONDS = 0.35, 1.5
# Frames that are seconds apart differ much even within a shot.
SPARSE_SECONDS, MIN_CHANGE_SPARSE = 1.2, 0.25
# Longer shots are split into equal clips of at most this many seconds.
MAX_CLIP_SECONDS = 30.0
MILLISECOND = 0.001


def clip_bounds(
    start: float, end: float, segmentation: Segmentation, changes: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return contiguous clips of a window, in order, as (start, end) rounded to milliseconds.

    Args:
        start: Start of the window in seconds.
        end: End of the window in seconds.
        segmentation: How to split the window.
        changes: (second, strength) of possible boundaries; used for a dynamic segmentation only.
    """
    start, end = round(start, 3), round(end, 3)
    if segmentation.fixed_sec is not None:
        edges = [*np.arange(start, end - MILLISECOND, segmentation.fixed_sec).tolist(), end]
    else:
        edges = _split_long(_dynamic_edges(start, end, segmentation.min_sec or 0.0, changes))
    return list(pairwise(round(edge, 3) for edge in edges))


def shot_changes(times: FloatArray, changes: FloatArray) -> list[tuple[float, float]]:
    """Return (second, strength) of the changes between frames that are shot boundaries."""
    found = []
    sparse = np.diff(times, prepend=times[:1]) > SPARSE_SECONDS
    for number in np.flatnonzero(changes >= np.where(sparse, MIN_CHANGE_SPARSE, MIN_CHANGE)):
        time, change = float(times[number]), float(changes[number])
        largest = change >= _around(times, changes, time, PEAK_SECONDS).max()
        # Frames that are seconds apart do not show a typical change.
        median = 0.0 if sparse[number] else float(np.median(_around(times, changes, time, MEDIAN_SECONDS)))
        if largest and change > MEDIAN_FACTOR * median + MEDIAN_OFFSET:
            found.append((time, change))
    return found


def _around(times: FloatArray, changes: FloatArray, time: float, seconds: float) -> FloatArray:
    return changes[np.searchsorted(times, time - seconds) : np.searchsorted(times, time + seconds, "right")]


def _dynamic_edges(start: float, end: float, min_sec: float, changes: list[tuple[float, float]]) -> list[float]:
    """Return the boundaries of clips: the strongest changes first, as long as every clip keeps its minimum duration."""
    edges = [start, end]
    for exact, _ in sorted(changes, key=lambda change: (-change[1], change[0])):
        time = round(exact, 3)
        index = bisect(edges, time)
        inside = 0 < index < len(edges)
        if inside and time - edges[index - 1] >= min_sec and edges[index] - time >= min_sec:
            insort(edges, time)
    return edges


def _split_long(edges: list[float]) -> list[float]:
    split = []
    for start, end in pairwise(edges):
        count = int(np.ceil((end - start) / MAX_CLIP_SECONDS))
        split += [start + (end - start) * index / count for index in range(count)]
    return [*split, edges[-1]]
