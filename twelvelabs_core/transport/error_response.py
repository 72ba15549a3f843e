"""Error responses as typed errors: class, code, message, request id, and when another try makes sense.

Errors are flat (`{"code", "message"}`), nested (`{"error": {...}}`), the HTML of a proxy, or empty. Nothing here fails
on any of them.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from twelvelabs_core.base.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from twelvelabs_core.base.redact import redact
from twelvelabs_core.results.decode import read_json, without_secrets
from twelvelabs_core.transport.body import Call, NoAnswerError, Reply

MAX_BODY_CHARACTERS = 4096
MAX_MESSAGE_CHARACTERS = 1000
_MAX_READ_BYTES = 64 * 1024
# Limits count per minute, hour or day; a longer wait is a mistake, and a date far in the future cannot be formatted.
_MAX_WAIT_SEC = 31 * 24 * 3600

_TOO_MANY_REQUESTS = 429
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "cf-ray")
_AFTER = re.compile(r"\bafter\s+(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))", re.IGNORECASE)
# How truncated JSON and HTML write the characters of a URL; reverted so that its signature is recognised.
_ESCAPES = (("\\u0026", "&"), ("\\/", "/"), ("&amp;", "&"))
_VERSION = re.compile(r"/v\d+(\.\d+)?$")
_DATA = re.compile(r"[A-Za-z0-9+/_=-]{200,}")  # base64 of media that a validator quotes


class ErrorInfo(NamedTuple):
    """The contents of an error response."""

    code: str | None  # the API's own, such as `parameter_invalid`
    message: str  # in one line; the status in words where the response has no message
    request_id: str | None
    retry_at: float | None  # seconds since the epoch (UTC) from which another try makes sense
    body: Any  # decoded, or text where it is long or not JSON; without secrets; None if empty


def connection_error(call: Call, failure: NoAnswerError) -> APIConnectionError:
    """Return the error of a call without a response."""
    is_safe = call.repeatable or not failure.may_have_arrived
    advice = "try again" if is_safe else "it may have happened: check the list before another try"
    error_class = APITimeoutError if failure.timed_out else APIConnectionError
    return error_class(f"could not {call.attempt}: {failure}; {advice}.", may_have_arrived=failure.may_have_arrived)


def status_error(call: Call, reply: Reply, now: float, base_url: str) -> APIStatusError:
    """Return the typed error of a response without success; `now` is in seconds since the epoch."""
    # The error page of a storage quotes the signature that it was given.
    info = parse_error(reply.status, reply.headers, b"" if call.foreign else reply.body, now)
    error_class = _error_class(reply.status, is_foreign=call.foreign)
    code = f" {info.code}" if info.code else ""
    advice = _ADVICE.get(error_class, "")
    if error_class is RateLimitError and info.retry_at is not None:
        advice = when_to_retry(info.retry_at)
    elif error_class is NotFoundError and not _VERSION.search(base_url):
        advice = f"Check base_url: {redact(base_url)} does not end with a version, such as /v1.3."
    message = f"could not {call.attempt}: HTTP {reply.status}{code}: {info.message}".rstrip(".")
    fields = {name: value for name, value in info._asdict().items() if name != "message"}
    return error_class(f"{message}. {advice}".rstrip(), status_code=reply.status, **fields)


def _error_class(status: int, *, is_foreign: bool) -> type[APIStatusError]:
    if status >= 500:  # noqa: PLR2004  # the HTTP class of server errors
        return ServerError
    if status < 400:  # noqa: PLR2004  # a redirect: it is not followed, for the key must not go to another address
        return APIStatusError
    # An error of a storage has nothing to do with the API key or the API's limits.
    return BadRequestError if is_foreign else _ERROR_CLASSES.get(status, BadRequestError)


_ERROR_CLASSES: dict[int, type[APIStatusError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    410: NotFoundError,
    429: RateLimitError,
}
_ADVICE: dict[type[APIStatusError], str] = {
    AuthenticationError: "Check the API key (TWELVELABS_API_KEY), base_url and the plan.",
    RateLimitError: "Try again later.",
    ServerError: "Try again later.",
    APIStatusError: "Redirects are not followed; check base_url.",
}


def parse_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> ErrorInfo:
    """Parse an error response.

    The time for another try comes from `Retry-After` (seconds or a date); of a 429 also from the body's
    `details.retryAfter`, the time in its message (`after 2026-01-31T00:00:00Z`), or the latest reset among the
    limits that the headers (names in any case) show as used up. Only times in the future count.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    decoded = _decode(body)
    fields = _error_fields(decoded)
    details = details if isinstance(details := fields.get("details"), dict) else {}
    message = _one_line(fields.get("message"), decoded)
    return ErrorInfo(
        code=_short_text(fields.get("code")),
        message=message or _phrase(status),
        request_id=_request_id(lower) or _short_text(details.get("requestId")),
        retry_at=_retry_at(status, lower, message, details, now),
        body=_bounded(decoded),
    )


