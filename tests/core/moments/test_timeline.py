"""The clips of one file with their cosines: order, doubles, missing options, and rows that are no clips."""

import math

import numpy as np

from twelvelabs_core import SegmentPosition, Segments
from twelvelabs_core.moments.timeline import Timeline

QUERY = np.array([3.0, 4.0], np.float32)


def row(start: float, end: float, option: str, scope: str = "clip") -> SegmentPosition:
    return SegmentPosition(start, end, option, scope)


def test_clips_are_in_time_order_and_the_first_of_two_results_counts() -> None:
    first = Segments(
        np.array([[2, 0], [0, 1], [6, 8], [0, 0]], np.float32),
        [row(4, 8, "visual"), row(0, 4, "visual"), row(0, 8, "visual", "asset"), row(0, 4, "audio")],
    )
    second = Segments(np.array([[6, 8], [6, 8]], np.float32), [row(0, 4, "visual"), row(4, 8, "audio")])
    timeline = Timeline.of("a", "", [first, second], QUERY)
    assert timeline.ranges == ((0, 4000), (4000, 8000))
    np.testing.assert_allclose(timeline.cosines["visual"], [0.8, 0.6], rtol=1e-6)
    np.testing.assert_allclose(timeline.cosines["audio"], [0.0, 1.0], rtol=1e-6)


def test_result_without_a_clip_has_no_range() -> None:
    assert Timeline.of("a", "", [Segments.empty(2)], QUERY).ranges == ()
    assert Timeline.of("a", "", [], QUERY).ranges == ()
    page = Segments(np.ones((1, 2), np.float32), [SegmentPosition(0, 0, "text", "page")])
    assert Timeline.of("a", "", [page], QUERY).cosines == {}


def test_clip_shorter_than_a_millisecond_is_one_as_for_hits() -> None:
    segments = Segments(np.ones((1, 2), np.float32), [row(6.467, 6.4671, "visual")])
    assert Timeline.of("a", "", [segments], QUERY).ranges == ((6467, 6467),)


def test_vectorized_timeline_equals_plain_loops() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        cosines: dict[str, dict[tuple[int, int], float]] = {}
        results = []
        for _ in range(2):
            starts, lengths = (
                random.uniform(0, 20, 30).round(1).tolist(),
                random.uniform(0.001, 4, 30).round(1).tolist(),
            )
            options = random.choice(["visual", "audio"], 30).tolist()
            ranges = {
                (start, start + length, option) for start, length, option in zip(starts, lengths, options, strict=True)
            }
            positions = [row(*one) for one in ranges if one[1] > one[0]]
            vectors = random.normal(size=(len(positions), 2)).astype(np.float32)
            results.append(Segments(vectors, positions))
            for position, vector in zip(results[-1].positions, results[-1].vectors, strict=True):
                clip = round(position.start_sec * 1000), round(position.end_sec * 1000)
                cosine = float(vector @ QUERY) / float(np.linalg.norm(vector) * 5)
                cosines.setdefault(position.embedding_option, {}).setdefault(clip, cosine)
        timeline = Timeline.of("a", "", results, QUERY)
        assert list(timeline.ranges) == sorted({clip for column in cosines.values() for clip in column})
        for option, column in timeline.cosines.items():
            expected = [cosines[option].get(clip, math.nan) for clip in timeline.ranges]
            np.testing.assert_allclose(column, expected, atol=1e-6)
