"""A create call whose response was lost: its task is adopted from the server's list only if it is unambiguous."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.ingest.test_recovery import CUT, TASKS, paid, start_process, states, until
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from tests.sandbox.pdf import write_pdf
from twelvelabs_core import (
    APIConnectionError,
    APIResponseError,
    ConfigurationError,
    FixedSegmentation,
    SegmentStore,
    SequentialSegmentation,
    ServerError,
    SpatialSegmentation,
    TwelveLabsError,
)
from twelvelabs_core.store import owners
from twelvelabs_sandbox import Fault, Sandbox

SOON = 1.5  # client timeout in seconds; decides how long a lost create is searched for


@pytest.fixture
def client(connect: Connect) -> Surface:
    return connect(timeout=SOON)


@pytest.fixture
def video_server(video_path: Path) -> Iterator[VideoServer]:
    with VideoServer(video_path) as server:
        yield server


def listed(sandbox: Sandbox) -> int:
    return sandbox.count("GET", TASKS)


ANSWERS_LOST: dict[str, dict[str, Any]] = {
    "no answer": {"drop": "after"},
    "half an answer": {"drop": "mid"},
    "silence": {"slow": 60.0},
}


@pytest.mark.parametrize("case", ANSWERS_LOST)
async def test_task_whose_response_was_lost_is_adopted_in_the_same_call(
    client: Surface, sandbox: Sandbox, video_path: Path, case: str
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", **ANSWERS_LOST[case]))
    found = await client.segment_video(video_path, **CUT)
    assert found.segments.vectors.shape == (3, 512)
    assert paid(sandbox) == 1
    entry = client.store.find_task(found.task_key)
    assert (entry.state, entry.task_id, entry.attempts) == ("ready", found.task_id, 1)
    assert listed(sandbox) >= 1


NOTHING_CREATED: dict[str, tuple[dict[str, Any], type[TwelveLabsError]]] = {
    "lost request": ({"drop": "before"}, APIConnectionError),
    "server error": ({"status": 500}, ServerError),
    "gateway": ({"status": 504}, ServerError),
    "no id": ({"status": 202, "body": "{}"}, APIResponseError),
}


@pytest.mark.parametrize("case", NOTHING_CREATED)
async def test_unfound_task_is_created_again_by_the_next_run_with_a_warning(
    client: Surface, sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    fault, kind = NOTHING_CREATED[case]
    sandbox.faults.add(Fault(path=TASKS, method="POST", **fault))
    with pytest.raises(kind):
        await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), states(client)) == (1, {"intent": 1})
    found = await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)
    assert "a new task is paid for, perhaps the second" in caplog.text


async def test_unsent_create_is_not_searched_for(connect: Connect, sandbox: Sandbox, video_path: Path) -> None:
    client = connect(timeout=SOON, max_retries=0)
    await client.segment_video(video_path, segmentation=FixedSegmentation(8))  # uploads the asset
    before = listed(sandbox)
    nowhere = connect(base_url="http://127.0.0.1:9/v1.3", max_retries=0)
    with pytest.raises(APIConnectionError, match="cannot connect to"):
        await nowhere.segment_video("asset:64f8d2c7e4a1b37f8a9c5d12", **CUT)
    assert states(client) == {"ready": 1, "failed": 1}
    assert listed(sandbox) == before


async def test_next_run_adopts_the_task_of_a_run_killed_during_create(
    connect: Connect, sandbox: Sandbox, video_server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is still downloading the video when the next run lists the tasks."""
    monkeypatch.setattr(owners, "SILENT_AFTER_SEC", 0.0)
    client = connect(timeout=10.0)
    video_server.may_send.clear()
    process = start_process(sandbox, Path(client.store.location), video_server.url())
    try:
        await until(
            lambda: states(client) == {"intent": 1} and video_server.count("HEAD") == paid(sandbox) == 1, process
        )
    finally:
        process.kill()
        process.wait()
    call = client.start("segment_video", video_server.url(), **CUT)
    while listed(sandbox) < 2 and not call.done():  # noqa: ASYNC110  # the server has no event to wait for
        await asyncio.sleep(0.02)
    video_server.may_send.set()
    found = await call
    assert found.segments.vectors.shape == (3, 512)
    assert (paid(sandbox), found.attempts) == (1, 1)
    assert listed(sandbox) > 1


