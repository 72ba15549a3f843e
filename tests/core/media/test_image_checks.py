"""Images: format and size are read from the header, and refusals contain the limit and the value."""

import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core import InputError, Media
from twelvelabs_core.base import limits
from twelvelabs_core.media.formats import IMAGE_HEADER_BYTES, read_image_header
from twelvelabs_core.media.validate import check_image


def sparse(path: Path, size: int, start: bytes = b"x") -> Path:
    """Write a sparse file: `size` bytes that take no disk space."""
    path.write_bytes(start)
    os.truncate(path, size)
    return path


def png(width: int, height: int, extra: bytes = b"") -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + extra


def jpeg(width: int, height: int, before: bytes = b"", marker: int = 0xC0) -> bytes:
    frame = struct.pack(">HHBHHB", 0xFF00 | marker, 17, 8, height, width, 3)
    return b"\xff\xd8" + before + frame + b"\x00" * 9 + b"\xff\xd9"


def segment(marker: int, length: int) -> bytes:
    return struct.pack(">HH", 0xFF00 | marker, length + 2) + b"\x00" * length


THUMBNAIL = struct.pack(">HH", 0xFFE1, 2 + len(jpeg(64, 64))) + jpeg(64, 64)  # a JPEG inside the metadata of another


@pytest.mark.parametrize(
    "data",
    [
        jpeg(640, 480),
        jpeg(640, 480, segment(0xE0, 14) + segment(0xFE, 20_000)),
        jpeg(640, 480, THUMBNAIL),
        jpeg(640, 480, segment(0xC4, 30), marker=0xC2),
        jpeg(640, 480, b"\xff" * 7),
        png(640, 480),
    ],
    ids=["plain", "metadata", "thumbnail", "progressive", "fill bytes", "png"],
)
def test_size_is_read_from_the_header(data: bytes) -> None:
    header = read_image_header(data)
    assert header is not None
    assert header.size == (640, 480)


def test_headers_of_encoded_images_are_read(media_folder: Path) -> None:
    for name, kind in (("picture.jpg", "JPEG"), ("picture.png", "PNG")):
        assert read_image_header((media_folder / name).read_bytes()) == (kind, (480, 360))


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_the_header_reader_accepts_any_bytes(data: bytes, start: bytes) -> None:
    read_image_header(start + data)


@pytest.mark.parametrize(
    "data",
    [
        jpeg(100, 100, segment(0xFE, 65_000) * 70),  # 4.5 MB of metadata
        jpeg(100, 100, segment(0xE0, 14) + b"\x00\x00"),  # decoders skip bytes between segments
        jpeg(100, 100, b"\x00"),
        jpeg(0, 0),  # its height follows the picture
        b"\xff\xd8\x00\x00" + bytes(100),
        b"\xff\xd8" + b"\xff" * 2**22,
        b"\x89PNG\r\n\x1a\n" + bytes(8) + b"CgBI" + bytes(16),  # Apple's variant of PNG
    ],
    ids=["long metadata", "extra bytes", "extra byte", "no size", "no marker", "fill bytes", "png variant"],
)
def test_an_image_of_unknown_size_is_left_to_the_server(data: bytes) -> None:
    header = read_image_header(data[:IMAGE_HEADER_BYTES])
    assert header is not None
    assert header.size is None
    check_image(Media.of(data))


@pytest.mark.parametrize(("width", "height", "good"), [(128, 128, True), (127, 500, False), (500, 127, False)])
def test_the_minimum_size_of_an_image(width: int, height: int, good: bool) -> None:  # noqa: FBT001
    media = Media.of(png(width, height), source="p.png")
    if good:
        check_image(media)
        return
    with pytest.raises(InputError, match=rf"p\.png.*{width}x{height}.*128x128"):
        check_image(media)


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(200), b"RIFF0000WEBP" + bytes(99), b"<svg/>", b"\xff"])
def test_other_formats_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="JPEG or PNG"):
        check_image(Media.of(data))


def test_the_maximum_file_size_of_an_image(tmp_path: Path) -> None:
    check_image(Media.of(sparse(tmp_path / "at.png", limits.IMAGE_MAX_BYTES, png(200, 200))))
    with pytest.raises(InputError, match=r"33,554,433 bytes.*33,554,432 \(32 MB\)"):
        check_image(Media.of(sparse(tmp_path / "over.png", limits.IMAGE_MAX_BYTES + 1, png(200, 200))))
