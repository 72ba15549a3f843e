"""Uncertainty stays aligned with its vectors, from the response to the segment store and back."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twelvelabs_core import ConfigurationError, SegmentPosition, Segments, SegmentStore
from twelvelabs_core.results.decode import VectorSplitter
from twelvelabs_core.results.responses import parse_task

POSITIONS = [
    SegmentPosition(6.0, 9.0, "visual", "clip"),
    SegmentPosition(0.0, 6.0, "audio", "clip"),
    SegmentPosition(0.0, 6.0, "visual", "clip"),
]
ORDER = [2, 1, 0]
VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)
DOUBTS = VECTORS + 100


def with_doubts() -> Segments:
    return Segments(VECTORS, POSITIONS, DOUBTS)


def test_rows_keep_their_uncertainty_in_any_input_order() -> None:
    segments = with_doubts()
    assert np.array_equal(segments.vectors, VECTORS[ORDER])
    assert np.array_equal(segments.uncertainty, DOUBTS[ORDER])  # type: ignore[arg-type]
    assert not segments.uncertainty.flags.writeable  # type: ignore[union-attr]
    for part in (segments[1:], segments.select(embedding_option="visual"), segments):
        assert part.uncertainty is not None
        for segment in part:
            assert np.array_equal(segment.uncertainty, segment.vector + 100)  # type: ignore[arg-type]


def test_segments_with_and_without_uncertainty_are_not_equal() -> None:
    assert with_doubts() == with_doubts()
    assert with_doubts() != Segments(VECTORS, POSITIONS)
    assert with_doubts() != Segments(VECTORS, POSITIONS, VECTORS)
    assert Segments(VECTORS, POSITIONS)[0].uncertainty is None
    with pytest.raises(ValueError, match="uncertainty must have the shape"):
        Segments(VECTORS, POSITIONS, DOUBTS[:2])


def test_task_result_is_parsed_with_uncertainty() -> None:
    splitter = VectorSplitter()
    splitter.feed(
        b'{"_id":"t","status":"ready","data":['
        b'{"embedding":[3,4],"embedding_uncertainty":[0.3,0.4],"embedding_option":"visual","embedding_scope":"clip",'
        b'"start_sec":2,"end_sec":4},'
        b'{"embedding_uncertainty":[0.1,0.2],"embedding":[1,2],"embedding_option":"visual","embedding_scope":"clip",'
        b'"start_sec":0,"end_sec":2}],"usage":{"input_tokens":{"video":9},"truncated":false}}'
    )
    task = parse_task(splitter.finish())
    assert task.segments is not None
    assert task.segments.vectors.tolist() == [[1, 2], [3, 4]]
    assert np.allclose(task.segments.uncertainty, [[0.1, 0.2], [0.3, 0.4]])  # type: ignore[arg-type]
    assert task.usage is not None
    assert task.usage.input_tokens == {"video": 9}


def stored(location: Any, segments: Segments) -> SegmentStore:
    store = SegmentStore(location)
    store.put_intent("k", space="marengo3.5/4", content="c", model="m", params={}, source="s", account="a")
    store.put_result("k", segments, duration_sec=9.0)
    store.add_aliases("k", [("id-1", 1)], source="s")
    return store


def test_store_returns_uncertainty_with_results_only(tmp_path: Path) -> None:
    stored(tmp_path / "s.sqlite3", with_doubts()).close()
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        assert store.load_result("k")[0] == with_doubts()
        assert store.find_vectors(["id-1"])["id-1"].vector.tolist() == VECTORS[1].tolist()
    without = stored(":memory:", Segments(VECTORS, POSITIONS))
    assert without.load_result("k")[0].uncertainty is None


@pytest.mark.parametrize("damage", ["substr(vector, 1, 16)", "vector || vector", "substr(vector, 1, 31) || x'7f'"])
def test_damaged_uncertainty_raises(tmp_path: Path, damage: str) -> None:
    stored(tmp_path / "s.sqlite3", with_doubts()).close()
    with sqlite3.connect(tmp_path / "s.sqlite3") as database:
        database.execute(f"UPDATE twelvelabs_vectors SET vector = CAST({damage} AS BLOB) WHERE row = 1")  # noqa: S608
    database.close()
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        for read in (lambda: store.load_result("k"), lambda: store.find_vectors(["id-1"])):
            with pytest.raises(ConfigurationError, match="damaged"):
                read()
