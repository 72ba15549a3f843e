"""Files whose clock begins late, jumps or lies, and files with undecodable packets: times, shots, captions, preview."""

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.sandbox.special_files import copied, damaged, delayed
from tests.shared_media import shared_folder, write_once
from twelvelabs_sandbox.engine.captions import read_captions
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.images import preview_jpeg
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.types import ClipVector, Segmentation
from twelvelabs_sandbox.films import Scene, write_film

pytestmark = pytest.mark.slow  # long recordings are made for each test

SCENES = [
    Scene(color="red", pattern="stripes", sound="tone", seconds=4.2),
    Scene(color="blue", sound="noise", seconds=4.0),
    Scene(color="green", pattern="checkerboard", sound="music", seconds=4.0),
]
SHOTS = [(0.0, 4.2), (4.2, 8.2), (8.2, 12.2)]
CAPTIONS = [(0.5, 2.0, "kick off"), (9.0, 10.0, "first goal")]
SIZE = (240, 180)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shared, folder = shared_folder(tmp_path_factory, "clock"), tmp_path_factory.mktemp("clock")
    spoken = write_once(
        shared / "plain.mkv", lambda path: write_film(path, SCENES, size=SIZE, captions=CAPTIONS, gop=20)
    )
    plain = write_once(shared / "plain.mp4", lambda path: write_film(path, SCENES, size=SIZE, gop=20))
    for path in (spoken, plain):
        shutil.copy(path, folder)
    return folder


def embedded(path: Path, **window: float) -> list[ClipVector]:
    return embed_media(
        path,
        kind="video",
        **({"start": 0.0, "end": probe(path).duration or 0.0} | window),
        segmentation=Segmentation(min_sec=4),
        options=("visual", "audio"),
        scopes=("clip",),
        separate=True,
        fused=False,
    )


def clips(path: Path, **window: float) -> dict[str, list[Any]]:
    """Return (start, end) of the clips of each option."""
    found: dict[str, list[Any]] = {"visual": [], "audio": []}
    for clip in embedded(path, **window):
        found[str(clip.option)].append((clip.start, clip.end))
    return found


def near(bounds: list[tuple[float, float]]) -> list[Any]:
    return [pytest.approx(bound, abs=0.12) for bound in bounds]


def assert_same(path: Path, plain: Path) -> None:
    """Assert that a file has the clips and the vectors of another one."""
    assert probe(path).duration == pytest.approx(12.2, abs=0.12)
    assert clips(path) == {"visual": near(SHOTS), "audio": near(SHOTS)}
    for clip, other in zip(embedded(path), embedded(plain), strict=True):
        assert clip.vector @ other.vector > 0.9, (clip.start, clip.option)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "flv"])
def test_a_recording_that_begins_hours_late_begins_at_0(folder: Path, suffix: str) -> None:
    late = copied(folder / "plain.mp4", folder / f"late.{suffix}", lambda packet, _: delayed(packet, 18_000.0))
    assert_same(late, folder / "plain.mp4")


@pytest.mark.parametrize("jump", [90.0, 50_000.0])
@pytest.mark.parametrize("suffix", ["ts", "flv"])
def test_the_parts_of_a_joined_recording_follow_each_other(folder: Path, suffix: str, jump: float) -> None:
    def moved(packet: Any, _number: int) -> Any:
        return delayed(packet, 100.0 + (jump if packet.pts * packet.time_base >= 6.0 else 0.0))

    assert_same(copied(folder / "plain.mp4", folder / f"jump{jump:.0f}.{suffix}", moved), folder / "plain.mp4")


@pytest.mark.parametrize("start", [0.0, 3_000.0])
def test_a_joined_file_whose_clock_goes_back_has_both_parts(folder: Path, start: float) -> None:
    write_film(folder / "one.ts", SCENES[:1], size=SIZE, start=start)
    write_film(folder / "two.ts", SCENES[1:], size=SIZE)
    (folder / "both.ts").write_bytes((folder / "one.ts").read_bytes() + (folder / "two.ts").read_bytes())
    assert probe(folder / "both.ts").duration == pytest.approx(12.2, abs=0.4)
    assert clips(folder / "both.ts")["visual"] == [pytest.approx(shot, abs=0.4) for shot in SHOTS]


