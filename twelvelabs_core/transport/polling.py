"""When to look next at a task or an asset: often at first, then ever less, by how long it has taken already."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from twelvelabs_core.base.checks import check_timeout

T = TypeVar("T")

FIRST_LOOK = 0.25
LONGEST_GAP = 30.0
_FACTOR = 0.6


def next_look(elapsed: float, remaining: float) -> float:
    """Return the seconds until the next look.

    The gap grows with the square root of the time passed: short tasks are seen soon after they end, long ones cost
    few requests (a 10-minute task about 80).

    Args:
        elapsed: Seconds since waiting began.
        remaining: Seconds until the caller's time is up; the last look falls on it.
    """
    gap = min(max(_FACTOR * math.sqrt(max(0.0, elapsed)), FIRST_LOOK), LONGEST_GAP)
    return max(0.0, min(gap, remaining))


class Patience:
    """How long to go on waiting, and when to look next."""

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
    def left(self) -> float:
        """Seconds left, from 0."""
        return max(0.0, self.limit - self.elapsed)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.elapsed >= self.limit

    def next_look(self) -> float:
        """Return the seconds until the next look."""
        return next_look(self.elapsed, self.limit - self.elapsed)


async def last_seen(
    look: Callable[[], Awaitable[T]],
    is_settled: Callable[[T], bool],
    patience: Patience,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """Look until it is settled or the time is up, once at least; return what was seen last."""
    while True:
        seen = await look()
        if is_settled(seen) or patience.is_over:
            return seen
        await sleep(patience.next_look())
