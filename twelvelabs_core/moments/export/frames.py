"""Decode frames of a video, upright and with square pixels, and take still pictures from it."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EPERM
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import open_container

try:
    import av
except ImportError as error:
    raise ImportError('clips, thumbnails and previews need PyAV: pip install "twelvelabs-rag[media]"') from error

CLOCK = Fraction(1, 90_000)
"""The unit of time in written files; frames of 24, 25, 29.97 and 30 per second begin at whole units."""

TOLERANCE_SEC = 0.001
"""The API gives times in milliseconds, so a frame this close to a moment's edge begins at the edge."""

_EARLIER_SEC = 15.0
_COVERS = 0x400 | 0x800  # attached picture and timed thumbnails; in PyAV 17.0 the disposition is not an int


@contextmanager
def open_media(path: Path) -> Iterator[Any]:
    """Yield the container of a local file.

    Raises:
        InputError: The file cannot be opened, or something fails while it is read.
    """
    try:
        with path.open("rb") as file, open_container(file) as container:
            yield container
    except InputError:
        raise
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        if getattr(error, "errno", None) == EPERM:  # FFmpeg's answer where a file names others, or is a picture
            reason = "it is an image or a playlist, not a video or audio file"
        raise InputError(f"cannot convert {path.name}: {reason}.") from error


def still(path: Path, second: float, width: int = 480) -> bytes:
    """Return the frame that a video shows at a second, as JPEG.

    Args:
        path: The video.
        second: From the start of the video.
        width: Maximum width in pixels.

    Raises:
        InputError: The video has no frame, or cannot be read.
    """
    shown = shown_at(path, second)
    if shown is None:
        raise InputError(f"cannot take a picture of {path.name}: it has no video that can be decoded.")
    return _jpeg(upright(shown.frame, shown.aspect, max_width=width))


class Shown(NamedTuple):
    """A frame of a video.

    Attributes:
        frame: The frame.
        aspect: Pixel aspect ratio (width / height).
        seek_sec: The second to seek to, to reach the frame; 0.0 to read from the start.
    """

    frame: Any
    aspect: float
    seek_sec: float


def shown_at(path: Path, second: float) -> Shown | None:
    """Return the last frame that begins at or before a second, or else the first; None where none can be decoded."""
    # Without an index, a seek may land after its target; then seek to an earlier time, and finally read from the start.
    for target in dict.fromkeys(max(second - earlier, 0.0) for earlier in (0.0, _EARLIER_SEC, second)):
        with open_media(path) as source:
            track = picture_track(source)
            if track is None:
                return None
            seek(source, target)
            shown = None
            for frame in chain.from_iterable(map(frames, source.demux(track))):
                is_later = (frame.time or 0.0) - start_of(source) > second + TOLERANCE_SEC
                if is_later and (target > 0 or shown is not None):
                    break
                shown = frame
                if is_later:
                    break
            if shown is not None:
                return Shown(shown, pixel_aspect(track), target)
    return None


def seek(source: Any, second: float) -> None:
    """Continue a file that was just opened at the keyframe before a second."""
    # Not to 0: in MPEG-TS that skips the first keyframe.
    if second > 0:
        source.seek(round((start_of(source) + second) * av.time_base))


def picture_track(source: Any) -> Any:
    """Return the largest video track that can be decoded, or None; the first may be a cover or a small preview."""
    tracks = [one for one in source.streams.video if one.codec_context and not one.disposition.value & _COVERS]
    if not tracks:
        return None
    track = max(tracks, key=lambda one: one.codec_context.width * one.codec_context.height)
    # The frame threads of VP9 stop accepting packets after a few that cannot be decoded.
    track.codec_context.thread_type = "SLICE" if track.codec_context.name == "vp9" else "AUTO"
    return track


def sound_track(source: Any) -> Any:
    """Return the first audio track that can be decoded, or None."""
    return next((one for one in source.streams.audio if one.codec_context), None)


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
    """Return a frame rotated upright, with square pixels and even sides, scaled down to the maximum size."""
    is_rotated = frame.rotation % 180 != 0
    width, height = frame.width * aspect, float(frame.height)
    seen_width, seen_height = (height, width) if is_rotated else (width, height)
    scale = min(1.0, (max_height or seen_height) / seen_height, (max_width or seen_width) / seen_width)
    size = _even(width * scale), _even(height * scale)
    flat = frame.reformat(*size, format="yuv420p")
    return _rotated(flat, round(frame.rotation / 90)) if frame.rotation else flat


def _rotated(frame: Any, quarters: int) -> Any:
    """Return a frame rotated counterclockwise, plane by plane, so that its colours are not converted."""
    width, height = frame.width, frame.height
    luma, *chroma = np.split(frame.to_ndarray().ravel(), [width * height, width * height * 5 // 4])
    planes = [luma.reshape(height, width), *(plane.reshape(height // 2, width // 2) for plane in chroma)]
    turned = [np.rot90(plane, quarters) for plane in planes]
    pixels = np.concatenate([plane.ravel() for plane in turned]).reshape(-1, turned[0].shape[1])
    return av.VideoFrame.from_ndarray(pixels, format="yuv420p")


def _even(pixels: float) -> int:
    return max(round(pixels / 2) * 2, 2)


def _jpeg(frame: Any) -> bytes:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.time_base = frame.width, frame.height, CLOCK
    context.pix_fmt, context.options = "yuvj420p", {"qmin": "3", "qmax": "5"}
    picture = frame.reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])