async def test_lost_task_of_a_url_is_adopted(client: Surface, sandbox: Sandbox, video_server: VideoServer) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(video_server.url("video.mp4?X-Amz-Signature=abc"), **CUT)
    assert (paid(sandbox), found.attempts) == (1, 1)


async def test_ambiguous_candidates_are_not_adopted(
    client: Surface, connect: Connect, sandbox: Sandbox, video_server: VideoServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = video_server.url("video.mp4")
    other = connect(store=":memory:")
    await other.segment_video(url, **CUT)  # the same video and options in another journal
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    with pytest.raises(APIConnectionError):
        await client.segment_video(url, **CUT)
    assert states(client) == {"intent": 1}
    await client.segment_video(url, **CUT)
    assert paid(sandbox) == 3
    assert "perhaps the second" in caplog.text


async def test_tasks_of_one_video_are_distinguished_by_their_options(
    client: Surface, connect: Connect, sandbox: Sandbox, video_server: VideoServer
) -> None:
    url = video_server.url("video.mp4")
    other = connect(store=":memory:")
    await other.segment_video(url, segmentation=FixedSegmentation(8), embedding_option=["visual"])
    await other.segment_video(url, segmentation=FixedSegmentation(4), embedding_option=["audio"])
    await other.segment_video(url, segmentation=FixedSegmentation(4), embedding_scope=["clip"])
    await other.segment_video(url, embedding_option=["visual"])
    await other.segment_video(video_server.url("other.mp4"), **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(url, **CUT)
    assert (paid(sandbox), found.attempts) == (6, 1)
    assert [position.end_sec for position in found.segments.select(embedding_scope="clip").positions] == [4.0, 8.0]


async def test_uploads_of_other_journals_are_not_adopted(
    client: Surface, connect: Connect, sandbox: Sandbox, video_path: Path
) -> None:
    await connect(store=":memory:").segment_video(video_path, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500))
    with pytest.raises(ServerError):
        await client.segment_video(video_path, **CUT)
    found = await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), found.attempts) == (3, 2)


async def test_indistinguishable_lost_tasks_are_not_adopted(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    """The list does not show the start of an embedded range."""
    parts = [{**CUT, "start_sec": 0.0, "end_sec": 4.0}, {**CUT, "start_sec": 4.0, "end_sec": 8.0}]
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500), Fault(path=TASKS, method="POST", drop="after"))
    for part in parts:
        with pytest.raises(TwelveLabsError):
            await client.segment_video(video_path, **part)
    assert states(client) == {"intent": 2}
    for part in parts:
        found = await client.segment_video(video_path, **part)
        clip = found.segments.select(embedding_scope="clip").positions[0]
        assert (clip.start_sec, clip.end_sec) == (part["start_sec"], part["end_sec"])


