"""Counting what a store holds, and deleting what is not wanted any more."""

import contextlib
import time
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, text

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Removed, StoreInfo
from twelvelabs_core.store.journal import ENDED
from twelvelabs_core.store.schema import (
    SCHEMA_VERSION,
    aliases,
    files,
    metadata,
    pending_transcripts,
    tasks,
    transcripts,
    uploads,
    vectors,
)

IS_UNUSED = ~select(aliases.c.segment_id).where(aliases.c.task == tasks.c.id).exists()


class Maintenance:
    """The methods of a `SegmentStore` that count and delete."""

    _database: Database

    def info(self) -> StoreInfo:
        """Return what the store holds and how much space it takes."""
        with self._database.reading() as connection:
            states = connection.execute(select(tasks.c.state, func.count()).group_by(tasks.c.state))
            return StoreInfo(
                location=self._database.location.printable,
                version=SCHEMA_VERSION,
                size_bytes=size_bytes(connection),
                tasks={row[0]: row[1] for row in states},
                vectors=count_rows(connection, vectors),
                segments=count_rows(connection, aliases),
                sources=len(count_sources(connection)),
            )

    def sources(self) -> dict[str, int]:
        """Return every source by name with its number of segment ids; 0 where only a task is known."""
        with self._database.reading() as connection:
            return count_sources(connection)

    def delete_task(self, key: str) -> Removed:
        """Delete an entry with its vectors and all segment ids that name them; the next run pays for it again."""
        with self._database.writing() as connection:
            return delete_tasks(connection, tasks.c.key == key)

    def delete_source(self, source: str, *, vectors: bool = False) -> Removed:
        """Delete the segment ids of a source; the vectors that were paid for, and its words, stay unless requested.

        Args:
            source: The name, as `sources` lists it. An unknown one deletes nothing.
            vectors: Also delete tasks that this source used or was the first to name, with their vectors and the
                transcript, as far as they have ended (ready, failed, expired) and no other source uses them. Tasks
                under way stay.

        Returns:
            What was deleted.
        """
        used = select(aliases.c.task).where(aliases.c.source == source)
        candidates = used.union(select(tasks.c.id).where(tasks.c.source == source))
        tasks_removed = Removed(tasks=0, vectors=0, segments=0)
        with self._database.writing() as connection:
            ids = list(connection.scalars(candidates))
            segments = connection.execute(delete(aliases).where(aliases.c.source == source)).rowcount
            if vectors:
                has_ended = tasks.c.state.in_((*ENDED, "ready"))
                tasks_removed = delete_tasks(connection, tasks.c.id.in_(ids) & has_ended & IS_UNUSED)
        self._shrink(tasks_removed)
        return Removed(tasks=tasks_removed.tasks, vectors=tasks_removed.vectors, segments=segments)

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
            removed = delete_tasks(connection, which)
        self._shrink(removed)
        return removed

    def _shrink(self, removed: Removed) -> None:
        # The rows are deleted in any case: where the disk is full or a reader holds a lock, the file keeps its size
        # and the next vectors use the space.
        if removed.vectors:
            with contextlib.suppress(ConfigurationError):
                self._database.vacuum()


def count_rows(connection: Connection, of: Table) -> int:
    """Return the number of rows of a table."""
    return connection.scalar(select(func.count()).select_from(of)) or 0


def count_sources(connection: Connection) -> dict[str, int]:
    """Return the number of segment ids of each source, 0 where only a task is known."""
    counts = dict.fromkeys(connection.scalars(select(tasks.c.source)), 0)
    query = select(aliases.c.source, func.count()).group_by(aliases.c.source)
    counts.update((row[0], row[1]) for row in connection.execute(query))
    return dict(sorted(counts.items()))


def size_bytes(connection: Connection) -> int:
    """Return the space that the store takes, in bytes."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    total = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    return sum(int(connection.execute(total, {"name": name}).scalar_one()) for name in metadata.tables)


def delete_tasks(connection: Connection, which: ColumnElement[bool]) -> Removed:
    """Delete entries with their vectors and segment ids, and the transcripts of content that has no entry left."""
    rows = connection.execute(select(tasks.c.id, tasks.c.content).where(which).with_for_update()).all()
    counts = dict.fromkeys((aliases, vectors, tasks), 0)
    for task in rows:
        for table, column in ((aliases, aliases.c.task), (vectors, vectors.c.task), (tasks, tasks.c.id)):
            counts[table] += connection.execute(delete(table).where(column == task.id)).rowcount
    for content in {row.content for row in rows}:
        for table in (transcripts, pending_transcripts):
            is_unused = ~select(tasks.c.id).where(tasks.c.content == table.c.content).exists()
            connection.execute(delete(table).where(table.c.content == content, is_unused))
    return Removed(tasks=counts[tasks], vectors=counts[vectors], segments=counts[aliases])
