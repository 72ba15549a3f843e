"""Copies of a store, or of some sources of it, to another store: a file for another machine, or a server."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select, update

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import many
from twelvelabs_core.results.segments import SegmentPosition
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Copied
from twelvelabs_core.store.journal import ENDED
from twelvelabs_core.store.names import source_named
from twelvelabs_core.store.schema import aliases, assets, payments, tasks, titles, transcripts, upsert, urls, vectors
from twelvelabs_core.store.vectors import WIRE_TYPE, damaged, is_intact

COPIED_STATES = ("ready", "processing")


@dataclass(frozen=True, slots=True)
class _Part:
    """A task with all that belongs to it."""

    task: dict[str, Any]
    vectors: list[dict[str, Any]]
    aliases: list[dict[str, Any]]
    others: Mapping[Table, list[dict[str, Any]]]


class Transfer:
    """The method of a `SegmentStore` that copies it."""

    _database: Database

    def copy_to(self, target: "Transfer", *, sources: Iterable[str | os.PathLike[str]] | None = None) -> Copied:
        """Copy what was paid for to another store, such as a file for another machine or a PostgreSQL database.

        Copied are tasks that are ready or under way, with their vectors, segment ids, titles, words, assets and
        payments. What the other store has already stays as it is there, except tasks that failed or expired in it, or
        that only this store has as ready. Safe to repeat after an interruption.

        Args:
            target: The other `SegmentStore`; a new file is created.
            sources: Names as for `delete_source`. Default: all.

        Returns:
            What the other store did not have.

        Raises:
            InputError: A source is unknown, or `target` is not another `SegmentStore`.
            ConfigurationError: A store cannot be used, or vectors are damaged.
        """
        if not isinstance(target, Transfer):
            raise InputError(
                f"target must be a SegmentStore, got {type(target).__name__}; pass SegmentStore(location)."
            )
        own, other = self._database.location, target._database.location  # noqa: SLF001  # of the same class
        if target is self or (own == other and not own.is_memory):
            raise InputError(f"the other store is this one: {own.printable}.")
        names = None if sources is None else [source_named(self._database, one) for one in many(sources, "sources")]
        total = Copied(0, 0, 0)
        for number in self._tasks_of(names):
            part = self._part_of(number, names)
            if part is not None:
                new = target._put_part(part)  # noqa: SLF001  # of the same class
                total = Copied(total.tasks + new.tasks, total.vectors + new.vectors, total.segments + new.segments)
        return total

    def _tasks_of(self, sources: Sequence[str] | None) -> list[int]:
        """Return the numbers of the tasks that sources used or were the first to name; of all sources for None."""
        with self._database.reading() as connection:
            if sources is None:
                return list(connection.scalars(select(tasks.c.id).where(tasks.c.state.in_(COPIED_STATES))))
            found: set[int] = set()
            for source in sources:
                used = select(aliases.c.task).where(aliases.c.source == source)
                found |= set(connection.scalars(used.union(select(tasks.c.id).where(tasks.c.source == source))))
        return sorted(found)

    def _part_of(self, number: int, sources: Sequence[str] | None) -> _Part | None:
        """Return a task with all that belongs to it, read at once; None if it is not to be copied, or was deleted."""
        with self._database.reading() as connection:
            row = connection.execute(select(tasks).where(tasks.c.id == number)).one_or_none()
            if row is None or row.state not in COPIED_STATES:
                return None
            named = [
                one
                for one in _rows(connection, aliases, aliases.c.task == number)
                if sources is None or one["source"] in sources
            ]
            names = {row.source, *(one["source"] for one in named)}
            part = _Part(
                _plain(row),
                _rows(connection, vectors, vectors.c.task == number),
                named,
                {
                    titles: _rows(connection, titles, titles.c.source.in_(names)),
                    payments: _rows(connection, payments, payments.c.key == row.key),
                    **{
                        table: _rows(connection, table, table.c.content == row.content)
                        for table in (transcripts, urls, assets)
                    },
                },
            )
        size = (row.dimension or 0) * WIRE_TYPE.itemsize
        if len(part.vectors) != (row.vector_count or 0) or not all(
            is_intact(one["vector"], one["checksum"], size) for one in part.vectors
        ):
            raise damaged(row.key)
        return part

    def _put_part(self, part: _Part) -> Copied:
        """Write what of a task this store does not have."""
        with self._database.writing() as connection:
            dialect = connection.dialect.name
            number, is_new = _put_task(connection, part)
            rows = _row_numbers(connection, number)
            named = [
                {**one, "task": number, "row": rows[place]}
                for one in part.aliases
                if (place := _position(part.vectors[one["row"]])) in rows
            ]
            known = set(connection.scalars(select(payments.c.key).where(payments.c.key == part.task["key"])))
            for table, values in part.others.items():
                if table is payments:
                    values = [] if known else [_without_id(one) for one in values]  # noqa: PLW2901  # one list for all
                if values:
                    connection.execute(upsert(dialect, table).on_conflict_do_nothing(), values)
            before = _count_ids(connection, number)
            if named:
                connection.execute(upsert(dialect, aliases).on_conflict_do_nothing(), named)
            added = _count_ids(connection, number) - before
        return Copied(int(is_new), len(part.vectors) if is_new else 0, added)


def _put_task(connection: Connection, part: _Part) -> tuple[int, bool]:
    """Write a task and its vectors, unless it is there; return its number in this store, and whether it was written."""
    known = connection.execute(
        select(tasks.c.id, tasks.c.state).where(tasks.c.key == part.task["key"]).with_for_update()
    ).one_or_none()
    values = _without_id(part.task)
    if known is None:
        connection.execute(insert(tasks), values)
    elif known.state in ENDED or (known.state != "ready" and part.task["state"] == "ready"):
        changes = {**values, "revision": tasks.c.revision + 1}
        connection.execute(update(tasks).where(tasks.c.id == known.id).values(changes))
    else:
        return int(known.id), False
    number = int(connection.scalar(select(tasks.c.id).where(tasks.c.key == part.task["key"])) or 0)
    if part.vectors:
        connection.execute(insert(vectors), [{**one, "task": number} for one in part.vectors])
    return number, True


def _row_numbers(connection: Connection, number: int) -> dict[tuple[Any, ...], int]:
    """Return the row of each vector of a task by its position: a segment id means a position."""
    columns = [vectors.c[name] for name in SegmentPosition._fields]
    query = select(vectors.c.row, *columns).where(vectors.c.task == number)
    return {tuple(row[1:]): row[0] for row in connection.execute(query)}


def _position(vector: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(vector[name] for name in SegmentPosition._fields)


def _count_ids(connection: Connection, number: int) -> int:
    return len(connection.scalars(select(aliases.c.segment_id).where(aliases.c.task == number)).all())


def _rows(connection: Connection, table: Table, which: Any) -> list[dict[str, Any]]:
    return [_plain(row) for row in connection.execute(select(table).where(which).order_by(*table.primary_key))]


def _plain(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name


def _without_id(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "id"}
