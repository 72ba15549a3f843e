"""The old embed API (v1) through both clients: embed, create, look, list, wait; each call warns once."""

import asyncio
import contextlib
import pickle
import tracemalloc
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.film_server import FilmServer
from tests.core.surface import Surface, content
from tests.core.uploading import padded
from twelvelabs_core import (
    APIConnectionError,
    APIResponseError,
    AsyncClient,
    BadRequestError,
    Client,
    InputError,
    LegacyV1,
    ServerError,
    Settings,
    TaskFailedError,
    TaskSummary,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.api.legacy_v1_clients import INSTEAD
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import Scene, write_film

pytestmark = pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")

EMBED, TASKS = "/embed", "/embed/tasks"
MISSING = "64f8d2c7e4a1b37f8a9c5d12"


@pytest.fixture
def old(client: Surface) -> Surface:
    found: Surface = client.legacy_v1
    return found


# Embedding at once


async def test_several_kinds_at_once_have_the_vectors_of_today(
    client: Surface, old: Surface, sandbox: Sandbox, picture: Path, sound: Path
) -> None:
    answer = await old.embed(text="a red car", image_file=picture, audio_file=content(sound), audio_start_offset_sec=1)
    assert sandbox.count() == sandbox.count("POST", EMBED) == 1
    assert answer.model_name == "marengo3.0"
    for part, vector in (
        (answer.text_embedding, (await client.embed_text("a red car")).vector),
        (answer.image_embedding, (await client.embed_image(picture)).vector),
    ):
        assert part.segments.vectors.dtype == np.float32
        np.testing.assert_allclose(part.segments[0].vector, vector, atol=1e-6)
    assert answer.image_embedding.metadata.input_filename == picture.name
    heard = answer.audio_embedding.segments
    assert [(part.start_sec, part.end_sec, part.embedding_option) for part in heard] == [
        (1.0, 7.0, "audio"),
        (7.0, 8.0, "audio"),
    ]
    clips = await client.embed_audio(sound, start_sec=1, embedding_option=["audio"], embedding_scope=["clip"])
    np.testing.assert_allclose(heard.vectors, clips.vectors, atol=1e-6)


async def test_what_was_not_given_is_not_there(old: Surface) -> None:
    answer = await old.embed(text="a red car")
    assert answer.text_embedding.error_message is None
    assert (answer.image_embedding, answer.audio_embedding) == (None, None)


async def test_a_part_that_fails_keeps_its_reason_and_hides_no_other(old: Surface) -> None:
    lost = "http://127.0.0.1:9/lost.wav?X-Amz-Signature=secret"
    answer = await old.embed(text="a red car", audio_url=lost)
    assert answer.text_embedding.segments.vectors.shape == (1, 512)
    assert answer.audio_embedding.found is None
    assert "Cannot find media url" in answer.audio_embedding.error_message
    with pytest.raises(TwelveLabsError, match="the audio was not embedded: Cannot find media url") as caught:
        _ = answer.audio_embedding.segments
    assert "secret" not in str(caught.value) + repr(answer) + str(answer.model_dump())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"model_name": "marengo3.0"}, "no `text_embedding`"),
        ({"model_name": "marengo3.0", "text_embedding": {"segments": []}}, "no reason"),
        ({"model_name": "marengo3.0", "text_embedding": {"segments": [], "error_message": "too odd"}}, "too odd"),
    ],
)
async def test_an_answer_without_vectors_says_so(old: Surface, sandbox: Sandbox, body: Any, reason: str) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=200, body=body))
    answer = await old.embed(text="red")
    with pytest.raises(TwelveLabsError, match=reason):
        _ = answer.text_embedding.segments


