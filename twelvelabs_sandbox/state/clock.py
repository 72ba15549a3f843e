"""The sandbox's clock: real time plus an adjustable offset."""

import threading
import time

# Ten years: more than every expiry, and its dates can still be formatted.
MAX_ADVANCE_SECONDS = 10 * 365 * 24 * 60 * 60.0


class Clock:
    """Real time that can be advanced, so that seven days pass within a test.

    Example:
        >>> clock = Clock()
        >>> before = clock.now()
        >>> clock.advance(60)
        >>> clock.now() - before >= 60
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = 0.0

    def now(self) -> float:
        """Return seconds since 1970 (UTC) on this clock."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Advance the clock.

        Args:
            seconds: 0 or more, and not more than ten years in total.

        Raises:
            ValueError: ``seconds`` is out of these bounds.
        """
        with self._lock:
            if not 0 <= seconds <= MAX_ADVANCE_SECONDS - self._offset:
                raise ValueError(
                    f"cannot advance the clock by {seconds!r} s: must be 0 or more, at most ten years in total"
                )
            self._offset += seconds