def test_captions_and_windows_are_on_the_same_clock_as_the_picture(folder: Path) -> None:
    def paused(packet: Any, _number: int) -> Any:
        return delayed(packet, 18_000.0 + (7_200.0 if packet.pts * packet.time_base >= 6.0 else 0.0))

    path = copied(folder / "plain.mkv", folder / "paused.mkv", paused)
    assert_same(path, folder / "plain.mkv")
    assert [text for _, _, text in read_captions(path)] == ["kick off", "first goal"]
    assert [at for at, _, _ in read_captions(path)] == near([0.5, 9.0])  # type: ignore[list-item]
    assert clips(path, start=7.0, end=12.0) == {"visual": [(7.0, 12.0)], "audio": [(7.0, 12.0)]}
    whole, window = embedded(path)[-1].vector, embedded(path, start=8.2, end=12.2)[-1].vector
    assert whole @ window > 0.9


def test_a_pause_of_minutes_is_kept_where_a_picture_may_stand_still(folder: Path) -> None:
    path = copied(
        folder / "plain.mkv",
        folder / "still.mkv",
        lambda packet, _: delayed(packet, 600.0 if packet.pts * packet.time_base >= 6.0 else 0.0),
    )
    assert probe(path).duration == pytest.approx(612.2, abs=0.12)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libx264"])
@pytest.mark.parametrize("fault", ["first keyframe missing", "first packet damaged"])
def test_undecodable_packets_are_skipped(folder: Path, codec: str, fault: str) -> None:
    plain = folder / f"{codec}.mkv"
    if not plain.exists():
        _write(plain, codec)

    def broken(packet: Any, number: int) -> Any:
        if packet.stream.type != "video" or number:
            return packet
        return damaged(packet) if fault == "first packet damaged" else None

    path = copied(plain, folder / f"{codec}-{fault[6:9]}.mkv", broken)
    assert (probe(path).width, probe(path).height) == SIZE
    assert clips(path)["visual"] == near(SHOTS)


def test_a_preview_shows_the_nearest_picture_that_can_be_decoded(folder: Path) -> None:
    path = copied(
        folder / "plain.mp4",
        folder / "second-half-damaged.mkv",
        lambda packet, number: damaged(packet) if packet.stream.type == "video" and number >= 60 else packet,
    )
    assert preview_jpeg(path, 12.2).startswith(b"\xff\xd8")


def test_a_preview_shows_the_middle_of_a_joined_recording(folder: Path) -> None:
    def moved(packet: Any, _number: int) -> Any:
        return delayed(packet, 3_000.0 if packet.pts * packet.time_base >= 3.0 else 0.0)

    path = copied(folder / "plain.mp4", folder / "preview.ts", moved)
    decoder: Any = av.CodecContext.create("mjpeg", "r")
    pixels = decoder.decode(av.Packet(preview_jpeg(path, 12.2)))[0].to_ndarray(format="rgb24")
    assert np.argmax(pixels.reshape(-1, 3).mean(axis=0)) == 2  # blue


def _write(path: Path, codec: str) -> None:
    """Write the scenes with a keyframe every two seconds."""
    with av.open(str(path), "w", format="matroska") as out:
        quick = {} if codec == "libx264" else {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        video: Any = out.add_stream(codec, rate=10, options=quick)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.codec_context.gop_size, video.codec_context.max_b_frames, video.codec_context.thread_count = 20, 0, 1
        with av.open(str(path.with_name("plain.mp4"))) as film:
            for frame in film.decode(video=0):
                frame.pict_type = 0
                out.mux(video.encode(frame))
        out.mux(video.encode(None))
