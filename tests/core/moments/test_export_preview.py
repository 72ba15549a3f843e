"""The preview of a video: playable in every browser, in sync with the video, and small enough for the page."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.sandbox.special_files import copied, damaged
from twelvelabs_core import InputError
from twelvelabs_core.moments.export import preview as previews
from twelvelabs_core.moments.export import write_preview
from twelvelabs_core.moments.export.frames import still
from twelvelabs_core.moments.export.preview import LADDER, MAX_BYTES, affordable
from twelvelabs_sandbox.films import COLORS, Scene, repeat_film, write_film

pytestmark = pytest.mark.slow

SCENES = [Scene("red", "white", seconds=3.0, sound="tone"), Scene("blue", "white", seconds=3.0, sound="tone")]
HOUR = 3600.0


def corner(jpeg: bytes, tmp_path: Path) -> tuple[int, int, tuple[int, ...]]:
    """Return width, height and the colour of the top left corner."""
    path = tmp_path / "still.jpg"
    path.write_bytes(jpeg)
    with av.open(str(path)) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    height, width = pixels.shape[:2]
    return width, height, tuple(int(value) for value in pixels[:8, :8].mean(axis=(0, 1)))


def as_is(path: Path) -> None:
    write_film(path, SCENES)


def silent(path: Path) -> None:
    write_film(path, SCENES, audio=False)


def late(path: Path) -> None:
    write_film(path, SCENES, start=7.5)


def six_channels(path: Path) -> None:
    write_film(path, SCENES, channels=6)


def uneven(path: Path) -> None:
    write_film(path, SCENES, jitter=True, fps=25)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi", "mpg", "webm", "ts", "mov"])
def test_any_container_becomes_h264_and_aac(tmp_path: Path, kind: str) -> None:
    assert_plays(tmp_path, as_is, kind, sound=True)


@pytest.mark.parametrize("write", [silent, late, six_channels, uneven])
def test_unusual_videos_keep_their_times(tmp_path: Path, write: Callable[[Path], None]) -> None:
    assert_plays(tmp_path, write, "mkv", sound=write is not silent)


def assert_plays(tmp_path: Path, write: Callable[[Path], None], kind: str, *, sound: bool) -> None:
    video = tmp_path / f"video.{kind}"
    write(video)
    seconds: list[float] = []
    preview = tmp_path / "preview.mp4"
    write_preview(video, preview, duration_sec=6.0, on_second=seconds.append)
    with av.open(str(preview)) as made:
        assert made.streams.video[0].codec_context.name == "h264"
        assert made.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert [stream.codec_context.name for stream in made.streams.audio] == ["aac"] * sound
        assert made.start_time == pytest.approx(0, abs=50_000)
        assert (made.duration or 0) / av.time_base == pytest.approx(6.0, abs=0.3)
    # With the index before the data, a browser can start and seek at once.
    written = preview.read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(6.0, abs=0.5)
    # Both show the same scene just before and just after the cut.
    for second, color in ((2.5, "red"), (3.5, "blue")):
        for source in (video, preview):
            assert corner(still(source, second), tmp_path)[2] == pytest.approx(COLORS[color], abs=25)


def with_small_track_first(path: Path) -> None:
    """Red and blue behind a small green track."""
    write_film(path.with_name("plain.mp4"), SCENES)
    write_film(path.with_name("small.mp4"), [Scene("green", "green", seconds=6.0)], size=(64, 48))
    with (
        av.open(str(path.with_name("small.mp4"))) as small,
        av.open(str(path.with_name("plain.mp4"))) as video,
        av.open(str(path), "w") as out,
    ):
        sources = [small.streams.video[0], *video.streams]
        tracks = [out.add_stream_from_template(source) for source in sources]
        for source, track in zip(sources, tracks, strict=True):
            source.container.seek(0)
            for packet in source.container.demux(source):
                if packet.size:
                    packet.stream = track
                    out.mux(packet)


def one_frame_damaged(path: Path) -> None:
    write_film(path.with_name("plain.mp4"), SCENES)
    copied(path.with_name("plain.mp4"), path, lambda packet, number: damaged(packet) if number == 10 else packet)


@pytest.mark.parametrize(("write", "kind"), [(with_small_track_first, "mp4"), (one_frame_damaged, "mkv")])
def test_small_tracks_and_damaged_packets_are_skipped(tmp_path: Path, write: Callable[[Path], None], kind: str) -> None:
    assert_plays(tmp_path, write, kind, sound=True)


CASES = Path(os.environ.get("TWELVELABS_CASES_DIR", ""))


@pytest.mark.skipif(
    not os.environ.get("TWELVELABS_CASES_DIR"), reason="TWELVELABS_CASES_DIR does not name the media of bug reports"
)
@pytest.mark.parametrize(
    "name",
    [
        "cover-first.mp4",
        "live-late.flv",
        "preview-track-first.mp4",
        "truncated.mkv",
        "unknown-track-first.mp4",
        "vp8-damaged-middle.webm",
        "vp9-no-first-keyframe.webm",
    ],
)
def test_media_of_bug_reports_are_shown(tmp_path: Path, name: str) -> None:
    """Each shows red, green and blue for four seconds each."""
    preview = tmp_path / "preview.mp4"
    write_preview(CASES / name, preview, duration_sec=12.0)
    for source in (CASES / name, preview):
        colors = [np.argmax(corner(still(source, second), tmp_path)[2]) for second in (1.0, 6.0, 8.3)]
        assert colors == [0, 1, 2]


@pytest.mark.parametrize(("degrees", "corner_color"), [(90, "blue"), (180, "blue"), (270, "red")])
def test_rotated_video_is_upright(tmp_path: Path, degrees: int, corner_color: str) -> None:
    """The stored frame is red above blue; rotated clockwise, its bottom left corner becomes the top left one."""
    video = tmp_path / "phone.mp4"
    write_halves(video)
    rotate(video, degrees)
    preview = tmp_path / "preview.mp4"
    write_preview(video, preview, duration_sec=2.0)
    upright = (240, 320) if degrees != 180 else (320, 240)
    for source in (video, preview):
        width, height, color = corner(still(source, 1.0), tmp_path)
        assert (width, height) == upright
        assert color == pytest.approx({"red": (254, 0, 0), "blue": (0, 0, 254)}[corner_color], abs=30)


def write_halves(path: Path) -> None:
    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[:120, :, 0], pixels[120:, :, 2] = 255, 255
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(20):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(stream.encode(None))


def rotate(path: Path, degrees: int) -> None:
    """Write a clockwise rotation into the track header, as phones do (ISO 14496-12, 8.3.2)."""
    one, minus = b"\x00\x01\x00\x00", b"\xff\xff\x00\x00"
    none, last = bytes(4), b"\x40\x00\x00\x00"
    matrices = {
        0: one + none + none + none + one + none + none + none + last,
        90: none + one + none + minus + none + none + none + none + last,
        180: minus + none + none + none + minus + none + none + none + last,
        270: none + minus + none + one + none + none + none + none + last,
    }
    data = path.read_bytes()
    at = data.index(b"tkhd")
    matrix = data.index(matrices[0], at)
    path.write_bytes(data[:matrix] + matrices[degrees] + data[matrix + 36 :])


def test_non_square_pixels_are_made_square(tmp_path: Path) -> None:
    video = tmp_path / "wide.mkv"
    with av.open(str(video), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        for _ in range(20):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((576, 720, 3), np.uint8), "rgb24")))
        out.mux(stream.encode(None))
    preview = tmp_path / "preview.mp4"
    write_preview(video, preview, duration_sec=2.0)
    width, height, _ = corner(still(preview, 1.0, width=2000), tmp_path)
    assert width / height == pytest.approx(16 / 9, abs=0.01)


def test_quality_decreases_with_the_length_of_the_video() -> None:
    lengths = [60.0, 300.0, 900.0, 1200.0, 1800.0, HOUR, 1.5 * HOUR, 4 * HOUR]
    best = [affordable(length, MAX_BYTES)[0] for length in lengths]
    assert best == sorted(best, key=LADDER.index)
    assert best[0] == LADDER[0]
    assert best[-1] == LADDER[-1]
    for length, quality in zip(lengths, best, strict=True):
        assert (quality.video_rate + quality.audio_rate) * length / 8 <= MAX_BYTES


def test_preview_of_a_long_video_fits_and_names_its_shortcomings(tmp_path: Path) -> None:
    short, video = tmp_path / "short.mkv", tmp_path / "video.mkv"
    write_film(short, [*SCENES, *SCENES], gop=20)
    runs = repeat_film(short, video, hours=0.1)
    with av.open(str(short)) as one:
        run = (one.duration or 0) / av.time_base + 0.1
    preview = tmp_path / "preview.mp4"
    quality = write_preview(video, preview, duration_sec=runs * run, max_bytes=MAX_BYTES // 10)
    assert preview.stat().st_size <= MAX_BYTES // 10
    assert quality.shortcomings == "shows keyframes only"
    with av.open(str(preview)) as made:
        # The gaps between the copies are kept, so that sound and picture stay in sync.
        lengths = [float((stream.duration or 0) * (stream.time_base or 0)) for stream in made.streams]
    assert lengths == pytest.approx([runs * run] * 2, abs=2.5)
    late = (runs - 2) * run
    assert corner(still(preview, late + 2.5), tmp_path)[2] == pytest.approx(COLORS["red"], abs=30)
    assert corner(still(preview, late + 5.5), tmp_path)[2] == pytest.approx(COLORS["blue"], abs=30)


def test_too_long_video_raises_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"32,400 s does not fit into 20,000,000 bytes"):
        write_preview(tmp_path / "not-even-opened.mp4", tmp_path / "preview.mp4", duration_sec=9 * HOUR)


def test_detailed_video_gets_the_next_lower_quality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video, preview = tmp_path / "video.mkv", tmp_path / "preview.mp4"
    write_film(video, [Scene("red", "white", "stripes", "fast", grain=9.0, seconds=4.0, sound="noise")])
    best = write_preview(video, preview, duration_sec=4.0)
    size = preview.stat().st_size
    monkeypatch.setattr(previews, "affordable", lambda *_: LADDER)
    smaller = write_preview(video, preview, duration_sec=4.0, max_bytes=size - 1)
    assert smaller != best
    assert preview.stat().st_size < size


def test_preview_is_replaced_only_by_a_complete_one(tmp_path: Path) -> None:
    video, preview = tmp_path / "video.mkv", tmp_path / "preview.mp4"
    write_film(video, SCENES)
    write_preview(video, preview, duration_sec=6.0)
    written = preview.read_bytes()
    video.write_bytes(b"not a video at all")
    with pytest.raises(InputError, match=r"cannot convert video\.mkv: Invalid data found"):
        write_preview(video, preview, duration_sec=6.0)
    assert preview.read_bytes() == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["preview.mp4", "video.mkv"]


def test_still_after_the_end_is_the_last_frame(tmp_path: Path) -> None:
    video = tmp_path / "video.mkv"
    write_film(video, SCENES)
    assert corner(still(video, 5.99), tmp_path)[2] == pytest.approx(COLORS["blue"], abs=25)
    assert corner(still(video, 60.0), tmp_path)[2] == pytest.approx(COLORS["blue"], abs=25)


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    write_film(tmp_path / "secret.mp4", SCENES[:1])
    playlist = tmp_path / "video.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError, match=r"cannot convert video\.m3u8: "):
        write_preview(playlist, tmp_path / "preview.mp4", duration_sec=3.0)