VECTOR = [0.5] * 512


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"segments": [{"float": "0.5"}]}, r"segments\[0\]: field `float` is not an array"),
        ({"segments": [{"float": [0.5, None]}]}, "not a finite JSON number"),
        ({"segments": {"float": VECTOR}}, "segments: is not an array"),
        ({"segments": [{"float": VECTOR}, {"float": VECTOR}]}, r"segments\[1\]: same time, option and scope"),
        (
            {"segments": [{"float": VECTOR, "start_offset_sec": 3, "end_offset_sec": 2}]},
            r"`end_offset_sec` \(2.0\) is before `start_offset_sec` \(3.0\)",
        ),
        ({"segments": [{"float": VECTOR, "embedding_scope": "video"}]}, "`start_offset_sec` is not a finite number"),
        ({"segments": [{"float": VECTOR}], "float": VECTOR}, "1 items, but the response has 2 arrays named `float`"),
        ({"segments": [{"float": [0.5]}]}, "of 1 values where 512"),
        ([], "text_embedding: is not an object"),
    ],
)
async def test_an_answer_of_another_shape_is_refused(old: Surface, sandbox: Sandbox, part: Any, message: str) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=200, body={"model_name": "m", "text_embedding": part}))
    with pytest.raises(APIResponseError, match=message):
        await old.embed(text="red")


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
async def test_a_task_of_another_shape_is_refused(
    old: Surface, sandbox: Sandbox, fields: dict[str, Any], message: str
) -> None:
    body = {"_id": MISSING, "status": "ready", "video_embedding": {"segments": []}}
    sandbox.faults.add(Fault(path=f"{TASKS}/{{task_id}}", status=200, body=body | fields))
    with pytest.raises(APIResponseError, match=message):
        await old.retrieve_task(MISSING)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing to embed"),
        ({"text": "  "}, "text is empty"),
        ({"text": "word " * 501}, r"at least 501 tokens; marengo3\.0 takes 500"),
        ({"image_url": "https://e.com/a.jpg", "image_file": b"x"}, "image_url or image_file, not both"),
        ({"image_url": "a.jpg"}, r"image_url must be an http\(s\) URL"),
        ({"image_file": "https://e.com/a.jpg"}, "pass a URL as image_url"),
        ({"audio_file": f"asset:{MISSING}"}, "takes no assets"),
        ({"image_file": b"GIF89a"}, "JPEG or PNG"),
        ({"image_file": "nowhere.jpg"}, "no such file"),
        ({"text": "a", "audio_start_offset_sec": 1}, "needs audio_url or audio_file"),
        ({"audio_url": "https://e.com/a.wav", "audio_start_offset_sec": -1}, "from 0, got -1"),
        ({"audio_url": "https://e.com/a.wav", "audio_start_offset_sec": float("nan")}, "got nan"),
        ({"audio_url": "https://e.com/a.wav", "audio_start_offset_sec": float("inf")}, "got inf"),
    ],
)
async def test_bad_input_is_refused_before_it_is_sent(
    old: Surface, sandbox: Sandbox, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        await old.embed(**given)
    assert sandbox.count() == 0


async def test_a_start_after_the_sound_is_refused(old: Surface, sandbox: Sandbox, sound: Path) -> None:
    with pytest.raises(InputError, match=r"audio_start_offset_sec 9 is not before the end of the sound at 8\.0"):
        await old.embed(audio_file=sound, audio_start_offset_sec=9)
    assert sandbox.count() == 0


# Tasks


async def test_a_task_from_its_file_to_its_vectors(client: Surface, old: Surface, sandbox: Sandbox, film: Path) -> None:
    task_id = await old.create_task(video_file=film, video_clip_length=4, video_embedding_scope=["video", "clip"])
    assert sandbox.count() == sandbox.count("POST", TASKS) == 1
    seen: list[TaskSummary] = []
    ready = await old.wait_for_task(task_id, callback=seen.append)
    assert {one.id for one in seen} == {task_id}
    assert seen[-1].status == ready.status == "ready"
    assert ready.model_name == "marengo3.0"
    assert ready.metadata.input_filename == film.name
    assert ready.metadata.embedding_scopes == ("clip", "video")
    assert ready.metadata.clip_length == 4
    places = [(part.embedding_scope, part.start_sec, part.end_sec, part.embedding_option) for part in ready.segments]
    assert places == [
        (scope, start, end, option)
        for scope, start, end in (("clip", 0.0, 4.0), ("clip", 4.0, 8.0), ("video", 0.0, 8.0))
        for option in ("visual", "audio")
    ]
    today = await client.segment_video(
        film,
        segmentation={"strategy": "fixed", "fixed": {"duration_sec": 4}},
        embedding_option=["visual", "audio"],
    )
    assert np.array_equal(today.segments.vectors, ready.segments.vectors)
    status = await old.task_status(task_id)
    assert (status.id, status.status, status.metadata.duration) == (task_id, "ready", 8.0)
    heard = await old.retrieve_task(task_id, embedding_option=["audio"])
    assert {part.embedding_option for part in heard.segments} == {"audio"}
    assert np.array_equal(heard.segments.vectors, ready.segments.vectors[1::2])


@pytest.mark.parametrize("way", ["path", "bytes", "file object"])
async def test_a_film_goes_up_from_wherever_it_is(old: Surface, film: Path, way: str) -> None:
    with film.open("rb") as stream:
        video = {"path": str(film), "bytes": content(film), "file object": stream}[way]
        task_id = await old.create_task(
            video_file=video, video_start_offset_sec=1, video_end_offset_sec=6.5, video_clip_length=2.5
        )
    segments = (await old.wait_for_task(task_id)).segments
    assert {(part.start_sec, part.end_sec) for part in segments} == {(1.0, 3.5), (3.5, 6.0)}


async def test_a_url_is_fetched_by_the_server_and_shown_unsigned(old: Surface, film: Path) -> None:
    with FilmServer(film) as server:
        task_id = await old.create_task(video_url=server.url("film.mp4?X-Amz-Signature=secret"))
        ready = await old.wait_for_task(task_id)
    assert server.count("GET") == 1
    assert ready.metadata.input_url == server.url()
    assert {(part.start_sec, part.end_sec) for part in ready.segments} == {(0.0, 6.0), (6.0, 8.0)}


async def test_a_large_film_is_streamed_from_disk(old: Surface, tmp_path: Path, film: Path) -> None:
    large = padded(film, tmp_path / "large.mp4", 64 * 2**20)
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
        ({"video_file": f"asset:{MISSING}"}, "takes no assets"),
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
        (
            {"video_start_offset_sec": 1, "video_end_offset_sec": 6},
            r"are 5 s; there must be room for a clip of 6 s \(the default",
        ),
        (
            {"video_start_offset_sec": 1, "video_end_offset_sec": 6, "video_clip_length": 7},
            r"are 5 s; there must be room for a clip of 7 s\.",
        ),
        ({"video_embedding_scope": ["video"]}, r"\['clip', 'video'\], got \['video'\]"),
        ({"video_embedding_scope": ["clip", "asset"]}, "clip, video; got 'asset'"),
        ({"video_embedding_scope": "clip"}, "must be a list"),
        ({"video_embedding_scope": []}, "got none"),
        (
            {"video_start_offset_sec": 1, "video_end_offset_sec": 20},
            r"video_end_offset_sec 20 is after the film's end at 8\.0",
        ),
    ],
)
async def test_a_task_that_cannot_be_is_refused_before_it_is_sent(
    old: Surface, sandbox: Sandbox, film: Path, given: dict[str, Any], message: str
) -> None:
    video = {"video_file": film} if given and not any("file" in name or "url" in name for name in given) else {}
    with pytest.raises(InputError, match=message):
        await old.create_task(**video, **given)
    assert sandbox.count() == 0


