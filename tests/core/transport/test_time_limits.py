"""No server holds a caller longer than its time-out: drip-fed responses, endless interim responses, long pauses."""

import asyncio
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.core.conftest import Connect
from tests.core.raw_server import RawServer
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from tests.loopback_server import LoopbackServer
from twelvelabs_core import (
    APIConnectionError,
    APITimeoutError,
    FixedSegmentation,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.transport.polling import time_limit
from twelvelabs_sandbox import Fault, Sandbox

CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}
TASK = "/embed-v2/tasks/{task_id}"


def dripping(pieces: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    for piece in pieces():
        yield piece
        time.sleep(0.05)


def slow_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x"


def slow_body() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        yield b" "


def interim_responses() -> Iterator[bytes]:
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("pieces", [slow_head, slow_body, interim_responses])
async def test_a_request_ends_though_the_server_is_never_silent(
    connect: Connect, pieces: Callable[[], Iterator[bytes]]
) -> None:
    with RawServer() as server:
        server.answer = dripping(pieces)
        client = connect(base_url=f"{server.url}/v1.3", timeout=0.3, max_retries=0)
        with pytest.raises(APITimeoutError, match=r"no complete response after \d"):
            await asyncio.wait_for(client.start("tasks.retrieve", "64f8d2c7e4a1b37f8a9c5d12"), 20)


@pytest.mark.parametrize("pieces", [slow_head, interim_responses])
async def test_the_host_of_a_video_does_not_hold_its_run(
    connect: Connect, sandbox: Sandbox, pieces: Callable[[], Iterator[bytes]]
) -> None:
    client = connect()
    with RawServer() as server:
        server.answer = dripping(pieces)
        start = time.monotonic()
        with pytest.raises(TwelveLabsError):
            await asyncio.wait_for(client.start("segment_video", f"{server.url}/film.mp4", timeout=0.5, **CUT), 20)
        assert time.monotonic() - start < 15
    assert sandbox.count("POST", "/embed-v2/tasks") <= 1


class SilentHandler(BaseHTTPRequestHandler):
    """Never answers HEAD; counts how often it is asked."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(1)  # until the client closes the connection

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


async def test_a_silent_host_is_asked_once_and_holds_up_no_other_video(
    connect: Connect, server: VideoServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("twelvelabs_core.ingest.identity._TIMEOUT", 0.3)
    SilentHandler.asked.clear()
    with LoopbackServer(SilentHandler) as silent:
        bad = [f"{silent.origin}/{number}.mp4?X-Amz-Signature=abc" for number in range(12)]
        media = [*bad, *map(server.url, ("a.mp4", "b.mp4"))]
        runs = connect().segment_many(media, max_tasks=2, on_error="skip", **CUT)
        found = [one async for one in runs]
    assert sorted(one.title for one in found) == ["a.mp4", "b.mp4"]
    assert len(SilentHandler.asked) <= 2  # those of the two workers
    (warning,) = (text for text in caplog.messages if "version=" in text)
    assert "its host does not answer (no complete response after" in warning


async def test_a_run_without_time_left_does_not_blame_the_host(
    client: Surface, server: VideoServer, caplog: pytest.LogCaptureFixture
) -> None:
    with time_limit(time.monotonic() - 10):
        await client.content_of(server.url("video.mp4?X-Amz-Signature=abc"))
    assert (server.requests, caplog.messages) == ([], [])


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "headers": {"Retry-After": "20"}},
        {"status": 429, "headers": {"Retry-After": "20"}},
        {"status": 503},
        {"drop": "before"},
        {"delay": 3600.0},
    ],
    ids=["503 with a pause", "429 with a pause", "503", "dropped", "silent"],
)
@pytest.mark.parametrize("path", ["/assets", "/embed-v2/tasks", "/assets/*", "/embed-v2/tasks/*"])
async def test_the_time_out_of_an_operation_holds_for_all_its_requests(
    connect: Connect, sandbox: Sandbox, video_path: Path, path: str, fault: dict[str, Any]
) -> None:
    client = connect(max_retry_wait=60.0, timeout=60.0)
    sandbox.faults.add(Fault(path=path, times=None, **fault))
    with pytest.raises((APIConnectionError, ServerError, RateLimitError, TaskTimeoutError)):
        await asyncio.wait_for(client.start("segment_video", video_path, timeout=1.0, **CUT), 20)


async def test_time_before_the_task_counts_against_the_time_out(
    connect: Connect, sandbox: Sandbox, video_path: Path
) -> None:
    client = connect()
    sandbox.faults.add(
        Fault(path="/assets", method="POST", delay=4.0), Fault(path=TASK, method="GET", status=503, times=None)
    )
    start = time.monotonic()
    with pytest.raises((APIConnectionError, ServerError, TaskTimeoutError)):
        await client.start("segment_video", video_path, timeout=5.0, **CUT)
    assert time.monotonic() - start < 8.5  # 4 + 5, if waiting began with a new time-out


async def test_a_pause_beyond_the_time_out_is_raised_at_once(
    connect: Connect, sandbox: Sandbox, video_path: Path
) -> None:
    client = connect(max_retry_wait=60.0)
    await client.embed_text("red")
    sandbox.faults.add(Fault(path="/assets", method="POST", status=503, headers={"Retry-After": "50"}, times=None))
    start = time.monotonic()
    with pytest.raises(ServerError, match=r"HTTP 503"):
        await client.start("segment_video", video_path, timeout=40.0, **CUT)
    with pytest.raises(RateLimitError, match=r"not sent, .* for another \d+ s; the time-out leaves \d"):
        await client.start("segment_video", video_path, timeout=40.0, **CUT)
    assert time.monotonic() - start < 30
    assert sandbox.count("POST", "/assets") == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 524}, {"drop": "before"}, {"drop": "mid"}])
async def test_polling_survives_an_outage(
    connect: Connect, sandbox: Sandbox, video_path: Path, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """More failures than `max_retries`; of the task, its asset and the list."""
    client = connect(max_retries=1)
    for path in (TASK, "/assets/{asset_id}"):
        sandbox.faults.add(Fault(path=path, method="GET", times=7, **fault))
    segmented = await client.start("segment_video", video_path, **CUT)
    assert segmented.segments.vectors.shape == (3, 512)
    assert [sandbox.count("GET", path) > 7 for path in (TASK, "/assets/{asset_id}")] == [True, True]
    assert sandbox.count("POST", "/embed-v2/tasks") == 1
    assert "It is retried until the time-out." in caplog.text


async def test_an_outage_beyond_the_time_out_is_named(connect: Connect, sandbox: Sandbox, video_path: Path) -> None:
    client = connect(max_retries=1)
    sandbox.faults.add(Fault(path=TASK, method="GET", status=503, times=None))
    with pytest.raises(TaskTimeoutError, match=r"of unknown status after 4 s.* The last poll failed: .*503") as caught:
        await client.start("segment_video", video_path, timeout=4, **CUT)
    sandbox.clear_faults()
    task = await client.start("tasks.wait", caught.value.task_id)
    assert task.status == "ready"


async def test_a_refused_key_ends_polling_at_once(connect: Connect, sandbox: Sandbox, video_path: Path) -> None:
    client = connect(max_retries=1)
    sandbox.faults.add(Fault(path=TASK, method="GET", status=401, times=None))
    with pytest.raises(TwelveLabsError, match="HTTP 401"):
        await client.start("segment_video", video_path, **CUT)
    assert sandbox.count("GET", TASK) == 1


async def test_an_absurd_date_of_the_server_is_ignored(client: Surface, sandbox: Sandbox) -> None:
    for date in (
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Mon, 99 Xxx 1 +99999999999",
        "no",
    ):
        sandbox.faults.add(Fault(path="/embed-v2", headers={"Date": date}))
        assert (await client.embed_text("red")).vector.shape == (512,)
