"""The rate-limit state in virtual time: never too many requests, never too early, and always back to full speed."""

import asyncio
import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from pydantic import SecretStr

from twelvelabs_core import RateLimitError, Settings
from twelvelabs_core.api.requests import category
from twelvelabs_core.transport.rate_limit import (
    LIMIT_SECONDS,
    PERMIT_SECONDS,
    POLLING,
    Permit,
    RateLimits,
    Wait,
    category_of,
)
from twelvelabs_core.transport.retry import Outcome
from twelvelabs_core.transport.shared_pace import ALL, Shared

CATEGORIES = ("text", "video", POLLING)


def allow(max_wait: float = 60.0, *, per_minute: float | None = None, max_concurrent: int | None = None) -> Settings:
    return Settings(
        api_key=SecretStr("tlk_sandbox_x"),
        base_url="http://127.0.0.1/v1.3",
        max_retry_wait=max_wait,
        requests_per_minute=per_minute,
        max_concurrent_requests=max_concurrent,
    )


class Time:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Account:
    """Rate limits with a virtual clock."""

    def __init__(self) -> None:
        self.time = Time()
        self.limits = RateLimits(self.time)

    def permit(self, kind: str = "text", settings: Settings | None = None) -> Permit:
        permit = self.limits.try_acquire(kind, settings or allow())
        assert isinstance(permit, Permit)
        return permit

    def wait(self, kind: str = "text", settings: Settings | None = None) -> Wait:
        wait = self.limits.try_acquire(kind, settings or allow())
        assert isinstance(wait, Wait)
        return wait

    def refuse(self, permit: Permit, seconds: float | None = None, settings: Settings | None = None) -> int:
        return self.limits.record(permit, Outcome(429, retry_after=seconds), settings or allow())

    def succeed(self, permit: Permit, seconds: float | None = None) -> int:
        return self.limits.record(permit, Outcome(200, retry_after=seconds), allow())

    def slots(self) -> int:
        """Return how many of 100 requests may be in flight; all are released."""
        answers = [self.limits.try_acquire("text", allow()) for _ in range(100)]
        permits = [answer for answer in answers if isinstance(answer, Permit)]
        for permit in permits:
            self.limits.release(permit)
        return len(permits)


class AnyCourse(RuleBasedStateMachine):
    """Requests of several clients start and end in any order, with random times and responses."""

    permits: Bundle[Any] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.in_flight: dict[Permit, None] = {}
        self.paused_until = dict.fromkeys(CATEGORIES, -math.inf)
        self.sent: list[float] = []

    @property
    def now(self) -> float:
        return self.account.time.now

    @rule(
        target=permits,
        kind=st.sampled_from(CATEGORIES),
        max_concurrent=st.none() | st.integers(1, 5),
        per_minute=st.none() | st.sampled_from([0.7, 3.0, 10.0]),
    )
    def ask(self, kind: str, max_concurrent: int | None, per_minute: float | None) -> Any:
        settings = allow(per_minute=per_minute, max_concurrent=max_concurrent)
        answer = self.account.limits.try_acquire(kind, settings)
        if isinstance(answer, Wait):
            assert 0 < answer.seconds < math.inf
            return answer
        assert self.now >= self.paused_until[kind]
        if max_concurrent is not None:
            counted = [permit for permit in self.in_flight if self.now - permit.since < PERMIT_SECONDS]
            assert len(counted) < max_concurrent
        if kind != POLLING:
            if per_minute is not None:
                most, span = (1, 60.0 / per_minute) if per_minute < 1 else (int(per_minute), 60.0)
                assert len([moment for moment in self.sent if moment > self.now - span + 1e-6]) < most
            self.sent.append(self.now)
        self.in_flight[answer] = None
        return answer

    @rule(permit=consumes(permits), seconds=st.none() | st.floats(0.0, 200.0))
    def refused(self, permit: Any, seconds: float | None) -> None:
        if isinstance(permit, Permit):
            self.account.refuse(permit, seconds)
            del self.in_flight[permit]
            if seconds is not None:
                until = self.now + seconds - 1e-6
                self.paused_until[permit.category] = max(self.paused_until[permit.category], until)

    @rule(permit=consumes(permits), seconds=st.none() | st.floats(0.0, 200.0))
    def succeeded(self, permit: Any, seconds: float | None) -> None:
        if isinstance(permit, Permit):
            self.account.succeed(permit, seconds)
            del self.in_flight[permit]

    @rule(permit=consumes(permits))
    def cancelled(self, permit: Any) -> None:
        if isinstance(permit, Permit):
            self.account.limits.release(permit)
            self.account.limits.release(permit)  # a second time has no effect
            del self.in_flight[permit]

    @rule(seconds=st.floats(0.0, 90.0))
    def time_passes(self, seconds: float) -> None:
        self.account.time.now += seconds

    @invariant()
    def no_pause_is_longer_than_demanded(self) -> None:
        for kind in CATEGORIES:
            self.account.limits.check_pause(kind, allow(200.0 + 1e-6), "embed")

    def teardown(self) -> None:
        self.account.time.now += 300.0  # longer than any pause
        for kind in CATEGORIES:
            assert len([self.account.permit(kind) for _ in range(100)]) == 100


