"""How long an operation may take, and when a task or asset is polled: often at first, then less often.

A time limit holds for every request, retry and pause inside `time_limit`, also in the threads and tasks started there.
"""

import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, TypeVar

from twelvelabs_core.base.checks import check_timeout
from twelvelabs_core.base.errors import APIConnectionError, ServerError

T = TypeVar("T")

FIRST_DELAY = 0.25
LONGEST_DELAY = 30.0
_FACTOR = 0.6
LAST_REQUEST = 2.0  # seconds that a request may last after the end of a time limit; no pause or retry does


class TimeLimit(NamedTuple):
    """What holds for the requests of an operation."""

    until: float = math.inf  # on the clock of `Io.now`
    is_patient: bool = False  # whether a failure that may pass is retried until then

    def remaining(self, now: float) -> float:
        """Return the seconds in which pauses and retries may begin, from 0."""
        return max(0.0, self.until - now)


_NO_LIMIT = TimeLimit()
_time_limit: ContextVar[TimeLimit] = ContextVar("twelvelabs_time_limit", default=_NO_LIMIT)
current_time_limit = _time_limit.get


@contextmanager
def time_limit(until: float, *, is_patient: bool = False) -> Iterator[None]:
    """Let the requests inside end at a time of `Io.now`, or at that of the limit around it if it is earlier."""
    token = _time_limit.set(TimeLimit(min(until, current_time_limit().until), is_patient))
    try:
        yield
    finally:
        _time_limit.reset(token)


def next_delay(elapsed: float, remaining: float) -> float:
    """Return the seconds until the next polling request.

    The delay grows with the square root of the time passed: the end of short tasks is noticed soon, and long ones cost
    few requests (a 10-minute task about 80). The last request is sent when
    no seconds remain.
    """
    delay = min(max(_FACTOR * math.sqrt(max(0.0, elapsed)), FIRST_DELAY), LONGEST_DELAY)
    return max(0.0, min(delay, remaining))


class Deadline:
    """When waiting ends, and when the next polling request is sent.

    Args:
        limit: Seconds to wait, from now; less where the time limit of the operation ends earlier.
        clock: Seconds of a clock that is never set back.

    Raises:
        InputError: `limit` is not a number of seconds from 0.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        check_timeout(limit)
        self.limit = limit
        self._clock = clock
        self._start = clock()
        self.end = min(self._start + limit, current_time_limit().until)

    @property
    def elapsed(self) -> float:
        """Seconds waited so far."""
        return self._clock() - self._start

    @property
    def remaining(self) -> float:
        """Seconds left, from 0."""
        return max(0.0, self.end - self._clock())

    @property
    def is_expired(self) -> bool:
        """Whether the time is up."""
        return self._clock() >= self.end

    def next_delay(self) -> float:
        """Return the seconds until the next polling request."""
        return next_delay(self.elapsed, self.remaining)


async def poll_until(
    fetch: Callable[[], Awaitable[T]],
    is_settled: Callable[[T], bool],
    deadline: Deadline,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """Fetch until the result is settled or the deadline has expired, at least once; return the last result.

    Failures that may pass, 5xx and lost connections, are retried until the deadline.
    """
    result: T | None = None
    with time_limit(deadline.end, is_patient=True):
        while True:
            is_last = deadline.is_expired
            try:
                result = await fetch()
            except (APIConnectionError, ServerError):
                if is_last and result is None:
                    raise
            if result is not None and (is_last or is_settled(result)):
                return result
            await sleep(deadline.next_delay())
