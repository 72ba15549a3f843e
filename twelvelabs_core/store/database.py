"""The database of a segment store: its engine, its transactions, and the SQLite file.

No connection is used in another process than the one that opened it. A forked child opens its own connections and
never closes those of its parent.
"""

import contextlib
import glob
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import OperationalError

from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.store import schema
from twelvelabs_core.store.connections import (
    LOGS,
    FileId,
    connect,
    copy_of,
    file_engine,
    file_id,
    guarded,
    has_wal,
    is_busy,
    is_read_only,
    keep_inherited,
    leave_wal_mode,
    one_connection_engine,
    registered,
    run_outside_transaction,
    server_engine,
    transaction,
    was_forked_in_use,
)
from twelvelabs_core.store.location import (
    ELSEWHERE,
    KEEP_DAMAGED,
    NOT_A_STORE,
    SQLITE_ADVICE,
    Location,
    translated,
    unusable,
)

CONNECT_TIMEOUT_SEC = 10
SCHEMA_LOCK = 0x7477656C7665  # any number that all versions share
MIN_PAGE_BYTES = 512
DRAFT_SEC = 60.0  # a process that lives creates a store in less time
PAGE_BYTES = 16384  # seven 512-d vectors a page; the default of 4096 holds one and wastes the other half
ANY_PROCESS = 0  # in place of a process id: the engine of a store in memory


class Database:
    """A store's database, for every thread; opened at first use, once in each process."""

    def __init__(self, location: Location) -> None:
        self.location = location
        # By process id, so that a child neither uses nor closes the engine of its parent.
        self._engines: dict[int, Engine] = {}
        self._locks: dict[int, threading.Lock] = {}
        self._files: dict[int, FileId | None] = {}  # by process id: the file as it was opened
        self._is_closed = False
        weakref.finalize(self, _dispose, self._engines)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store."""
        with self._session() as engine, transaction(engine, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes all or nothing."""
        with self._session() as engine:
            if self.is_read_only:  # SQLite would let the copy of such a file be written, and it would be lost
                raise unusable(self.location.printable, *SQLITE_ADVICE["SQLITE_READONLY"])
            with transaction(engine, writes=True) as connection:
                yield connection

    @property
    def is_read_only(self) -> bool:
        """Whether it is a file that this process can read but not write."""
        return self.location.path is not None and is_read_only(self.location.path)

    def vacuum(self) -> None:
        """Return the space of deleted rows to the disk (SQLite; a server does so by itself)."""
        if self.location.url is None:
            with self._session() as engine:
                run_outside_transaction(engine, "VACUUM")

    def close(self) -> None:
        """Close the connections of this process; a file or server is opened again at the next use."""
        _dispose(self._engines)
        self._is_closed = True

    @contextmanager
    def _session(self) -> Iterator[Engine]:
        place = self.location.printable
        # A store in memory was copied with the process: the child continues with its copy.
        process = ANY_PROCESS if self.location.is_memory else os.getpid()
        guard = contextlib.nullcontext() if self.location.url is not None else guarded(place)
        with translated(place), guard:
            with self._locks.setdefault(process, threading.Lock()):
                engine = self._current_engine(process)
            try:
                yield engine
            finally:
                if self._engines.get(process) is not engine:  # closed or opened again since
                    engine.pool.dispose()
                elif self.location.path is not None and has_wal(self.location.path) and not self.is_read_only:
                    leave_wal_mode(engine, self.location.path)

    def _current_engine(self, process: int) -> Engine:
        """Return the engine of a process, opened again where its file was replaced or became writable."""
        path = self.location.path
        file = None if path is None else file_id(path)
        engine = self._engines.get(process)
        if engine is not None and file != self._files[process]:
            engine.pool.dispose()
        if engine is None or (file is not None and file != self._files[process]):  # a deleted file is not made again
            engine = self._open()
            self._files[process] = file_id(path) if path is not None and file is None else file
            self._engines[process] = engine
        return engine

    def _open(self) -> Engine:
        if self.location.url is not None:
            return _open_server(self.location.url, self.location.printable)
        if self.location.path is not None:
            return _open_file(self.location.path)
        if self._is_closed:
            raise ConfigurationError("this segment store in memory was closed and its content is lost; make a new one.")
        engine = one_connection_engine(lambda: connect(":memory:"))
        with transaction(engine, writes=True) as connection:
            schema.create_tables(connection)
        return engine


