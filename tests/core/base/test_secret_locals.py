"""The key in no traceback, also where a tool prints the local variables of each frame, as Sentry and rich do."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h11
import pytest
from pydantic import SecretStr

from tests.core.base.conftest import CUT, SIGNATURE, SIGNED
from tests.core.conftest import Connect
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from twelvelabs_core import AsyncClient, Client, Settings, TwelveLabsError
from twelvelabs_core.transport.rate_limit import reset_rate_limits
from twelvelabs_sandbox import Fault, Sandbox

KEY = "tlk_5ec2e7"


def with_locals(error: BaseException) -> str:
    """Return the traceback with the local variables of all frames except those of tests."""
    lines = []
    part: traceback.TracebackException | None = traceback.TracebackException.from_exception(error, capture_locals=True)
    while part is not None:
        lines += [str(part), *(str(frame.locals) for frame in part.stack if "/tests/" not in frame.filename)]
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)
    return "\n".join(lines)


async def test_failed_calls(connect: Connect, sandbox: Sandbox, server: VideoServer, video_path: Path) -> None:
    key = sandbox.api_key
    client = connect(max_retries=0, timeout=1.0)
    calls: list[Callable[[], Any]] = [
        lambda: client.embed_text("red"),
        lambda: client.embed_texts(["red", "blue"]),
        lambda: client.assets.create(video_path),
        lambda: client.segment_video(server.url("film.mp4"), **CUT),
        lambda: client.tasks.retrieve("64f8d2c7e4a1b37f8a9c5d12"),
    ]
    faults = [
        Fault(status=401, body={"message": f"no {key}"}, headers={"X-Request-Id": f"id-{key}"}, times=None),
        Fault(status=429, headers={"Retry-After": "3600"}, times=None),
        Fault(status=200, body="[", times=None),
        *(Fault(drop=drop, times=None) for drop in ("before", "mid")),
        Fault(delay=10.0, times=None),
    ]
    for fault in faults:
        for call in calls:
            reset_rate_limits()
            sandbox.clear_faults()
            sandbox.faults.add(fault)
            with pytest.raises(TwelveLabsError) as caught:
                await call()
            assert key not in with_locals(caught.value)
            assert key not in str(vars(caught.value))


async def test_an_interrupted_call(client: Surface, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    original = h11.Connection.next_event

    def interrupt(connection: h11.Connection) -> Any:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return original(connection)  # of the sandbox, whose server would end

    monkeypatch.setattr("h11.Connection.next_event", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        await client.embed_text("red")
    assert sandbox.api_key not in with_locals(caught.value)
    assert "in _exchange" in "".join(traceback.format_exception(caught.value))  # the frames of this package are kept


MAKERS: dict[str, Callable[..., Any]] = {
    "blocking": lambda **options: Client(KEY, **options),
    "async": lambda **options: AsyncClient(api_key=KEY, **options),
    "environment": Client,
    "settings": lambda **options: Settings(KEY, **options),  # type: ignore[arg-type]
    "settings by name": lambda **options: Settings(api_key=KEY, **options),  # type: ignore[arg-type]
    "resolved": lambda **options: Settings.resolve(api_key=KEY, **options),
    "replaced": lambda **options: Settings(SecretStr(KEY)).replace(api_key=KEY, **options),
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("invalid", [{"base_url": "nonsense"}, {"timeout": -1}, {"max_concurrency": "x"}])
def test_refused_settings(monkeypatch: pytest.MonkeyPatch, maker: str, invalid: dict[str, Any]) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", KEY)
    with pytest.raises(TwelveLabsError) as caught:
        MAKERS[maker](**invalid)
    assert KEY not in with_locals(caught.value)


@pytest.mark.parametrize("key", [f'"{KEY}"', f"{KEY} x", f"{KEY}\n"])
def test_a_refused_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", key)
    for make in (lambda: Client(key), lambda: Settings(api_key=key), Settings.resolve):  # type: ignore[arg-type]
        with pytest.raises(TwelveLabsError) as caught:
            make()  # type: ignore[operator]
        assert KEY not in with_locals(caught.value)


@pytest.mark.parametrize("client_class", [Client, AsyncClient])
def test_a_client_that_is_not_made_yet_has_a_repr(client_class: type[Any]) -> None:
    assert repr(client_class.__new__(client_class)) == f"<{client_class.__name__}, not made yet>"


async def test_requests_have_a_repr_without_secrets(
    client: Surface, sandbox: Sandbox, server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    io = getattr(client.client, "_async", client.client)._io
    original = io.exchange

    async def noted(exchange: Any) -> Any:
        reply = await original(exchange)
        seen.extend((repr(exchange), repr(reply)))
        return reply

    monkeypatch.setattr(io, "exchange", noted)
    await client.segment_video(server.url(SIGNED), **CUT)
    assert len(seen) >= 6
    assert not any(secret in text for text in seen for secret in (SIGNATURE, sandbox.api_key))
