"""After a failure at any step nothing is lost: the next run resumes from the journal."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    AsyncClient,
    AuthenticationError,
    ConfigurationError,
    FixedSegmentation,
    InputError,
    NotFoundError,
    Progress,
    RateLimitError,
    SegmentStore,
    Settings,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.transport.rate_limit import reset_rate_limits
from twelvelabs_sandbox import Fault, Sandbox

TASKS = "/embed-v2/tasks"
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}
WEEK = 8 * 86_400.0


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


def states(client: Surface) -> dict[str, int]:
    return dict(client.store.info().tasks)


class Interrupted(Exception):  # noqa: N818  # not an error of the package
    """Raised by `interrupt` when the task has been created; its argument is the task id."""


def interrupt(step: Progress) -> None:
    """Interrupt a call as soon as its task is created and in the journal."""
    if step.stage == "processing":
        raise Interrupted(step.task_id)


@pytest.fixture
def slow_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox whose tasks take an hour on its clock."""
    with Sandbox(task_seconds=3600.0, **getattr(request, "param", {})) as sandbox:
        yield sandbox


@pytest.fixture
def patient(connect: Connect, slow_sandbox: Sandbox) -> Callable[[], Surface]:
    """Make clients of the slow sandbox that share one segment store."""
    key = SecretStr(slow_sandbox.api_key)
    return lambda: connect(api_key=key, base_url=slow_sandbox.base_url)


# Errors of the API


async def test_run_continues_with_a_valid_key_after_an_invalid_one(
    connect: Connect, sandbox: Sandbox, video_path: Path
) -> None:
    wrong = connect(api_key=SecretStr("tlk_sandbox_wrong"))
    with pytest.raises(AuthenticationError, match="Check the API key") as caught:
        await wrong.segment_video(video_path, **CUT)
    assert "tlk_sandbox_wrong" not in str(caught.value)
    assert states(wrong) == {}
    assert (await connect().segment_video(video_path, **CUT)).segments.vectors.shape == (3, 512)
    assert paid(sandbox) == 1


@pytest.mark.parametrize("kind", ["file", "url", "asset"])
async def test_wrong_key_during_a_task_keeps_the_task(
    patient: Callable[[], Surface], connect: Connect, slow_sandbox: Sandbox, video_path: Path, kind: str
) -> None:
    with VideoServer(video_path) as server:
        video: Any = {"file": video_path, "url": server.url("film.mp4")}.get(kind)
        if kind == "asset":
            asset = await patient().assets.create(video_path)
            await patient().assets.wait(asset.id)
            video = f"asset:{asset.id}"
        with pytest.raises(Interrupted) as caught:
            await patient().segment_video(video, on_progress=interrupt, **CUT)
        wrong = connect(api_key=SecretStr("tlk_sandbox_wrong"), base_url=slow_sandbox.base_url)
        with pytest.raises(AuthenticationError):
            await wrong.segment_video(video, **CUT)
        assert states(patient()) == {"processing": 1}
        slow_sandbox.clock.advance(3601)
        found = await patient().segment_video(video, **CUT)
    assert (found.task_id, found.attempts) == (str(caught.value), 1)
    assert paid(slow_sandbox) == 1


async def test_refused_create_of_another_account_keeps_the_task(
    connect: Connect, slow_sandbox: Sandbox, sandbox: Sandbox, video_path: Path
) -> None:
    first = connect(api_key=SecretStr(slow_sandbox.api_key), base_url=slow_sandbox.base_url)
    with pytest.raises(Interrupted) as caught:
        await first.segment_video(video_path, on_progress=interrupt, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=400))
    with pytest.raises(APIStatusError):
        await connect().segment_video(video_path, **CUT)
    slow_sandbox.clock.advance(3601)
    found = await first.segment_video(video_path, **CUT)
    assert (found.task_id, found.attempts) == (str(caught.value), 1)
    assert (paid(slow_sandbox), paid(sandbox)) == (1, 1)


