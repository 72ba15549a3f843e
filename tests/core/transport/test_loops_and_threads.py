"""One client in many event loops and threads: responses are not mixed, no resource stays open, no call blocks."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from twelvelabs_core import AsyncClient, Client, FixedSegmentation, Progress, Settings, TaskTimeoutError
from twelvelabs_core.transport.blocking import BlockingIo
from twelvelabs_sandbox import Fault, Sandbox

TEXTS = [f"a {color} car number {number}" for number in range(5) for color in ("red", "blue", "green", "white")]
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}
OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def blocking(settings: Settings, tmp_path: Path) -> Iterator[Client]:
    with Client(settings=settings, store=tmp_path / "segments.sqlite3") as client:
        yield client


@pytest.fixture
def asynchronous(settings: Settings, tmp_path: Path) -> AsyncClient:
    return AsyncClient(settings=settings, store=tmp_path / "segments.sqlite3")


@pytest.fixture
def expected(blocking: Client) -> dict[str, list[float]]:
    """The vectors of TEXTS, each requested separately."""
    return {text: blocking.embed_text(text).vector.tolist() for text in TEXTS}


def right(embeddings: list[Any], expected: dict[str, list[float]]) -> bool:
    return [embedding.vector.tolist() for embedding in embeddings] == [expected[text] for text in TEXTS]


# Event loops


def test_one_client_serves_one_loop_after_another(asynchronous: AsyncClient, expected: dict[str, list[float]]) -> None:
    for _ in range(3):
        assert right(asyncio.run(asynchronous.embed_texts(TEXTS)), expected)


def test_a_loop_closed_without_shutdown_does_not_block_the_next(asynchronous: AsyncClient) -> None:
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(asynchronous.embed_text("red")).vector.shape == (512,)
        loop.close()  # without the shutdown that asyncio.run does


def test_loops_are_not_kept_alive(asynchronous: AsyncClient) -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def use() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await asynchronous.embed_texts(TEXTS[:4])

    for _ in range(5):
        asyncio.run(use())
    gc.collect()
    assert [ref() for ref in loops] == [None] * 5


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="needs /proc")
def test_connections_are_closed_with_their_loop(asynchronous: AsyncClient) -> None:
    asyncio.run(asynchronous.embed_text("red"))
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(3):
        asyncio.run(asynchronous.embed_texts(TEXTS))
    for _ in range(100):
        if len(list(OPEN_FILES.iterdir())) <= before:
            return
        time.sleep(0.05)  # the server's sockets are in this process too
    raise AssertionError("connections stayed open")


def test_loops_of_two_threads_run_concurrently(asynchronous: AsyncClient, expected: dict[str, list[float]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(lambda: asyncio.run(asynchronous.embed_texts(TEXTS))) for _ in range(4)]
        assert all(right(run.result(), expected) for run in runs)


async def test_connections_are_reused(asynchronous: AsyncClient, sandbox: Sandbox) -> None:
    seen: set[int] = set()
    original = asynchronous._io._loop_clients

    async def watched() -> Any:
        clients = await original()
        seen.update(id(client) for client in clients.idle._idle)
        return clients

    asynchronous._io._loop_clients = watched  # type: ignore[method-assign]
    for _ in range(3):
        await asynchronous.embed_texts(TEXTS)
    assert len(seen) <= asynchronous.settings.max_concurrency
    assert sandbox.count() == 3 * len(TEXTS)
    await asynchronous.aclose()


async def test_concurrent_calls_get_their_own_responses(connect: Connect, expected: dict[str, list[float]]) -> None:
    client = connect(max_concurrency=64)
    calls = [client.start("embed_texts", TEXTS) for _ in range(5)]
    assert all(right(found, expected) for found in await asyncio.gather(*calls))


async def test_a_cancelled_call_ends_its_requests_and_the_client_stays_usable(
    asynchronous: AsyncClient, sandbox: Sandbox, expected: dict[str, list[float]]
) -> None:
    sandbox.clear_requests()
    sandbox.faults.add(Fault(path="/embed-v2", delay=5.0, times=8))
    call = asyncio.create_task(asynchronous.embed_texts(TEXTS))
    while sandbox.count() < 8:  # noqa: ASYNC110  # the server has no event to wait for
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert right(await asynchronous.embed_texts(TEXTS), expected)
    assert sandbox.count() == 8 + len(TEXTS)
    await asynchronous.aclose()


async def test_files_and_stores_do_not_block_the_loop(asynchronous: AsyncClient, video_path: Path) -> None:
    """A video is checked, read and stored in other threads than that of the loop."""
    main = threading.get_ident()
    seen: set[int] = set()

    def noted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            seen.add(threading.get_ident())
            return method(*args, **kwargs)

        return call

    for name in ("put_intent", "put_task_id", "put_result", "find_task", "load_result", "put_asset"):
        setattr(asynchronous.store, name, noted(getattr(asynchronous.store, name)))
    await asynchronous.segment_video(video_path, **CUT)
    assert seen
    assert main not in seen
    await asynchronous.aclose()


# Threads


def test_sixteen_threads_share_one_client(blocking: Client, expected: dict[str, list[float]]) -> None:
    with ThreadPoolExecutor(16) as pool:
        runs = [pool.submit(blocking.embed_texts, TEXTS) for _ in range(16)]
        assert all(right(run.result(), expected) for run in runs)


def test_a_client_closed_by_one_thread_serves_the_others(settings: Settings) -> None:
    careful = settings.replace(max_retries=0)  # no request may fail
    with Client(settings=careful) as client, ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(client.embed_texts, TEXTS) for _ in range(4)]
        while not all(run.done() for run in runs):
            client.close()
            time.sleep(0.005)
        assert all(len(run.result()) == len(TEXTS) for run in runs)


async def test_a_client_closed_by_one_task_serves_the_others(settings: Settings) -> None:
    client = AsyncClient(settings=settings.replace(max_retries=0))
    runs = [asyncio.create_task(client.embed_texts(TEXTS)) for _ in range(4)]
    while not all(run.done() for run in runs):
        await client.aclose()
        await asyncio.sleep(0.005)
    assert [len(found) for found in await asyncio.gather(*runs)] == [len(TEXTS)] * 4
    await client.aclose()


def test_threads_carry_the_callers_context(blocking: Client, video_path: Path, media_folder: Path) -> None:
    who = contextvars.ContextVar("who", default="default")
    who.set("caller")
    seen_by: set[str] = set()
    threads: set[int] = set()

    def listen(_: Progress) -> None:
        seen_by.add(who.get())
        threads.add(threading.get_ident())

    _ = list(blocking.segment_many([video_path, media_folder / "video.mp4"], on_progress=listen, **CUT))
    assert seen_by == {"caller"}
    assert threading.get_ident() not in threads


def test_nested_calls_do_not_wait_for_each_other(blocking: Client, video_path: Path) -> None:
    found: list[int] = []

    def embed_many(step: Progress) -> None:
        if step.stage == "processing":
            found.append(len(blocking.embed_texts(TEXTS)))

    _ = list(blocking.segment_many([video_path], on_progress=embed_many, **CUT))
    assert found == [len(TEXTS)]


def test_threads_end_with_their_call(blocking: Client, video_path: Path) -> None:
    _ = list(blocking.segment_many([video_path] * 3, **CUT))
    blocking.embed_texts(TEXTS)
    ours = [thread for thread in threading.enumerate() if thread.name == "twelvelabs"]
    for thread in ours:
        thread.join(10)
    assert not any(thread.is_alive() for thread in ours)


async def test_workers_end_soon_after_their_consumer_also_nested_ones() -> None:
    """As after Ctrl-C: each worker sleeps or runs a nested call with sleeping workers."""
    io, started = BlockingIo(), threading.Semaphore(0)

    async def leaf(_: int) -> None:
        started.release()
        await io.sleep(3600.0)

    async def branch(number: int) -> None:
        if number:
            await io.map(leaf, range(2), 2)

    results = io.as_completed(branch, range(4), 4)
    assert (await anext(results)).item == 0
    for _ in range(6):
        assert started.acquire(timeout=10)
    ours = [thread for thread in threading.enumerate() if thread.name == "twelvelabs"]
    await results.aclose()  # type: ignore[attr-defined]
    for thread in ours:
        thread.join(10)
    assert len(ours) >= 9
    assert not any(thread.is_alive() for thread in ours)


# A blocking client under a running loop


async def test_a_blocking_call_on_the_loop_that_embeds_the_same_video_times_out(
    tmp_path: Path, video_path: Path
) -> None:
    """The other call cannot continue while the loop is blocked: without a timeout, this would wait permanently."""
    with Sandbox(task_seconds=3600.0) as slow:
        changed = Settings.resolve(api_key=slow.api_key, base_url=slow.base_url)
        holder = AsyncClient(settings=changed, store=tmp_path / "s.sqlite3")
        call = asyncio.create_task(holder.segment_video(video_path, **CUT))
        # Wait for the response: a task created after the clock was advanced would never end.
        while not slow.count("POST", "/embed-v2/tasks", 202):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        client = Client(settings=changed, store=tmp_path / "s.sqlite3")
        with client, pytest.raises(TaskTimeoutError, match="another call in this process"):
            client.segment_video(video_path, timeout=0.3, **CUT)
        slow.clock.advance(3601)
        assert (await call).segments.vectors.shape == (3, 512)
        await holder.aclose()


def test_a_blocking_client_does_not_affect_a_running_loop(blocking: Client, video_path: Path) -> None:
    async def use() -> None:
        many = blocking.segment_many([video_path, video_path], **CUT)
        next(many)
        del many
        tasks = blocking.tasks.list()
        next(tasks)

    asyncio.run(use(), debug=True)
    assert len(blocking.embed_texts(TEXTS[:2])) == 2


# Open resources


@pytest.mark.slow
def test_no_resource_is_left_open(sandbox: Sandbox) -> None:
    script = textwrap.dedent(
        """
        import asyncio, gc, sys
        from twelvelabs_core import AsyncClient, Client
        key, base_url = sys.argv[1:]
        texts = [f"text {number}" for number in range(12)]

        async def use_with():
            async with AsyncClient(key, base_url=base_url) as client:
                await client.embed_texts(texts)

        asyncio.run(use_with())
        gc.collect()
        in_loops = AsyncClient(key, base_url=base_url)
        for _ in range(3):
            asyncio.run(in_loops.embed_texts(texts))
        del in_loops
        gc.collect()
        with Client(key, base_url=base_url) as client:
            client.embed_texts(texts)
        del client
        gc.collect()
        forgotten, kept = (Client(key, base_url=base_url) for _ in range(2))
        for client in (forgotten, kept):
            client.embed_texts(texts)
        del client, forgotten
        gc.collect()
        """
    )
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", script, sandbox.api_key, sandbox.base_url]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_vectors_of_both_clients_are_equal(blocking: Client, asynchronous: AsyncClient) -> None:
    one, other = blocking.embed_text("red").vector, asyncio.run(asynchronous.embed_text("red")).vector
    assert np.array_equal(one, other)
