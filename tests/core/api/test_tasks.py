"""Tasks and assets through both clients: creation without duplicates, retrieval, lists, waiting, deletion."""

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
    Media,
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
async def test_a_task_returns_its_segments(client: Surface, kind: str, video_path: Path, sound: Path) -> None:
    create = client.tasks.create_video if kind == "video" else client.tasks.create_audio
    task = await create(
        video_path if kind == "video" else sound, segmentation=FixedSegmentation(4), embedding_option=["audio"]
    )
    assert task.status == "processing"
    seen: list[Task] = []
    ready = await client.tasks.wait(task.id, callback=seen.append)
    assert seen[-1] == ready
    assert ready.metadata.duration == pytest.approx(8, abs=0.3)
    assert [(s.start_sec, s.embedding_scope) for s in ready.segments] == [(0, "clip"), (4, "clip"), (0, "asset")]
    assert (await client.tasks.retrieve(task.id)).segments == ready.segments


async def test_a_task_accepts_an_asset_or_bytes(client: Surface, video_path: Path, sandbox: Sandbox) -> None:
    asset = await client.assets.wait((await client.assets.create(video_path, filename="my video.mp4")).id)
    assert asset.filename == "my video.mp4"
    assert asset.duration == pytest.approx(8, abs=0.3)
    tasks = [await client.tasks.create_video(value) for value in (f"asset:{asset.id}", content(video_path))]
    results = [(await client.tasks.wait(task.id)).segments for task in tasks]
    assert results[0] == results[1]
    assert sandbox.count("POST", "/assets") == 2


async def test_pages_of_tasks_are_requested_as_needed(connect: Connect, video_path: Path) -> None:
    with Sandbox(task_seconds=1e6) as busy:
        client = connect(api_key=busy.api_key, base_url=busy.base_url)
        asset = await client.assets.wait((await client.assets.create(video_path)).id)
        created = [(await client.tasks.create_video(f"asset:{asset.id}")).id for _ in range(52)]
        busy.clear_requests()
        assert [task.id async for task in client.tasks.list()] == created[::-1]
        assert busy.count("GET", TASKS) == 2
        busy.clear_requests()
        tasks = client.tasks.list(status="processing", started_at=datetime.now(UTC) - timedelta(hours=1))
        assert (await anext(aiter(tasks))).id == created[-1]
        await tasks.aclose()
        assert busy.count("GET", TASKS) == 1
        assert [task async for task in client.tasks.list(status="failed")] == []
        assert [task async for task in client.tasks.list(ended_at=datetime.now(UTC) - timedelta(hours=1))] == []
        await client.close()