async def test_failed_intent_releases_its_permit(
    connect: Connect, video_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(max_concurrent_requests=1)
    with monkeypatch.context() as patch:

        def fail(*_: Any, **__: Any) -> bool:
            raise ConfigurationError("the disk is full")

        patch.setattr(SegmentStore, "put_intent", fail)
        for _ in range(2):
            with pytest.raises(ConfigurationError):
                await asyncio.wait_for(client.start("segment_video", video_path, **CUT), 10)
    assert not (await asyncio.wait_for(client.start("segment_audio", sound), 10)).reused


async def test_run_continues_after_an_unreachable_server(connect: Connect, sandbox: Sandbox, video_path: Path) -> None:
    nowhere = connect(base_url="http://127.0.0.1:9/v1.3", max_retries=0)
    with pytest.raises(APIConnectionError, match="cannot connect to"):
        await nowhere.segment_video(video_path, **CUT)
    assert not (await connect().segment_video(video_path, **CUT)).reused
    assert paid(sandbox) == 1


async def test_failed_task_is_created_again_only_by_the_next_run(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    with pytest.raises(TaskFailedError) as caught:
        await client.segment_video(video_path, **CUT)
    assert states(client) == {"failed": 1}
    assert paid(sandbox) == 1
    again = await client.segment_video(video_path, **CUT)
    entry = client.store.find_task(again.task_key)
    assert (entry.state, entry.attempts, entry.task_id) == ("ready", 2, again.task_id)
    assert again.task_id != caught.value.task_id
    assert (paid(sandbox), sandbox.count("POST", "/assets")) == (2, 1)


REFUSED_CREATES: dict[str, tuple[dict[str, Any], type[TwelveLabsError]]] = {
    "refused": ({"status": 400}, APIStatusError),
    "too many": ({"status": 429, "headers": {"Retry-After": "3600"}}, RateLimitError),
}


@pytest.mark.parametrize("case", REFUSED_CREATES)
async def test_refused_create_is_not_searched_for_in_the_list(
    connect: Connect, sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    client = connect()
    fault, kind = REFUSED_CREATES[case]
    sandbox.faults.add(Fault(path=TASKS, method="POST", **fault))
    with pytest.raises(kind):
        await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), states(client)) == (1, {"failed": 1})
    reset_rate_limits()  # one of the faults demands a wait of an hour
    client = connect()
    found = await client.segment_video(video_path, **CUT)
    assert found.segments.vectors.shape == (3, 512)
    assert (paid(sandbox), sandbox.count("GET", TASKS)) == (2, 0)
    assert "is paid for" not in caplog.text  # no task was paid before


async def test_interrupted_upload_creates_no_task(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    for fault in ({"drop": "before"}, {"drop": "after"}, {"status": 500}):
        sandbox.faults.add(Fault(path="/assets", method="POST", times=None, **fault))
        with pytest.raises(TwelveLabsError, match="could not upload"):
            await client.segment_video(video_path, **CUT)
        assert states(client) == {}
        sandbox.clear_faults()
    assert not (await client.segment_video(video_path, **CUT)).reused
    assert paid(sandbox) == 1


async def test_failed_or_stuck_asset_creates_no_task(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path="/assets", asset="failed"), Fault(path="/assets", asset="stuck"))
    with pytest.raises(TaskFailedError, match=r"asset .* failed"):
        await client.segment_video(video_path, **CUT)
    with pytest.raises(TaskTimeoutError, match="is not ready after 3 s"):
        await client.segment_video(video_path, timeout=3, **CUT)
    assert (paid(sandbox), states(client)) == (0, {})
    assert not (await client.segment_video(video_path, **CUT)).reused


async def test_a_deleted_asset_is_uploaded_again(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    await client.segment_video(video_path, **CUT)
    async for asset in client.assets.list(filename="video."):
        await client.assets.delete(asset.id, force=True)
    await client.segment_video(video_path, segmentation=FixedSegmentation(8))
    assert (paid(sandbox), sandbox.count("POST", "/assets")) == (2, 2)


async def test_failed_poll_does_not_lose_the_task(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path=f"{TASKS}/*", method="GET", status=401))
    with pytest.raises(AuthenticationError):
        await client.segment_video(video_path, **CUT)
    assert states(client) == {"processing": 1}
    assert (await client.segment_video(video_path, **CUT)).reused
    assert paid(sandbox) == 1


BROKEN_RESULTS = {
    "cut off": "{",
    "no numbers": '{"_id": "ID", "status": "ready", "data": [{"embedding": [1, null]}]}',
    "another dimension": '{"_id": "ID", "status": "ready", "data": [{"embedding": [1, 2]}]}',
    "another task": '{"_id": "64f8d2c7e4a1b37f8a9c5d12", "status": "ready", "data": []}',
}


@pytest.mark.parametrize("case", BROKEN_RESULTS)
async def test_malformed_result_is_not_stored_and_retrieved_again(
    client: Surface, sandbox: Sandbox, video_path: Path, case: str
) -> None:
    with pytest.raises(Interrupted) as caught:
        await client.segment_video(video_path, on_progress=interrupt, **CUT)
    body = BROKEN_RESULTS[case].replace("ID", str(caught.value))
    sandbox.faults.add(Fault(path=f"{TASKS}/*", method="GET", status=200, body=body))
    with pytest.raises(APIResponseError):
        await client.segment_video(video_path, **CUT)
    assert states(client) == {"processing": 1}
    assert (await client.segment_video(video_path, **CUT)).segments.vectors.shape == (3, 512)
    assert paid(sandbox) == 1


# Timeouts and expiry


async def test_next_run_resumes_waiting_after_a_timeout(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path
) -> None:
    with pytest.raises(TaskTimeoutError, match="nothing is paid twice") as caught:
        await patient().segment_video(video_path, timeout=4, **CUT)
    slow_sandbox.clock.advance(3601)
    found = await patient().segment_video(video_path, **CUT)
    assert found.task_id == caught.value.task_id
    assert paid(slow_sandbox) == 1
    assert slow_sandbox.count("POST", "/assets") == 1


@pytest.mark.parametrize(
    "slow_sandbox", [{"expired_as": "not_found"}, {"expired_as": "failed"}], indirect=True, ids=["not_found", "failed"]
)
async def test_expired_task_is_created_again_in_the_same_run(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Interrupted) as caught:
        await patient().segment_video(video_path, on_progress=interrupt, **CUT)
    slow_sandbox.clock.advance(WEEK)
    client = patient()
    with pytest.raises(TaskTimeoutError) as second:
        await client.segment_video(video_path, timeout=4, **CUT)
    assert second.value.task_id != str(caught.value)
    assert "expired" in caplog.text
    slow_sandbox.clock.advance(3601)
    found = await client.segment_video(video_path, **CUT)
    assert found.task_id == second.value.task_id
    assert paid(slow_sandbox) == 2


async def test_other_account_creates_its_own_task(
    connect: Connect, slow_sandbox: Sandbox, sandbox: Sandbox, video_path: Path
) -> None:
    first = connect(api_key=SecretStr(slow_sandbox.api_key), base_url=slow_sandbox.base_url)
    with pytest.raises(Interrupted):
        await first.segment_video(video_path, on_progress=interrupt, **CUT)
    assert not (await connect().segment_video(video_path, **CUT)).reused  # another sandbox has another key
    assert (paid(slow_sandbox), paid(sandbox)) == (1, 1)
    assert (await first.segment_video(video_path, **CUT)).reused


async def test_404_before_expiry_raises_and_keeps_the_task(
    patient: Callable[[], Surface], connect: Connect, slow_sandbox: Sandbox, video_path: Path
) -> None:
    with pytest.raises(Interrupted):
        await patient().segment_video(video_path, on_progress=interrupt, **CUT)
    elsewhere = slow_sandbox.base_url.replace("v1.3", "v1.2")
    with pytest.raises(NotFoundError):
        await connect(api_key=SecretStr(slow_sandbox.api_key), base_url=elsewhere).segment_video(video_path, **CUT)
    assert states(patient()) == {"processing": 1}
    slow_sandbox.faults.add(Fault(path=f"{TASKS}/*", method="GET", status=404))  # as from a stale replica
    with pytest.raises(NotFoundError) as caught:
        await patient().segment_video(video_path, **CUT)
    assert caught.value.task_id
    slow_sandbox.clock.advance(3601)
    assert (await patient().segment_video(video_path, **CUT)).reused
    assert paid(slow_sandbox) == 1


async def test_other_key_of_the_same_organisation_resumes_a_task(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path
) -> None:
    with pytest.raises(Interrupted):
        await patient().segment_video(video_path, on_progress=interrupt, **CUT)
    with closing(sqlite3.connect(patient().store.location)) as journal, journal:
        journal.execute("UPDATE twelvelabs_tasks SET account = 'that of an older key'")
    slow_sandbox.clock.advance(3601)
    assert (await patient().segment_video(video_path, **CUT)).reused
    assert paid(slow_sandbox) == 1


async def test_failed_deletion_of_an_upload_keeps_the_segments(
    client: Surface, sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(Fault(path="/assets/*", method="DELETE", status=409))
    found = await client.segment_video(video_path, keep_asset=False, **CUT)
    assert found.segments.vectors.shape == (3, 512)
    assert "failed to delete the uploaded asset" in caplog.text


async def test_cancelling_a_rate_limited_create_creates_no_task(
    settings: Settings, sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=429, headers={"Retry-After": "30"}, times=None))
    async with AsyncClient(settings=settings.replace(max_retry_wait=60.0), store=tmp_path / "s.sqlite3") as client:
        run = asyncio.create_task(client.segment_video(video_path, **CUT))
        while not paid(sandbox):  # noqa: ASYNC110  # the server has no event to wait for
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        run.cancel()
        done, _ = await asyncio.wait([run], timeout=10)
        assert done
        sandbox.clear_faults()
        await asyncio.sleep(0.2)
        assert sandbox.count("POST", TASKS, 202) == 0


# Concurrent calls


async def test_concurrent_calls_create_one_task(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    both = [client.start("segment_video", video_path, **CUT) for _ in range(3)]
    found = await asyncio.gather(*both)
    assert sorted(one.reused for one in found) == [False, True, True]
    assert (paid(sandbox), sandbox.count("POST", "/assets")) == (1, 1)


async def test_waiting_for_another_call_ends_at_its_own_timeout(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path
) -> None:
    client = patient()
    holder = client.start("segment_video", video_path, timeout=60, **CUT)
    while not paid(slow_sandbox):  # noqa: ASYNC110  # the server has no event to wait for
        await asyncio.sleep(0.02)
    waiting = [client.start("segment_video", video_path, timeout=0.3, **CUT) for _ in range(2)]
    for error in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(error, TaskTimeoutError)
    assert not holder.done()
    slow_sandbox.clock.advance(3601)
    assert not (await holder).reused
    assert paid(slow_sandbox) == 1


async def test_timed_out_call_does_not_block_the_next(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path
) -> None:
    client = patient()
    with pytest.raises(Interrupted):
        await client.segment_video(video_path, on_progress=interrupt, **CUT)
    slow_sandbox.clock.advance(3601)
    assert (await client.segment_video(video_path, timeout=10, **CUT)).segments.vectors.shape == (3, 512)


# Processes


def start_process(sandbox: Sandbox, store: Path, video_path: Path | str) -> "subprocess.Popen[bytes]":
    script = """
        import sys
        from twelvelabs_core import Client, FixedSegmentation
        key, base_url, store, video = sys.argv[1:]
        client = Client(key, base_url=base_url, store=store)
        client.segment_video(video, segmentation=FixedSegmentation(4), embedding_option=["visual"])
    """
    arguments = [sandbox.api_key, sandbox.base_url, str(store), str(video_path)]
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), *arguments])


