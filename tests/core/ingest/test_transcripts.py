"""Transcripts of videos: assigned to segments, requested once, and never an obstacle to embedding the video."""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import BLUE, RED, Connect
from tests.core.surface import Surface, content
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    AsyncClient,
    AuthenticationError,
    FixedSegmentation,
    InputError,
    RateLimitError,
    SegmentedMedia,
    SegmentPosition,
    SegmentStore,
    Settings,
    Word,
    parse_reference,
)
from twelvelabs_core.api import assets
from twelvelabs_core.ingest import transcripts
from twelvelabs_core.results import records
from twelvelabs_core.results.transcript import spoken
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import write_film

TASKS, ASSETS, ASSET = "/embed-v2/tasks", "/assets", "/assets/{asset_id}"
TRANSCRIPTION = f"{ASSET}/transcription"
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"], "end_sec": 8.0}
WANTED: dict[str, Any] = {**CUT, "include_transcript": True}
FIRST, SECOND = "a goalkeeper dives", "Loud noise follows."


@pytest.fixture(scope="session")
def spoken_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 8 s with one sentence in each half."""
    path = tmp_path_factory.mktemp("spoken") / "talk.mkv"
    write_film(path, [RED, BLUE], fps=5, captions=[(0.0, 3.0, FIRST), (4.5, 7.0, SECOND)])
    return path


def bodies(media: SegmentedMedia) -> dict[tuple[str, float], str]:
    return {(r.metadata["embedding_scope"], r.metadata["start_sec"]): r.body for r in media.records()}  # type: ignore[misc]


def asked(sandbox: Sandbox) -> int:
    return sandbox.count("GET", TRANSCRIPTION)


# Assigning words to segments


def clip(start: float, end: float, option: str = "visual", scope: str = "clip") -> SegmentPosition:
    return SegmentPosition(start, end, option, scope)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([(0.0, 1.0, "one"), (4.0, 5.0, "two")], ["one", "two"]),
        ([(3.0, 4.5, "early")], ["early", ""]),
        ([(3.8, 5.0, "late")], ["", "late"]),
        ([(3.5, 4.5, "half")], ["half", ""]),
        ([(4.0, 4.0, "point")], ["", "point"]),
        ([(7.5, 9.5, "over the end")], ["", "over the end"]),
        ([(8.0, 9.0, "after")], ["", ""]),
        ([(5.0, 6.0, "second"), (1.0, 2.0, "first"), (2.0, 3.0, "word")], ["first word", "second"]),
        ([(0.0, 8.0, "everything at once")], ["everything at once", ""]),
    ],
)
def test_word_is_assigned_to_the_segment_with_the_largest_overlap(words: Any, expected: list[str]) -> None:
    given_words = [Word(*word) for word in words]
    assert spoken([clip(0, 4), clip(4, 8)], given_words, is_whole=True) == expected
    assert spoken([clip(4, 8), clip(0, 4)], given_words, is_whole=True) == expected[::-1]


def test_words_are_assigned_per_option_and_scope() -> None:
    positions = [clip(0, 4), clip(4, 8), clip(0, 8, "audio"), clip(0, 7.9, scope="asset")]
    words = [Word(1, 2, "one"), Word(5, 6, "two"), Word(7.95, 8.2, "three")]
    assert spoken(positions, words, is_whole=True) == ["one", "two three", "one two three", "one two three"]
    window = [clip(4, 7.9), clip(4, 7.9, scope="asset")]
    assert spoken(window, words, is_whole=False) == ["two", "two"]


@given(
    st.lists(st.floats(0.1, 9), min_size=1, max_size=12),
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), max_size=30),
)
def test_every_word_is_assigned_exactly_once(lengths: Sequence[float], times: Sequence[tuple[float, float]]) -> None:
    borders = [0.0]
    for length in lengths:
        borders.append(borders[-1] + length)
    positions = [clip(start, end) for start, end in pairwise(borders)]
    words = [Word(start, start + length, f"word{number}") for number, (start, length) in enumerate(times)]
    assigned = " ".join(spoken(positions, words, is_whole=True)).split()
    assert sorted(assigned) == sorted(word.value for word in words if word.start < borders[-1])


def test_long_words_are_assigned_in_linear_time() -> None:
    """Without a bound, each of them is compared with all 7,200 segments: 12 s of CPU time."""
    positions = [clip(start, start + 2.0) for start in range(0, 14_400, 2)]
    words = [Word(0.5 * number, 14_400.0, "word") for number in range(4_000)]
    begin = time.thread_time()
    found = spoken(positions, words, is_whole=True)
    assert time.thread_time() - begin < 2.0
    assert " ".join(found).split() == ["word"] * 4_000


@pytest.mark.parametrize(
    "text",
    [
        "tl-segment:0b9a7c5e-0000-4000-8000-000000000000",
        "TL-Segment:x",
        "segment:0b9a7c5e",
        "segment_id: 0b9a7c5e-0000-4000-8000-000000000000",
        "tl-video:match.mp4",
    ],
)
def test_transcript_never_contains_a_reference(text: str) -> None:
    (body,) = spoken([clip(0, 4)], [Word(0, 1, text), Word(1, 2, "a\nvideo: of a segment")], is_whole=True)
    assert "\n" not in body
    assert body.endswith("a video: of a segment")
    head, reference = "f | 0:00.0-0:04.0 | visual", "tl-segment:1b9a7c5e-0000-4000-8000-000000000000"
    assert parse_reference(f"{head}\n{body}\n{reference}") == reference.partition(":")[2]


# Requests


@pytest.mark.slow
async def test_long_transcript_is_read_and_assigned_off_the_event_loop(
    settings: Settings, sandbox: Sandbox, spoken_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [{"value": "word", "start": 0.0001 * number, "end": 0.0001 * number} for number in range(40_000)]
    body = json.dumps({"status": "ready", "words": words, "sentences": []})
    sandbox.faults.add(Fault(path="/assets/*/transcription", method="GET", status=200, body=body))
    threads: dict[str, int] = {}

    def watch(module: Any, name: str) -> None:
        function = getattr(module, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            threads[name] = threading.get_ident()
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, watched)

    watch(assets, "read_answer")
    watch(transcripts, "Word")
    watch(records, "spoken")
    async with AsyncClient(settings=settings, store=tmp_path / "s.sqlite3") as client:
        found = await client.segment_video(spoken_video, include_transcript=True, **CUT)
        assert len(found.words) == 40_000
        (first, *_) = await client.register(found)
        assert first.body.count("word") == 40_000
    assert set(threads) == {"read_answer", "Word", "spoken"}
    assert threading.get_ident() not in threads.values()


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING, logger="twelvelabs_core")
    return lambda: [record.getMessage() for record in caplog.records]


async def test_transcript_is_requested_once_and_assigned_to_segments(
    client: Surface, spoken_video: Path, sandbox: Sandbox, warned: Callable[[], list[str]]
) -> None:
    plain = await client.segment_video(spoken_video, **CUT)
    media = await client.segment_video(spoken_video, **WANTED)
    assert media.reused
    assert bodies(media) == {("clip", 0): FIRST, ("clip", 4): SECOND, ("asset", 0): f"{FIRST} {SECOND}"}
    assert media.words[0].value == "a"
    assert set(bodies(plain).values()) == {""}
    assert [r.segment_id for r in media.records()] == [r.segment_id for r in plain.records()]
    text = media.records()[0].text(with_reference=True)
    assert text.splitlines()[1] == FIRST
    assert parse_reference(text) == media.records()[0].segment_id
    assert (sandbox.count("POST", TASKS), sandbox.count("POST", ASSETS), asked(sandbox)) == (1, 1, 1)
    sandbox.clear_requests()
    assert bodies(await client.segment_video(spoken_video, **WANTED)) == bodies(media)
    # Other options of the same video: another task, the same transcript.
    other = await client.segment_video(spoken_video, **{**WANTED, "embedding_option": ["audio"]})
    assert bodies(other)["clip", 0.0] == FIRST
    assert asked(sandbox) == 0
    assert sandbox.count("POST", TASKS) == 1
    assert warned() == []


async def test_the_second_run_sends_nothing(client: Surface, spoken_video: Path, sandbox: Sandbox) -> None:
    found = [one async for one in client.segment_many([spoken_video], **WANTED)]
    sandbox.clear_requests()
    again = [one async for one in client.segment_many([spoken_video], **WANTED)]
    assert [bodies(one) for one in again] == [bodies(one) for one in found]
    assert sandbox.count() == 0


async def test_transcript_is_read_before_the_asset_is_deleted(
    client: Surface, spoken_video: Path, sandbox: Sandbox
) -> None:
    media = await client.segment_video(spoken_video, keep_asset=False, **WANTED)
    assert bodies(media)["clip", 0.0] == FIRST
    assert (sandbox.count("POST", ASSETS), sandbox.count("DELETE", ASSET)) == (1, 1)
    sandbox.clear_requests()
    await client.segment_video(spoken_video, keep_asset=False, **WANTED)
    assert sandbox.count() == 0


async def test_missing_asset_is_uploaded_again_without_a_new_task(
    client: Surface, spoken_video: Path, sandbox: Sandbox
) -> None:
    await client.segment_video(spoken_video, keep_asset=False, **CUT)
    media = await client.segment_video(spoken_video, keep_asset=False, **WANTED)
    assert bodies(media)["clip", 0.0] == FIRST
    assert (sandbox.count("POST", TASKS), sandbox.count("POST", ASSETS), sandbox.count("DELETE", ASSET)) == (1, 2, 2)


async def test_transcript_of_a_stored_video_is_available_during_rate_limits(
    client: Surface, spoken_video: Path, video_path: Path, sandbox: Sandbox
) -> None:
    await client.segment_video(spoken_video, keep_asset=False, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitError):
        await client.segment_video(video_path, **CUT)
    assert bodies(await client.segment_video(spoken_video, **WANTED))["clip", 0.0] == FIRST


async def test_asset_deleted_concurrently_is_uploaded_again(
    client: Surface, spoken_video: Path, sandbox: Sandbox
) -> None:
    await client.segment_video(spoken_video, **CUT)
    sandbox.faults.add(Fault(path=TRANSCRIPTION, status=404), Fault(path=ASSET, method="GET", status=404, skip=1))
    media = await client.segment_video(spoken_video, **WANTED)
    assert bodies(media)["clip", 0.0] == FIRST
    assert (sandbox.count("POST", TASKS), sandbox.count("POST", ASSETS)) == (1, 2)


@pytest.mark.parametrize("how", [{"keep_asset": True}, {"keep_asset": False}], ids=["kept", "deleted"])
async def test_a_url_becomes_an_asset_and_is_embedded_once(
    client: Surface, spoken_video: Path, sandbox: Sandbox, how: dict[str, bool]
) -> None:
    with VideoServer(spoken_video) as server:
        url = server.url("talk.mkv?X-Amz-Signature=secret")
        media = await client.segment_video(url, **how, **WANTED)
        assert bodies(media)["clip", 4.0] == SECOND
        assert (sandbox.count("POST", TASKS), sandbox.count("POST", ASSETS)) == (1, 1)
        assert sandbox.count("DELETE", ASSET) == (0 if how["keep_asset"] else 1)
        sandbox.clear_requests()
        await client.segment_video(url, **how, **WANTED)
        assert sandbox.count() == 0


async def test_transcript_of_an_asset_is_requested_by_its_id(
    client: Surface, spoken_video: Path, warned: Callable[[], list[str]]
) -> None:
    asset = await client.assets.create(spoken_video)
    await client.assets.wait(asset.id)
    media = await client.segment_video(f"asset:{asset.id}", **CUT)
    await client.assets.delete(asset.id)
    gone = await client.segment_video(f"asset:{asset.id}", **WANTED)
    assert (set(bodies(gone).values()), len(gone.segments)) == ({""}, len(media.segments))
    (message,) = warned()
    assert "is stored without the words" in message
    assert f"asset {asset.id} was deleted" in message
    other = await client.assets.create(content(spoken_video), filename="talk.mkv")
    await client.assets.wait(other.id)
    assert bodies(await client.segment_video(f"asset:{other.id}", keep_asset=False, **WANTED))["clip", 0.0] == FIRST
    assert (await client.assets.retrieve(other.id)).status == "ready"


@pytest.mark.parametrize(
    ("fault", "reason", "times"),
    [
        ({"status": 404}, "has no transcription", 0),
        ({"status": 200, "body": {"status": "failed", "error": {"message": "noise"}}}, "failed: noise", 0),
        ({"status": 400, "body": {"code": "c", "message": "not for this plan"}}, "not for this plan", 1),
        ({"status": 200, "body": "no json"}, "not valid JSON", 1),
    ],
)
async def test_unavailable_transcript_logs_one_warning(  # noqa: PLR0917  # three fixtures, three parameters
    client: Surface,
    spoken_video: Path,
    sandbox: Sandbox,
    warned: Callable[[], list[str]],
    fault: dict[str, Any],
    reason: str,
    times: int,
) -> None:
    """Only a failure that is not final is requested again."""
    sandbox.faults.add(Fault(path=TRANSCRIPTION, **fault))
    media = await client.segment_video(spoken_video, **WANTED)
    assert set(bodies(media).values()) == {""}
    assert len(media.segments) == 3
    (message,) = warned()
    assert str(spoken_video) in message
    assert reason in message
    sandbox.clear_requests()
    again = await client.segment_video(spoken_video, **WANTED)
    assert bodies(again)["clip", 0.0] == (FIRST if times else "")
    assert asked(sandbox) == times
    client.store.drop_transcript(await client.content_of(spoken_video))
    assert bodies(await client.segment_video(spoken_video, **WANTED))["clip", 0.0] == FIRST


async def test_empty_transcript_is_stored(
    client: Surface, video_path: Path, sandbox: Sandbox, warned: Callable[[], list[str]]
) -> None:
    for _ in range(2):
        assert (await client.segment_video(video_path, **WANTED)).words == ()
    assert asked(sandbox) == 1
    assert warned() == []


async def test_wait_for_a_pending_transcript_is_limited(
    client: Surface,
    spoken_video: Path,
    sandbox: Sandbox,
    warned: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pending = {"path": TRANSCRIPTION, "status": 200, "body": {"status": "pending"}}
    sandbox.faults.add(Fault(**pending, times=2))
    assert bodies(await client.segment_video(spoken_video, **WANTED))["clip", 0.0] == FIRST
    assert asked(sandbox) == 3
    client.store.drop_transcript(await client.content_of(spoken_video))
    sandbox.faults.add(Fault(**pending, times=None))
    monkeypatch.setattr("twelvelabs_core.ingest.transcripts.TRANSCRIPT_WAIT", 0.1)
    late = await client.segment_video(spoken_video, **WANTED)
    assert set(bodies(late).values()) == {""}
    assert "is pending after 0.1 s; the next run requests it again" in warned()[0]
    sandbox.clear_faults()
    assert bodies(await client.segment_video(spoken_video, **WANTED))["clip", 0.0] == FIRST


async def test_pending_transcript_is_waited_for_once(  # noqa: PLR0917  # fixtures
    connect: Connect,
    spoken_video: Path,
    sandbox: Sandbox,
    tmp_path: Path,
    warned: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twelvelabs_core.ingest.transcripts.TRANSCRIPT_WAIT", 1.0)
    sandbox.faults.add(Fault(path=TRANSCRIPTION, status=200, body={"status": "pending"}, times=None))
    await connect().segment_video(spoken_video, **WANTED)
    assert asked(sandbox) > 1
    for _ in range(2):
        sandbox.clear_requests()
        media = await connect().segment_video(
            spoken_video, **WANTED
        )  # a new client on the same store, as in another process
        assert set(bodies(media).values()) == {""}
        assert asked(sandbox) == 1
    assert "was pending at" in warned()[-1]
    # Another asset has its own transcription, which may be ready soon.
    store = SegmentStore(tmp_path / "segments.sqlite3")
    await connect().assets.delete(store.find_asset(media.content, connect().settings.account))
    sandbox.clear_requests()
    await connect().segment_video(spoken_video, **WANTED)
    assert asked(sandbox) > 1
    sandbox.clear_faults()
    assert bodies(await connect().segment_video(spoken_video, **WANTED))["clip", 0.0] == FIRST
    assert store.find_pending_transcript(media.content, "sandbox") is None


async def test_short_transcript_timeout_does_not_shorten_the_next_wait(
    client: Surface, spoken_video: Path, sandbox: Sandbox
) -> None:
    await client.segment_video(spoken_video, **CUT)
    pending = {"path": TRANSCRIPTION, "status": 200, "body": {"status": "pending"}}
    sandbox.faults.add(Fault(**pending, times=None))
    await client.segment_video(spoken_video, timeout=0.1, **WANTED)
    sandbox.clear_faults()
    sandbox.faults.add(Fault(**pending, times=2))
    assert bodies(await client.segment_video(spoken_video, **WANTED))["clip", 0.0] == FIRST


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (403, AuthenticationError)])
async def test_refused_transcript_raises_and_the_next_run_is_free(
    connect: Connect, spoken_video: Path, sandbox: Sandbox, status: int, kind: type[Exception]
) -> None:
    client = connect(max_retries=0)
    sandbox.faults.add(Fault(path=TRANSCRIPTION, status=status))
    with pytest.raises(kind):
        await client.segment_video(spoken_video, keep_asset=False, **WANTED)
    media = await client.segment_video(spoken_video, keep_asset=False, **WANTED)
    assert media.reused
    assert bodies(media)["clip", 0.0] == FIRST
    assert (sandbox.count("POST", TASKS), sandbox.count("DELETE", ASSET)) == (1, 1)


async def test_sentences_are_used_when_words_are_missing(client: Surface, spoken_video: Path, sandbox: Sandbox) -> None:
    body = {"status": "ready", "sentences": [{"start": 3.0, "end": 6.0, "value": "A whole sentence."}]}
    sandbox.faults.add(Fault(path=TRANSCRIPTION, status=200, body=body))
    assert bodies(await client.segment_video(spoken_video, **WANTED))["clip", 4.0] == "A whole sentence."


async def test_tasks_of_one_video_request_its_transcript_once(
    connect: Connect, spoken_video: Path, sandbox: Sandbox
) -> None:
    client = connect()
    options = (["visual"], ["audio"], ["transcription"])
    begun = [client.start("segment_video", spoken_video, **{**WANTED, "embedding_option": one}) for one in options]
    found = [await one for one in begun]
    assert {bodies(one)["clip", 0.0] for one in found} == {FIRST}
    assert (sandbox.count("POST", TASKS), sandbox.count("POST", ASSETS), asked(sandbox)) == (3, 1, 1)


async def test_invalid_include_transcript_is_refused(client: Surface, video_path: Path, sandbox: Sandbox) -> None:
    with pytest.raises(InputError, match="True or False, got 'yes'"):
        await client.segment_video(video_path, include_transcript="yes")
    new = {"input_type": "document", "include_transcript": True}
    with pytest.raises(InputError, match=r"model='marengo3\.5'"):
        [one async for one in client.segment_many([video_path], **new)]
    assert sandbox.count() == 0


async def test_include_transcript_is_refused_for_images(connect: Connect, video_path: Path) -> None:
    client = connect(model="marengo3.5")
    with pytest.raises(InputError, match="include_transcript is for audio and video, not for input_type 'image'"):
        [one async for one in client.segment_many([video_path], input_type=["video", "image"], include_transcript=True)]


# Stored transcripts


def test_store_keeps_transcripts_by_origin_unchanged(tmp_path: Path) -> None:
    words = [Word(0.0, 0.25, "Grüße"), Word(0.25, 1 / 3, "🎬 “quoted”")]
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        assert store.find_transcript("c", "twelvelabs") is None
        store.put_transcript("c", "twelvelabs", words)
        store.put_transcript("c", "sandbox", [])
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        assert store.find_transcript("c", "twelvelabs") == tuple(words)
        assert store.find_transcript("c", "sandbox") == ()
        assert store.find_transcript("d", "sandbox") is None
        assert store.find_pending_transcript("c", "sandbox") is None
        before = time.time()
        store.put_pending_transcript("c", "sandbox", "a1")
        assert store.find_transcript("c", "sandbox") == ()  # a pending state does not remove a stored transcript
        asset_id, since = store.find_pending_transcript("c", "sandbox") or ("", 0.0)
        assert (asset_id, before <= since <= time.time()) == ("a1", True)
        store.drop_transcript("c")
        assert store.find_transcript("c", "twelvelabs") is None
        assert store.find_pending_transcript("c", "sandbox") is None


async def test_transcript_is_deleted_with_the_last_task_of_its_video(client: Surface, spoken_video: Path) -> None:
    media = await client.segment_video(spoken_video, **WANTED)
    other = await client.segment_video(spoken_video, **{**WANTED, "embedding_option": ["audio"]})
    store: SegmentStore = client.store
    store.delete_task(media.task_key)
    assert store.find_transcript(media.content, "sandbox") is not None
    store.delete_task(other.task_key)
    assert store.find_transcript(media.content, "sandbox") is None