def _dispose(engines: dict[int, Engine]) -> None:
    """Close the connections that belong to this process, and none that another process opened."""
    with registered():
        for process in (os.getpid(), ANY_PROCESS):
            if process in engines and not (process == ANY_PROCESS and was_forked_in_use()):
                # Not the engine's `dispose`: what other threads use comes back to this pool, and is closed there.
                engines.pop(process).pool.dispose()
    keep_inherited(engines.values())


def _open_server(url: URL, place: str) -> Engine:
    """Connect to PostgreSQL; create the tables, or upgrade and check them."""
    connect_args = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SEC}
    engine = server_engine(url, connect_args)
    try:
        with transaction(engine, writes=True) as connection:
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

    A file that cannot be written is copied where SQLite has to write: to upgrade it, to roll back what a killed
    process began to write, or to read it in WAL mode.
    """
    if not os.path.lexists(path):
        _create_file(path)
    _check_size(path)
    if not is_read_only(path):
        _delete_old_drafts(path)
    engine = file_engine(path)
    try:
        try:
            is_current = _is_current(engine, path)
        except OperationalError as error:
            if not is_read_only(path) or is_busy(error):
                raise
            engine = one_connection_engine(lambda: copy_of(path))
            is_current = _is_current(engine, path)
        if not is_current:
            if is_read_only(path):
                engine = one_connection_engine(lambda: copy_of(path))
            with transaction(engine, writes=True) as connection:
                schema.upgrade(connection, str(path))
    except BaseException:
        engine.dispose()
        raise
    return engine


def _is_current(engine: Engine, path: Path) -> bool:
    """Return whether a file is a store of this version; refuse one whose last page is truncated, unlike SQLite."""
    with transaction(engine, writes=False) as connection:
        is_current = schema.is_current(connection, str(path))
        page_bytes = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        if path.stat().st_size % page_bytes and not has_wal(path):  # the log has the rest of the page
            raise unusable(str(path), "the file is truncated", KEEP_DAMAGED)
    return is_current


def _check_size(path: Path) -> None:
    """Refuse a file that SQLite would treat as a new database.

    The file is not opened for it: to close a file ends the locks of SQLite on it, for the whole process.
    """
    if not path.is_file():
        raise unusable(str(path), "it is not a file", NOT_A_STORE)
    size = path.stat().st_size
    if not size:
        advice = (
            "If you made it yourself, delete it: a store makes its own file. If it was a store, it was truncated: "
            f"restore it from a backup, {ELSEWHERE}"
        )
        raise unusable(str(path), "the file is empty", advice)
    if size < MIN_PAGE_BYTES:
        raise unusable(str(path), "the file is not a SQLite database, or is truncated", KEEP_DAMAGED)


def _create_file(path: Path) -> None:
    """Create a new store under a temporary name and then rename it, so that no process sees an incomplete store.

    Where another process is first, its file stays.
    """
    for log in (Path(f"{path}{ending}") for ending in LOGS):
        # SQLite would apply it to the new file.
        if os.path.lexists(log) and log.stat().st_size and not os.path.lexists(path):
            raise unusable(
                str(path),
                f"{path.name} was removed, and {log.name} was not",
                f"Restore the file, or move {log.name} away, {ELSEWHERE}",
            )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)  # mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        engine = file_engine(draft)
        run_outside_transaction(engine, f"PRAGMA page_size={PAGE_BYTES}")
        with transaction(engine, writes=True) as connection:
            schema.create_tables(connection)
        engine.dispose()
        _publish(draft, path)
    finally:
        for ending in ("", "-journal"):
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
