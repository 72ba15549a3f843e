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


def test_each_is_shown_in_one_line_and_as_a_table_without_its_vectors() -> None:
    segments = make()
    assert repr(segments) == "<Segments: 4 vectors of 2, until 12.0 s>"
    assert repr(segments[1]) == "<Segment 1: 0:06.0-0:12.0, visual, clip, 2 values>"
    page = Segments(np.zeros((1, 2), np.float32), [SegmentPosition(0.0, 0.0, "<b>", "page", page_start=3)])
    assert (repr(page), repr(page[0])) == (
        "<Segments: 1 vectors of 2>",
        "<Segment 0: page 3, <b>, page, 2 values>",
    )
    assert segments._repr_html_().count("<tr>") == 5
    assert segments[1]._repr_html_().count("<tr>") == 2
    assert "<td>1</td><td>0:06.0-0:12.0</td><td>visual</td>" in segments[1]._repr_html_()
    assert "<td>page 3</td><td>&lt;b&gt;</td>" in page._repr_html_()


def test_a_table_shows_the_first_segments() -> None:
    many = [SegmentPosition(6.0 * number, 6.0 * number + 6, "visual", "clip") for number in range(300)]
    html = Segments(np.zeros((300, 2), np.float32), many)._repr_html_()
    assert "300 vectors of 2, until 1800.0 s; the first 30 of 300 rows" in html
    assert html.count("<tr>") == 31


def test_a_matrix_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one row per position"):
        Segments(np.zeros((2, 2), np.float32), POSITIONS[:1])
