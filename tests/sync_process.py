"""Runs `sync_videos` in processes that are killed, on vector stores that are opened from files."""

import itertools
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.sync_folder import COUNTS, STEPS
from twelvelabs_core.store import owners
from twelvelabs_sandbox import Sandbox

Held = dict[str, list[str]]
"""The segment ids that a vector store has of each source; an id that it has twice is in the list twice."""


@dataclass(frozen=True)
class Place:
    """What a process needs.

    Attributes:
        opener: Module and name of the function that opens the vector store; see `Opened`.
        store: Name of the vector store.
        path: A folder for the stores.
        base_url: The sandbox.
        api_key: Its key.
    """

    opener: tuple[str, str]
    store: str
    path: Path
    base_url: str
    api_key: str


@dataclass(frozen=True)
class Opened:
    """A vector store that was opened from files.

    Attributes:
        sync: Brings it to the state of a folder, and saves it; returns the report.
        held: Returns what it has.
        writer: The class whose methods `add`, `delete` and `remove` write to it; None for one that is saved at the end.
    """

    sync: Callable[[Path], Any]
    held: Callable[[], Held]
    writer: Any


def _work(place: Place, folder: Path, answer: Connection, dies: int) -> None:
    """Send what the store has, synchronize, and send what it has then; or die after some writes."""
    owners.SILENT_AFTER_SEC = 3.0  # so that a process that was killed while it created a task is replaced soon
    try:
        opened: Opened = getattr(import_module(place.opener[0]), place.opener[1])(place)
        if dies:
            _die_after_writes(opened.writer, dies)
        answer.send(opened.held())
        answer.send((opened.sync(folder), opened.held()))
    except BaseException:  # noqa: BLE001  # the test shows it
        answer.send(traceback.format_exc())
        sys.exit(1)


def _die_after_writes(writer: Any, count: int) -> None:
    written = itertools.count(1)
    for name in ("add", "delete", "remove"):
        write = getattr(writer, name)

        async def write_and_die(*args: Any, write: Any = write) -> None:
            await write(*args)
            if next(written) == count:
                os.kill(os.getpid(), signal.SIGKILL)

        setattr(writer, name, write_and_die)


class Processes:
    """Starts processes for one vector store.

    Args:
        place: The vector store.
        rng: Chooses when processes are killed.
        check: Called with what the store has when a process begins.
    """

    def __init__(self, place: Place, rng: random.Random, check: Callable[[Held], None]) -> None:
        self._place = place
        self._rng = rng
        self._check = check
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.sync_process", place.opener[0]])
        self._seconds = 1.0

    def run(self, folder: Path, *, dies: int = 0) -> tuple[Any, Held] | None:
        """Run a process to its end; return its report and what the store has, or None if it died after some writes."""
        process, answers = self._start(folder, dies)
        start = time.monotonic()
        try:
            found = _received(answers)
        except EOFError:
            assert dies
            return None
        finally:
            process.join()
        self._seconds = 0.5 * self._seconds + 0.5 * (time.monotonic() - start)
        return found  # type: ignore[no-any-return]

    def kill(self, folder: Path) -> bool:
        """Run a process that is killed at any time; return whether it was, before its end."""
        process, answers = self._start(folder, 0)
        has_ended = answers.poll(self._rng.uniform(0.0, self._seconds))
        process.kill()
        process.join()
        if has_ended:
            _received(answers)
        return not has_ended

    def _start(self, folder: Path, dies: int) -> tuple[Any, Connection]:
        answers, answer = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(self._place, folder, answer, dies))
        process.start()
        answer.close()
        self._check(_received(answers))
        return process, answers


def _received(answers: Connection) -> Any:
    found = answers.recv()
    assert not isinstance(found, str), found  # a traceback
    return found


def check_kills(
    place: Place, sandbox: Sandbox, expected: Callable[[Path], Held], *, kills: int, each_write: bool, seed: int = 12
) -> None:
    """Kill processes in each step of the folder; verify that nothing is lost, doubled or paid for twice.

    Args:
        place: The vector store.
        sandbox: The API.
        expected: Returns what a new vector store has of a folder.
        kills: Processes that are killed at any time, in each step.
        each_write: Whether others are killed after their first write, until one has nothing to write.
        seed: Of the times.
    """
    held: Held = {}
    wanted: Held = {}
    processes = Processes(place, random.Random(seed), lambda now: _check_kept(held, now, wanted))  # noqa: S311  # no secret
    folder, killed = place.path / "videos", 0
    for (step, new_contents, _), count in zip(STEPS, COUNTS, strict=True):
        step(folder)
        wanted = expected(folder)
        sandbox.clear_requests()
        for _ in range(kills):
            killed += processes.kill(folder)
        while each_write and processes.run(folder, dies=1) is None:
            pass
        found = processes.run(folder)
        assert found
        report, now = found
        damaged = {source: held[source] for source in held.keys() - wanted.keys() if Path(source).exists()}
        assert in_order(now) == in_order({**wanted, **damaged}), step.__name__
        assert len(now) == count
        assert [failure.source for failure in report.failures] == list(damaged)
        assert sandbox.count("POST", "/embed-v2/tasks") == new_contents, step.__name__
        held = now
    assert killed >= len(STEPS) // 2


def _check_kept(held: Held, now: Held, wanted: Held) -> None:
    """Verify that each source which is not gone has all its old segments, or all its new ones."""
    for source, ids in held.items():
        name = source.replace("v2.mkv", "cup/renamed.mkv") if source not in wanted else source
        if name in wanted or Path(source).exists():
            is_new = name in wanted and set(wanted[name]) <= set(now.get(name, ()))
            assert is_new or set(ids) <= set(now.get(source, ())), source


def in_order(held: Held) -> Held:
    return {source: sorted(ids) for source, ids in held.items()}
