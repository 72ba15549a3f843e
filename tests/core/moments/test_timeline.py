"""The clips of one file with their cosines: order, doubles, missing options, rows that are no clips, and plain loops."""

import math
import random

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
    timeline = Timeline.of("a", [first, second], QUERY)
    assert timeline.ranges == ((0, 4000), (4000, 8000))
    np.testing.assert_allclose(timeline.cosines["visual"], [0.8, 0.6], rtol=1e-6)
    np.testing.assert_allclose(timeline.cosines["audio"], [0.0, 1.0], rtol=1e-6)


def test_result_without_a_clip_has_no_range() -> None:
    assert Timeline.of("a", [Segments.empty(2)], QUERY).ranges == ()
    assert Timeline.of("a", [], QUERY).ranges == ()
    page = Segments(np.ones((1, 2), np.float32), [SegmentPosition(0, 0, "text", "page")])
    assert Timeline.of("a", [page], QUERY).cosines == {}


def test_vectorized_timeline_equals_plain_loops() -> None:
    choice = random.Random(3)
    for _ in range(20):
        cosines: dict[str, dict[tuple[int, int], float]] = {}
        results = []
        for _ in range(2):
            ends = {choice.uniform(0, 20): choice.uniform(0, 4) for _ in range(30)}
            positions = [row(start, start + more, choice.choice(["visual", "audio"])) for start, more in ends.items()]
            vectors = np.array([[choice.gauss(0, 1), choice.gauss(0, 1)] for _ in positions], np.float32)
            results.append(Segments(vectors, positions))
            for position, vector in zip(results[-1].positions, results[-1].vectors, strict=True):
                clip = round(position.start_sec * 1000), round(position.end_sec * 1000)
                cosine = float(vector @ QUERY) / float(np.linalg.norm(vector) * 5)
                cosines.setdefault(position.embedding_option, {}).setdefault(clip, cosine)
        timeline = Timeline.of("a", results, QUERY)
        assert list(timeline.ranges) == sorted({clip for column in cosines.values() for clip in column})
        for option, column in timeline.cosines.items():
            expected = [cosines[option].get(clip, math.nan) for clip in timeline.ranges]
            np.testing.assert_allclose(column, expected, atol=1e-6)
