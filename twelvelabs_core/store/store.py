"""`SegmentStore`: tasks and vectors that were paid for, kept durably."""

import contextlib
import os
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, text

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.base.settings import store_location
from twelvelabs_core.models.paid_work import embedded_minutes
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Copied, Payment, Removed, StoredVector, StoreInfo, TaskEntry, UploadEntry
from twelvelabs_core.store.journal import ENDED, Journal
from twelvelabs_core.store.location import default_path, parse_location
from twelvelabs_core.store.lookups import Lookups
from twelvelabs_core.store.names import source_named
from twelvelabs_core.store.owners import Owners
from twelvelabs_core.store.pace import Pace
from twelvelabs_core.store.payments import Payments
from twelvelabs_core.store.schema import (
    SCHEMA_VERSION,
    aliases,
    files,
    metadata,
    pending_transcripts,
    tasks,
    titles,
    transcripts,
    uploads,
    vectors,
)
from twelvelabs_core.store.transfer import Transfer
from twelvelabs_core.store.vectors import Vectors

__all__ = ["Copied", "Payment", "Removed", "SegmentStore", "StoreInfo", "StoredVector", "TaskEntry", "UploadEntry"]

IS_UNUSED = ~select(aliases.c.segment_id).where(aliases.c.task == tasks.c.id).exists()


class SegmentStore(Journal, Vectors, Lookups, Payments, Transfer, Owners, Pace):
    """A durable journal of embedding tasks and of the vectors that they gave.

    One file (SQLite, mode 0600) or a PostgreSQL database that several machines share. It is opened at first use.
    Several threads and processes may use one store at once; a writer waits up to 30 s for another. What a method has
    written is on the disk when it returns, all or nothing. A store is pickled as its location; a server's password
    goes with it only where the caller passed the location, not where the environment named it.

    A forked child may use the store of its parent, unless the fork happened while another thread was in a
    transaction of a SQLite store: the child then raises `ConfigurationError`, because SQLite cannot work there.
    PostgreSQL does not have this limit.

    Every method that uses the database blocks, may be called from any thread, and raises `ConfigurationError`, with
    advice, where the store cannot be used: not writable, not a store, of a newer version, damaged, locked for too
    long, disk full, server unreachable. A store that cannot be read is never overwritten.

    Attributes:
        location: Path, ":memory:", or URL without password, for messages.

    Args:
        location: Path of a SQLite file, created at first use; ":memory:" for a store that ends with its object
            (threads share it, a forked child continues with a copy); or a SQLAlchemy URL, `sqlite:///path` or
            `postgresql+psycopg://user:password@host/database` (extra `postgres`). Default: environment
            `TWELVELABS_STORE`, else `segments.sqlite3` in the user's data directory.

    Raises:
        ConfigurationError: The location is empty or of an unknown kind.

    Example:
        ```python
        with SegmentStore("segments.sqlite3") as store:
            print(store.info().vectors, store.sources())
        ```
    """

    # The base classes group the methods by their tables, on this database.

    def __init__(self, location: str | os.PathLike[str] | None = None) -> None:
        super().__init__()
        self._is_given = location is not None
        self._results = {}
        given = location if location is not None else store_location()
        self._database = Database(parse_location(given if given is not None else default_path()))

    @property
    def location(self) -> str:
        """Path, ":memory:", or URL without password, for messages."""
        return self._database.location.printable

    def info(self) -> StoreInfo:
        """Return what the store holds and how much space it takes."""
        with self._database.reading() as connection:
            states = connection.execute(select(tasks.c.state, func.count()).group_by(tasks.c.state))
            counted = {one: select(func.count()).select_from(one) for one in (vectors, aliases)}
            return StoreInfo(
                location=self.location,
                version=SCHEMA_VERSION,
                size_bytes=_size_bytes(connection),
                tasks={row[0]: row[1] for row in states},
                vectors=connection.scalar(counted[vectors]) or 0,
                segments=connection.scalar(counted[aliases]) or 0,
                sources=len(_count_sources(connection)),
            )

    def sources(self) -> dict[str, int]:
        """Return every source by name with its number of segment ids; 0 where only a task is known."""
        with self._database.reading() as connection:
            return _count_sources(connection)

    def delete_task(self, key: str) -> Removed:
        """Delete an entry with its vectors and all segment ids that name them; the next run pays for it again."""
        with self._database.writing() as connection:
            return _delete_tasks(connection, tasks.c.key == key)

    def size(self) -> int:
        """Return the space that the store takes, in bytes."""
        with self._database.reading() as connection:
            return _size_bytes(connection)

    def delete_source(self, source: str | os.PathLike[str]) -> Removed:
        """Delete the segment ids of a source; the vectors that were paid for, and its words, stay.

        Args:
            source: The name, as `sources` lists it; else a title, or a title with folders as results show it.

        Returns:
            What was deleted.

        Raises:
            InputError: The store has no such source, or the title is that of several.
        """
        name = source_named(self._database, source)
        with self._database.writing() as connection:
            return Removed(tasks=0, vectors=0, segments=_delete_ids(connection, name))

    def forget(self, source: str | os.PathLike[str], *, dry_run: bool = False) -> Removed:
        """Delete a source with what was paid for it, so that the next run that needs it pays again.

        Deleted are its segment ids, and the tasks that it used or was the first to name, with their vectors and the
        transcript, as far as they have ended (ready, failed, expired) and no other source uses them. Tasks under way
        stay. What `usage` reports stays.

        Args:
            source: As for `delete_source`.
            dry_run: Whether nothing is deleted, only counted.

        Returns:
            What was, or would be, deleted; `minutes` are those that would be paid for again.

        Raises:
            InputError: As for `delete_source`.
        """
        name = source_named(self._database, source)
        used = select(aliases.c.task).where(aliases.c.source == name)
        candidates = used.union(select(tasks.c.id).where(tasks.c.source == name))
        with self._database.writing() as connection:
            attempt = connection.begin_nested()
            ids = list(connection.scalars(candidates))
            segments = _delete_ids(connection, name)
            has_ended = tasks.c.state.in_((*ENDED, "ready"))
            removed = _delete_tasks(connection, tasks.c.id.in_(ids) & has_ended & IS_UNUSED)
            if dry_run:
                attempt.rollback()
        if not dry_run:
            self._shrink(removed)
        return replace(removed, segments=segments)

    def prune(self, *, older_than: timedelta | float) -> Removed:
        """Delete what was neither written nor given segment ids for some time and is not used.

        That is: entries that failed or expired; ready entries, with their vectors, that no segment id names (such as
        results which were only used directly); digests of files and uploads that were begun. Entries under way,
        vectors that a segment id names, and what is known of URLs and assets stay.

        Args:
            older_than: How long ago, as timedelta or in seconds; 0 is everything of the kind.

        Returns:
            What was deleted; digests are not counted.

        Raises:
            InputError: `older_than` is negative.
        """
        seconds = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
        if not seconds >= 0:
            raise InputError(f"older_than must be 0 seconds or more, got {older_than!r}.")
        before = time.time() - seconds
        which = (tasks.c.updated_at < before) & or_(tasks.c.state.in_(ENDED), (tasks.c.state == "ready") & IS_UNUSED)
        with self._database.writing() as connection:
            for table in (files, uploads):
                connection.execute(delete(table).where(table.c.updated_at < before))
            removed = _delete_tasks(connection, which)
        self._shrink(removed)
        return removed

    def close(self) -> None:
        """Close what is open. A file or server is opened again by the next use; a store in memory is lost."""
        self._database.close()
        self._results = {}

    def _shrink(self, removed: Removed) -> None:
        # The rows are deleted in any case: where the disk is full or a reader holds a lock, the file keeps its size
        # and the next vectors use the space.
        if removed.vectors:
            with contextlib.suppress(ConfigurationError):
                self._database.vacuum()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SegmentStore({self.location!r})"

    def __copy__(self) -> Self:
        return self  # a second object would be the same store, or, in memory, an empty one

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str | None]]:
        if self._database.location.is_memory:
            raise ConfigurationError(
                "a segment store in memory cannot be sent to another process; give SegmentStore the path of a file."
            )
        return type(self), (self._database.location.portable if self._is_given else None,)


