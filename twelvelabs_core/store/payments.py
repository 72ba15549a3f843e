"""What was paid for: one row for each task that was about to be created, kept when the task is deleted.

A budget is verified in the transaction that writes the intent of a task, so processes on one store share it.
"""

import time
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.store.budget import BUDGET_HOURS, Budget
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Payment
from twelvelabs_core.store.schema import payments

_SANDBOX = "sandbox/"  # begins the spaces of the sandbox, which costs nothing
_LAST = payments.c.id == select(func.max(payments.c.id)).where(payments.c.key == bindparam("of_key")).scalar_subquery()
PUT_PAYMENT = insert(payments)
PUT_MINUTES = update(payments).where(_LAST).values(minutes=bindparam("new_minutes"))
DROP_PAYMENT = delete(payments).where(_LAST)


class Payments:
    """The methods of a `SegmentStore` for what was paid for."""

    _database: Database

    def usage(self, *, since: date | None = None) -> list[Payment]:
        """Return the minutes that were paid for, by day, source and model.

        A task counts from the moment at which its create request is about to be sent, also if it failed later. A create
        that the API refused does not count.

        Args:
            since: Only tasks created after this time: a date, which begins at midnight UTC, or a datetime with a time
                zone. Default: all.

        Returns:
            A `Payment` for each day (UTC), source and model, in this order.

        Raises:
            InputError: `since` is neither, or has no time zone.
        """
        after = 0.0 if since is None else _timestamp(since)
        query = select(payments).where(payments.c.created_at >= after).order_by(payments.c.id)
        found: dict[tuple[Any, ...], list[float | None]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                day = datetime.fromtimestamp(row.created_at, UTC).date()
                found.setdefault((day, row.source, row.model, row.space), []).append(row.minutes)
        return [
            Payment(day, source, model, space, sum(one or 0.0 for one in minutes), len(minutes), minutes.count(None))
            for (day, source, model, space), minutes in sorted(found.items(), key=lambda item: item[0])
        ]

    def check_budget(self, space: str, source: str, minutes: float, budget: Budget) -> None:
        """Verify that a task of so many minutes fits into a budget, given what was paid for in the last 24 hours.

        Args:
            space: The vector space of the task; the minutes of the sandbox and of the live service do not add up.
            source: The name of the media, for the message.
            minutes: Minutes of the task.
            budget: The budget.

        Raises:
            BudgetError: It does not fit.
        """
        with self._database.reading() as connection:
            refuse_over_budget(connection, space, source, minutes, budget)

    def minutes_used(self, space: str) -> float:
        """Return the minutes that were paid for in the last 24 hours.

        Args:
            space: The vector space of a task; the minutes of the sandbox and of the live service do not add up.
        """
        with self._database.reading() as connection:
            return _minutes_used(connection, space)


def _timestamp(since: date) -> float:
    if not isinstance(since, date):
        raise InputError(f"since must be a date or a datetime, got {since!r}.")
    if not isinstance(since, datetime):
        since = datetime(since.year, since.month, since.day, tzinfo=UTC)
    if since.tzinfo is None:
        raise InputError(f"since needs a time zone, got {since!r}; for example datetime.now(UTC).")
    return since.timestamp()


def refuse_over_budget(connection: Connection, space: str, source: str, minutes: float, budget: Budget) -> None:
    """Raise `BudgetError` where a task of so many minutes does not fit into the budget of 24 hours."""
    error = budget.refusal(source, minutes, _minutes_used(connection, space))
    if error is not None:
        raise error


def _minutes_used(connection: Connection, space: str) -> float:
    since = time.time() - BUDGET_HOURS * 3600
    query = select(func.sum(payments.c.minutes)).where(payments.c.created_at > since, _of_same_service(space))
    return float(connection.scalar(query) or 0.0)


def _of_same_service(space: str) -> ColumnElement[bool]:
    is_sandbox = payments.c.space.startswith(_SANDBOX)
    return is_sandbox if space.startswith(_SANDBOX) else ~is_sandbox
