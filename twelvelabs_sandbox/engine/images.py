"""Decodes JPEG and PNG images, whose size is checked before decoding, and writes JPEG previews."""

import mmap
import re
import struct
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.video.frame import VideoFrame

from twelvelabs_sandbox.engine.container import (
    MAX_PIXELS,
    configure_decoder,
    decode_video,
    open_media,
    packets,
    seek,
    video_stream,
)
from twelvelabs_sandbox.engine.types import MediaError

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
# Frame headers: every SOF marker except DHT (C4), JPG (C8) and DAC (CC), which share the same interval of values.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
MAX_JPEG_MARKERS = 10_000
WIDTH = 320


def image_format(path: Path) -> str | None:
    """Return ``jpeg``, ``png``, ``webp``, ``bmp`` or ``tiff`` by the first bytes of a file, else None."""
    with path.open("rb") as file:
        head = file.read(12)
    return next((kind for kind, signature in SIGNATURES if re.match(signature, head, re.DOTALL)), None)


def decode_image(path: Path) -> VideoFrame:
    """Decode a JPEG or PNG file.

    Raises:
        MediaError: The file is neither JPEG nor PNG, is broken, or has more than `MAX_PIXELS` pixels (checked first).
    """
    kind = image_format(path)
    if kind not in {"jpeg", "png"}:
        raise MediaError("parameter_invalid", "The image is neither JPEG nor PNG.")
    width, height = _png_size(path) if kind == "png" else _jpeg_size(path)
    if width * height > MAX_PIXELS:
        message = f"The image has {width}x{height} pixels; at most {MAX_PIXELS:,} are decoded."
        raise MediaError("parameter_invalid", message)
    try:
        with open_media(path, f"{kind}_pipe") as container:
            stream = container.streams.video[0]
            configure_decoder(stream)
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
                # A marker may be preceded by fill bytes.
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
    """Return whether the end marker follows; without it FFmpeg fills the missing area with grey.

    Cameras may append data after the end marker.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.rfind(JPEG_END, file.tell()) >= 0


def preview_jpeg(path: Path, duration: float | None) -> bytes:
    """Return a JPEG, at most 320 pixels wide, of an image or of the middle of a video.

    Args:
        path: The file.
        duration: Duration of a video in seconds; None for an image.

    Raises:
        MediaError: The file has no video track, or no frame can be decoded.
    """
    with open_media(path) as container:
        video = video_stream(container)
        if video is None:
            raise MediaError("video_file_broken", "The file has no video track.")
        configure_decoder(video)
        seek(container, (duration or 0.0) / 2)
        frame = next(iter(decode_video(video, packets(container, video))), None)
        if frame is None:
            raise MediaError("video_file_broken", "No frame can be decoded.")
        return _jpeg(frame)


def _jpeg(frame: VideoFrame) -> bytes:
    width = min(WIDTH, frame.width) // 2 * 2 or 2
    height = round(frame.height * width / frame.width) // 2 * 2 or 2
    context = av.VideoCodecContext.create("mjpeg", "w")
    context.width, context.height = width, height
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
    small = frame.reformat(width, height, format=context.pix_fmt)
    small.pts = None
    return b"".join(bytes(packet) for packet in [*context.encode(small), *context.encode(None)])
