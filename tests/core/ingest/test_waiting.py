"""Waiting for many tasks: one listing serves all, and each task is retrieved only for its result."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.surface import Surface
from twelvelabs_core import (
    AsyncClient,
    AuthenticationError,
    FixedSegmentation,
    NotFoundError,
    TaskFailedError,
    TaskTimeoutError,
)
from twelvelabs_core.api.task_polling import LONGEST_SHARED_DELAY, SECONDS_PER_PAGE, shared_delay
from twelvelabs_core.transport.polling import FIRST_DELAY, LONGEST_DELAY, next_delay
from twelvelabs_sandbox import Fault, Sandbox

TASKS = "/embed-v2/tasks"
TASK = "/embed-v2/tasks/{task_id}"
HOUR = 3600.0


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """A sandbox whose tasks take an hour on its clock."""
    with Sandbox(task_seconds=HOUR) as sandbox:
        yield sandbox


@pytest.fixture
def client(connect: Connect, slow: Sandbox) -> Surface:
    return connect(api_key=SecretStr(slow.api_key), base_url=slow.base_url)


async def create(client: Surface, sound: Path, count: int) -> list[str]:
    asset = await client.assets.create(sound)
    await client.assets.wait(asset.id)
    return [
        (await client.tasks.create_audio(f"asset:{asset.id}", segmentation=FixedSegmentation(4))).id
        for _ in range(count)
    ]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen within 30 s")


async def ended(waits: "list[asyncio.Task[Any]]", slow: Sandbox) -> list[Any]:
    """Let some listings pass, then let the tasks end."""
    before = slow.count("GET", TASKS)
    await until(lambda: slow.count("GET", TASKS) >= before + 3)
    slow.clock.advance(HOUR)
    return await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 60)


async def test_one_listing_answers_for_all_tasks(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 5)  # asyncio has threads for as many on any machine
    found = await ended([client.start("tasks.wait", task_id) for task_id in ids], slow)
    assert [task.id for task in found] == ids
    assert all(len(task.segments) for task in found)
    # One request per task for its initial state and one for its result.
    assert slow.count("GET", TASK) == 10


async def test_a_single_task_is_retrieved_by_its_id(client: Surface, slow: Sandbox, sound: Path) -> None:
    (task_id,) = await create(client, sound, 1)
    wait = client.start("tasks.wait", task_id)
    await until(lambda: slow.count("GET", TASK) >= 3)
    slow.clock.advance(HOUR)
    assert (await wait).status == "ready"
    assert slow.count("GET", TASKS) == 0


async def test_new_tasks_are_not_polled_at_once(client: Surface, slow: Sandbox, media_folder: Path) -> None:
    video_paths = [media_folder / "video.mp4", media_folder / "sound.wav"]
    names = {"video.mp4": "segment_video", "sound.wav": "segment_audio"}
    waits = [client.start(names[video_path.name], video_path) for video_path in video_paths]
    await until(lambda: slow.count("POST", TASKS) == 2)
    found = await ended(waits, slow)
    assert [media.title for media in found] == ["video.mp4", "sound.wav"]
    assert slow.count("GET", TASK) <= 4  # a result each, and single polls before the other task exists


@pytest.mark.slow
async def test_a_full_page_is_followed_by_the_next(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 60)
    if not client.is_async:
        ids = ids[:2] + ids[-2:]  # they are between these in the list
    found = await ended([client.start("tasks.wait", task_id) for task_id in ids], slow)
    assert [task.id for task in found] == ids
    assert slow.count("GET", TASK) == 2 * len(ids)


async def test_failed_and_expired_tasks_raise(client: Surface, slow: Sandbox, sound: Path) -> None:
    good = await create(client, sound, 2)
    slow.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    bad = await create(client, sound, 1)
    waits = [client.start("tasks.wait", task_id) for task_id in (*good, *bad, "64f8d2c7e4a1b37f8a9c5d12")]
    found = await ended(waits, slow)
    assert [type(one).__name__ for one in found] == ["Task", "Task", "TaskFailedError", "NotFoundError"]
    assert isinstance(found[2], TaskFailedError)
    assert isinstance(found[3], NotFoundError)


async def test_each_wait_ends_at_its_own_timeout(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 3)
    others = [client.start("tasks.wait", task_id) for task_id in ids[:2]]
    with pytest.raises(TaskTimeoutError, match=r"after 0\.3 s"):
        await client.start("tasks.wait", ids[2], timeout=0.3)
    assert [task.status for task in await ended(others, slow)] == ["ready", "ready"]


async def test_without_a_list_each_task_is_retrieved(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 3)
    slow.faults.add(Fault(path=TASKS, method="GET", status=404, times=None))
    waits = [client.start("tasks.wait", task_id) for task_id in ids]
    await until(lambda: slow.count("GET", TASK) >= 9)
    slow.clock.advance(HOUR)
    assert [task.status for task in await asyncio.gather(*waits)] == ["ready"] * 3
    assert slow.count("GET", TASKS) == 1


FOREIGN = {"_id": "64f8d2c7e4a1b37f8a9c5d12", "status": "processing", "video_embedding": "of a kind to come"}


@pytest.mark.parametrize(
    "fault",
    [{"status": 403}, {"status": 500}, {"status": 200, "body": {"data": [FOREIGN], "page_info": {}}}],
    ids=["forbidden", "broken", "not understood"],
)
async def test_a_failing_list_fails_no_wait(
    connect: Connect, slow: Sandbox, sound: Path, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    client = connect(api_key=SecretStr(slow.api_key), base_url=slow.base_url, max_retries=0)
    ids = await create(client, sound, 3)
    slow.faults.add(Fault(path=TASKS, method="GET", times=None, **fault))
    waits = [client.start("tasks.wait", task_id) for task_id in ids]
    await until(lambda: slow.count("GET", TASK) >= 9 or any(wait.done() for wait in waits))
    slow.clock.advance(HOUR)
    assert [task.status for task in await asyncio.gather(*waits)] == ["ready"] * 3
    assert slow.count("GET", TASKS) == 1
    assert [record.levelname for record in caplog.records if "failed to list tasks" in record.message] == ["WARNING"]


async def test_a_hanging_list_delays_no_timeout(
    connect: Connect, slow: Sandbox, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twelvelabs_core.api.task_polling.LAST_REQUEST", 0.2)
    client = connect(api_key=SecretStr(slow.api_key), base_url=slow.base_url, timeout=2.0, max_retries=2)
    ids = await create(client, sound, 4)
    slow.faults.add(Fault(path=TASKS, method="GET", delay=HOUR, times=None))
    waits = [client.start("tasks.wait", task_id, timeout=0.3) for task_id in ids[:3]]
    others = client.start("tasks.wait", ids[3])
    found = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 60)
    assert [type(error) for error in found] == [TaskTimeoutError] * 3
    slow.clear_faults()
    slow.clock.advance(HOUR)
    assert (await asyncio.wait_for(others, 60)).status == "ready"


async def test_a_failed_last_poll_raises_the_timeout(connect: Connect, slow: Sandbox, sound: Path) -> None:
    client = connect(api_key=SecretStr(slow.api_key), base_url=slow.base_url, max_retries=1, max_retry_wait=5.0)
    (task_id,) = await create(client, sound, 1)
    slow.faults.add(Fault(path=TASK, status=503, skip=2, headers={"Retry-After": "1"}, times=None))
    with pytest.raises(TaskTimeoutError, match="still processing after 3 s"):
        await client.tasks.wait(task_id, timeout=3)


async def test_a_refused_key_ends_all_waits_after_one_listing(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 5)
    waits = [client.start("tasks.wait", task_id) for task_id in ids]
    await until(lambda: slow.count("GET", TASKS) >= 2)
    slow.faults.add(Fault(path=f"{TASKS}*", method="GET", status=401, times=None))
    errors = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 60)
    assert all(isinstance(error, AuthenticationError) for error in errors)
    assert slow.count("GET", TASKS, 401) < len(ids)


async def test_a_server_may_ignore_the_status_filter(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 3)
    body = {
        "data": [{"_id": task_id, "status": "ready"} for task_id in ids],
        "page_info": {"page": 1, "total_page": 1},
    }
    slow.clock.advance(HOUR)
    slow.faults.add(Fault(path=TASKS, method="GET", status=200, body=body, times=None))
    found = await asyncio.gather(*(client.start("tasks.wait", task_id) for task_id in ids))
    assert [task.id for task in found] == ids


async def test_the_waiter_that_lists_may_be_cancelled(
    slow: Sandbox, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twelvelabs_core.transport.polling.FIRST_DELAY", 0.02)
    async with AsyncClient(slow.api_key, base_url=slow.base_url, store=":memory:") as client:
        ids = await create(Surface(client, is_async=True), sound, 3)
        slow.faults.add(Fault(path=TASKS, method="GET", delay=30.0))  # the first poll never ends by itself
        waits = [asyncio.create_task(client.tasks.wait(task_id)) for task_id in ids]
        await until(lambda: slow.count("GET", TASKS) == 1)
        lister = next(task for task in waits if _is_listing(task))
        lister.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await lister
        slow.clock.advance(HOUR)
        rest = [task for task in waits if task is not lister]
        assert [task.status for task in await asyncio.wait_for(asyncio.gather(*rest), 60)] == ["ready", "ready"]


def _is_listing(task: "asyncio.Task[Any]") -> bool:
    awaited: Awaitable[Any] | None = task.get_coro()  # type: ignore[assignment]
    names = []
    while awaited is not None and hasattr(awaited, "cr_code"):
        names.append(awaited.cr_code.co_name)
        awaited = awaited.cr_await
    return "_fetch_listing" in names


async def test_callbacks_receive_every_poll(client: Surface, slow: Sandbox, sound: Path) -> None:
    ids = await create(client, sound, 2)
    polled: list[tuple[str, str]] = []
    waits = [
        client.start("tasks.wait", task_id, callback=lambda task: polled.append((task.id, task.status)))
        for task_id in ids
    ]
    await ended(waits, slow)
    assert {status for _, status in polled} == {"processing", "ready"}
    assert all(polled.count((task_id, "processing")) >= 2 and polled.count((task_id, "ready")) == 1 for task_id in ids)


# Poll delays


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_delays_stay_in_bounds(elapsed: list[float]) -> None:
    gap = shared_delay(elapsed)
    pages = -(-len(elapsed) // 50)
    assert pages * SECONDS_PER_PAGE <= gap <= max(LONGEST_DELAY, pages * SECONDS_PER_PAGE)
    if len(elapsed) > LONGEST_DELAY / LONGEST_SHARED_DELAY:
        assert gap <= max(LONGEST_SHARED_DELAY, pages * SECONDS_PER_PAGE)


@given(st.floats(0, 1e6))
def test_a_single_task_keeps_its_own_delay(elapsed: float) -> None:
    assert shared_delay([elapsed]) == pytest.approx(max(next_delay(elapsed, float("inf")), SECONDS_PER_PAGE))


def test_fifty_tasks_cost_less_than_five() -> None:
    assert shared_delay([0.0] * 50) <= FIRST_DELAY
    assert 50 / shared_delay([60.0] * 50) < 5 * 50 / next_delay(60.0, 1e9)
