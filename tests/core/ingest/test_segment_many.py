"""Multiple media: yielded as their tasks end, with bounded work ahead, and independent of each other's failures."""

import asyncio
import io
import pickle
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, event

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    AuthenticationError,
    Client,
    Failure,
    FixedSegmentation,
    IngestionError,
    InputError,
    Media,
    Progress,
    Settings,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_sandbox import Fault, Sandbox

TASKS = "/embed-v2/tasks"
CUT: dict[str, Any] = {
    "segmentation": FixedSegmentation(8),
    "embedding_option": ["visual"],
    "embedding_scope": ["clip"],
}


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


@pytest.fixture
def videos(video_path: Path) -> list[Media]:
    """Twelve videos with different bytes and names."""
    data = content(video_path)
    return [Media.of(data + struct.pack(">I4sI", 12, b"free", n), source=f"video {n}.mp4") for n in range(12)]


async def test_any_number_of_tasks_is_accepted(client: Surface, video_path: Path) -> None:
    found = [one async for one in client.segment_many([video_path], max_tasks=10**30, **CUT)]
    assert len(found) == 1


async def test_every_video_is_yielded_once_and_the_second_run_is_free(
    client: Surface, videos: list[Media], sandbox: Sandbox
) -> None:
    found = [one async for one in client.segment_many(iter(videos), **CUT)]
    assert sorted(one.source for one in found) == sorted(media.source for media in videos)
    assert paid(sandbox) == len(videos)
    sandbox.clear_requests()
    again = [one async for one in client.segment_many(videos, **CUT)]
    assert all(one.reused for one in again)
    assert sandbox.count() == 0


async def test_a_medium_costs_few_transactions(connect: Connect, server: VideoServer, tmp_path: Path) -> None:
    """On a server each one is several round trips; on SQLite each one that writes waits for the disk."""
    urls = [server.url(f"{number}.mp4") for number in range(4)]
    begun: list[bool] = []

    def note(connection: Connection) -> None:
        begun.append(bool(connection.get_execution_options().get("twelvelabs_writes")))

    event.listen(Engine, "begin", note)
    try:
        for run in ("new", "stored"):
            client = connect(store=tmp_path / "s.sqlite3", max_concurrency=1)
            assert client.store.info().vectors == (0 if run == "new" else 8)  # each of a clip and of the whole
            begun.clear()
            found = [one async for one in client.segment_many(urls, **CUT)]
            for one in found:
                await client.register(one)
            # What is known, intent, task id, result; then the names: looked for where the result is not new, and added.
            assert begun.count(False) == (4 if run == "new" else 8)
            assert begun.count(True) in (range(16, 20) if run == "new" else [0])  # a beat each two seconds
    finally:
        event.remove(Engine, "begin", note)


async def test_result_of_a_new_task_equals_the_stored_one(client: Surface, videos: list[Media]) -> None:
    new = {one.source: one async for one in client.segment_many(videos[:2])}
    stored = {one.source: one async for one in client.segment_many(videos[:2])}
    assert {one.reused for one in new.values()} == {False}
    assert {one.reused for one in stored.values()} == {True}
    for name, one in new.items():
        assert (one.segments, one.duration_sec) == (stored[name].segments, stored[name].duration_sec)
        assert (one.task_id, one.attempts, one.content) == (stored[name].task_id, 1, stored[name].content)


async def test_empty_list_yields_nothing(client: Surface, sandbox: Sandbox) -> None:
    assert [one async for one in client.segment_many([])] == []
    assert sandbox.count() == 0


async def test_results_are_yielded_in_order_of_completion(
    connect: Connect, videos: list[Media], sandbox: Sandbox
) -> None:
    steps: list[Progress] = []
    sandbox.faults.add(Fault(path=f"{TASKS}/*", method="GET", delay=0.7))
    many = connect(max_concurrency=3).segment_many(videos[:3], on_progress=steps.append, **CUT)
    found = [one.source async for one in many]
    assert found == [step.source for step in steps if step.stage == "ready"]


async def test_duplicate_video_in_a_list_creates_one_task(client: Surface, video_path: Path, sandbox: Sandbox) -> None:
    names = ["a", "b", "c", "d"]
    found = [one async for one in client.segment_many([Media.of(video_path, source=name) for name in names], **CUT)]
    assert sorted(one.source for one in found) == names
    assert (paid(sandbox), sandbox.count("POST", "/assets")) == (1, 1)


