"""One database engine per process, opened at first use and forgotten after a fork, and its transactions."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.store import schema
from twelvelabs_core.store.failures import translated
from twelvelabs_core.store.fork_gate import GATE
from twelvelabs_core.store.location import Location
from twelvelabs_core.store.sqlite_files import (
    BUSY_TIMEOUT_SEC,
    check_file,
    create_file,
    file_engine,
    is_read_only,
    memory_engine,
    run_alone,
)

CONNECT_TIMEOUT_SEC = 10
SCHEMA_LOCK = 0x7477656C7665  # any number that all versions share

# Engines of a parent process. Dropping them would close, from the child, connections that the parent still uses.
_inherited: list[Engine] = []


class Database:
    """A store's database, wherever it lies; usable from every thread and after a fork."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._engine: Engine | None = None
        self._finalizer: weakref.finalize[[Engine, int | None], Database] | None = None
        self._pid = os.getpid()
        self._opening = threading.Lock()
        self._closed = False
        # One connection is shared by all threads, so one transaction at a time.
        self._turn: AbstractContextManager[object] = threading.RLock() if location.is_memory else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes all or nothing; one at a time on SQLite."""
        with self._transaction(writes=True) as connection:
            yield connection

    @property
    def is_read_only(self) -> bool:
        """Whether it is a file that this process may not write; what it holds can be read all the same."""
        return self.location.path is not None and is_read_only(self.location.path)

    def vacuum(self) -> None:
        """Give the space of deleted rows back to the disk (SQLite; a server does so by itself)."""
        if self.location.url is None:
            with self._session() as engine:
                run_alone(engine, "VACUUM")

    def close(self) -> None:
        """Close what this process holds open; a file or server is opened again at the next use."""
        with GATE.transaction(), self._turn, self._opening:
            self._forget_parents()
            if self._finalizer is not None:
                self._finalizer()
            self._engine = None
            self._closed = True

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with self._session() as engine, engine.connect() as plain:
            connection = plain.execution_options(twelvelabs_writes=writes)
            with connection.begin():
                yield connection

    @contextmanager
    def _session(self) -> Iterator[Engine]:
        with GATE.transaction(), self._turn, translated(self.location.printable):
            yield self._current()

    def _current(self) -> Engine:
        with self._opening:
            self._forget_parents()
            if self._engine is None:
                self._engine = self._open()
                pid = None if self.location.is_memory else os.getpid()
                self._finalizer = weakref.finalize(self, _dispose, self._engine, pid)
            return self._engine

    def _forget_parents(self) -> None:
        """In a forked child, drop the engine; a store in memory was copied with the process and goes on."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        if self._engine is not None and not self.location.is_memory:
            _inherited.append(self._engine)
            self._engine = self._finalizer = None

    def _open(self) -> Engine:
        if self.location.url is not None:
            return open_server(self.location.url, self.location.printable)
        if self.location.path is None:
            return self._open_memory()
        if not os.path.lexists(self.location.path):
            create_file(self.location.path)
        check_file(self.location.path)
        engine = file_engine(self.location.path)
        with engine.connect() as connection:
            schema.check_tables(connection, self.location.printable)
            is_old = schema.lacks_tables(connection)
        if is_old and not self.is_read_only:
            with engine.connect().execution_options(twelvelabs_writes=True) as connection, connection.begin():
                schema.add_tables(connection)
        return engine

    def _open_memory(self) -> Engine:
        if self._closed:
            raise ConfigurationError("this segment store in memory was closed and is gone; make a new one.")
        engine = memory_engine()
        with engine.begin() as connection:
            schema.create_tables(connection)
        return engine


def open_server(url: URL, place: str) -> Engine:
    """Connect to PostgreSQL, make the tables where there are none, and check them."""
    connect_args = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SEC}
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=connect_args)
    # Set per transaction, for a pooler between us and the server may swap sessions.
    event.listen(
        engine,
        "begin",
        lambda connection: connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_SEC:.0f}s'"),
    )
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})
            if not schema.has_tables(connection):
                schema.create_tables(connection)
            schema.check_tables(connection, place)
            schema.add_tables(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _dispose(engine: Engine, pid: int | None) -> None:
    """Close an engine's connections, unless they are a parent's."""
    if pid in (None, os.getpid()):
        engine.dispose()
