"""One SegmentStore and several processes: fresh interpreters, spawned workers, forks, and processes that are killed."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.store.store import SegmentStore

WAIT_SEC = 120
SPAWN = multiprocessing.get_context("spawn")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def make_segments(number: int, count: int = 50) -> Segments:
    positions = [SegmentPosition(row, row + 1, "visual", "clip") for row in range(count)]
    return Segments(np.random.default_rng(number).standard_normal((count, 64), dtype=np.float32), positions)


def put_intent(store: SegmentStore, key: str) -> bool:
    return store.put_intent(key, space="s", content=key, model="m", params={}, source="match.mp4", account="a")


def put_ready(store: SegmentStore, number: int) -> None:
    key = f"key {number}"
    assert put_intent(store, key)
    store.put_task_id(key, f"task {number}")
    store.put_result(key, make_segments(number), duration_sec=50.0)
    store.add_aliases(key, [(f"{number}/{row}", row) for row in range(50)], source="match.mp4")


def is_whole(store: SegmentStore, number: int) -> bool:
    found = store.find_vectors([f"{number}/{row}" for row in range(50)])
    vectors = np.stack([found[f"{number}/{row}"].vector for row in range(50)])
    segments = make_segments(number)
    return np.array_equal(vectors, segments.vectors) and store.load_result(f"key {number}")[0] == segments


# Work for other processes; top-level, so that a spawned interpreter finds it.


def write_some(store: SegmentStore, first: int) -> str:
    for number in range(first, first + 10):
        put_ready(store, number)
    return repr(store)


def compete(store: SegmentStore, start: Any) -> list[bool]:
    start.wait(WAIT_SEC)
    return [put_intent(store, f"key {number}") for number in range(30)]


def open_new(path: Path, number: int, start: Any) -> bool:
    start.wait(WAIT_SEC)
    return put_intent(SegmentStore(path), f"key {number}")


def write_until_killed(path: Path) -> None:
    with SegmentStore(path) as store:
        for number in range(100_000):
            put_ready(store, number)


def in_fork(work: Callable[[], bool]) -> int:
    """Run work in a forked child and return its exit code: 0 when it returned True."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + WAIT_SEC
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


# Fresh interpreters.

FILL = """
import sys
import numpy as np
from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.store.store import SegmentStore

store = SegmentStore()
store.put_intent("key", space="s", content="c", model="m", params={"a": 1}, source="match.mp4", account="a")
store.put_task_id("key", "6abc")
values = np.arange(12, dtype=np.float32).reshape(3, 4)
segments = Segments(values, [SegmentPosition(row, row + 1, "visual", "clip") for row in range(3)])
store.put_result("key", segments, duration_sec=3.0)
store.add_aliases("key", [("one", 1)], source="match.mp4")
print(store.location)
"""


def test_a_store_filled_in_one_process_is_readable_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVELABS_STORE", str(tmp_path / "s.sqlite3"))
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", FILL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SEC, check=False)
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", str(tmp_path / "s.sqlite3"))
    with SegmentStore() as store:
        entry = store.find_task("key")
        assert entry is not None
        assert (entry.state, entry.task_id, entry.params) == ("ready", "6abc", {"a": 1})
        assert entry.owner.split("/")[1] != str(os.getpid())
        assert store.find_vectors(["one"])["one"].vector.tolist() == [4.0, 5.0, 6.0, 7.0]
        assert store.load_result("key")[0].vectors.tolist() == np.arange(12).reshape(3, 4).tolist()


