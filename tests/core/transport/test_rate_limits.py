"""Rate limits are shared by all clients, threads and loops of a process; checked over HTTP with the server's log."""

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.pace_log import FewAtATime, PaceLog, paced_sandbox
from tests.core.surface import Surface, content, make_surface
from twelvelabs_core import (
    AsyncClient,
    AuthenticationError,
    Client,
    FixedSegmentation,
    IngestionError,
    Media,
    RateLimitError,
    Settings,
)
from twelvelabs_core.transport.blocking import BlockingIo
from twelvelabs_core.transport.rate_limit import rate_limits_of, reset_rate_limits
from twelvelabs_sandbox import Fault, Sandbox

EMBED, TASKS = "/embed-v2", "/embed-v2/tasks"
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(8), "embedding_option": ["visual"]}
CALLERS = 32


@pytest.fixture
def paced() -> Iterator[tuple[Sandbox, PaceLog]]:
    """A sandbox for one test that records when requests arrive."""
    with paced_sandbox() as found:
        yield found


def settings_of(sandbox: Sandbox, **changes: Any) -> Settings:
    return Settings.resolve(api_key=sandbox.api_key, base_url=sandbox.base_url, **changes)


def refusal(form: str, seconds: float) -> Fault:
    """Return a 429 for an embed call that asks for a retry after some seconds, in one of the API's forms."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    reset = f"{moment.timestamp():.3f}"
    return {
        "seconds": Fault(path=EMBED, status=429, body="", headers={"Retry-After": f"{seconds:g}"}),
        "date": Fault(path=EMBED, status=429, body="", headers={"Retry-After": format_datetime(moment, usegmt=True)}),
        "message": Fault(path=EMBED, status=429, body={"message": f"Try again after {moment:%Y-%m-%dT%H:%M:%S.%fZ}"}),
        "plain headers": Fault(
            path=EMBED, status=429, body="", headers={"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset}
        ),
        "families of headers": Fault(
            path=EMBED,
            status=429,
            body="",
            headers={
                "X-Ratelimit-Request-Remaining": "7",
                "X-Ratelimit-Request-Reset": "1",
                "X-Ratelimit-Duration-Remaining": "0",
                "X-Ratelimit-Duration-Reset": reset,
            },
        ),
    }[form]


async def by_threads(settings: Settings) -> None:
    """Embed a text from each of many threads with separate clients."""

    def work(number: int) -> None:
        with Client(settings=settings) as client:
            client.embed_text(f"text {number}")

    with ThreadPoolExecutor(CALLERS) as pool:
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, work, n) for n in range(CALLERS)))


async def by_coroutines(settings: Settings) -> None:
    """Embed a text from each of many coroutines with separate clients."""
    await asyncio.gather(*(AsyncClient(settings=settings).embed_text(f"text {number}") for number in range(CALLERS)))


async def by_loops(settings: Settings) -> None:
    """Embed texts with one client from four event loops in threads, and with another from this loop."""
    client = AsyncClient(settings=settings)

    async def some(first: int) -> None:
        await asyncio.gather(*(client.embed_text(f"text {first + number}") for number in range(CALLERS // 4)))

    await asyncio.gather(*(asyncio.to_thread(asyncio.run, some(first)) for first in range(0, CALLERS, CALLERS // 4)))


WAYS: dict[str, Callable[[Settings], Awaitable[None]]] = {
    "threads": by_threads,
    "coroutines": by_coroutines,
    "loops": by_loops,
}


async def be_refused(settings: Settings) -> None:
    """Send a request that is refused and not retried."""
    with pytest.raises(RateLimitError):
        await AsyncClient(settings=settings.replace(max_retries=0)).embed_text("refused")


async def first_request(sandbox: Sandbox) -> None:
    """Wait until a request arrives."""
    for _ in range(2000):
        if sandbox.count():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no request arrived")


# One pause for all callers


@pytest.mark.parametrize("way", WAYS)
async def test_a_refusal_of_one_request_pauses_all_callers(paced: tuple[Sandbox, PaceLog], way: str) -> None:
    sandbox, log = paced
    settings = settings_of(sandbox)
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "1"}))
    await be_refused(settings)
    await WAYS[way](settings)
    refused, *others = log.arrivals
    assert len(others) == CALLERS  # each text was sent once: no other caller was refused
    assert min(moment for moment, _ in others) - refused[0] >= 1.0


@pytest.mark.parametrize("form", ["seconds", "date", "message", "plain headers", "families of headers"])
async def test_every_form_of_a_refusal_pauses_all_callers(paced: tuple[Sandbox, PaceLog], form: str) -> None:
    sandbox, log = paced
    settings = settings_of(sandbox)
    made_at = time.monotonic()
    sandbox.faults.add(refusal(form, 2.0))
    await be_refused(settings)
    pause = 1.0 if form == "date" else 2.0  # a date has whole seconds
    await by_coroutines(settings)
    _, *others = log.arrivals
    assert len(others) == CALLERS
    assert min(moment for moment, _ in others) - made_at > pause - 0.1  # most forms name a moment, which the fault has


async def test_concurrency_halves_after_a_refusal_and_grows_again(
    paced: tuple[Sandbox, PaceLog],
) -> None:
    sandbox, log = paced
    settings = settings_of(sandbox, max_concurrency=8)
    first = 40
    sandbox.faults.add(
        Fault(path=EMBED, delay=0.05, times=first),
        Fault(path=EMBED, status=429, headers={"Retry-After": "1"}),
        Fault(path=EMBED, delay=0.05, times=None),
    )
    async with AsyncClient(settings=settings) as client:
        await client.embed_texts([f"text {number}" for number in range(200)])
    assert sandbox.count(status=429) == 1
    assert len(log.arrivals) == 201
    moments = [moment for moment, _ in log.arrivals]
    start = next(n for n in range(first + 1, 201) if moments[n] - moments[first] >= 1.0)
    assert start - first <= 8  # requests in flight when the refusal arrived, and no others before the end of the pause
    after = [under_way for _, under_way in log.arrivals[start:]]
    assert max(log.arrivals[n][1] for n in range(first)) == 8
    assert max(after[:4]) <= 4
    assert max(after) > 4


async def test_no_text_is_lost_at_a_server_that_accepts_few_requests_per_window(connect: Connect) -> None:
    """More refusals than `max_retries`: those during which other requests succeed are not counted."""
    limit = FewAtATime(8, 0.25)
    sandbox = Sandbox()
    sandbox.faults = limit
    with sandbox:
        key = SecretStr(sandbox.api_key)
        client = connect(
            api_key=key, base_url=sandbox.base_url, max_concurrency=CALLERS, max_retries=2, max_retry_wait=5.0
        )
        found = await client.embed_texts([f"text {number}" for number in range(100)])
        await client.close()
    assert len(found) == 100
    assert limit.refused >= 24  # of the first requests only


async def test_permanent_refusals_are_retried_max_retries_times(client: Surface, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=429, body="", times=None))
    with pytest.raises(RateLimitError):
        await client.embed_text("red")
    assert sandbox.count() == 5


async def test_a_success_that_used_up_its_limit_pauses_the_next_request(
    paced: tuple[Sandbox, PaceLog],
) -> None:
    sandbox, log = paced
    reset = time.time() + 1.5
    headers = {"X-Ratelimit-Request-Remaining": "0", "X-Ratelimit-Request-Reset": f"{reset:.3f}"}
    sandbox.faults.add(Fault(path=EMBED, headers=headers))
    settings = settings_of(sandbox)
    await AsyncClient(settings=settings).embed_text("the last of this minute")
    await by_coroutines(settings)
    assert min(moment for moment, _ in log.arrivals[1:]) >= reset - 0.001


async def test_a_503_with_retry_after_pauses_all_callers(paced: tuple[Sandbox, PaceLog]) -> None:
    sandbox, log = paced
    sandbox.faults.add(Fault(path=EMBED, status=503, headers={"Retry-After": "1"}))
    settings = settings_of(sandbox)
    with pytest.raises(Exception, match="503"):
        await AsyncClient(settings=settings.replace(max_retries=0)).embed_text("down")
    await by_coroutines(settings)
    assert len(log.arrivals) == 1 + CALLERS
    assert log.arrivals[1][0] - log.arrivals[0][0] >= 1.0


# Scope of rate limits


async def test_other_categories_keys_and_hosts_are_not_paused(
    connect: Connect, sandbox: Sandbox, picture: Path, video_path: Path
) -> None:
    client = connect()
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitError):
        await client.embed_text("red")
    sandbox.clear_requests()
    for again in (client, connect(), make_surface("async", client.settings), make_surface("blocking", client.settings)):
        with pytest.raises(RateLimitError, match="not sent, because the API refuses requests of category text"):
            await again.embed_text("red")
    assert sandbox.count() == 0
    await client.embed_image(picture)
    assert (await client.segment_video(video_path, **CUT)).segments  # GETs are not counted
    with pytest.raises(AuthenticationError):
        await connect(api_key=SecretStr("tlk_sandbox_another")).embed_text("red")
    with Sandbox(api_key=sandbox.api_key) as other:
        await connect(base_url=other.base_url).embed_text("red")


async def test_a_refused_get_pauses_gets_only(connect: Connect, sandbox: Sandbox) -> None:
    client = connect()
    sandbox.faults.add(Fault(method="GET", status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitError):
        await client.tasks.retrieve("64f8d2c7e4a1b37f8a9c5d12")
    with pytest.raises(RateLimitError, match="not sent"):
        await client.assets.retrieve("64f8d2c7e4a1b37f8a9c5d12")
    await client.embed_text("red")


def test_a_pause_outlives_the_client_that_received_it(sandbox: Sandbox) -> None:
    settings = settings_of(sandbox)
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitError), Client(settings=settings) as client:
        client.embed_text("red")
    del client
    gc.collect()  # only the process keeps the rate limits
    with pytest.raises(RateLimitError, match="not sent"), Client(settings=settings) as another:
        another.embed_text("red")
    kept = rate_limits_of(settings)
    others = [rate_limits_of(settings.replace(api_key=f"tlk_sandbox_{number}")) for number in range(100)]
    assert len(set(map(id, others))) == 100
    assert rate_limits_of(settings) is kept


FORK = """
    import os, sys
    from twelvelabs_core import Client, RateLimitError
    from twelvelabs_core.transport.rate_limit import rate_limits_of
    key, base_url = sys.argv[1:]
    client = Client(key, base_url=base_url, max_concurrent_requests=1, max_retries=0)
    try:
        client.embed_text("refused")
    except RateLimitError:
        pass
    with rate_limits_of(client.settings)._lock:  # as a thread may hold it that the child does not have
        child = os.fork()
        if child == 0:
            os._exit(0 if client.embed_text("red").vector.shape == (512,) else 1)
    try:
        client.embed_text("red")
    except RateLimitError:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_starts_without_pauses_and_locks(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "3600"}))
    command = [sys.executable, "-c", textwrap.dedent(FORK), sandbox.api_key, sandbox.base_url]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


