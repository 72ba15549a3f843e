"""The pace as a state machine: whatever happens, never too many, never too early, and always back up."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from twelvelabs_core.api.requests import category
from twelvelabs_core.transport.rate_limit import (
    COUNTED_SEC,
    LONGEST_ROOM_LOOK,
    LOOKS,
    ROOM_LOOK,
    Bounds,
    Pacing,
    Turn,
    Wait,
    category_of,
    room_look,
)

NOW = 1_700_000_000.0
CATEGORIES = ("text", "video", LOOKS)
FREE = Bounds(60.0)

caps = st.floats(0.1, 120.0)
waits = st.none() | st.floats(0.0, 200.0)


def take(pacing: Pacing, now: float, *, kind: str = "text", bounds: Bounds = FREE) -> Turn:
    turn = pacing.ask(kind, bounds, now)
    assert isinstance(turn, Turn)
    return turn


def wait_of(pacing: Pacing, now: float, *, kind: str = "text", bounds: Bounds = FREE) -> Wait:
    wait = pacing.ask(kind, bounds, now)
    assert isinstance(wait, Wait)
    return wait


def refuse(pacing: Pacing, turn: Turn, seconds: float | None, now: float) -> None:
    pacing.refused(turn, seconds, 60.0, now)
    pacing.leave(turn)


def succeed(pacing: Pacing, turn: Turn) -> None:
    pacing.got_through(turn)
    pacing.leave(turn)


def room(pacing: Pacing, now: float) -> int:
    """Return how many of a crowd of 100 get a turn; all give it back."""
    answers = [pacing.ask("text", FREE, now) for _ in range(100)]
    turns = [answer for answer in answers if isinstance(answer, Turn)]
    for turn in turns:
        pacing.leave(turn)
    return len(turns)


class AnyCourse(RuleBasedStateMachine):
    """Requests of several callers begin and end in any order, while time passes and the server says anything."""

    turns: Bundle[Any] = Bundle("turns")

    def __init__(self) -> None:
        super().__init__()
        self.pacing = Pacing()
        self.now = NOW
        self.under_way: dict[Turn, None] = {}
        self.named_until = dict.fromkeys(CATEGORIES, -math.inf)
        self.granted: list[float] = []

    @rule(
        target=turns,
        kind=st.sampled_from(CATEGORIES),
        cap=caps,
        at_once=st.none() | st.integers(1, 5),
        per_minute=st.none() | st.sampled_from([0.7, 3.0, 10.0]),
    )
    def ask(self, kind: str, cap: float, at_once: int | None, per_minute: float | None) -> Any:
        answer = self.pacing.ask(kind, Bounds(cap, per_minute, at_once), self.now)
        if isinstance(answer, Wait):
            assert 0 < answer.seconds < math.inf
            assert answer.is_too_long == (answer.reason == "pause" and answer.seconds > cap)
            return answer
        assert self.now >= self.named_until[kind]
        if at_once is not None:
            counted = [turn for turn in self.under_way if self.now - turn.since < COUNTED_SEC]
            assert len(counted) < at_once
        if per_minute is not None and kind != LOOKS:
            self.check_pace(per_minute)
        if kind != LOOKS:
            self.granted.append(self.now)
        self.under_way[answer] = None
        return answer

    def check_pace(self, per_minute: float) -> None:
        most, span = (1, 60.0 / per_minute) if per_minute < 1 else (int(per_minute), 60.0)
        assert len([moment for moment in self.granted if moment > self.now - span + 1e-6]) < most

    @rule(turn=consumes(turns), seconds=waits, cap=caps)
    def refused(self, turn: Any, seconds: float | None, cap: float) -> None:
        if isinstance(turn, Turn):
            self.pacing.refused(turn, seconds, cap, self.now)
            self.end(turn)
            if seconds is not None:
                self.named_until[turn.category] = max(self.named_until[turn.category], self.now + seconds - 1e-6)

    @rule(turn=consumes(turns), seconds=waits)
    def got_through(self, turn: Any, seconds: float | None) -> None:
        if isinstance(turn, Turn):
            self.pacing.got_through(turn)
            if seconds is not None:
                self.pacing.advised(turn, seconds, self.now)
            self.end(turn)

    @rule(turn=consumes(turns))
    def left(self, turn: Any) -> None:
        if isinstance(turn, Turn):
            self.end(turn)
            self.pacing.leave(turn)  # again is harmless

    def end(self, turn: Turn) -> None:
        self.pacing.leave(turn)
        del self.under_way[turn]

    @rule(seconds=st.floats(0.0, 90.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def no_pause_lasts_longer_than_was_said(self) -> None:
        for kind in CATEGORIES:
            pause = self.pacing.pause(kind, Bounds(math.inf), self.now)
            assert pause is None or 0 < pause.seconds <= 200.0

    def teardown(self) -> None:
        for turn in self.under_way:
            self.pacing.leave(turn)
        self.now += 300.0  # longer than any pause
        for kind in CATEGORIES:  # whatever it was, work gets on, one by one, and then everybody has room
            for _ in range(1300):  # 1 + 2 + ... + 50, more than a course has steps
                succeed(self.pacing, take(self.pacing, self.now, kind=kind))
            assert len([take(self.pacing, self.now, kind=kind) for _ in range(100)]) == 100


TestAnyCourse = AnyCourse.TestCase


def test_one_refusal_of_many_pauses_all_of_its_category_and_no_other() -> None:
    pacing = Pacing()
    turns = [take(pacing, NOW) for _ in range(32)]
    refuse(pacing, turns[0], 5.0, NOW + 1)
    assert wait_of(pacing, NOW + 2) == Wait(4.0, "pause")
    assert take(pacing, NOW + 2, kind="video")
    assert take(pacing, NOW + 2, kind=LOOKS)
    assert wait_of(pacing, NOW + 5.9).reason == "pause"
    for turn in turns[1:]:
        succeed(pacing, turn)
    assert room(pacing, NOW + 6) == 16


def test_a_burst_of_refusals_is_one_and_the_longest_pause_counts() -> None:
    pacing = Pacing()
    turns = [take(pacing, NOW) for _ in range(32)]
    for number, turn in enumerate(turns):
        refuse(pacing, turn, 1.0 + number % 3, NOW + 1)
    assert wait_of(pacing, NOW + 1) == Wait(3.0, "pause")
    assert room(pacing, NOW + 4) == 16


def test_a_refusal_of_what_was_sent_after_the_pause_halves_again_down_to_one() -> None:
    pacing, now, seen = Pacing(), NOW, []
    refuse(pacing, [take(pacing, now) for _ in range(8)][-1], 1.0, now)
    pacing._turns.clear()
    pacing._lane("text").under_way = 0
    for _ in range(5):
        now += 2.0
        seen.append(room(pacing, now))
        refuse(pacing, take(pacing, now), 1.0, now + 0.5)
    assert seen == [4, 1, 1, 1, 1]


def test_success_brings_one_more_at_once_per_round_until_there_is_room_for_all() -> None:
    pacing = Pacing()
    turns = [take(pacing, NOW) for _ in range(6)]
    for turn in turns:
        refuse(pacing, turn, 1.0, NOW)
    rooms, now = [], NOW + 1
    for _ in range(13):
        now += 1.0
        rooms.append(room(pacing, now))
        succeed(pacing, take(pacing, now))
    assert rooms == [3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 100]


def test_without_a_time_the_pause_doubles_with_each_refusal_and_is_not_beyond_the_cap() -> None:
    pacing, now, seen = Pacing(), NOW, []
    for _ in range(7):
        refuse(pacing, take(pacing, now), None, now)
        wait = wait_of(pacing, now)
        seen.append(round(wait.seconds, 3))
        now += wait.seconds
    assert seen == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    succeed(pacing, take(pacing, now + 1))
    refuse(pacing, take(pacing, now + 2), None, now + 2)
    assert wait_of(pacing, now + 2).seconds == pytest.approx(0.5)
    short = Pacing()
    short.refused(take(short, NOW), None, 0.05, NOW)
    assert wait_of(short, NOW).seconds == pytest.approx(0.05)


def test_whoever_waits_less_than_the_server_wants_is_refused_and_others_wait() -> None:
    pacing = Pacing()
    refuse(pacing, take(pacing, NOW), 100.0, NOW)
    assert wait_of(pacing, NOW + 10) == Wait(90.0, "pause", is_too_long=True)
    assert wait_of(pacing, NOW + 10, bounds=Bounds(120.0)) == Wait(90.0, "pause")
    assert not wait_of(pacing, NOW + 50).is_too_long


def test_limits_shown_as_used_up_are_waited_for_but_beyond_the_cap_the_server_is_asked() -> None:
    pacing = Pacing()
    turn = take(pacing, NOW)
    pacing.advised(turn, 30.0, NOW)
    assert wait_of(pacing, NOW) == Wait(30.0, "pause")
    assert take(pacing, NOW, bounds=Bounds(20.0))
    pacing.advised(turn, 86_400.0, NOW)
    assert take(pacing, NOW)
    assert room(pacing, NOW) == 100  # nothing was refused


def test_a_clock_that_is_set_back_makes_nobody_wait_longer() -> None:
    pacing, bounds = Pacing(), Bounds(60.0, per_minute=1.0)
    refuse(pacing, take(pacing, NOW, bounds=bounds), 10.0, NOW)
    assert wait_of(pacing, NOW - 86_400).seconds == 10.0
    take(pacing, NOW + 60, bounds=bounds)
    assert take(pacing, NOW - 86_400, kind="video", bounds=bounds)


def test_a_clock_that_is_set_back_leaves_nobody_slow_or_counted_for_ever() -> None:
    pacing, strict, then = Pacing(), Bounds(60.0, at_once=3), NOW - 86_400
    lost = [take(pacing, NOW, kind=LOOKS, bounds=strict) for _ in range(2)]  # nobody gives these back
    refuse(pacing, take(pacing, NOW, bounds=strict), None, NOW)
    assert wait_of(pacing, then, bounds=strict) == Wait(0.5, "pause")
    then += 1
    succeed(pacing, take(pacing, then, bounds=strict))
    then += 1
    succeed(pacing, take(pacing, then, bounds=strict))
    assert room(pacing, then) > 1  # it grew
    assert lost
    assert [take(pacing, then + COUNTED_SEC, kind=LOOKS, bounds=strict) for _ in range(3)]


def test_the_more_wait_for_room_the_less_often_each_looks() -> None:
    looks = [room_look(waiting) for waiting in (0, 1, 10, 200, 500, 1000, 100_000)]
    assert looks == sorted(looks)
    assert (looks[0], looks[-1]) == (ROOM_LOOK, LONGEST_ROOM_LOOK)
    assert all(waiting / room_look(waiting) < 1001 for waiting in range(20, 1000))


@given(st.floats(0.01, 5000.0), st.lists(st.floats(0.0, 20.0), max_size=60))
def test_no_minute_has_more_requests_than_were_asked_for(per_minute: float, gaps: list[float]) -> None:
    pacing, now, sent = Pacing(), NOW, list[float]()
    bounds = Bounds(60.0, per_minute)
    for gap in gaps:
        now += gap
        answer = pacing.ask("text", bounds, now)
        if isinstance(answer, Wait):
            assert answer.reason == "pace"
            now += answer.seconds * (1 + 1e-9) + 1e-6  # floats of this size are coarse
            answer = pacing.ask("text", bounds, now)
        assert isinstance(answer, Turn)  # the wait that is named is enough
        sent.append(now)
        pacing.leave(answer)
    span = max(60.0, 60.0 / per_minute)
    most = max(1, int(per_minute))
    for start in sent:
        assert len([moment for moment in sent if start <= moment < start + span - 1e-3]) <= most


def test_the_pace_is_counted_over_all_categories_and_without_looks() -> None:
    pacing, bounds = Pacing(), Bounds(60.0, per_minute=3.0)
    for kind in ("text", LOOKS, "video", LOOKS, "assets"):
        pacing.leave(take(pacing, NOW, kind=kind, bounds=bounds))
    assert wait_of(pacing, NOW, bounds=bounds) == Wait(60.0, "pace")
    assert take(pacing, NOW, kind=LOOKS, bounds=bounds)
    assert take(pacing, NOW)  # another caller has set no pace


def test_room_is_each_callers_own_and_what_is_old_takes_none() -> None:
    pacing = Pacing()
    strict, wide = Bounds(60.0, at_once=2), Bounds(60.0, at_once=3)
    first = take(pacing, NOW, bounds=strict)
    take(pacing, NOW + 1, kind=LOOKS, bounds=strict)
    assert wait_of(pacing, NOW + 1, bounds=strict).reason == "room"
    take(pacing, NOW + 1, bounds=wide)
    assert wait_of(pacing, NOW + 1, bounds=wide).reason == "room"
    pacing.leave(first)
    assert wait_of(pacing, NOW + 1, bounds=strict).reason == "room"
    assert take(pacing, NOW + 1 + COUNTED_SEC, bounds=strict)


@pytest.mark.parametrize(
    ("method", "path", "given", "expected"),
    [
        ("GET", "/embed-v2/tasks", "", LOOKS),
        ("GET", "/assets/1", "", LOOKS),
        ("POST", "/assets", "", "assets"),
        ("DELETE", "/assets/1", "", "assets"),
        ("POST", "/assets/multipart-uploads", "", "assets"),
        ("POST", "/embed-v2", "text", "text"),
        ("POST", "/embed/tasks", "", "embed"),
    ],
)
def test_every_request_is_of_one_category(method: str, path: str, given: str, expected: str) -> None:
    assert category_of(method, path, given) == expected


@pytest.mark.parametrize(
    ("kinds", "text", "expected"),
    [
        ([], "red", "text"),
        (["image"], None, "image"),
        (["image", "image"], "red", "text_image"),
        (["image", "audio", "video"], "red", "video"),
        (["audio"], None, "audio"),
        (["document"], None, "document"),
    ],
)
def test_a_mixture_counts_as_its_weightiest_part(kinds: list[str], text: str | None, expected: str) -> None:
    content: dict[str, Any] = {"media_sources": [{"media_type": kind} for kind in kinds]} if kinds else {}
    if text is not None:
        content["input_text"] = text
    assert category({"input_type": "multi_input", "multi_input": content}) == expected
    assert category({"input_type": "text_image", "text_image": {}}) == "text_image"
