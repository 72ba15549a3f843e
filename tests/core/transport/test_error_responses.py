"""Error responses in every form: code, message and the time of the next attempt."""

import json
from datetime import datetime
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core.base.errors import RateLimitError
from twelvelabs_core.transport.error_response import MAX_BODY_CHARACTERS, MAX_MESSAGE_CHARACTERS, ErrorInfo, parse_error

NOW = datetime.fromisoformat("2025-12-19T12:00:00Z").timestamp()
LATER = datetime.fromisoformat("2025-12-20T00:02:50Z").timestamp()
LIMIT = "You have exceeded the rate limit (100req/1day). Please try again later after 2025-12-20T00:02:50Z."
SIGNED = "https://bucket.s3.amazonaws.com/a.mp4?X-Amz-Signature=5ec2e7"


def parse(body: Any, status: int = 429, **headers: str) -> ErrorInfo:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, NOW)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"code": "too_many_requests", "message": LIMIT}, "too_many_requests", LIMIT),
        (
            {"code": "media_url_not_exists", "message": "Cannot find media url '...'.", "docs_url": "https://x.io/e"},
            "media_url_not_exists",
            "Cannot find media url '...'.",
        ),
        (
            {"error": {"code": "VALIDATION_ERROR", "message": "Bad text", "details": {"field": "text", "value": ""}}},
            "VALIDATION_ERROR",
            "Bad text",
        ),
        ({"error": "Forbidden"}, None, "Forbidden"),
        ({"error": None, "message": "Forbidden"}, None, "Forbidden"),
        ({"code": 40001, "message": "numbered"}, "40001", "numbered"),
        ({"code": True, "message": ["no", "text"]}, None, "Bad Request"),
        ({"message": "two\n  lines"}, None, "two lines"),
        ({}, None, "Bad Request"),
        ([], None, "Bad Request"),
        ("just text", None, "just text"),
        (7, None, "Bad Request"),
        (b"", None, "Bad Request"),
        (b"   ", None, "Bad Request"),
        (b"upstream connect error", None, "upstream connect error"),
        (b"<html><body>502</body></html>", None, "Bad Request"),
        (b'{"code":"cut_of', None, '{"code":"cut_of'),
        (b"\xff\xfe\x00", None, "\ufffd\ufffd\x00"),
        (b"[" * 10_000, None, "[" * 999 + "…"),
    ],
)
def test_code_and_message_are_found_in_every_form_of_body(body: Any, code: str | None, message: str) -> None:
    info = parse(body, 400)
    assert (info.code, info.message) == (code, message)
    assert info.retry_at is None


def test_the_body_is_kept_as_sent_when_it_is_short() -> None:
    body = {"error": {"code": "c", "message": "m", "details": {"field": "text", "value": [1, None]}}}
    assert parse(body).body == body
    assert parse(b"plain").body == "plain"
    assert parse(b"").body is None
    assert parse(b"null").body is None


def test_unknown_status_has_a_message() -> None:
    assert parse(b"", 503).message == "Service Unavailable"
    assert parse(b"", 599).message == "HTTP status 599"


def test_the_request_id_comes_from_the_headers_or_the_details() -> None:
    assert parse({}, X_Request_Id="abc").request_id == "abc"
    assert parse({"error": {"code": "c", "message": "m", "details": {"requestId": "req-1"}}}).request_id == "req-1"
    assert parse({}).request_id is None
    headers = httpx.Headers({"X-REQUEST-ID": "abc", "Retry-After": "3"})
    assert parse_error(500, headers, b"", NOW).request_id == "abc"
    assert parse_error(500, headers, b"", NOW).retry_at == NOW + 3


