"""The journal of paid work: the states of a task's entry and every allowed change between them.

    intent -> processing -> ready | failed | expired        failed | expired -> intent (another attempt)

`ready` is final. Every change is one statement that names the states it may start from, so two processes that compete
for an entry are told apart by the database, never by a read before a write.

Who wrote an intent, and whether that process is still there.
"""

import functools
import os
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.store.entries import TaskEntry
from twelvelabs_core.store.schema import tasks

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
        "attempts": tasks.c.attempts + case((was_refused(), 0), else_=1),
        "revision": tasks.c.revision + 1,
    }
    statement = upsert(connection, tasks).values(**values, **fresh, attempts=1, revision=1)
    result = connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_=changes, where=replaceable(replacing)),
        execution_options={"preserve_rowcount": True},  # SQLAlchemy drops it for inserts on some drivers
    )
    return result.rowcount > 0


def was_refused() -> ColumnElement[bool]:
    """Return the condition that an entry came to nothing at the server: no task was made, nothing was paid for."""
    return and_(tasks.c.state == "failed", tasks.c.task_id.is_(None))


def replaceable(replacing: TaskEntry | None) -> ColumnElement[bool]:
    """Return the condition under which a new intent may take an entry's place."""
    ended = tasks.c.state.in_(ENDED)
    if replacing is None:
        return ended
    # The revision alone would also fit the entry of a later life, after a deletion.
    is_same = and_(tasks.c.revision == replacing.revision, tasks.c.created_at == replacing.created_at)
    return or_(ended, and_(tasks.c.state.in_(UNDER_WAY), is_same))


def change(connection: Connection, key: str, *where: ColumnElement[bool], **values: Any) -> None:
    """Change an entry that is not ready; a ready one, and one that further conditions do not fit, stays as it is.

    Raises:
        InputError: There is no entry of this key.
    """
    statement = update(tasks).where(tasks.c.key == key, tasks.c.state.in_(UNFINISHED), *where)
    result = connection.execute(statement.values(**values, revision=tasks.c.revision + 1, updated_at=time.time()))
    if not result.rowcount and find(connection, key) is None:
        raise no_entry(key)


def put_task_id(connection: Connection, key: str, task_id: str) -> None:
    """Note the task that was created, unless somebody who took this one for gone has created another."""
    is_free = or_(tasks.c.task_id.is_(None), tasks.c.task_id == task_id)
    change(connection, key, is_free, state="processing", task_id=task_id, error=None)


def put_failure(connection: Connection, key: str, task_id: str | None, *, state: str, reason: str) -> None:
    """Let an entry end, unless it has another task by now: who waited for the first one may come late to say so."""
    is_meant = tasks.c.task_id.is_(None) if task_id is None else tasks.c.task_id == task_id
    change(connection, key, is_meant, state=state, error=reason)


def adopt(connection: Connection, entry: TaskEntry, task_id: str) -> bool:
    """Give an intent the task that was found for it; return whether it was given.

    It is not where somebody has written to the intent since, or another entry has that task.
    """
    other = tasks.alias()
    is_taken = select(other.c.id).where(other.c.task_id == task_id, other.c.key != entry.key).exists()
    is_same = (tasks.c.revision == entry.revision) & (tasks.c.created_at == entry.created_at)
    unchanged = (tasks.c.key == entry.key) & (tasks.c.state == "intent") & is_same & ~is_taken
    changes = {"state": "processing", "task_id": task_id, "error": FOUND, "owner": owner()}
    moved = {"revision": tasks.c.revision + 1, "updated_at": time.time()}
    return connection.execute(update(tasks).where(unchanged).values(**changes, **moved)).rowcount > 0


def claimants(connection: Connection, entry: TaskEntry, task_ids: Sequence[str]) -> list[TaskEntry]:
    """Return the other entries that have one of some tasks, or may have made it without knowing.

    One statement: between two, a rival could write its id and be seen by neither.
    """
    columns = [tasks.c[name] for name in TaskEntry.__dataclass_fields__]
    # After several attempts, tasks of earlier ones may stand in the server's list that no entry names any more.
    may_have = or_(tasks.c.state == "intent", tasks.c.attempts > 1, tasks.c.task_id.in_(task_ids))
    rows = connection.execute(select(*columns).where(tasks.c.key != entry.key, may_have))
    return [TaskEntry(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name


def no_entry(key: str) -> InputError:
    """Return the error for a key that the journal does not know."""
    return InputError(f"the segment store has no entry of the task key {key!r}; call put_intent first.")


# Process numbers are used again; together with this, which forked children share, they are not.
TOKEN = secrets.token_hex(4)


def owner() -> str:
    """Name this process: machine, process number, token."""
    return f"{machine()}/{os.getpid()}/{TOKEN}"


def is_own(name: str) -> bool:
    """Return whether this process is meant."""
    return name == owner()


def has_ended(name: str) -> bool:
    """Return whether a process is known to be gone; False where that cannot be known from here."""
    where, _, rest = name.partition("/")
    number = rest.partition("/")[0]
    if where != machine() or not number.isdigit():
        return False
    return not is_alive(int(number))


@functools.lru_cache(maxsize=1)
def machine() -> str:
    """Name what process numbers are counted in: host, start of the system, container."""
    marks = [socket.gethostname().replace("/", "-")]
    try:
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8])
        marks.append(str(Path("/proc/self/ns/pid").stat().st_ino))  # containers may share a host's name
    except OSError:
        pass  # no Linux: the host's name must do
    return ".".join(marks)


def is_alive(number: int) -> bool:
    """Return whether a process of this number exists."""
    if os.name != "posix":
        return True  # elsewhere signal 0 is no harmless question; the time-out decides
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is there, and not ours
    return True
