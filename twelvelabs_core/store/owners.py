"""Which processes are creating tasks: each writes the time into its own row of the store for as long as it does.

Process ids would say the same on one machine only: a container that was killed has another host's.
"""

import contextlib
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from twelvelabs_core.base.errors import TwelveLabsError
from twelvelabs_core.store.connections import BUSY_TIMEOUT_SEC
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.schema import meta, tasks, upsert

BEAT_SEC = 2.0
# Without a beat for so long, a process has ended. A beat waits for other writers, as a VACUUM is one, up to the busy
# time-out; the rest is for the beat after it.
SILENT_AFTER_SEC = BUSY_TIMEOUT_SEC + 10.0
KEPT_SEC = 86_400.0  # rows of processes that were killed
PREFIX = "process "
SERVER_CLOCK = func.extract("epoch", func.clock_timestamp())  # of PostgreSQL: seconds, also within a transaction
# Process ids are used again, and containers share them; with this token, which forked children share, none is.
TOKEN = secrets.token_hex(4)


def owner() -> str:
    """Name this process: host, process id, token."""
    return f"{socket.gethostname().replace('/', '-')}/{os.getpid()}/{TOKEN}"


def has_ended(dialect: str) -> ColumnElement[bool]:
    """Return the condition that the process which owns an entry of `tasks` is silent."""
    at_work = select(func.substr(meta.c.name, len(PREFIX) + 1)).where(
        meta.c.name.startswith(PREFIX), meta.c.value > _at(dialect, -SILENT_AFTER_SEC)
    )
    return tasks.c.owner.not_in(at_work)


def _at(dialect: str, seconds: float) -> Any:
    """Return a time relative to now as a text, so that texts compare as times do.

    By the clock of a server: those of the machines that use it may differ by more than `SILENT_AFTER_SEC`.
    """
    if dialect == "postgresql":
        return func.to_char(SERVER_CLOCK + seconds, "FM0000000000.000000")
    return f"{time.time() + seconds:017.6f}"


class Owners:
    """The methods of a `SegmentStore` by which processes see each other at work."""

    _database: Database

    def __init__(self) -> None:
        # By process id: a forked child has neither the threads nor the creates of its parent.
        self._creating: dict[int, int] = {}
        self._beats: dict[int, float] = {}  # the time of each one's last beat, by the monotonic clock
        self._locks: dict[int, threading.Lock] = {}

    def beat(self) -> None:
        """Write that this process is at work; raises where the store cannot be written."""
        with self._database.writing() as connection:
            dialect = connection.dialect.name
            statement = upsert(dialect, meta).values(name=PREFIX + owner(), value=_at(dialect, 0))
            change = {"value": statement.excluded.value}
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=change))
            is_old = meta.c.value < _at(dialect, -KEPT_SEC)
            connection.execute(delete(meta).where(meta.c.name.startswith(PREFIX), is_old))

    def ensure_beat(self) -> None:
        """Write that this process is at work, unless it did so within the last `BEAT_SEC` seconds."""
        process = os.getpid()
        with self._locks.setdefault(process, threading.Lock()):
            now = time.monotonic()
            if now - self._beats.get(process, -math.inf) >= BEAT_SEC:
                self.beat()
                self._beats[process] = now

    @contextmanager
    def creating(self) -> Iterator[None]:
        """Let other processes wait for the intents of this one while the block runs; call `ensure_beat` before."""
        process = os.getpid()
        lock = self._locks.setdefault(process, threading.Lock())
        with lock:
            if process not in self._creating:
                threading.Thread(target=self._beat, args=(process, lock), name="twelvelabs-beat", daemon=True).start()
                self._creating[process] = 0
            self._creating[process] += 1
        try:
            yield
        finally:
            with lock:
                self._creating[process] -= 1

    def _beat(self, process: int, lock: threading.Lock) -> None:
        while True:
            time.sleep(BEAT_SEC)
            with lock:
                if not self._creating[process]:
                    # The row stays: a create that begins now relies on it.
                    del self._creating[process]
                    return
            with contextlib.suppress(TwelveLabsError):  # the next beat may succeed
                self.beat()
