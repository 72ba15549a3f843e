"""The old embed API (v1) through both clients: embedding, warnings, pickling."""

import asyncio
import contextlib
import pickle
import re
import warnings
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.surface import Surface, content
from twelvelabs_core import (
    APIResponseError,
    AsyncClient,
    BadRequestError,
    Client,
    InputError,
    Settings,
    TwelveLabsError,
)
from twelvelabs_sandbox import Fault, Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")

EMBED, TASKS = "/embed", "/embed/tasks"
MISSING = "64f8d2c7e4a1b37f8a9c5d12"


# Embedding


async def test_inputs_of_one_request_have_the_vectors_of_v2(
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
    audio_segments = answer.audio_embedding.segments
    assert [(part.start_sec, part.end_sec, part.embedding_option) for part in audio_segments] == [
        (1.0, 7.0, "audio"),
        (7.0, 8.0, "audio"),
    ]
    clips = await client.embed_audio(sound, start_sec=1, embedding_option=["audio"], embedding_scope=["clip"])
    np.testing.assert_allclose(audio_segments.vectors, clips.vectors, atol=1e-6)


async def test_omitted_input_has_no_result(old: Surface) -> None:
    answer = await old.embed(text="a red car")
    assert answer.text_embedding.error_message is None
    assert (answer.image_embedding, answer.audio_embedding) == (None, None)


async def test_failed_input_has_a_reason_and_others_have_vectors(old: Surface) -> None:
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
async def test_result_without_vectors_has_a_reason(old: Surface, sandbox: Sandbox, body: Any, reason: str) -> None:
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
async def test_malformed_response_is_refused(old: Surface, sandbox: Sandbox, part: Any, message: str) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=200, body={"model_name": "m", "text_embedding": part}))
    with pytest.raises(APIResponseError, match=message):
        await old.embed(text="red")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing to embed"),
        ({"text": "  "}, "text is empty"),
        ({"image_url": "https://e.com/a.jpg", "image_file": b"x"}, "image_url or image_file, not both"),
        ({"image_url": "a.jpg"}, r"image_url must be an http\(s\) URL"),
        ({"image_file": "https://e.com/a.jpg"}, "pass a URL as image_url"),
        ({"audio_file": f"asset:{MISSING}"}, "accepts no assets"),
        ({"image_file": b"GIF89a"}, "JPEG or PNG"),
        ({"image_file": "nowhere.jpg"}, "no such file"),
        ({"text": "a", "audio_start_offset_sec": 1}, "needs audio_url or audio_file"),
        ({"audio_url": "https://e.com/a.wav", "audio_start_offset_sec": -1}, "from 0, got -1"),
        ({"audio_url": "https://e.com/a.wav", "audio_start_offset_sec": float("nan")}, "got nan"),
        ({"audio_url": "https://e.com/a.wav", "audio_start_offset_sec": float("inf")}, "got inf"),
    ],
)
async def test_invalid_input_is_refused_before_a_request(
    old: Surface, sandbox: Sandbox, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        await old.embed(**given)
    assert sandbox.count() == 0


async def test_a_start_after_the_end_of_the_audio_is_refused(old: Surface, sandbox: Sandbox, sound: Path) -> None:
    with pytest.raises(InputError, match=r"start_sec 9 must be less than the duration of 8\.0"):
        await old.embed(audio_file=sound, audio_start_offset_sec=9)
    assert sandbox.count() == 0


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


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("kind", ["blocking", "async", "task"])
def test_each_call_warns_once_at_the_line_of_the_caller_and_names_a_replacement(
    settings: Settings, name: str, kind: str
) -> None:
    async def run(old: Any) -> None:
        found = CALLS[name](old)
        if hasattr(found, "__aiter__"):
            await anext(found, None)
        elif kind == "task":  # the caller's line is not on the stack when it runs
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
    message = str(old[0].message)
    assert f"legacy_v1.{name} " in message
    replacements = re.findall(r"client\.(\w+(?:\.\w+)*)", message)
    with Client(settings=settings, store=":memory:") as client:
        assert all(callable(attrgetter(one)(client)) for one in replacements)
    assert replacements


async def test_results_can_be_pickled(old: Surface, video_path: Path) -> None:
    answer = await old.embed(text="red")
    task = await old.wait_for_task(await old.create_task(video_file=video_path))
    assert pickle.loads(pickle.dumps(answer)) == answer  # noqa: S301
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301
