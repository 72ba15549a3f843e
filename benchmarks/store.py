"""Measures a `SegmentStore` with the vectors of six hours of video: write, name, read, find.

Run: python benchmarks/store.py [--vectors 21600] [--location PATH-OR-URL]
"""

import argparse
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.store.store import SegmentStore

DIMENSION = 512
CALLS = 100
IDS_PER_CALL = 100


@contextmanager
def timed(what: str, times: int = 1) -> Iterator[None]:
    """Print the time of the block, divided by its number of repetitions."""
    start = time.perf_counter()
    yield
    print(f"{what:38} {(time.perf_counter() - start) / times * 1000:9.2f} ms")


def make_segments(count: int) -> Segments:
    """Make random vectors: clips of one second with all three embedding options."""
    options = ("visual", "audio", "transcription")
    positions = [
        SegmentPosition(float(row // 3), float(row // 3 + 1), options[row % 3], "clip") for row in range(count)
    ]
    return Segments(np.random.default_rng(1).standard_normal((count, DIMENSION), dtype=np.float32), positions)


def measure(store: SegmentStore, segments: Segments) -> None:
    """Put, name, load and find, each timed."""
    key = uuid.uuid4().hex
    ids = [str(uuid.uuid4()) for _ in segments.positions]
    with timed("open and first intent"):
        store.put_intent(key, space="bench", content=key, model="bench", params={}, source="bench", account="bench")
    with timed("put_task_id, each", CALLS):
        for number in range(CALLS):
            store.put_task_id(key, f"task-{number}")
    with timed("put_result"):
        store.put_result(key, segments, duration_sec=float(len(segments)))
    with timed("add_aliases"):
        store.add_aliases(key, zip(ids, range(len(ids)), strict=True), source="bench")
    with timed("add_aliases again"):
        store.add_aliases(key, zip(ids, range(len(ids)), strict=True), source="bench")
    with timed("load_result"):
        loaded, _ = store.load_result(key)
    with timed("  of which Segments()"):
        Segments(loaded.vectors, loaded.positions)
    with timed("find_vectors, all ids"):
        found = store.find_vectors(ids)
    with timed(f"find_vectors, {IDS_PER_CALL} ids, each", CALLS):
        for _ in range(CALLS):
            store.find_vectors(ids[:IDS_PER_CALL])
    with timed("info"):
        info = store.info()
    if loaded != segments or len(found) != len(segments):
        raise SystemExit("what was read is not what was written")
    raw = segments.vectors.nbytes
    print(f"{info.vectors} vectors of {raw / 1e6:.1f} MB take {info.size_bytes / 1e6:.1f} MB in {info.location}")


def main() -> None:
    """Read the arguments and measure in a new store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=21_600)
    parser.add_argument("--location", help="default: a new file in the temporary folder")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        SegmentStore(arguments.location or Path(folder, "segments.sqlite3")) as store,
    ):
        measure(store, make_segments(arguments.vectors))


if __name__ == "__main__":
    main()
