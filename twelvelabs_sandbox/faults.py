"""Scripted faults: which requests fail, how, and how often."""

import fnmatch
import math
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from twelvelabs_sandbox.options import RATE_LIMIT_FORMS, RateLimitForm

Drop = Literal["before", "during", "after", "mid"]
TaskFate = Literal["failed", "stuck", "expired"]
AssetFate = Literal["failed", "stuck"]
DROPS: tuple[Drop, ...] = get_args(Drop)
TASK_FATES: tuple[TaskFate, ...] = get_args(TaskFate)
ASSET_FATES: tuple[AssetFate, ...] = get_args(AssetFate)
STATUSES = range(200, 600)
EFFECTS = ("status", "rate_limit", "headers", "omit_headers", "delay", "slow", "drop", "task", "asset")
FATE = "twelvelabs_sandbox.fate"


@dataclass(frozen=True, slots=True)
class Fate:
    """The scripted outcome of the task or asset that a request creates."""

    task: TaskFate | None = None
    asset: AssetFate | None = None


def fate_of(scope: Mapping[str, Any]) -> Fate:
    """Return the scripted outcome stored in the ASGI scope of a request."""
    fate: Fate = scope.get(FATE, Fate())
    return fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure of the requests that match; of several matching faults the first is used.

    Attributes:
        path: The path after ``/v1.3`` as a shell pattern (``/embed-v2/tasks/*``), or a template as in
            ``Sandbox.requests`` (``/embed-v2/tasks/{task_id}``); chunks of multipart uploads are sent to
            ``/uploads/*``, outside ``/v1.3``. Default: every path.
        method: For example ``POST``. Default: every method.
        times: Number of requests that fail; None means all (default 1).
        skip: Number of matching requests that succeed first (default 0).
        probability: Probability that a matching request fails (default 1); ``times`` limits how many do.
        seed: Seed of the probability (default 0). The same fault fails the same requests, by their order.
        status: Respond with this HTTP status instead of handling the request.
        rate_limit: Respond with 429 and report the time to retry in this form only: ``retry-after`` (seconds),
            ``retry-after-date`` (the same header as an HTTP date), ``ratelimit`` (``X-Ratelimit-Remaining: 0`` and
            ``-Reset`` as UTC epoch seconds), ``ratelimit-request`` or ``ratelimit-duration`` (this counter is
            exhausted, the other is not and resets later), ``message`` (the time in the message), ``empty`` (no time and
            no body) or ``bare`` (no time, with the vendor's body).
        wait: Seconds on the sandbox's clock until the time that ``rate_limit`` reports (default 1).
        headers: Headers added to the response, also to a successful one if ``status`` is not set.
        omit_headers: Names of headers removed from the response, such as ``ETag``.
        body: Body of the scripted response: a string is sent unchanged (may be empty), anything else as JSON.
            Default: the vendor's error body for this status.
        delay: Real seconds to wait before anything else (default 0).
        slow: Real seconds over which the body of the response is sent (default 0).
        drop: Abort the connection: ``before`` the request is handled, ``during`` its body, after its first bytes,
            ``after`` it was handled but without a response, or in the middle (``mid``) of the response body.
        task: The task created by this request ends as ``failed``, stays ``processing`` (``stuck``), or was created more
            than seven days ago (``expired``).
        asset: The asset created by this request ends as ``failed`` or stays ``processing`` (``stuck``).

    Raises:
        ValueError: A value is out of its bounds, or the fault has no effect.

    Example:
        >>> Fault(path="/embed-v2", status=429, headers={"Retry-After": "1"}, times=2).status
        429
    """

    path: str = "*"
    method: str | None = None
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    status: int | None = None
    rate_limit: RateLimitForm | None = None
    wait: float = 1.0
    headers: Mapping[str, str] = field(default_factory=dict)
    omit_headers: Sequence[str] = ()
    body: Any = None
    delay: float = 0.0
    slow: float = 0.0
    drop: Drop | None = None
    task: TaskFate | None = None
    asset: AssetFate | None = None

    def __post_init__(self) -> None:
        _require(isinstance(self.path, str), "path", self.path)
        _require(self.method is None or isinstance(self.method, str), "method", self.method)
        _require(self.times is None or (isinstance(self.times, int) and self.times >= 1), "times", self.times)
        _require(isinstance(self.skip, int) and self.skip >= 0, "skip", self.skip)
        _require(_is_number(self.probability) and 0 < self.probability <= 1, "probability", self.probability)
        _require(isinstance(self.seed, int), "seed", self.seed)
        _require(self.status is None or self.status in STATUSES, "status", self.status)
        _require(self.rate_limit in {None, *RATE_LIMIT_FORMS}, "rate_limit", self.rate_limit)
        _require(_is_headers(self.headers), "headers", self.headers)
        _require(_is_names(self.omit_headers), "omit_headers", self.omit_headers)
        for name in ("delay", "slow", "wait"):
            seconds = getattr(self, name)
            _require(_is_number(seconds) and 0 <= seconds < math.inf, name, seconds)
        _require(self.drop in {None, *DROPS}, "drop", self.drop)
        _require(self.task in {None, *TASK_FATES}, "task", self.task)
        _require(self.asset in {None, *ASSET_FATES}, "asset", self.asset)
        if self.body is not None and self.status is None:
            raise ValueError("a fault with a body needs a status")
        if self.rate_limit is not None and self.status is not None:
            raise ValueError("a fault with a rate_limit takes no status: it is 429")
        if not any(getattr(self, name) for name in EFFECTS):
            raise ValueError(f"a fault needs at least one of {', '.join(EFFECTS)}")

    def matches(self, method: str, path: str, template: str) -> bool:
        """Return whether the fault applies to a request; ``path`` and ``template`` start after ``/v1.3``."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path == template or fnmatch.fnmatchcase(path, self.path)


class Faults:
    """The faults of a sandbox, in the order of their addition; thread-safe.

    Example:
        >>> faults = Faults()
        >>> faults.add(Fault(status=500, times=1))
        >>> faults.take("GET", "/assets", "/assets").status
        500
        >>> faults.take("GET", "/assets", "/assets") is None
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[_ActiveFault] = []

    def add(self, *faults: Fault) -> None:
        """Append faults."""
        with self._lock:
            self._active += [_ActiveFault(fault, fault.skip, fault.times, _random_source(fault)) for fault in faults]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._active.clear()

    def take(self, method: str, path: str, template: str) -> Fault | None:
        """Return the fault to inject into this request, and count it."""
        with self._lock:
            for active in self._active:
                if active.times != 0 and active.fault.matches(method, path, template):
                    if active.skip > 0:
                        active.skip -= 1
                        continue
                    if active.random_source.random() >= active.fault.probability:
                        continue
                    if active.times is not None:
                        active.times -= 1
                    return active.fault
        return None


@dataclass(slots=True)
class _ActiveFault:
    fault: Fault
    skip: int
    times: int | None
    random_source: random.Random


def _random_source(fault: Fault) -> random.Random:
    """Return the fault's own random generator, so that different faults do not fail the same requests."""
    return random.Random(repr(fault))  # noqa: S311 - scripted failures, not a secret


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(good: bool, name: str, value: object) -> None:  # noqa: FBT001 - the condition comes first, as in an assertion
    if not good:
        raise ValueError(f"the {name} of a fault cannot be {value!r}")


def _is_names(names: object) -> bool:
    return isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)


def _is_headers(headers: object) -> bool:
    return isinstance(headers, Mapping) and all(
        isinstance(key, str) and isinstance(value, str) and (key + value).isprintable() and (key + value).isascii()
        for key, value in headers.items()
    )