async def test_urls_that_may_differ_in_content_have_different_sources(
    client: Surface, video_path: Path, sandbox: Sandbox
) -> None:
    keys = ("4f9c2b1e7d8a55aa", "9d0e1f2a3b4c5d6e")
    with VideoServer(video_path) as server:
        urls = [server.url(f"get?key={key}") for key in keys]
        found = [one async for one in client.segment_many(urls, **CUT)]
        assert len({one.source for one in found}) == paid(sandbox) == 2
        assert not any(key in one.source for key in keys for one in found)
        signed = [server.url(f"get?X-Amz-Signature={key}") for key in keys]
        found = [one async for one in client.segment_many(signed, **CUT)]
        assert [one.source for one in found] == [server.url("get")] * 2
        assert paid(sandbox) == 3


async def test_more_tasks_may_be_waiting_than_requests_are_concurrent(connect: Connect, videos: list[Media]) -> None:
    with Sandbox(task_seconds=3600.0) as slow:
        client = connect(api_key=SecretStr(slow.api_key), base_url=slow.base_url, max_concurrency=2)

        async def all_of_them() -> list[str]:
            return [one.source async for one in client.segment_many(videos, max_tasks=12, **CUT)]

        def blocking() -> list[str]:
            return asyncio.run(all_of_them())

        run = asyncio.create_task(all_of_them() if client.is_async else asyncio.to_thread(blocking))
        for _ in range(1500):
            if slow.count("POST", TASKS, 202) == len(videos):  # existing tasks, not requests in flight
                break
            await asyncio.sleep(0.02)
        slow.clock.advance(3600)
        assert sorted(await asyncio.wait_for(run, 60)) == sorted(media.source for media in videos)
    with pytest.raises(InputError, match="max_tasks must be a whole number from 1, got 0"):
        client.segment_many(videos, max_tasks=0)


# Failures


