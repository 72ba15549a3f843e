"""Polls a task or an asset: often at first, then less often the longer it has taken."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from twelvelabs_core.base.checks import check_timeout

T = TypeVar("T")

FIRST_DELAY = 0.25
LONGEST_DELAY = 30.0
_FACTOR = 0.6


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
        limit: Seconds to wait, from now.
        clock: Seconds of a clock that is never set back.

    Raises:
        InputError: `limit` is not a number of seconds from 0.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        check_timeout(limit)
        self.limit = limit
        self._clock = clock
        self._start = clock()

    @property
    def elapsed(self) -> float:
        """Seconds waited so far."""
        return self._clock() - self._start

    @property
    def remaining(self) -> float:
        """Seconds left, from 0."""
        return max(0.0, self.limit - self.elapsed)

    @property
    def is_expired(self) -> bool:
        """Whether the time is up."""
        return self.elapsed >= self.limit

    def next_delay(self) -> float:
        """Return the seconds until the next polling request."""
        return next_delay(self.elapsed, self.limit - self.elapsed)


async def poll_until(
    fetch: Callable[[], Awaitable[T]],
    is_settled: Callable[[T], bool],
    deadline: Deadline,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """Fetch until the result is settled or the deadline has expired, at least once; return the last result."""
    while True:
        result = await fetch()
        if is_settled(result) or deadline.is_expired:
            return result
        await sleep(deadline.next_delay())
