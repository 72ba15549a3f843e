"""Rate limits of an account at a host, shared by all clients, threads and event loops of a process.

With a segment store on PostgreSQL, other processes share them too: see `shared_pace`.

The API counts each category of requests by itself (text, image, video, ...) and GETs in none. So each category has its
own pause and its own limit of concurrent requests: a pause of texts stops neither videos nor polling requests.

The state is kept under a lock that is held for microseconds, so an event loop may take it too. Waiting means to sleep
and to ask again, each time later: a cancelled caller leaves nothing to clean up. `aiolimiter` and `pyrate-limiter` were
rejected: they keep a fixed rate, and do not learn from answers.
"""

import math
import os
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from twelvelabs_core.base.errors import RateLimitError
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.transport.error_response import when_to_retry
from twelvelabs_core.transport.retry import RATE_LIMITED, Outcome, backoff
from twelvelabs_core.transport.shared_pace import ALL, IDLE_SEC, PaceSharing, PaceStore, Report, Shared

POLLING = "polling"  # the category of all GETs
_SLOT_DELAYS = 0.02, 0.25  # seconds between two attempts to get a slot: the least, the most
LIMIT_SECONDS = 60.0  # after a minute without a refusal, concurrency is not limited any more
# After this many seconds a request holds no slot any more: a blocking call on the very event loop that the other
# requests need would wait for them permanently.
PERMIT_SECONDS = 30.0
_ACCOUNTS_MAX = 1000
_COUNTED_MAX = 1000  # times of requests that are kept for `requests_per_minute`


class RateLimiter(Protocol):
    """A caller's own rate limiter, for example one of LlamaIndex.

    It is asked once per text, image, clip or embedding task, whatever the number of retries. One limiter may serve
    several clients, threads and event loops.

    Example:
        ```python
        limiter = TokenBucketRateLimiter(requests_per_minute=60)  # of llama_index.core.rate_limiter
        client = Client(rate_limiter=limiter)
        ```
    """

    def acquire(self) -> Any:
        """Block until the next request may be sent; for `Client`."""

    async def async_acquire(self) -> Any:
        """Wait until the next request may be sent; for `AsyncClient`."""


@dataclass(slots=True, eq=False)
class Permit:
    """The right to send one request of a category, since a time of the monotonic clock."""

    category: str
    since: float
    successes: int  # requests of the category that had succeeded by then, in all processes as far as is known


@dataclass(frozen=True, slots=True)
class Wait:
    """No permit yet: ask again after some seconds. `rate` means `requests_per_minute`."""

    seconds: float
    reason: Literal["pause", "slot", "rate"]


@dataclass(slots=True)
class _Category:
    in_flight: dict[Permit, None] = field(default_factory=dict)  # the oldest first
    paused_until: float = -math.inf
    limit: float = math.inf  # of concurrent requests
    refused_at: float = -math.inf
    refusals: int = 0  # in a row
    successes: int = 0
    others: int = 0  # successes of other processes
    asked_at: float = -math.inf  # when a permit was last asked for
    processes: int = 1  # of the account, as far as they share their pace
    permits: float = math.inf  # of them, those of this process
    # What the other processes do not know of: the request that was refused, until when a pause lasts, successes above
    # `reported`.
    refused: Permit | None = None
    new_pause: float = -math.inf
    reported: int = 0