async def until(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    for _ in range(1500):
        if condition():
            return
        assert process.poll() is None, "the process ended by itself"
        await asyncio.sleep(0.02)
    raise AssertionError("the condition was not met within 30 s")


async def test_next_process_resumes_after_a_kill_during_a_wait(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path
) -> None:
    client = patient()
    store = Path(client.store.location)
    process = start_process(slow_sandbox, store, video_path)
    try:
        await until(lambda: states(client) == {"processing": 1}, process)
    finally:
        process.kill()
        process.wait()
    slow_sandbox.clock.advance(3601)
    assert (await client.segment_video(video_path, **CUT)).reused
    assert (paid(slow_sandbox), slow_sandbox.count("POST", "/assets")) == (1, 1)


async def test_two_processes_create_one_task(
    patient: Callable[[], Surface], slow_sandbox: Sandbox, video_path: Path
) -> None:
    client = patient()
    process = start_process(slow_sandbox, Path(client.store.location), video_path)
    try:
        await until(lambda: states(client) == {"processing": 1}, process)
        ours = client.start("segment_video", video_path, timeout=60, **CUT)
        await asyncio.sleep(0.2)
        slow_sandbox.clock.advance(3601)
        assert (await ours).reused
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
    assert paid(slow_sandbox) == 1


# Files that change


async def test_file_replaced_during_its_upload_is_not_stored(
    client: Surface, sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(video_path, tmp_path / "video.mp4"))
    replaced = bytearray(video_path.read_bytes())  # noqa: ASYNC240
    replaced[-1] ^= 1

    def replace(step: Any) -> None:
        if step.stage == "uploading":
            path.write_bytes(replaced)

    with pytest.raises(InputError, match="changed during its upload"):
        await client.segment_video(path, on_progress=replace, **CUT)
    assert (paid(sandbox), states(client)) == (0, {})


@pytest.mark.skipif(os.name != "posix", reason="file names are always text on other systems")
async def test_video_with_undecodable_file_name_is_embedded(client: Surface, video_path: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(video_path, path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    found = await client.segment_video(path, **CUT)
    assert found.title == r"caf\xe9.mp4"
    records = await client.register(found)
    assert records[0].text(with_reference=True).encode()
    assert (await client.segment_video(path, **CUT)).reused