def when_to_retry(retry_at: float) -> str:
    """Return the sentence of a message that says when to try again."""
    return f"Try again after {datetime.fromtimestamp(retry_at, UTC):%Y-%m-%d %H:%M:%S} UTC."


def limits_reset_at(headers: Mapping[str, str], now: float) -> float | None:
    """Return when the limits are reset that headers (names in lower case) show as used up, or None."""
    reset = _latest_reset(headers, now, is_refused=False)
    return reset if reset is not None and reset - now <= _MAX_WAIT_SEC else None


def _decode(body: bytes) -> Any:
    """Return the JSON value without secrets, or the text where it is not JSON."""
    start = body[:_MAX_READ_BYTES]
    try:
        return without_secrets(read_json(start))
    except APIResponseError:
        text = start.decode(errors="replace")
        for escaped, plain in _ESCAPES:
            text = text.replace(escaped, plain)
        return redact(text).strip() or None


def _error_fields(decoded: Any) -> dict[str, Any]:
    """Find the object with code and message; `{"error": "text"}` is a message."""
    if not isinstance(decoded, dict):
        return {}
    error = decoded.get("error", decoded)
    if isinstance(error, str):
        return {"message": error, **decoded}
    return error if isinstance(error, dict) else decoded


def _one_line(message: object, decoded: object) -> str:
    """Return a message of bounded length without line breaks; the text of the body if it has no fields."""
    text = message if isinstance(message, str) else ""
    if not text and isinstance(decoded, str) and not decoded.startswith("<"):
        text = decoded
    return _truncate(" ".join(_DATA.sub("***", text).split()), MAX_MESSAGE_CHARACTERS)


def _bounded(decoded: Any) -> Any:
    """Return the body unchanged if it is short and without base64 data, else the beginning of its text."""
    if decoded is None:
        return None
    text = decoded if isinstance(decoded, str) else json.dumps(decoded, ensure_ascii=False)
    plain = _DATA.sub("***", text)
    return decoded if len(text) <= MAX_BODY_CHARACTERS and plain == text else _truncate(plain, MAX_BODY_CHARACTERS)


def _truncate(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _short_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return _truncate(str(value), 200) or None


def _request_id(headers: Mapping[str, str]) -> str | None:
    return next((_truncate(headers[name], 200) for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"


def _retry_at(
    status: int, headers: Mapping[str, str], message: str, details: Mapping[str, Any], now: float
) -> float | None:
    """Return the first plausible time among the places where the API puts one.

    A time in the past is ignored: with a local clock that is ahead, it would permit every request of the next hour.
    """
    times = [_read_wait(headers.get("retry-after"), now)]
    if status == _TOO_MANY_REQUESTS:
        times += [_read_wait(details.get("retryAfter"), now), _time_in_message(message)]
        times.append(_latest_reset(headers, now, is_refused=True))
    return next((time for time in times if time is not None and 0 < time - now <= _MAX_WAIT_SEC), None)


def _read_wait(value: object, now: float) -> float | None:
    """Parse seconds or an HTTP date."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return _http_date(value) if isinstance(value, str) else None
    return now + seconds if seconds > 0 else None


def _http_date(value: str) -> float | None:
    try:
        time = parsedate_to_datetime(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _time_in_message(message: str) -> float | None:
    match = _AFTER.search(message)
    try:
        return datetime.fromisoformat(match[1]).timestamp() if match else None
    except (ValueError, OverflowError):
        return None


def _latest_reset(headers: Mapping[str, str], now: float, *, is_refused: bool) -> float | None:
    """Return the latest reset in the future among the limits that are used up.

    A limit that counts amounts, such as seconds of media, refuses a request that needs more than what remains of it.
    """
    families = [name.removesuffix("-reset") for name in headers if "ratelimit" in name and name.endswith("-reset")]
    used_up = [family for family in families if _number(headers.get(f"{family}-remaining", "")) == 0]
    if is_refused and not used_up:
        used_up = [family for family in families if not family.endswith(("ratelimit", "ratelimit-request"))]
    resets = [_number(headers[f"{family}-reset"]) for family in used_up]
    return max((reset for reset in resets if reset > now), default=None)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
