"""The tasks of the old embed API (v1) through both clients: create, retrieve, wait, list, retry."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.core.uploading import padded
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    APIConnectionError,
    APIResponseError,
    BadRequestError,
    InputError,
    ServerError,
    TaskFailedError,
    TaskSummary,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_sandbox import Fault, Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")

EMBED, TASKS = "/embed", "/embed/tasks"
MISSING = "64f8d2c7e4a1b37f8a9c5d12"


VECTOR = [0.5] * 512


# Tasks


async def test_a_task_of_a_file_has_the_vectors_of_v2(
    client: Surface, old: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    task_id = await old.create_task(video_file=video_path, video_clip_length=4, video_embedding_scope=["video", "clip"])
    assert sandbox.count() == sandbox.count("POST", TASKS) == 1
    seen: list[TaskSummary] = []
    ready = await old.wait_for_task(task_id, callback=seen.append)
    assert {one.id for one in seen} == {task_id}
    assert seen[-1].status == ready.status == "ready"
    assert ready.model_name == "marengo3.0"
    assert ready.metadata.input_filename == video_path.name
    assert ready.metadata.embedding_scopes == ("clip", "video")
    assert ready.metadata.clip_length == 4
    places = [(part.embedding_scope, part.start_sec, part.end_sec, part.embedding_option) for part in ready.segments]
    assert places == [
        (scope, start, end, option)
        for scope, start, end in (("clip", 0.0, 4.0), ("clip", 4.0, 8.0), ("video", 0.0, 8.0))
        for option in ("visual", "audio")
    ]
    today = await client.segment_video(
        video_path,
        segmentation={"strategy": "fixed", "fixed": {"duration_sec": 4}},
        embedding_option=["visual", "audio"],
    )
    assert np.array_equal(today.segments.vectors, ready.segments.vectors)
    status = await old.task_status(task_id)
    assert (status.id, status.status, status.metadata.duration) == (task_id, "ready", 8.0)
    audio_only = await old.retrieve_task(task_id, embedding_option=["audio"])
    assert {part.embedding_option for part in audio_only.segments} == {"audio"}
    assert np.array_equal(audio_only.segments.vectors, ready.segments.vectors[1::2])


@pytest.mark.parametrize("way", ["path", "bytes", "file object"])
async def test_a_video_is_uploaded_from_a_path_bytes_or_a_file_object(old: Surface, video_path: Path, way: str) -> None:
    with video_path.open("rb") as stream:
        video = {"path": str(video_path), "bytes": content(video_path), "file object": stream}[way]
        task_id = await old.create_task(
            video_file=video, video_start_offset_sec=1, video_end_offset_sec=6.5, video_clip_length=2.5
        )
    segments = (await old.wait_for_task(task_id)).segments
    assert {(part.start_sec, part.end_sec) for part in segments} == {(1.0, 3.5), (3.5, 6.0)}


async def test_a_url_is_fetched_by_the_server_and_shown_without_signature(old: Surface, video_path: Path) -> None:
    with VideoServer(video_path) as server:
        task_id = await old.create_task(video_url=server.url("video.mp4?X-Amz-Signature=secret"))
        ready = await old.wait_for_task(task_id)
    assert server.count("GET") == 1
    assert ready.metadata.input_url == server.url()
    assert {(part.start_sec, part.end_sec) for part in ready.segments} == {(0.0, 6.0), (6.0, 8.0)}


async def test_a_large_video_is_streamed_from_disk(old: Surface, tmp_path: Path, video_path: Path) -> None:
    large = padded(video_path, tmp_path / "large.mp4", 64 * 2**20)
    tracemalloc.start()
    try:
        status = await old.task_status(await old.create_task(video_file=large))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert status.metadata.input_filename == "large.mp4"
    assert peak < 32 * 2**20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no video: pass video_file or video_url"),
        ({"video_url": "https://e.com/a.mp4", "video_file": b"x"}, "video_url or video_file, not both"),
        ({"video_file": f"asset:{MISSING}"}, "accepts no assets"),
        ({"video_file": "nowhere.mp4"}, "no such file"),
        ({"video_file": b""}, "0 bytes"),
        ({"video_clip_length": 1.9}, "video_clip_length must be a number of seconds from 2 to 10, got 1.9"),
        ({"video_clip_length": 11}, "from 2 to 10, got 11"),
        ({"video_clip_length": "6"}, "got '6'"),
        ({"video_clip_length": True}, "got True"),
        ({"video_start_offset_sec": 1}, "only video_start_offset_sec was given"),
        ({"video_end_offset_sec": 8}, "only video_end_offset_sec was given"),
        ({"video_start_offset_sec": -1, "video_end_offset_sec": 8}, "from 0, got -1"),
        ({"video_start_offset_sec": 8, "video_end_offset_sec": 8}, "after video_start_offset_sec 8, got 8"),
        ({"video_embedding_scope": ["video"]}, r"\['clip', 'video'\], got \['video'\]"),
        ({"video_embedding_scope": ["clip", "asset"]}, "clip, video; got 'asset'"),
        ({"video_embedding_scope": "clip"}, "must be a list"),
        ({"video_embedding_scope": []}, "got none"),
        (
            {"video_start_offset_sec": 1, "video_end_offset_sec": 20},
            r"end_sec 20 must not exceed the duration of 8\.0",
        ),
    ],
)
async def test_invalid_task_options_are_refused_before_a_request(
    old: Surface, sandbox: Sandbox, video_path: Path, given: dict[str, Any], message: str
) -> None:
    video = {"video_file": video_path} if given and not any("file" in name or "url" in name for name in given) else {}
    with pytest.raises(InputError, match=message):
        await old.create_task(**video, **given)
    assert sandbox.count() == 0


async def test_a_video_too_short_is_refused(old: Surface, sandbox: Sandbox, media_folder: Path) -> None:
    with pytest.raises(InputError, match="at least 4 s"):
        await old.create_task(video_file=media_folder / "short.mp4")
    assert sandbox.count() == 0


async def test_an_upload_above_two_gigabytes_is_refused(old: Surface, sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "huge.mp4").open("wb") as file:
        file.write(b"video")
        file.truncate(2 * 2**30 + 1)
    with pytest.raises(InputError, match=r"2,147,483,649 bytes.*at most 2,147,483,648 \(2 GB\).*segment_video"):
        await old.create_task(video_file=tmp_path / "huge.mp4")
    assert sandbox.count() == 0


async def test_unknown_options_and_ids_are_refused(old: Surface, sandbox: Sandbox) -> None:
    with pytest.raises(InputError, match=r"embedding_option must be among visual, audio.*'text'"):
        await old.retrieve_task(MISSING, embedding_option=["text"])
    for identity in ("", "..", None):
        for method in (old.retrieve_task, old.task_status, old.wait_for_task):
            with pytest.raises(InputError, match="id"):
                await method(identity)
    with pytest.raises(InputError, match="status must be one of"):
        _ = [task async for task in old.list_tasks(status="done")]
    assert sandbox.count() == 0


async def test_client_of_another_model_retrieves_tasks_and_refuses_embedding(
    connect: Connect, old: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    task_id = await old.create_task(video_file=video_path)
    new = connect(model="marengo3.5")
    assert (await new.legacy_v1.wait_for_task(task_id)).segments.dimension == 512
    sandbox.clear_requests()
    with pytest.raises(InputError, match=r"only with marengo3\.0.*marengo3\.5.*legacy_v1\.embed"):
        await new.legacy_v1.embed(text="red")
    with pytest.raises(InputError, match=r"legacy_v1\.create_task"):
        await new.legacy_v1.create_task(video_file=video_path)
    assert sandbox.count() == 0
    await new.close()


# Waiting


async def test_a_failed_task_is_named(old: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    task_id = await old.create_task(video_file=video_path)
    with pytest.raises(TaskFailedError, match=f"{task_id} failed") as caught:
        await old.wait_for_task(task_id)
    assert caught.value.task_id == task_id


async def test_a_wait_is_limited_and_polls_at_growing_intervals(
    old: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="stuck"))
    task_id = await old.create_task(video_file=video_path)
    seen: list[str] = []
    for timeout in (0, 0.6):
        with pytest.raises(TaskTimeoutError, match=f"{task_id} is still processing after {timeout:g} s"):
            await old.wait_for_task(task_id, timeout=timeout, callback=lambda task: seen.append(task.status))
    polls = sandbox.count("GET", f"{TASKS}/{{task_id}}/status")
    assert polls == len(seen) < 8
    assert sandbox.count("GET", f"{TASKS}/{{task_id}}") == 0
    assert (await old.retrieve_task(task_id)).segments is None


async def test_an_error_ends_a_wait(old: Surface, sandbox: Sandbox) -> None:
    with pytest.raises(BadRequestError, match=MISSING):
        await old.wait_for_task(MISSING)
    assert sandbox.count() == 1

    def stop(_: TaskSummary) -> None:
        raise ZeroDivisionError

    sandbox.faults.add(Fault(path=f"{TASKS}/{{task_id}}/status", status=200, body={"_id": "1", "status": "ready"}))
    with pytest.raises(ZeroDivisionError):
        await old.wait_for_task("1", callback=stop)


async def test_response_about_another_task_is_refused(old: Surface, sandbox: Sandbox) -> None:
    body = {"_id": "other", "status": "ready", "video_embedding": {"segments": []}}
    for path in (f"{TASKS}/{{task_id}}", f"{TASKS}/{{task_id}}/status"):
        sandbox.faults.add(Fault(path=path, status=200, body=body))
    for method in (old.retrieve_task, old.task_status):
        with pytest.raises(TwelveLabsError, match=f"could not retrieve task {MISSING}.*task other"):
            await method(MISSING)


async def test_an_invalid_timeout_or_callback_is_refused(old: Surface, sandbox: Sandbox) -> None:
    async def callback(_: object) -> None:
        """Never runs."""

    with pytest.raises(InputError, match="timeout"):
        await old.wait_for_task(MISSING, timeout=-1)
    with pytest.raises(InputError, match="callback"):
        await old.wait_for_task(MISSING, callback=callback)
    assert sandbox.count() == 0


# Retries


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "before"}, {"drop": "after"}, {"drop": "mid"}])
@pytest.mark.parametrize("what", ["task", "sound"])
async def test_a_billed_request_that_may_have_succeeded_is_not_repeated(
    old: Surface, sandbox: Sandbox, media_folder: Path, what: str, fault: dict[str, Any]
) -> None:
    video_path, sound = media_folder / "video.mp4", media_folder / "sound.wav"
    sandbox.faults.add(Fault(method="POST", times=None, **fault))
    with pytest.raises((ServerError, APIConnectionError)):
        await (old.create_task(video_file=video_path) if what == "task" else old.embed(audio_file=sound))
    assert sandbox.count("POST") == 1


async def test_a_rejected_create_and_a_text_are_repeated(old: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(method="POST", status=429, body="", times=2))
    await old.create_task(video_file=video_path)
    assert sandbox.count("POST", TASKS) == 3
    sandbox.faults.add(Fault(method="POST", status=503, times=2))
    await old.embed(text="red")
    assert sandbox.count("POST", EMBED) == 3


class Counting:
    """A rate limiter that counts its calls and never waits."""

    calls = 0

    def acquire(self) -> None:
        self.calls += 1

    async def async_acquire(self) -> None:
        self.calls += 1


async def test_the_rate_limiter_is_acquired_for_billed_requests_only(connect: Connect, video_path: Path) -> None:
    limiter = Counting()
    client = connect(rate_limiter=limiter)
    task_id = await client.legacy_v1.create_task(video_file=video_path)
    assert limiter.calls == 1
    await client.legacy_v1.embed(text="red")
    assert limiter.calls == 2
    await client.legacy_v1.wait_for_task(task_id)
    _ = [task async for task in client.legacy_v1.list_tasks(status="failed")]
    assert limiter.calls == 2
    await client.close()


# Lists


@pytest.mark.slow
async def test_tasks_are_listed_page_by_page_with_filters(connect: Connect, video_path: Path) -> None:
    with Sandbox(task_seconds=1e6) as busy:
        client = connect(api_key=busy.api_key, base_url=busy.base_url)
        old = client.legacy_v1
        created = [await old.create_task(video_file=video_path) for _ in range(52)]
        busy.clear_requests()
        assert [task.id async for task in old.list_tasks()] == created[::-1]
        assert busy.count("GET", TASKS) == busy.count() == 2
        busy.clear_requests()
        hour = timedelta(hours=1)
        tasks = old.list_tasks(
            status="processing", started_at=datetime.now(UTC) - hour, ended_at=datetime.now(UTC) + hour
        )
        first = await anext(aiter(tasks))
        assert (first.id, first.model_name, first.metadata.input_filename) == (
            created[-1],
            "marengo3.0",
            video_path.name,
        )
        await tasks.aclose()
        assert busy.count("GET", TASKS) == 1
        assert [task async for task in old.list_tasks(status="ready")] == []
        assert [task async for task in old.list_tasks(ended_at=datetime.now(UTC) - hour)] == []
        assert [task async for task in client.tasks.list()] == []
        await client.close()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"video_embedding": {"segments": None}}, "segments: is not an array"),
        ({"video_embedding": [1]}, "video_embedding: is not an object"),
        ({"video_embedding": {"segments": [], "metadata": 7}}, "metadata: is not an object"),
        ({"video_embedding": {"segments": [{"float": VECTOR, "embedding_scope": "clip"}]}}, "start_offset_sec"),
        ({"status": None}, "field `status`"),
        ({"_id": None}, "field"),
    ],
)
async def test_a_malformed_task_is_refused(
    old: Surface, sandbox: Sandbox, fields: dict[str, Any], message: str
) -> None:
    body = {"_id": MISSING, "status": "ready", "video_embedding": {"segments": []}}
    sandbox.faults.add(Fault(path=f"{TASKS}/{{task_id}}", status=200, body=body | fields))
    with pytest.raises(APIResponseError, match=message):
        await old.retrieve_task(MISSING)
