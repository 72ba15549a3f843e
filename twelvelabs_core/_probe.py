"""Length, size and kind of a local audio or video file, by PyAV where it is installed (extra `media`)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media

_QUARTER_TURNS = (90, 270)
# Playlists (HLS, DASH, SDP, concat) name other files and addresses; FFmpeg gets one open file and may open no other.
_OPTIONS = {"protocol_whitelist": "none"}
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})  # FFmpeg plays text files as pictures of a terminal
_DECODED_PIXELS_MAX = 5 * 5184 * 2160  # above any limit of the API: refused by its size, decoding it would cost memory


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file says of itself.

    Attributes:
        format_name: Container as FFmpeg names it; may be a comma list.
        duration_sec: Length in seconds, or None where the container does not say.
        width: Displayed width in pixels (rotation applied), None without a picture track.
        height: Displayed height in pixels.
        has_audio: Whether there is a sound track.
    """

    format_name: str
    duration_sec: float | None
    width: int | None
    height: int | None
    has_audio: bool

    @property
    def is_picture(self) -> bool:
        """Whether it is a single image."""
        return self.format_name.endswith("_pipe") or self.format_name == "image2"


def probe(media: Media) -> Probe | None:
    """Return what PyAV finds in a local medium, or None when PyAV is not installed.

    Raises:
        InputError: It is no audio or video, or is broken or cut short.
    """
    try:
        import av  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        return None
    try:
        with _opened(media) as file, av.open(file, mode="r", options=_OPTIONS, metadata_errors="ignore") as container:
            return _describe(container)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise InputError(
            f"{media.source}: not a readable audio or video file ({type(error).__name__}); is it cut short, or text?"
        ) from None


@contextmanager
def _opened(media: Media) -> Iterator[BinaryIO]:
    if media.file is not None:
        media.file.seek(0)
        yield media.file
    elif media.path is not None:
        with media.path.open("rb") as file:
            yield file
    else:
        yield io.BytesIO(media.data or b"")


def _describe(container: Any) -> Probe:
    picture = next((s for s in container.streams.video if not _is_cover(s)), None)
    sound = next(iter(container.streams.audio), None)
    name = container.format.name
    if (picture is None and sound is None) or name in _TEXT_FORMATS:
        raise ValueError("no audio or video track")
    width, height = _display_size(container, picture) if picture is not None else (None, None)
    return Probe(name, _duration(container, picture or sound), width, height, sound is not None)


def _is_cover(stream: Any) -> bool:
    """Whether a video stream is a cover picture, such as an MP3 carries."""
    return bool(int(stream.disposition) & 0x400)  # AV_DISPOSITION_ATTACHED_PIC


def _duration(container: Any, stream: Any) -> float | None:
    if container.duration is not None:
        return float(container.duration) / 1_000_000
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None


def _display_size(container: Any, stream: Any) -> tuple[int, int]:
    """Decode one frame: rotation is a property of frames, not of the stream."""
    if stream.width * stream.height > _DECODED_PIXELS_MAX:
        return stream.width, stream.height
    frame = next(container.decode(stream), None)
    if frame is None:
        raise ValueError("no picture can be decoded")
    quarter = abs(frame.rotation) % 360 in _QUARTER_TURNS
    return (frame.height, frame.width) if quarter else (frame.width, frame.height)
