"""Length, size and kind of a local audio or video file, by PyAV where it is installed (extra `media`)."""

from dataclasses import dataclass
from typing import Any

from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media

_QUARTER_TURNS = (90, 270)


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


def probe(media: Media) -> Probe | None:
    """Return what PyAV finds in a local medium, or None when PyAV is not installed.

    Raises:
        InputError: It is no audio or video, or is broken or cut short.
    """
    try:
        import av  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        return None
    import io  # noqa: PLC0415

    target: Any = media.file if media.file is not None else str(media.path)
    if media.data is not None:
        target = io.BytesIO(media.data)
    position = media.file.tell() if media.file is not None else 0
    try:
        with av.open(target, mode="r", metadata_errors="ignore") as container:
            return _describe(container)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise InputError(
            f"{media.source}: not a readable audio or video file ({type(error).__name__}); is it cut short, or text?"
        ) from None
    finally:
        if media.file is not None:
            media.file.seek(position)


def _describe(container: Any) -> Probe:
    picture = next((s for s in container.streams.video if not _is_cover(s)), None)
    sound = next(iter(container.streams.audio), None)
    if picture is None and sound is None:
        raise ValueError("no audio or video track")
    width, height = _display_size(container, picture) if picture is not None else (None, None)
    return Probe(container.format.name, _duration(container, picture or sound), width, height, sound is not None)


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
    frame = next(container.decode(stream))
    width, height = frame.width, frame.height
    return (height, width) if abs(frame.rotation) % 360 in _QUARTER_TURNS else (width, height)
