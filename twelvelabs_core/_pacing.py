"""How fast: which request may go now, and how long the others wait. Pure decisions; the time is passed in.

The API counts each category of requests by itself (text, image, video, ...), and looks (GETs) in none. So each has a
lane of its own: a pause that was learnt from texts stops neither videos nor the polling of tasks that are paid for.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from twelvelabs_core._retry import backoff

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
