"""The vectors of a task, and the segment ids that name them: rows of the database <-> float32 arrays.

The row of a vector is its position in `Segments`, whose order is therefore part of the store's format.
"""

import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Table, TextClause, bindparam, insert, select, update

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.models.paid_work import embedded_minutes
from twelvelabs_core.results.references import head_line, head_title
from twelvelabs_core.results.segments import Matrix, SegmentPosition, Segments
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Findings, KnownUrl, StoredResult, StoredVector
from twelvelabs_core.store.journal import ENTRY_WAS_WRITTEN, find_serving, no_entry
from twelvelabs_core.store.lookups import find_known_url
from twelvelabs_core.store.names import are_named
from twelvelabs_core.store.payments import PUT_MINUTES
from twelvelabs_core.store.schema import aliases, compiled, tasks, titles, upsert, vectors

WIRE_TYPE = np.dtype("<f4")
EntryVersion = tuple[int, float]
"""Number of an entry and when it was created: one that was deleted and paid for again has another version."""
IDS_PER_QUERY = 500
IDS_PER_READ = 10_000
"""Vectors of one transaction, 0.1 to 0.5 s: on SQLite no other process can commit meanwhile."""
RESULT_BYTES = 256 * 2**20
"""Bytes of vectors that a store keeps in memory for `find_results`: those of 48 hours of video in clips of 4 s."""
POSITION_COLUMNS = [vectors.c[name] for name in SegmentPosition._fields]
ROW_OF_KEY = select(tasks).where(tasks.c.key == bindparam("of_key"))
LOCKED_ROW_OF_KEY = ROW_OF_KEY.with_for_update()
VECTORS_OF_TASK = select(vectors.c.vector, vectors.c.checksum, *POSITION_COLUMNS).order_by(vectors.c.row)
VECTORS_OF_TASK = VECTORS_OF_TASK.where(vectors.c.task == bindparam("of_task"))
PUT_VECTORS = insert(vectors)
PUT_READY = (
    update(tasks)
    .where(tasks.c.id == bindparam("of_task"))
    .values(state="ready", error=None, **ENTRY_WAS_WRITTEN)
    .values({name: bindparam(name) for name in ("duration_sec", "dimension", "vector_count")})
)
NAMES = (aliases.c.task == vectors.c.task) & (aliases.c.row == vectors.c.row)
NAMED_ROWS = (
    select(aliases.c.segment_id, aliases.c.row, tasks.c.key)
    .join(tasks, tasks.c.id == aliases.c.task)
    .where(aliases.c.segment_id.in_(bindparam("names", expanding=True)))
)
TITLE = select(titles.c.source).where(
    titles.c.source == bindparam("of_source"), titles.c.title == bindparam("of_title")
)
NAMED_VECTORS = (
    select(vectors.c.vector, vectors.c.checksum, tasks.c.key, tasks.c.dimension)
    .add_columns(aliases.c.segment_id, tasks.c.space, aliases.c.source, *POSITION_COLUMNS)
    .join_from(aliases, vectors, NAMES)
    .join(tasks, tasks.c.id == vectors.c.task)
    .where(aliases.c.segment_id.in_(bindparam("ids", expanding=True)))
)
POSITION_IN_ROW = 7  # of these columns