# Spawned workers.


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Four spawned workers for all tests: each takes a second or two to start."""
    with ProcessPoolExecutor(4, mp_context=SPAWN) as pool:
        yield pool


@pytest.fixture(scope="module")
def manager() -> Iterator[SyncManager]:
    """What makes barriers that spawned workers can wait at."""
    with SPAWN.Manager() as manager:
        yield manager


def test_spawned_workers_write_at_once_through_a_pickled_store(tmp_path: Path, pool: ProcessPoolExecutor) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        answers = [pool.submit(write_some, store, first) for first in (0, 10, 20)]
        write_some(store, 30)
        assert {answer.result(WAIT_SEC) for answer in answers} == {repr(store)}
        assert store.info().tasks == {"ready": 40}
        assert all(is_whole(store, number) for number in range(40))


def test_of_several_processes_exactly_one_writes_each_intent(
    tmp_path: Path, pool: ProcessPoolExecutor, manager: SyncManager
) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        start = manager.Barrier(4)
        won = [answer.result(WAIT_SEC) for answer in [pool.submit(compete, store, start) for _ in range(4)]]
        assert np.sum(won, axis=0).tolist() == [1] * 30


def test_processes_that_make_the_same_new_store_share_it(
    tmp_path: Path, pool: ProcessPoolExecutor, manager: SyncManager
) -> None:
    for turn in range(5):
        path = tmp_path / str(turn) / "s.sqlite3"
        start = manager.Barrier(4)
        answers = [pool.submit(open_new, path, number, start) for number in range(4)]
        assert all(answer.result(WAIT_SEC) for answer in answers)
        with SegmentStore(path) as store:
            assert store.info().tasks == {"intent": 4}
        assert [entry.name for entry in path.parent.iterdir()] == ["s.sqlite3"]


# Forks.


@needs_fork
def test_parent_and_forked_child_go_on_with_a_store_in_use(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        put_ready(store, 0)

        def work() -> bool:
            put_ready(store, 1)
            store.close()
            return is_whole(store, 0) and is_whole(store, 1)

        assert in_fork(work) == 0
        put_ready(store, 2)
        assert all(is_whole(store, number) for number in range(3))


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forks_in_the_middle_of_other_threads_transactions(tmp_path: Path) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        put_ready(store, 0)

        def keep_writing(first: int) -> None:
            try:
                for number in range(first, first + 900):
                    if stop.wait(0.005):  # lets a child in: SQLite gives no turns
                        return
                    put_ready(store, number)
            except BaseException as error:  # noqa: BLE001  # shown by the test
                failures.append(error)

        threads = [threading.Thread(target=keep_writing, args=(first,)) for first in (1000, 2000)]
        for thread in threads:
            thread.start()
        codes = []
        for turn in range(1, 11):

            def work(number: int = turn) -> bool:
                put_ready(store, number)
                return is_whole(store, number)

            codes.append(in_fork(work))
        stop.set()
        for thread in threads:
            thread.join(WAIT_SEC)
        assert (codes, failures) == ([0] * 10, [])
        assert all(is_whole(store, number) for number in range(11))


@needs_fork
def test_a_forked_child_goes_on_with_a_copy_of_a_store_in_memory() -> None:
    with SegmentStore(":memory:") as store:
        put_ready(store, 0)

        def work() -> bool:
            put_ready(store, 1)
            return is_whole(store, 0) and is_whole(store, 1)

        assert in_fork(work) == 0
        assert store.find_task("key 1") is None
        assert is_whole(store, 0)


@needs_fork
def test_each_process_names_itself_as_owner(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        put_intent(store, "parent")
        assert in_fork(lambda: put_intent(store, "child")) == 0
        put_intent(store, "parent again")
        owners = [store.find_task(key).owner for key in ("parent", "parent again", "child")]  # type: ignore[union-attr]
    assert owners[0] == owners[1]
    assert owners[0].split("/")[1] == str(os.getpid())
    assert owners[2] != owners[0]


# Killed processes.


@needs_fork
def test_a_killed_process_leaves_whole_results_or_none(tmp_path: Path) -> None:
    moments = random.Random(11)  # noqa: S311  # not a secret
    written = 0
    for turn in range(8):
        path = tmp_path / f"{turn}.sqlite3"
        child = multiprocessing.get_context("fork").Process(target=write_until_killed, args=(path,))
        child.start()
        deadline = time.monotonic() + WAIT_SEC
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.3))
        child.kill()
        child.join(WAIT_SEC)
        with closing(SegmentStore(path)) as store:
            states = store.info().tasks
            assert sum(states.values()) - states.get("ready", 0) <= 1
            for number in range(states.get("ready", 0)):
                assert store.load_result(f"key {number}")[0] == make_segments(number)
            assert store.info().vectors == 50 * states.get("ready", 0)
            put_ready(store, 999_999)
            written += states.get("ready", 0)
    assert written > 0
