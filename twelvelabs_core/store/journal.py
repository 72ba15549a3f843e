"""The journal of paid work: the states of a task's entry and every allowed change between them.

    intent -> processing -> ready | failed | expired        failed | expired -> intent (another attempt)

`ready` is final. Every change is one statement that names the states it may start from: where two processes compete
for an entry the database decides, never a read before a write.

An entry also names the process that wrote its intent; `owners` says whether that process is still at work.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, and_, bindparam, case, func, or_, select, update

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.models.paid_work import contains
from twelvelabs_core.results.records import task_key
from twelvelabs_core.store.budget import Budget
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import KnownUrl, TaskEntry
from twelvelabs_core.store.lookups import put_row
from twelvelabs_core.store.owners import has_ended, owner
from twelvelabs_core.store.payments import DROP_PAYMENT, PUT_PAYMENT, refuse_over_budget
from twelvelabs_core.store.schema import Insert, compiled, meta, tasks, upsert, urls

FOUND = "found in the list of tasks"  # `error` of an entry whose task id was found, not returned by the create call
UNDER_WAY = ("intent", "processing")
ENDED = ("failed", "expired")
BY_USE = ("ready", "processing", "intent")  # the best first
ENTRY_COLUMNS = [tasks.c[name] for name in TaskEntry.__dataclass_fields__]
# Statements of the path of each medium, built once: to build one takes as long as to execute it.
ENTRY_OF_KEY = select(*ENTRY_COLUMNS).where(tasks.c.key == bindparam("of_key"))
ENTRIES_OF_CONTENT = (
    select(*ENTRY_COLUMNS)
    .where(tasks.c.space == bindparam("of_space"), tasks.c.content == bindparam("of_content"))
    .order_by(tasks.c.id)
)
IS_FREE = or_(tasks.c.state == "intent", tasks.c.task_id.is_(None), tasks.c.task_id == bindparam("task_id"))
ENTRY_WAS_WRITTEN = {"revision": tasks.c.revision + 1, "updated_at": bindparam("now")}
PUT_TASK_ID = (
    update(tasks)
    .where(tasks.c.key == bindparam("of_key"), tasks.c.state != "ready", IS_FREE)
    .values(state="processing", task_id=bindparam("task_id"), error=None, **ENTRY_WAS_WRITTEN)
)


class Journal:
    """The journal's methods of a `SegmentStore`."""

    _database: Database

    @property
    def journal_name(self) -> str:
        """A name that only this store's journal has; uploads carry a digest of it."""
        with self._database.reading() as connection:
            return str(connection.scalar(select(meta.c.value).where(meta.c.name == "journal")))

    def find_task(self, key: str) -> TaskEntry | None:
        """Return the journal entry of a task key, or None."""
        with self._database.reading() as connection:
            return find_entry(connection, key)

    def put_intent(
        self,
        key: str,
        *,
        space: str,
        content: str,
        model: str,
        params: Mapping[str, Any],
        source: str,
        account: str,
        url: tuple[str, KnownUrl] | None = None,
        replacing: TaskEntry | None = None,
        wanted: Mapping[str, Any] | None = None,
        minutes: float | None = None,
        budget: Budget | None = None,
    ) -> bool:
        """Write that a task is about to be created, unless its key has an entry that is under way or ready.

        With `wanted`, the identity of the options that are wanted, also unless another such entry contains them.

        Of several threads, processes or machines that try at once, exactly one gets True; the others find its entry
        with `find_task`. An ended entry (failed, expired) is replaced, as another attempt. So is `replacing`, unless it
        was written since: an intent of this process or of one that has ended, or a task that this account cannot see,
        whose id stays until the new one is known. `url` is what is known now of the unsigned URL of the media; it is
        written with the intent. `minutes` are those that the task embeds, if known; with `budget`, the intent is
        written only if they fit into that budget. The other arguments are as in `TaskEntry`.

        Raises:
            BudgetError: They do not fit.
        """
        now = time.time()
        values = {
            "key": key,
            "space": space,
            "content": content,
            "model": model,
            "params": dict(params),
            "source": source,
            "account": account,
            "state": "intent",
            "task_id": None,
            "error": None,
            "owner": owner(),
            "created_at": now,
            "updated_at": now,
            "attempts": 1,
            "revision": 1,
        }
        with self._database.writing() as connection:
            if wanted is not None:
                _lock(connection, f"content {space} {content}")
                if _is_served(connection, values, wanted, replacing):
                    return False
            if budget is not None:
                _lock(connection, "budget")
            if url is not None:
                put_row(connection, urls, url=url[0], **url[1]._asdict())
            result = connection.execute(
                _put_intent(connection.dialect.name, replacing if replacing and replacing.key == key else None),
                values,
                execution_options={"preserve_rowcount": True},  # SQLAlchemy drops it for inserts on some drivers
            )
            is_written = result.rowcount > 0
            if is_written and budget is not None:  # an error undoes the intent
                refuse_over_budget(connection, space, source, minutes or 0.0, budget)
            if is_written:
                paid = {"key": key, "source": source, "model": model, "space": space}
                connection.execute(PUT_PAYMENT, {**paid, "minutes": minutes, "created_at": now})
            return is_written

    def is_abandoned(self, entry: TaskEntry) -> bool:
        """Return whether an intent belongs to this process, or to one that has ended."""
        if entry.owner == owner():
            return True
        with self._database.reading() as connection:
            is_silent = has_ended(connection.dialect.name)
            query = select(tasks.c.id).where(tasks.c.key == entry.key, tasks.c.owner == entry.owner, is_silent)
            return connection.scalar(query) is not None

    def put_task_id(self, key: str, task_id: str) -> bool:
        """Write the server's id of a task: its state is now `processing`.

        Returns:
            Whether it is the task of the entry; False where the entry is ready, or has another task, of a process that
            assumed this one had ended.

        Raises:
            InputError: The key has no entry.
        """
        values = {"of_key": key, "task_id": task_id, "now": time.time()}
        with self._database.writing() as connection:
            return is_changed(connection, key, PUT_TASK_ID, values)

    def adopt_task(self, entry: TaskEntry, task_id: str) -> bool:
        """Write the id of a task that was found at the server for an intent; its state is now `processing`.

        Returns:
            Whether the id was written; False where the entry was written since, or another entry has the task.
        """
        other = tasks.alias()
        is_taken = select(other.c.id).where(other.c.task_id == task_id, other.c.key != entry.key).exists()
        is_intent = (tasks.c.key == entry.key) & (tasks.c.state == "intent") & _is_unchanged(entry)
        changes = {"state": "processing", "task_id": task_id, "error": FOUND, "owner": owner()}
        with self._database.writing() as connection:
            return connection.execute(_write_entry(is_intent & ~is_taken, changes)).rowcount > 0

    def claimants(self, entry: TaskEntry, task_ids: Sequence[str]) -> list[TaskEntry]:
        """Return the other entries that have one of some tasks, or may have created it without knowing its id."""
        # The tasks of earlier attempts may be in the server's list although no entry names them any more.
        may_have = or_(tasks.c.state == "intent", tasks.c.attempts > 1, tasks.c.task_id.in_(task_ids))
        # One statement: between two, another process could write its id and be missed by both.
        query = select(*ENTRY_COLUMNS).where(tasks.c.key != entry.key, may_have)
        with self._database.reading() as connection:
            return [_to_entry(row) for row in connection.execute(query)]

    def put_failure(self, key: str, reason: str, *, task_id: str | None = None, expired: bool = False) -> None:
        """Write that a task has failed, or has expired at the server. A ready entry stays as it is.

        Args:
            key: Identity of the work.
            reason: Why, without secrets.
            task_id: The task that failed; None when none was created: a task that it was to replace is the current one
                again. An entry that has another task, because the work has been paid for again, stays unchanged.
            expired: Whether the server has deleted the task; the state is then `expired`, else `failed`.

        Raises:
            InputError: The key has no entry.
        """
        state: Any = "expired" if expired else "failed"
        attempts: Any = tasks.c.attempts
        is_meant = and_(tasks.c.task_id == task_id, tasks.c.state != "intent")
        if task_id is None:
            has_former = tasks.c.task_id.is_not(None)
            is_meant = or_(tasks.c.state == "intent", ~has_former)
            state = case((has_former, "processing"), else_=state)
            attempts -= case((has_former, 1), else_=0)
        with self._database.writing() as connection:
            entry = find_entry(connection, key)
            if task_id is None and entry is not None and entry.state == "intent":
                connection.execute(DROP_PAYMENT, {"of_key": key})
            which = and_(tasks.c.key == key, tasks.c.state != "ready", is_meant)
            changes = {"state": state, "attempts": attempts, "error": reason}
            is_changed(connection, key, _write_entry(which, changes), {})

    def is_under_way(self, content: str, account: str) -> bool:
        """Return whether an account has tasks of this content which, as far as is known, have not ended."""
        which = (tasks.c.content == content) & (tasks.c.account == account) & tasks.c.state.in_(UNDER_WAY)
        with self._database.reading() as connection:
            return connection.scalar(select(tasks.c.id).where(which).limit(1)) is not None


