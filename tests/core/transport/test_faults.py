"""Server faults: which are retried, and which error the caller gets."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface
from twelvelabs_core import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from twelvelabs_sandbox import Fault, Sandbox

EMBED = "/embed-v2"


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 524, 530])
async def test_a_server_error_is_retried(client: Surface, sandbox: Sandbox, status: int) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=status, times=2))
    assert (await client.embed_text("red")).vector.shape == (512,)
    assert sandbox.count("POST", EMBED) == 3


@pytest.mark.parametrize("drop", ["before", "after", "mid"])
@pytest.mark.parametrize("call", ["text", "list"])
async def test_a_broken_connection_is_retried_without_traces_of_the_first_response(
    client: Surface, sandbox: Sandbox, drop: Any, call: str
) -> None:
    whole = (await client.embed_text("red")).vector
    sandbox.faults.add(Fault(drop=drop, times=2))
    if call == "text":
        assert (await client.embed_text("red")).vector.tolist() == whole.tolist()
    else:
        assert [asset.id async for asset in client.assets.list(filename="no such name")] == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 524}, {"drop": "after"}])
@pytest.mark.parametrize("path", ["/assets", "/assets/multipart-uploads"])
async def test_an_upload_is_repeated_since_it_costs_no_task(
    client: Surface, sandbox: Sandbox, video_path: Path, path: str, fault: dict[str, Any]
) -> None:
    sandbox.faults.add(Fault(path=path, method="POST", times=2, **fault))
    if path == "/assets":
        await client.assets.create(video_path)
    else:
        await client.uploads.create("film.mp4", total_size=300_000_000, asset_type="video")
    assert sandbox.count("POST", path) == 3


async def test_the_error_is_raised_after_max_retries(connect: Connect, sandbox: Sandbox) -> None:
    client = connect(max_retries=2)
    sandbox.faults.add(Fault(path=EMBED, status=503, times=None))
    with pytest.raises(ServerError, match=r"could not embed the text: HTTP 503.*[Tt]ry again") as caught:
        await client.embed_text("red")
    assert caught.value.status_code == 503
    assert sandbox.count("POST", EMBED) == 3


async def test_no_retries_means_one_request(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=EMBED, drop="before"))
    with pytest.raises(APIConnectionError, match="could not embed the text"):
        await connect(max_retries=0).embed_text("red")
    assert sandbox.count() == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequestError), (401, AuthenticationError), (403, AuthenticationError), (404, NotFoundError)],
)
async def test_a_refusal_is_final(client: Surface, sandbox: Sandbox, status: int, kind: type[Exception]) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=status, times=None))
    with pytest.raises(kind, match=f"HTTP {status}"):
        await client.embed_text("red")
    assert sandbox.count() == 1


# Rate limits


def too_many(form: str, seconds: float) -> Fault:
    """Return a fault that asks for a retry after some seconds, in one of the forms that servers use."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "seconds": Fault(status=429, headers={"Retry-After": str(seconds)}),
        "date": Fault(status=429, headers={"Retry-After": format_datetime(moment, usegmt=True)}),
        "message": Fault(status=429, body={"message": f"Too many. Try again after {moment:%Y-%m-%dT%H:%M:%S.%fZ}"}),
        "headers": Fault(
            status=429,
            body="",
            headers={"X-Ratelimit-Request-Remaining": "0", "X-Ratelimit-Request-Reset": f"{moment.timestamp():.0f}"},
        ),
        "empty": Fault(status=429, body=""),
    }[form]


@pytest.mark.parametrize("form", ["seconds", "date", "message", "headers", "empty"])
async def test_429_is_retried_in_every_form(connect: Connect, sandbox: Sandbox, form: str) -> None:
    sandbox.faults.add(too_many(form, 1.0))
    await connect(max_retry_wait=5.0).embed_text("red")
    assert sandbox.count("POST", EMBED) == 2


@pytest.mark.parametrize("form", ["seconds", "date", "message"])
async def test_a_time_in_the_past_does_not_permit_an_immediate_retry(
    connect: Connect, sandbox: Sandbox, form: str
) -> None:
    """A server whose clock is behind the local one sends it: the pause doubles as it does without a time."""
    fault = too_many(form, 0.0 if form == "seconds" else -60.0)
    sandbox.faults.add(replace(fault, body=fault.body or "", times=2))  # the sandbox's own text has a time
    start = time.monotonic()
    await connect(max_retry_wait=60.0).embed_text("red")
    assert 1.5 <= time.monotonic() - start < 6.0  # 0.5 s and 1 s
    assert sandbox.count() == 3


@pytest.mark.parametrize("form", ["seconds", "date", "message", "headers"])
async def test_retry_at_is_set_for_every_form_of_429(client: Surface, sandbox: Sandbox, form: str) -> None:
    sandbox.faults.add(too_many(form, 1800.0))
    with pytest.raises(RateLimitError) as caught:
        await client.embed_text("red")
    assert caught.value.retry_at == pytest.approx(time.time() + 1800, abs=60)