# Cancellation


async def test_a_cancelled_call_releases_its_slot(sandbox: Sandbox) -> None:
    client = AsyncClient(settings=settings_of(sandbox, max_concurrent_requests=1))
    sandbox.faults.add(Fault(path=EMBED, delay=20.0))
    slow = asyncio.create_task(client.embed_text("slow"))
    waiting = asyncio.create_task(client.embed_text("waiting"))
    await first_request(sandbox)
    assert sandbox.count() == 1
    for task in (waiting, slow):
        task.cancel()
    await asyncio.gather(slow, waiting, return_exceptions=True)
    assert (await asyncio.wait_for(client.embed_text("next"), 15)).vector.shape == (512,)


async def test_a_blocking_call_on_the_loop_that_holds_the_slot_ends(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twelvelabs_core.transport.rate_limit.PERMIT_SECONDS", 0.3)
    settings = settings_of(sandbox, max_concurrent_requests=1)
    sandbox.faults.add(Fault(path=EMBED, delay=0.5))
    held = asyncio.create_task(AsyncClient(settings=settings).embed_text("held"))
    await first_request(sandbox)
    assert Client(settings=settings).embed_text("red").vector.shape == (512,)  # the loop is blocked during this call
    assert (await held).vector.shape == (512,)


# Limits set by the caller


async def test_concurrent_requests_are_limited_over_all_clients_and_gets(
    paced: tuple[Sandbox, PaceLog], tmp_path: Path, video_path: Path
) -> None:
    sandbox, log = paced
    sandbox.faults.add(Fault(delay=0.02, times=None))
    settings = settings_of(sandbox, max_concurrent_requests=3)
    free = settings.replace(max_concurrent_requests=None)
    client = AsyncClient(settings=settings, store=tmp_path / "s.sqlite3")
    await asyncio.gather(by_threads(settings), by_coroutines(settings), client.segment_video(video_path, **CUT))
    assert max(under_way for _, under_way in log.arrivals) == 3
    log.clear()
    await by_coroutines(free)  # another client has its own limit
    assert max(under_way for _, under_way in log.arrivals) > 3


class VirtualTime:
    """A clock that advances when a caller waits."""

    def __init__(self) -> None:
        self.now = time.time()
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


def test_requests_per_minute_are_kept_over_clients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video_path: Path
) -> None:
    clock = VirtualTime()

    async def sleep(_: BlockingIo, seconds: float) -> None:
        clock.advance(seconds)
        time.sleep(0.001)  # noqa: ASYNC251  # a blocking Io; the server needs a moment of real time

    monkeypatch.setattr(BlockingIo, "sleep", sleep)
    with paced_sandbox(clock) as (sandbox, log):
        settings = settings_of(sandbox, requests_per_minute=4.0, max_concurrency=1)
        monkeypatch.setattr(rate_limits_of(settings), "_clock", clock)
        one, other = (Client(settings=settings, store=tmp_path / "s.sqlite3") for _ in range(2))
        start = clock.now
        for number in range(9):
            (one if number % 2 else other).embed_text(f"text {number}")
        one.segment_video(video_path, **CUT)
        counted = [
            moment for (moment, _), request in zip(log.arrivals, log.all(), strict=True) if request.method == "POST"
        ]
    assert len(counted) == 11  # nine texts, an upload and a task; GETs are not counted
    assert all(sum(moment <= later < moment + 60 for later in counted) <= 4 for moment in counted)
    assert counted[3] == start  # without an unneeded wait
    assert clock.now < start + 3 * 61


