"""Again, and when: what may be repeated, how long to wait, and when to give up."""

from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core.transport.polling import FIRST_DELAY, LONGEST_DELAY, next_delay
from twelvelabs_core.transport.retry import FORGIVEN_EACH, Outcome, RetryPolicy, Tries

NOW = 1_700_000_000.0
POLICY = RetryPolicy(max_retries=4, max_wait=60.0)
jitters = st.floats(0, 1)
statuses = st.sampled_from([200, 301, 400, 401, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, None])


def wait(outcome: Outcome, *, attempt: int = 1, repeatable: bool = True, jitter: float = 0.5) -> float | None:
    return POLICY.wait(attempt, outcome, repeatable=repeatable, now=NOW, jitter=jitter)


@given(
    status=statuses,
    arrived=st.booleans(),
    attempt=st.integers(1, 10_000),
    jitter=jitters,
    retry_at=st.none() | st.floats(NOW - 1e5, NOW + 1e5),
)
def test_no_wait_is_negative_or_longer_than_allowed(
    *, status: int | None, arrived: bool, attempt: int, jitter: float, retry_at: float | None
) -> None:
    policy = RetryPolicy(max_retries=10_000, max_wait=60.0)
    outcome = Outcome(status, arrived, retry_at)
    seconds = policy.wait(attempt, outcome, repeatable=True, now=NOW, jitter=jitter)
    assert seconds is None or 0 <= seconds <= 60.0


@given(status=statuses, arrived=st.booleans(), retry_at=st.none() | st.floats(NOW, NOW + 50))
def test_a_create_is_sent_again_only_if_nothing_can_have_been_created(
    *, status: int | None, arrived: bool, retry_at: float | None
) -> None:
    seconds = wait(Outcome(status, arrived, retry_at), repeatable=False)
    refused_at_the_door = status == 429 or (status is None and not arrived)
    assert (seconds is not None) == refused_at_the_door


@given(st.sampled_from([408, 429, 500, 502, 503, 504, None]))
def test_what_may_pass_is_tried_again_as_often_as_allowed(status: int | None) -> None:
    assert all(wait(Outcome(status), attempt=attempt) is not None for attempt in (1, 2, 3, 4))
    assert wait(Outcome(status), attempt=5) is None


@given(st.sampled_from([301, 400, 401, 403, 404, 409, 413, 422, 501]))
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    assert wait(Outcome(status)) is None


@given(jitters, st.floats(0, 59))
def test_a_time_named_by_the_server_is_never_undercut(jitter: float, seconds: float) -> None:
    waited = wait(Outcome(429, retry_at=NOW + seconds), jitter=jitter)
    assert waited is not None
    assert waited >= seconds - 1e-3


def test_a_wait_beyond_the_limit_is_given_up_at_once() -> None:
    assert wait(Outcome(429, retry_at=NOW + 61)) is None
    assert wait(Outcome(503, retry_at=NOW + 86_400)) is None
    assert wait(Outcome(429, retry_at=NOW - 5)) == 0.0


def test_waits_grow_and_those_who_failed_together_do_not_return_together() -> None:
    waits = [wait(Outcome(500), attempt=attempt) or 0.0 for attempt in (1, 2, 3, 4)]
    assert waits == sorted(set(waits))
    assert wait(Outcome(500), jitter=0.0) != wait(Outcome(500), jitter=1.0)
    assert wait(Outcome(429, retry_at=NOW + 10), jitter=0.0) != wait(Outcome(429, retry_at=NOW + 10), jitter=1.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200), st.integers(0, 5))
def test_refusals_while_others_get_through_are_not_counted_but_have_an_end(
    course: list[tuple[bool, bool]], max_retries: int
) -> None:
    tries, through, forgiven = Tries(RetryPolicy(max_retries, 60.0)), 0, 0
    for is_refused, others_got_through in course:
        before = through
        through += others_got_through
        tries.note(Outcome(429 if is_refused else 503), before=before, now=through if is_refused else 0)
        forgiven += is_refused and others_got_through
    uncounted = len(course) - tries.counted
    assert 0 <= uncounted <= max_retries * FORGIVEN_EACH
    assert uncounted >= min(forgiven, max_retries * FORGIVEN_EACH)
    assert tries.counted >= sum(not is_refused for is_refused, _ in course)


def test_a_closed_door_counts_every_time() -> None:
    tries = Tries(POLICY)
    for _ in range(5):
        tries.note(Outcome(429), before=7, now=7)
    assert tries.counted == 5
    tries.note(Outcome(429), before=7, now=8)
    assert tries.counted == 5


@given(st.floats(0, 20_000), st.floats(-10, 20_000))
def test_the_next_look_is_never_beyond_the_callers_time(elapsed: float, remaining: float) -> None:
    gap = next_delay(elapsed, remaining)
    assert 0 <= gap <= LONGEST_DELAY
    assert gap <= max(remaining, 0)
    assert gap >= min(FIRST_DELAY, max(remaining, 0))


def test_a_task_is_seen_soon_and_a_long_one_costs_few_requests() -> None:
    def looks(seconds: float) -> tuple[int, float]:
        elapsed, count = 0.0, 1
        while elapsed < seconds:
            elapsed += next_delay(elapsed, 1e9)
            count += 1
        return count, elapsed - seconds

    for seconds, most, late in ((2.0, 10, 1.0), (60.0, 40, 5.0), (600.0, 90, 16.0), (7200.0, 400, 31.0)):
        count, delay = looks(seconds)
        assert count <= most
        assert delay <= late