async def test_lost_window_is_adopted_although_another_window_needed_two_attempts(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    """An entry that has its own task, and was begun before, cannot have created this one."""
    windows = [{**CUT, "start_sec": start, "end_sec": start + 4.0} for start in (0.0, 4.0)]
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await client.segment_video(video_path, **windows[0])
    assert (await client.segment_video(video_path, **windows[0])).attempts == 2
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(video_path, **windows[1])
    assert found.segments.select(embedding_scope="clip").positions[0].start_sec == 4.0
    assert (paid(sandbox), found.attempts) == (3, 1)


DOCUMENTS: dict[str, dict[str, Any]] = {
    "plan.pdf": {"segmentation": SpatialSegmentation("quadrants")},
    "note.txt": {"segmentation": SequentialSegmentation(2)},
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_lost_document_task_is_adopted(connect: Connect, sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    client = connect(model="marengo3.5", timeout=SOON)
    path = tmp_path / name
    if name.endswith("pdf"):
        write_pdf(path, [[(20, 150, "red stripes")], [(20, 40, "blue house")]])
    else:
        path.write_text("A red car. A blue house. Loud noise. The end.")
    await client.segment_document(path)  # with other options
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_document(path, **DOCUMENTS[name])
    assert (paid(sandbox), found.attempts) == (2, 1)
    assert len(found.segments) == {"plan.pdf": 10, "note.txt": 2}[name]


HIDDEN: dict[str, dict[str, Any]] = {
    "start": {"start_sec": 4.0},
    "end": {"end_sec": 4.0},
    "fused": {"embedding_type": ["fused_embedding"], "embedding_option": ["visual", "audio"]},
}


@pytest.mark.parametrize("case", HIDDEN)
async def test_a_task_of_a_url_is_not_adopted_when_the_list_hides_an_option(
    client: Surface, sandbox: Sandbox, video_server: VideoServer, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    options = {**CUT, **HIDDEN[case]}
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    with pytest.raises(APIConnectionError):
        await client.segment_video(video_server.url("video.mp4"), **options)
    found = await client.segment_video(video_server.url("video.mp4"), **options)
    assert (paid(sandbox), found.attempts) == (2, 2)
    assert "a new task is paid for, perhaps the second" in caplog.text


async def test_an_adopted_task_with_clips_of_another_length_is_not_stored(
    client: Surface, connect: Connect, sandbox: Sandbox, sound: Path
) -> None:
    """The list does not show the length of audio clips; the result does."""
    with VideoServer(sound) as server:
        url = server.url("talk.wav")
        await connect(store=":memory:").segment_audio(url, segmentation=FixedSegmentation(2))
        sandbox.faults.add(Fault(path=TASKS, method="POST", status=500))
        with pytest.raises(APIResponseError, match="has clips of another length than requested"):
            await client.segment_audio(url, segmentation=FixedSegmentation(4))
        assert states(client) == {"failed": 1}
        found = await client.segment_audio(url, segmentation=FixedSegmentation(4))
    assert (paid(sandbox), found.attempts) == (3, 2)
    assert {s.end_sec - s.start_sec for s in found.segments.select(embedding_scope="clip")} == {4.0}


async def test_task_with_options_that_cannot_be_verified_is_not_adopted(
    connect: Connect, sandbox: Sandbox, video_server: VideoServer
) -> None:
    options: dict[str, Any] = {"embedding_type": ["fused_embedding"], "embedding_scope": ["clip"]}
    ours, theirs = (
        {**options, "time_based_metadata": [{"start": 0.0, "end": 8.0, "text": text}]}
        for text in ("wedding", "kick-off")
    )
    url = video_server.url("video.mp4")
    await connect(store=":memory:", model="marengo3.5").segment_video(url, **theirs)
    client = connect(timeout=SOON, model="marengo3.5")
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    with pytest.raises(APIConnectionError):
        await client.segment_video(url, **ours)
    assert (await client.segment_video(url, **ours)).attempts == 2
    assert (paid(sandbox), listed(sandbox)) == (3, 0)


async def test_tasks_created_before_the_intent_are_not_adopted(
    client: Surface, connect: Connect, sandbox: Sandbox, video_server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twelvelabs_core.ingest.recovery.CLOCK_MARGIN", -2.0)
    url = video_server.url("video.mp4")
    await connect(store=":memory:").segment_video(url, **CUT)
    await asyncio.sleep(2.1)  # the server reports whole seconds
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500))
    with pytest.raises(ServerError):
        await client.segment_video(url, **CUT)
    assert states(client) == {"intent": 1}


async def test_clock_set_back_does_not_block_the_next_run(
    client: Surface, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500))
    monkeypatch.setattr("twelvelabs_core.store.journal.time", SimpleNamespace(time=lambda: time.time() + 1e6))
    with pytest.raises(ServerError):
        await client.segment_video(video_path, timeout=5, **CUT)
    monkeypatch.undo()
    assert states(client) == {"intent": 1}
    found = await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)


async def test_failed_write_of_a_task_id_is_retried(
    client: Surface, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_for(monkeypatch, times=2)
    found = await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), found.attempts) == (1, 1)