# Pauses longer than max_retry_wait, and the journal


@pytest.fixture
def videos(video_path: Path) -> list[Media]:
    """Three videos with different bytes and names."""
    data = content(video_path)
    return [Media.of(data + b"\0\0\0\x0cfree" + bytes([n] * 4), source=f"video {n}.mp4") for n in range(1, 4)]


async def test_day_long_pause_ends_the_run_and_the_next_run_resumes(
    connect: Connect, sandbox: Sandbox, videos: list[Media]
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=429, headers={"Retry-After": "86400"}, skip=1))
    client = connect(max_concurrency=1)
    with pytest.raises(IngestionError) as caught:
        _ = [one async for one in client.segment_many(videos, **CUT)]
    errors = [failure.error for failure in caught.value.failures]
    assert [type(error) for error in errors] == [RateLimitError] * 2
    expected = pytest.approx(time.time() + 86_400, abs=60)
    assert all(isinstance(error, RateLimitError) and error.retry_at == expected for error in errors)
    assert "not sent" in str(errors[1])
    assert (sandbox.count("POST", TASKS), sandbox.count("POST", "/assets")) == (2, 2)  # the third was not uploaded
    with pytest.raises(IngestionError):
        _ = [one async for one in connect().segment_many(videos, **CUT)]
    assert (sandbox.count("POST", TASKS), sandbox.count("POST", "/assets")) == (2, 2)
    reset_rate_limits()  # a day later, or in another process
    found = [one async for one in connect().segment_many(videos, **CUT)]
    assert sorted(one.reused for one in found) == [False, False, True]
    assert sandbox.count("POST", TASKS, status=202) == 3  # one for each video
    assert sandbox.count("POST", "/assets") == 3