async def test_assets_are_listed_found_and_deleted(client: Surface, picture: Path) -> None:
    asset = await client.assets.create(content(picture), filename="needle in haystack.jpg")
    await client.assets.wait(asset.id)
    assert [found.id async for found in client.assets.list(filename="NEEDLE")] == [asset.id]
    assert [found.id async for found in client.assets.list(asset_ids=[asset.id], asset_types=["image"])] == [asset.id]
    await client.assets.delete(asset.id)
    with pytest.raises(NotFoundError, match=asset.id):
        await client.assets.retrieve(asset.id)
    with pytest.raises(NotFoundError):
        await client.assets.delete(asset.id, force=True)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"status": "done"}, "processing, ready, failed.*'done'"),
        ({"started_at": datetime(2026, 1, 1)}, "started_at must be a datetime with a time zone"),  # noqa: DTZ001  # refused because it is naive
        ({"ended_at": "yesterday"}, "ended_at"),
    ],
)
async def test_an_invalid_filter_is_refused(client: Surface, sandbox: Sandbox, option: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _ = [task async for task in client.tasks.list(**option)]
    with pytest.raises(InputError, match=r"asset_types.*'clip'"):
        _ = [asset async for asset in client.assets.list(asset_types=["clip"])]
    assert sandbox.count() == 0


@pytest.mark.parametrize("identity", ["", ".", "..", "  ", None, 7, "a\x00"])
async def test_an_invalid_id_is_refused(client: Surface, sandbox: Sandbox, identity: Any) -> None:
    for method in (client.tasks.retrieve, client.assets.retrieve, client.assets.delete, client.tasks.wait):
        with pytest.raises(InputError, match="id"):
            await method(identity)
    assert sandbox.count() == 0


@pytest.mark.parametrize("identity", ["a/../../assets", "a?x=1", "a#b", "../embed-v2", "a%2Fb", "é"])
async def test_an_id_is_quoted_as_one_part_of_the_path(client: Surface, sandbox: Sandbox, identity: str) -> None:
    with pytest.raises((NotFoundError, BadRequestError)):
        await client.assets.retrieve(identity)
    with pytest.raises((NotFoundError, BadRequestError)):
        await client.assets.delete(identity)
    assert sandbox.count() == 2
    assert sandbox.count(path="/assets") == 0


# Waiting


async def test_the_error_of_a_failed_task_has_its_id_and_reason(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    task = await client.tasks.create_video(video_path)
    with pytest.raises(TaskFailedError, match=rf"task {task.id} failed: .+[^.]\.$") as caught:
        await client.tasks.wait(task.id)
    assert caught.value.task_id == task.id


async def test_a_wait_ends_at_its_time_limit(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="stuck"))
    task = await client.tasks.create_video(video_path)
    for timeout in (0, 0.6):
        with pytest.raises(TaskTimeoutError, match=f"{task.id} is still processing after {timeout:g} s") as caught:
            await client.tasks.wait(task.id, timeout=timeout)
        assert caught.value.task_id == task.id
        assert isinstance(caught.value, TimeoutError)
    assert sandbox.count("GET", f"{TASKS}/{{task_id}}") < 8


async def test_an_unknown_task_or_asset_is_not_waited_for(client: Surface, sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError, match=MISSING):
        await client.tasks.wait(MISSING)
    with pytest.raises(NotFoundError, match=MISSING):
        await client.assets.wait(MISSING)
    assert sandbox.count() == 2


async def test_a_failed_or_stuck_asset(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path="/assets", asset="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await client.tasks.create_video(video_path)
    sandbox.faults.add(Fault(path="/assets", asset="stuck"))
    asset = await client.assets.create(video_path)
    with pytest.raises(TimeoutError, match=f"asset {asset.id} is not ready after 0.3 s"):
        await client.assets.wait(asset.id, timeout=0.3)
    assert sandbox.count("POST", TASKS) == 0


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5", True])
async def test_an_invalid_timeout_is_refused(client: Surface, sandbox: Sandbox, timeout: Any) -> None:
    for method in (client.tasks.wait, client.assets.wait):
        with pytest.raises(InputError, match="timeout"):
            await method(MISSING, timeout=timeout)
    assert sandbox.count() == 0


async def test_an_async_callback_is_refused(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    async def callback(_: object) -> None:
        """Never runs."""

    with pytest.raises(InputError, match="callback"):
        await client.tasks.wait(MISSING, callback=callback)
    with pytest.raises(InputError, match="on_progress"):
        await client.segment_video(video_path, on_progress=callback)
    assert sandbox.count() == 0


async def test_invalid_uploads_are_refused(client: Surface, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for name, message in (("empty.mp4", "0 bytes"), ("missing.mp4", "no such file"), (".", "folder")):
        with pytest.raises(InputError, match=message):
            await client.assets.create(tmp_path / name)
    with pytest.raises(InputError, match="asset already"):
        await client.assets.create(f"asset:{MISSING}")
    with pytest.raises(InputError, match="1 to 255 characters, got 256"):
        await client.assets.create(b"video", filename="x" * 256)
    assert sandbox.count() == 0


# Retries


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 503}, {"drop": "before"}, {"drop": "after"}, {"drop": "mid"}]
)
async def test_a_task_that_may_have_been_created_is_not_repeated(
    client: Surface, sandbox: Sandbox, video_path: Path, fault: dict[str, Any]
) -> None:
    asset = await client.assets.wait((await client.assets.create(video_path)).id)
    sandbox.faults.add(Fault(path=TASKS, method="POST", times=None, **fault))
    with pytest.raises((ServerError, APIConnectionError)) as caught:
        await client.tasks.create_video(f"asset:{asset.id}")
    assert sandbox.count("POST", TASKS) == 1
    if isinstance(caught.value, APIConnectionError):
        assert "may have happened" in str(caught.value)


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "before"}, {"drop": "mid"}])
async def test_an_upload_is_repeated_since_it_costs_nothing(
    client: Surface, sandbox: Sandbox, video_path: Path, fault: dict[str, Any]
) -> None:
    sandbox.faults.add(Fault(path="/assets", method="POST", times=1, **fault))
    assert (await client.assets.create(video_path)).id
    assert sandbox.count("POST", "/assets") == 2


@pytest.mark.parametrize("what", ["task", "asset"])
async def test_a_rate_limited_create_is_repeated(
    client: Surface, sandbox: Sandbox, video_path: Path, what: str
) -> None:
    asset = await client.assets.wait((await client.assets.create(video_path)).id)
    sandbox.clear_requests()
    sandbox.faults.add(Fault(method="POST", status=429, body="", times=2))
    await (client.tasks.create_video(f"asset:{asset.id}") if what == "task" else client.assets.create(video_path))
    assert sandbox.count("POST") == 3


class Shrinking(io.BytesIO):
    """A file that becomes shorter while it is sent, after its beginning was read to find its type."""

    name = "shrinking.mp4"

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.tell() > 10_000_000:  # more than FFmpeg reads of it
            self.truncate(self.tell())
        return data


async def test_a_file_that_shrinks_during_its_upload_is_an_error_without_asset(client: Surface) -> None:
    with pytest.raises(InputError, match=r"shrinking\.mp4: changed while it was being sent"):
        await client.assets.create(Media.of(Shrinking(bytes(12_000_000)), source="shrinking.mp4"))
    assert [asset async for asset in client.assets.list(filename="shrinking")] == []
