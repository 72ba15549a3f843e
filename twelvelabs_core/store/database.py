"""The database of a segment store: its engine, its transactions, and the SQLite file.

No connection is used in another process than the one that opened it. A forked child opens its own connections and
never closes those of its parent.
"""

import contextlib
import glob
import os
import shutil
import sqlite3
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool, QueuePool

from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.store import schema
from twelvelabs_core.store.location import (
    ELSEWHERE,
    KEEP_DAMAGED,
    NOT_A_STORE,
    SQLITE_ADVICE,
    Location,
    translated,
    unusable,
)
from twelvelabs_core.store.wal import has_foreign_log, has_log, log_of

BUSY_TIMEOUT_SEC = 30.0
CONNECT_TIMEOUT_SEC = 10
SCHEMA_LOCK = 0x7477656C7665  # any number that all versions share
MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
DRAFT_SEC = 60.0  # a process that lives creates a store in less time
MIN_PAGE_BYTES = 512
PAGE_BYTES = 16384  # seven 512-d vectors a page; the default of 4096 holds one and wastes the other half
ANY_PROCESS = 0  # in place of a process id: the engine of a store in memory

# SQLite transactions under way: the process that began each, and its file. A child inherits the entries of its parent's
# other threads and never removes them. The lock is that of one process, because a child would inherit it locked.
_transactions: dict[object, tuple[int, str]] = {}
_transaction_locks: dict[int, threading.Lock] = {}


class Database:
    """A store's database, for every thread; opened at first use, once in each process."""

    def __init__(self, location: Location) -> None:
        self.location = location
        # By process id, so that a child neither uses nor closes the engine of its parent.
        self._engines: dict[int, Engine] = {}
        self._locks: dict[int, threading.Lock] = {}
        self._is_closed = False
        weakref.finalize(self, _dispose, self._engines)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store."""
        with self._session() as engine, _transaction(engine, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes all or nothing; one at a time on SQLite."""
        with self._session() as engine:
            if self.is_read_only:  # SQLite would let the copy of such a file be written, and it would be lost
                raise unusable(self.location.printable, *SQLITE_ADVICE["SQLITE_READONLY"])
            with _transaction(engine, writes=True) as connection:
                yield connection

    @property
    def is_read_only(self) -> bool:
        """Whether it is a file that this process can read but not write."""
        return self.location.path is not None and _is_read_only(self.location.path)

    def vacuum(self) -> None:
        """Return the space of deleted rows to the disk (SQLite; a server does so by itself)."""
        if self.location.url is None:
            with self._session() as engine:
                _run_outside_transaction(engine, "VACUUM")

    def close(self) -> None:
        """Close the connections of this process; a file or server is opened again at the next use."""
        _dispose(self._engines)
        self._is_closed = True

    @contextmanager
    def _session(self) -> Iterator[Engine]:
        place, path = self.location.printable, self.location.path
        # A store in memory was copied with the process: the child continues with its copy.
        process = ANY_PROCESS if self.location.is_memory else os.getpid()
        is_open = process in self._engines
        is_server = self.location.url is not None
        guard = contextlib.nullcontext() if is_server else _sqlite_transaction(place, None if is_open else path)
        with translated(place), guard:
            with self._locks.setdefault(process, threading.Lock()):
                if process not in self._engines:
                    self._engines[process] = self._open()
                engine = self._engines[process]
            yield engine

    def _open(self) -> Engine:
        if self.location.url is not None:
            return _open_server(self.location.url, self.location.printable)
        if self.location.path is not None:
            return _open_file(self.location.path)
        if self._is_closed:
            raise ConfigurationError("this segment store in memory was closed and its content is lost; make a new one.")
        engine = _one_connection_engine(lambda: _connect(":memory:"))
        with _transaction(engine, writes=True) as connection:
            schema.create_tables(connection)
        return engine


