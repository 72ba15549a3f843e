"""The switches of one sandbox, checked before it starts."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

KEY_PREFIX = "tlk_sandbox_"
RateLimitForm = Literal[
    "retry-after",
    "retry-after-date",
    "ratelimit",
    "ratelimit-request",
    "ratelimit-duration",
    "message",
    "empty",
    "bare",
]
SECONDS_PER_MINUTE = 60
RATE_LIMIT_FORMS: tuple[RateLimitForm, ...] = get_args(RateLimitForm)


def new_key() -> str:
    """Return a fresh key that no real account can have."""
    return KEY_PREFIX + secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one sandbox behaves.

    Attributes:
        api_key: The only key it accepts. Begins with ``tlk_sandbox_``; by default a new one each time.
        task_seconds: Seconds on the sandbox's clock before a task may be ready, beyond the real work (default 0).
        task_polls: How many answers, single or in a list, still say ``processing`` (default 0).
        asset_seconds: The same as ``task_seconds`` for assets.
        asset_polls: The same as ``task_polls`` for assets.
        shuffle_data: Give ``data`` in another order than time; the API promises none (default off).
        nested_errors: Errors as ``{"error": {"code", "message"}}`` instead of ``{"code", "message"}`` (default off).
        expired_as: What a task older than seven days is: ``not_found`` (404) or ``failed``.
        chunk_size: Bytes of each part of a multipart upload but the last (default 5 MiB).
        upload_headers: What a multipart upload demands to be sent with each part (default
            ``{"Content-Type": "application/octet-stream"}``).
        max_waiting_tasks: Unfinished tasks above which creating one more gives 429 (default 2000).
        task_seconds_sigma: Spread of ``task_seconds``: each task takes its own time, log-normal with ``task_seconds``
            as the median and this as the standard deviation of the logarithm (default 0: all alike; 0.5 is lifelike).
        seed: Of the spread; the same seed gives the same times in the order of creation (default 0).
        echo_filenames: Say ``input_filename`` and ``input_url`` in lists and ``metadata`` (default on). The API calls
            both optional, so a client must do without.
        requests_per_minute: Requests that embed or create a task, above which one more gives 429 (default 0: no
            limit). Counted over ``rate_window``; those that got a 429 do not count.
        rate_window: Seconds on the sandbox's clock over which ``requests_per_minute`` are counted (default 60). With a
            shorter one the limit is as much smaller: 600 a minute over 1 s are 10 in any second.
        max_concurrent_requests: The same for such requests under way at once (default 0: no limit).
        rate_limit_form: How those 429 say when to come back: a form of ``Fault.rate_limit`` (default ``retry-after``).

    Example:
        >>> Options(task_polls=2).task_polls
        2
    """

    api_key: str = field(default_factory=new_key, repr=False)
    task_seconds: float = 0.0
    task_polls: int = 0
    asset_seconds: float = 0.0
    asset_polls: int = 0
    shuffle_data: bool = False
    nested_errors: bool = False
    expired_as: Literal["not_found", "failed"] = "not_found"
    chunk_size: int = 5 * 1024 * 1024
    upload_headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/octet-stream"})
    max_waiting_tasks: int = 2000
    task_seconds_sigma: float = 0.0
    seed: int = 0
    echo_filenames: bool = True
    requests_per_minute: int = 0
    rate_window: float = 60.0
    max_concurrent_requests: int = 0
    rate_limit_form: RateLimitForm = "retry-after"

    def __post_init__(self) -> None:
        if not self.api_key.startswith(KEY_PREFIX) or not self.api_key.isascii():
            raise ValueError(f"the api_key of a sandbox is ASCII and begins with {KEY_PREFIX!r}")
        if self.expired_as not in {"not_found", "failed"}:
            raise ValueError(f"expired_as must be 'not_found' or 'failed', not {self.expired_as!r}")
        if not (isinstance(self.chunk_size, int) and self.chunk_size >= 1):
            raise ValueError(f"chunk_size must be a whole number of bytes, 1 or more, not {self.chunk_size!r}")
        if self.rate_limit_form not in RATE_LIMIT_FORMS:
            raise ValueError(
                f"rate_limit_form must be one of {', '.join(RATE_LIMIT_FORMS)}, not {self.rate_limit_form!r}"
            )
        for option in fields(self):
            value = getattr(self, option.name)
            if isinstance(value, int | float) and not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{option.name} must be 0 or more, not {value!r}")
        if self.requests_per_minute and self.requests_per_minute * self.rate_window < SECONDS_PER_MINUTE:
            least = SECONDS_PER_MINUTE / self.requests_per_minute
            raise ValueError(
                f"rate_window must be {least:g} s or more with {self.requests_per_minute} requests_per_minute, else "
                f"not one may pass, not {self.rate_window!r}"
            )
