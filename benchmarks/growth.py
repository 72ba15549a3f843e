"""Measures how the cost grows with the work: vectors of a task, videos of a run, vectors in the segment store.

Each figure is compared with that of the smallest size, in the same run: a ratio of 1 is linear growth. Memory and the
pauses of the event loop are measured in processes of their own, since memory that was used once is not returned.

    python benchmarks/growth.py [--vectors 1000000] [--location PATH-OR-URL]
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from local_api import KEY, peak_mib, run_fresh, serve

from twelvelabs_core import AsyncClient, Client, SegmentStore
from twelvelabs_core.results.segments import SegmentPosition, Segments

TASK_SIZES = (1, 200, 2_000, 20_000)
RUN_SIZES = (10, 100, 1_000)
STORE_SIZES = (1_000, 10_000, 100_000, 1_000_000)
MEMORY_SIZES = (100, 1_000)
VECTORS_PER_FILE = 500
DIMENSION = 512
LARGE_RESULT = 28_000  # 138 MB
CHECK_SEC = 0.001


def cpu_of(run: Callable[[], object]) -> float:
    """Return the seconds of CPU that a function takes."""
    before = time.process_time()
    run()
    return time.process_time() - before


def embed(address: str, urls: list[str], store: Path) -> None:
    """Embed videos by URL, and make their records."""
    with Client(KEY, base_url=f"{address}/v1.3", store=store, max_concurrency=16) as client:
        for video in client.segment_many(urls, max_tasks=16):
            client.register(video)


def vectors_per_task() -> dict[int, float]:
    """Return the microseconds of CPU a vector, by the vectors of a task, beyond what a task of one vector costs."""
    found: dict[int, float] = {}
    with serve() as address, tempfile.TemporaryDirectory() as folder:
        fixed = 0.0
        for size in TASK_SIZES:
            count = max(2, min(40, 40_000 // size))
            urls = [f"{address}/v/{number}.mp4?segments={size}" for number in range(count)]
            embed(address, urls[:1], Path(folder, f"warm {size}.sqlite3"))
            per_task = (
                cpu_of(lambda urls=urls, size=size: embed(address, urls, Path(folder, f"{size}.sqlite3"))) / count
            )
            if size == 1:
                fixed = per_task
            else:
                found[size] = (per_task - fixed) / size * 1e6
    return found


def videos_per_run() -> dict[int, float]:
    """Return the milliseconds of CPU a video, by the videos of a run."""
    found: dict[int, float] = {}
    with serve() as address, tempfile.TemporaryDirectory() as folder:
        embed(address, [f"{address}/v/warm{number}.mp4" for number in range(32)], Path(folder, "warm.sqlite3"))
        for size in RUN_SIZES:
            runs = max(1, 100 // size)
            seconds = 0.0
            for run in range(runs):
                urls = [f"{address}/v/{size}/{run}/{number}.mp4" for number in range(size)]
                store = Path(folder, f"{size} {run}.sqlite3")
                seconds += cpu_of(lambda urls=urls, store=store: embed(address, urls, store))
            found[size] = seconds / runs / size * 1000
    return found


def vectors_in_store(largest: int, location: str | None = None) -> dict[str, dict[int, float]]:
    """Return the milliseconds of CPU (on a server, of waiting) of three calls, by the vectors in the store."""
    found: dict[str, dict[int, float]] = {}
    values = np.random.default_rng(1).standard_normal((VECTORS_PER_FILE, DIMENSION), dtype=np.float32)
    positions = [SegmentPosition(row * 6.0, row * 6.0 + 6.0, "visual", "clip") for row in range(VECTORS_PER_FILE)]
    segments = Segments(values, positions)
    clock = time.process_time if location is None else time.perf_counter

    def timed(what: str, size: int, times: int, run: Callable[[], object]) -> None:
        run()
        start = clock()
        for _ in range(times):
            run()
        found.setdefault(what, {})[size] = (clock() - start) / times * 1000

    with (
        tempfile.TemporaryDirectory() as folder,
        SegmentStore(location or Path(folder, "segments.sqlite3")) as store,
    ):
        ids: list[str] = []
        keys: list[str] = []

        def add() -> None:
            key = uuid.uuid4().hex
            names = [str(uuid.uuid4()) for _ in positions]
            store.put_intent(key, space="bench", content=key, model="bench", params={}, source=key, account="bench")
            store.put_task_id(key, key)
            store.put_result(key, segments, duration_sec=3000.0)
            rows = zip(names, range(VECTORS_PER_FILE), strict=True)
            store.add_aliases(key, rows, source=key, title=key, is_new=True)
            ids.extend(names)
            keys.append(key)

        for size in (one for one in STORE_SIZES if one <= largest):
            while len(ids) < size:
                add()
            spread = ids[:: max(1, len(ids) // VECTORS_PER_FILE)][:VECTORS_PER_FILE]
            timed("find 500 vectors by id", size, 5, lambda spread=spread: store.find_vectors(spread))
            timed("read a stored result of 500", size, 5, lambda: store.load_result(keys[len(keys) // 2]))
            timed("write a result of 500 and its ids", size, 5, add)
    return found


def peak_of(videos: int) -> float:
    """Return the peak memory of a process that embeds so many videos, in MiB."""
    return float(run_fresh(__file__, "--memory", str(videos)))


def measure_memory(videos: int) -> float:
    """Embed videos in this process; return its peak memory in MiB."""
    with serve() as address, tempfile.TemporaryDirectory() as folder:
        embed(address, [f"{address}/v/{number}.mp4" for number in range(videos)], Path(folder, "s.sqlite3"))
        return peak_mib()


def loop_pauses() -> dict[str, float]:
    """Return the p50, p99 and greatest pause of the event loop in ms while a result of 138 MB arrives."""
    return dict(json.loads(run_fresh(__file__, "--pauses")))


async def measure_pauses() -> dict[str, float]:
    """Retrieve a large result; meanwhile note how late each wake-up of another task is."""
    pauses: list[float] = []

    async def watch() -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(CHECK_SEC)
            pauses.append((time.perf_counter() - start - CHECK_SEC) * 1000)

    with serve() as address, tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {"base_url": f"{address}/v1.3", "store": Path(folder, "s.sqlite3")}
        async with AsyncClient(KEY, **settings) as client:
            await client.segment_video(f"{address}/v/warm.mp4?segments={LARGE_RESULT}")  # the server makes the result
            watcher = asyncio.create_task(watch())
            video = await client.segment_video(f"{address}/v/1.mp4?segments={LARGE_RESULT}")
            await client.register(video)
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
    ordered = sorted(pauses)
    return {"p50": statistics.median(ordered), "p99": ordered[len(ordered) * 99 // 100], "greatest": ordered[-1]}


def rows(largest: int, location: str | None = None) -> Iterator[tuple[str, str, int, float, float]]:
    """Yield (what, unit, size, its cost, the cost at the smallest size), the smallest size first."""
    by_task, by_run = vectors_per_task(), videos_per_run()
    yield from (
        ("vectors of a task", "us CPU a vector", size, cost, by_task[TASK_SIZES[1]]) for size, cost in by_task.items()
    )
    yield from (
        ("videos of a run", "ms CPU a video", size, cost, by_run[RUN_SIZES[0]]) for size, cost in by_run.items()
    )
    for what, costs in vectors_in_store(largest, location).items():
        unit = "ms CPU" if location is None else "ms"
        yield from (
            (f"vectors stored: {what}", unit, size, cost, costs[STORE_SIZES[0]]) for size, cost in costs.items()
        )
    memory = {size: peak_of(size) for size in MEMORY_SIZES}
    yield from (
        ("memory, by videos of a run", "MiB", size, peak, memory[MEMORY_SIZES[0]]) for size, peak in memory.items()
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=1_000_000, help="most vectors in the store")
    parser.add_argument("--location", help="of the store: a path, or the URL of a PostgreSQL database")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--pauses", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(measure_memory(options.memory))
    elif options.pauses:
        print(json.dumps(asyncio.run(measure_pauses())))
    else:
        for what, unit, size, cost, first in rows(options.vectors, options.location):
            print(f"{what:<50}{size:>10,}{cost:>10.2f} {unit:<16}{cost / first:>6.2f}x the smallest", flush=True)
        pauses = ", ".join(f"{name} {value:.1f}" for name, value in loop_pauses().items())
        print(f"pauses of the event loop while 138 MB arrive, in ms: {pauses}")


if __name__ == "__main__":
    main()