async def test_a_refusal_between_the_intent_and_the_create_is_recorded_as_failed(
    connect: Connect, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = connect(), connect()
    put_intent = client.store.put_intent
    clip = Media.of(content(video_path), source="clip.mp4")

    def refuse_before(*args: Any, **kwargs: Any) -> bool:
        written = put_intent(*args, **kwargs)
        sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "3600"}))
        with pytest.raises(RateLimitError):
            Client(settings=other.settings, store=":memory:").embed_clip(clip)
        return written

    monkeypatch.setattr(client.store, "put_intent", refuse_before)
    with pytest.raises(RateLimitError, match=r"could not create the embedding task .* not sent") as caught:
        await client.segment_video(video_path, **CUT)
    assert caught.value.retry_at == pytest.approx(time.time() + 3600, abs=60)
    assert sandbox.count("POST", TASKS) == 0
    assert client.store.info().tasks == {"failed": 1}
    monkeypatch.undo()
    reset_rate_limits()
    await connect().segment_video(video_path, **CUT)
    assert sandbox.count("POST", TASKS) == 1


async def test_a_create_waits_for_its_permit_before_its_intent_is_written(
    connect: Connect, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(max_retry_wait=10.0)
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "1"}))
    with pytest.raises(RateLimitError):
        await connect(max_retries=0).embed_clip(video_path)
    until = time.time() + 0.9
    put_intent, written = client.store.put_intent, list[float]()

    def noted(*args: Any, **kwargs: Any) -> bool:
        written.append(time.time())
        return put_intent(*args, **kwargs)

    monkeypatch.setattr(client.store, "put_intent", noted)
    await client.segment_video(video_path, **CUT)
    assert written[0] >= until


