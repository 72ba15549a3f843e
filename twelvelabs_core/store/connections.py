"""Connections to SQLite, each open for one transaction, and used only in the process that opened it."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from twelvelabs_core.store.location import unusable
from twelvelabs_core.store.wal import has_log, log_of

BUSY_TIMEOUT_SEC = 30.0

Kind = TypeVar("Kind", bound=sqlite3.Connection)
FileId = tuple[int, int]
"""Device and inode of a file."""

# Connections to SQLite files, and transactions in memory: the process that opened each, and its file. A child inherits
# those that were in use in its parent's other threads, and never removes them. The lock is that of one process, because
# a child would inherit it locked.
_in_use: dict[object, tuple[int, FileId | None]] = {}
_registry_locks: dict[int, threading.Lock] = {}


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """Run a transaction, which is rolled back where the block raises."""
    options: dict[str, Any] = {"twelvelabs_writes": writes}
    if engine.dialect.name == "postgresql" and not writes:  # by default, each statement sees another state
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect() as plain:
        connection = plain.execution_options(**options)
        with connection.begin():
            yield connection


def _begin(connection: Connection) -> None:
    """Begin a transaction; a writer takes the lock at once, because a reader that starts to write cannot wait."""
    writes = connection.get_execution_options().get("twelvelabs_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def guarded(place: str, path: Path | None) -> Iterator[None]:
    """Refuse SQLite in a child that was forked while it was in use; register a transaction in memory.

    SQLite keeps its file locks in tables of the process. A child that was forked while another thread had a connection
    inherits locks which it does not hold: its writes would fail, or be lost when the parent deletes the log that they
    are in. Nothing in the child can repair those tables, so it must not use SQLite at all.
    """
    if was_forked_in_use():
        raise unusable(
            place,
            "this process was forked while another thread of its parent was using a segment store",
            "Start worker processes with the 'spawn' or 'forkserver' method, or fork before threads use the store",
        )
    if path is not None:  # its connections are registered for as long as they are open
        yield
        return
    entry = object()
    _in_use[entry] = os.getpid(), None
    try:
        yield
    finally:
        del _in_use[entry]


def was_forked_in_use() -> bool:
    """Return whether this process was forked while another thread of its parent was using SQLite."""
    own = os.getpid()
    return any(process != own for process, _ in list(_in_use.values()))


@contextmanager
def not_connected(path: Path) -> Iterator[bool]:
    """Tell whether this process has no connection to a file, and keep it so while the block runs.

    To close a file ends the locks of SQLite on it, for the whole process: none in use may be opened otherwise.
    """
    with _registry_lock():
        yield (os.getpid(), file_id(path)) not in list(_in_use.values())


def _registry_lock() -> threading.Lock:
    return _registry_locks.setdefault(os.getpid(), threading.Lock())


def file_id(path: Path) -> FileId | None:
    """Return which file has this name now, or None."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a microsecond less, in each transaction
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_read_only(path: Path) -> bool:
    """Return whether a file exists and this process cannot write it."""
    exists = os.path.exists(path)  # noqa: PTH110  # `Path.exists` raises where the name is too long
    return exists and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def file_engine(path: Path) -> Engine:
    """Return an engine that opens the file for each transaction (0.4 ms) and keeps nothing open between them.

    A child that is forked while its parent has a connection, also an idle one, inherits tables in which SQLite says
    that it holds the locks of its parent. To close idle ones before each fork would need a hook in the host program.
    """
    engine = create_engine("sqlite://", creator=lambda: _connect_file(path), hide_parameters=True, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def one_connection_engine(creator: Callable[[], sqlite3.Connection]) -> Engine:
    """Return an engine with one connection, which one thread uses at a time."""
    one = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": BUSY_TIMEOUT_SEC}
    engine = create_engine("sqlite://", creator=creator, hide_parameters=True, **one)
    event.listen(engine, "begin", _begin)
    return engine


def _file_uri(path: Path) -> str:
    """Return the URI that opens a file and never creates it; `Database` does that, complete and with its mode."""
    if not is_read_only(path):
        return f"{path.as_uri()}?mode=rw"
    # To read a file in WAL mode SQLite makes another beside it, unless it is told that no process writes.
    return f"{path.as_uri()}?mode=ro{'' if has_log(path) else '&immutable=1'}"


class _FileConnection(sqlite3.Connection):
    """A connection to a file, in `_in_use` until it is closed."""

    entry: object = None

    def close(self) -> None:
        super().close()
        _in_use.pop(self.entry, None)


def _connect_file(path: Path) -> sqlite3.Connection:
    """Open a connection to a file, which is registered first."""
    entry = object()
    with _registry_lock():
        _in_use[entry] = os.getpid(), file_id(path)
    try:
        connection = connect(_file_uri(path), _FileConnection)
    except BaseException:
        del _in_use[entry]
        raise
    connection.entry = entry
    return connection


def connect(uri: str, kind: type[Kind]) -> Kind:
    """Open a connection that commits durably and leaves transactions to `_begin`."""
    connection = kind(uri, uri=True, timeout=BUSY_TIMEOUT_SEC, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def needs_copy(path: Path) -> bool:
    """Return whether a file that cannot be written has a log without its index."""
    return has_log(path) and not Path(f"{path}-shm").exists()  # SQLite would have to make that index


def copy_of(path: Path) -> sqlite3.Connection:
    """Copy a file and its log to a temporary database, which SQLite deletes with its connection."""
    copy = connect("", sqlite3.Connection)
    with contextlib.ExitStack() as stack:
        if needs_copy(path):
            draft = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "copy.sqlite3"
            shutil.copyfile(log_of(path), log_of(draft))
            path = shutil.copyfile(path, draft)
        source = stack.enter_context(contextlib.closing(_connect_file(path)))
        source.backup(copy)
    return copy


def run_outside_transaction(engine: Engine, *statements: str) -> None:
    """Run statements that SQLite refuses within a transaction."""
    with contextlib.closing(engine.raw_connection()) as pooled:
        for statement in statements:
            pooled.cursor().execute(statement)
