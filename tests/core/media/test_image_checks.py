"""Images: format and size come from the header alone, whatever is inside; limits are named with the value."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core import InputError, Media
from twelvelabs_core.base import limits
from twelvelabs_core.media.inspect import read_image_header
from twelvelabs_core.media.validate import check_image


def sparse(path: Path, size: int, start: bytes = b"x") -> Path:
    """Write a file of a size that takes no space."""
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
@pytest.mark.parametrize("step", [1, 7, 4096])
def test_the_size_of_an_image_is_read_from_its_header(data: bytes, step: int) -> None:
    header = read_image_header(data[at : at + step] for at in range(0, len(data), step))
    assert header is not None
    assert (header.width, header.height) == (640, 480)


def test_headers_of_real_pictures_are_read(media_folder: Path) -> None:
    for name, kind in (("picture.jpg", "JPEG"), ("picture.png", "PNG")):
        header = read_image_header(Media.of(media_folder / name).read_chunks(65_536))
        assert header == (kind, 480, 360)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]), st.integers(1, 40))
def test_no_bytes_break_the_header_reader(data: bytes, start: bytes, step: int) -> None:
    whole = start + data
    read_image_header(whole[at : at + step] for at in range(0, len(whole), step))


def test_a_header_that_never_comes_is_not_waited_for() -> None:
    fed = 0

    def endless() -> Iterator[bytes]:
        nonlocal fed
        yield b"\xff\xd8"
        while True:
            fed += 65_536
            yield segment(0xFE, 65_532)

    assert read_image_header(endless()) is None
    assert fed < 8 * 2**20


@pytest.mark.parametrize(("width", "height", "good"), [(128, 128, True), (127, 500, False), (500, 127, False)])
def test_the_least_size_of_an_image(width: int, height: int, good: bool) -> None:  # noqa: FBT001
    media = Media.of(png(width, height), source="p.png")
    if good:
        check_image(media)
        return
    with pytest.raises(InputError, match=rf"p\.png.*{width}x{height}.*128x128"):
        check_image(media)


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(200), b"RIFF0000WEBP" + bytes(99), b"<svg/>", b"\xff\xd8"])
def test_other_formats_and_stumps_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="JPEG or PNG"):
        check_image(Media.of(data))


def test_the_largest_image(tmp_path: Path) -> None:
    check_image(Media.of(sparse(tmp_path / "at.png", limits.IMAGE_MAX_BYTES, png(200, 200))))
    with pytest.raises(InputError, match=r"33,554,433 bytes.*33,554,432 \(32 MB\)"):
        check_image(Media.of(sparse(tmp_path / "over.png", limits.IMAGE_MAX_BYTES + 1, png(200, 200))))