def find_entry(connection: Connection, key: str) -> TaskEntry | None:
    """Return the journal entry of a task key, or None."""
    row = connection.execute(ENTRY_OF_KEY, {"of_key": key}).one_or_none()
    return None if row is None else _to_entry(row)


def find_serving(
    connection: Connection, space: str, content: str, params: Mapping[str, Any], wanted: Mapping[str, Any]
) -> TaskEntry | None:
    """Return the entry that gives what is wanted of a content: a ready task, else one that is under way.

    Without one it is the ended entry of these parameters, or None.
    """
    rows = connection.execute(ENTRIES_OF_CONTENT, {"of_space": space, "of_content": content})
    key = task_key(space, content, params)
    found = [entry for entry in map(_to_entry, rows) if entry.key == key or contains(entry.params, wanted)]
    serving = [entry for entry in found if entry.state in BY_USE]
    if serving:
        return min(serving, key=lambda entry: (BY_USE.index(entry.state), entry.key != key))
    return next((entry for entry in found if entry.key == key), None)


def _lock(connection: Connection, name: str) -> None:
    """Let no other transaction have this lock until the end of this one; on SQLite a writer has the whole file."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"twelvelabs {name}", 0))))


def _is_served(
    connection: Connection, values: Mapping[str, Any], wanted: Mapping[str, Any], beside: TaskEntry | None
) -> bool:
    """Return whether another entry than that of these values, or `beside` as it was read, gives what is wanted."""
    entry = find_serving(connection, values["space"], values["content"], values["params"], wanted)
    if entry is None or entry.key == values["key"] or entry.state not in BY_USE:
        return False
    return beside is None or (entry.key, entry.revision) != (beside.key, beside.revision)


def _to_entry(row: Row[Any]) -> TaskEntry:
    return TaskEntry(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name


@cache
def _new_intent(dialect: str) -> Executable:
    known_later = ("id", "duration_sec", "dimension", "vector_count")
    columns = [name for name in tasks.c.keys() if name not in known_later]  # noqa: SIM118  # not a mapping
    return compiled(_put_intent_over(dialect, or_(*(tasks.c.state == state for state in ENDED))), columns)


def _put_intent(dialect: str, replacing: TaskEntry | None) -> Executable:
    """Return the statement that writes an intent over no entry, an ended one, or `replacing`."""
    if replacing is None:
        return _new_intent(dialect)
    is_abandoned = and_(tasks.c.state == "intent", or_(tasks.c.owner == owner(), has_ended(dialect)))
    is_meant = and_(or_(tasks.c.state == "processing", is_abandoned), _is_unchanged(replacing))
    return _put_intent_over(dialect, or_(tasks.c.state.in_(ENDED), is_meant))


def _put_intent_over(dialect: str, replaceable: ColumnElement[bool]) -> Insert:
    # An entry that failed without a task id was refused by the server: that was not an attempt.
    was_refused = and_(tasks.c.state == "failed", tasks.c.task_id.is_(None))
    statement = upsert(dialect, tasks)
    changes = {
        **{column.name: statement.excluded[column.name] for column in ENTRY_COLUMNS},
        "task_id": case((tasks.c.state == "processing", tasks.c.task_id), else_=None),
        "attempts": tasks.c.attempts + case((was_refused, 0), else_=1),
        "revision": tasks.c.revision + 1,
    }
    del changes["duration_sec"]
    return statement.on_conflict_do_update(index_elements=["key"], set_=changes, where=replaceable)


def _is_unchanged(entry: TaskEntry) -> ColumnElement[bool]:
    """Return the condition that an entry was not written since it was read."""
    # The revision alone would also fit an entry that was deleted and written again.
    return and_(tasks.c.revision == entry.revision, tasks.c.created_at == entry.created_at)


def _write_entry(which: ColumnElement[bool], values: Mapping[str, Any]) -> Executable:
    """Return the statement that writes values to the entry that fits a condition."""
    return update(tasks).where(which).values(**values, revision=tasks.c.revision + 1, updated_at=time.time())


def is_changed(connection: Connection, key: str, statement: Executable, values: Mapping[str, Any]) -> bool:
    """Execute a statement that changes one entry; return whether it does.

    Raises:
        InputError: The key has no entry.
    """
    changes = connection.execute(statement, values).rowcount > 0
    if not changes and find_entry(connection, key) is None:
        raise no_entry(key)
    return changes


def no_entry(key: str) -> InputError:
    """Return the error for a key that the journal does not have."""
    return InputError(f"the segment store has no entry of the task key {key!r}; call put_intent first.")
