"""`Segments`: one order, one index per place, and no hand on the caller's array."""

import numpy as np
import pytest

from twelvelabs_core import Locus, Segments

LOCI = [
    Locus(6.0, 12.0, "audio", "clip"),
    Locus(0.0, 12.0, "visual", "asset"),
    Locus(6.0, 12.0, "visual", "clip"),
    Locus(0.0, 6.0, "visual", "clip"),
]


def make() -> Segments:
    return Segments(np.arange(8, dtype=np.float32).reshape(4, 2), LOCI)


def test_rows_are_ordered_by_scope_time_and_option_whatever_order_they_came_in() -> None:
    assert list(make().loci) == [LOCI[3], LOCI[2], LOCI[0], LOCI[1]]
    assert make().vectors.tolist() == [[6, 7], [4, 5], [0, 1], [2, 3]]


def test_the_options_of_one_place_share_an_index_within_their_scope() -> None:
    assert [segment.index for segment in make()] == [0, 1, 1, 0]


@pytest.mark.parametrize("part", [make().select(embedding_option="audio"), make()[2:3]], ids=["select", "slice"])
def test_a_part_keeps_the_indexes_of_the_whole(part: Segments) -> None:
    assert [(segment.locus, segment.index) for segment in part] == [(LOCI[0], 1)]


def test_the_callers_array_stays_writable_and_ours_does_not() -> None:
    mine = np.zeros((1, 2), np.float32)
    segments = Segments(mine, LOCI[:1])
    mine[0, 0] = 1.0

    with pytest.raises(ValueError, match="read-only"):
        segments.vectors[0, 0] = 2.0


def test_a_matrix_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="one row per locus"):
        Segments(np.zeros((2, 2), np.float32), LOCI[:1])