@contextmanager
def _transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    options: dict[str, Any] = {"twelvelabs_writes": writes}
    if engine.dialect.name == "postgresql" and not writes:  # by default, each statement sees another state
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect() as plain:
        connection = plain.execution_options(**options)
        with connection.begin():
            yield connection


@contextmanager
def _sqlite_transaction(place: str, unchecked: Path | None) -> Iterator[None]:
    """Register a SQLite transaction of this process for as long as the block runs; check a file before its first one.

    SQLite keeps its file locks in tables of the process. A child that was forked during a transaction of another
    thread inherits locks which it does not hold: its writes would fail, or be lost when the parent deletes the log
    that they are in. Nothing in the child can repair those tables, so it must not use SQLite at all.
    """
    if _forked_in_transaction():
        raise unusable(
            place,
            "this process was forked while another thread of its parent was using a segment store",
            "Start worker processes with the 'spawn' or 'forkserver' method, or fork before threads use the store",
        )
    entry, value = object(), (os.getpid(), os.path.realpath(place))
    with _transaction_locks.setdefault(os.getpid(), threading.Lock()):
        # To close a file ends the locks of SQLite on it, for the whole process, so none in use is opened here.
        if unchecked is not None and os.path.lexists(unchecked) and value not in list(_transactions.values()):
            _check_file(unchecked)
        _transactions[entry] = value
    try:
        yield
    finally:
        del _transactions[entry]


def _forked_in_transaction() -> bool:
    return any(process != os.getpid() for process, _ in list(_transactions.values()))


def _dispose(engines: dict[int, Engine]) -> None:
    """Close the connections that belong to this process."""
    for process in (os.getpid(), ANY_PROCESS):
        if process in engines and not (process == ANY_PROCESS and _forked_in_transaction()):
            engines.pop(process).dispose()


def _open_server(url: URL, place: str) -> Engine:
    """Connect to PostgreSQL; create the tables, or upgrade and check them."""
    connect_args = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SEC}
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=connect_args)
    # Set per transaction, because a pooler between client and server may swap sessions.
    lock_timeout = f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_SEC:.0f}s'"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(lock_timeout))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})
            if not schema.has_tables(connection):
                schema.create_tables(connection)
            elif not schema.is_current(connection, place):
                schema.upgrade(connection, place)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _open_file(path: Path) -> Engine:
    """Open a SQLite file; create it where it does not exist, or upgrade and check it.

    A file that cannot be written is copied where SQLite has to write: to upgrade it, or to read a log that is beside it
    without its index.
    """
    if not os.path.lexists(path):
        _create_file(path)
    if _is_read_only(path):
        engine = _one_connection_engine(lambda: _copied(path)) if _needs_copy(path) else _file_engine(path)
    else:
        _delete_old_drafts(path)
        engine = _file_engine(path)
    with _transaction(engine, writes=False) as connection:
        is_current = schema.is_current(connection, str(path))
    if not is_current:
        if _is_read_only(path):
            engine = _one_connection_engine(lambda: _copied(path))
        with _transaction(engine, writes=True) as connection:
            schema.upgrade(connection, str(path))
    return engine


def _check_file(path: Path) -> None:
    """Refuse a file that SQLite would treat as a new database, or as complete although its last page is truncated."""
    place = str(path)
    if not path.is_file():
        raise unusable(place, "it is not a file", NOT_A_STORE)
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header:
        advice = (
            "If you made it yourself, delete it: a store makes its own file. If it was a store, it was truncated: "
            f"restore it from a backup, {ELSEWHERE}"
        )
        raise unusable(place, "the file is empty", advice)
    if not header.startswith(MAGIC):
        raise unusable(place, "the file is not a SQLite database, or its beginning is lost", KEEP_DAMAGED)
    page_bytes = int.from_bytes(header[16:18])
    # A log that is not empty has what the file lacks: a process is writing, or was killed.
    ends_in_page = page_bytes >= MIN_PAGE_BYTES and path.stat().st_size % page_bytes and not has_log(path)
    if len(header) < HEADER_BYTES or ends_in_page:
        raise unusable(place, "the file is truncated", KEEP_DAMAGED)
    if has_foreign_log(path):
        raise unusable(
            place,
            f"{log_of(path).name} was written for another state of the file, as after restoring it from a backup",
            f"Move {path.name}-wal and {path.name}-shm away and open the store again, {ELSEWHERE}",
        )