async def test_task_id_that_cannot_be_written_is_logged_and_the_task_adopted_later(
    client: Surface,
    sandbox: Sandbox,
    video_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails_for(monkeypatch, times=3)
    with pytest.raises(ConfigurationError, match="locked") as caught:
        await client.segment_video(video_path, **CUT)
    assert str(caught.value.task_id) in caplog.text
    assert states(client) == {"intent": 1}
    found = await client.segment_video(video_path, **CUT)
    assert (found.task_id, paid(sandbox)) == (caught.value.task_id, 1)


def fails_for(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    left = [ConfigurationError("the segment store is locked")] * times
    put_task_id = SegmentStore.put_task_id

    def put(self: SegmentStore, key: str, task_id: str) -> None:
        if left:
            raise left.pop()
        put_task_id(self, key, task_id)

    monkeypatch.setattr(SegmentStore, "put_task_id", put)


async def test_failed_task_in_the_list_is_not_adopted(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await client.segment_video(video_path, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)


async def test_failing_list_prevents_adoption(
    client: Surface, sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(
        Fault(path=TASKS, method="POST", drop="after"), Fault(path=TASKS, method="GET", status=400, times=2)
    )
    with pytest.raises(APIConnectionError):
        await client.segment_video(video_path, **CUT)
    found = await client.segment_video(video_path, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)
    assert "failed to list tasks" in caplog.text


async def test_unavailable_list_raises_without_payment(connect: Connect, sandbox: Sandbox, video_path: Path) -> None:
    client = connect(timeout=SOON, max_retries=0)
    sandbox.faults.add(
        Fault(path=TASKS, method="POST", drop="after"), Fault(path=TASKS, method="GET", status=503, times=2)
    )
    for _ in range(2):
        with pytest.raises(TwelveLabsError):
            await client.segment_video(video_path, **CUT)
        assert (paid(sandbox), states(client)) == (1, {"intent": 1})
    assert (await client.segment_video(video_path, **CUT)).attempts == 1
    assert paid(sandbox) == 1


async def test_task_of_a_caller_owned_asset_is_not_adopted(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    asset = await client.assets.create(video_path)
    await client.assets.wait(asset.id)
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    with pytest.raises(APIConnectionError):
        await client.segment_video(f"asset:{asset.id}", **CUT)
    assert (await client.segment_video(f"asset:{asset.id}", **CUT)).attempts == 2
    assert paid(sandbox) == 2


async def test_intent_of_another_account_is_not_adopted(
    connect: Connect, sandbox: Sandbox, video_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Sandbox() as other:
        first = connect(api_key=SecretStr(other.api_key), base_url=other.base_url, timeout=SOON, max_retries=0)
        other.faults.add(Fault(path=TASKS, method="POST", drop="after"), Fault(path=TASKS, method="GET", status=503))
        with pytest.raises(TwelveLabsError):
            await first.segment_video(video_path, **CUT)
    second = connect(timeout=SOON)
    assert (await second.segment_video(video_path, **CUT)).attempts == 2
    assert listed(sandbox) >= 1  # another key might belong to the same organisation
    assert "perhaps the second" in caplog.text


async def test_marked_upload_name_keeps_its_suffix_and_maximum_length(
    client: Surface, sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(video_path, tmp_path / f"{'long' * 60}.mp4"))
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(path, **CUT)
    assert (paid(sandbox), found.title) == (1, path.name)
    names = [asset.filename async for asset in client.assets.list(filename="longlong")]
    assert [len(name) <= 255 and name.endswith(".mp4") for name in names[:1]] == [True]


def test_a_journal_keeps_its_name(client: Surface, tmp_path: Path) -> None:
    store = client.store
    name = store.journal_name
    for number in range(20):
        path = tmp_path / f"{number}.sqlite3"
        new = SegmentStore(path)
        with ThreadPoolExecutor(8) as pool:  # half of them through a separate object
            names = set(pool.map(lambda each: (SegmentStore(path) if each % 2 else new).journal_name, range(8)))  # noqa: B023
        assert len(names) == 1
        assert not names & {name, "None"}
    assert store.journal_name == name
