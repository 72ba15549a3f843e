"""Polling: the delays, the deadline, and the number of requests for many waiting tasks.

The last test is `benchmarks/waiting.py` with fewer tasks: the sandbox counts requests and ready times, and time is
virtual.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.waiting import PEERS_GAP, measure
from twelvelabs_core import InputError
from twelvelabs_core.transport.polling import FIRST_DELAY, LONGEST_DELAY, Deadline, next_delay, poll_until
from twelvelabs_sandbox.films import Scene, write_sound


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("waiting") / "sound.wav"
    write_sound(path, [Scene(sound="tone", seconds=4.5)], rate=8000)
    return path


@pytest.mark.slow
async def test_waiting_for_many_tasks_costs_few_requests_and_no_delay(sound: Path) -> None:
    each, delay = await measure(80, sound, is_ours=True)
    each_alone, delay_alone = await measure(4, sound, is_ours=False)
    assert 0 < delay_alone < PEERS_GAP  # verifies the reference itself
    assert each_alone >= 10 * each  # twenty times for a thousand tasks
    assert 0 < delay <= 0.7 * PEERS_GAP  # the mean delay of a fixed interval is a half of it


@given(st.floats(0, 20_000), st.floats(-10, 20_000))
def test_the_next_delay_ends_at_the_deadline_at_the_latest(elapsed: float, remaining: float) -> None:
    delay = next_delay(elapsed, remaining)
    assert 0 <= delay <= LONGEST_DELAY
    assert delay <= max(remaining, 0)
    assert delay >= min(FIRST_DELAY, max(remaining, 0))


def test_short_tasks_are_polled_often_and_long_ones_rarely() -> None:
    def requests(seconds: float) -> tuple[int, float]:
        elapsed, count = 0.0, 1
        while elapsed < seconds:
            elapsed += next_delay(elapsed, 1e9)
            count += 1
        return count, elapsed - seconds

    for seconds, most, late in ((2.0, 10, 1.0), (60.0, 40, 5.0), (600.0, 90, 16.0), (7200.0, 400, 31.0)):
        count, delay = requests(seconds)
        assert count <= most
        assert delay <= late


class Clock:
    """Virtual time that advances with each sleep."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_polling_ends_when_the_result_is_settled_or_the_deadline_has_expired() -> None:
    clock, fetched = Clock(), list[float]()

    async def fetch() -> float:
        fetched.append(clock.now)
        return clock.now

    assert await poll_until(fetch, lambda now: now >= 105.0, Deadline(60.0, clock), clock.sleep) < 110.0
    fetched.clear()
    deadline = Deadline(20.0, clock)
    end = clock.now + 20.0
    assert await poll_until(fetch, lambda _: False, deadline, clock.sleep) == pytest.approx(end)
    assert (deadline.is_expired, deadline.remaining) == (True, 0.0)
    fetched.clear()
    await poll_until(fetch, lambda _: False, Deadline(0, clock), clock.sleep)
    assert len(fetched) == 1


@pytest.mark.parametrize("limit", [-1, float("nan"), float("inf"), "5", True])
def test_an_invalid_timeout_is_refused(limit: float) -> None:
    with pytest.raises(InputError, match="timeout must be a number of seconds from 0"):
        Deadline(limit)
