"""Again, and after how long? Pure decisions, the same for both clients. The pace of all is in `_pacing`."""

from dataclasses import dataclass

TRANSIENT_STATUSES = frozenset({408, 500, 502, 503, 504})
RATE_LIMITED = 429
FIRST_WAIT = 0.5
LONGEST_BACKOFF = 8.0
FORGIVEN_EACH = 10  # tries beside each that counts; what waits behind endless work of others must end too


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended.

    Attributes:
        status: The HTTP status, or None when no answer came.
        may_have_arrived: Whether the server may have acted on the request.
        retry_at: Seconds since the epoch from which the server wants to be asked again, or None; of a
            success, until when the next request had better wait.
    """

    status: int | None
    may_have_arrived: bool = True
    retry_at: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the request got through."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # the HTTP success class


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long at most."""

    max_retries: int
    max_wait: float

    def wait(self, attempt: int, outcome: Outcome, *, repeatable: bool, now: float, jitter: float) -> float | None:
        """Return the seconds to wait before the next try, or None to give up.

        Args:
            attempt: Tries made so far, from 1.
            outcome: How the last one ended.
            repeatable: Whether a second request is harmless if the first arrived. A create is not.
            now: Seconds since the epoch.
            jitter: A random number from 0 to 1, so that clients that failed together do not return together.
        """
        if attempt > self.max_retries or not _is_transient(outcome, repeatable=repeatable):
            return None
        if outcome.retry_at is None:
            return min(backoff(attempt) * (0.75 + jitter / 2), self.max_wait)
        wait = max(0.0, outcome.retry_at - now)
        # A server that names a day must not be asked every minute: the caller hears of it at once.
        return None if wait > self.max_wait else min(wait + jitter * min(0.25, wait / 10), self.max_wait)


class Tries:
    """The tries of one request, as far as they count.

    One that was refused by a server that let others of its kind through since the last refusal does not: that is a
    matter of pace, which the refusal has slowed down, and not of asking a closed door again.

    Args:
        policy: How many are allowed.
        forgiving: False counts every try.

    Attributes:
        counted: How many count.
    """

    def __init__(self, policy: RetryPolicy, *, forgiving: bool = True) -> None:
        self.counted = 0
        self._left_to_forgive = policy.max_retries * FORGIVEN_EACH if forgiving else 0
        self._seen: int | None = None

    def note(self, outcome: Outcome, *, before: int, now: int) -> None:
        """Note how a try ended.

        Args:
            outcome: How.
            before: How many of its category had got through when it was sent.
            now: How many have by now.
        """
        if outcome.status == RATE_LIMITED:
            others_got_through = now > (before if self._seen is None else self._seen)
            self._seen = now
            if others_got_through and self._left_to_forgive > 0:
                self._left_to_forgive -= 1
                return
        self.counted += 1


def backoff(attempt: int) -> float:
    """Return the seconds to wait after so many failures in a row, where the server names none."""
    return min(FIRST_WAIT * 2.0 ** min(attempt - 1, 10), LONGEST_BACKOFF)  # 2.0**1024 has no float


def _is_transient(outcome: Outcome, *, repeatable: bool) -> bool:
    if outcome.status == RATE_LIMITED:
        return True  # refused at the door: nothing was created
    if outcome.status is None:
        return repeatable or not outcome.may_have_arrived
    return repeatable and outcome.status in TRANSIENT_STATUSES
