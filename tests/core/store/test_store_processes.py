"""One SegmentStore in several processes: new interpreters, spawned workers, forks and killed processes."""

import contextlib
import gc
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core import postgres
from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.store import schema, vectors
from twelvelabs_core.store.store import SegmentStore

WAIT_SEC = 120
SPAWN = multiprocessing.get_context("spawn")
REFUSED = 3  # exit code of a child that may not use the store
MULTI_THREADED = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
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


# Functions for other processes; top-level, so that a spawned interpreter can import them.


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


def write_until_killed(path: Path, written: Connection) -> None:
    with SegmentStore(path) as store:
        for number in range(100_000):
            put_ready(store, number)
            written.send_bytes(b".")


def in_fork(work: Callable[[], bool]) -> int:
    """Run a function in a forked child and return its exit code: 0 if it returned True."""
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


# New interpreters.

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
    """Three spawned workers shared by all tests, since each takes a second or two to start."""
    with ProcessPoolExecutor(3, mp_context=SPAWN) as pool:
        yield pool


@pytest.fixture(scope="module")
def manager() -> Iterator[SyncManager]:
    """A manager that makes barriers for spawned workers."""
    with SPAWN.Manager() as manager:
        yield manager


def test_spawned_workers_write_concurrently_through_a_pickled_store(tmp_path: Path, pool: ProcessPoolExecutor) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        answers = [pool.submit(write_some, store, first) for first in (0, 10)]
        write_some(store, 20)
        assert {answer.result(WAIT_SEC) for answer in answers} == {repr(store)}
        assert store.info().tasks == {"ready": 30}
        assert all(is_whole(store, number) for number in range(30))


def test_of_several_processes_exactly_one_writes_each_intent(
    tmp_path: Path, pool: ProcessPoolExecutor, manager: SyncManager
) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        start = manager.Barrier(3)
        won = [answer.result(WAIT_SEC) for answer in [pool.submit(compete, store, start) for _ in range(3)]]
        assert np.sum(won, axis=0).tolist() == [1] * 30


def test_processes_that_create_the_same_store_share_it(
    tmp_path: Path, pool: ProcessPoolExecutor, manager: SyncManager
) -> None:
    for attempt in range(3):
        path = tmp_path / str(attempt) / "s.sqlite3"
        start = manager.Barrier(3)
        answers = [pool.submit(open_new, path, number, start) for number in range(3)]
        assert all(answer.result(WAIT_SEC) for answer in answers)
        with SegmentStore(path) as store:
            assert store.info().tasks == {"intent": 3}
        assert [entry.name for entry in path.parent.iterdir()] == ["s.sqlite3"]


# Forks.


def test_opening_a_store_again_keeps_the_locks_of_this_process(tmp_path: Path) -> None:
    """Closing a descriptor of a file drops all POSIX locks of the process on it: another process could write."""
    path = tmp_path / "s.sqlite3"
    store = SegmentStore(path)
    store.put_digest("/a", 1, 1, "aa")
    write = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0.1).execute('DELETE FROM twelvelabs_files')"
    with store._database.writing() as connection:
        connection.execute(schema.files.update().values(sha256="bb"))
        assert SegmentStore(path).find_digest("/a", 1, 1) == "aa"
        done = subprocess.run([sys.executable, "-c", write, str(path)], capture_output=True, text=True, check=False)
        assert "database is locked" in done.stderr
    assert SegmentStore(path).find_digest("/a", 1, 1) == "bb"


