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
# Longer shots are split into equal clips of at most this many milliseconds.
MAX_CLIP = 30_000


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
    # Seconds as floats are slightly more or less than the milliseconds they stand for: 12.2 - 8.2 is less than 4.
    first, last = _milliseconds(start), _milliseconds(end)
    if segmentation.fixed_sec is not None:
        edges = [*range(first, last, _milliseconds(segmentation.fixed_sec)), last]
    else:
        shots = sorted((-strength, _milliseconds(time)) for time, strength in changes)
        edges = _split_long(_dynamic_edges(first, last, _milliseconds(segmentation.min_sec or 0.0), shots))
    return list(pairwise(edge / 1000 for edge in edges))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


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


def _dynamic_edges(start: int, end: int, shortest: int, shots: list[tuple[float, int]]) -> list[int]:
    """Return the boundaries of clips: the strongest changes first, as long as every clip keeps its minimum duration."""
    edges = [start, end]
    for _, time in shots:
        index = bisect(edges, time)
        inside = 0 < index < len(edges)
        if inside and time - edges[index - 1] >= shortest and edges[index] - time >= shortest:
            insort(edges, time)
    return edges


def _split_long(edges: list[int]) -> list[int]:
    split = []
    for start, end in pairwise(edges):
        count = -(-(end - start) // MAX_CLIP)
        split += [start + round((end - start) * index / count) for index in range(count)]
    return [*split, edges[-1]]
