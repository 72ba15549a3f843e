"""The vectors of a task, and the segment ids that name them: rows of the database <-> float32 arrays.

The row of a vector is its place in `Segments`, whose order is therefore part of the store's format.
"""

import time
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Connection, insert, select, update

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.results.segments import Matrix, SegmentPosition, Segments
from twelvelabs_core.store.entries import StoredVector
from twelvelabs_core.store.journal import no_entry, upsert
from twelvelabs_core.store.schema import segments as segment_table
from twelvelabs_core.store.schema import tasks, vectors

WIRE_TYPE = np.dtype("<f4")
IDS_PER_QUERY = 500
POSITION_COLUMNS = [vectors.c[name] for name in SegmentPosition._fields]


def put(connection: Connection, key: str, segments: Segments) -> bool:
    """Write the vectors of an entry; return False where it has them already.

    Raises:
        InputError: There is no entry of this key.
    """
    query = select(tasks.c.id, tasks.c.state).where(tasks.c.key == key).with_for_update()
    entry = connection.execute(query).one_or_none()
    if entry is None:
        raise no_entry(key)
    if entry.state == "ready":
        return False
    if len(segments):
        connection.execute(insert(vectors), list(vector_rows(entry.id, segments)))
    return True


def vector_rows(task: int, segments: Segments) -> Iterator[dict[str, object]]:
    """Yield the database row of each vector."""
    parts = [segments.vectors] if segments.uncertainty is None else [segments.vectors, segments.uncertainty]
    values = memoryview(np.ascontiguousarray(np.hstack(parts), dtype=WIRE_TYPE).tobytes())
    size = len(parts) * segments.dimension * WIRE_TYPE.itemsize
    for row, position in enumerate(segments.positions):
        vector = values[row * size : (row + 1) * size]
        yield {"task": task, "row": row, **position._asdict(), "vector": vector, "checksum": zlib.crc32(vector)}


def load(connection: Connection, key: str) -> tuple[Segments, float]:
    """Read the vectors of a ready entry.

    Raises:
        InputError: There is no ready entry of this key.
        ConfigurationError: Vectors are missing or damaged.
    """
    entry = connection.execute(select(tasks).where(tasks.c.key == key)).one_or_none()
    if entry is None:
        raise no_entry(key)
    if entry.state != "ready":
        raise InputError(f"the result of the task key {key!r} is not there: its entry is {entry.state}.")
    query = select(vectors.c.vector, vectors.c.checksum, *POSITION_COLUMNS).where(vectors.c.task == entry.id)
    rows = connection.execute(query.order_by(vectors.c.row)).all()
    size = entry.dimension * WIRE_TYPE.itemsize
    if len(rows) != entry.vector_count or not all(is_intact(row[0], row[1], size) for row in rows):
        raise damaged(key)
    matrix, uncertainty = read_matrices([row[0] for row in rows], entry.dimension)
    return Segments(matrix, [SegmentPosition(*row[2:]) for row in rows], uncertainty), entry.duration_sec


def add_aliases(connection: Connection, key: str, rows: Iterable[tuple[str, int]], source: str) -> None:
    """Let segment ids name vectors of an entry; ids that name one already stay.

    Raises:
        InputError: There is no entry of this key, or it has no such row.
    """
    query = select(tasks.c.id, tasks.c.vector_count).where(tasks.c.key == key).with_for_update()
    entry = connection.execute(query).one_or_none()
    if entry is None:
        raise no_entry(key)
    count = entry.vector_count or 0
    aliases = [
        {"segment_id": segment_id, "task": entry.id, "row": row, "source": source}
        for segment_id, row in sorted(rows)  # one order for all, or two processes could wait for each other
    ]
    if wrong := [alias["row"] for alias in aliases if not 0 <= alias["row"] < count]:
        raise InputError(f"the task key {key!r} has {count} vectors in the segment store, so no row {wrong[0]}.")
    if aliases:
        connection.execute(upsert(connection, segment_table).on_conflict_do_nothing(), aliases)
    connection.execute(update(tasks).where(tasks.c.id == entry.id).values(updated_at=time.time()))


def find(connection: Connection, segment_ids: Sequence[str]) -> dict[str, StoredVector]:
    """Return the vectors that these ids name; ids without one are absent.

    Raises:
        ConfigurationError: A vector is damaged.
    """
    query = (
        select(
            vectors.c.vector,
            vectors.c.checksum,
            segment_table.c.segment_id,
            tasks.c.space,
            tasks.c.dimension,
            tasks.c.key,
        )
        .join_from(
            segment_table, vectors, (segment_table.c.task == vectors.c.task) & (segment_table.c.row == vectors.c.row)
        )
        .join(tasks, tasks.c.id == vectors.c.task)
    )
    found: dict[str, StoredVector] = {}
    for start in range(0, len(segment_ids), IDS_PER_QUERY):
        batch = segment_ids[start : start + IDS_PER_QUERY]
        for row in connection.execute(query.where(segment_table.c.segment_id.in_(batch))):
            if not is_intact(row.vector, row.checksum, row.dimension * WIRE_TYPE.itemsize):
                raise damaged(row.key)
            found[row.segment_id] = StoredVector(row.space, read_vector(row.vector, row.dimension))
    return found


def is_intact(data: object, checksum: int, size: int) -> bool:
    """Return whether the bytes of a vector, and of its uncertainty if there is one, are those that were written."""
    return isinstance(data, bytes) and len(data) in (size, 2 * size) and zlib.crc32(data) == checksum


def read_matrices(rows: Sequence[bytes], dimension: int) -> tuple[Matrix, Matrix | None]:
    """Return the vectors that lie in these bytes, and their uncertainty where it was stored with them."""
    matrix = np.frombuffer(b"".join(rows), dtype=WIRE_TYPE).reshape(len(rows), -1 if rows else dimension)
    if matrix.shape[1] == dimension:
        return matrix, None
    return matrix[:, :dimension], matrix[:, dimension:]


def read_vector(data: bytes, dimension: int) -> Matrix:
    """Return the array that lies in these bytes; read-only, and without a copy on little-endian machines."""
    vector = np.frombuffer(data, dtype=WIRE_TYPE, count=dimension).astype(np.float32, copy=False)
    vector.setflags(write=False)
    return vector


def damaged(key: str) -> ConfigurationError:
    """Return the error for vectors that are not what was written."""
    return ConfigurationError(
        f"the vectors of the task key {key!r} are damaged in the segment store; none was used. "
        f"Bring the store back from a backup, or call delete_task({key!r}) and load the video again (paid again)."
    )
