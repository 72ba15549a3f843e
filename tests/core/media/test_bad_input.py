"""Common input mistakes: each raises its own clear error and sends no request."""

import inspect
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from twelvelabs_core import (
    AsyncClient,
    BadRequestError,
    Client,
    ConfigurationError,
    FixedSegmentation,
    InputError,
    Settings,
    TaskFailedError,
)
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film, write_picture


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Path:
    """Write a folder with invalid video files."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "folder.mp4").mkdir()
    (folder / "empty.mp4").touch()
    (folder / "notes.mp4").write_text("these are only my notes\n" * 100)
    shutil.copy(media_folder / "short.mp4", folder / "short.mp4")
    write_film(folder / "small.mp4", [Scene(seconds=5)], size=(200, 200), fps=2, audio=False)
    write_film(folder / "wide.mp4", [Scene(seconds=5)], size=(7560, 360), fps=1, audio=False)
    return folder


FILES = {
    "missing.mp4": "no such file",
    "folder.mp4": r"is a folder; pass a list of its files, such as sorted\(Path\('.*/folder\.mp4'\)\.glob",
    "empty.mp4": "0 bytes",
    "notes.mp4": "not a readable audio or video file",
    "short.mp4": r"3\.\d+ s long; an embedding task needs at least 4 s",
    "small.mp4": "200x200 pixels; the API needs at least 360x360",
    "wide.mp4": "7560x360",
}


@pytest.mark.parametrize("name", FILES)
async def test_invalid_video_file_is_refused(client: Surface, sandbox: Sandbox, bad: Path, name: str) -> None:
    calls = [client.segment_video, client.tasks.create_video]
    if name != "short.mp4":  # the synchronous endpoint has no minimum duration
        calls += [client.embed_video, client.embed_clip]
    for call in calls:
        with pytest.raises(InputError, match=FILES[name]) as caught:
            await call(bad / name)
        assert name in str(caught.value)
    assert sandbox.count() == 0


async def test_an_image_in_place_of_a_video_is_refused(client: Surface, picture: Path) -> None:
    for image in (picture, content(picture)):
        with pytest.raises(InputError, match=r"is an image, not video; use embed_images .*in Daft embed_image"):
            await client.segment_video(image)


async def test_check_false_leaves_the_limits_to_the_api(client: Surface, sandbox: Sandbox, bad: Path) -> None:
    for call in (client.segment_video, client.tasks.create_video, client.embed_video, client.embed_clip):
        with pytest.raises(InputError, match="check=False lets the API decide"):
            await call(bad / "small.mp4")
        assert sandbox.count("POST", "/embed-v2") + sandbox.count("POST", "/embed-v2/tasks") == 0
        with pytest.raises((BadRequestError, TaskFailedError), match="360x360"):
            await call(bad / "small.mp4", check=False)
        sandbox.clear_requests()
        with pytest.raises(InputError, match="no such file"):
            await call(bad / "missing.mp4", check=False)
    with pytest.raises(BadRequestError, match="360x360"):
        _ = [one async for one in client.segment_many([bad / "small.mp4"], check=False)]


async def test_check_false_leaves_images_to_the_api(client: Surface, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    write_picture(path, Scene(), size=(64, 64))
    for call in (
        lambda **options: client.embed_image(path, **options),
        lambda **options: client.embed_text_image("red", path, **options),
        lambda **options: client.embed_multi_input([path], **options),
    ):
        with pytest.raises(InputError, match=r"64x64 .*check=False lets the API decide"):
            await call()
        assert sandbox.count() == 0
        with pytest.raises(BadRequestError):
            await call(check=False)
        sandbox.clear_requests()


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_every_call_that_checks_media_can_leave_it_to_the_api(cls: Any) -> None:
    client = cls("tlk_key", store=":memory:")
    calls = [getattr(client, name) for name in dir(client) if name.startswith(("segment_", "embed_"))]
    calls += [getattr(client.tasks, name) for name in dir(client.tasks) if name.startswith("create_")]
    without = {call.__name__ for call in calls if "check" not in inspect.signature(call).parameters}
    assert without == {"embed_text", "embed_texts"}


@pytest.mark.parametrize("name", ["missing.mp4", "folder.mp4", "empty.mp4", "notes.mp4"])
async def test_invalid_audio_or_image_file_is_refused(client: Surface, sandbox: Sandbox, bad: Path, name: str) -> None:
    for call in (client.segment_audio, client.tasks.create_audio, client.embed_audio, client.embed_image):
        with pytest.raises(InputError, match=name):
            await call(bad / name)
    assert sandbox.count() == 0


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "end before start": ({"start_sec": 5, "end_sec": 4}, "end_sec must be after start_sec.*5.*4"),
    "window after the end": ({"start_sec": 60}, "start_sec 60 must be less than the duration of 8"),
    "segments of 1 s": (
        {"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 1}}},
        "2 to 10 seconds, got 1",
    ),
    "segments of 11 s": ({"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 11}}}, "2 to 10 .*, got 11"),
    "unknown option": ({"embedding_option": ["smell"]}, "visual, audio, transcription; got 'smell'"),
    "unknown scope": ({"embedding_scope": ["shot"]}, "clip, asset; got 'shot'"),
    "unknown type": ({"embedding_type": ["mixed"]}, "separate_embedding, fused_embedding; got 'mixed'"),
    "no option": ({"embedding_option": []}, "empty"),
}


@pytest.mark.parametrize("case", OPTIONS)
async def test_invalid_option_raises_its_own_error(
    client: Surface, sandbox: Sandbox, video_path: Path, case: str
) -> None:
    option, message = OPTIONS[case]
    for call in (client.segment_video, client.tasks.create_video, client.embed_video):
        with pytest.raises(InputError, match=message):
            await call(video_path, **option)
    assert sandbox.count() == 0


@pytest.mark.parametrize("seconds", [1, 11])
def test_a_segment_duration_out_of_range_is_refused(seconds: int) -> None:
    with pytest.raises(InputError, match=f"2 to 10 seconds, got {seconds}"):
        FixedSegmentation(duration_sec=seconds)


async def test_empty_texts_are_refused(client: Surface, sandbox: Sandbox, picture: Path) -> None:
    with pytest.raises(InputError, match=r"text is empty .*at least 1 character"):
        await client.embed_text("")
    with pytest.raises(InputError, match=r"texts\[1\] is empty"):
        await client.embed_texts(["red", "\n", "blue"])
    with pytest.raises(InputError, match="text is empty"):
        await client.embed_text_image(" ", picture)
    assert sandbox.count() == 0


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_missing_key_is_refused(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, kind: Any) -> None:
    for name in ("TWELVELABS_API_KEY", "TWELVE_LABS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="TWELVELABS_API_KEY"):
        kind(base_url=sandbox.base_url)
    assert sandbox.count() == 0


@pytest.mark.parametrize("url", [None, "https://api.twelvelabs.io/v1.3/", "https://API.twelvelabs.io/v1.4"])
async def test_a_sandbox_key_is_never_sent_to_the_live_service(
    connect: Connect, sandbox: Sandbox, video_path: Path, url: str | None
) -> None:
    settings = Settings.resolve(api_key=sandbox.api_key, base_url=url) if url else Settings(SecretStr(sandbox.api_key))
    client = connect(base_url=settings.base_url)
    for call in (client.embed_text, client.segment_video):
        with pytest.raises(ConfigurationError, match="sandbox"):
            await call(str(video_path))
