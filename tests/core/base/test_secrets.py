"""The key is sent to the API only; neither it nor a URL's signature is ever shown, logged or stored."""

import pickle
import traceback
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.base.conftest import CUT, SIGNATURE, SIGNED
from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.core.video_server import VideoServer
from twelvelabs_core import APIStatusError, Progress, TwelveLabsError
from twelvelabs_sandbox import Fault, Sandbox

# Recipients of the key


@pytest.mark.parametrize("call", ["embed_text", "tasks.retrieve", "assets.delete"])
async def test_redirects_do_not_send_the_key(
    connect: Connect, server: VideoServer, elsewhere: VideoServer, call: str
) -> None:
    server.redirect = elsewhere.url("v1.3")
    client = connect(base_url=server.url("v1.3"))
    with pytest.raises(APIStatusError, match=r"HTTP 307.*Redirects are not followed"):
        await attrgetter(call)(client)("64f8d2c7e4a1b37f8a9c5d12")
    assert server.requests[0][2]["x-api-key"].startswith("tlk_sandbox_")
    assert elsewhere.requests == []


async def test_key_is_not_sent_to_the_host_of_a_video(
    client: Surface, server: VideoServer, elsewhere: VideoServer
) -> None:
    server.redirect = elsewhere.url(SIGNED)
    await client.segment_video(server.url("video.mp4"), **CUT)
    assert elsewhere.count("HEAD") == 1  # redirects of a video's host are followed
    for _, _, headers in [*server.requests, *elsewhere.requests]:
        assert not any("key" in name or "tlk_" in value for name, value in headers.items())
        assert "cookie" not in headers
        assert "authorization" not in headers


async def test_netrc_password_is_not_sent(
    client: Surface, server: VideoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hush")
    monkeypatch.setenv("NETRC", str(netrc))
    await client.segment_video(server.url("video.mp4"), **CUT)
    assert all("authorization" not in headers for _, _, headers in server.requests)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_loopback_requests_bypass_the_proxy(
    connect: Connect, sandbox: Sandbox, elsewhere: VideoServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Unencrypted requests are allowed to loopback only, and a proxy may be on another machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, elsewhere.url(""))
    for host in ("127.0.0.1", "localhost"):
        client = connect(base_url=sandbox.base_url.replace("127.0.0.1", host))
        assert (await client.embed_text("red")).vector.shape == (512,)
    assert elsewhere.requests == []


# Errors and reprs


def shown(error: BaseException) -> str:
    """Return everything that an error shows or contains."""
    lines = traceback.format_exception(error)
    return "".join(lines) + repr(error) + str(vars(error)) + repr(pickle.dumps(error))


async def test_no_error_shows_a_secret(connect: Connect, sandbox: Sandbox, server: VideoServer) -> None:
    key = sandbox.api_key
    client = connect(max_retries=0)
    url = server.url(SIGNED)
    echo = {"code": "x", "message": f"no {key} for {url}", "details": {"sent": {"x-api-key": key, "url": url}}}
    faults: list[Fault] = [
        *(Fault(status=status, body=echo) for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 302)),
        Fault(status=500, body=f"<html>{url.replace('&', '&amp;')} {key}</html>"),
        Fault(status=400, body={"error": echo}),
        Fault(status=200, body={**echo, "data": url}),
        Fault(status=400, body="", headers={"Location": url, "x-request-id": f"r-{key}"}),
        Fault(drop="before"),
        Fault(drop="mid"),
    ]
    calls: list[Callable[[], Any]] = [
        lambda: client.embed_text(f"{key} {url}"),
        lambda: client.embed_image(url),
        lambda: client.tasks.create_video(url),
        lambda: client.assets.create(url),
        lambda: client.segment_video(url, source=url, **CUT),
        lambda: client.tasks.retrieve("64f8d2c7e4a1b37f8a9c5d12"),
    ]
    seen = 0
    for fault in faults:
        for call in calls:
            sandbox.clear_faults()
            sandbox.faults.add(fault)
            try:
                await call()
            except TwelveLabsError as error:
                seen += 1
                text = shown(error)
                assert key not in text
                assert SIGNATURE not in text
    assert seen > len(faults) * 4


async def test_key_of_any_form_is_never_shown(connect: Connect, sandbox: Sandbox) -> None:
    key = "an-old-key-without-prefix-0123456789"
    sandbox.faults.add(Fault(status=401, body={"message": f"the key {key} is unknown", "details": {"sent": key}}))
    with pytest.raises(APIStatusError) as caught:
        await connect(api_key=SecretStr(key)).embed_text("red")
    assert key not in shown(caught.value)


async def test_errors_of_unreachable_urls_show_no_signature(connect: Connect) -> None:
    client = connect(base_url="http://127.0.0.1:9/v1.3", max_retries=0)
    for value in (f"https://b.example.com/{SIGNED}", f"https://[1:2/{SIGNED}", f"s3://bucket/{SIGNED}", f"x/{SIGNED}"):
        with pytest.raises(TwelveLabsError) as caught:
            await client.tasks.create_video(value)
        assert SIGNATURE not in shown(caught.value)


async def test_no_repr_shows_a_secret(client: Surface, server: VideoServer, sandbox: Sandbox) -> None:
    steps: list[Progress] = []
    media = await client.segment_video(server.url(SIGNED), on_progress=steps.append, **CUT)
    records = await client.register(media)
    task = await client.tasks.retrieve(media.task_id)
    asset = await client.assets.create(server.url(SIGNED))
    listed = [one async for one in client.tasks.list()][:1]
    things = [client.client, client.settings, client.store, media, records, task, asset, listed, steps]
    text = "".join(f"{thing!r}{thing}" for thing in things) + repr([record.metadata for record in records])
    text += "".join(record.text(with_reference=True) for record in records)
    text += repr(vars(client.client).values() if not client.is_async else "")
    for secret in (SIGNATURE, sandbox.api_key):
        assert secret not in text


# The segment store


async def test_the_store_holds_no_secret(
    connect: Connect, server: VideoServer, sandbox: Sandbox, tmp_path: Path
) -> None:
    client = connect(store=tmp_path / "store" / "s.sqlite3")
    await client.register(await client.segment_video(server.url(SIGNED), source=server.url(SIGNED), **CUT))
    echo = {"message": f"failed: {server.url(SIGNED)} {sandbox.api_key}"}
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", status=400, body=echo))
    with pytest.raises(APIStatusError):
        await client.segment_video(server.url(SIGNED), start_sec=1)
    client.store.close()
    data = b"".join(content(path) for path in sorted((tmp_path / "store").iterdir()))
    assert b"video.mp4?id=1" in data  # the source without its signature is stored
    assert SIGNATURE.encode() not in data
    assert sandbox.api_key.encode() not in data