async def test_failed_videos_do_not_stop_others_and_are_reported_together(
    client: Surface, videos: list[Media], media_folder: Path, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed", skip=1))
    media = [
        "missing.mp4",
        videos[0],
        media_folder / "short.mp4",
        "s3://bucket/key?Signature=5ecre7",
        videos[1],
        videos[2],
        7,
    ]
    found: list[str] = []
    with pytest.raises(IngestionError, match=r"5 of 7 sources failed") as caught:
        found.extend([one.source async for one in client.segment_many(media, **CUT)])
    assert caught.value.failures[0].reason in str(caught.value)
    reasons = {failure.source: (failure.reason, failure.task_id) for failure in caught.value.failures}
    assert reasons["missing.mp4"] == ("missing.mp4: no such file.", None)
    assert "at least 4 s" in reasons[(media_folder / "short.mp4").as_posix()][0]
    failed = [one for one in caught.value.failures if isinstance(one.error, TaskFailedError)]
    assert len(failed) == 1
    assert str(failed[0].task_id) in failed[0].reason
    assert len(caught.value.succeeded) == 2
    assert "5ecre7" not in str(caught.value) + repr(caught.value.failures)
    sandbox.clear_requests()
    again = [one async for one in client.segment_many(videos[:3], **CUT)]
    assert (len(again), paid(sandbox)) == (3, 1)


def test_few_media_start_few_threads(
    settings: Settings, videos: list[Media], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    start = threading.Thread.start

    def count(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", count)
    with Client(settings=settings, store=tmp_path / "s.sqlite3") as client:
        assert len(list(client.segment_many(videos[:3], max_tasks=500, **CUT))) == 3
    assert started.count("twelvelabs") <= 4  # one for each, and one that finds nothing to do


class OwnError(Exception):
    """An error that a file object raises, as clients of object stores do."""


class BrokenFile(io.BytesIO):
    """A file object with one operation that fails."""

    def __init__(self, data: bytes, operation: str) -> None:
        super().__init__(data)
        self.name = f"{operation}.mp4"
        self.operation = operation

    def fail(self, operation: str) -> None:
        if operation == self.operation:
            raise OwnError("https://bucket.example/key?X-Amz-Signature=5ecre7 timed out")

    def read(self, size: int | None = -1, /) -> bytes:
        self.fail("read")
        if self.tell() > 0:
            self.fail("later read")
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self.fail("read")
        if self.tell() > 0:
            self.fail("later read")
        return super().readinto(buffer)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.fail("seek")
        return super().seek(offset, whence)


@pytest.mark.parametrize("operation", ["read", "later read", "seek"])
async def test_error_of_a_file_object_is_the_failure_of_this_file(
    client: Surface, videos: list[Media], video_path: Path, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    media = [BrokenFile(content(video_path), operation), *videos[:2]]
    found = [one.source async for one in client.segment_many(media, on_error="skip", **CUT)]
    assert sorted(found) == ["video 0.mp4", "video 1.mp4"]
    assert "1 of 3 sources failed" in caplog.text
    assert "OwnError" in caplog.text
    assert "5ecre7" not in caplog.text


async def test_unexpected_error_is_the_failure_of_one_video(
    client: Surface, videos: list[Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = AsyncTasks.check

    def broken(self: AsyncTasks, media: Media, options: Any) -> None:
        if media.source == "video 1.mp4":
            raise OverflowError("int too large to convert to C long")
        check(self, media, options)

    monkeypatch.setattr(AsyncTasks, "check", broken)
    steps: list[Progress] = []
    with pytest.raises(IngestionError, match=r"video 1\.mp4: OverflowError: int too large") as caught:
        _ = [one async for one in client.segment_many(videos[:3], on_progress=steps.append, **CUT)]
    assert len(caught.value.succeeded) == 2
    assert isinstance(caught.value.failures[0].error.__cause__, OverflowError)
    assert ("video 1.mp4", "failed") in [(step.source, step.stage) for step in steps]
    with pytest.raises(TwelveLabsError, match="OverflowError: int too large"):
        _ = [one async for one in client.segment_many([videos[1]], **CUT)]


async def test_on_error_skip_logs_failures_and_continues(
    client: Surface, videos: list[Media], caplog: pytest.LogCaptureFixture
) -> None:
    media = ["missing.mp4", videos[0], "also missing.mp4"]
    found = [one.source async for one in client.segment_many(media, on_error="skip", **CUT)]
    assert found == ["video 0.mp4"]
    assert [record.levelname for record in caplog.records if "2 of 3 sources failed" in record.message] == ["WARNING"]
    assert "- missing.mp4: no such file." in caplog.text
    assert [one async for one in client.segment_many(["missing.mp4"], on_error="skip")] == []


async def test_on_error_callback_is_called_for_each_failure(client: Surface, videos: list[Media]) -> None:
    failures: list[Failure] = []
    media = ["missing.mp4", *videos[:2]]
    found = [one.source async for one in client.segment_many(media, on_error=failures.append, **CUT)]
    assert (len(found), [failure.source for failure in failures]) == (2, ["missing.mp4"])
    with pytest.raises(InputError, match="on_error must be 'raise', 'skip' or a function, got 'ignore'"):
        client.segment_many(media, on_error="ignore")


async def test_authentication_error_is_never_skipped(connect: Connect, videos: list[Media]) -> None:
    wrong = connect(api_key=SecretStr("tlk_sandbox_wrong"))
    with pytest.raises(AuthenticationError):
        _ = [one async for one in wrong.segment_many(videos, on_error="skip", **CUT)]


async def test_the_report_names_the_task_of_a_wait_that_failed(
    client: Surface, videos: list[Media], sandbox: Sandbox
) -> None:
    """The paid task continues at the server, so the report must contain its id."""
    sandbox.faults.add(Fault(path=f"{TASKS}/*", method="GET", status=403, times=1))
    with pytest.raises(IngestionError) as caught:
        _ = [one async for one in client.segment_many(videos[:2], **CUT)]
    (failure,) = caught.value.failures
    entry = next(task for task in [one async for one in client.tasks.list()] if task.id == failure.task_id)
    assert entry.status in ("processing", "ready")
    assert f"[task {failure.task_id}]" in str(caught.value)


async def test_results_are_yielded_before_the_error_report(client: Surface, videos: list[Media]) -> None:
    found: list[str] = []

    async def collect() -> None:
        async for one in client.segment_many(["missing.mp4", *videos[:2]], **CUT):
            found.append(one.source)  # noqa: PERF401  # keeps the results before the error

    with pytest.raises(IngestionError):
        await collect()
    assert len(found) == 2


async def test_single_failed_video_raises_its_own_error(client: Surface) -> None:
    with pytest.raises(InputError, match="no such file"):
        _ = [one async for one in client.segment_many(["missing.mp4"])]


async def test_authentication_error_stops_after_the_first_request(
    connect: Connect, videos: list[Media], sandbox: Sandbox
) -> None:
    client = connect(api_key=SecretStr("tlk_sandbox_wrong"), max_concurrency=2)
    with pytest.raises(AuthenticationError):
        _ = [one async for one in client.segment_many(videos, **CUT)]
    assert sandbox.count() <= 4


async def test_authentication_error_mentions_earlier_failures(
    connect: Connect, videos: list[Media], sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client, reported = connect(max_concurrency=1), list[Failure]()
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=401, skip=1, times=None))
    for on_error in ("raise", "skip", reported.append):
        with pytest.raises(AuthenticationError):
            _ = [
                one async for one in client.segment_many([tmp_path / "missing.mp4", *videos], on_error=on_error, **CUT)
            ]
        logged = [record.message for record in caplog.records if "missing.mp4" in record.message]
        caplog.clear()
        assert len(logged) == (0 if on_error == reported.append else 1)
    assert [failure.source for failure in reported] == [str(tmp_path / "missing.mp4")]


async def test_report_has_no_task_id_when_an_asset_was_awaited(connect: Connect, videos: list[Media]) -> None:
    with Sandbox(asset_seconds=3600.0) as slow:
        client = connect(api_key=SecretStr(slow.api_key), base_url=slow.base_url)
        with pytest.raises(IngestionError) as caught:
            _ = [one async for one in client.segment_many(videos[:2], timeout=3, **CUT)]
    assert "[task" not in str(caught.value)
    assert "is not ready after 3 s" in str(caught.value)
    for failure in pickle.loads(pickle.dumps(caught.value)).failures:  # noqa: S301
        assert isinstance(failure.error, TaskTimeoutError)
        assert failure.task_id is failure.error.task_id is None


async def test_error_of_the_callers_iterator_reaches_the_caller(client: Surface, videos: list[Media]) -> None:
    def broken() -> Iterator[Media]:
        yield videos[0]
        raise OwnError

    with pytest.raises(OwnError):
        _ = [one async for one in client.segment_many(broken(), **CUT)]


@pytest.mark.parametrize("bad", ["video.mp4", Path("video.mp4"), b"video", 7, None])
async def test_single_medium_is_refused_before_iteration(client: Surface, bad: Any) -> None:
    with pytest.raises(InputError, match="list"):
        client.segment_many(bad)


@pytest.mark.parametrize(
    "option", [{"input_type": "image"}, {"embedding_option": ["smell"]}, {"timeout": -1}, {"on_progress": 7}]
)
async def test_invalid_option_is_refused_before_iteration(
    client: Surface, video_path: Path, option: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=next(iter(option))):
        client.segment_many([video_path], **option)


# Bounds and stopping


@pytest.mark.parametrize("limit", [1, 3])
async def test_work_ahead_of_the_consumer_is_bounded(
    connect: Connect, videos: list[Media], sandbox: Sandbox, limit: int
) -> None:
    taken = 0

    def counted() -> Iterator[Media]:
        nonlocal taken
        for media in videos[:5]:
            taken += 1
            yield media

    consumed = 0
    async for _ in connect(max_concurrency=limit).segment_many(counted(), **CUT):
        consumed += 1
        await asyncio.sleep(0.3)  # the consumer waits; work ahead continues up to its bound
        assert taken < consumed + limit
        assert paid(sandbox) < consumed + limit
    assert consumed == 5


async def test_closing_the_iterator_stops_new_work(connect: Connect, videos: list[Media], sandbox: Sandbox) -> None:
    many = connect(max_concurrency=2).segment_many(videos, **CUT)
    await anext(aiter(many))
    await many.aclose()
    await asyncio.sleep(0.5)  # running requests end
    begun = paid(sandbox)
    assert begun <= 2
    sandbox.clear_requests()
    await asyncio.sleep(0.5)
    assert sandbox.count() == 0


async def test_unstarted_iterator_does_nothing(
    client: Surface, videos: list[Media], sandbox: Sandbox, recwarn: pytest.WarningsRecorder
) -> None:
    many = client.segment_many(videos, **CUT)
    await many.aclose()
    del many
    client.tasks.list()
    assert sandbox.count() == 0
    assert [str(one.message) for one in recwarn if issubclass(one.category, RuntimeWarning)] == []


async def test_a_report_names_each_source_once(client: Surface, tmp_path: Path) -> None:
    missing = [str(tmp_path / name) for name in ("one.mp4", "two.mp4")]
    with pytest.raises(IngestionError) as caught:
        [one async for one in client.segment_many(missing)]
    head, *lines = str(caught.value).splitlines()
    assert head == "2 of 2 sources failed:"
    assert sorted(lines) == [f"- {name}: no such file." for name in missing]
