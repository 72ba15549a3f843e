"""How fast: which request may go now, and how long the others wait. Pure decisions; the time is passed in.

The API counts each category of requests by itself (text, image, video, ...), and looks (GETs) in none. So each has a
lane of its own: a pause that was learnt from texts stops neither videos nor the polling of tasks that are paid for.

One governor for each key and host in a process: all clients, threads and event loops ask it before they send.

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
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from twelvelabs_core.base.errors import RateLimitError
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.transport.error_response import when_to_retry
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.retry import RATE_LIMITED, Outcome, backoff

LOOKS = "looks"
ROOM_LOOK = 0.02  # seconds until somebody who waits for room looks again
LONGEST_ROOM_LOOK = 1.0  # seconds, where a thousand wait
_ROOM_LOOKS = 1000.0  # a second, of all who wait together
# A request is counted for so long. A blocking call on the very event loop that the others need to end would wait for
# them for ever; and what a cancelled caller could not give back is free again.
COUNTED_SEC = 30.0
_SENT_MAX = 1000  # times of requests that are kept for the pace


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one caller allows.

    Attributes:
        max_wait: Longest wait for the server's permission, in seconds; whoever would wait longer is refused.
        per_minute: Most requests a minute, looks not counted; None for any number.
        at_once: Most requests under way at once, looks included; None for any number.
    """

    max_wait: float
    per_minute: float | None = None
    at_once: int | None = None


@dataclass(slots=True, eq=False)
class Turn:
    """One request under way: since when, beside how many of its category, and how many had got through before."""

    category: str
    since: float
    crowd: int
    got_through: int


@dataclass(frozen=True, slots=True)
class Wait:
    """No turn yet.

    Attributes:
        seconds: Until asking again makes sense, above 0.
        reason: `pause` of the server, `pace` of the caller's own, or `room`: others must end first.
        is_too_long: Whether the caller does not wait that long.
    """

    seconds: float
    reason: Literal["pause", "pace", "room"]
    is_too_long: bool = False


class _Pause:
    """Until when nothing goes."""

    def __init__(self) -> None:
        self._until = -math.inf
        self._length = 0.0

    def left(self, now: float) -> float:
        if self._until - now > self._length:
            self._until = now + self._length  # the clock was set back: no longer than it was at first
        return max(0.0, self._until - now)

    def extend(self, seconds: float, now: float) -> None:
        if seconds > self.left(now):
            self._until, self._length = now + seconds, seconds


