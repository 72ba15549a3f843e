"""Rate limits: 429 responses in each form that reports the time to retry, and the limiter of the options."""

import threading
from collections import deque
from collections.abc import Mapping
from email.utils import formatdate
from math import ceil

from starlette.responses import JSONResponse, Response

from twelvelabs_sandbox.errors import too_many_requests
from twelvelabs_sandbox.formats import rfc3339_seconds
from twelvelabs_sandbox.options import Options, RateLimitForm
from twelvelabs_sandbox.state.clock import Clock

TOO_MANY_REQUESTS = 429
# The time until a request in flight ends is unknown: suggest a short wait.
CONCURRENCY_WAIT = 1.0
# Requests that embed or create a task; polling is not limited.
LIMITED_REQUESTS = {
    ("POST", "/embed-v2"),
    ("POST", "/embed-v2/tasks"),
    ("POST", "/embed"),
    ("POST", "/embed/tasks"),
}
# Seconds between the resets of the exhausted and of the other counter; a client must not wait for the other.
OTHER_RESET = 3600


def rate_limit_response(form: RateLimitForm, wait: float, now: float, *, nested: bool = False) -> Response:
    """Return a 429 that reports, in one form only, that the client may retry ``wait`` seconds after ``now``."""
    if form == "empty":
        return Response(b"", TOO_MANY_REQUESTS)
    retry_at = rfc3339_seconds(now + wait) if form == "message" else None
    response: JSONResponse = too_many_requests(retry_at).response(nested=nested)
    response.headers.update(_headers(form, wait, now))
    return response


def _headers(form: RateLimitForm, wait: float, now: float) -> Mapping[str, str]:
    reset = ceil(now + wait)
    match form:
        case "retry-after":
            return {"Retry-After": str(ceil(wait))}
        case "retry-after-date":
            return {"Retry-After": formatdate(reset, usegmt=True)}
        case "ratelimit":
            return _counter("X-Ratelimit", 0, reset)
        case "ratelimit-request":
            other = _counter("X-Ratelimit-Duration", 60, reset + OTHER_RESET)
            return _counter("X-Ratelimit-Request", 0, reset) | other
        case "ratelimit-duration":
            other = _counter("X-Ratelimit-Request", 60, reset + OTHER_RESET)
            return _counter("X-Ratelimit-Duration", 0, reset) | other
        case _:
            return {}


def _counter(family: str, left: int, reset: int) -> dict[str, str]:
    counts = {"Limit": 100, "Remaining": left, "Used": 100 - left, "Reset": reset}
    return {f"{family}-{name}": str(value) for name, value in counts.items()}


class Limiter:
    """Counts the requests that embed or create a task, and refuses those above the limits of the options.

    Accepted requests count for ``rate_window`` seconds of the sandbox's clock; refused ones do not count.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = int(options.requests_per_minute * options.rate_window / 60)
        self._admitted: deque[float] = deque()
        self._in_flight = 0

    def acquire(self, method: str, template: str) -> float | None:
        """Accept a request (None; call ``release`` afterwards), or return the seconds that it has to wait."""
        if (method, template) not in LIMITED_REQUESTS:
            return None
        now = self._clock.now()
        with self._lock:
            while self._admitted and self._admitted[0] <= now - self._options.rate_window:
                self._admitted.popleft()
            if self._options.requests_per_minute and len(self._admitted) >= self._limit:
                return self._admitted[0] + self._options.rate_window - now
            if self._options.max_concurrent_requests and self._in_flight >= self._options.max_concurrent_requests:
                return CONCURRENCY_WAIT
            if self._options.requests_per_minute:
                self._admitted.append(now)
            self._in_flight += 1
        return None

    def release(self, method: str, template: str) -> None:
        """Record that an accepted request has been handled."""
        if (method, template) in LIMITED_REQUESTS:
            with self._lock:
                self._in_flight -= 1
