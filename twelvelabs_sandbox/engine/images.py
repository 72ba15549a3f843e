"""Decodes JPEG and PNG images, and writes JPEG previews."""

import re
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame

from twelvelabs_sandbox.engine.container import configure_decoder, decode_video, open_media, video_stream
from twelvelabs_sandbox.engine.packets import packets, timed_packets
from twelvelabs_sandbox.engine.types import MediaError

SIGNATURES = (
    ("jpeg", b"\xff\xd8"),
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("webp", b"RIFF....WEBP"),
    ("tiff", b"II\x2a\0|MM\0\x2a"),
    ("bmp", b"BM....\0\0\0\0"),
)
DECODERS = {"jpeg": "mjpeg", "png": "png"}
# 16384x16384, more than any phone takes; the vendor documents no limit. A decoded image of that size needs 1 GB.
MAX_IMAGE_PIXELS = 2**28
WIDTH = 320


def image_format(path: Path) -> str | None:
    """Return ``jpeg``, ``png``, ``webp``, ``bmp`` or ``tiff`` by the first bytes of a file, else None."""
    with path.open("rb") as file:
        head = file.read(12)
    return next((kind for kind, signature in SIGNATURES if re.match(signature, head, re.DOTALL)), None)


def decode_image(path: Path) -> VideoFrame:
    """Decode a JPEG or PNG file.

    Raises:
        MediaError: The file is neither JPEG nor PNG, is broken, or has more than `MAX_IMAGE_PIXELS` pixels.
    """
    kind = image_format(path)
    if kind not in DECODERS:
        raise MediaError("parameter_invalid", "The image is neither JPEG nor PNG.")
    decoder: Any = av.VideoCodecContext.create(DECODERS[kind], "r")
    # Without the second option, FFmpeg fills what is missing of a JPEG with grey.
    decoder.options = {"max_pixels": str(MAX_IMAGE_PIXELS), "err_detect": "explode"}
    try:
        # Without a demuxer, which would end an image at the end marker of a thumbnail inside it.
        frame: VideoFrame = [*decoder.decode(av.Packet(path.read_bytes())), *decoder.decode(None)][0]
    except (av.error.FFmpegError, IndexError) as error:
        message = f"The {kind.upper()} image is broken, incomplete, or larger than {MAX_IMAGE_PIXELS:,} pixels."
        raise MediaError("parameter_invalid", message) from error
    return frame


def preview_jpeg(path: Path, duration: float | None) -> bytes:
    """Return a JPEG, at most 320 pixels wide, of an image or of the middle of a video.

    Args:
        path: The file.
        duration: Duration of a video in seconds; None for an image.

    Raises:
        MediaError: The file has no video track, or no frame can be decoded.
    """
    since = _last_keyframe(path, (duration or 0.0) / 2)
    # After a damaged group of frames there may be none to show; then the first of the file is shown.
    frame = _first_frame(path, since) or _first_frame(path, 0.0)
    if frame is None:
        raise MediaError("video_file_broken", "No frame can be decoded.")
    return _jpeg(frame)


def _last_keyframe(path: Path, second: float) -> float:
    """Return the start of the last keyframe before a second; 0 if there is none."""
    with open_media(path) as container:
        video = video_stream(container)
        if video is None:
            raise MediaError("video_file_broken", "The file has no video track.")
        until = takewhile(lambda timed: timed.begin <= second, timed_packets(container, video))
        return max((timed.begin for timed in until if timed.packet.is_keyframe), default=0.0)


def _first_frame(path: Path, since: float) -> VideoFrame | None:
    with open_media(path) as container:
        video = video_stream(container)
        if video is None:
            return None
        configure_decoder(video)
        return next(decode_video(video, packets(container, video, since=since)), None)


def _jpeg(frame: VideoFrame) -> bytes:
    width = min(WIDTH, frame.width) // 2 * 2 or 2
    height = round(frame.height * width / frame.width) // 2 * 2 or 2
    context = av.VideoCodecContext.create("mjpeg", "w")
    context.width, context.height = width, height
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
    small = frame.reformat(width, height, format=context.pix_fmt)
    small.pts = None
    return b"".join(bytes(packet) for packet in [*context.encode(small), *context.encode(None)])