class _Lane:
    """One category: its pauses, and how many may be under way."""

    def __init__(self) -> None:
        self.named = _Pause()  # by a refusal that said until when
        self.likely = _Pause()  # by a refusal without a time, or by limits that an answer showed as used up
        self.under_way = 0
        self.got_through = 0
        self.limit: int | None = None  # learnt; None is no limit but the callers' own
        self.cut_at = -math.inf
        self._goal = 0
        self._steps = 0
        self._refusals = 0

    def cut(self, crowd: int, now: float) -> int:
        """Go on with half as many at once; return how many refusals there were in a row."""
        if self.limit is None:
            self._goal = crowd
        self.limit = max(1, min(crowd, crowd if self.limit is None else self.limit) // 2)
        self.cut_at, self._steps = now, 0
        self._refusals += 1
        return self._refusals

    def grow(self) -> None:
        """Allow one more at once for each round that got through, until all who were there before have room again."""
        self._refusals = 0
        if self.limit is None:
            return
        self._steps += 1
        if self._steps >= self.limit:
            self.limit, self._steps = self.limit + 1, 0
            if self.limit >= self._goal:
                self.limit = None


class _Pace:
    """The last requests, whoever sent them."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=_SENT_MAX)

    def wait(self, per_minute: float | None, now: float) -> float:
        """Return the seconds until one more request keeps within a number a minute."""
        if per_minute is None:
            return 0.0
        # `count` requests in `span` seconds: in a minute; one in longer, or `_SENT_MAX` in shorter, where it must be.
        whole = int(per_minute)
        count = max(1, min(whole, _SENT_MAX))
        span = 60.0 * count / (whole or per_minute)
        if self._sent and self._sent[-1] > now:
            self._sent.clear()  # the clock was set back
        return max(0.0, self._sent[-count] + span - now) if len(self._sent) >= count else 0.0

    def note(self, now: float) -> None:
        self._sent.append(now)


class Pacing:
    """The pace of one account at one host, for all its callers together.

    Times are seconds of one clock. Not safe for threads by itself.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._turns: dict[Turn, None] = {}  # in the order in which they began
        self._pace = _Pace()

    def ask(self, category: str, bounds: Bounds, now: float) -> Turn | Wait:
        """Return a turn, which is given back by `leave`, or how long to wait before asking again."""
        lane = self._lane(category)
        if lane.cut_at > now:
            lane.cut_at = -math.inf  # the clock was set back; what goes now comes after that refusal
        pause = self.pause(category, bounds, now)
        if pause is not None:
            return pause
        self._drop_old(now)
        is_full = lane.limit is not None and lane.under_way >= lane.limit
        if is_full or (bounds.at_once is not None and len(self._turns) >= bounds.at_once):
            return Wait(ROOM_LOOK, "room")
        if category != LOOKS:
            wait = self._pace.wait(bounds.per_minute, now)
            if wait > 0:
                return Wait(wait, "pace")
            self._pace.note(now)
        lane.under_way += 1
        turn = Turn(category, now, lane.under_way, lane.got_through)
        self._turns[turn] = None
        return turn

    def pause(self, category: str, bounds: Bounds, now: float) -> Wait | None:
        """Return the pause of a category, if there is one for this caller."""
        lane = self._lane(category)
        named, likely = lane.named.left(now), lane.likely.left(now)
        if named > bounds.max_wait:
            return Wait(named, "pause", is_too_long=True)
        # A likely one beyond the caller's cap is not believed: a request is sent to hear it from the server.
        seconds = max(named, likely if likely <= bounds.max_wait else 0.0)
        return Wait(seconds, "pause") if seconds > 0 else None

    def is_good(self, turn: Turn, bounds: Bounds, now: float) -> bool:
        """Whether a turn that was taken before its request can still be used; if not, it is given back."""
        self._drop_old(now)
        if turn in self._turns and self.pause(turn.category, bounds, now) is None:
            return True
        self.leave(turn)
        return False

    def leave(self, turn: Turn) -> None:
        """Give a turn back; again is harmless."""
        if turn in self._turns:
            del self._turns[turn]
            self._lane(turn.category).under_way -= 1

    def got_through(self, turn: Turn) -> None:
        """Learn that the server took a request."""
        lane = self._lane(turn.category)
        lane.got_through += 1
        if turn.since > lane.cut_at:
            lane.grow()

    def refused(self, turn: Turn, seconds: float | None, max_wait: float, now: float) -> int:
        """Learn of a 429; return how many of the category have got through so far, since the process began.

        Args:
            turn: That of the refused request.
            seconds: Until the server wants to be asked again; None when it did not say.
            max_wait: The caller's; a pause that is guessed is no longer.
            now: The time.
        """
        lane = self._lane(turn.category)
        # Of requests that were on their way together, the first refusal speaks for all.
        is_first = turn.since > lane.cut_at or lane.cut_at > now
        in_a_row = lane.cut(max(turn.crowd, lane.under_way), now) if is_first else 0
        if seconds is not None:
            lane.named.extend(seconds, now)
        elif is_first:
            lane.likely.extend(min(backoff(in_a_row), max_wait), now)
        return lane.got_through

    def advised(self, turn: Turn, seconds: float, now: float) -> None:
        """Learn from an answer which is no 429 that the next request had better wait."""
        self._lane(turn.category).likely.extend(seconds, now)

    def _lane(self, category: str) -> _Lane:
        return self._lanes.get(category) or self._lanes.setdefault(category, _Lane())

    def _drop_old(self, now: float) -> None:
        if self._turns and next(reversed(self._turns)).since > now:
            for turn in self._turns:
                turn.since = min(turn.since, now)  # the clock was set back: their time begins anew
        while self._turns:
            oldest = next(iter(self._turns))
            if now - oldest.since < COUNTED_SEC:
                return
            self.leave(oldest)


def room_look(waiting: int) -> float:
    """Return the seconds until somebody looks for room again, where so many wait for it."""
    return min(max(ROOM_LOOK, waiting / _ROOM_LOOKS), LONGEST_ROOM_LOOK)


def category_of(method: str, path: str, given: str) -> str:
    """Return the category in which a request is counted: the one that its operation names, else by its path."""
    if given:
        return given
    if method == "GET":
        return LOOKS
    return "assets" if path.startswith("/assets") else "embed"


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