async def test_a_clip_longer_than_the_film_or_a_film_too_short_is_refused(
    old: Surface, sandbox: Sandbox, media_folder: Path, tmp_path: Path
) -> None:
    write_film(tmp_path / "five.mp4", [Scene(color="red", seconds=5.0)], fps=5)
    with pytest.raises(InputError, match=r"video_clip_length 9 is more than the film's 5\.0"):
        await old.create_task(video_file=tmp_path / "five.mp4", video_clip_length=9)
    with pytest.raises(InputError, match="at least 4 s"):
        await old.create_task(video_file=media_folder / "short.mp4")
    assert sandbox.count() == 0


async def test_an_upload_above_two_gigabytes_is_refused(old: Surface, sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "huge.mp4").open("wb") as file:
        file.write(b"film")
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


async def test_a_client_of_another_model_fetches_but_makes_no_vectors(
    connect: Connect, old: Surface, sandbox: Sandbox, film: Path
) -> None:
    task_id = await old.create_task(video_file=film)
    new = connect(model="marengo3.5")
    assert (await new.legacy_v1.wait_for_task(task_id)).segments.dimension == 512
    sandbox.clear_requests()
    with pytest.raises(InputError, match=r"marengo3\.0 alone.*marengo3\.5.*legacy_v1\.embed"):
        await new.legacy_v1.embed(text="red")
    with pytest.raises(InputError, match=r"legacy_v1\.create_task"):
        await new.legacy_v1.create_task(video_file=film)
    assert sandbox.count() == 0
    await new.close()


