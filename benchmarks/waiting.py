"""Measures waiting for many tasks: status requests and delay, against one request per task every five seconds.

A thousand tasks are created on the sandbox, each with its own duration (log-normal, median ten minutes), and waited for
concurrently. Time is virtual: when every waiter sleeps, the sandbox's clock advances to the next wake-up, so that an
hour of waiting takes only as long as its requests. Both run against a sandbox with the same seed, which counts the
requests. A test runs the same with fewer tasks.
"""

import argparse
import asyncio
import heapq
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from twelvelabs_core import AsyncClient, FixedSegmentation, SegmentStore, Settings, Task
from twelvelabs_core.transport.aio import AsyncIo
from twelvelabs_core.transport.body import Reply
from twelvelabs_core.transport.io import Exchange
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_sound

PEERS_GAP = 5.0
TIMES_FEWER = 20
AT_ONCE = 16


class VirtualIo(AsyncIo):
    """An `Io` with virtual time: when every waiter sleeps, the clock advances to the first wake-up."""

    def __init__(self) -> None:
        super().__init__()
        self.advance: Callable[[float], None] = lambda _: None
        self._time = 0.0
        self._asleep: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.awake = 0

    def now(self) -> float:
        """Return the virtual time."""
        return self._time

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send a request, with limited concurrency, since there is one processor."""
        async with self._slots:
            return await super().exchange(exchange)

    async def sleep(self, seconds: float) -> None:
        """Sleep until that virtual time is reached."""
        self._count += 1
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._asleep, (self._time + seconds, self._count, wake))
        self.awake -= 1
        await wake

    def advance_to_next(self) -> None:
        """Wake the first sleeper, and those due within the next hundredth of a second."""
        first = self._asleep[0][0]
        self.advance(max(0.0, first - self._time))
        self._time = max(first, self._time)
        while self._asleep and self._asleep[0][0] <= self._time + 0.01:
            _, _, wake = heapq.heappop(self._asleep)
            self.awake += 1
            wake.set_result(None)


class VirtualClient(AsyncClient):
    """A client in virtual time."""

    _make_io = VirtualIo


async def run_all(io: VirtualIo, waits: list[Coroutine[Any, Any, Any]]) -> None:
    """Run waiters in virtual time."""

    async def one(wait: Awaitable[Any]) -> None:
        try:
            await wait
        finally:
            io.awake -= 1

    io.awake = len(waits)
    tasks = [asyncio.create_task(one(wait)) for wait in waits]
    shown = time.monotonic()
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if io.awake == 0 and not all(task.done() for task in tasks):
            io.advance_to_next()
        if time.monotonic() > shown + 5:
            shown = time.monotonic()
            left = sum(not task.done() for task in tasks)
            print(f"  {left} tasks left after {io.now():.0f} s", file=sys.stderr, flush=True)
    for task in tasks:
        task.result()


async def create(client: AsyncClient, sound: Path, count: int) -> list[str]:
    """Create tasks of one short sound."""
    asset = await client.assets.create(sound)
    await client.assets.wait(asset.id)

    async def one(_: int) -> str:
        options = {"segmentation": FixedSegmentation(10), "embedding_scope": ["clip"], "embedding_option": ["audio"]}
        return (await client.tasks.create_audio(f"asset:{asset.id}", **options)).id  # type: ignore[arg-type]

    return [outcome.result or "" async for outcome in AsyncIo().as_completed(one, range(count), AT_ONCE)]


def until_computed(sandbox: Sandbox, count: int) -> None:
    """Wait until the sandbox has computed all results, so that only virtual time decides when a task is ready."""
    for _ in range(3000):
        if sum(entry.is_computed for entry in sandbox.tasks()) >= count:
            return
        time.sleep(0.1)
    raise TimeoutError("the sandbox did not finish its work in 300 s")


async def measure(count: int, sound: Path, *, is_ours: bool) -> tuple[float, float]:
    """Wait for all tasks; return the number of status requests per task and the mean delay in seconds."""
    with Sandbox(task_seconds=600.0, task_seconds_sigma=0.5) as sandbox, tempfile.TemporaryDirectory() as folder:
        settings = Settings(api_key=sandbox.api_key, base_url=sandbox.base_url)  # type: ignore[arg-type]
        store = SegmentStore(Path(folder) / "s.sqlite3")
        makers = AsyncClient(settings=settings, store=store)
        client = VirtualClient(settings=settings, store=store)
        io = client._io  # noqa: SLF001  # the clock of this benchmark
        assert isinstance(io, VirtualIo)  # noqa: S101  # for the type checker
        io.advance = sandbox.clock.advance
        ids = await create(makers, sound, count)
        await asyncio.to_thread(until_computed, sandbox, count)
        sandbox.clear_requests()
        delays: list[float] = []

        async def ours(task_id: str) -> Task:
            return await client.tasks.wait_for_new(task_id, timeout=36_000.0)  # as segment_video does

        async def peers(task_id: str) -> Task:
            while (task := await client.tasks.retrieve(task_id)).status == "processing":
                await io.sleep(PEERS_GAP)
            return task

        async def timed(task_id: str) -> None:
            task = await (ours if is_ours else peers)(task_id)
            ready_at = task.updated_at.timestamp() if task.updated_at else 0.0
            delays.append(sandbox.clock.now() - ready_at)

        await run_all(io, [timed(task_id) for task_id in ids])
        requests = sandbox.count("GET")
        store.close()
    return requests / count, sum(delays) / len(delays)


def show(name: str, count: int, sound: Path, *, is_ours: bool) -> tuple[float, float]:
    """Measure and print a row."""
    each, delay = asyncio.run(measure(count, sound, is_ours=is_ours))
    print(f"{name:<36}{count:>6} tasks{round(each * count):>9} requests{each:>9.2f} each{delay:>8.2f} s delay")
    return each, delay


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1000, help="number of tasks to wait for (default 1000)")
    parser.add_argument("--peers-tasks", type=int, default=100, help="number of tasks for the comparison (default 100)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        write_sound(sound, [Scene(sound="tone", seconds=4.5)], rate=8000)
        each, delay = show("one list for all", options.tasks, sound, is_ours=True)
        one = "one GET per task every 5 s"
        peers_each, peers_delay = show(one, options.peers_tasks, sound, is_ours=False)
    ratio = peers_each / each
    later = delay / peers_delay
    print(f"{ratio:.1f}x fewer requests (at least {TIMES_FEWER}), {later:.2f} times their delay (at most 1)")
    if ratio < TIMES_FEWER or delay > peers_delay:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
