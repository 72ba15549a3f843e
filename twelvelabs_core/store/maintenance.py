"""Counting what a store holds, and taking out what is no longer wanted."""

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, text

from twelvelabs_core.store.entries import Removed, StoreInfo
from twelvelabs_core.store.journal import ENDED
from twelvelabs_core.store.schema import VERSION, files, metadata, segments, tasks, transcripts, uploads, vectors

IS_UNUSED = ~select(segments.c.segment_id).where(segments.c.task == tasks.c.id).exists()


def info(connection: Connection, location: str) -> StoreInfo:
    """Count everything."""
    states = connection.execute(select(tasks.c.state, func.count()).group_by(tasks.c.state))
    return StoreInfo(
        location=location,
        version=VERSION,
        size_bytes=size_bytes(connection),
        tasks={row[0]: row[1] for row in states},
        vectors=count_rows(connection, vectors),
        segments=count_rows(connection, segments),
        sources=len(sources(connection)),
    )


def count_rows(connection: Connection, of: Table) -> int:
    """Return the number of rows of a table."""
    return connection.scalar(select(func.count()).select_from(of)) or 0


def size_bytes(connection: Connection) -> int:
    """Return the space that the store takes."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    total = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    return sum(int(connection.execute(total, {"name": name}).scalar_one()) for name in metadata.tables)


def sources(connection: Connection) -> dict[str, int]:
    """Return the number of segment ids of each source, 0 where only a task is known."""
    counts = dict.fromkeys(connection.scalars(select(tasks.c.source)), 0)
    query = select(segments.c.source, func.count()).group_by(segments.c.source)
    counts.update((row[0], row[1]) for row in connection.execute(query))
    return dict(sorted(counts.items()))


def delete_source(connection: Connection, source: str, *, with_vectors: bool) -> Removed:
    """Delete the segment ids of a source and, when asked, the ended tasks which then nothing uses."""
    used = select(segments.c.task).where(segments.c.source == source).distinct()
    candidates = list(connection.scalars(used.union(select(tasks.c.id).where(tasks.c.source == source))))
    removed = connection.execute(delete(segments).where(segments.c.source == source)).rowcount
    if not with_vectors:
        return Removed(tasks=0, vectors=0, segments=removed)
    which = tasks.c.id.in_(candidates) & tasks.c.state.in_((*ENDED, "ready")) & IS_UNUSED
    gone = delete_tasks(connection, which)
    return Removed(tasks=gone.tasks, vectors=gone.vectors, segments=removed)


def prune(connection: Connection, before: float) -> Removed:
    """Delete what was last written before a time: failed and expired entries, unused results, file digests, uploads."""
    connection.execute(delete(files).where(files.c.updated_at < before))
    connection.execute(delete(uploads).where(uploads.c.updated_at < before))
    which = (tasks.c.updated_at < before) & or_(tasks.c.state.in_(ENDED), (tasks.c.state == "ready") & IS_UNUSED)
    return delete_tasks(connection, which)


def delete_tasks(connection: Connection, which: ColumnElement[bool]) -> Removed:
    """Delete entries with all that hangs on them, and the transcripts that no entry is left for."""
    rows = connection.execute(select(tasks.c.id, tasks.c.content).where(which).with_for_update()).all()
    ids, contents = [row.id for row in rows], {row.content for row in rows}
    counts = [0, 0, 0]
    for task in ids:
        counts[0] += connection.execute(delete(segments).where(segments.c.task == task)).rowcount
        counts[1] += connection.execute(delete(vectors).where(vectors.c.task == task)).rowcount
        counts[2] += connection.execute(delete(tasks).where(tasks.c.id == task)).rowcount
    is_unused = ~select(tasks.c.id).where(tasks.c.content == transcripts.c.content).exists()
    for content in contents:
        connection.execute(delete(transcripts).where(transcripts.c.content == content, is_unused))
    return Removed(segments=counts[0], vectors=counts[1], tasks=counts[2])
