"""Clips begin and end with the moment's frames, measured by numbers in the frames of a generated video."""

import os
import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest

from tests.core.moments.test_export_preview import rotate
from twelvelabs_core import Hit, InputError, Moment
from twelvelabs_core.moments.export import moments_to_html, write_clip, write_thumbnail
from twelvelabs_sandbox.films import COLORS, Scene, write_film, write_picture, write_sound

BITS = 9
SECONDS = 12.0
RATE = 48_000
CLOCK = Fraction(1, 90_000)


class Part(NamedTuple):
    """A part of a file, as a caller without a `Moment` may have it."""

    source: str
    start_sec: float
    end_sec: float


def write_numbered(
    path: Path, times: Sequence[float], *, size: tuple[int, int] = (288, 160), start: float = 0.0, sound: bool = True
) -> None:
    """Write a video with one keyframe, whose frames show their numbers as bars, with a tone that rises each second."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"g": "1000", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt, video.codec_context.time_base = *size, "yuv420p", CLOCK
        audio = out.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for number, second in enumerate(times):
            pixels = np.zeros((size[1], size[0]), np.uint8)
            for bit in range(BITS):
                pixels[:, bit * size[0] // BITS : (bit + 1) * size[0] // BITS] = 235 if number >> bit & 1 else 16
            frame = av.VideoFrame.from_ndarray(pixels, "gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = round((second + start) / CLOCK), CLOCK
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio:
            samples = np.arange(round(SECONDS * RATE))
            tone = np.sin(2 * np.pi * samples / RATE * 100 * (1 + samples // RATE)).astype(np.float32)
            for at in range(0, len(tone), 1024):
                block = av.AudioFrame.from_ndarray(tone[None, at : at + 1024], "fltp", "mono")
                block.sample_rate, block.pts, block.time_base = RATE, at + round(start * RATE), Fraction(1, RATE)
                out.mux(audio.encode(block))
            out.mux(audio.encode(None))


def shown(path: Path) -> list[tuple[float, int]]:
    """Return the time of each frame of a clip, and the number that it shows."""
    with av.open(str(path)) as clip:
        found = []
        for frame in clip.decode(video=0):
            pixels = frame.to_ndarray(format="gray")
            middles = [pixels[pixels.shape[0] // 2, int((bit + 0.5) * pixels.shape[1] / BITS)] for bit in range(BITS)]
            found.append((float(frame.time or 0.0), sum(int(value > 128) << bit for bit, value in enumerate(middles))))
        return found


def lengths(path: Path) -> dict[str, float]:
    """Return the length of each track in seconds."""
    with av.open(str(path)) as clip:
        return {track.type: float((track.duration or 0) * (track.time_base or 0)) for track in clip.streams}


EVEN = [number / 25 for number in range(round(SECONDS * 25))]
NTSC = [number * 1001 / 30_000 for number in range(359)]
# Two of three frames, and one that is shown for four seconds.
UNEVEN = [second for number, second in enumerate(EVEN) if number % 3 != 1 and not 100 < number < 200]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "name", "start"),
    [
        (EVEN, "video.mp4", 0.0),
        (EVEN, "late.mkv", 7.5),
        (EVEN, "stream.ts", 1.4),
        (NTSC, "ntsc.mov", 0.0),
        (UNEVEN, "uneven.mkv", 0.0),
    ],
    ids=["mp4", "late", "ts", "ntsc", "uneven"],
)
def test_clip_has_the_frames_of_the_moment_at_their_times(
    tmp_path: Path, times: list[float], name: str, start: float
) -> None:
    has_sound = not name.endswith(".ts")  # there AAC begins some milliseconds before the first frame
    write_numbered(tmp_path / name, times, start=start, sound=has_sound)
    ends = [*times[1:], SECONDS]
    for first, last in ((0.0, 1.5), (3.21, 4.52), (4.5, 7.0), (10.044, 12.0), (11.0, 30.0)):
        clip = write_clip(Part(str(tmp_path / name), first, last), tmp_path / "clip.mp4")
        expected = [
            (number, max(begin - first, 0.0))
            for number, (begin, end) in enumerate(zip(times, ends, strict=True))
            if begin < last - 0.001 and end > first + 0.001
        ]
        found = shown(clip)
        assert [number for _, number in found] == [number for number, _ in expected], (first, last)
        assert [second for second, _ in found] == pytest.approx([second for _, second in expected], abs=0.0011)
        length = pytest.approx(min(last, SECONDS) - first, abs=0.05)
        assert lengths(clip) == {"video": length, "audio": length} if has_sound else {"video": length}


def test_sound_is_cut_with_the_picture(tmp_path: Path) -> None:
    """The tone is 400 Hz from second 3 to 4 and 500 Hz from there on."""
    write_numbered(tmp_path / "video.mp4", EVEN)
    clip = write_clip(Part(str(tmp_path / "video.mp4"), 3.5, 4.5), tmp_path / "clip.mp4")
    samples, rate = sound_of(clip)
    assert pitch(samples[: rate // 2 - 1000], rate) == pytest.approx(400, abs=5)
    assert pitch(samples[rate // 2 + 1000 : rate], rate) == pytest.approx(500, abs=5)


def sound_of(path: Path) -> tuple[Any, int]:
    with av.open(str(path)) as clip:
        blocks = [frame.to_ndarray()[0] for frame in clip.decode(audio=0)]
        return np.concatenate(blocks), clip.streams.audio[0].rate


def pitch(samples: Any, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


def test_video_without_sound_and_odd_sides(tmp_path: Path) -> None:
    write_numbered(tmp_path / "plain.mp4", EVEN[:50], sound=False)
    odd = tmp_path / "odd.mkv"
    with av.open(str(tmp_path / "plain.mp4")) as source, av.open(str(odd), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 287, 159, "yuv444p"
        for frame in source.decode(video=0):
            out.mux(video.encode(frame.reformat(287, 159, "yuv444p")))
        out.mux(video.encode(None))
    clip = write_clip(Part(str(odd), 1.0, 1.4), tmp_path / "clip.mp4")
    assert [number for _, number in shown(clip)] == [*range(25, 35)]
    with av.open(str(clip)) as made:
        assert [(track.type, track.codec_context.name) for track in made.streams] == [("video", "h264")]
        assert made.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert abs(made.streams.video[0].width - 287) <= 1


def test_rotated_video_becomes_upright(tmp_path: Path) -> None:
    write_numbered(tmp_path / "phone.mp4", EVEN[:50])
    rotate(tmp_path / "phone.mp4", 90)
    clip = write_clip(Part(str(tmp_path / "phone.mp4"), 0.4, 1.0), tmp_path / "clip.mp4")
    with av.open(str(clip)) as made:
        (first, *_) = frames = list(made.decode(video=0))
        assert (first.width, first.height, first.rotation) == (160, 288, 0)
        # Rotated clockwise, the bar of the lowest bit is the top one.
        numbers = [
            sum(int(frame.to_ndarray(format="gray")[16 + 32 * bit, 80] > 128) << bit for bit in range(BITS))
            for frame in frames
        ]
    assert numbers == [*range(10, 25)]


@pytest.mark.parametrize("degrees", [0, 90])
def test_colours_and_what_they_mean_are_kept(tmp_path: Path, degrees: int) -> None:
    """HDR of BT.2020 and PQ; a conversion by way of RGB would change the values."""
    meaning = {"color_primaries": 9, "color_trc": 16, "colorspace": 9}
    path = tmp_path / "video.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"crf": "1"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        for name, value in meaning.items():
            setattr(video.codec_context, name, value)
        for _ in range(10):
            frame = av.VideoFrame(320, 240, "yuv420p")
            for plane, value in zip(frame.planes, (120, 90, 180), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    rotate(path, degrees)
    with av.open(str(write_clip(Part(str(path), 0.0, 0.4), tmp_path / "clip.mp4"))) as clip:
        context = clip.streams.video[0].codec_context
        assert {name: getattr(context, name) for name in meaning} == meaning
        pixels = next(clip.decode(video=0)).to_ndarray().ravel()
    luma, blue, red = pixels[: 320 * 240], pixels[320 * 240 : 320 * 300], pixels[320 * 300 :]
    assert [round(float(plane.mean())) for plane in (luma, blue, red)] == [120, 90, 180]


@pytest.mark.parametrize("name", ["talk.wav", "talk.mp3", "talk.m4a"])
def test_sound_alone_becomes_m4a(tmp_path: Path, name: str) -> None:
    write_sound(tmp_path / name, [Scene("red", sound="tone"), Scene("red", sound="noise")])
    clip = write_clip(Part(str(tmp_path / name), 2.0, 5.5), tmp_path / "clip.m4a")
    assert lengths(clip) == {"audio": pytest.approx(3.5, abs=0.05)}
    with av.open(str(clip)) as made:
        assert made.streams.audio[0].codec_context.name == "aac"


def test_m4a_of_a_video_is_its_sound(tmp_path: Path) -> None:
    write_numbered(tmp_path / "video.mp4", EVEN)
    clip = write_clip(Part(str(tmp_path / "video.mp4"), 3.0, 4.0), tmp_path / "clip.m4a")
    assert lengths(clip) == {"audio": pytest.approx(1.0, abs=0.05)}


def test_thumbnail_shows_the_best_second(tmp_path: Path) -> None:
    write_film(tmp_path / "video.mkv", [Scene(color, "white", seconds=4.0) for color in ("red", "green", "blue")])
    moment = Hit(None, str(tmp_path / "video.mkv"), start_sec=4.0, end_sec=8.0)
    assert corner(write_thumbnail(moment, tmp_path / "one.jpg")) == pytest.approx(COLORS["green"], abs=25)
    best = type("Best", (), {"source": str(tmp_path / "video.mkv"), "start_sec": 4.0, "end_sec": 12.0, "best_sec": 9.0})
    assert corner(write_thumbnail(best(), tmp_path / "two.jpg", width=120)) == pytest.approx(COLORS["blue"], abs=25)
    with av.open(str(tmp_path / "two.jpg")) as picture:
        assert picture.streams.video[0].width == 120


def corner(path: Path) -> list[int]:
    with av.open(str(path)) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    return [int(value) for value in pixels[:8, :8].mean(axis=(0, 1))]


def test_cover_is_neither_clip_nor_thumbnail(tmp_path: Path) -> None:
    cover = write_picture(tmp_path / "cover.jpg", Scene("green", "green"))
    write_sound(tmp_path / "song.mp3", [Scene("red", sound="tone")], cover=cover)
    part = Part(str(tmp_path / "song.mp3"), 1.0, 3.0)
    assert set(lengths(write_clip(part, tmp_path / "clip.mp4"))) == {"audio"}
    with pytest.raises(InputError, match=r"cannot take a picture of song\.mp3: it has no video"):
        write_thumbnail(part, tmp_path / "song.jpg")
    assert not (tmp_path / "song.jpg").exists()


def test_before_the_first_frame_that_frame_is_shown(tmp_path: Path) -> None:
    write_numbered(tmp_path / "video.mp4", [second for second in EVEN if second >= 4])
    assert shown(write_clip(Part(str(tmp_path / "video.mp4"), 0.5, 2.0), tmp_path / "clip.mp4")) == [(0.0, 0)]
    assert lengths(tmp_path / "clip.mp4") == {"video": pytest.approx(1.5), "audio": pytest.approx(1.5, abs=0.05)}
    found = shown(write_clip(Part(str(tmp_path / "video.mp4"), 3.0, 5.0), tmp_path / "clip.mp4"))
    assert found[:3] == [(0.0, 0), (pytest.approx(1.0), 0), (pytest.approx(1.04), 1)]
    assert found[-1] == (pytest.approx(1.96), 24)


def test_title_in_another_encoding_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "video.mkv"
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "title GRUEN"
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(25):
            out.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")))
        out.mux(video.encode(None))
    path.write_bytes(path.read_bytes().replace(b"GRUEN", b"GR\xfcN "))
    assert lengths(write_clip(Part(str(path), 0.0, 0.4), tmp_path / "clip.mp4")) == {"video": pytest.approx(0.4)}


def test_media_names_the_file_of_a_url(tmp_path: Path) -> None:
    write_numbered(tmp_path / "copy.mp4", EVEN[:50])
    for url in ("https://example.com/video.mp4", f"https://example.com/{'v' * 5000}.mp4"):
        part = Part(url, 0.0, 1.0)
        with pytest.raises(InputError, match=rf"cannot read {re.escape(url)}: no such file; give .* media="):
            write_clip(part, tmp_path / "clip.mp4")
        page = moments_to_html({"red": [Moment("id", url, "video.mp4", 0.0, 1.0, 1.0, None, {}, (Hit("id"),))]})
        assert "<img src" not in page
    assert len(shown(write_clip(part, tmp_path / "clip.mp4", media=tmp_path / "copy.mp4"))) == 25


def test_a_source_and_a_target_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_film(tmp_path / "video.mkv", [Scene("red", seconds=4.0)])
    part = Part("~/video.mkv", 0.0, 2.0)
    assert write_thumbnail(part, "~/picture.jpg") == tmp_path / "picture.jpg"
    assert corner(tmp_path / "picture.jpg") == pytest.approx(COLORS["red"], abs=25)
    moment = Moment("id", part.source, "video.mkv", 0.0, 2.0, 1.0, None, {}, (Hit("id"),))
    assert "<img src" in moments_to_html({"red": [moment]})


def test_what_cannot_be_cut_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    write_numbered(video, EVEN[:50], sound=False)
    (tmp_path / "text.mp4").write_text("not a video")
    before = write_clip(Part(str(video), 0.0, 1.0), tmp_path / "clip.mp4").read_bytes()
    refused = [
        (Part(str(video), 3.0, 4.0), "clip.mp4", r"video\.mp4 has nothing from 3\.000 to 4\.000 s"),
        (Part(str(video), 2.0, 2.0), "clip.mp4", r"cannot cut video\.mp4 from 2\.0 to 2\.0 s"),
        (Part(str(video), 0.0, float("nan")), "clip.mp4", "cannot cut"),
        (Part(str(video), 0.0, 1.0), "clip.avi", r"must end in \.mp4 or \.m4a, got 'clip\.avi'"),
        (Part(str(video), 0.0, 1.0), "clip.m4a", r"has no track of sound"),
        (Part(str(video), 0.0, 1.0), "no/clip.mp4", r"its parent is not a folder"),
        (Part(str(tmp_path / "text.mp4"), 0.0, 1.0), "clip.mp4", r"cannot convert text\.mp4: Invalid data"),
        (Part(str(tmp_path), 0.0, 1.0), "clip.mp4", "no such file"),
        (Part(str(video), 0.0, 1.0), f"{'c' * 300}.mp4", "cannot write .*File name too long"),
        (Part(str(video), 0.0, 1.0), "c\0.mp4", "cannot write .*null"),
    ]
    for part, name, message in refused:
        with pytest.raises(InputError, match=message):
            write_clip(part, tmp_path / name)
    assert (tmp_path / "clip.mp4").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "text.mp4", "video.mp4"]


def test_a_picture_needs_times_and_a_folder_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = tmp_path / "video.mp4"
    write_numbered(video, EVEN[:50], sound=False)
    for start, end in ((0.0, 0.0), (-1.0, 3.0), (2.0, float("inf"))):
        with pytest.raises(InputError, match=r"cannot take a picture of video\.mp4 from .* needs a start"):
            write_thumbnail(Part(str(video), start, end), tmp_path / "picture.jpg")
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK | os.X_OK)  # root may write everywhere
    with pytest.raises(InputError, match=r"cannot write .*picture\.jpg: its folder cannot be written"):
        write_thumbnail(Part(str(video), 0.0, 1.0), tmp_path / "picture.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


@pytest.mark.slow
def test_a_late_moment_of_a_long_video_reads_only_its_part(tmp_path: Path) -> None:
    times = [second + shift for shift in (0.0, SECONDS) for second in EVEN]
    write_numbered(tmp_path / "video.mkv", times)
    found = shown(write_clip(Part(str(tmp_path / "video.mkv"), 20.0, 20.4), tmp_path / "clip.mp4"))
    assert [number for _, number in found] == [number % 2**BITS for number in range(500, 510)]
    assert all(second < other for (second, _), (other, _) in pairwise(found))
