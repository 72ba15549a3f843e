"""The sources that a caller of a `SegmentStore` means by a name."""

import os
from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import name_of_path
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.schema import aliases, tasks, titles


def are_named(names: Collection[str]) -> ColumnElement[bool]:
    """Return the condition of `titles`: the source has one of these titles, is one of these names, or ends with one."""
    ends = [titles.c.source.endswith(f"/{name}", autoescape=True) for name in names]
    return or_(titles.c.title.in_(names), titles.c.source.in_(names), *ends)


def source_named(database: Database, name: str | os.PathLike[str]) -> str:
    """Return the source with a name; else the one with this title, or whose name ends with it after a slash.

    Raises:
        InputError: No source or several have it.
    """
    if not isinstance(name, str | os.PathLike):
        raise InputError(f"a source must be a str or a path, got {name!r}.")
    text = name if isinstance(name, str) else name_of_path(os.fsdecode(name))
    exact = [select(table.c.source).where(table.c.source == text) for table in (tasks, aliases)]
    with database.reading() as connection:
        if connection.scalar(exact[0].union(exact[1])) is not None:
            return text
        query = select(titles.c.source).where(are_named([text])).distinct().order_by(titles.c.source)
        found = list(connection.scalars(query)) if text else []
    if len(found) > 1:
        raise InputError(f"{text!r} names {len(found)} files: {', '.join(found)}. Pass one of these.")
    if not found:
        raise InputError(f"the segment store {database.location.printable} has no source {text!r}; see sources().")
    return str(found[0])
