"""The pace that the processes of an account share: pauses, concurrency, and a lease of permits for each process.

All times are by the clock of the database, so that the clocks of machines do not matter.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Executable, and_, bindparam, delete, or_, select, text

from twelvelabs_core.store.database import Database
from twelvelabs_core.store.owners import SERVER_CLOCK, owner
from twelvelabs_core.store.schema import compiled, leases, paces, upsert
from twelvelabs_core.transport.rate_limit import LIMIT_SECONDS
from twelvelabs_core.transport.shared_pace import ALL, Report, Shared, lease_seconds, share_of

TURN_SEC = 1.0  # with fewer permits than processes, each has one for so long
OLD_SEC = 3600.0  # after so long, leases of an account that no process uses any more are deleted
MOST = "max_concurrent_requests"  # in place of a category: what a process was given, if anything
NOW = select(SERVER_CLOCK)
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
# Lost with the server's last moments at worst: then every process learns its pace again.
NOT_DURABLE = text("SET LOCAL synchronous_commit = off")
OF_ACCOUNT: BindParameter[str] = bindparam("of_account")
DROP_EXPIRED = delete(leases).where(leases.c.account == OF_ACCOUNT, leases.c.expires_at <= bindparam("now"))
IS_OWN = and_(leases.c.account == OF_ACCOUNT, leases.c.owner == bindparam("of_owner"))
DROP_OWN_AND_OLD = delete(leases).where(or_(IS_OWN, leases.c.expires_at < SERVER_CLOCK - OLD_SEC))
LEASES = select(leases.c.category, leases.c.owner, leases.c.permits).where(leases.c.account == OF_ACCOUNT)
PACES = select(paces).where(paces.c.account == OF_ACCOUNT)


class Pace:
    """The methods of a `SegmentStore` on PostgreSQL by which processes share one pace."""

    _database: Database

    @property
    def is_server(self) -> bool:
        """Whether the store is a database server, which processes of several machines share."""
        return self._database.location.url is not None

    def exchange_pace(self, account: str, reports: Mapping[str, Report]) -> dict[str, Shared]:
        """Write what this process has learnt of an account, and return what its processes know, by category.

        Args:
            account: The account and the host of the API.
            reports: By category in use; `ALL` has the limit of all requests together. The least one that a process
                gave holds for all: of different ones, the higher could take every permit of the lower.
        """
        with self._database.writing() as connection:
            connection.execute(NOT_DURABLE)
            connection.execute(LOCK, {"name": f"twelvelabs pace {account}"})  # one exchange of an account at a time
            now = float(connection.scalar(NOW) or 0.0)
            values = {"of_account": account, "now": now}
            connection.execute(DROP_EXPIRED, values)
            held: dict[str, dict[str, float]] = {}
            for category, holder, permits in connection.execute(LEASES, values):
                held.setdefault(category, {})[holder] = permits
            known = {row.category: row for row in connection.execute(PACES, values)}
            shared, rows, granted = {}, [], []
            for category in {**reports, **known}:
                report = reports.get(category, Report(0))
                others = {name: permits for name, permits in held.get(category, {}).items() if name != owner()}
                if category == ALL:
                    given = {**held.get(MOST, {}), owner(): report.limit}
                    limit = min(given.values())
                    # Never more than the others have given back.
                    permits = max(0.0, min(_share(limit, others, now), limit - sum(others.values())))
                    shared[category] = Shared(permits, len(others) + 1)
                else:
                    pace = _Pace(report, known.get(category), now)
                    if pace.is_changed:
                        rows.append({"account": account, "category": category, **pace.values})
                    permits = _share(pace.limit, others, now)
                    shared[category] = pace.shared(permits, len(others) + 1)
                if category in reports:
                    lease = max(report.in_flight, 0 if permits == math.inf else int(permits))
                    granted.append({"category": category, "permits": lease})
                    if category == ALL and report.limit < math.inf:
                        granted.append({"category": MOST, "permits": int(report.limit)})
            lasts = lease_seconds(len({*held.get(ALL, {}), owner()}))
            same = {"account": account, "owner": owner(), "expires_at": now + lasts}
            connection.execute(_put(leases), [{**same, **one} for one in granted])
            if rows:
                connection.execute(_put(paces), rows)
        return shared

    def leave_pace(self, account: str) -> None:
        """Give the leases of this process back, and delete those of processes that ended long ago."""
        with self._database.writing() as connection:
            connection.execute(NOT_DURABLE)
            connection.execute(DROP_OWN_AND_OLD, {"of_account": account, "of_owner": owner()})


class _Pace:
    """What all processes know of a category, with the report of one of them."""

    def __init__(self, report: Report, row: Any, now: float) -> None:
        self._now = now
        self.limit, self.paused_until, self.refused_at, self.successes = math.inf, 0.0, 0.0, 0
        if row is not None:
            self.paused_until, self.refused_at, self.successes = row.paused_until, row.refused_at, row.successes
            self.limit = math.inf if row.concurrency is None else row.concurrency
        before = self.values
        if now - self.refused_at >= LIMIT_SECONDS:
            self.limit = math.inf
        if report.sent_ago is not None and now - report.sent_ago > self.refused_at:
            self.limit, self.refused_at = report.limit, now - report.refused_ago
        elif report.successes and self.limit < math.inf:
            self.limit += report.successes / self.limit  # one more after each round of all processes
        if report.pause and now + report.pause > self.paused_until:
            self.paused_until = now + report.pause
        self.successes += report.successes
        self.is_changed = self.values != before

    @property
    def values(self) -> dict[str, float | None]:
        """The columns of its row."""
        concurrency = None if self.limit == math.inf else self.limit
        known = {"paused_until": self.paused_until, "refused_at": self.refused_at, "successes": self.successes}
        return {**known, "concurrency": concurrency}

    def shared(self, permits: float, processes: int) -> Shared:
        """Return it for a process with so many permits."""
        pause, refused_ago = max(0.0, self.paused_until - self._now), self._now - self.refused_at
        return Shared(permits, processes, self.limit, pause, refused_ago, self.successes)


def _share(limit: float, others: Mapping[str, float], now: float) -> float:
    """Return the share of this process in a limit: equal ones, and the rest in turns."""
    owners = sorted([*others, owner()])
    rank = (owners.index(owner()) + int(now / TURN_SEC)) % len(owners)
    return share_of(limit, rank, len(owners))


@cache
def _put(into: Any) -> Executable:
    """Return the statement that writes rows in place of those with the same key."""
    statement = upsert("postgresql", into)
    changes = {column.name: statement.excluded[column.name] for column in into.c if not column.primary_key}
    return compiled(statement.on_conflict_do_update(index_elements=list(into.primary_key), set_=changes), into.c.keys())
