"""SQLite as the store needs it: files created whole and private, durable connections, explicit transactions."""

import contextlib
import os
import sqlite3
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, StaticPool

from twelvelabs_core.store import schema
from twelvelabs_core.store.failures import ELSEWHERE, KEEP_DAMAGED, unusable

BUSY_TIMEOUT_SEC = 30.0
MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
MIN_PAGE_BYTES = 512
LOOKS = 3
LOOK_AGAIN_SEC = 0.05
PAGE_BYTES = 16384  # seven 512-d vectors a page; the default of 4096 holds one and wastes the other half


def check_file(path: Path) -> None:
    """Refuse what SQLite would take for a new database, or for a whole one although its last page is cut.

    Raises:
        ConfigurationError: A folder, a device, an empty or truncated file, or no SQLite database.
    """
    place = str(path)
    if not path.is_file():
        raise unusable(place, "it is not a file", f"Give the path of a store or of a new file, {ELSEWHERE}")
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header:
        advice = (
            "If you made it yourself, delete it: a store makes its own file. If it was a store, it was truncated: "
            f"bring it back from a backup, {ELSEWHERE}"
        )
        raise unusable(place, "the file is empty", advice)
    if not header.startswith(MAGIC):
        raise unusable(place, "the file is not a SQLite database, or its beginning is lost", KEEP_DAMAGED)
    if len(header) < HEADER_BYTES or is_cut(path, int.from_bytes(header[16:18])):
        raise unusable(place, "the file is truncated", KEEP_DAMAGED)


def is_cut(path: Path, page_bytes: int) -> bool:
    """Return whether a file ends within a page; SQLite itself would fill that page up with zeros."""
    log = Path(f"{path}-wal")
    for _ in range(LOOKS):
        if page_bytes < MIN_PAGE_BYTES or path.stat().st_size % page_bytes == 0:
            return False
        if log.exists() and log.stat().st_size:  # holds what the file lacks: a process is at work, or was killed
            return False
        time.sleep(LOOK_AGAIN_SEC)  # another process may be writing that page right now
    return True


def create_file(path: Path) -> None:
    """Make a new store under another name and then give it its own: nobody ever sees half a store.

    When another process is first, its file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)  # mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        fill_file(draft)
        publish(draft, path)
    finally:
        for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm"), Path(f"{draft}-journal")):
            leftover.unlink(missing_ok=True)


def fill_file(path: Path) -> None:
    """Write the tables of a store into an empty file."""
    engine = file_engine(path)
    with contextlib.suppress(sqlite3.OperationalError):  # some network file systems cannot; slower, not wrong
        run_alone(engine, f"PRAGMA page_size={PAGE_BYTES}", "PRAGMA journal_mode=WAL")
    with engine.connect().execution_options(twelvelabs_writes=True) as connection, connection.begin():
        schema.create_tables(connection)


def publish(draft: Path, path: Path) -> None:
    """Give a finished file its name unless somebody else has it, and make the name durable."""
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


def file_engine(path: Path) -> Engine:
    """Return an engine that opens the file for each transaction (0.2 ms) and holds nothing between them.

    So there is nothing to inherit in a fork and nothing to leave unclosed.
    """
    engine = create_engine(
        "sqlite://", creator=lambda: connect(file_uri(path)), poolclass=NullPool, hide_parameters=True
    )
    event.listen(engine, "begin", begin)
    return engine


def file_uri(path: Path) -> str:
    """Return how to open a file; never so that it is created: that is done whole, with its mode, elsewhere."""
    if not is_read_only(path):
        return f"{path.as_uri()}?mode=rw"
    # To read a file in WAL mode SQLite makes another beside it, unless it is told that nobody writes.
    log = Path(f"{path}-wal")
    at_rest = not log.exists() or not log.stat().st_size
    return f"{path.as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"


def is_read_only(path: Path) -> bool:
    """Return whether a store's file lies where this process may read and not write, such as a read-only disk."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def memory_engine() -> Engine:
    """Return an engine with one connection for all threads."""
    engine = create_engine("sqlite://", creator=lambda: connect(":memory:"), poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "begin", begin)
    return engine


def connect(uri: str) -> sqlite3.Connection:
    """Open a connection that commits durably and leaves transactions to us."""
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SEC, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def run_alone(engine: Engine, *statements: str) -> None:
    """Run statements that may not stand in a transaction."""
    with contextlib.closing(engine.raw_connection()) as pooled:
        for statement in statements:
            pooled.cursor().execute(statement)


def begin(connection: Connection) -> None:
    """Begin a transaction; a writer takes the lock at once, for a reader that turns writer cannot wait for it."""
    writes = connection.get_execution_options().get("twelvelabs_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
