"""The options of a sandbox, validated before it starts."""

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
    """Return a new key that cannot be a key of the real service."""
    return KEY_PREFIX + secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The behaviour of a sandbox.

    Attributes:
        api_key: The only accepted key. Starts with ``tlk_sandbox_``; by default a new one each time.
        task_seconds: Minimum seconds on the sandbox's clock until a task is ready (default 0).
        task_polls: Number of responses, single or in a list, that still report ``processing`` (default 0).
        asset_seconds: Like ``task_seconds``, for assets.
        asset_polls: Like ``task_polls``, for assets.
        shuffle_data: Whether ``data`` is not in order of time; the API promises no order (default False).
        nested_errors: Whether errors are ``{"error": {"code", "message"}}`` instead of ``{"code", "message"}`` (default
            False).
        expired_as: The response for a task older than seven days: ``not_found`` (404) or status ``failed``.
        chunk_size: Size of the chunks of a multipart upload in bytes, except the last (default 5 MiB).
        upload_headers: Headers required with each chunk of a multipart upload (default
            ``{"Content-Type": "application/octet-stream"}``).
        max_waiting_tasks: Number of unfinished tasks above which creating another is refused with 429 (default 2000).
        task_seconds_sigma: Spread of ``task_seconds``: the duration of each task is log-normal with ``task_seconds`` as
            the median and this as the standard deviation of the logarithm (default 0: no spread; 0.5 is realistic).
        seed: Seed of the spread; the same seed gives the same durations in order of creation (default 0).
        echo_filenames: Whether lists and ``metadata`` report ``input_filename`` and ``input_url`` (default True). The
            API documents both as optional, so a client must not depend on them.
        requests_per_minute: Limit of requests that embed or create a task; more are refused with 429 (default 0: no
            limit). Counted over ``rate_window``; refused requests do not count.
        rate_window: Seconds on the sandbox's clock over which ``requests_per_minute`` are counted (default 60). The
            limit scales with it: 600 per minute over 1 s allow 10 in any second.
        max_concurrent_requests: Limit of such requests in flight (default 0: no limit).
        rate_limit_form: How these 429 responses report the time to retry: a form of ``Fault.rate_limit`` (default
            ``retry-after``).

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
            raise ValueError(f"the api_key of a sandbox must be ASCII and start with {KEY_PREFIX!r}")
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
                f"no request is accepted, not {self.rate_window!r}"
            )
