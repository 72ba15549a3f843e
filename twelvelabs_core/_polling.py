"""When to look next at a task or an asset: often at first, then ever less, by how long it has taken already."""

import math

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
    gap = min(max(_FACTOR * math.sqrt(elapsed), FIRST_LOOK), LONGEST_GAP)
    return max(0.0, min(gap, remaining))