class RateLimits:
    """The rate limits of one account at one host. A forked child starts without what its parent has learnt."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sharing: PaceSharing | None = None
        self._reset()

    def reset(self) -> None:
        """Forget everything, and share the pace with no other process any more."""
        if self._sharing is not None:
            self._sharing.close()
        self._sharing = None
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._categories: defaultdict[str, _Category] = defaultdict(_Category)
        self._sent: deque[float] = deque(maxlen=_COUNTED_MAX)
        self._media_left: tuple[float, float] | None = None  # seconds, and until when, in seconds since the epoch
        self._told: dict[str, tuple[Permit | None, float, int]] = {}  # of the last report, what others did not know of
        self._most: int | None = None  # `max_concurrent_requests`, where the pace is shared
        self._most_here: float = math.inf  # the share of this process

    def share(self, account: str, open_store: Callable[[], PaceStore]) -> None:
        """Share the pace from now on with the processes that use the same store; the first store stays."""
        if self._sharing is None:
            self._sharing = PaceSharing(account, open_store, self.report, self.is_busy, self.apply)

    @property
    def _own_lock(self) -> threading.Lock:
        if self._pid != os.getpid():
            self._reset()  # also the lock: it may be held by a thread that a forked child does not have
        return self._lock

    def note_media(self, headers: Mapping[str, str], now: float) -> None:
        """Remember how many seconds of media the API still accepts, where an answer says so.

        Args:
            headers: The headers of an answer, names in lower case.
            now: Seconds since the epoch.
        """
        with suppress(KeyError, ValueError):
            left, reset = (float(headers[f"x-ratelimit-duration-{name}"]) for name in ("remaining", "reset"))
            if left >= 0 and reset > now:
                self._media_left = left, reset

    def media_seconds_left(self, now: float) -> float | None:
        """Return how many seconds of media the API accepts until its limit is reset; None where it did not say so."""
        known = self._media_left
        return known[0] if known is not None and known[1] > now else None

    async def acquire(
        self,
        category: str,
        settings: Settings,
        attempt: str,
        sleep: Callable[[float], Awaitable[None]],
        *,
        permit: Permit | None = None,
        max_wait: float = math.inf,
    ) -> Permit:
        """Wait until one more request may be sent; the permit ends with `record` or `release`.

        Args:
            category: The rate-limit category of the request.
            settings: `max_retry_wait`, `requests_per_minute` and `max_concurrent_requests` of the client.
            attempt: What the request is for, for the message.
            sleep: How to wait.
            permit: A permit that was acquired before: it is returned if it is still valid, else released.
            max_wait: Maximum of seconds to wait in total; a single pause is limited by `max_retry_wait` anyway.

        Raises:
            RateLimitError: The permit would come too late. Nothing was sent.
        """
        waited = 0.0
        while isinstance(wait := self.try_acquire(category, settings, permit), Wait):
            is_too_long = wait.reason == "pause" and wait.seconds > settings.max_retry_wait
            if is_too_long or waited + wait.seconds > max_wait:
                raise _not_sent(wait, category, settings, attempt, max_wait - waited)
            spread = random.random()  # noqa: S311  # so that not all callers return at once
            if wait.reason == "slot":
                seconds = min(max(wait.seconds, waited), _SLOT_DELAYS[1]) * (0.5 + spread)
            else:
                seconds = wait.seconds + spread * min(0.25, wait.seconds / 10)
            await sleep(seconds)
            waited += seconds
        return wait

    def try_acquire(self, category: str, settings: Settings, permit: Permit | None = None) -> Permit | Wait:
        """Return a permit, or how long to wait before asking again; the arguments are those of `acquire`."""
        most = settings.max_concurrent_requests
        if self._sharing is not None and not self._is_share_known(self._sharing, most):
            return Wait(_SLOT_DELAYS[0], "slot")
        with self._own_lock:
            now = self._clock()
            state = self._state(category, now)
            state.asked_at = now
            if permit is not None:
                if state.paused_until <= now and permit in state.in_flight:
                    return permit
                state.in_flight.pop(permit, None)
            if state.paused_until > now:
                return Wait(state.paused_until - now, "pause")
            limit = self._most_here if most is None else min(most, self._most_here)
            is_full = limit < math.inf and self._total(now) >= limit
            if is_full or len(state.in_flight) + 1 > min(state.limit, state.permits):
                return Wait(_SLOT_DELAYS[0], "slot")
            if category != POLLING:
                seconds = self._seconds_to_next(settings.requests_per_minute, now)
                if seconds > 0:
                    return Wait(seconds, "rate")
                self._sent.append(now)
            permit = Permit(category, now, state.successes + state.others)
            state.in_flight[permit] = None
            return permit

    def check_pause(self, category: str, settings: Settings, attempt: str) -> None:
        """Verify that the API does not demand a pause of a category that is longer than the client waits.

        Raises:
            RateLimitError: It does.
        """
        with self._own_lock:
            now = self._clock()
            wait = Wait(self._state(category, now).paused_until - now, "pause")
        if wait.seconds > settings.max_retry_wait:
            raise _not_sent(wait, category, settings, attempt)

    def record(self, permit: Permit, outcome: Outcome, settings: Settings) -> int:
        """Learn how a request ended, release its permit, and return how many of its category have succeeded so far."""
        with self._own_lock:
            now = self._clock()
            state = self._state(permit.category, now)
            pause = outcome.retry_after
            # Of requests that were in flight together, the first refusal counts and the others add nothing.
            is_news = permit.since > state.refused_at
            if outcome.status == RATE_LIMITED and is_news:
                state.refusals += 1
                state.refused_at = now
                in_flight = len(state.in_flight) * state.processes  # as far as this process can know
                if in_flight > 1:  # a refusal of a single request is not due to concurrency
                    state.limit = max(1.0, min(state.limit, in_flight) / 2)
                state.refused = permit
                pause = min(backoff(state.refusals), settings.max_retry_wait) if pause is None else pause
            elif outcome.ok:
                state.successes += 1
                if is_news:
                    state.refusals = 0
                    state.limit += 1 / state.limit  # one more after each round, as TCP does after a loss
            is_kept = outcome.status == RATE_LIMITED or (pause or 0.0) <= settings.max_retry_wait
            if pause is not None and is_kept and now + pause > state.paused_until:
                state.paused_until = state.new_pause = now + pause
            state.in_flight.pop(permit, None)
            successes = state.successes + state.others
        if self._sharing is not None and pause is not None:
            self._sharing.exchange_soon()
        return successes

    def report(self) -> dict[str, Report]:
        """Return what other processes do not know of, by category; `ALL` has the setting of all together."""
        with self._own_lock:
            now = self._clock()
            reports, self._told = {}, {}
            for name in list(self._categories):
                state = self._state(name, now)
                if not state.in_flight and state.refused is None and now - state.asked_at > IDLE_SEC:
                    continue
                sent_ago = None if state.refused is None else now - state.refused.since
                reports[name] = Report(
                    len(state.in_flight),
                    state.limit,
                    max(0.0, state.new_pause - now),
                    now - state.refused_at,
                    sent_ago,
                    state.successes - state.reported,
                )
                self._told[name] = state.refused, state.new_pause, state.successes
            reports[ALL] = Report(self._total(now), math.inf if self._most is None else self._most)
            return reports

    def is_busy(self) -> bool:
        """Return whether requests are in flight."""
        with self._own_lock:
            return self._total(self._clock()) > 0

    def apply(self, shared: Mapping[str, Shared]) -> None:
        """Take over what all processes of the account know; where it cannot be known, this process is alone."""
        with self._own_lock:
            now = self._clock()
            known = dict(shared)
            self._most_here = known.pop(ALL).permits if known else math.inf
            if shared:  # else the next report tells it
                self._note_told()
            for name in {**self._categories, **known}:
                state = self._categories[name]
                if (one := known.get(name)) is None:
                    state.processes, state.permits = 1, math.inf
                    continue
                state.processes, state.permits = one.processes, one.permits
                if state.refused is None:  # since the report; else the others do not know the limit yet
                    state.limit = one.limit
                state.others = max(state.others, one.successes - state.reported)
                state.paused_until = max(state.paused_until, now + one.pause)
                state.refused_at = max(state.refused_at, now - one.refused_ago)

    def release(self, permit: Permit) -> None:
        """Give back a permit that was not used; without effect after `record`."""
        with self._own_lock:
            self._categories[permit.category].in_flight.pop(permit, None)

    def _is_share_known(self, sharing: PaceSharing, most: int | None) -> bool:
        with self._own_lock:
            if most is not None and most > (self._most or 0):
                self._most = most
                sharing.exchange_soon()
        # Without the lock: where the store does not answer, this takes it.
        return sharing.is_known()

    def _note_told(self) -> None:
        """Note that the other processes know the last report; what was learnt since then they do not know."""
        for name, (refused, pause, successes) in self._told.items():
            state = self._categories[name]
            state.reported = successes
            if state.refused is refused:
                state.refused = None
            if state.new_pause == pause:
                state.new_pause = -math.inf

    def _state(self, category: str, now: float) -> _Category:
        state = self._categories[category]
        while state.in_flight and now - (oldest := next(iter(state.in_flight))).since >= PERMIT_SECONDS:
            del state.in_flight[oldest]
        if now - state.refused_at >= LIMIT_SECONDS:
            state.limit = math.inf
        return state

    def _total(self, now: float) -> int:
        return sum(len(self._state(name, now).in_flight) for name in self._categories)

    def _seconds_to_next(self, per_minute: float | None, now: float) -> float:
        if per_minute is None:
            return 0.0
        # `count` requests in `span` seconds: a minute, unless the rate is below 1 or above what is kept.
        whole = int(per_minute)
        count = max(1, min(whole, _COUNTED_MAX))
        span = 60.0 * count / (whole or per_minute)
        return self._sent[-count] + span - now if len(self._sent) >= count else 0.0


_accounts: dict[tuple[str, str], RateLimits] = {}


def rate_limits_of(settings: Settings, open_store: Callable[[], PaceStore] | None = None) -> RateLimits:
    """Return the rate limits of an account at a host: the same object for all clients of this process.

    Args:
        settings: The key and the host.
        open_store: Opens a store through which other processes share them; None leaves that as it is.
    """
    key = (settings.account, urlsplit(settings.base_url).netloc.lower())
    if len(_accounts) >= _ACCOUNTS_MAX and key not in _accounts:
        _accounts.clear()  # existing clients keep theirs
    limits = _accounts.setdefault(key, RateLimits())
    if open_store is not None:
        limits.share(" ".join(key), open_store)
    return limits


def reset_rate_limits() -> None:
    """Forget in this process what was learnt about every account, for example between tests."""
    for limits in list(_accounts.values()):
        limits.reset()


def category_of(method: str, path: str, given: str) -> str:
    """Return the rate-limit category of a request: the given one, else by method and path."""
    if given:
        return given
    if method == "GET":
        return POLLING
    return "assets" if path.startswith("/assets") else "embed"


def _not_sent(
    wait: Wait, category: str, settings: Settings, attempt: str, remaining: float = math.inf
) -> RateLimitError:
    retry_at, advice = None, "Try again later."
    reason = "other requests take all slots or requests per minute"
    if wait.reason == "pause":
        reason = f"the API refuses requests of category {category} for another {wait.seconds:.0f} s"
        retry_at = time.time() + wait.seconds
        advice = when_to_retry(retry_at)
    limit = f"max_retry_wait is {settings.max_retry_wait:g} s"
    if remaining < settings.max_retry_wait:
        limit = f"the time-out leaves {remaining:.1f} s"
    message = f"could not {attempt}: not sent, because {reason}; {limit}. {advice}"
    return RateLimitError(message, status_code=RATE_LIMITED, retry_at=retry_at)
