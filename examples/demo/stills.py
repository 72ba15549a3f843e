"""Takes still pictures from a video, upright and with square pixels."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.stream import Disposition

CLOCK = Fraction(1, 1000)
OPEN_TIMEOUT_SEC = 30.0
SHORTER_JUMP_SEC = 15.0


class StillError(Exception):
    """The video has no frame at that second, or cannot be read."""


def still(video: str, second: float, width: int = 480) -> bytes:
    """Return the frame that a video shows at a second, as JPEG.

    Args:
        video: Path or URL.
        second: From the start of the video.
        width: Maximum width in pixels.

    Raises:
        StillError: The video has no frame at that second, or cannot be read.
    """
    try:
        with av.open(video, timeout=OPEN_TIMEOUT_SEC) as source:
            track = picture_track(source)
            frame, aspect = _frame_at(source, track, second), pixel_aspect(track)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise StillError(f"no picture at {second:.1f} s: {type(error).__name__}") from error
    if frame is None:
        raise StillError(f"no picture at {second:.1f} s")
    return _jpeg(upright(frame, aspect, max_width=width))


def _frame_at(source: Any, track: Any, second: float) -> Any:
    """Return the last frame that begins before a second, or else the first frame of the video, or None."""
    # Without an index, a seek may land after its target; then seek to an earlier time, and finally to the start.
    for earlier in (0.0, SHORTER_JUMP_SEC, second):
        shown = None
        for frame in _frames_from(source, track, second - earlier):
            if (frame.time or 0.0) - start_of(source) > second:
                break
            shown = frame
        if shown is not None:
            return shown
    return next(_frames_from(source, track, 0.0), None)


def _frames_from(source: Any, track: Any, second: float) -> Iterator[Any]:
    source.seek(round((start_of(source) + max(second, 0.0)) * av.time_base))
    for packet in source.demux(track):
        yield from frames(packet)


def picture_track(source: Any) -> Any:
    """Return the largest video track that can be decoded; the first one may be a cover or a small preview.

    Raises:
        StillError: There is none.
    """
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    tracks = [one for one in source.streams.video if one.codec_context and not one.disposition & covers]
    if not tracks:
        raise StillError("the video has no track that can be decoded")
    track = max(tracks, key=lambda one: one.codec_context.width * one.codec_context.height)
    # The frame threads of VP9 stop accepting packets after a few that cannot be decoded.
    track.codec_context.thread_type = "SLICE" if track.codec_context.name == "vp9" else "AUTO"
    return track


def frames(packet: Any) -> Iterator[Any]:
    """Yield the frames of a packet; none if it is damaged."""
    with contextlib.suppress(av.error.FFmpegError):
        yield from packet.decode()


def start_of(source: Any) -> float:
    """Return the first timestamp of a video in seconds; the times of moments are relative to it."""
    return float((source.start_time or 0) / av.time_base)


def pixel_aspect(video: Any) -> float:
    """Return the pixel aspect ratio (width / height) of a track."""
    return float(video.sample_aspect_ratio or 1)


def upright(frame: Any, aspect: float, *, max_height: int | None = None, max_width: int | None = None) -> Any:
    """Return a frame rotated upright, with square pixels, scaled down if it is larger than the maximum size."""
    is_rotated = frame.rotation % 180 != 0
    width, height = frame.width * aspect, float(frame.height)
    seen_width, seen_height = (height, width) if is_rotated else (width, height)
    scale = min(1.0, (max_height or seen_height) / seen_height, (max_width or seen_width) / seen_width)
    size = _even(width * scale), _even(height * scale)
    if not frame.rotation:
        return frame.reformat(*size, format="yuv420p")
    pixels = np.rot90(frame.reformat(*size, format="rgb24").to_ndarray(), round(frame.rotation / 90))
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels)).reformat(format="yuv420p")


def _even(pixels: float) -> int:
    return max(round(pixels / 2) * 2, 2)


def _jpeg(frame: Any) -> bytes:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.time_base = frame.width, frame.height, CLOCK
    context.pix_fmt, context.options = "yuvj420p", {"qmin": "3", "qmax": "5"}
    picture = frame.reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])
