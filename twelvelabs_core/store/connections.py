"""Connections to SQLite and PostgreSQL, each used only in the process that opened it."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from twelvelabs_core.store.location import unusable

BUSY_TIMEOUT_SEC = 30.0

LOGS = ("-journal", "-wal")
"""Endings of the files in which SQLite keeps what is not in the file, or not yet."""
FileId = tuple[int, int, bool]
"""Device and inode of a file, and whether this process can write it."""

# The process of each use of SQLite that has not ended. A child inherits those of its parent's other threads, and never
# removes them.
_in_use: dict[object, int] = {}
_inherited: set[Engine] = set()


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """Run a transaction, which is rolled back where the block raises."""
    with engine.connect() as plain:
        connection = plain.execution_options(twelvelabs_writes=writes)
        try:
            begun = connection.begin()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The server, or something in between, had closed the connection; this is a new one.
            begun = connection.begin()
        with begun:
            yield connection


def _begin(connection: Connection) -> None:
    """Begin a transaction; a writer takes the lock at once, because a reader that starts to write cannot wait."""
    writes = connection.get_execution_options().get("twelvelabs_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def server_engine(url: URL, connect_args: dict[str, Any]) -> Engine:
    """Return an engine of a PostgreSQL server that spends few round trips: they are what a transaction costs there."""
    # Without a transaction of the driver, whose `BEGIN` would be a request by itself.
    engine = create_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True, connect_args=connect_args)
    event.listen(engine, "begin", _begin_on_server)
    event.listen(engine, "do_execute_no_params", _execute_unprepared)
    return engine


def _begin_on_server(connection: Connection) -> None:
    """Begin a transaction; a reader sees one state, which is not the default."""
    writes = connection.get_execution_options().get("twelvelabs_writes", True)
    # Set per transaction, because a pooler between client and server may swap sessions. Readers wait for no lock.
    begin = f"BEGIN; SET LOCAL lock_timeout = '{BUSY_TIMEOUT_SEC:.0f}s'"
    statement = begin if writes else "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _execute_unprepared(cursor: Any, statement: str, _: object) -> bool:
    """Execute what has no parameters; the driver would prepare it in time, and two statements cannot be prepared."""
    cursor.execute(statement, prepare=False)
    return True


@contextmanager
def guarded(place: str) -> Iterator[None]:
    """Register a use of SQLite; refuse it in a child that was forked while another thread of its parent had one.

    SQLite keeps its file locks in tables of the process. A child that was forked during a transaction inherits locks
    which it does not hold, and nothing in the child can repair those tables. Between transactions a connection has no
    lock in a rollback-journal mode; in WAL mode it has, so such a connection is never kept.
    """
    if was_forked_in_use():
        raise unusable(
            place,
            "this process was forked while another thread of its parent was using a segment store",
            "Start worker processes with the 'spawn' or 'forkserver' method, or fork before threads use the store",
        )
    with registered():
        yield


@contextmanager
def registered() -> Iterator[None]:
    """Register a use of SQLite for as long as the block runs."""
    entry = object()
    _in_use[entry] = os.getpid()
    try:
        yield
    finally:
        del _in_use[entry]


def was_forked_in_use() -> bool:
    """Return whether this process was forked while another thread of its parent was using SQLite."""
    own = os.getpid()
    return any(process != own for process in list(_in_use.values()))


def keep_inherited(engines: Iterable[Engine]) -> None:
    """Keep the engines of parents, so that their connections are not closed in this process."""
    _inherited.update(engines)


def file_id(path: Path) -> FileId | None:
    """Return which file has this name now, or None."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a microsecond less, in each transaction
    except OSError:
        return None
    return found.st_dev, found.st_ino, _is_writable(path)


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK)  # noqa: PTH120  # as above


def is_read_only(path: Path) -> bool:
    """Return whether a file exists and this process cannot write it."""
    return os.path.exists(path) and not _is_writable(path)  # noqa: PTH110  # `Path.exists` raises for long names


def is_busy(error: OperationalError) -> bool:
    """Return whether an error says that another process kept a file locked for too long."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def file_engine(path: Path) -> Engine:
    """Return an engine that opens the file and never creates it; `Database` does that, complete and with its mode."""
    uri = f"{path.as_uri()}?mode=rw"  # SQLite opens a file that it cannot write for reading
    if not is_read_only(path):
        return one_connection_engine(lambda: connect(uri))
    # Not kept, because it cannot be converted from WAL mode (see `leave_wal_mode`).
    engine = create_engine("sqlite://", creator=lambda: connect(uri), hide_parameters=True, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def one_connection_engine(creator: Callable[[], sqlite3.Connection]) -> Engine:
    """Return an engine that keeps one connection, which one thread uses at a time.

    With a connection for each thread, SQLite would let them wait for each other by asking at intervals of up to 0.1 s.
    """
    one = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": BUSY_TIMEOUT_SEC}
    engine = create_engine("sqlite://", creator=creator, hide_parameters=True, **one)
    event.listen(engine, "begin", _begin)
    return engine


def connect(uri: str) -> sqlite3.Connection:
    """Open a connection that commits durably and leaves transactions to `_begin`."""
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SEC, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA foreign_keys=ON")
        # After a loss of power FULL may find the journal again, whose deletion is the commit.
        connection.execute("PRAGMA synchronous=EXTRA")
    except BaseException:
        connection.close()
        raise
    return connection


def copy_of(path: Path) -> sqlite3.Connection:
    """Copy a file that cannot be written to a temporary database, which SQLite deletes with its connection."""
    copy = connect("")
    try:
        with contextlib.closing(connect(f"{path.as_uri()}?mode=ro")) as source:
            source.backup(copy)
    except sqlite3.OperationalError:  # to read it, SQLite has to write: to roll a journal back, or in WAL mode
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder, "copy.sqlite3")
            for ending in ("", *LOGS):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(f"{path}{ending}", f"{draft}{ending}")
            with contextlib.closing(connect(f"{draft.as_uri()}?mode=rw")) as source:
                source.backup(copy)
    return copy


def run_outside_transaction(engine: Engine, *statements: str) -> None:
    """Run statements that SQLite refuses within a transaction."""
    with contextlib.closing(engine.raw_connection()) as pooled:
        for statement in statements:
            pooled.cursor().execute(statement)


def has_wal(path: Path) -> bool:
    """Return whether a file is open in WAL mode, as earlier releases wrote it, or was when its process was killed."""
    return os.path.exists(f"{path}-wal")  # noqa: PTH110  # a microsecond less, in each transaction


def leave_wal_mode(engine: Engine, path: Path) -> None:
    """Convert a file from WAL mode; while another process has it open, close the connection to it instead.

    An idle connection in WAL mode has locks, which a child would inherit.
    """
    with contextlib.suppress(sqlite3.Error, SQLAlchemyError):
        run_outside_transaction(engine, "PRAGMA journal_mode=DELETE")
    if has_wal(path):
        engine.pool.dispose()