async def test_a_create_whose_intent_is_written_waits_for_a_limited_time(
    connect: Connect, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise another machine would treat the intent as abandoned and pay again."""
    client = connect(requests_per_minute=1.0)
    asset = (await connect().assets.create(video_path)).id
    await connect().assets.wait(asset)
    ahead = 61.0  # the upload counts as a request
    monkeypatch.setattr(rate_limits_of(client.settings), "_clock", lambda: time.monotonic() + ahead)
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=429, body=""))
    with pytest.raises(
        RateLimitError, match="other requests take all slots"
    ):  # the next request is permitted in a minute
        await client.segment_video(f"asset:{asset}", **CUT)
    assert client.store.info().tasks == {"failed": 1}
    ahead += 61.0
    await client.segment_video(f"asset:{asset}", **CUT)
    assert sandbox.count("POST", TASKS, status=202) == 1


async def test_a_permit_that_was_not_used_is_released(
    connect: Connect, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(max_concurrent_requests=1)
    put_intent, calls = client.store.put_intent, list[bool]()

    def others_are_faster_once(*args: Any, **kwargs: Any) -> bool:
        calls.append(True)
        return len(calls) > 1 and put_intent(*args, **kwargs)

    monkeypatch.setattr(client.store, "put_intent", others_are_faster_once)
    await asyncio.wait_for(client.start("segment_video", video_path, timeout=10.0, **CUT), 20)
    assert (len(calls), sandbox.count("POST", TASKS)) == (2, 1)
