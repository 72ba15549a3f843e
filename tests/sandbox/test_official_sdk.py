"""The official SDK works against the sandbox, unchanged, sync and async, and understands its errors."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import twelvelabs as sdk
from twelvelabs.core.api_error import ApiError

from tests.sandbox.api import until
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Fault, Sandbox

MODEL: Any = "marengo3.0"


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[sdk.TwelveLabs]:
    monkeypatch.delenv("TWELVELABS_BASE_URL", raising=False)
    with sdk.TwelveLabs(api_key=sandbox.api_key, base_url=sandbox.base_url) as made:
        yield made


def inline(path: Path) -> sdk.MediaSource:
    return sdk.MediaSource(base_64_string=base64.b64encode(path.read_bytes()).decode())


def only(answer: Any) -> Any:
    (row,) = answer.data
    assert len(row.embedding) == 512
    assert (row.embedding_option, row.embedding_scope, row.start_sec, row.end_sec) == (None, None, None, None)
    return row


def wait(resource: Any, identifier: str, status: str) -> Any:
    return until(lambda: resource.retrieve(identifier), lambda seen: seen.status == status)


def test_text(client: Any) -> None:
    text = sdk.TextInputRequest(input_text="man walking a dog")
    answer = client.embed.v_2.create(input_type="text", model_name=MODEL, text=text)
    assert only(answer)
    assert answer.metadata is None


def test_image_and_text_with_image(client: Any, picture: Path, file_server: FileServer) -> None:
    image = sdk.ImageInputRequest(media_source=inline(picture))
    answer = client.embed.v_2.create(input_type="image", model_name=MODEL, image=image)
    assert only(answer)
    assert answer.metadata.input_type == "image"
    both = sdk.TextImageInputRequest(input_text="red", media_source=sdk.MediaSource(url=file_server.url(picture.name)))
    answer = client.embed.v_2.create(input_type="text_image", model_name=MODEL, text_image=both)
    assert only(answer)


def test_several_images(client: Any, media: Path) -> None:
    sources = [
        sdk.MultiInputMediaSource(media_type="image", name=name, base_64_string=inline(media / name).base_64_string)
        for name in ("picture.jpg", "picture.png")
    ]
    several = sdk.MultiInputRequest(input_text="like <@picture.jpg>", media_sources=sources)
    assert only(client.embed.v_2.create(input_type="multi_input", model_name=MODEL, multi_input=several))


def test_audio(client: Any, sound: Path) -> None:
    audio = sdk.AudioInputRequest(
        media_source=inline(sound),
        start_sec=1.0,
        end_sec=7.0,
        segmentation=sdk.AudioSegmentation(strategy="fixed", fixed=sdk.AudioSegmentationFixed(duration_sec=3)),
        embedding_option=["audio"],
        embedding_scope=["clip"],
    )
    answer = client.embed.v_2.create(input_type="audio", model_name=MODEL, audio=audio)
    assert [(row.start_sec, row.end_sec) for row in answer.data] == [(1.0, 4.0), (4.0, 7.0)]
    assert answer.metadata.duration == 8.0


def test_video(client: Any, video_file: Path) -> None:
    video = sdk.VideoInputRequest(
        media_source=inline(video_file),
        segmentation=sdk.VideoSegmentation_Fixed(fixed=sdk.VideoSegmentationFixedFixed(duration_sec=4)),
        embedding_option=["visual", "audio"],
        embedding_scope=["clip", "asset"],
        embedding_type=["separate_embedding", "fused_embedding"],
    )
    answer = client.embed.v_2.create(input_type="video", model_name=MODEL, video=video)
    options = {(row.embedding_option, row.embedding_scope) for row in answer.data}
    assert options == {(option, scope) for option in ("visual", "audio", "fused") for scope in ("clip", "asset")}
    assert answer.metadata.clip_length == 4


def test_assets_direct_and_by_url(client: Any, video_file: Path, file_server: FileServer) -> None:
    with video_file.open("rb") as file:
        direct = client.assets.create(method="direct", file=file, filename="sdk.mp4", user_metadata='{"team": "red"}')
    linked = client.assets.create(method="url", url=file_server.url("picture.jpg"), enable_hls=False)
    assert direct.status == linked.status == "processing"
    wait(client.assets, linked.id, "ready")
    ready = wait(client.assets, direct.id, "ready")
    assert (ready.filename, ready.size, ready.duration) == ("sdk.mp4", video_file.stat().st_size, 8.0)
    assert ready.user_metadata == {"team": "red"}
    assert ready.technical_metadata.video_width == 480
    listed = list(client.assets.list(asset_ids=[direct.id, linked.id], page_limit=1))
    assert [asset.id for asset in listed] == [linked.id, direct.id]
    assert [asset.id for asset in client.assets.list(filename="SDK.mp4", asset_types=["video"])][:1] == [direct.id]
    client.assets.delete(direct.id, force=True)
    with pytest.raises(sdk.NotFoundError):
        client.assets.retrieve(direct.id)


def test_tasks(client: Any, video_file: Path) -> None:
    started = datetime.now(UTC).isoformat()
    video = sdk.AsyncVideoInputRequest(
        media_source=inline(video_file),
        segmentation=sdk.VideoSegmentation_Dynamic(dynamic=sdk.VideoSegmentationDynamicDynamic(min_duration_sec=4)),
        embedding_option=["visual"],
        embedding_scope=["clip"],
    )
    made = client.embed.v_2.tasks.create(input_type="video", model_name=MODEL, video=video)
    assert made.status == "processing"
    audio = sdk.AsyncAudioInputRequest(media_source=inline(video_file.with_name("sound.mp3")))
    other = client.embed.v_2.tasks.create(input_type="audio", model_name=MODEL, audio=audio)
    wait(client.embed.v_2.tasks, other.id, "ready")
    ready = wait(client.embed.v_2.tasks, made.id, "ready")
    assert [(row.embedding_option, row.start_sec, row.end_sec) for row in ready.data] == [
        ("visual", 0.0, 4.0),
        ("visual", 4.0, 8.0),
    ]
    listed = list(client.embed.v_2.tasks.list(started_at=started, status="ready", page_limit=1))
    assert [task.id for task in listed] == [other.id, made.id]
    assert listed[1].video_embedding.metadata.duration == 8.0


def test_a_failed_task_has_an_error(sandbox: Sandbox, client: Any, video_file: Path) -> None:
    sandbox.faults.add(Fault(method="POST", task="failed"))
    video = sdk.AsyncVideoInputRequest(media_source=inline(video_file))
    made = client.embed.v_2.tasks.create(input_type="video", model_name=MODEL, video=video)
    failed = wait(client.embed.v_2.tasks, made.id, "failed")
    assert failed.error.message == "The embedding task failed. Please try again later."


def test_errors_are_typed_by_the_sdk(sandbox: Sandbox, client: Any) -> None:
    text = sdk.TextInputRequest(input_text="dog")
    with pytest.raises(sdk.NotFoundError):
        client.embed.v_2.tasks.retrieve("6298d673f1090f1100476d4c")
    with pytest.raises(sdk.BadRequestError) as bad:
        client.embed.v_2.create(input_type="image", model_name=MODEL, text=text)
    assert bad.value.body["code"] == "parameter_invalid"
    sandbox.faults.add(Fault(status=429), Fault(status=413), Fault(status=500))
    for error in (sdk.TooManyRequestsError, sdk.ContentTooLargeError, sdk.InternalServerError):
        with pytest.raises(error):
            client.embed.v_2.create(input_type="text", model_name=MODEL, text=text)
    with (
        sdk.TwelveLabs(api_key="tlk_not_of_here", base_url=sandbox.base_url) as stranger,
        pytest.raises(ApiError) as wrong,
    ):
        stranger.embed.v_2.create(input_type="text", model_name=MODEL, text=text)
    assert wrong.value.status_code == 401


@pytest.fixture
def content(video_file: Path) -> bytes:
    return video_file.read_bytes()


async def test_the_async_client(sandbox: Sandbox, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVELABS_BASE_URL", sandbox.base_url)
    client: Any
    async with sdk.AsyncTwelveLabs(api_key=sandbox.api_key) as client:
        text = sdk.TextInputRequest(input_text="dog")
        assert only(await client.embed.v_2.create(input_type="text", model_name=MODEL, text=text))
        made = await client.assets.create(method="direct", file=("video.mp4", content))
        assert (await client.assets.retrieve(made.id)).filename == "video.mp4"
        assert made.id in [asset.id async for asset in await client.assets.list()]
