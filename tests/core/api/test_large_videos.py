"""Segmentation of videos too large for one request, uploaded once in chunks; deletion of used assets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.ingest.test_recovery import Interrupted, interrupt
from tests.core.surface import Surface
from tests.core.uploading import padded
from twelvelabs_core import APIStatusError, FixedSegmentation, TwelveLabsError
from twelvelabs_core.base import limits
from twelvelabs_sandbox import Fault, Sandbox

SESSIONS = "/assets/multipart-uploads"
CHUNK_PATH = "/uploads/{upload_id}/parts/{chunk_index}"
CHUNK = 64 * 1024
SIZE = 10 * CHUNK + 1
CHUNKS = 11


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox with small chunks, and a limit of direct uploads that a short video exceeds."""
    monkeypatch.setattr(limits, "DIRECT_UPLOAD_MAX_BYTES", SIZE - 1)
    with Sandbox(chunk_size=CHUNK) as sandbox:
        yield sandbox


@pytest.fixture
def uploader(connect: Connect, storage: Sandbox) -> Surface:
    return connect(api_key=storage.api_key, base_url=storage.base_url)


@pytest.fixture
def large_video(video_path: Path, tmp_path: Path) -> Path:
    return padded(video_path, tmp_path / "large.mp4", SIZE)


OPTIONS: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}


@pytest.mark.slow
async def test_a_video_above_200_mb_is_uploaded_in_chunks(
    client: Surface, sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    video = padded(video_path, tmp_path / "large.mp4", 201 * 2**20)
    large, small = await client.segment_video(video, **OPTIONS), await client.segment_video(video_path, **OPTIONS)
    assert large.segments == small.segments
    assert (sandbox.count("POST", SESSIONS), sandbox.count("PUT", CHUNK_PATH)) == (1, 41)


async def test_a_large_video_is_uploaded_once_for_all_its_tasks(
    uploader: Surface, storage: Sandbox, large_video: Path, video_path: Path
) -> None:
    stages: list[str] = []
    large = await uploader.segment_video(large_video, on_progress=lambda step: stages.append(step.stage), **OPTIONS)
    small = await uploader.segment_video(video_path, **OPTIONS)
    assert large.segments == small.segments
    assert "uploading" in stages
    await uploader.segment_video(large_video, segmentation=FixedSegmentation(8))
    assert (storage.count("POST", SESSIONS), storage.count("PUT", CHUNK_PATH)) == (1, CHUNKS)


async def test_two_concurrent_calls_upload_a_large_video_once(
    uploader: Surface, storage: Sandbox, large_video: Path
) -> None:
    calls = [
        uploader.start(
            "segment_video", large_video, segmentation=FixedSegmentation(seconds), embedding_option=["visual"]
        )
        for seconds in (4, 8)
    ]
    first, second = [await call for call in calls]
    assert len(first.segments) > len(second.segments)
    assert (storage.count("POST", SESSIONS), storage.count("PUT", CHUNK_PATH)) == (1, CHUNKS)


async def test_error_after_the_last_chunk_repeats_no_chunk(
    uploader: Surface, storage: Sandbox, large_video: Path
) -> None:
    storage.faults.add(Fault(path="/assets/{asset_id}", method="GET", status=401))
    with pytest.raises(APIStatusError):
        await uploader.segment_video(large_video, **OPTIONS)
    assert not (await uploader.segment_video(large_video, **OPTIONS)).reused
    assert (storage.count("POST", SESSIONS), storage.count("PUT", CHUNK_PATH)) == (1, CHUNKS)


async def test_failed_large_asset_is_uploaded_again(uploader: Surface, storage: Sandbox, large_video: Path) -> None:
    storage.faults.add(Fault(path=SESSIONS, method="POST", asset="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await uploader.segment_video(large_video, **OPTIONS)
    assert not (await uploader.segment_video(large_video, **OPTIONS)).reused
    assert storage.count("POST", SESSIONS) == 2


async def test_an_asset_is_deleted_after_use_on_request(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    await client.segment_video(video_path, keep_asset=False, **OPTIONS)
    assert sandbox.count("DELETE", "/assets/{asset_id}", status=204) == 1
    again = await client.segment_video(video_path, keep_asset=False, **OPTIONS)
    assert again.reused
    assert sandbox.count("POST", "/assets") == 1


async def test_asset_kept_by_an_earlier_run_is_deleted_on_request(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    await client.segment_video(video_path, **OPTIONS)
    assert sandbox.count("DELETE") == 0
    assert (await client.segment_video(video_path, keep_asset=False, **OPTIONS)).reused
    assert sandbox.count("DELETE", "/assets/{asset_id}", status=204) == 1
    async for one in client.segment_many([video_path], keep_asset=False, segmentation=FixedSegmentation(8)):
        assert not one.reused
    assert sandbox.count("DELETE", "/assets/{asset_id}", status=204) == 2


async def test_the_callers_own_asset_is_never_deleted(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    asset = await client.assets.wait((await client.assets.create(video_path)).id)
    await client.segment_video(f"asset:{asset.id}", keep_asset=False, **OPTIONS)
    await client.segment_video(video_path, keep_asset=False, **OPTIONS)
    assert (await client.assets.retrieve(asset.id)).status == "ready"
    assert sandbox.count("DELETE", "/assets/{asset_id}", status=204) == 1


async def test_an_asset_is_deleted_also_after_its_task_failed(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await client.segment_video(video_path, keep_asset=False, **OPTIONS)
    assert sandbox.count("DELETE", "/assets/{asset_id}", status=204) == 1


async def test_a_failed_deletion_is_logged_and_repeated_by_the_next_call(
    client: Surface, sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(Fault(path="/assets/{asset_id}", method="DELETE", status=409))
    assert not (await client.segment_video(video_path, keep_asset=False, **OPTIONS)).reused
    assert "could not delete asset" in caplog.text
    assert (await client.segment_video(video_path, keep_asset=False, **OPTIONS)).reused
    assert sandbox.count("DELETE", "/assets/{asset_id}", status=204) == 1


async def test_an_asset_stays_while_another_task_needs_it(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="stuck"))
    with pytest.raises(Interrupted):
        await client.segment_video(video_path, on_progress=interrupt, **OPTIONS)
    await client.segment_video(video_path, keep_asset=False, segmentation=FixedSegmentation(8))
    assert sandbox.count("DELETE") == 0
