"""`Segments`: one order, one index per time range, and the caller's array unchanged."""

import numpy as np
import pytest

from twelvelabs_core import SegmentPosition, Segments

POSITIONS = [
    SegmentPosition(6.0, 12.0, "audio", "clip"),
    SegmentPosition(0.0, 12.0, "visual", "asset"),
    SegmentPosition(6.0, 12.0, "visual", "clip"),
    SegmentPosition(0.0, 6.0, "visual", "clip"),
]


def make() -> Segments:
    return Segments(np.arange(8, dtype=np.float32).reshape(4, 2), POSITIONS)


def test_rows_are_ordered_by_scope_time_and_option_in_any_input_order() -> None:
    assert list(make().positions) == [POSITIONS[3], POSITIONS[2], POSITIONS[0], POSITIONS[1]]
    assert make().vectors.tolist() == [[6, 7], [4, 5], [0, 1], [2, 3]]


def test_the_options_of_one_time_range_share_an_index_within_their_scope() -> None:
    assert [segment.index for segment in make()] == [0, 1, 1, 0]


@pytest.mark.parametrize("selection", [make().select(embedding_option="audio"), make()[2:3]], ids=["select", "slice"])
def test_a_selection_keeps_the_indexes(selection: Segments) -> None:
    assert [(segment.position, segment.index) for segment in selection] == [(POSITIONS[0], 1)]


def test_vectors_are_read_only_and_the_array_of_the_caller_is_not() -> None:
    array = np.zeros((1, 2), np.float32)
    segments = Segments(array, POSITIONS[:1])
    array[0, 0] = 1.0

    with pytest.raises(ValueError, match="read-only"):
        segments.vectors[0, 0] = 2.0


def test_a_matrix_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one row per position"):
        Segments(np.zeros((2, 2), np.float32), POSITIONS[:1])
