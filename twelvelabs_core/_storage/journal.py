"""The journal of paid work: the states of a task's entry and every allowed change between them.

    intent -> processing -> ready | failed | expired        failed | expired -> intent (another attempt)

`ready` is final. Every change is one statement that names the states it may start from, so two processes that compete
for an entry are told apart by the database, never by a read before a write.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from twelvelabs_core._errors import InputError
from twelvelabs_core._storage.entries import TaskEntry
from twelvelabs_core._storage.owners import owner
from twelvelabs_core._storage.schema import tasks

IDS_PER_QUERY = 500
FOUND = "found in the list of tasks"  # how an entry has its id that was not told it by the create's answer
UNDER_WAY = ("intent", "processing")
ENDED = ("failed", "expired")
UNFINISHED = (*UNDER_WAY, *ENDED)


def upsert(connection: Connection, into: Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an `INSERT ... ON CONFLICT`, which SQLAlchemy has per dialect."""
    return postgresql.insert(into) if connection.dialect.name == "postgresql" else sqlite.insert(into)


def find(connection: Connection, key: str) -> TaskEntry | None:
    """Return the entry of a key, or None."""
    columns = [tasks.c[name] for name in TaskEntry.__dataclass_fields__]
    row = connection.execute(select(*columns).where(tasks.c.key == key)).one_or_none()
    return None if row is None else TaskEntry(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name


def is_under_way(connection: Connection, content: str, account: str) -> bool:
    """Return whether an account has begun a task of this content that has not ended, as far as is known."""
    which = (tasks.c.content == content) & (tasks.c.account == account) & tasks.c.state.in_(UNDER_WAY)
    return connection.scalar(select(tasks.c.id).where(which).limit(1)) is not None


def put_intent(connection: Connection, values: Mapping[str, Any], replacing: TaskEntry | None) -> bool:
    """Write an intent where there is no entry, an ended one, or still the one to replace; return whether it was."""
    now = time.time()
    fresh = {"state": "intent", "task_id": None, "error": None, "owner": owner(), "created_at": now, "updated_at": now}
    changes = {
        **values,
        **fresh,
        "attempts": tasks.c.attempts + 1,
        "revision": tasks.c.revision + 1,
    }
    statement = upsert(connection, tasks).values(**values, **fresh, attempts=1, revision=1)
    result = connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_=changes, where=replaceable(replacing)),
        execution_options={"preserve_rowcount": True},  # SQLAlchemy drops it for inserts on some drivers
    )
    return result.rowcount > 0


def replaceable(replacing: TaskEntry | None) -> ColumnElement[bool]:
    """Return the condition under which a new intent may take an entry's place."""
    ended = tasks.c.state.in_(ENDED)
    if replacing is None:
        return ended
    # The revision alone would also fit the entry of a later life, after a deletion.
    is_same = and_(tasks.c.revision == replacing.revision, tasks.c.created_at == replacing.created_at)
    return or_(ended, and_(tasks.c.state.in_(UNDER_WAY), is_same))


def change(connection: Connection, key: str, **values: Any) -> None:
    """Change an entry that is not ready; a ready one stays as it is.

    Raises:
        InputError: There is no entry of this key.
    """
    statement = update(tasks).where(tasks.c.key == key, tasks.c.state.in_(UNFINISHED))
    result = connection.execute(statement.values(**values, revision=tasks.c.revision + 1, updated_at=time.time()))
    if not result.rowcount and find(connection, key) is None:
        raise no_entry(key)


def adopt(connection: Connection, entry: TaskEntry, task_id: str) -> bool:
    """Give an intent the task that was found for it, unless somebody has written to it since; return whether it was."""
    unchanged = (tasks.c.key == entry.key) & (tasks.c.state == "intent") & (tasks.c.revision == entry.revision)
    changes = {"state": "processing", "task_id": task_id, "error": FOUND, "owner": owner()}
    moved = {"revision": tasks.c.revision + 1, "updated_at": time.time()}
    return connection.execute(update(tasks).where(unchanged).values(**changes, **moved)).rowcount > 0


def intents(connection: Connection, account: str) -> list[TaskEntry]:
    """Return an account's entries whose task's id is not known."""
    columns = [tasks.c[name] for name in TaskEntry.__dataclass_fields__]
    rows = connection.execute(select(*columns).where(tasks.c.account == account, tasks.c.state == "intent"))
    return [TaskEntry(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name


def known_ids(connection: Connection, task_ids: Sequence[str]) -> frozenset[str]:
    """Return those of some task ids that the journal has."""
    found: set[str] = set()
    for start in range(0, len(task_ids), IDS_PER_QUERY):
        some = task_ids[start : start + IDS_PER_QUERY]
        found.update(connection.scalars(select(tasks.c.task_id).where(tasks.c.task_id.in_(some))))
    return frozenset(found)


def no_entry(key: str) -> InputError:
    """Return the error for a key that the journal does not know."""
    return InputError(f"the segment store has no entry of the task key {key!r}; call put_intent first.")
