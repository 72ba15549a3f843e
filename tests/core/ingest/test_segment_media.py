"""Each item is paid for once: what counts as the same work, and what is returned."""

import copy
import itertools
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    BadRequestError,
    FixedSegmentation,
    InputError,
    Media,
    Progress,
    SegmentedMedia,
    SegmentNotFoundError,
    SegmentPosition,
    Segments,
    SegmentStore,
    TaskFailedError,
    TwelveLabsError,
)
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

TASKS = "/embed-v2/tasks"
CUT = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


async def test_segment_video_returns_segments_and_properties(
    client: Surface, video_path: Path, sandbox: Sandbox
) -> None:
    found = await client.segment_video(video_path, **CUT)
    assert isinstance(found, SegmentedMedia)
    assert (found.source, found.title) == (video_path.as_posix(), "video.mp4")
    assert (found.model, found.space) == ("marengo3.0", "sandbox/marengo3.0/512") == (client.model, client.space)
    assert found.duration_sec == pytest.approx(8, abs=0.3)
    assert [(s.start_sec, s.embedding_scope) for s in found.segments] == [(0, "clip"), (4, "clip"), (0, "asset")]
    assert found.segments.vectors.shape == (3, 512)
    assert not found.reused
    task = await client.tasks.retrieve(found.task_id)
    assert task.segments == found.segments
    assert paid(sandbox) == 1


async def test_the_second_run_sends_nothing(connect: Connect, video_path: Path, sandbox: Sandbox) -> None:
    first = await connect().segment_video(video_path, **CUT)
    sandbox.clear_requests()
    second = await connect().segment_video(video_path, **CUT)
    assert sandbox.count() == 0
    assert second.reused
    assert (second.segments, second.duration_sec) == (first.segments, first.duration_sec)
    assert [r.segment_id for r in second.records()] == [r.segment_id for r in first.records()]


async def test_audio_is_paid_once(client: Surface, sound: Path, sandbox: Sandbox) -> None:
    first = await client.segment_audio(sound, embedding_option=["audio"], embedding_scope=["clip"])
    assert [(s.start_sec, s.embedding_option) for s in first.segments] == [(0, "audio"), (6, "audio")]
    assert (await client.segment_audio(content(sound), embedding_option=["audio"], embedding_scope=["clip"])).reused
    assert paid(sandbox) == 1


