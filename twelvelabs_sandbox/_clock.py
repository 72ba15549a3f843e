"""The sandbox's own clock: real time plus what it was advanced by."""

import math
import threading
import time


class Clock:
    """Real time that can be moved forward, so that seven days pass in a test.

    Example:
        >>> clock = Clock()
        >>> before = clock.now()
        >>> clock.advance(60)
        >>> clock.now() - before >= 60
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0.0

    def now(self) -> float:
        """Return seconds since 1970 (UTC) on this clock."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: How far; 0 or more.

        Raises:
            ValueError: If ``seconds`` is negative or not finite.
        """
        if not (seconds >= 0 and math.isfinite(seconds)):
            raise ValueError(f"a clock advances by 0 or more seconds, not by {seconds!r}")
        with self._lock:
            self._ahead += seconds