@needs_fork
def test_parent_and_forked_child_both_use_an_open_store(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        put_ready(store, 0)

        def work() -> bool:
            put_ready(store, 1)
            store.close()
            return is_whole(store, 0) and is_whole(store, 1)

        assert in_fork(work) == 0
        put_ready(store, 2)
        assert all(is_whole(store, number) for number in range(3))


def use(store: SegmentStore, what: str, number: int) -> None:
    if what == "write":
        put_ready(store, number)
    elif what == "read":
        store.info()
    else:
        store.close()


def follow(store: SegmentStore, requests: Connection) -> None:
    for what, number in iter(requests.recv, None):
        use(store, what, number)
        requests.send("done")


@needs_fork
@pytest.mark.parametrize("forks", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_forks_beside_an_idle_connection_lose_nothing(tmp_path: Path, forks: int) -> None:
    """SQLite keeps locks in tables that a child inherits; with a kept connection in WAL mode, rows would be lost."""
    steps = random.Random(5)  # noqa: S311  # not a secret
    path = tmp_path / "s.sqlite3"
    with SegmentStore(path) as store:
        written = 0
        for _ in range(forks):
            store.info()
            requests, received = multiprocessing.Pipe()
            child = multiprocessing.get_context("fork").Process(target=follow, args=(store, received))
            child.start()
            for _ in range(12):
                what = steps.choice(["write", "read", "close"])
                if steps.random() < 0.5:
                    requests.send((what, written))
                    assert requests.poll(20)
                    assert requests.recv() == "done"
                else:
                    use(store, what, written)
                written += what == "write"
            requests.send(None)
            child.join(WAIT_SEC)
    with SegmentStore(path) as store:
        assert store.info().tasks == {"ready": written}
        assert all(is_whole(store, number) for number in range(written))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextmanager
def transaction_in_another_thread(store: SegmentStore) -> Iterator[None]:
    """Keep a thread within `put_intent("slow")`, with its transaction open, for as long as the block runs."""
    is_inside, may_end = threading.Event(), threading.Event()

    class Slow(dict[str, int]):
        def items(self) -> Any:  # json calls this while the statement is executed
            is_inside.set()
            assert may_end.wait(WAIT_SEC)
            return super().items()

    intent = {"space": "s", "content": "slow", "model": "m", "source": "match.mp4", "account": "a"}
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: store.put_intent("slow", params={"slow": Slow(a=1)}, **intent))  # type: ignore[arg-type]
        try:
            assert is_inside.wait(WAIT_SEC)
            yield
        finally:
            may_end.set()
        assert written.result(WAIT_SEC)


@needs_fork
@MULTI_THREADED
@pytest.mark.parametrize("where", ["file", pytest.param("memory", marks=pytest.mark.slow)])
def test_child_forked_during_a_sqlite_transaction_is_refused(tmp_path: Path, where: str) -> None:
    path = tmp_path / "s.sqlite3"
    with SegmentStore(path if where == "file" else ":memory:") as store:
        put_ready(store, 0)

        def work() -> bool:
            started = time.monotonic()
            for call in (store.info, lambda: put_intent(store, "child"), SegmentStore(tmp_path / "other").info):
                with pytest.raises(ConfigurationError, match=r"forked while another thread .* 'spawn' or 'forkserver'"):
                    call()
            store.close()
            gc.collect()
            return time.monotonic() - started < 10

        with transaction_in_another_thread(store):
            assert in_fork(work) == 0
            assert in_fork(lambda: in_fork(work) == 0) == 0  # the same holds for a child of that child
        put_ready(store, 1)
        assert in_fork(lambda: put_intent(store, "later child")) == 0
        assert all(is_whole(store, number) for number in range(2))
        assert store.info().tasks == {"ready": 2, "intent": 2 if where == "file" else 1}
    if where == "file":
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@needs_fork
@MULTI_THREADED
def test_a_child_forked_during_a_postgresql_transaction_writes_beside_its_parent(postgres_server: str) -> None:
    with postgres.schema(postgres_server) as location, SegmentStore(location) as store:
        put_ready(store, 0)

        def work() -> bool:
            put_ready(store, 1)
            store.close()
            put_ready(store, 2)
            return is_whole(store, 0)

        with transaction_in_another_thread(store):
            assert in_fork(work) == 0
            put_ready(store, 3)
        assert all(is_whole(store, number) for number in range(4))
        assert store.info().tasks == {"ready": 4, "intent": 1}


@pytest.mark.parametrize("where", ["file", "postgres"])
def test_result_that_is_deleted_while_it_is_read_is_complete_or_absent(
    where: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All statements of a reader see one state of the store; PostgreSQL would show each the state at its start.

    On PostgreSQL the reader sees the state before the deletion; on SQLite the deletion waits for the reader.
    """
    with ExitStack() as opened:
        location = str(tmp_path / "s.sqlite3")
        if where == "postgres":
            location = opened.enter_context(postgres.schema(request.getfixturevalue("postgres_server")))
        store, other = (opened.enter_context(SegmentStore(location)) for _ in range(2))
        pool = opened.enter_context(ThreadPoolExecutor(1))
        deleted: list[Future[Any]] = []
        put_ready(store, 1)
        find_row = vectors.find_row

        def find_and_delete(*args: Any, **kwargs: Any) -> Any:
            row = find_row(*args, **kwargs)
            deleted.append(pool.submit(other.delete_task, "key 1"))
            wait(deleted, timeout=WAIT_SEC if where == "postgres" else 0.1)
            return row

        monkeypatch.setattr(vectors, "find_row", find_and_delete)
        assert store.load_result("key 1")[0] == make_segments(1)
        monkeypatch.undo()
        assert deleted[0].result(WAIT_SEC).tasks == 1
        with pytest.raises(InputError, match="no entry"):
            store.load_result("key 1")


@needs_fork
@MULTI_THREADED
@pytest.mark.parametrize("forks", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_forks_while_threads_write_lose_nothing(tmp_path: Path, forks: int) -> None:
    stop = threading.Event()
    path = tmp_path / "s.sqlite3"

    def keep_writing(store: SegmentStore, first: int) -> int:
        for number in range(first, first + 100_000):
            if stop.wait(0.005):
                return number - first
            put_ready(store, number)
        return 0

    with SegmentStore(path) as store, ThreadPoolExecutor(2) as pool:
        put_ready(store, 0)
        threads = {first: pool.submit(keep_writing, store, first) for first in (1_000_000, 2_000_000)}
        outcomes = []
        for number in range(1, forks + 1):

            def work(number: int = number) -> bool:
                try:
                    put_ready(store, number)
                except ConfigurationError as error:
                    os._exit(REFUSED if "forked while another thread" in str(error) else 1)
                return is_whole(store, number)

            time.sleep(random.random() * 0.02)  # noqa: S311  # not a secret
            outcomes.append(in_fork(work))
        stop.set()
        written = [first + count for first, thread in threads.items() for count in range(thread.result(WAIT_SEC))]
        assert set(outcomes) <= {0, REFUSED}
        written += [number for number, outcome in enumerate(outcomes, 1) if outcome == 0]
        assert all(is_whole(store, number) for number in written)
        assert store.info().tasks == {"ready": 1 + len(written)}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@needs_fork
def test_a_forked_child_continues_with_a_copy_of_a_store_in_memory() -> None:
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
@pytest.mark.slow
def test_killed_process_leaves_complete_results_only(tmp_path: Path) -> None:
    moments = random.Random(11)  # noqa: S311  # not a secret
    written = 0
    for kill in range(20):
        path = tmp_path / f"{kill}.sqlite3"
        receiver, sender = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=write_until_killed, args=(path, sender))
        child.start()
        sender.close()
        deadline = time.monotonic() + WAIT_SEC
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        with closing(SegmentStore(path)) as store:
            while kill % 2 and not store.info().tasks.get("ready") and time.monotonic() < deadline:
                time.sleep(0.01)  # every second child is killed after its first result
        time.sleep(moments.uniform(0.0, 0.2))
        child.kill()
        child.join(WAIT_SEC)
        with closing(SegmentStore(path)) as store:
            states = store.info().tasks
            assert count_messages(receiver) <= states.get("ready", 0)
            assert sum(states.values()) - states.get("ready", 0) <= 1
            for number in range(states.get("ready", 0)):
                assert store.load_result(f"key {number}")[0] == make_segments(number)
            assert store.info().vectors == 50 * states.get("ready", 0)
            put_ready(store, 999_999)
            written += states.get("ready", 0)
    assert written > 0


def count_messages(receiver: Connection) -> int:
    """Count what a process sent before it ended."""
    count = 0
    with contextlib.suppress(EOFError):
        while True:
            receiver.recv_bytes()
            count += 1
    return count
