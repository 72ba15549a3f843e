"""One governor for each key and host in a process: all clients, threads and event loops ask it before they send.

It keeps `_pacing`'s state under a lock that is held for microseconds, so it may be used on an event loop too. Waiting
is asking again after the time that the pacing names: one way for threads and loops, and cancellation or Ctrl-C ends
it with nothing to tidy up.
"""

import math
import os
import random
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from twelvelabs_core._error_bodies import when_to_retry
from twelvelabs_core._errors import RateLimitError
from twelvelabs_core._io import Io
from twelvelabs_core._pacing import Bounds, Pacing, Turn, Wait, room_look
from twelvelabs_core._retry import RATE_LIMITED, Outcome
from twelvelabs_core._settings import Settings

_REMEMBERED = 32  # governors without a client that are kept, for programs that make a client for each call


class Governor:
    """Lets requests of one account go at the pace that its API takes."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Begin anew, with a lock of its own: after fork a thread that is gone may hold the old one."""
        self._lock = threading.Lock()
        self._pacing = Pacing()
        self._waiting = 0  # for room

    async def turn(
        self,
        io: Io,
        category: str,
        bounds: Bounds,
        attempt: str,
        *,
        longest: float | None = None,
        reserved: Turn | None = None,
    ) -> Turn:
        """Wait until one more request may go; give the turn back by `heard` or `leave`.

        Args:
            io: How to wait.
            category: The category in which the request is counted.
            bounds: What the caller allows.
            attempt: What the request tries, for the message.
            longest: Most seconds to wait for whatever reason; None waits for others, and for the caller's own pace, as
                long as it takes.
            reserved: A turn that was taken before; returned if it can still be used.

        Raises:
            RateLimitError: The server wants a longer pause than the caller waits, or `longest` is over. Nothing was
                sent.
        """
        waited = 0.0
        while True:
            with self._lock:
                now = self._clock()
                if reserved is not None and self._pacing.is_good(reserved, bounds, now):
                    return reserved
                answer = self._pacing.ask(category, bounds, now)
            if isinstance(answer, Turn):
                return answer
            if answer.is_too_long or (longest is not None and waited + answer.seconds > longest):
                raise _refusal(answer, category, bounds, attempt, now)
            waited += await self._sleep(io, answer, math.inf if longest is None else longest - waited)

    async def _sleep(self, io: Io, wait: Wait, left: float) -> float:
        """Wait; return the seconds. The more wait for room, the less often each looks: somebody always does soon."""
        if wait.reason != "room":
            seconds = _spread(wait)
            await io.sleep(seconds)
            return seconds
        with self._lock:
            self._waiting += 1
            seconds = min(_spread(wait, room_look(self._waiting)), left)
        try:
            await io.sleep(seconds)
        finally:
            with self._lock:
                self._waiting = max(0, self._waiting - 1)  # after fork it began anew
        return seconds

    def check(self, category: str, bounds: Bounds, attempt: str) -> None:
        """Refuse what `turn` would refuse now, before something is done that only such a request makes useful.

        Raises:
            RateLimitError: As for `turn`.
        """
        with self._lock:
            now = self._clock()
            pause = self._pacing.pause(category, bounds, now)
        if pause is not None and pause.is_too_long:
            raise _refusal(pause, category, bounds, attempt, now)

    def heard(self, turn: Turn, outcome: Outcome, bounds: Bounds) -> int:
        """Learn how a request ended; of a refused one return how many of its category have got through so far."""
        with self._lock:
            now, got_through = self._clock(), 0
            seconds = None if outcome.retry_at is None or outcome.retry_at <= now else outcome.retry_at - now
            if outcome.status == RATE_LIMITED:
                got_through = self._pacing.refused(turn, seconds, bounds.max_wait, now)
            else:
                if outcome.ok:
                    self._pacing.got_through(turn)
                if seconds is not None:
                    self._pacing.advised(turn, seconds, now)
            self._pacing.leave(turn)
            return got_through

    def leave(self, turn: Turn) -> None:
        """Give back the turn of a request of which nothing was learnt."""
        with self._lock:
            self._pacing.leave(turn)


class _Registry:
    """The governors of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: weakref.WeakValueDictionary[tuple[str, str], Governor] = weakref.WeakValueDictionary()
        self._recent: OrderedDict[tuple[str, str], Governor] = OrderedDict()

    def find(self, key: tuple[str, str]) -> Governor:
        with self._lock:
            governor = self._all.get(key)
            if governor is None:
                governor = self._all[key] = Governor()
            self._recent[key] = governor
            self._recent.move_to_end(key)
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)
            return governor

    def forget(self) -> None:
        self._lock = threading.Lock()
        for governor in list(self._all.values()):
            governor.forget()


_registry = _Registry()


def governor_of(settings: Settings) -> Governor:
    """Return the governor of a key and a host; the same object to everyone in this process."""
    return _registry.find((settings.account, urlsplit(settings.base_url).netloc.lower()))


def forget_pace() -> None:
    """Forget in this process what was learnt of every account: after fork, and between tests."""
    _registry.forget()


def _refusal(wait: Wait, category: str, bounds: Bounds, attempt: str, now: float) -> RateLimitError:
    if wait.reason == "pause":
        retry_at = now + wait.seconds
        reason = (
            f"the API refuses requests of the category {category} for another {wait.seconds:.0f} s, and max_retry_wait "
            f"is {bounds.max_wait:g} s. {when_to_retry(retry_at)}"
        )
    else:
        retry_at = None
        reason = f"others had all the room or pace for max_retry_wait, {bounds.max_wait:g} s. Try again later."
    message = f"could not {attempt}: not sent, for {reason}"
    return RateLimitError(message, status_code=RATE_LIMITED, retry_at=retry_at)


def _spread(wait: Wait, look: float = 0.0) -> float:
    """Return how long to sleep: never shorter than a pause, and not all until the same instant."""
    chance = random.random()  # noqa: S311  # spreads callers, guards nothing
    if wait.reason == "room":
        return look * (0.5 + chance)
    return wait.seconds + chance * min(0.25, wait.seconds / 10)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_pace)