async def test_renamed_file_is_the_same_work_under_another_source(
    client: Surface, video_path: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    twin = Path(shutil.copy(video_path, tmp_path / "copy.mp4"))
    first = await client.segment_video(video_path, **CUT)
    sandbox.clear_requests()
    given: list[Any] = [twin, content(video_path), Media.of(video_path, source="cam-7/monday"), video_path.open("rb")]
    found = [await client.segment_video(value, **CUT) for value in given]
    assert sandbox.count() == 0
    assert [one.source for one in found[:3]] == [twin.as_posix(), Media.of(content(video_path)).source, "cam-7/monday"]
    assert all(one.segments == first.segments for one in found)
    assert len({one.records()[0].segment_id for one in [first, *found[:3]]}) == 4
    given[3].close()


async def test_a_changed_file_is_new_work(client: Surface, video_path: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    path = Path(shutil.copy(video_path, tmp_path / "video.mp4"))
    first = await client.segment_video(path, **CUT)
    with path.open("ab") as stream:  # noqa: ASYNC230
        stream.write(b"\x00\x00\x00\x08free")
    second = await client.segment_video(path, **CUT)
    assert not second.reused
    assert paid(sandbox) == 2
    assert first.records()[0].segment_id != second.records()[0].segment_id
    shutil.copy(video_path, path)
    assert (await client.segment_video(path, **CUT)).reused


async def test_a_file_is_read_again_only_when_it_may_have_changed(
    connect: Connect, video_path: Path, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(video_path, tmp_path / "video.mp4"))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    await connect().segment_video(path, **CUT)
    read: list[Media] = []
    digest = Media.sha256

    def noted(media: Media) -> str:
        read.append(media)
        return digest(media)

    monkeypatch.setattr(Media, "sha256", noted)
    assert (await connect().segment_video(path, **CUT)).reused
    assert read == []
    os.utime(path, (1_700_000_001, 1_700_000_001))
    assert (await connect().segment_video(path, **CUT)).reused
    assert len(read) == 1
    assert paid(sandbox) == 1


async def test_different_options_are_new_work_and_equivalent_spellings_are_not(
    client: Surface, video_path: Path, sandbox: Sandbox
) -> None:
    await client.segment_video(video_path, **CUT)
    same = {"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 4}}, "start_sec": 0}
    assert (await client.segment_video(video_path, embedding_option=("visual",), **same)).reused
    assert paid(sandbox) == 1
    other = await client.segment_video(video_path, **CUT, start_sec=4)
    assert [s.start_sec for s in other.segments] == [4, 4]
    assert paid(sandbox) == 2
    assert sandbox.count("POST", "/assets") == 1  # one upload for both tasks


async def test_a_store_in_memory_serves_one_client(connect: Connect, video_path: Path, sandbox: Sandbox) -> None:
    client = connect(store=":memory:")
    await client.segment_video(video_path, **CUT)
    assert (await client.segment_video(video_path, **CUT)).reused
    assert not (await connect(store=":memory:").segment_video(video_path, **CUT)).reused
    assert paid(sandbox) == 2


async def test_all_threads_of_a_client_share_one_store(
    connect: Connect, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowStore(SegmentStore):
        """A store whose creation is slow, so that all threads try to create it."""

        made = itertools.count()

        def __init__(self, *args: Any) -> None:
            time.sleep(0.1 + 0.1 * next(self.made))
            super().__init__(*args)

    monkeypatch.setattr("twelvelabs_core.store.store.SegmentStore", SlowStore)
    monkeypatch.setenv("TWELVELABS_STORE", ":memory:")
    client = connect(store=None)
    found = [
        one async for one in client.segment_many([Media.of(video_path, source=f"name {n}") for n in range(8)], **CUT)
    ]
    for one in found:
        await client.register(one)
    assert sum(one.reused for one in found) == 7
    assert client.store.info().tasks == {"ready": 1}


async def test_a_copied_client_shares_the_store_and_key(connect: Connect, video_path: Path, sandbox: Sandbox) -> None:
    surface = connect(store=":memory:")
    await surface.segment_video(video_path, **CUT)
    sandbox.clear_requests()
    for twin in (copy.copy(surface.client), copy.deepcopy(surface.client)):
        assert (await Surface(twin, is_async=surface.is_async).segment_video(video_path, **CUT)).reused
    assert sandbox.count() == 0


async def test_result_without_vectors_logs_a_warning_on_every_run(
    client: Surface, tmp_path: Path, server: VideoServer, caplog: pytest.LogCaptureFixture
) -> None:
    silent = tmp_path / "silent.mp4"
    write_film(silent, [Scene(seconds=5)], fps=2, audio=False)
    server.video_path = silent  # a URL, whose audio track cannot be checked before payment
    for run in range(3):
        caplog.clear()
        found = await client.segment_video(server.url(), embedding_option=["audio"])
        assert (len(found.segments), found.reused) == (0, run > 0)
        assert sum("returned no vectors" in text for text in caplog.messages) == 1


# URLs


async def test_a_url_costs_one_head_on_the_second_run(client: Surface, server: VideoServer, sandbox: Sandbox) -> None:
    first = await client.segment_video(server.url(), **CUT)
    assert (server.count("HEAD"), paid(sandbox)) == (1, 1)
    server.requests.clear()
    sandbox.clear_requests()
    second = await client.segment_video(server.url(), **CUT)
    assert second.reused
    assert second.segments == first.segments
    assert [request[0] for request in server.requests] == ["HEAD"]
    assert sandbox.count() == 0


async def test_newly_signed_url_is_the_same_work_and_no_source_contains_a_signature(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    one = await client.segment_video(server.url("video.mp4?id=1&X-Amz-Signature=5ecre7"), **CUT)
    two = await client.segment_video(server.url("video.mp4?X-Amz-Date=2&id=1&X-Amz-Signature=5ecre8"), **CUT)
    assert two.reused
    assert one.source == two.source == server.url("video.mp4?id=1")
    assert one.records()[0].metadata == two.records()[0].metadata
    assert any("5ecre7" in path for _, path, _ in server.requests)  # it was used
    assert not (await client.segment_video(server.url("video.mp4?id=2"), **CUT)).reused
    assert paid(sandbox) == 2


async def test_the_video_behind_a_url_is_known_by_its_validator(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    async def reused() -> bool:
        found: SegmentedMedia = await client.segment_video(server.url(), **CUT)
        return found.reused

    assert not await reused()
    server.etag = None
    assert await reused()  # a missing one means nothing
    server.head_status = 403
    assert await reused()  # nor does a host that refuses HEAD
    server.etag, server.head_status = 'W/"one"', 200
    assert await reused()  # weak or strong is the same state
    server.etag = '"two"'
    assert not await reused()
    assert await reused()
    server.etag = '"one"'
    assert await reused()  # the first video came back
    assert paid(sandbox) == 2


async def test_new_validator_alone_does_not_change_the_identity(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    server.etag = None
    await client.segment_video(server.url(), **CUT)
    server.etag = '"one"'
    assert (await client.segment_video(server.url(), **CUT)).reused
    server.etag = '"two"'
    assert not (await client.segment_video(server.url(), **CUT)).reused
    assert paid(sandbox) == 2


@pytest.mark.parametrize("status", [403, 405, 501])
async def test_host_that_refuses_head_is_asked_for_the_first_byte(
    client: Surface, server: VideoServer, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The signature of a presigned URL holds for GET alone; the host may ignore the range and send everything."""
    server.head_status = status
    signed = server.url("video.mp4?X-Amz-Signature=abc")
    await client.segment_video(signed, **CUT)
    assert (await client.segment_video(signed, **CUT)).reused
    server.etag = '"two"'  # the object was replaced
    assert not (await client.segment_video(signed, **CUT)).reused
    assert paid(sandbox) == 2
    ranges = [headers.get("range") for method, _, headers in server.requests if method == "GET"]
    assert ranges.count("bytes=0-0") == 3
    assert "version=" not in caplog.text


REFUSALS: dict[str, tuple[int, int, str | None, str]] = {
    "both": (403, 403, '"one"', "its host answers HTTP 403"),
    "expired": (404, 410, '"one"', "its host answers HTTP 410"),
    "no validator": (405, 206, None, "its host sends neither ETag nor Last-Modified"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_warning_without_a_validator_names_the_status_once_a_host(
    client: Surface, server: VideoServer, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    server.head_status, server.get_status, server.etag, reason = REFUSALS[case]
    for number in range(3):
        with suppress(TwelveLabsError):  # the sandbox cannot read it either
            await client.segment_video(server.url(f"video{number}.mp4?X-Amz-Signature=abc"), **CUT)
    (warning,) = (text for text in caplog.messages if "version=" in text)
    assert reason in warning
    assert warning.startswith(server.url("video0.mp4"))


@pytest.mark.parametrize("name", ["key", "X-Amz-Signature"])
async def test_a_signed_url_without_a_validator_logs_a_warning(
    client: Surface, server: VideoServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    secret = "5ecre7-oF-a-s1gn1ng-k3y"
    signed = server.url(f"video.mp4?{name}={secret}")
    server.etag = None
    for media, version in ((server.url(), None), (signed, "1")):
        await client.segment_video(media, version=version, **CUT)
    assert "version=" not in caplog.text
    await client.segment_video(signed, **CUT)
    (warning,) = (text for text in caplog.messages if "version=" in text)
    assert warning.startswith(server.url())
    assert "its host sends neither ETag nor Last-Modified" in warning
    assert "pass version= when the media at this URL changes" in warning
    assert secret not in caplog.text


KEYS = ("4f9c2b1e7d8a55aa", "9d0e1f2a3b4c5d6e")


@pytest.mark.parametrize("rest", ["get?key={}", "get?u=https%3A%2F%2Fh.example%2Fget%3Fkey%3D{}"])
async def test_possible_credential_is_part_of_source_and_identity_as_a_digest(
    client: Surface, server: VideoServer, sandbox: Sandbox, rest: str
) -> None:
    server.etag = None
    found = [await client.segment_video(server.url(rest.format(key)), **CUT) for key in (*KEYS, *KEYS)]
    assert [item.reused for item in found] == [False, False, True, True]
    assert len({item.source for item in found}) == 2
    assert not any(key in item.source for key in KEYS for item in found)
    ids = [[record.segment_id for record in item.records()] for item in found]
    assert ids[:2] == ids[2:]
    assert not set(ids[0]) & set(ids[1])
    contents = [await client.content_of(server.url(rest.format(key))) for key in KEYS]
    assert not any(key in text for key in KEYS for text in contents)
    assert paid(sandbox) == 2


async def test_known_credential_parameter_does_not_distinguish_videos(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    server.etag = None
    for rest in (
        "a?X-Amz-Date={}&X-Amz-Signature={}&Expires={}",
        "b?sv=2024-05-04&se={}&sig={}",
        "c?Policy={}&Signature={}&Key-Pair-Id=K",
        "d?key=0a1b2c3d4e5f6a7b&X-Amz-Date={}&X-Amz-Signature={}",
    ):
        urls = [server.url(rest.format(*[key] * rest.count("{}"))) for key in KEYS]
        assert [(await client.segment_video(url, **CUT)).reused for url in urls] == [False, True], rest
    assert paid(sandbox) == 4


async def test_source_and_version_identify_a_video_signed_with_an_unknown_scheme(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    one, two = (server.url(f"get?key={key}") for key in KEYS)
    found = [await client.segment_video(url, source="match", version="1", **CUT) for url in (one, two)]
    assert [item.reused for item in found] == [False, True]
    assert found[0].content == found[1].content
    assert paid(sandbox) == 1


async def test_failed_head_request_does_not_change_the_identity(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    assert not (await client.segment_video(server.url(), **CUT)).reused
    server.head_status = 503
    assert (await client.segment_video(server.url(), **CUT)).reused
    assert paid(sandbox) == 1


async def test_version_overrides_the_validator(client: Surface, server: VideoServer, sandbox: Sandbox) -> None:
    await client.segment_video(server.url(), version="1", **CUT)
    server.etag = '"two"'
    assert (await client.segment_video(server.url(), version="1", **CUT)).reused
    assert not (await client.segment_video(server.url(), version="2", **CUT)).reused
    assert (server.count("HEAD"), paid(sandbox)) == (0, 2)


async def test_unreachable_url_is_left_to_the_server(client: Surface, sandbox: Sandbox) -> None:
    for address in ("http://127.0.0.1:9/video.mp4", "http://ex..ample.com/video.mp4"):
        with pytest.raises((BadRequestError, TaskFailedError)):
            await client.segment_video(address, **CUT)
    assert paid(sandbox) == 2


async def test_an_asset_is_known_by_its_id(client: Surface, video_path: Path, sandbox: Sandbox) -> None:
    asset = await client.assets.wait((await client.assets.create(video_path)).id)
    first = await client.segment_video(f"asset:{asset.id}", **CUT)
    sandbox.clear_requests()
    assert (await client.segment_video(f"asset:{asset.id}", **CUT)).reused
    assert first.source == f"asset:{asset.id}"
    assert sandbox.count() == 0


# Records and vectors


async def test_registered_segments_are_found_by_any_client_of_the_store(
    connect: Connect, video_path: Path, sandbox: Sandbox
) -> None:
    client = connect()
    found = await client.segment_video(video_path, **CUT)
    records = await client.register(found)
    other_ids = [record.segment_id for record in await client.register(found, id_namespace="tenant")]
    sandbox.clear_requests()
    ids = [record.segment_id for record in records]
    vectors = await connect().find_vectors(iter([*reversed(ids), *other_ids]))
    assert np.array_equal(np.stack(vectors), np.concatenate([found.segments.vectors[::-1], found.segments.vectors]))
    assert sandbox.count() == 0


async def test_unknown_segment_raises_with_advice(client: Surface, sandbox: Sandbox) -> None:
    with pytest.raises(SegmentNotFoundError, match=r"Load its video again.*TWELVELABS_STORE"):
        await client.find_vectors(["0b9a7c5e-1c2d-5e3f-8a9b-0123456789ab"])
    assert await client.find_vectors([]) == []
    assert sandbox.count() == 0


async def test_segment_of_another_space_raises_with_advice(connect: Connect, tmp_path: Path) -> None:
    identity = "0b9a7c5e-1c2d-5e3f-8a9b-0123456789ab"
    with SegmentStore(tmp_path / "shared.sqlite3") as store:
        store.put_intent(
            "k", space="marengo3.0/512", content="c", model="marengo3.0", params={}, source="s", account="a"
        )
        vectors = Segments(np.ones((1, 512), np.float32), [SegmentPosition(0, 6, "visual", "clip")])
        store.put_result("k", vectors, duration_sec=6)
        store.add_aliases("k", [(identity, 0)], source="s")
    with pytest.raises(InputError, match=r"space marengo3\.0/512.*sandbox/marengo3\.0/512.*not comparable"):
        await connect(store=tmp_path / "shared.sqlite3").find_vectors([identity])


# Progress


async def test_progress_reports_each_stage_in_order(client: Surface, video_path: Path) -> None:
    steps: list[Progress] = []
    first = await client.segment_video(video_path, on_progress=steps.append, **CUT)
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["checking", "uploading", "processing", "ready"]
    sent = [(step.done, step.total) for step in steps if step.stage == "uploading"]
    assert sent[-1][0] == sent[-1][1] > len(content(video_path))
    assert {step.source for step in steps} == {video_path.as_posix()}
    assert steps[-1].task_id == first.task_id
    steps.clear()
    await client.segment_video(video_path, on_progress=steps.append, **CUT)
    assert [step.stage for step in steps] == ["checking", "reused"]


async def test_progress_reports_a_failure(client: Surface, media_folder: Path) -> None:
    steps: list[Progress] = []
    with pytest.raises(InputError):
        await client.segment_video(media_folder / "short.mp4", on_progress=steps.append)
    assert [step.stage for step in steps] == ["checking", "failed"]


async def test_exception_of_a_callback_reaches_the_caller(client: Surface, video_path: Path) -> None:
    class OwnError(Exception):
        pass

    def stop(step: Progress) -> None:
        if step.stage == "processing":
            raise OwnError

    with pytest.raises(OwnError):
        await client.segment_video(video_path, on_progress=stop, **CUT)
    assert (await client.segment_video(video_path, **CUT)).segments.vectors.shape == (3, 512)


# Refused before anything is sent or stored


@pytest.mark.parametrize(
    "option",
    [
        {"start_sec": 5, "end_sec": 4}, {"start_sec": 8.5}, {"end_sec": 99}, {"segmentation": {"strategy": "shots"}},
        {"embedding_option": ["smell"]}, {"embedding_scope": []}, {"embedding_type": ["both"]}, {"timeout": -1},
        {"source": 7}, {"version": 7},
    ],
)  # fmt: skip
async def test_invalid_option_is_refused_before_a_request(
    client: Surface, video_path: Path, sandbox: Sandbox, option: Any
) -> None:
    with pytest.raises(InputError, match=next(iter(option))):
        await client.segment_video(video_path, **option)
    assert sandbox.count() == 0
    assert client.store.info().tasks == {}
