"""One pace for one account: its processes exchange what they know of its rate limits through a store that they share.

A thread does it at intervals while requests are sent, and at once after a refusal. A request waits for the store only
where no exchange was made before it, or none since a time without requests, and then for `FIRST_WAIT_SEC` at most. Each
process gets a share of the concurrent requests, as a lease that ends by itself if the process does.
"""

import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

logger = logging.getLogger("twelvelabs_core")

ALL = ""  # in place of a category: all requests together
SYNC_SEC = 0.25  # seconds between two exchanges of a process, at least
SYNC_PER_PROCESS_SEC = 0.01  # the same for each process, since their exchanges are made one after the other
IDLE_SEC = 2.0  # after so long without a request, a process gives its share back
FAILED_SEC = 30.0  # after so long, a store that failed is tried again
FIRST_WAIT_SEC = 2.0  # for so long, requests wait for the first exchange
LEASE_SEC = 5.0  # without an exchange for so long, a process has ended, or keeps its own pace


@dataclass(frozen=True, slots=True)
class Report:
    """What a process has learnt of a category since its last exchange. Times are seconds before or after now.

    Attributes:
        in_flight: Its requests in flight.
        limit: Most concurrent requests of the account, as the process sees it.
        pause: How long the API does not accept requests.
        refused_ago: When the last refusal that counts arrived.
        sent_ago: When its request was sent; None where nothing was refused.
        successes: How many requests succeeded.
    """

    in_flight: int
    limit: float = math.inf
    pause: float = 0.0
    refused_ago: float = math.inf
    sent_ago: float | None = None
    successes: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes of an account know of a category, and the share of this one.

    Attributes:
        permits: Most concurrent requests of this process.
        processes: How many processes send requests of the category.
        limit: Most concurrent requests of the account.
        pause: How long the API does not accept requests, in seconds.
        refused_ago: Seconds since the last refusal that counts.
        successes: How many requests of all processes have succeeded.
    """

    permits: float
    processes: int
    limit: float = math.inf
    pause: float = 0.0
    refused_ago: float = math.inf
    successes: int = 0


class PaceStore(Protocol):
    """Where the processes of an account exchange their reports."""

    def exchange_pace(self, account: str, reports: Mapping[str, Report]) -> Mapping[str, Shared]:
        """Write what this process has learnt, and return what all know, by category."""

    def leave_pace(self, account: str) -> None:
        """Give the shares of this process back."""


def share_of(limit: float, rank: int, processes: int) -> float:
    """Return the part of a limit that one of several processes has; `rank` is from 0."""
    if limit == math.inf:
        return math.inf
    each, rest = divmod(int(limit), processes)
    return each + (rank < rest)


def seconds_between(processes: int) -> float:
    """Return the seconds between two exchanges of a process, with so many processes."""
    return max(SYNC_SEC, processes * SYNC_PER_PROCESS_SEC)


def lease_seconds(processes: int) -> float:
    """Return how long a lease lasts: with any number of processes, longer than the time between two exchanges."""
    return max(LEASE_SEC, 2 * seconds_between(processes))


class PaceSharing:
    """The exchanges of this process for one account.

    Args:
        account: The account and the host of the API.
        open_store: Opens the store.
        report: Returns what was learnt since the last report, by category.
        is_busy: Returns whether requests are in flight.
        apply: Takes what all processes know; an empty mapping where the store cannot be used.
    """

    def __init__(
        self,
        account: str,
        open_store: Callable[[], PaceStore],
        report: Callable[[], Mapping[str, Report]],
        is_busy: Callable[[], bool],
        apply: Callable[[Mapping[str, Shared]], None],
    ) -> None:
        self._account = account
        self._open_store = open_store
        self._report = report
        self._is_busy = is_busy
        self._apply = apply
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_known = False
        self._has_failed = False
        self._is_closed = False
        self._asked_at = -math.inf
        self._called_at = math.inf  # when the call of the store began that is under way
        self._failed_until = -math.inf

    def is_known(self) -> bool:
        """Return whether this process knows its share; if not, it will soon. Called for each request."""
        if self._pid != os.getpid():
            self._reset()  # a forked child has no thread
        self._asked_at = time.monotonic()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="twelvelabs-pace", daemon=True)
                    self._thread.start()
        patience = LEASE_SEC if self._is_known else FIRST_WAIT_SEC
        if self._asked_at - self._called_at > patience:
            self._called_at = math.inf
            self._go_alone(f"its store has not answered for {patience:g} s")
        return self._is_known

    def close(self) -> None:
        """End the exchanges; what other processes know is not applied any more."""
        self._is_closed = True
        self._wake.set()

    def exchange_soon(self) -> None:
        """Exchange at once, since a request was refused."""
        self._wake.set()

    def _run(self) -> None:
        try:
            while not self._is_closed and (time.monotonic() - self._asked_at < IDLE_SEC or self._is_busy()):
                wait = self._failed_until - time.monotonic()
                self._wake.wait(wait if wait > 0 else self._exchange())
                self._wake.clear()
            if not self._has_failed:  # else no later request waits for the store again
                self._is_known = False
                self._leave()
        finally:
            self._thread = None  # the next request starts another

    def _leave(self) -> None:
        """Give the leases back; if that fails, they expire."""
        with contextlib.suppress(Exception), self._calling() as store:
            store.leave_pace(self._account)

    def _exchange(self) -> float:
        """Exchange once, and return the seconds until the next time."""
        try:
            with self._calling() as store:
                shared = store.exchange_pace(self._account, self._report())
            if self._is_closed:
                return 0.0
            self._apply(shared)
        except Exception as error:  # noqa: BLE001  # whatever it is, requests are sent
            self._go_alone(str(error))
            self._failed_until = time.monotonic() + FAILED_SEC
            return FAILED_SEC
        self._is_known, self._has_failed = True, False
        return seconds_between(max((one.processes for one in shared.values()), default=1))

    @contextmanager
    def _calling(self) -> Iterator[PaceStore]:
        store = self._open_store()
        self._called_at = time.monotonic()
        try:
            yield store
        finally:
            self._called_at = math.inf

    def _go_alone(self, reason: str) -> None:
        """Keep the pace of this process until an exchange succeeds; log it once."""
        if self._is_closed:
            return
        if not self._has_failed:
            logger.warning("the pace is not shared with other processes now: %s", reason)
        self._apply({})
        self._is_known = self._has_failed = True