@pytest.mark.parametrize("remaining", [0, 12])  # seconds; a video that is longer than what remains is refused too
async def test_a_daily_limit_of_media_seconds_is_raised_at_once(
    client: Surface, sandbox: Sandbox, video_path: Path, remaining: int
) -> None:
    """36,000 s a day, as in the headers that others have seen."""
    now = time.time()
    headers = {
        "X-Ratelimit-Dimensions": "Duration,Request",
        "X-Ratelimit-Request-Limit": "60",
        "X-Ratelimit-Request-Remaining": "41",
        "X-Ratelimit-Request-Reset": f"{now + 20:.0f}",
        "X-Ratelimit-Duration-Limit": "36000",
        "X-Ratelimit-Duration-Used": str(36_000 - remaining),
        "X-Ratelimit-Duration-Remaining": str(remaining),
        "X-Ratelimit-Duration-Reset": f"{now + 36_000:.0f}",
    }
    body = {"code": "too_many_requests", "message": "You have exceeded the rate limit (36000s/1day)."}
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", status=429, headers=headers, body=body, times=None))
    with pytest.raises(RateLimitError, match="Try again after") as caught:
        await client.segment_video(video_path)
    assert caught.value.retry_at == pytest.approx(now + 36_000, abs=2)
    assert sandbox.count("POST", "/embed-v2/tasks") == 1


async def test_wait_beyond_the_limit_raises_immediately_with_its_time(client: Surface, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "3600"}, times=None))
    with pytest.raises(RateLimitError, match=r"Try again after \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC") as caught:
        await client.embed_text("red")
    assert sandbox.count() == 1
    when = caught.value.retry_time()
    assert when is not None
    assert f"{when:%H:%M:%S}" in str(caught.value)
    assert caught.value.message in repr(caught.value)


# Timeouts and invalid responses


async def test_a_time_out_is_retried(connect: Connect, sandbox: Sandbox) -> None:
    client = connect(timeout=2.0, max_retries=1)
    await client.embed_text("red")
    sandbox.faults.add(Fault(path=EMBED, delay=60.0))
    await client.embed_text("red")
    sandbox.faults.add(Fault(path=EMBED, delay=60.0, times=2))
    with pytest.raises(APITimeoutError, match=r"could not embed the text: .*time-out is 2 s") as caught:
        await client.embed_text("red")
    assert isinstance(caught.value, TimeoutError)


async def test_a_slow_response_is_not_a_time_out(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=EMBED, slow=5.0))
    assert (await connect(timeout=4.0, max_retries=0).embed_text("red")).vector.shape == (512,)


@pytest.mark.parametrize(
    "body", ["", "<html>", "{}", '{"data": []}', '{"data": [{"embedding": [1, 2, null]}]}', "null"]
)
async def test_a_success_with_an_invalid_body_is_a_response_error(client: Surface, sandbox: Sandbox, body: str) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=200, body=body, times=None))
    with pytest.raises(APIResponseError):
        await client.embed_text("red")


async def test_an_endless_list_is_an_error(client: Surface, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twelvelabs_core.transport.session._LISTED_PAGES_MAX", 3)
    item = {"_id": "64f8d2c7e4a1b37f8a9c5d12", "status": "ready"}
    sandbox.faults.add(Fault(path="/assets", status=200, body={"data": [item]}, times=None))
    with pytest.raises(APIResponseError, match="does not end"):
        _ = [asset async for asset in client.assets.list()]
    assert sandbox.count() == 3


@pytest.mark.parametrize("limit", ["base.limits.REPLY_MAX_BYTES", "base.limits.VECTORS_REPLY_MAX_BYTES"])
async def test_an_endless_response_is_refused(
    connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(f"twelvelabs_core.{limit}", 1000)
    client = connect(max_retries=0)
    if "VECTORS" in limit:
        with pytest.raises(APIResponseError, match="1,000 bytes"):
            await client.embed_text("red")
    else:
        sandbox.faults.add(Fault(path="/assets", status=500, body="x" * 5000, times=None))
        with pytest.raises(APIConnectionError, match="1,000 bytes"):
            _ = [asset async for asset in client.assets.list()]


# Unreachable servers


async def test_an_unreachable_server_is_named(connect: Connect) -> None:
    with pytest.raises(APIConnectionError, match=r"cannot connect to 127\.0\.0\.1:9: connection refused"):
        await connect(base_url="http://127.0.0.1:9/v1.3", max_retries=1).embed_text("red")


async def test_unknown_host_raises_connection_error(connect: Connect) -> None:
    expected = r"could not embed the text: cannot connect to no-such-host\.invalid: its name cannot be resolved \(DNS\)"
    with pytest.raises(APIConnectionError, match=expected):
        await connect(base_url="http://no-such-host.invalid/v1.3", max_retries=0).embed_text("red")


async def test_the_next_call_reaches_a_restarted_server(connect: Connect) -> None:
    with Sandbox() as first:
        port = int(first.base_url.split(":")[2].split("/")[0])
        client = connect(api_key=first.api_key, base_url=first.base_url)
        await client.embed_texts([f"text {number}" for number in range(8)])
    with pytest.raises(APIConnectionError):
        await client.embed_text("red")
    with Sandbox(port=port, api_key=first.api_key):
        assert len(await client.embed_texts([f"text {number}" for number in range(8)])) == 8
        await client.close()


async def test_closed_client_reconnects(client: Surface) -> None:
    await client.embed_text("red")
    await client.close()
    await client.close()
    assert (await client.embed_text("red")).vector.shape == (512,)