def _count_sources(connection: Connection) -> dict[str, int]:
    counts = dict.fromkeys(connection.scalars(select(tasks.c.source)), 0)
    query = select(aliases.c.source, func.count()).group_by(aliases.c.source)
    counts.update((row[0], row[1]) for row in connection.execute(query))
    return dict(sorted(counts.items()))


def _size_bytes(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    total = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    return sum(int(connection.execute(total, {"name": name}).scalar_one()) for name in metadata.tables)


def _delete_ids(connection: Connection, source: str) -> int:
    """Delete the segment ids and titles of a source; return the number of ids."""
    connection.execute(delete(titles).where(titles.c.source == source))
    return connection.execute(delete(aliases).where(aliases.c.source == source)).rowcount


def _delete_tasks(connection: Connection, which: ColumnElement[bool]) -> Removed:
    """Delete entries with their vectors and segment ids, and the transcripts of content that has no entry left."""
    columns = (tasks.c.id, tasks.c.content, tasks.c.params, tasks.c.duration_sec)
    rows = connection.execute(select(*columns).where(which).with_for_update()).all()
    counts = dict.fromkeys((aliases, vectors, tasks), 0)
    for task in rows:
        for table, column in ((aliases, aliases.c.task), (vectors, vectors.c.task), (tasks, tasks.c.id)):
            counts[table] += connection.execute(delete(table).where(column == task.id)).rowcount
    for content in {row.content for row in rows}:
        for table in (transcripts, pending_transcripts):
            is_unused = ~select(tasks.c.id).where(tasks.c.content == table.c.content).exists()
            connection.execute(delete(table).where(table.c.content == content, is_unused))
    if rows:
        is_used = select(aliases.c.source).where(aliases.c.source == titles.c.source).exists()
        connection.execute(delete(titles).where(~is_used))
    minutes = sum(embedded_minutes(row.params, row.duration_sec) or 0.0 for row in rows if row.duration_sec is not None)
    return Removed(tasks=counts[tasks], vectors=counts[vectors], segments=counts[aliases], minutes=minutes)
