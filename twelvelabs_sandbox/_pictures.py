"""Reads still pictures: JPEG and PNG files as one decoded frame, their size known before anything is decoded."""

import mmap
import re
import struct
from pathlib import Path
from typing import BinaryIO

from av.video.frame import VideoFrame

from twelvelabs_sandbox._media_values import MediaError
from twelvelabs_sandbox._opening import MAX_PIXELS, opened, prepare

SIGNATURES = (
    ("jpeg", b"\xff\xd8\xff"),
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("webp", b"RIFF....WEBP"),
    ("tiff", b"II\x2a\0|MM\0\x2a"),
    ("bmp", b"BM....\0\0\0\0"),
)
PNG_HEADER = struct.Struct(">12s4sII")  # signature and length, name of the first chunk, width, height
JPEG_LEAD, JPEG_END = b"\xff", b"\xff\xd9"
JPEG_FRAME = struct.Struct(">HBHH")  # length, precision, height, width
# Frame headers: every SOF marker except DHT (C4), JPG (C8) and DAC (CC), which share its range.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
MAX_JPEG_MARKERS = 10_000


def picture_format(path: Path) -> str | None:
    """Return ``jpeg``, ``png``, ``webp``, ``bmp`` or ``tiff`` by the file's first bytes, else None."""
    with path.open("rb") as file:
        head = file.read(12)
    return next((kind for kind, signature in SIGNATURES if re.match(signature, head, re.DOTALL)), None)


def load_picture(path: Path) -> VideoFrame:
    """Decode a JPEG or PNG file.

    Raises:
        MediaError: It is neither, it is broken, or it holds more than `MAX_PIXELS` pixels (then nothing is decoded).
    """
    kind = picture_format(path)
    if kind not in {"jpeg", "png"}:
        raise MediaError("parameter_invalid", "The image is neither JPEG nor PNG.")
    width, height = _png_size(path) if kind == "png" else _jpeg_size(path)
    if width * height > MAX_PIXELS:
        message = f"The image has {width}x{height} pixels; at most {MAX_PIXELS:,} are decoded."
        raise MediaError("parameter_invalid", message)
    try:
        with opened(path, f"{kind}_pipe") as container:
            stream = container.streams.video[0]
            prepare(stream)
            return next(container.decode(stream))
    except (MediaError, LookupError, StopIteration) as error:
        raise MediaError("parameter_invalid", f"The {kind.upper()} image is broken or incomplete.") from error


def _png_size(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        head = file.read(PNG_HEADER.size)
    if len(head) == PNG_HEADER.size:
        _, name, width, height = PNG_HEADER.unpack(head)
        if name == b"IHDR":
            return width, height
    raise MediaError("parameter_invalid", "The PNG image has no header.")


def _jpeg_size(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        file.seek(2)
        for _ in range(MAX_JPEG_MARKERS):
            lead, marker = file.read(1), file.read(1)
            if lead != JPEG_LEAD or not marker:
                break
            if marker == JPEG_LEAD:
                # Fill bytes may stand before a marker.
                file.seek(-1, 1)
            elif marker[0] not in JPEG_WITHOUT_LENGTH:
                segment = file.read(JPEG_FRAME.size)
                if len(segment) < JPEG_FRAME.size:
                    break
                length, _, height, width = JPEG_FRAME.unpack(segment)
                if marker[0] in JPEG_FRAMES and _is_complete(file):
                    return width, height
                file.seek(length - len(segment), 1)
    raise MediaError("parameter_invalid", "The JPEG image is incomplete.")


def _is_complete(file: BinaryIO) -> bool:
    """Say whether the end mark follows; FFmpeg would paint the missing part grey. Cameras may append more behind it."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.rfind(JPEG_END, file.tell()) >= 0
