"""Tasks and assets through both clients: created once, looked at, listed, waited for, deleted."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from twelvelabs_core import (
    APIConnectionError,
    BadRequestError,
    FixedSegmentation,
    InputError,
    NotFoundError,
    ServerError,
    Task,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_sandbox import Fault, Sandbox

TASKS = "/embed-v2/tasks"
MISSING = "64f8d2c7e4a1b37f8a9c5d12"


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_a_task_from_its_creation_to_its_vectors(client: Surface, kind: str, film: Path, sound: Path) -> None:
    create = client.create_video_task if kind == "video" else client.create_audio_task
    task = await create(
        film if kind == "video" else sound, segmentation=FixedSegmentation(4), embedding_option=["audio"]
    )
    assert task.status == "processing"
    seen: list[Task] = []
    ready = await client.wait_for_task(task.id, callback=seen.append)
    assert seen[-1] == ready
    assert ready.metadata.duration == pytest.approx(8, abs=0.3)
    assert [(s.start_sec, s.embedding_scope) for s in ready.segments] == [(0, "clip"), (4, "clip"), (0, "asset")]
    assert (await client.retrieve_task(task.id)).segments == ready.segments


async def test_a_task_takes_an_asset_or_bytes(client: Surface, film: Path, sandbox: Sandbox) -> None:
    asset = await client.wait_for_asset((await client.create_asset(film, filename="my film.mp4")).id)
    assert asset.filename == "my film.mp4"
    assert asset.duration == pytest.approx(8, abs=0.3)
    tasks = [await client.create_video_task(value) for value in (f"asset:{asset.id}", content(film))]
    results = [(await client.wait_for_task(task.id)).segments for task in tasks]
    assert results[0] == results[1]
    assert sandbox.count("POST", "/assets") == 2


async def test_tasks_are_listed_page_by_page_until_the_caller_stops(connect: Connect, film: Path) -> None:
    with Sandbox(task_seconds=1e6) as busy:
        client = connect(api_key=busy.api_key, base_url=busy.base_url)
        asset = await client.wait_for_asset((await client.create_asset(film)).id)
        created = [(await client.create_video_task(f"asset:{asset.id}")).id for _ in range(52)]
        busy.clear_requests()
        assert [task.id async for task in client.list_tasks()] == created[::-1]
        assert busy.count("GET", TASKS) == 2
        busy.clear_requests()
        tasks = client.list_tasks(status="processing", started_at=datetime.now(UTC) - timedelta(hours=1))
        assert (await anext(aiter(tasks))).id == created[-1]
        await tasks.aclose()
        assert busy.count("GET", TASKS) == 1
        assert [task async for task in client.list_tasks(status="failed")] == []
        assert [task async for task in client.list_tasks(ended_at=datetime.now(UTC) - timedelta(hours=1))] == []
        await client.close()


async def test_assets_are_listed_found_and_deleted(client: Surface, picture: Path) -> None:
    asset = await client.create_asset(content(picture), filename="needle in haystack.jpg")
    await client.wait_for_asset(asset.id)
    assert [found.id async for found in client.list_assets(filename="NEEDLE")] == [asset.id]
    assert [found.id async for found in client.list_assets(asset_ids=[asset.id], asset_types=["image"])] == [asset.id]
    await client.delete_asset(asset.id)
    with pytest.raises(NotFoundError, match=asset.id):
        await client.retrieve_asset(asset.id)
    with pytest.raises(NotFoundError):
        await client.delete_asset(asset.id, force=True)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"status": "done"}, "processing, ready, failed.*'done'"),
        ({"started_at": datetime(2026, 1, 1)}, "started_at needs a time zone"),  # noqa: DTZ001  # what is refused
        ({"ended_at": "yesterday"}, "ended_at"),
    ],
)
async def test_a_bad_filter_is_refused(client: Surface, sandbox: Sandbox, option: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _ = [task async for task in client.list_tasks(**option)]
    with pytest.raises(InputError, match=r"asset_types.*'film'"):
        _ = [asset async for asset in client.list_assets(asset_types=["film"])]
    assert sandbox.count() == 0


@pytest.mark.parametrize("identity", ["", ".", "..", "  ", None, 7, "a\x00"])
async def test_an_id_that_would_lead_elsewhere_is_refused(client: Surface, sandbox: Sandbox, identity: Any) -> None:
    for method in (client.retrieve_task, client.retrieve_asset, client.delete_asset, client.wait_for_task):
        with pytest.raises(InputError, match="id"):
            await method(identity)
    assert sandbox.count() == 0


@pytest.mark.parametrize("identity", ["a/../../assets", "a?x=1", "a#b", "../embed-v2", "a%2Fb", "é"])
async def test_an_id_stays_one_part_of_the_path(client: Surface, sandbox: Sandbox, identity: str) -> None:
    with pytest.raises((NotFoundError, BadRequestError)):
        await client.retrieve_asset(identity)
    with pytest.raises((NotFoundError, BadRequestError)):
        await client.delete_asset(identity)
    assert sandbox.count() == 2
    assert sandbox.count(path="/assets") == 0


# Waiting


async def test_a_failed_task_says_why_and_which(client: Surface, sandbox: Sandbox, film: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    task = await client.create_video_task(film)
    with pytest.raises(TaskFailedError, match=rf"task {task.id} failed: .+[^.]\.$") as caught:
        await client.wait_for_task(task.id)
    assert caught.value.task_id == task.id


async def test_a_task_that_takes_too_long_goes_on_at_the_server(client: Surface, sandbox: Sandbox, film: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="stuck"))
    task = await client.create_video_task(film)
    for timeout in (0, 0.6):
        with pytest.raises(TaskTimeoutError, match=f"{task.id} is still processing after {timeout:g} s") as caught:
            await client.wait_for_task(task.id, timeout=timeout)
        assert caught.value.task_id == task.id
        assert isinstance(caught.value, TimeoutError)
    assert sandbox.count("GET", f"{TASKS}/{{task_id}}") < 8


async def test_an_unknown_task_or_asset_is_not_waited_for(client: Surface, sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError, match=MISSING):
        await client.wait_for_task(MISSING)
    with pytest.raises(NotFoundError, match=MISSING):
        await client.wait_for_asset(MISSING)
    assert sandbox.count() == 2


async def test_a_failed_or_stuck_asset(client: Surface, sandbox: Sandbox, film: Path) -> None:
    sandbox.faults.add(Fault(path="/assets", asset="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await client.create_video_task(film)
    sandbox.faults.add(Fault(path="/assets", asset="stuck"))
    asset = await client.create_asset(film)
    with pytest.raises(TimeoutError, match=f"asset {asset.id} is not ready after 0.3 s"):
        await client.wait_for_asset(asset.id, timeout=0.3)
    assert sandbox.count("POST", TASKS) == 0


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5", True])
async def test_a_time_out_that_cannot_be_is_refused(client: Surface, sandbox: Sandbox, timeout: Any) -> None:
    for method in (client.wait_for_task, client.wait_for_asset):
        with pytest.raises(InputError, match="timeout"):
            await method(MISSING, timeout=timeout)
    assert sandbox.count() == 0


async def test_an_async_callback_is_refused_because_nobody_would_await_it(
    client: Surface, sandbox: Sandbox, film: Path
) -> None:
    async def callback(_: object) -> None:
        """Never runs."""

    with pytest.raises(InputError, match="callback"):
        await client.wait_for_task(MISSING, callback=callback)
    with pytest.raises(InputError, match="on_progress"):
        await client.segment_video(film, on_progress=callback)
    assert sandbox.count() == 0


async def test_what_cannot_be_uploaded_is_refused(client: Surface, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for name, message in (("empty.mp4", "0 bytes"), ("missing.mp4", "no such file"), (".", "folder")):
        with pytest.raises(InputError, match=message):
            await client.create_asset(tmp_path / name)
    with pytest.raises(InputError, match="asset already"):
        await client.create_asset(f"asset:{MISSING}")
    with pytest.raises(InputError, match="at most 255 characters, got 256"):
        await client.create_asset(b"film", filename="x" * 256)
    assert sandbox.count() == 0


# Creates are never sent twice


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 503}, {"drop": "before"}, {"drop": "after"}, {"drop": "mid"}]
)
@pytest.mark.parametrize("what", ["task", "asset"])
async def test_a_create_that_may_have_happened_is_not_sent_again(
    client: Surface, sandbox: Sandbox, film: Path, what: str, fault: dict[str, Any]
) -> None:
    asset = await client.wait_for_asset((await client.create_asset(film)).id)
    path = TASKS if what == "task" else "/assets"
    sandbox.clear_requests()
    sandbox.faults.add(Fault(path=path, method="POST", times=None, **fault))
    with pytest.raises((ServerError, APIConnectionError)) as caught:
        await (client.create_video_task(f"asset:{asset.id}") if what == "task" else client.create_asset(film))
    assert sandbox.count("POST", path) == 1
    if isinstance(caught.value, APIConnectionError):
        assert "may have happened" in str(caught.value)


@pytest.mark.parametrize("what", ["task", "asset"])
async def test_a_create_that_was_refused_at_the_door_is_sent_again(
    client: Surface, sandbox: Sandbox, film: Path, what: str
) -> None:
    asset = await client.wait_for_asset((await client.create_asset(film)).id)
    sandbox.clear_requests()
    sandbox.faults.add(Fault(method="POST", status=429, body="", times=2))
    await (client.create_video_task(f"asset:{asset.id}") if what == "task" else client.create_asset(film))
    assert sandbox.count("POST") == 3


class Shrinking(io.BytesIO):
    """A file that is shorter when it is sent than it was when it was measured."""

    name = "shrinking.mp4"

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if len(data) > 1000:
            self.truncate(self.tell())
        return data


async def test_a_file_that_shrinks_on_its_way_is_an_error_and_no_asset(client: Surface) -> None:
    with pytest.raises(InputError, match=r"shrinking\.mp4: changed while it was being sent"):
        await client.create_asset(Shrinking(bytes(1_000_000)))
    assert [asset async for asset in client.list_assets(filename="shrinking")] == []
