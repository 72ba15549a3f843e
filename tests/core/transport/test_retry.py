"""Retries: what is repeated, how long the waits are, and when retries end."""

from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core.transport.retry import Outcome, RetryPolicy

POLICY = RetryPolicy(max_retries=4, max_wait=60.0)
statuses = st.sampled_from([200, 301, 400, 401, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, None])


def wait(outcome: Outcome, *, attempt: int = 1, repeatable: bool = True) -> float | None:
    return POLICY.wait(attempt, outcome, repeatable=repeatable)


@given(status=statuses, arrived=st.booleans(), attempt=st.integers(1, 10_000), after=st.none() | st.floats(0, 1e5))
def test_no_wait_is_negative_or_longer_than_max_wait(
    *, status: int | None, arrived: bool, attempt: int, after: float | None
) -> None:
    policy = RetryPolicy(max_retries=10_000, max_wait=60.0)
    seconds = policy.wait(attempt, Outcome(status, arrived, after), repeatable=True)
    assert seconds is None or 0 <= seconds <= 60.0


@given(status=statuses, arrived=st.booleans(), after=st.none() | st.floats(0, 50))
def test_a_create_is_retried_only_if_nothing_can_have_been_created(
    *, status: int | None, arrived: bool, after: float | None
) -> None:
    seconds = wait(Outcome(status, arrived, after), repeatable=False)
    assert (seconds is not None) == (status == 429 or (status is None and not arrived))


@given(st.sampled_from([408, 429, 500, 502, 503, 504, None]))
def test_transient_failures_are_retried_max_retries_times(status: int | None) -> None:
    assert all(wait(Outcome(status), attempt=attempt) is not None for attempt in (1, 2, 3, 4))
    assert wait(Outcome(status), attempt=5) is None


@given(st.sampled_from([301, 400, 401, 403, 404, 409, 413, 422, 501]))
def test_other_failures_are_not_retried(status: int) -> None:
    assert wait(Outcome(status)) is None


@given(st.floats(0, 59))
def test_no_wait_is_shorter_than_the_server_demands(seconds: float) -> None:
    waited = wait(Outcome(429, retry_after=seconds))
    assert waited is not None
    assert waited >= seconds


def test_a_wait_longer_than_max_wait_ends_the_retries() -> None:
    assert wait(Outcome(429, retry_after=61)) is None
    assert wait(Outcome(503, retry_after=86_400)) is None


def test_waits_grow_and_are_spread() -> None:
    waits = [wait(Outcome(500), attempt=attempt) or 0.0 for attempt in (1, 2, 3, 4)]
    assert waits == sorted(set(waits))
    assert len({wait(Outcome(500)) for _ in range(10)}) > 1
    assert len({wait(Outcome(429, retry_after=10)) for _ in range(10)}) > 1