def _create_file(path: Path) -> None:
    """Create a new store under a temporary name and then rename it, so that no process sees an incomplete store.

    Where another process is first, its file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)  # mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        engine = _file_engine(draft)
        with contextlib.suppress(sqlite3.OperationalError):  # some network file systems cannot; slower, not wrong
            _run_outside_transaction(engine, f"PRAGMA page_size={PAGE_BYTES}", "PRAGMA journal_mode=WAL")
        with _transaction(engine, writes=True) as connection:
            schema.create_tables(connection)
        _publish(draft, path)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{draft}{ending}").unlink(missing_ok=True)


def _delete_old_drafts(path: Path) -> None:
    """Delete what processes that were killed while they created this store left beside it."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.????????.new*"):
        with contextlib.suppress(OSError):  # another process may be deleting it
            if time.time() - draft.stat().st_mtime > DRAFT_SEC:
                draft.unlink()


def _publish(draft: Path, path: Path) -> None:
    """Give a finished file its name unless a file of that name exists, and make the name durable."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not os.path.lexists(path):
            draft.rename(path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _file_engine(path: Path) -> Engine:
    """Return an engine that opens the file for each transaction (0.2 ms) and keeps nothing open between them."""
    engine = create_engine(
        "sqlite://", creator=lambda: _connect(_file_uri(path)), poolclass=NullPool, hide_parameters=True
    )
    event.listen(engine, "begin", _begin)
    return engine


def _one_connection_engine(creator: Callable[[], sqlite3.Connection]) -> Engine:
    """Return an engine with one connection, which one thread uses at a time."""
    one = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": BUSY_TIMEOUT_SEC}
    engine = create_engine("sqlite://", creator=creator, hide_parameters=True, **one)
    event.listen(engine, "begin", _begin)
    return engine


def _file_uri(path: Path) -> str:
    """Return the URI that opens a file and never creates it; `_create_file` does that, complete and with its mode."""
    if not _is_read_only(path):
        return f"{path.as_uri()}?mode=rw"
    # To read a file in WAL mode SQLite makes another beside it, unless it is told that no process writes.
    return f"{path.as_uri()}?mode=ro{'' if has_log(path) else '&immutable=1'}"


def _is_read_only(path: Path) -> bool:
    exists = os.path.exists(path)  # noqa: PTH110  # `Path.exists` raises where the name is too long
    return exists and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _connect(uri: str) -> sqlite3.Connection:
    """Open a connection that commits durably and leaves transactions to `_begin`."""
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SEC, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _needs_copy(path: Path) -> bool:
    return has_log(path) and not Path(f"{path}-shm").exists()  # SQLite would have to make that index


def _copied(path: Path) -> sqlite3.Connection:
    """Copy a file and its log to a temporary database, which SQLite deletes with its connection."""
    copy = _connect("")
    with contextlib.ExitStack() as stack:
        if _needs_copy(path):
            draft = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "copy.sqlite3"
            shutil.copyfile(log_of(path), log_of(draft))
            path = shutil.copyfile(path, draft)
        source = stack.enter_context(contextlib.closing(_connect(_file_uri(path))))
        source.backup(copy)
    return copy


def _run_outside_transaction(engine: Engine, *statements: str) -> None:
    with contextlib.closing(engine.raw_connection()) as pooled:
        for statement in statements:
            pooled.cursor().execute(statement)


def _begin(connection: Connection) -> None:
    """Begin a transaction; a writer takes the lock at once, because a reader that starts to write cannot wait."""
    writes = connection.get_execution_options().get("twelvelabs_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
