"""Media that are too short, long, small, large or of the wrong type; messages contain the documented limit."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.sandbox.api import body, create_task, encoded, settled
from tests.sandbox.special_files import with_pixel_aspect
from twelvelabs_sandbox.films import Scene, repeat_film, save_image, write_film, write_picture, write_sound

RED = Scene(color="red", seconds=4.0)
INVALID = "parameter_invalid"


def refused(api: httpx.Client, call: str, kind: str, path: Path) -> tuple[str, str]:
    answer = api.post(call, json=body(kind, media_source=encoded(path)))
    assert answer.status_code == 400, answer.text
    return answer.json()["code"], answer.json()["message"]


def video(folder: Path, size: tuple[int, int], seconds: float = 4.0, pixel_aspect: Fraction | None = None) -> Path:
    path = folder / "video.mp4"
    write_film(path, [Scene(color="red", seconds=seconds)], size=size, fps=1, audio=False)
    return with_pixel_aspect(path, folder / "video.mkv", pixel_aspect) if pixel_aspect else path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "code", "expected"),
    [
        ((358, 400), "video_resolution_too_low", "at least 360x360. The current resolution is 358x400"),
        ((400, 358), "video_resolution_too_low", "400x358"),
        ((5186, 2160), "video_resolution_too_high", "at most 5184x2160. The current resolution is 5186x2160"),
        ((2162, 5184), "video_resolution_too_high", "2162x5184"),
        ((870, 360), "video_resolution_invalid_aspect_ratio", "870x360"),
        ((360, 870), "video_resolution_invalid_aspect_ratio", "360x870"),
    ],
)
def test_resolutions_out_of_bounds_are_refused(
    api: httpx.Client, tmp_path: Path, size: tuple[int, int], code: str, expected: str
) -> None:
    path = video(tmp_path, size)
    found, message = refused(api, "/embed-v2/tasks", "video", path)
    assert found == code
    assert expected in message
    assert refused(api, "/embed-v2", "video", path) == (found, message)


@pytest.mark.parametrize("size", [(360, 360), (864, 360), (360, 864)])
def test_resolutions_at_the_bounds_are_accepted(api: httpx.Client, tmp_path: Path, size: tuple[int, int]) -> None:
    assert (
        api.post("/embed-v2/tasks", json=body("video", media_source=encoded(video(tmp_path, size)))).status_code == 202
    )


@pytest.mark.parametrize(("size", "aspect"), [((352, 576), (16, 11)), ((1280, 480), (3, 4))])
def test_a_resolution_is_accepted_if_the_displayed_one_is(
    api: httpx.Client, tmp_path: Path, size: tuple[int, int], aspect: tuple[int, int]
) -> None:
    """Pixels of television recordings are not square; the vendor does not say which size it judges."""
    path = video(tmp_path, size, pixel_aspect=Fraction(*aspect))
    answer = api.post("/embed-v2/tasks", json=body("video", media_source=encoded(path)))
    assert answer.status_code == 202, answer.text


def test_a_task_needs_four_seconds_of_video(api: httpx.Client, tmp_path: Path) -> None:
    short = video(tmp_path, (480, 360), seconds=3.0)
    code, message = refused(api, "/embed-v2/tasks", "video", short)
    assert code == "video_duration_too_short"
    assert "between 4 and 14400 seconds. The current duration is 3.000 seconds" in message
    at_once = api.post("/embed-v2", json=body("video", media_source=encoded(short)))
    assert at_once.status_code == 200, at_once.text


def test_a_task_needs_four_seconds_of_audio(api: httpx.Client, tmp_path: Path) -> None:
    short = write_sound(tmp_path / "short.wav", [Scene(color="red", sound="noise", seconds=2.0)], rate=16000)
    code, message = refused(api, "/embed-v2/tasks", "audio", short)
    assert code == INVALID
    assert "audio must be between 4 and 14400 seconds. The current duration is 2.000" in message


@pytest.mark.slow
def test_synchronous_call_accepts_ten_minutes(api: httpx.Client, tmp_path: Path) -> None:
    write_film(tmp_path / "part.mp4", [Scene(color="red", seconds=10.0)], size=(360, 360), fps=1, audio=False)
    long = tmp_path / "long.mp4"
    repeat_film(tmp_path / "part.mp4", long, 615 / 3600)
    code, message = refused(api, "/embed-v2", "video", long)
    assert code == "video_duration_too_long"
    assert "between 0 and 600 seconds. The current duration is 61" in message
    task = create_task(api, "video", media_source=encoded(long), embedding_scope=["asset"])
    assert settled(api, f"/embed-v2/tasks/{task}")["status"] == "ready"


@pytest.mark.slow
def test_more_than_four_hours_are_refused(api: httpx.Client, tmp_path: Path) -> None:
    write_film(tmp_path / "part.mp4", [Scene(color="red", seconds=100.0)], size=(360, 360), fps=1, audio=False)
    repeat_film(tmp_path / "part.mp4", tmp_path / "long.mp4", 4.05)
    code, message = refused(api, "/embed-v2/tasks", "video", tmp_path / "long.mp4")
    assert code == "video_duration_too_long"
    assert "The current duration is 14614.5" in message


def sound_as_video(folder: Path) -> Path:
    return write_sound(folder / "sound.wav", [RED])


def picture_as_video(folder: Path) -> Path:
    return write_picture(folder / "picture.png", RED)


def text_as_video(folder: Path) -> Path:
    (folder / "video.mp4").write_bytes(b"this is no video_file " * 100)
    return folder / "video.mp4"


@pytest.mark.parametrize(
    ("make", "expected"),
    [(sound_as_video, "must be video, but the file is audio"), (picture_as_video, "image"), (text_as_video, "")],
)
@pytest.mark.parametrize("call", ["/embed-v2", "/embed-v2/tasks"])
def test_non_video_media_are_refused_as_video(
    api: httpx.Client, tmp_path: Path, call: str, make: Callable[[Path], Path], *, expected: str
) -> None:
    _, message = refused(api, call, "video", make(tmp_path))
    assert expected in message


@pytest.mark.parametrize("suffix", ["ogg", "m4a"])
def test_audio_must_be_wav_mp3_or_flac(api: httpx.Client, tmp_path: Path, suffix: str) -> None:
    other = write_sound(tmp_path / f"sound.{suffix}", [RED, RED], rate=48000)
    code, message = refused(api, "/embed-v2/tasks", "audio", other)
    assert code == INVALID
    assert "must be a WAV, MP3 or FLAC file" in message


def test_a_video_is_refused_as_audio(api: httpx.Client, video_file: Path) -> None:
    assert "must be audio, but the file is video" in refused(api, "/embed-v2", "audio", video_file)[1]


@pytest.mark.parametrize(("size", "good"), [((127, 128), False), ((128, 127), False), ((128, 128), True)])
def test_images_need_128_pixels_per_side(
    api: httpx.Client, tmp_path: Path, size: tuple[int, int], *, good: bool
) -> None:
    width, height = size
    path = save_image(tmp_path / "small.png", np.zeros((height, width, 3), np.uint8))
    answer = api.post("/embed-v2", json=body("image", media_source=encoded(path)))
    assert answer.status_code == (200 if good else 400)
    assert good or f"at least 128x128 pixels, not {width}x{height}" in answer.json()["message"]


def test_images_are_jpeg_or_png(api: httpx.Client, tmp_path: Path) -> None:
    write_film(tmp_path / "video.gif", [RED], fps=2)
    code, message = refused(api, "/embed-v2", "image", tmp_path / "video.gif")
    assert code == INVALID
    assert message


@pytest.mark.parametrize(("kind", "megabytes"), [("image", 32), ("video", 36)])
def test_base64_has_a_limit(api: httpx.Client, tmp_path: Path, kind: str, megabytes: int) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(megabytes * 10**6 + 1))
    code, message = refused(api, "/embed-v2", kind, large)
    assert code == INVALID
    assert f"({megabytes}.0 MB) exceeds maximum limit of {megabytes} MB" in message


def test_one_invalid_image_of_several_is_refused(api: httpx.Client, media: Path, tmp_path: Path) -> None:
    small = save_image(tmp_path / "small.png", np.zeros((100, 100, 3), np.uint8))
    sources: list[dict[str, Any]] = [
        {"media_type": "image", **encoded(media / "picture.png")},
        {"media_type": "image", **encoded(small)},
    ]
    answer = api.post("/embed-v2", json=body("multi_input", media_sources=sources))
    assert answer.status_code == 400
    assert "not 100x100" in answer.json()["message"]
