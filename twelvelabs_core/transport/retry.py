"""Decides whether a failed request is sent again, and after how long. Pauses of a whole category: `rate_limit`."""

import random
from dataclasses import dataclass

TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, *range(520, 531)})  # the last are Cloudflare's
RATE_LIMITED = 429
FIRST_WAIT = 0.5
LONGEST_BACKOFF = 8.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended.

    Attributes:
        status: The HTTP status, or None without an answer.
        may_have_arrived: Whether the server may have acted on the request.
        retry_after: Seconds until the server accepts another try, or None where it did not say. Of a success:
            seconds until the server accepts the next request.
    """

    status: int | None
    may_have_arrived: bool = True
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # the HTTP success class


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is retried, and how long each wait may be.

    Attributes:
        max_retries: Maximum of tries after the first.
        max_wait: Longest wait in seconds; a server that demands a longer one ends the retries.
    """

    max_retries: int
    max_wait: float

    def wait(self, attempt: int, outcome: Outcome, *, repeatable: bool, is_patient: bool = False) -> float | None:
        """Return the seconds to wait before the next try, or None to give up.

        Waits are random within bounds, so that clients that failed together do not return together.

        Args:
            attempt: Tries made so far, from 1.
            outcome: How the last one ended.
            repeatable: Whether a second request is harmless if the first arrived. A create is not.
            is_patient: Whether the number of retries is not limited.
        """
        if (attempt > self.max_retries and not is_patient) or not _is_transient(outcome, repeatable=repeatable):
            return None
        jitter = random.random()  # noqa: S311  # spreads retries, no security involved
        if outcome.retry_after is None:
            return min(backoff(attempt) * (0.75 + jitter / 2), self.max_wait)
        if outcome.retry_after > self.max_wait:
            return None
        return min(outcome.retry_after + jitter * min(0.25, outcome.retry_after / 10), self.max_wait)


def backoff(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row, where the server names none."""
    return min(FIRST_WAIT * 2.0 ** min(failures - 1, 10), LONGEST_BACKOFF)  # 2.0**1024 is not a float


def _is_transient(outcome: Outcome, *, repeatable: bool) -> bool:
    if outcome.status == RATE_LIMITED:
        return True  # the request was not carried out
    if outcome.status is None:
        return repeatable or not outcome.may_have_arrived
    return repeatable and outcome.status in TRANSIENT_STATUSES
