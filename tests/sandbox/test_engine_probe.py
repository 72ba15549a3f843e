"""Properties of files of every kind, including unusual, broken and malicious ones."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.sandbox.special_files import blank_png, turned, with_pixel_aspect, write_raw
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.types import MediaError, MediaInfo
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.films import Scene, picture, save_image, write_film, write_picture, write_sound

SCENES = [Scene(sound="tone", seconds=1.5, motion="fast"), Scene(color="blue", sound="noise", seconds=1.5)]
SIZE = (160, 120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probe")


def refusal(path: Path, filename: str | None = None) -> MediaError:
    with pytest.raises(MediaError) as caught:
        probe(path, filename)
    return caught.value


@pytest.mark.parametrize(
    ("suffix", "mime_type", "codecs"),
    [
        ("mp4", "video/mp4", ("h264", "aac")),
        ("mov", "video/quicktime", ("h264", "aac")),
        ("mkv", "video/x-matroska", ("h264", "aac")),
        ("ts", "video/mp2t", ("h264", "aac")),
        ("avi", "video/x-msvideo", ("mpeg4", "mp3float")),
        ("mpg", "video/mpeg", ("mpeg2video", "mp2")),
        ("webm", "video/webm", ("vp8", "opus")),
        ("gif", "image/gif", ("gif", None)),
    ],
)
def test_videos_of_every_container(folder: Path, suffix: str, mime_type: str, codecs: tuple[str, str | None]) -> None:
    path = folder / f"video.{suffix}"
    write_film(path, SCENES, size=SIZE)
    info = probe(path)
    assert (info.kind, info.mime_type, info.width, info.height) == ("video", mime_type, *SIZE)
    assert (info.video_codec, info.audio_codec and info.audio_codec.removeprefix("lib")) == codecs
    assert info.duration == pytest.approx(3.0, abs=0.15)
    assert info.size == path.stat().st_size
    assert info.fps is not None
    assert info.fps >= 9


@pytest.mark.parametrize(
    ("suffix", "mime_type", "channels"),
    [
        ("wav", "audio/wav", 2),
        ("mp3", "audio/mpeg", 1),
        ("flac", "audio/flac", 2),
        ("ogg", "audio/ogg", 1),
        ("m4a", "audio/mp4", 6),
    ],
)
def test_audio_of_every_container(folder: Path, suffix: str, mime_type: str, channels: int) -> None:
    path = write_sound(folder / f"sound.{suffix}", SCENES, channels=channels)
    info = probe(path)
    assert (info.kind, info.mime_type, info.channels, info.width, info.fps) == (
        "audio",
        mime_type,
        channels,
        None,
        None,
    )
    assert info.duration == pytest.approx(3.0, abs=0.1)
    assert info.sample_rate in {32000, 48000}


def test_audio_with_a_cover_image_is_audio(folder: Path) -> None:
    cover = write_picture(folder / "cover.jpg", SCENES[0], size=(300, 300))
    info = probe(write_sound(folder / "song.mp3", SCENES, cover=cover))
    assert (info.kind, info.width, info.video_codec) == ("audio", None, None)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_images(folder: Path, suffix: str) -> None:
    info = probe(write_picture(folder / f"picture.{suffix}", SCENES[0], size=(200, 140)))
    kind = "jpeg" if suffix == "jpg" else "png"
    assert info == MediaInfo("image", f"image/{kind}", kind, info.size, width=200, height=140, video_codec=kind)


def test_a_gif_of_one_frame_is_an_image(folder: Path) -> None:
    write_film(folder / "one.gif", [Scene(seconds=0.1)], size=SIZE)
    info = probe(folder / "one.gif")
    assert (info.kind, info.mime_type, info.duration, info.width) == ("image", "image/gif", None, 160)


@pytest.mark.parametrize(("degrees", "size"), [(90, (120, 160)), (180, (160, 120)), (270, (120, 160))])
def test_a_rotated_video_has_its_display_size(folder: Path, degrees: int, size: tuple[int, int]) -> None:
    write_film(folder / "upright.mp4", SCENES[:1], size=SIZE)
    path = folder / f"turned{degrees}.mp4"
    path.write_bytes(turned((folder / "upright.mp4").read_bytes(), degrees))
    info = probe(path)
    assert (info.width, info.height) == size


def test_the_largest_track_counts(folder: Path) -> None:
    path = folder / "preview-first.mp4"
    with av.open(str(path), "w") as out:
        tracks: list[Any] = [out.add_stream("mpeg4", rate=10) for _ in range(3)]
        for track, (width, height) in zip(tracks, [(64, 48), SIZE, (96, 64)], strict=True):
            track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        for number in range(10):
            for track in tracks:
                frame = av.VideoFrame(track.width, track.height, "yuv420p")
                frame.pts = number
                out.mux(track.encode(frame))
        for track in tracks:
            out.mux(track.encode(None))
    assert (probe(path).width, probe(path).height) == SIZE


def test_the_size_of_a_growing_video_is_its_largest(folder: Path) -> None:
    for name, size in (("a", (96, 64)), ("b", SIZE)):
        write_film(folder / f"{name}.ts", SCENES, size=size, audio=False)
    path = folder / "grows.ts"
    path.write_bytes((folder / "a.ts").read_bytes() + (folder / "b.ts").read_bytes())
    assert (probe(path).width, probe(path).height) == SIZE


def test_the_displayed_size_counts_pixels_that_are_not_square(folder: Path) -> None:
    write_film(folder / "square.mp4", SCENES[:1], size=SIZE)
    path = with_pixel_aspect(folder / "square.mp4", folder / "wide.mkv", Fraction(4, 3))
    info = probe(path)
    assert (info.width, info.height, info.square_size) == (*SIZE, (213, 120))


def test_the_duration_counts_from_the_first_frame(folder: Path) -> None:
    for suffix in ("mkv", "mp4", "ts"):
        path = folder / f"late.{suffix}"
        write_film(path, SCENES, size=SIZE, start=5.0)
        assert probe(path).duration == pytest.approx(3.0, abs=0.15), suffix


def test_a_missing_duration_is_measured(folder: Path) -> None:
    for suffix, codec in (("aac", "aac"), ("h264", "libx264")):
        path = folder / f"raw.{suffix}"
        write_raw(path, codec)
        assert probe(path).duration == pytest.approx(2.0, abs=0.15), suffix


def test_a_truncated_audio_file_has_its_real_duration(folder: Path) -> None:
    content = write_sound(folder / "song.mp3", [Scene(sound="noise", seconds=8.0)]).read_bytes()
    (folder / "half.mp3").write_bytes(content[: len(content) // 2])
    assert probe(folder / "half.mp3").duration == pytest.approx(4.0, abs=0.3)


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("a.pdf", b"%PDF-1.7\n...", "application/pdf"),
        ("a.txt", "gr\u00fcn ".encode() * 2000, "text/plain"),
        ("a.md", b"# Title\n", "text/markdown"),
    ],
)
def test_documents_are_recognized(folder: Path, name: str, content: bytes, mime_type: str) -> None:
    path = folder / "upload"
    path.write_bytes(content)
    info = probe(path, filename=name)
    assert (info.kind, info.mime_type, info.duration) == ("document", mime_type, None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"this is no video\n" * 100),
        ("zeros.mp4", bytes(5000)),
        ("binary.txt", b"\0\1\2" * 100),
        ("latin1.txt", "gr\u00fcn".encode("latin-1") * 100),
    ],
)
def test_other_files_are_broken_media(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    assert refusal(path).code == "video_file_broken"


def test_text_of_another_encoding_is_named(folder: Path) -> None:
    path = folder / "utf16.txt"
    path.write_text("Two words.", encoding="utf-16")
    assert str(refusal(path)) == "The text is not valid UTF-8."


def test_playlist_does_not_open_other_files(folder: Path) -> None:
    write_film(folder / "secret.ts", SCENES, size=SIZE)
    for name, content in (
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.ts\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile secret.ts\n"),
    ):
        (folder / name).write_text(content)
        assert refusal(folder / name).code == "video_file_broken"


def test_an_image_is_refused_above_16384x16384_pixels_only(folder: Path) -> None:
    large = blank_png(folder / "large.png", 9_000, 8_000)
    assert (probe(large).width, probe(large).height) == (9_000, 8_000)
    embed_image(large)
    bomb = blank_png(folder / "bomb.png", 20_000, 16_000)
    assert refusal(bomb).code == "parameter_invalid"
    assert "268,435,456 pixels" in str(refusal(bomb))
    small = write_picture(folder / "small.jpg", SCENES[0], size=SIZE).read_bytes()
    place = small.index(b"\xff\xc0") + 5
    (folder / "bomb.jpg").write_bytes(small[:place] + struct.pack(">HH", 60_000, 60_000) + small[place + 4 :])
    assert "268,435,456 pixels" in str(refusal(folder / "bomb.jpg"))


APP1 = b"\xff\xe1" + struct.pack(">H", 65_002)


@pytest.mark.parametrize(
    "change",
    [
        lambda jpeg: jpeg[:-2],
        lambda jpeg: jpeg[:2] + b"\0" + jpeg[2:],
        lambda jpeg: jpeg[:2] + (APP1 + bytes(65_000)) * 70 + jpeg[2:],
        lambda jpeg: jpeg[:2] + APP1 + jpeg.ljust(65_000, b"\0") + jpeg[2:],
        lambda jpeg: jpeg + jpeg,
    ],
    ids=["no end marker", "stray byte", "4 MiB of metadata", "image in the metadata", "second image"],
)
def test_a_jpeg_that_viewers_show_is_embedded(folder: Path, change: Callable[[bytes], bytes]) -> None:
    plain = save_image(folder / "plain.jpg", picture(SCENES[0], 1.0, SIZE))
    path = folder / "odd.jpg"
    path.write_bytes(change(plain.read_bytes()))
    assert (probe(path).kind, probe(path).width, probe(path).height) == ("image", *SIZE)
    np.testing.assert_allclose(embed_image(path), embed_image(plain), atol=0.01)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("share", [0.0005, 0.02, 0.5])
def test_an_incomplete_image_is_refused(folder: Path, suffix: str, share: float) -> None:
    whole = save_image(folder / f"whole.{suffix}", picture(Scene(grain=9.0), 1.0)).read_bytes()
    path = folder / f"part.{suffix}"
    path.write_bytes(whole[: int(len(whole) * share) + 13])
    assert refusal(path).code == "parameter_invalid"


def test_messages_do_not_contain_the_path(folder: Path) -> None:
    path = folder / "private-name.mp4"
    path.write_bytes(b"nothing" * 50)
    assert "private-name" not in str(refusal(path))