# Waiting


async def test_a_failed_task_says_which(old: Surface, sandbox: Sandbox, film: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    task_id = await old.create_task(video_file=film)
    with pytest.raises(TaskFailedError, match=f"{task_id} failed") as caught:
        await old.wait_for_task(task_id)
    assert caught.value.task_id == task_id


async def test_a_wait_is_bounded_and_asks_ever_less_often(old: Surface, sandbox: Sandbox, film: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="stuck"))
    task_id = await old.create_task(video_file=film)
    seen: list[str] = []
    for timeout in (0, 0.6):
        with pytest.raises(TaskTimeoutError, match=f"{task_id} is still processing after {timeout:g} s"):
            await old.wait_for_task(task_id, timeout=timeout, callback=lambda task: seen.append(task.status))
    looks = sandbox.count("GET", f"{TASKS}/{{task_id}}/status")
    assert looks == len(seen) < 8
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


async def test_the_task_of_another_id_is_no_answer(old: Surface, sandbox: Sandbox) -> None:
    body = {"_id": "other", "status": "ready", "video_embedding": {"segments": []}}
    for path in (f"{TASKS}/{{task_id}}", f"{TASKS}/{{task_id}}/status"):
        sandbox.faults.add(Fault(path=path, status=200, body=body))
    for method in (old.retrieve_task, old.task_status):
        with pytest.raises(TwelveLabsError, match=f"asked for task {MISSING}.*task other"):
            await method(MISSING)


async def test_a_time_out_or_callback_that_cannot_be_is_refused(old: Surface, sandbox: Sandbox) -> None:
    async def callback(_: object) -> None:
        """Never runs."""

    with pytest.raises(InputError, match="timeout"):
        await old.wait_for_task(MISSING, timeout=-1)
    with pytest.raises(InputError, match="callback"):
        await old.wait_for_task(MISSING, callback=callback)
    assert sandbox.count() == 0


# Creates are never sent twice


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "before"}, {"drop": "after"}, {"drop": "mid"}])
@pytest.mark.parametrize("what", ["task", "sound"])
async def test_what_is_paid_for_and_may_have_happened_is_not_sent_again(
    old: Surface, sandbox: Sandbox, media_folder: Path, what: str, fault: dict[str, Any]
) -> None:
    film, sound = media_folder / "film.mp4", media_folder / "sound.wav"
    sandbox.faults.add(Fault(method="POST", times=None, **fault))
    with pytest.raises((ServerError, APIConnectionError)):
        await (old.create_task(video_file=film) if what == "task" else old.embed(audio_file=sound))
    assert sandbox.count("POST") == 1


async def test_what_was_refused_at_the_door_and_a_text_are_sent_again(
    old: Surface, sandbox: Sandbox, film: Path
) -> None:
    sandbox.faults.add(Fault(method="POST", status=429, body="", times=2))
    await old.create_task(video_file=film)
    assert sandbox.count("POST", TASKS) == 3
    sandbox.faults.add(Fault(method="POST", status=503, times=2))
    await old.embed(text="red")
    assert sandbox.count("POST", EMBED) == 3


class Counting:
    """A rate limiter that lets everything through, and counts."""

    asked = 0

    def acquire(self) -> None:
        self.asked += 1

    async def async_acquire(self) -> None:
        self.asked += 1


async def test_the_caller_s_rate_limiter_is_asked_for_what_is_paid_for_alone(connect: Connect, film: Path) -> None:
    limiter = Counting()
    client = connect(rate_limiter=limiter)
    task_id = await client.legacy_v1.create_task(video_file=film)
    assert limiter.asked == 1
    await client.legacy_v1.embed(text="red")
    assert limiter.asked == 2
    await client.legacy_v1.wait_for_task(task_id)
    _ = [task async for task in client.legacy_v1.list_tasks(status="failed")]
    assert limiter.asked == 2
    await client.close()


