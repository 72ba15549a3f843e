"""Segmentation of a window into clips."""

from itertools import pairwise

import numpy as np
import pytest

from twelvelabs_sandbox.engine.segmentation import clip_bounds, shot_changes
from twelvelabs_sandbox.engine.types import Segmentation


@pytest.mark.parametrize(
    ("start", "end", "length", "expected"),
    [
        (0.0, 12.0, 5.0, [(0.0, 5.0), (5.0, 10.0), (10.0, 12.0)]),
        (0.0, 12.0, 6.0, [(0.0, 6.0), (6.0, 12.0)]),
        (1.0, 3.0, 10.0, [(1.0, 3.0)]),
        (0.0, 12.0004, 6.0, [(0.0, 6.0), (6.0, 12.0)]),
    ],
)
def test_fixed_lengths(start: float, end: float, length: float, expected: list[tuple[float, float]]) -> None:
    assert clip_bounds(start, end, Segmentation(fixed_sec=length), []) == expected


def test_a_clip_of_exactly_the_minimum_is_kept() -> None:
    """12.2 - 8.2 is less than 4 as a float."""
    changes = [(4.2, 0.5), (8.2, 0.5)]
    assert clip_bounds(0.0, 12.2, Segmentation(min_sec=4), changes) == [(0.0, 4.2), (4.2, 8.2), (8.2, 12.2)]


def test_a_clip_of_exactly_the_maximum_is_not_split() -> None:
    """32.2 - 2.2 is more than 30 as a float."""
    assert clip_bounds(2.2, 32.2, Segmentation(min_sec=4), []) == [(2.2, 32.2)]


def test_fixed_lengths_do_not_drift_over_hours() -> None:
    clips = clip_bounds(0.0, 14_400.0, Segmentation(fixed_sec=2), [])
    assert len(clips) == 7200
    assert clips[-1] == (14_398.0, 14_400.0)


def test_the_strongest_changes_are_used_within_the_minimum_duration() -> None:
    changes = [(3.0, 0.9), (5.0, 0.2), (6.5, 0.5), (11.0, 0.4)]
    assert clip_bounds(0.0, 12.0, Segmentation(min_sec=2), changes) == [(0.0, 3.0), (3.0, 6.5), (6.5, 12.0)]
    assert clip_bounds(0.0, 12.0, Segmentation(min_sec=4), changes) == [(0.0, 6.5), (6.5, 12.0)]


@pytest.mark.parametrize("seed", range(5))
def test_clips_are_contiguous_and_never_too_short(seed: int) -> None:
    rng = np.random.default_rng(seed)
    end = float(rng.uniform(1, 500))
    changes = [(float(time), float(strength)) for time, strength in rng.uniform(0, 1, (200, 2)) * (end, 1)]
    clips = clip_bounds(0.0, end, Segmentation(min_sec=4), changes)
    assert clips[0][0] == 0.0
    assert clips[-1][1] == pytest.approx(end, abs=1e-3)
    assert all(first[1] == second[0] for first, second in pairwise(clips))
    assert len(clips) == 1 or min(stop - start for start, stop in clips) >= 4 - 1e-9


def test_a_window_without_changes_has_equal_clips() -> None:
    assert clip_bounds(0.0, 20.0, Segmentation(min_sec=4), []) == [(0.0, 20.0)]
    assert clip_bounds(0.0, 90.0, Segmentation(min_sec=4), []) == [(0.0, 30.0), (30.0, 60.0), (60.0, 90.0)]


def test_a_shot_boundary_exceeds_the_surrounding_changes() -> None:
    times = np.arange(0, 20, 0.1, dtype=np.float32)
    calm, busy = np.full(200, 0.01, np.float32), np.full(200, 0.2, np.float32)
    calm[100] = busy[100] = 0.25
    assert shot_changes(times, calm) == [(float(times[100]), 0.25)]
    assert shot_changes(times, busy) == []


def test_frames_seconds_apart_must_differ_more() -> None:
    times = np.array([0, 0.1, 5, 5.1, 10, 10.1], np.float32)
    changes = np.array([0, 0.05, 0.2, 0.3, 0.6, 0.5], np.float32)
    assert [time for time, _ in shot_changes(times, changes)] == [pytest.approx(10.0)]
