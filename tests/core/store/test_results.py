"""Whole results by segment ids: read once, never outdated, and not more than a limit kept in memory."""

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from twelvelabs_core import SegmentPosition, Segments, SegmentStore
from twelvelabs_core.store import vectors


def put(store: SegmentStore, key: str, value: float) -> str:
    """Store a task with one vector, and return the segment id that names it."""
    store.put_intent(key, space="x/2", content=key, model="m", params={}, source=key, account="a")
    segments = Segments(np.array([[value, 0]], np.float32), [SegmentPosition(0.0, 4.0, "visual", "clip")])
    store.put_result(key, segments, duration_sec=4.0)
    store.add_aliases(key, [(f"id of {key}", 0)], source=key)
    return f"id of {key}"


def value_of(store: SegmentStore, segment_id: str) -> float:
    keys, results = store.find_results([segment_id])
    return float(results[keys[segment_id]].segments.vectors[0, 0])


def test_result_is_read_once(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "store.sqlite3") as store:
        ids = [put(store, "a", 1.0), put(store, "b", 2.0)]
        keys, first = store.find_results([*ids, "unknown"])
        assert keys == {"id of a": "a", "id of b": "b"}
        _, again = store.find_results(ids)
        assert first.keys() == again.keys() == {"a", "b"}
        assert all(first[key].segments is again[key].segments for key in first)
        assert value_of(pickle.loads(pickle.dumps(store)), ids[1]) == 2.0  # noqa: S301  # our own bytes


def test_deleted_result_is_gone_and_one_that_was_paid_for_again_is_read_again(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "store.sqlite3") as store, SegmentStore(tmp_path / "store.sqlite3") as other:
        segment_id = put(store, "a", 1.0)
        assert value_of(store, segment_id) == 1.0
        other.delete_task("a")
        assert store.find_results([segment_id]) == ({}, {})
        put(other, "a", 7.0)
        assert value_of(store, segment_id) == 7.0


def test_only_the_latest_results_are_kept_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "RESULT_BYTES", 20)  # two results of 8 bytes
    with SegmentStore(tmp_path / "store.sqlite3") as store:
        ids = {key: put(store, key, 1.0) for key in "abc"}

        def read(key: str) -> Segments:
            return store.find_results([ids[key]])[1][key].segments

        first = {key: read(key) for key in "abc"}
        assert read("b") is first["b"]
        assert read("a") is not first["a"]
        assert read("c") is not first["c"]
        assert len(store.find_results([*ids.values()])[1]) == 3


def test_threads_share_the_kept_results(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "store.sqlite3") as store:
        ids = [put(store, f"task {number}", float(number)) for number in range(10)]
        wrong: list[object] = []

        def search(seed: int) -> None:
            order = np.random.default_rng(seed).permutation(10)
            wrong.extend(number for number in order for _ in range(5) if value_of(store, ids[number]) != number)

        threads = [threading.Thread(target=search, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