# Lists


async def test_tasks_are_listed_page_by_page_with_filters(connect: Connect, film: Path) -> None:
    with Sandbox(task_seconds=1e6) as busy:
        client = connect(api_key=busy.api_key, base_url=busy.base_url)
        old = client.legacy_v1
        created = [await old.create_task(video_file=film) for _ in range(52)]
        busy.clear_requests()
        assert [task.id async for task in old.list_tasks()] == created[::-1]
        assert busy.count("GET", TASKS) == busy.count() == 2
        busy.clear_requests()
        hour = timedelta(hours=1)
        tasks = old.list_tasks(
            status="processing", started_at=datetime.now(UTC) - hour, ended_at=datetime.now(UTC) + hour
        )
        first = await anext(aiter(tasks))
        assert (first.id, first.model_name, first.metadata.input_filename) == (created[-1], "marengo3.0", film.name)
        await tasks.aclose()
        assert busy.count("GET", TASKS) == 1
        assert [task async for task in old.list_tasks(status="ready")] == []
        assert [task async for task in old.list_tasks(ended_at=datetime.now(UTC) - hour)] == []
        assert [task async for task in client.list_tasks()] == []
        await client.close()


# Warnings

Call = Callable[[Any], Any]
CALLS: dict[str, Call] = {
    "embed": lambda old: old.embed(text="red"),
    "create_task": lambda old: old.create_task(video_url="http://127.0.0.1:9/x.mp4"),
    "task_status": lambda old: old.task_status(MISSING),
    "retrieve_task": lambda old: old.retrieve_task(MISSING),
    "list_tasks": lambda old: old.list_tasks(),
    "wait_for_task": lambda old: old.wait_for_task(MISSING),
}


def test_every_method_has_a_successor_that_there_is() -> None:
    methods = {name for name, value in vars(LegacyV1).items() if callable(value) and not name.startswith("_")}
    assert methods == set(INSTEAD) == set(CALLS)
    for instead in INSTEAD.values():
        assert any(hasattr(Client, word.strip(",")) for word in instead.split())


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("kind", ["blocking", "async", "task"])
def test_each_call_warns_once_at_the_line_of_the_caller(settings: Settings, name: str, kind: str) -> None:
    async def run(old: Any) -> None:
        found = CALLS[name](old)
        if hasattr(found, "__aiter__"):
            await anext(found, None)
        elif kind == "task":  # awaited by nobody's frame but the loop's
            await asyncio.create_task(found)
        else:
            await found

    def work() -> None:
        if kind != "blocking":
            asyncio.run(run(AsyncClient(settings=settings, store=":memory:").legacy_v1))
            return
        with Client(settings=settings, store=":memory:") as client:
            found = CALLS[name](client.legacy_v1)
            if hasattr(found, "__next__"):
                next(found, None)

    with warnings.catch_warnings(record=True) as caught, contextlib.suppress(BadRequestError):
        warnings.simplefilter("always")
        work()
    old = [one for one in caught if issubclass(one.category, DeprecationWarning) and "legacy_v1" in str(one.message)]
    assert [one.filename for one in old] == [__file__]
    assert old[0].lineno == CALLS[name].__code__.co_firstlineno
    assert f"legacy_v1.{name} " in str(old[0].message)
    assert str(old[0].message).endswith(f"use the client's {INSTEAD[name]}.")


# Pickling and what is shown


def test_it_travels_with_its_client_and_shows_no_key(settings: Settings, tmp_path: Path) -> None:
    for kind in (Client, AsyncClient):
        client = kind(settings=settings, store=tmp_path / "s.sqlite3")
        old = client.legacy_v1
        twin = pickle.loads(pickle.dumps(old))  # noqa: S301
        assert type(twin) is type(old)
        assert twin.settings == settings
        assert settings.api_key.get_secret_value() not in repr(old)
        assert settings.base_url in repr(old)


async def test_results_travel(old: Surface, film: Path) -> None:
    answer = await old.embed(text="red")
    task = await old.wait_for_task(await old.create_task(video_file=film))
    assert pickle.loads(pickle.dumps(answer)) == answer  # noqa: S301
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301