class Vectors:
    """The methods of a `SegmentStore` for results and segment ids."""

    _database: Database
    _results: Mapping[EntryVersion, StoredResult]

    def put_result(self, key: str, segments: Segments, *, duration_sec: float) -> int | None:
        """Write the result of a task, all vectors in one transaction: its state is now `ready` and stays so.

        Where the entry is ready already, because another process waited for the same task, the first result stays.

        Args:
            key: Identity of the work.
            segments: The vectors with their times.
            duration_sec: Length of the media in seconds.

        Returns:
            How many intents were written for the entry; None where the first result stays.

        Raises:
            InputError: The key has no entry.
        """
        with self._database.writing() as connection:
            entry = find_row(connection, key, lock=True)
            if entry.state == "ready":
                return None
            if len(segments):
                connection.execute(PUT_VECTORS, list(vector_rows(entry.id, segments)))
            known = {"duration_sec": duration_sec, "dimension": segments.dimension, "vector_count": len(segments)}
            connection.execute(PUT_READY, {"of_task": entry.id, "now": time.time(), **known})
            minutes = embedded_minutes(entry.params, duration_sec)
            connection.execute(PUT_MINUTES, {"of_key": key, "new_minutes": minutes})
            return int(entry.attempts)

    def load_result(self, key: str) -> tuple[Segments, float]:
        """Return the vectors of a ready task and the length of its media in seconds.

        Raises:
            InputError: The key has no ready entry.
            ConfigurationError: Vectors are missing or damaged.
        """
        with self._database.reading() as connection:
            entry = find_row(connection, key)
            if entry.state != "ready":
                raise InputError(f"the task key {key!r} has no result yet: its entry is {entry.state}.")
            rows = connection.execute(VECTORS_OF_TASK, {"of_task": entry.id}).all()
        return _read_result(entry, rows)

    def find_work(
        self,
        content_of: Callable[[KnownUrl | None], str],
        *,
        space: str,
        params: Mapping[str, Any],
        wanted: Mapping[str, Any],
        url: str | None = None,
    ) -> Findings:
        """Return what is known of one piece of work, read at once.

        It is the task of these parameters, or another one of the same content whose result contains what is wanted.

        Args:
            content_of: Returns the content identity, given what is known of the URL.
            space: Who makes the vectors.
            params: The identity of the options of the task that would be created.
            wanted: The identity of the options that are wanted.
            url: The unsigned URL of the media, where its content depends on what is known of it.

        Raises:
            ConfigurationError: Vectors are missing or damaged.
        """
        rows: Sequence[Row[Any]] = ()
        with self._database.reading() as connection:
            known = None if url is None else find_known_url(connection, url)
            entry = find_serving(connection, space, content_of(known), params, wanted)
            if entry is None or entry.state != "ready":
                return Findings(known, entry, None)
            row = find_row(connection, entry.key)
            rows = connection.execute(VECTORS_OF_TASK, {"of_task": row.id}).all()
        return Findings(known, entry, _read_result(row, rows))

    def add_aliases(
        self,
        key: str,
        rows: Iterable[tuple[str, int]],
        *,
        source: str,
        title: str | None = None,
        is_new: bool = False,
    ) -> None:
        """Let segment ids name vectors of a ready task.

        Safe to repeat. An id that names a vector already keeps that vector, and is free again only when the vector
        was deleted.

        Args:
            key: Identity of the task.
            rows: Pairs of segment id and row in the task's `Segments`, any number.
            source: The caller's name of the media, to list and delete by.
            title: Its title in head lines. A reference is believed only beside a title with which it was added.
            is_new: Whether they are hardly added yet: it is then not read first whether they are.

        Raises:
            InputError: The key has no entry, or it has no such row; nothing is written.
        """
        rows = sorted(rows)  # one order in all processes, or two could wait for each other
        if not is_new and self._are_added(key, rows, source, title):
            return
        with self._database.writing() as connection:
            entry = find_row(connection, key, lock=True)
            count = entry.vector_count or 0
            if wrong := [row for _, row in rows if not 0 <= row < count]:
                raise InputError(
                    f"the task key {key!r} has {count} vectors in the segment store, so no row {wrong[0]}."
                )
            if rows:
                values = [{"segment_id": name, "task": entry.id, "row": row, "source": source} for name, row in rows]
                connection.execute(_put_new(connection.dialect.name, aliases), values)
                if title is not None:
                    named = {"source": source, "title": head_title(title)}
                    connection.execute(_put_new(connection.dialect.name, titles), named)
            connection.execute(update(tasks).where(tasks.c.id == entry.id).values(updated_at=time.time()))

    def _are_added(self, key: str, rows: Sequence[tuple[str, int]], source: str, title: str | None) -> bool:
        """Return whether nothing is left to write; in a store that cannot be written, of the names alone."""
        found: set[tuple[str, int, str]] = set()
        with self._database.reading() as connection:
            for names in batched([name for name, _ in rows]):
                found.update(tuple(row) for row in connection.execute(NAMED_ROWS, {"names": names}))
            if self._database.is_read_only:
                return {name for name, _, _ in found} >= dict(rows).keys()
            # An id that names a vector of another task has no effect, but counts as a use of this one.
            if not rows or found != {(name, row, key) for name, row in rows}:
                return False
            return (
                title is None
                or connection.scalar(TITLE, {"of_source": source, "of_title": head_title(title)}) is not None
            )

    def find_vectors(self, segment_ids: Sequence[str]) -> dict[str, StoredVector]:
        """Return the vectors that segment ids name; ids which name none are absent. Any number of ids.

        Raises:
            ConfigurationError: A vector is damaged.
        """
        found: dict[str, StoredVector] = {}
        for some in batched(segment_ids, IDS_PER_READ):
            rows: list[Row[Any]] = []
            with self._database.reading() as connection:
                for ids in batched(some):
                    rows += connection.execute(NAMED_VECTORS, {"ids": ids})
            for (dimension, size), group in _grouped(rows).items():
                for data, checksum, key in (row[:3] for row in group):
                    if not is_intact(data, checksum, dimension * WIRE_TYPE.itemsize):
                        raise damaged(key)
                block = np.frombuffer(b"".join(row[0] for row in group), dtype=WIRE_TYPE)
                matrix = block.reshape(-1, size // WIRE_TYPE.itemsize)[:, :dimension].astype(np.float32, copy=False)
                matrix.setflags(write=False)
                for vector, row in zip(matrix, group, strict=True):
                    position = SegmentPosition(*row[POSITION_IN_ROW:])
                    found[row[4]] = StoredVector(row[5], vector, position, row[6])
        return found

    def find_results(self, segment_ids: Sequence[str]) -> tuple[dict[str, str], dict[str, StoredResult]]:
        """Return the whole results that segment ids are from: all clips and options of their files.

        The results that were used last are kept in memory, up to 256 MB of vectors: a result never changes.

        Args:
            segment_ids: Any number of ids; those that name no vector are left out.

        Returns:
            The task key of each id, and the result of each task key.

        Raises:
            ConfigurationError: A vector is damaged.
        """
        keys: dict[str, str] = {}
        entries: dict[str, Row[Any]] = {}
        names = select(
            aliases.c.segment_id, tasks.c.id, tasks.c.created_at, tasks.c.key, tasks.c.space, tasks.c.content
        )
        names = names.join(tasks, tasks.c.id == aliases.c.task)
        with self._database.reading() as connection:
            for ids in batched(segment_ids):
                for row in connection.execute(names.where(aliases.c.segment_id.in_(ids))):
                    keys[row.segment_id] = row.key
                    entries[row.key] = row
        known = self._results
        used: dict[EntryVersion, StoredResult] = {}
        for key, entry in entries.items():
            version = (entry.id, entry.created_at)
            used[version] = known.get(version) or StoredResult(entry.space, entry.content, self.load_result(key)[0])
        self._results = _latest({**known, **used}, used)
        return keys, dict(zip(entries, used.values(), strict=True))

    def find_segment_ids(self, sources: Collection[str] | None = None) -> dict[str, str]:
        """Return the source of each registered segment id of these sources; of all sources by default."""
        query = select(aliases.c.segment_id, aliases.c.source)
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            parts = [query] if sources is None else [query.where(aliases.c.source.in_(s)) for s in batched(sources)]
            for part in parts:
                found |= {row.segment_id: row.source for row in connection.execute(part)}
        return found

    def find_titles(self, sources: Collection[str]) -> dict[str, set[str]]:
        """Return the titles with which the segment ids of each source were added, as they are in head lines."""
        found: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for names in batched(sources):
                for row in connection.execute(select(titles).where(titles.c.source.in_(names))):
                    found.setdefault(row.source, set()).add(row.title)
        return found

    def list_sources(self) -> dict[str, str]:
        """Return the title of each source whose segments were registered; one of them where there are several."""
        with self._database.reading() as connection:
            rows = connection.execute(select(titles).order_by(titles.c.source, titles.c.title))
            return {row.source: row.title for row in rows}

    def find_sources(self, titles_or_ends: Collection[str]) -> dict[str, str]:
        """Return the titles of the sources that have one of these titles, are one of these names, or end with one.

        Args:
            titles_or_ends: Titles, sources, or the last parts of sources: `match.mp4`, `cup/match.mp4`.
        """
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for names in batched(titles_or_ends):
                query = select(titles).where(are_named(names)).order_by(titles.c.source, titles.c.title)
                found |= {row.source: row.title for row in connection.execute(query)}
        return found

    def find_heads(self, title: str) -> set[str]:
        """Return the head lines of all segments of a title, as it is in head lines."""
        sources = select(titles.c.source).where(titles.c.title == title)
        query = select(*POSITION_COLUMNS).join_from(aliases, vectors, NAMES).where(aliases.c.source.in_(sources))
        with self._database.reading() as connection:
            return {head_line(title, SegmentPosition(*row)) for row in connection.execute(query.distinct())}

    def find_contents(self, segment_ids: Collection[str]) -> dict[str, str]:
        """Return the content identity of the media that segment ids are of; ids which name no vector are absent."""
        query = select(aliases.c.segment_id, tasks.c.content).join(tasks, tasks.c.id == aliases.c.task)
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for ids in batched(segment_ids):
                rows = connection.execute(query.where(aliases.c.segment_id.in_(ids)))
                found.update((row.segment_id, row.content) for row in rows)
        return found

    def has_segment_like(self, piece: str) -> bool:
        """Return whether a segment id contains a text, which is at least 8 characters of one."""
        query = select(aliases.c.segment_id).where(aliases.c.segment_id.contains(piece, autoescape=True)).limit(1)
        with self._database.reading() as connection:
            return connection.scalar(query) is not None


@cache
def _put_new(dialect: str, into: Table) -> TextClause:
    return compiled(upsert(dialect, into).on_conflict_do_nothing(), into.c.keys())


def _latest(
    results: Mapping[EntryVersion, StoredResult], used: Collection[EntryVersion]
) -> dict[EntryVersion, StoredResult]:
    """Return the used results, then earlier ones, up to `RESULT_BYTES` of vectors, in reverse."""
    kept: dict[EntryVersion, StoredResult] = {}
    size = 0
    for version in [*used, *(earlier for earlier in reversed([*results]) if earlier not in used)]:
        size += results[version].segments.vectors.nbytes
        if size > RESULT_BYTES:
            break
        kept[version] = results[version]
    return dict(reversed(kept.items()))


def batched(values: Collection[str], size: int = IDS_PER_QUERY) -> Iterator[list[str]]:
    """Yield the values in lists, by default of as many as fit into a query."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def find_row(connection: Connection, key: str, *, lock: bool = False) -> Row[Any]:
    """Return the row of an entry; `lock` keeps it until the end of the transaction (a writer of SQLite locks all)."""
    row = connection.execute(LOCKED_ROW_OF_KEY if lock else ROW_OF_KEY, {"of_key": key}).one_or_none()
    if row is None:
        raise no_entry(key)
    return row


def _read_result(entry: Row[Any], rows: Sequence[Row[Any]]) -> tuple[Segments, float]:
    """Return the result in the rows of an entry and its vectors; ConfigurationError where they are damaged."""
    size = entry.dimension * WIRE_TYPE.itemsize
    if len(rows) != entry.vector_count or not all(is_intact(row[0], row[1], size) for row in rows):
        raise damaged(entry.key)
    matrix, uncertainty = read_matrices([row[0] for row in rows], entry.dimension)
    return Segments(matrix, [SegmentPosition(*row[2:]) for row in rows], uncertainty), entry.duration_sec


def vector_rows(task: int, segments: Segments) -> Iterator[dict[str, object]]:
    """Yield the database row of each vector."""
    matrices = [segments.vectors] if segments.uncertainty is None else [segments.vectors, segments.uncertainty]
    values = memoryview(np.ascontiguousarray(np.hstack(matrices), dtype=WIRE_TYPE).tobytes())
    size = len(matrices) * segments.dimension * WIRE_TYPE.itemsize
    for row, position in enumerate(segments.positions):
        vector = values[row * size : (row + 1) * size]
        yield {"task": task, "row": row, **position._asdict(), "vector": vector, "checksum": zlib.crc32(vector)}


def _grouped(rows: Sequence[Row[Any]]) -> dict[tuple[int, int], list[Row[Any]]]:
    """Return rows of `NAMED_VECTORS` by the dimension and the bytes of their vectors: each group is one matrix."""
    groups: dict[tuple[int, int], list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault((row[3], len(row[0])), []).append(row)
    return groups


def is_intact(data: object, checksum: int, size: int) -> bool:
    """Return whether the bytes of a vector, and of its uncertainty if there is one, are those that were written."""
    return isinstance(data, bytes) and len(data) in (size, 2 * size) and zlib.crc32(data) == checksum


def read_matrices(rows: Sequence[bytes], dimension: int) -> tuple[Matrix, Matrix | None]:
    """Return the vectors in these bytes, and their uncertainty where it was stored with them."""
    matrix = np.frombuffer(b"".join(rows), dtype=WIRE_TYPE).reshape(len(rows), -1 if rows else dimension)
    if matrix.shape[1] == dimension:
        return matrix, None
    return matrix[:, :dimension], matrix[:, dimension:]


def damaged(key: str) -> ConfigurationError:
    """Return the error for vectors that are not what was written."""
    return ConfigurationError(
        f"the vectors of the task key {key!r} are damaged in the segment store; none was used. "
        f"Restore the store from a backup, or call delete_task({key!r}) and load the video again (paid again)."
    )
