"""A call that is cancelled during a create loses nothing: the id of a paid task is recorded first."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.core.surface import Surface
from twelvelabs_core import TaskEntry
from twelvelabs_core.store.schema import tasks
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import Scene, write_film

CREATE = "/embed-v2/tasks"


async def until(sandbox: Sandbox, count: int) -> None:
    """Wait until this many create calls have arrived."""
    for _ in range(200):
        if sandbox.count("POST", CREATE) >= count:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"no {count} creates: {sandbox.requests}")


async def task_ids(client: Surface, count: int) -> list[str]:
    """Wait until the journal has this many task ids."""
    for _ in range(200):
        entries = [entry for entry in all_entries(client) if entry.task_id]
        if len(entries) >= count:
            break
        await asyncio.sleep(0.05)
    return [entry.task_id for entry in all_entries(client) if entry.task_id]


def all_entries(client: Surface) -> list[TaskEntry]:
    store = client.client.store
    with store._database.reading() as connection:
        keys = connection.scalars(select(tasks.c.key)).all()
    return [entry for key in keys if (entry := store.find_task(key)) is not None]


@pytest.fixture(scope="module")
def two_videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("two")
    paths = [folder / "first.mp4", folder / "second.mp4"]
    for path, color in zip(paths, ("red", "green"), strict=True):
        write_film(path, [Scene(color=color, seconds=5.0)], fps=5)
    return paths


async def test_closing_a_run_during_a_create_records_the_task_id(
    client: Surface, sandbox: Sandbox, two_videos: list[Path]
) -> None:
    sandbox.faults.add(Fault(path=CREATE, method="POST", skip=1, slow=1.0))  # the second response is slow
    results = client.segment_many(two_videos)
    first = asyncio.ensure_future(anext(results))
    await until(sandbox, 2)
    await first
    await results.aclose()

    assert len(await task_ids(client, 2)) == 2
    sandbox.clear_faults()
    async for _ in client.segment_many(two_videos):
        pass
    assert sandbox.count("POST", CREATE) == 2


async def test_cancelling_a_call_during_a_create_records_the_task_id(
    client: Surface, sandbox: Sandbox, two_videos: list[Path]
) -> None:
    if not client.is_async:
        pytest.skip("a blocking call cannot be cancelled")
    sandbox.faults.add(Fault(path=CREATE, method="POST", slow=1.0))
    call = client.start("segment_video", two_videos[0])
    await until(sandbox, 1)
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call

    assert len(await task_ids(client, 1)) == 1
    assert call.cancelled()
    assert (await client.segment_video(two_videos[0])).task_id in await task_ids(client, 1)
    assert sandbox.count("POST", CREATE) == 1
