"""Media from bug reports: each file as players and ffmpeg understand it, through the API.

The folder is named by TWELVELABS_CASES_DIR. Small files of the same kinds are made in test_engine_clock.py,
test_engine_probe.py and test_engine_images.py.
"""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from tests.sandbox.api import body, create_task, settled, upload
from tests.sandbox.test_server_playback import made

FOLDER = Path(os.environ.get("TWELVELABS_CASES_DIR", ""))
IS_THERE = bool(os.environ.get("TWELVELABS_CASES_DIR")) and (FOLDER / "control.mp4").exists()
pytestmark = pytest.mark.skipif(not IS_THERE, reason="TWELVELABS_CASES_DIR does not name the media of bug reports")

SHOTS = [(0.0, 4.0), (4.0, 8.0), (8.0, 12.0)]
# Name, size, clips of DynamicSegmentation(4).
VIDEOS: list[tuple[str, tuple[int, int], list[tuple[float, float]]]] = [
    ("control.mp4", (480, 360), SHOTS),
    ("portrait.mp4", (480, 864), SHOTS),
    ("unknown-track-first.mp4", (480, 360), SHOTS),
    ("vp8-no-first-keyframe.webm", (480, 360), SHOTS),
    ("vp9-no-first-keyframe.webm", (480, 360), SHOTS),
    ("h264-first-packet-damaged.mkv", (480, 360), SHOTS),
    ("vp8-damaged-middle.webm", (480, 360), SHOTS),
    ("late-start.mkv", (480, 360), SHOTS),
    ("live-late.flv", (480, 360), SHOTS),
    ("joined-jump.ts", (480, 360), [(0.0, 4.0), (4.0, 12.8)]),
    ("phone.3gp", (480, 360), SHOTS),
    ("00001.MTS", (480, 360), SHOTS),
    ("preview-track-first.mp4", (480, 360), SHOTS),
    ("resolution-grows.ts", (640, 360), [(0.0, 12.0)]),
    ("cover-first.mp4", (480, 360), SHOTS),
    ("fragmented-12.2s.mp4", (480, 360), [(0.0, 4.2), (4.2, 8.2), (8.2, 12.2)]),
]


@pytest.mark.parametrize(("name", "size", "shots"), VIDEOS, ids=[name for name, _, _ in VIDEOS])
def test_a_video_is_accepted_and_has_its_shots(
    api: httpx.Client, name: str, size: tuple[int, int], shots: list[tuple[float, float]]
) -> None:
    asset = made(api, FOLDER / name, enable_thumbnail="true")
    facts = asset["technical_metadata"]
    assert (facts["video_width"], facts["video_height"]) == size
    assert facts["video_duration_seconds"] == pytest.approx(shots[-1][1], abs=0.1)
    task = create_task(
        api,
        "video",
        media_source={"asset_id": asset["_id"]},
        segmentation={"strategy": "dynamic", "dynamic": {"min_duration_sec": 4}},
        embedding_scope=["clip"],
        embedding_option=["visual"],
    )
    ready = settled(api, f"/embed-v2/tasks/{task}")
    assert ready["status"] == "ready", ready
    found = [(row["start_sec"], row["end_sec"]) for row in ready["data"]]
    assert found == [pytest.approx(shot, abs=0.1) for shot in shots]
    thumbnail = httpx.get(asset["thumbnail"]["representative_url"], trust_env=False)
    assert thumbnail.status_code == 200


def test_the_thumbnail_of_a_video_with_a_cover_shows_the_video(api: httpx.Client) -> None:
    pictures = [
        _pixels(httpx.get(made(api, FOLDER / name)["thumbnail"]["representative_url"], trust_env=False).content)
        for name in ("cover-first.mp4", "control.mp4")
    ]
    assert np.abs(pictures[0] - pictures[1]).mean() < 10


@pytest.mark.parametrize(("name", "start", "end"), [("xing-says-5h.mp3", 0, 12.0), ("vbr-no-xing.mp3", 20, 24.0)])
def test_audio_is_as_long_as_it_sounds(api: httpx.Client, name: str, start: float, end: float) -> None:
    window = {"start_sec": start, "embedding_scope": ["asset"], "embedding_option": ["audio"]}
    task = create_task(api, "audio", media_source={"asset_id": upload(api, FOLDER / name)}, **window)
    ready = settled(api, f"/embed-v2/tasks/{task}")
    assert [row["end_sec"] for row in ready["data"]] == [pytest.approx(end, abs=0.1)]


def test_a_truncated_video_fails_as_a_task(api: httpx.Client) -> None:
    task = create_task(api, "video", media_source={"asset_id": upload(api, FOLDER / "truncated.mkv")})
    assert settled(api, f"/embed-v2/tasks/{task}")["status"] == "failed"


@pytest.mark.parametrize("name", ["voice.webm", "drm-encv.mp4"])
def test_a_file_without_a_decodable_picture_is_refused_as_video(api: httpx.Client, name: str) -> None:
    source = {"asset_id": upload(api, FOLDER / name)}
    answer = api.post("/embed-v2/tasks", json=body("video", media_source=source))
    assert answer.status_code == 400
    assert "the file is audio" in answer.json()["message"]


@pytest.mark.parametrize("name", ["photo.jpg", "extraneous-byte.jpg", "no-eoi.jpg", "4 MiB of metadata"])
def test_an_image_is_embedded(api: httpx.Client, tmp_path: Path, name: str) -> None:
    path = FOLDER / name
    if not path.exists():
        photo, segment = (FOLDER / "photo.jpg").read_bytes(), b"\xff\xe1" + (65_002).to_bytes(2, "big") + bytes(65_000)
        path = tmp_path / "metadata.jpg"
        path.write_bytes(photo[:2] + segment * 70 + photo[2:])
    vectors = [
        np.array(
            api.post("/embed-v2", json=body("image", media_source={"asset_id": upload(api, one)})).json()["data"][0][
                "embedding"
            ]
        )
        for one in (path, FOLDER / "photo.jpg")
    ]
    assert vectors[0] @ vectors[1] > 0.99


def _pixels(jpeg: bytes) -> Any:
    with av.open(BytesIO(jpeg)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)