FLAT = {"code": "too_many_requests", "message": LIMIT}
DATE = formatdate(NOW + 90, usegmt=True)
USED_UP = {"X_Ratelimit_Remaining": "0", "X_Ratelimit_Reset": str(NOW + 50)}


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        ({}, {"Retry_After": "17"}, 17),
        ({}, {"retry_after": "1.5"}, 1.5),
        ({}, {"Retry_After": DATE}, 90),
        (FLAT, {"Retry_After": "17", **USED_UP}, 17),
        (FLAT, {}, LATER - NOW),
        (FLAT, USED_UP, LATER - NOW),
        ({"message": "wait, after 2025-12-19T13:30:00.5+01:00, please"}, {}, 1800.5),
        ({"error": {"message": LIMIT}}, {}, LATER - NOW),
        ({"error": {"message": "m", "details": {"retryAfter": "60", "currentLimit": 10}}}, {}, 60),
        (LIMIT.encode(), {}, LATER - NOW),
        ({}, USED_UP, 50),
        ({}, {"x_ratelimit_request_remaining": "0", "x_ratelimit_request_reset": str(NOW + 20)}, 20),
        ({}, {**USED_UP, "X_Ratelimit_Duration_Remaining": "0", "X_Ratelimit_Duration_Reset": str(NOW + 40)}, 50),
        ({}, {**USED_UP, "X_Ratelimit_Duration_Remaining": "0", "X_Ratelimit_Duration_Reset": str(NOW + 60)}, 60),
        ({}, {"X_Ratelimit_Duration_Remaining": "12", "X_Ratelimit_Duration_Reset": str(NOW + 60)}, 60),
        ({}, {"X_Ratelimit_Request_Remaining": "12", "X_Ratelimit_Request_Reset": str(NOW + 60)}, None),
        ({}, {**USED_UP, "X_Ratelimit_Duration_Remaining": "3", "X_Ratelimit_Duration_Reset": str(NOW + 40)}, 50),
        ({}, {**USED_UP, "X_Ratelimit_Duration_Remaining": "0", "X_Ratelimit_Duration_Reset": str(NOW - 40)}, 50),
        # No usable time:
        ({}, {}, None),
        (b"", {}, None),
        ({}, {"X_Ratelimit_Reset": str(NOW + 50)}, None),
        ({}, {"X_Ratelimit_Remaining": "5", "X_Ratelimit_Reset": str(NOW + 50)}, None),
        ({}, {"X_Ratelimit_Remaining": "0", "X_Ratelimit_Reset": "soon"}, None),
        ({}, {"X_Ratelimit_Remaining": "none", "X_Ratelimit_Reset": str(NOW + 50)}, None),
        ({}, {"Session_Remaining": "0", "Session_Reset": str(NOW + 50)}, None),
        ({"message": "after 2025-13-41T00:00:00Z"}, {}, None),
        ({"message": "after lunch"}, {}, None),
        # No wait, or the local clock is ahead of the server's:
        ({}, {"Retry_After": "0"}, None),
        ({}, {"Retry_After": formatdate(NOW - 90, usegmt=True)}, None),
        ({"message": "after 2025-12-01T00:00:00Z"}, {}, None),
        ({"error": {"message": "m", "details": {"retryAfter": 0}}}, {}, None),
        (FLAT, {"Retry_After": "0"}, LATER - NOW),
        # An invalid value does not hide a valid time elsewhere:
        (FLAT, {"Retry_After": "-5"}, LATER - NOW),
        (FLAT, {"Retry_After": "soon"}, LATER - NOW),
        (FLAT, {"Retry_After": ""}, LATER - NOW),
        (FLAT, {"Retry_After": "nan"}, LATER - NOW),
        (FLAT, {"Retry_After": "inf"}, LATER - NOW),
        (FLAT, {"Retry_After": "1e300"}, LATER - NOW),
        (FLAT, {"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, LATER - NOW),
        ({"message": "after 9999-12-31T23:59:59Z"}, USED_UP, 50),
        ({"message": "m", "details": {"retryAfter": 10**400}}, USED_UP, 50),
    ],
)
def test_retry_at_is_read_from_every_form(body: Any, headers: dict[str, str], wait: float | None) -> None:
    info = parse(body, 429, **headers)
    assert info.retry_at == (None if wait is None else pytest.approx(NOW + wait))
    error = RateLimitError("m", status_code=429, retry_at=info.retry_at)
    shown = error.retry_time()
    assert (shown is None) == (wait is None)


def test_only_a_429_is_searched_for_times_beyond_the_header() -> None:
    assert parse({"message": "started_at must be after 2025-12-20T00:02:50Z"}, 400, **USED_UP).retry_at is None
    assert parse(b"", 503, Retry_After="17").retry_at == NOW + 17


def test_message_and_body_are_bounded() -> None:
    info = parse({"code": "c" * 5000, "message": "lo ng " * 2000})
    assert info.code is not None
    assert len(info.code) == 200
    assert len(info.message) == MAX_MESSAGE_CHARACTERS
    assert isinstance(info.body, str)
    assert len(info.body) == MAX_BODY_CHARACTERS
    huge = parse(b'{"message": "' + b"x y" * 10_000_000)
    assert len(huge.message) == MAX_MESSAGE_CHARACTERS
    assert len(huge.body) == MAX_BODY_CHARACTERS


@pytest.mark.parametrize(
    "body",
    [
        {
            "code": "media_url_not_exists",
            "message": f"Cannot find media url '{SIGNED}&x=1'.",
            "details": {"url": SIGNED},
        },
        {"error": {"code": SIGNED, "message": SIGNED, "details": {"requestId": SIGNED, SIGNED: [SIGNED]}}},
        f"<html>{SIGNED}</html>".encode(),
        f"cannot read {SIGNED}".encode(),
        # Truncated JSON; a URL as escaped by Go and PHP; a URL in HTML.
        b'{"message":"https:\\/\\/bucket.s3.amazonaws.com\\/a.mp4?id=7\\u0026X-Amz-Signature=5ec2e7',
        b"<a href='https://bucket.s3.amazonaws.com/a.mp4?id=7&amp;X-Amz-Signature=5ec2e7'>",
        {"message": "key tlk_5ec2e7 is not valid", "details": {"key": "tlk_5ec2e7"}},
        b"key tlk_5ec2e7 is not valid",
        {"message": f"bad media: {'5ec2e7' * 100}", "details": {"base64_string": "5ec2e7" * 100}},
        f"bad media: {'5ec2e7' * 100}".encode(),
    ],
)
def test_no_secret_and_no_media_is_kept(body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert "5ec2e7" in raw.decode()
    assert "5ec2e7" not in repr(parse(body, 400))


names = st.sampled_from(
    ["Retry-After", "X-Ratelimit-Reset", "X-Ratelimit-Remaining", "X-Ratelimit-Request-Reset", "X-Request-Id"]
)
values = st.text(max_size=30) | st.integers().map(str) | st.sampled_from(["0", DATE, "Fri, 99 Foo 2025", "²"])
fields = st.sampled_from(["code", "message", "error", "details", "retryAfter", "requestId"])
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(LIMIT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=4),
    max_leaves=10,
)


@given(
    st.integers(100, 999),
    st.dictionaries(names, values),
    bodies.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=300),
)
def test_parsing_accepts_any_error_response(status: int, headers: dict[str, str], body: bytes) -> None:
    info = parse_error(status, headers, body, NOW)
    assert info.message
    assert info.retry_at is None or NOW <= info.retry_at <= NOW + 31 * 24 * 3600
