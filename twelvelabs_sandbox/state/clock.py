"""The sandbox's own clock: real time plus what it was advanced by."""

import threading
import time

# Ten years: enough for every expiry, and its dates can still be written.
MAX_ADVANCE_SECONDS = 10 * 365 * 24 * 60 * 60.0


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
            seconds: How far; 0 or more, and not more than ten years in all.

        Raises:
            ValueError: If ``seconds`` is out of these bounds.
        """
        with self._lock:
            if not 0 <= seconds <= MAX_ADVANCE_SECONDS - self._ahead:
                raise ValueError(f"a clock advances by 0 or more seconds, and at most ten years, not by {seconds!r}")
            self._ahead += seconds