@pytest.mark.parametrize("examples", [15, pytest.param(40, marks=pytest.mark.slow)])
def test_any_course(examples: int) -> None:
    settings = hypothesis_settings(max_examples=examples, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(AnyCourse, settings=settings)


def test_one_refusal_pauses_its_category_and_no_other() -> None:
    account = Account()
    permits = [account.permit() for _ in range(32)]
    account.refuse(permits[0], 5.0)
    account.time.now += 1
    assert account.wait() == Wait(4.0, "pause")
    assert account.permit("video")
    assert account.permit(POLLING)
    for permit in permits[1:]:
        account.succeed(permit)
    account.time.now += 4
    assert account.slots() == 16


def test_refusals_of_concurrent_requests_count_once_and_the_longest_pause_counts() -> None:
    account = Account()
    permits = [account.permit() for _ in range(32)]
    account.time.now += 1
    for number, permit in enumerate(permits):
        account.refuse(permit, 1.0 + number % 3)
    assert account.wait() == Wait(3.0, "pause")
    account.time.now += 3
    assert account.slots() == 16


def test_each_refusal_after_a_pause_halves_concurrency_down_to_one() -> None:
    account, slots = Account(), []
    for _ in range(5):
        permits = [account.permit() for _ in range(min(8, account.slots()))]
        account.time.now += 0.5
        account.refuse(permits[0], 1.0)
        for permit in permits:
            account.limits.release(permit)
        account.time.now += 1.0
        slots.append(account.slots())
    assert slots == [4, 2, 1, 1, 1]


def test_concurrency_recovers_by_one_per_round_and_after_a_minute() -> None:
    account = Account()
    permits = [account.permit() for _ in range(6)]
    for permit in permits:
        account.refuse(permit, 1.0)
    account.time.now += 1
    slots = []
    for _ in range(10):
        account.time.now += 1.0
        slots.append(account.slots())
        account.succeed(account.permit())
    assert slots == sorted(slots)
    assert (slots[0], slots[-1]) == (3, 5)
    account.time.now += LIMIT_SECONDS
    assert account.slots() == 100


def test_a_refusal_of_a_single_request_does_not_limit_concurrency() -> None:
    account = Account()
    account.refuse(account.permit(), 1.0)
    account.time.now += 1
    assert account.slots() == 100


def test_without_a_time_the_pause_doubles_with_each_refusal_up_to_max_retry_wait() -> None:
    account, pauses = Account(), []
    for _ in range(7):
        account.refuse(account.permit())
        pauses.append(round(account.wait().seconds, 3))
        account.time.now += account.wait().seconds + 0.01
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    account.succeed(account.permit())
    account.refuse(account.permit())
    assert account.wait().seconds == pytest.approx(0.5)
    impatient = Account()
    impatient.refuse(impatient.permit(), None, allow(0.05))
    assert impatient.wait().seconds == pytest.approx(0.05)


def test_a_pause_longer_than_max_retry_wait_raises_for_this_client_only() -> None:
    account = Account()
    account.refuse(account.permit(), 100.0)
    account.time.now += 10

    async def sleep(seconds: float) -> None:
        account.time.now += seconds

    async def acquire(settings: Settings) -> Permit:
        return await account.limits.acquire("text", settings, "embed the text", sleep)

    with pytest.raises(RateLimitError, match=r"could not embed the text: not sent, because .* for another 90 s"):
        asyncio.run(acquire(allow()))
    with pytest.raises(RateLimitError):
        account.limits.check_pause("text", allow(), "embed the text")
    start = account.time.now
    asyncio.run(acquire(allow(120.0)))
    assert 90.0 <= account.time.now - start <= 91.0
    account.limits.check_pause("text", allow(), "embed the text")


def test_a_used_up_limit_pauses_unless_the_pause_is_longer_than_max_retry_wait() -> None:
    account = Account()
    account.succeed(account.permit(), 30.0)
    assert account.wait() == Wait(30.0, "pause")
    account.time.now += 30
    account.succeed(account.permit(), 86_400.0)  # a prediction: the next request shows whether it is refused
    assert account.slots() == 100


def test_a_permit_is_used_later_unless_a_pause_began_or_it_expired() -> None:
    account, only_one = Account(), allow(max_concurrent=1)
    permit = account.permit(settings=only_one)
    assert account.limits.try_acquire("text", only_one, permit) is permit
    account.time.now += PERMIT_SECONDS
    later = account.limits.try_acquire("text", only_one, permit)
    assert isinstance(later, Permit)
    assert later is not permit
    other = account.permit()
    account.refuse(other, 5.0)
    assert account.limits.try_acquire("text", only_one, later) == Wait(5.0, "pause")
    assert account.permit("video", only_one)  # the wait released the slot


async def test_a_thousand_callers_get_one_slot_after_another_without_busy_waiting() -> None:
    limits, only_one, asked = RateLimits(), allow(max_concurrent=1), 0

    async def sleep(seconds: float) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(seconds)

    async def one() -> None:
        limits.release(await limits.acquire("text", only_one, "embed", sleep))

    held = await limits.acquire("text", only_one, "embed", sleep)
    waiting = [asyncio.create_task(one()) for _ in range(1000)]
    await asyncio.sleep(1.0)
    assert 1000 <= asked < 15_000  # 50,000 without a growing delay
    limits.release(held)
    await asyncio.wait_for(asyncio.gather(*waiting), 60)


def test_threads_never_exceed_the_concurrency() -> None:
    limits, three, lock = RateLimits(), allow(max_concurrent=3), threading.Lock()
    in_flight, most = 0, 0

    def work() -> None:
        nonlocal in_flight, most
        for _ in range(300):
            answer = limits.try_acquire("text", three)
            if isinstance(answer, Permit):
                with lock:
                    in_flight += 1
                    most = max(most, in_flight)
                with lock:
                    in_flight -= 1
                limits.release(answer)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 3


@given(st.floats(0.01, 5000.0), st.lists(st.floats(0.0, 20.0), max_size=60))
@hypothesis_settings(deadline=None)
def test_no_minute_has_more_requests_than_permitted(per_minute: float, gaps: list[float]) -> None:
    account, settings, sent = Account(), allow(per_minute=per_minute), list[float]()
    for gap in gaps:
        account.time.now += gap
        answer = account.limits.try_acquire("text", settings)
        if isinstance(answer, Wait):
            assert answer.reason == "rate"
            account.time.now += answer.seconds * (1 + 1e-9) + 1e-6  # rounding errors
            answer = account.limits.try_acquire("text", settings)
        assert isinstance(answer, Permit)  # the returned wait is long enough
        sent.append(account.time.now)
        account.limits.release(answer)
    span = max(60.0, 60.0 / per_minute)
    most = max(1, int(per_minute))
    for start in sent:
        assert len([moment for moment in sent if start <= moment < start + span - 1e-3]) <= most


def test_requests_per_minute_count_all_categories_but_gets() -> None:
    account, settings = Account(), allow(per_minute=3.0)
    for kind in ("text", POLLING, "video", POLLING, "assets"):
        account.limits.release(account.permit(kind, settings))
    assert account.wait(settings=settings) == Wait(60.0, "rate")
    assert account.permit(POLLING, settings)
    assert account.permit()  # another client has no such limit


def test_each_client_has_its_own_concurrency_and_old_requests_are_not_counted() -> None:
    account, two, three = Account(), allow(max_concurrent=2), allow(max_concurrent=3)
    first = account.permit(settings=two)
    account.time.now += 1
    account.permit(POLLING, two)
    assert account.wait(settings=two).reason == "slot"
    account.permit(settings=three)
    assert account.wait(settings=three).reason == "slot"
    account.limits.release(first)
    assert account.wait(settings=two).reason == "slot"
    account.time.now += PERMIT_SECONDS
    assert account.permit(settings=two)


@pytest.mark.parametrize(
    ("method", "path", "given", "expected"),
    [
        ("GET", "/embed-v2/tasks", "", POLLING),
        ("GET", "/assets/1", "", POLLING),
        ("POST", "/assets", "", "assets"),
        ("DELETE", "/assets/1", "", "assets"),
        ("POST", "/assets/multipart-uploads", "", "assets"),
        ("POST", "/embed-v2", "text", "text"),
        ("POST", "/embed/tasks", "", "embed"),
    ],
)
def test_every_request_has_one_category(method: str, path: str, given: str, expected: str) -> None:
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
def test_a_multi_input_counts_as_its_most_expensive_category(kinds: list[str], text: str | None, expected: str) -> None:
    content: dict[str, Any] = {"media_sources": [{"media_type": kind} for kind in kinds]} if kinds else {}
    if text is not None:
        content["input_text"] = text
    assert category({"input_type": "multi_input", "multi_input": content}) == expected
    assert category({"input_type": "text_image", "text_image": {}}) == "text_image"


# What other processes know


ALONE = {ALL: Shared(math.inf, 1), "text": Shared(math.inf, 1)}


def test_a_refusal_during_an_exchange_is_kept_and_told_by_the_next() -> None:
    account = Account()
    permits = [account.permit() for _ in range(8)]
    account.limits.report()
    account.refuse(permits[0], 30.0)
    account.limits.apply(ALONE)
    told = account.limits.report()["text"]
    assert (told.limit, told.pause, told.sent_ago) == (4.0, 30.0, 0.0)
    account.limits.apply({**ALONE, "text": Shared(math.inf, 1, 4.0, pause=30.0)})
    told = account.limits.report()["text"]
    assert (told.limit, told.pause, told.sent_ago) == (4.0, 0.0, None)


def test_a_report_is_repeated_until_the_others_know_it() -> None:
    account = Account()
    permits = [account.permit() for _ in range(8)]
    account.succeed(permits[1])
    account.refuse(permits[0], 3600.0)
    first = account.limits.report()
    account.limits.apply({})
    assert account.limits.report() == first
    account.limits.apply({**ALONE, "text": Shared(math.inf, 1, 3.5, pause=3600.0, successes=1)})
    told = account.limits.report()["text"]
    assert (told.pause, told.sent_ago, told.successes) == (0.0, None, 0)


def test_a_share_of_all_requests_holds_also_without_a_limit_of_its_own() -> None:
    account = Account()
    account.limits.apply({ALL: Shared(2, 2)})
    account.permit("text")
    account.permit("video")
    assert account.wait("text").reason == "slot"
