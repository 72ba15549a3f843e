"""A sandbox that records when requests arrive and how many are in flight, and one with a rate limit."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twelvelabs_sandbox import Fault, Faults, RecordedRequest, RequestLog, Sandbox


class PaceLog(RequestLog):
    """Records (time, requests in flight) at each arrival, in order."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.arrivals: list[tuple[float, int]] = []
        self._clock = clock

    def arrived(self, method: str, path: str, template: str) -> RecordedRequest:
        request = super().arrived(method, path, template)
        self.arrivals.append((self._clock(), sum(one.status is None for one in self.all())))
        return request

    def clear(self) -> None:
        super().clear()
        self.arrivals.clear()


@contextmanager
def paced_sandbox(clock: Callable[[], float] = time.time, **options: Any) -> Iterator[tuple[Sandbox, PaceLog]]:
    """Run a separate sandbox with such a log."""
    log, sandbox = PaceLog(clock), Sandbox(**options)
    sandbox._requests = log
    with sandbox:
        yield sandbox, log


class FewAtATime(Faults):
    """A rate limit: each time window accepts some requests; refusals name the start of the next window.

    The sandbox's own limit uses whole seconds as the service does, so that a test would wait four times as long.
    """

    def __init__(self, most: int, seconds: float) -> None:
        super().__init__()
        self.refused = 0
        self._most, self._seconds = most, seconds
        self._passed, self._ends = 0, 0.0
        self._counting = threading.Lock()

    def take(self, method: str, path: str, template: str) -> Fault | None:
        with self._counting:
            now = time.monotonic()
            if now >= self._ends:
                self._passed, self._ends = 0, now + self._seconds
            self._passed += 1
            if self._passed <= self._most:
                return super().take(method, path, template)
            self.refused += 1
            return Fault(status=429, body="", headers={"Retry-After": f"{self._ends - now:.3f}"})
