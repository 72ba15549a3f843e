"""The official SDK and this client get the same vectors from the same server."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twelvelabs import TwelveLabs
from twelvelabs.types import (
    AsyncVideoInputRequest,
    AudioInputRequest,
    ImageInputRequest,
    MediaSource,
    MultiInputMediaSource,
    MultiInputRequest,
    TextImageInputRequest,
    TextInputRequest,
    VideoInputRequest,
)

from twelvelabs_core import Client, Segments
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film, write_picture, write_sound

MODEL = "marengo3.0"
SCENES = [
    Scene("red", "white", "stripes", "fast", "noise", seconds=6.0),
    Scene("blue", "yellow", "plain", "still", "tone", seconds=6.0),
]
Row = tuple[float, float, str, str]


@pytest.fixture
def ours(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.api_key, base_url=sandbox.base_url, store=":memory:") as client:
        yield client


@pytest.fixture
def sdk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> TwelveLabs:
    monkeypatch.delenv("TWELVELABS_BASE_URL", raising=False)  # it would override the argument
    return TwelveLabs(api_key=sandbox.api_key, base_url=sandbox.base_url)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    write_film(folder / "video.mp4", SCENES)
    write_sound(folder / "sound.wav", SCENES)
    write_picture(folder / "red.png", SCENES[0])
    return folder


def inline(path: Path) -> MediaSource:
    return MediaSource(base_64_string=base64.b64encode(path.read_bytes()).decode())


def only(response: Any) -> np.ndarray:
    (item,) = response.data
    return np.array(item.embedding, np.float32)


def rows(data: Any) -> dict[Row, np.ndarray]:
    return {
        (item.start_sec, item.end_sec, item.embedding_option, item.embedding_scope): np.array(
            item.embedding, np.float32
        )
        for item in data
    }


def our_rows(segments: Segments) -> dict[Row, np.ndarray]:
    return {
        (part.start_sec, part.end_sec, part.embedding_option, part.embedding_scope): part.vector for part in segments
    }


def assert_same(theirs: dict[Row, np.ndarray], ours: dict[Row, np.ndarray]) -> None:
    assert theirs.keys() == ours.keys()
    assert theirs
    for row, vector in theirs.items():
        np.testing.assert_array_equal(vector, ours[row], str(row))


def test_text(sdk: TwelveLabs, ours: Client) -> None:
    response = sdk.embed.v_2.create(
        input_type="text", model_name=MODEL, text=TextInputRequest(input_text="red and white stripes")
    )

    np.testing.assert_array_equal(only(response), ours.embed_text("red and white stripes").vector)


def test_image(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    response = sdk.embed.v_2.create(
        input_type="image", model_name=MODEL, image=ImageInputRequest(media_source=inline(media / "red.png"))
    )

    np.testing.assert_array_equal(only(response), ours.embed_image(media / "red.png").vector)


def test_text_image(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    content = TextImageInputRequest(media_source=inline(media / "red.png"), input_text="but blue")
    response = sdk.embed.v_2.create(input_type="text_image", model_name=MODEL, text_image=content)

    np.testing.assert_array_equal(only(response), ours.embed_text_image("but blue", media / "red.png").vector)


def test_multi_input(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    picture = base64.b64encode((media / "red.png").read_bytes()).decode()
    sources = [MultiInputMediaSource(media_type="image", base_64_string=picture)] * 2
    response = sdk.embed.v_2.create(
        input_type="multi_input",
        model_name=MODEL,
        multi_input=MultiInputRequest(media_sources=sources, input_text="a flag"),
    )
    embedding = ours.embed_multi_input([media / "red.png"] * 2, text="a flag")

    np.testing.assert_array_equal(only(response), embedding.vector)


def test_audio(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    response = sdk.embed.v_2.create(
        input_type="audio", model_name=MODEL, audio=AudioInputRequest(media_source=inline(media / "sound.wav"))
    )

    assert_same(rows(response.data), our_rows(ours.embed_audio(media / "sound.wav")))


def test_video(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    response = sdk.embed.v_2.create(
        input_type="video", model_name=MODEL, video=VideoInputRequest(media_source=inline(media / "video.mp4"))
    )

    assert_same(rows(response.data), our_rows(ours.embed_video(media / "video.mp4")))


def test_asset_and_task(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    with (media / "video.mp4").open("rb") as file:
        asset = sdk.assets.create(method="direct", file=file)
    assert asset.id is not None
    ours.assets.wait(asset.id)  # an asset of the SDK
    content = AsyncVideoInputRequest(media_source=MediaSource(asset_id=asset.id))
    task = sdk.embed.v_2.tasks.create(input_type="video", model_name=MODEL, video=content)
    waited = ours.tasks.wait(task.id)
    done = sdk.embed.v_2.tasks.retrieve(task.id)
    again = ours.segment_video(media / "video.mp4")

    assert done.status == waited.status == "ready"
    assert waited.segments is not None
    assert_same(rows(done.data), our_rows(waited.segments))
    assert_same(rows(done.data), our_rows(again.segments))
    listed = next(item for item in sdk.embed.v_2.tasks.list() if item.id == task.id)
    assert (listed.status, listed.model_name) == ("ready", MODEL)
    assert asset.id in [item.id for item in sdk.assets.list()]
    assert task.id in [item.id for item in ours.tasks.list(status="ready")]


def test_the_sdk_retrieves_a_task_of_this_client(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    task = ours.tasks.create_video(media / "video.mp4", embedding_option=["visual"], embedding_scope=["clip"])
    deadline = time.monotonic() + 60
    while sdk.embed.v_2.tasks.retrieve(task.id).status == "processing":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    segments = ours.tasks.wait(task.id).segments

    assert segments is not None
    assert_same(rows(sdk.embed.v_2.tasks.retrieve(task.id).data), our_rows(segments))


@pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")
def test_a_task_of_v1(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    """Both retrieve the same vectors of a task created by the SDK, and of one created by this client."""
    with (media / "video.mp4").open("rb") as file:
        made = sdk.embed.tasks.create(model_name=MODEL, video_file=file, video_embedding_scope=["clip", "video"])
    assert made.id is not None
    mine = ours.legacy_v1.create_task(video_file=media / "video.mp4", video_embedding_scope=["clip", "video"])
    results = [ours.legacy_v1.wait_for_task(task_id) for task_id in (made.id, mine)]
    theirs = [sdk.embed.tasks.retrieve(task_id) for task_id in (made.id, mine)]

    for result, their in zip(results, theirs, strict=True):
        assert result.segments is not None
        assert_same(old_rows(their.video_embedding), our_rows(result.segments))
        assert (result.status, result.model_name, result.created_at) == (
            their.status,
            their.model_name,
            their.created_at,
        )
    assert results[0].segments == results[1].segments
    assert [task.id for task in sdk.embed.tasks.list()][:2] == [mine, made.id]
    assert [task.id for task in ours.legacy_v1.list_tasks()][:2] == [mine, made.id]


@pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")
def test_embed_of_v1(sdk: TwelveLabs, ours: Client, media: Path) -> None:
    files = {name: (name, (media / name).read_bytes()) for name in ("red.png", "sound.wav")}
    response = sdk.embed.create(
        model_name=MODEL, text="a flag", image_file=files["red.png"], audio_file=files["sound.wav"]
    )
    answer = ours.legacy_v1.embed(text="a flag", image_file=media / "red.png", audio_file=media / "sound.wav")

    for kind in ("text_embedding", "image_embedding", "audio_embedding"):
        assert_same(old_rows(getattr(response, kind)), our_rows(getattr(answer, kind).segments))


def old_rows(embedding: Any) -> dict[Row, np.ndarray]:
    """Return the rows of v1 as parsed by the SDK, with our neutral values in place of None."""

    def place(item: Any) -> Row:
        names = ("start_offset_sec", "end_offset_sec", "embedding_option", "embedding_scope")
        start, end, option, scope = (getattr(item, name, None) for name in names)
        return start or 0.0, end or 0.0, option or "", scope or ""

    return {place(item): np.array(item.float_, np.float32) for item in embedding.segments}
