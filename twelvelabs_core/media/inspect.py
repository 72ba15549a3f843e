"""Determine the type, duration and size of media from their content, where PyAV is installed.

PyAV is optional (extra `media`) and slow to import: functions import it. FFmpeg may read a bounded number of bytes for
a bounded time. Where it is not the file that fails, nothing is known, and the server decides.
"""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, BinaryIO, Literal, TypeVar

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.limits import FILENAME_MAX, MIB
from twelvelabs_core.media.formats import (
    DOCUMENT_SUFFIXES,
    PDF_SUFFIX,
    TEXT_SUFFIXES,
    is_pdf,
    is_text,
    kind_by_head,
    kind_by_name,
    suffix_of,
)
from twelvelabs_core.media.source import Media, read_at_most, unreadable
from twelvelabs_core.models.marengo import MediaType

logger = logging.getLogger("twelvelabs_core")

CHECK_FALSE = "check=False lets the API decide; also as Media.of(..., check=False)"
"""End of each refusal that rests on what was found in a file."""

_HEAD_BYTES = 1024  # PDF readers accept the mark %PDF- within the first 1,024 bytes

# FFmpeg gets one open file and must not open anything else: playlists (HLS, DASH, SDP, concat) name files and URLs.
# Not `options`: with them PyAV frees memory that is not its own where streams appear late, as in FLV (PyAV issue 2010).
_CONTAINER_OPTIONS = {"protocol_whitelist": "none"}
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})  # FFmpeg renders text files as terminal video

# Damaged files can make FFmpeg search all of their bytes. The header of four hours takes some 10 MB.
_OPEN_BYTES, _OPEN_SEC = 256 * MIB, 10.0
_MEASURE_BYTES, _MEASURE_SEC = 16 * 1024 * MIB, 30.0
_JUMP_SEC = 10.0  # timestamps that go back, or on by more than this, belong to a recording that was joined
_PIXELS_MAX = 16384 * 8192  # bound on the memory of a decoded picture


def media_type_of(media: Media) -> MediaType | None:
    """Return the `media_type` by the content of local media, else by file name; None where neither shows it."""
    kind = _kind_by_content(media) if media.is_local else None
    return kind or kind_by_name(media.title) or (kind_by_head(_head(media)) if media.is_local else None)


def document_kind(media: Media) -> Literal["pdf", "text"] | None:
    """Return whether a document is a PDF or text; None for an asset or a URL whose suffix does not determine it."""
    if media.is_local:
        return "pdf" if is_pdf(_head(media)) else "text"
    suffix = suffix_of(media.title)
    if suffix == PDF_SUFFIX:
        return "pdf"
    return "text" if suffix in TEXT_SUFFIXES else None


def upload_name(media: Media, input_type: str) -> str:
    """Return the file name for an upload. The API requires a document's name to have the suffix of its format."""
    if input_type != "document" or suffix_of(media.title) in DOCUMENT_SUFFIXES:
        return media.filename
    suffix = PDF_SUFFIX if document_kind(media) == "pdf" else TEXT_SUFFIXES[0]
    return media.filename[: FILENAME_MAX - len(suffix)] + suffix


def _kind_by_content(media: Media) -> MediaType | None:
    try:
        head = _head(media)
        by_head = kind_by_head(head)
        if by_head in ("image", "document") or is_text(head):
            return by_head
        found = probe(media)
    except InputError:  # unreadable, or text: the check of the file says so
        return None
    if found is None:
        return None
    return "image" if found.is_image else "video" if found.has_video else "audio"


def _head(media: Media) -> bytes:
    return next(media.read_chunks(_HEAD_BYTES), b"")


@dataclass(frozen=True, slots=True)
class Probe:
    """Properties of a local audio or video file, as its container declares them.

    Attributes:
        format_name: Container as FFmpeg names it; may be a comma-separated list.
        duration_sec: Duration in seconds, or None where it is not declared. It may be far off: see `measure_duration`.
        has_video: Whether there is a video track; cover images do not count.
        has_audio: Whether there is an audio track.
        sizes: Width and height in pixels, stored and as displayed, of each video track that can be decoded.
        can_decode: Whether there is a video track that can be decoded: FFmpeg knows its codec, and it is not encrypted.
        measured: Returns `measure_duration` of the file, which is measured by the first call.
    """

    format_name: str
    duration_sec: float | None
    has_video: bool
    has_audio: bool
    sizes: tuple[tuple[int, int], ...]
    can_decode: bool
    measured: Callable[[], float | None] = field(default=lambda: None, repr=False, compare=False)

    @property
    def is_image(self) -> bool:
        """Whether it is a single image."""
        return self.format_name.endswith("_pipe") or self.format_name == "image2"


def probe(media: Media) -> Probe | None:
    """Return the properties of local audio or video; None where they cannot be determined.

    Raises:
        InputError: It cannot be read, is text, a document, or without audio and video tracks, or its container is
            damaged.
    """
    try:
        found = _ask_ffmpeg(media, _properties, _OPEN_BYTES, _OPEN_SEC)
    except _NotMediaError as error:
        head = _head(media)
        if not is_text(head) and kind_by_head(head) is None:
            return None
        reason = str(error)
    else:
        if found is None:
            return None
        if found.format_name not in _TEXT_FORMATS and (found.has_video or found.has_audio):
            return replace(found, measured=functools.cache(lambda: measure_duration(media)))
        reason = "no audio or video track"
    raise InputError(
        f"{media.source}: not a readable audio or video file ({reason}); is it truncated, or text? ({CHECK_FALSE})"
    )


def measure_duration(media: Media) -> float | None:
    """Return the duration of local audio or video in seconds by its packets, or None; reads the whole file.

    What a container declares is wrong where timestamps begin late or jump, or where it is extrapolated from a bit rate.
    """
    return _measure(media, _sum_of_packets, _MEASURE_BYTES, _MEASURE_SEC)


def find_end(media: Media) -> float | None:
    """Return the time of the end of the last packet of local audio or video in seconds, or None.

    It is far before the declared end where the file is truncated.
    """
    end = _measure(media, lambda container: _end_of_packets(container, container.duration), _OPEN_BYTES, _OPEN_SEC)
    if end == 0:  # there is nothing after the place to which it seeks
        return _measure(media, lambda container: _end_of_packets(container, 0), _OPEN_BYTES, _OPEN_SEC)
    return end


def has_picture(media: Media, fits: Callable[[tuple[int, int]], bool]) -> bool | None:
    """Return whether a picture of local video has a size that fits, or None where this cannot be determined.

    Recordings of live streams grow: the container declares the size of the first picture.
    """
    return _measure(
        media, lambda container: any(fits(size) for size in _decoded_sizes(container)), _MEASURE_BYTES, _OPEN_SEC
    )


class _NotMediaError(Exception):
    """FFmpeg cannot open or read this."""


class _BoundedFile:
    """A file for FFmpeg: after an error, or so many bytes or seconds, it behaves as if it ended.

    PyAV prints the exceptions of a file object, except the first, and ignores them in part: none may leave it.
    """

    def __init__(self, file: BinaryIO, suffix: str, max_bytes: int, seconds: float) -> None:
        self.name = f"media{suffix}"  # FFmpeg's tests of formats take the suffix into account
        self.error: Exception | None = None
        self.is_over = False
        self._file = file
        self._bytes_left = max_bytes
        self._deadline = time.monotonic() + seconds

    def read(self, size: int) -> bytes:
        self._bytes_left -= size
        self.is_over = self.is_over or self._bytes_left < 0 or time.monotonic() > self._deadline
        # FFmpeg copies what it gets into a buffer of this size, without a check.
        data = b"" if self.is_over else self._try(lambda: read_at_most(self._file.read, size))
        return data if isinstance(data, bytes) else b""

    def seek(self, offset: int, whence: int = 0) -> int:
        position = self._try(lambda: self._file.seek(offset, whence))
        return position if isinstance(position, int) else -1

    def tell(self) -> int:
        return self.seek(0, 1)

    def _try(self, operation: Callable[[], object]) -> object:
        try:
            return operation() if self.error is None else None
        except Exception as error:  # noqa: BLE001  # a file object of the caller may raise anything
            self.error = error
            return None


T = TypeVar("T")


def open_container(file: Any) -> Any:
    """Return PyAV's container of an open file; FFmpeg opens nothing else, whatever the file names."""
    import av  # noqa: PLC0415  # optional, and slow to import

    # Titles may have any encoding. PyAV 19 removed the argument and always replaces invalid bytes.
    lenient: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}  # noqa: PLR2004
    return av.open(file, mode="r", container_options=_CONTAINER_OPTIONS, **lenient)


def _ask_ffmpeg(media: Media, question: Callable[[Any], T], max_bytes: int, seconds: float) -> T | None:
    """Return what `question` finds in the container; None without PyAV, beyond the bounds, or by a defect of ours.

    Raises:
        InputError: The media cannot be read.
        _NotMediaError: FFmpeg cannot open or read it.
    """
    try:
        import av  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        return None
    found: T | None = None
    damage: Exception | None = None
    with media.opened() as stream:
        file = _BoundedFile(stream, suffix_of(media.title), max_bytes, seconds)
        try:
            with open_container(file) as container:
                found = question(container)
        except (av.error.FFmpegError, ValueError, IndexError) as error:
            damage = error
        except Exception:  # another release of PyAV: a good file must not fail by it
            logger.debug("cannot inspect %s", media.source, exc_info=True)
    if file.error is not None:
        raise unreadable(media.source, file.error)
    if file.is_over:
        return None
    if damage is not None:
        raise _NotMediaError(type(damage).__name__)
    return found


def _measure(media: Media, question: Callable[[Any], T], max_bytes: int, seconds: float) -> T | None:
    try:
        return _ask_ffmpeg(media, question, max_bytes, seconds)
    except _NotMediaError:
        return None


def _tracks(container: Any, kind: str) -> list[Any]:
    # 0x400 and 0x800: a cover image, such as an MP3 has, and thumbnails. PyAV 17.0 has an enum here, not an int.
    return [track for track in getattr(container.streams, kind) if not track.disposition.value & 0xC00]


def _properties(container: Any) -> Probe:
    videos, audios = _tracks(container, "video"), _tracks(container, "audio")
    decodable = [video for video in videos if video.codec_context is not None]  # None: FFmpeg has no decoder
    sizes = {size: None for video in decodable for size in _sizes(video.width, video.height, video.sample_aspect_ratio)}
    return Probe(
        container.format.name,
        None if container.duration is None else float(container.duration) / 1_000_000,
        bool(videos),
        bool(audios),
        tuple(sizes),
        bool(decodable),
    )


def _sizes(width: int, height: int, shape: Fraction | None) -> list[tuple[int, int]]:
    """Return the stored size of a picture, and the one at which players show it; none if it is unknown."""
    if not width or not height:
        return []
    return [(width, height), (round(width * shape), height)] if shape else [(width, height)]


def _sum_of_packets(container: Any) -> float:
    """Return the duration of the longest track; each jump of its clock is ignored."""
    total: dict[int, float] = {}
    last: dict[int, tuple[float, float]] = {}  # time and duration of the packet before
    for track, begin, length in _times(container):
        step = begin - last[track][0] if track in last else 0.0
        total[track] = total.get(track, 0.0) + (step if 0 <= step <= _JUMP_SEC else last[track][1])
        last[track] = begin, length
    return max(seconds + last[track][1] for track, seconds in total.items())


def _end_of_packets(container: Any, start: int) -> float:
    """Return the end of the last packet after `start` in microseconds; 0 if there is none."""
    if start:
        container.seek(start)
    return max((begin + length for _, begin, length in _times(container)), default=0.0)


def _times(container: Any) -> Iterator[tuple[int, float, float]]:
    """Yield the track, the decoding time and the duration of each packet; in seconds."""
    tracks = [*_tracks(container, "video"), *_tracks(container, "audio")]
    units = {track.index: float(track.time_base) for track in tracks}
    for packet in container.demux(tracks):
        at, track = packet.pts if packet.dts is None else packet.dts, packet.stream.index
        if at is not None:
            yield track, at * units[track], (packet.duration or 0) * units[track]


def _decoded_sizes(container: Any) -> Iterator[tuple[int, int]]:
    """Yield the sizes of the key pictures that can be decoded."""
    videos = [track for track in _tracks(container, "video") if track.codec_context is not None]
    for video in videos:
        video.codec_context.options = {"max_pixels": str(_PIXELS_MAX)}
        video.codec_context.skip_frame = "NONKEY"
    for packet in container.demux(videos):
        if packet.is_keyframe or packet.dts is None:  # without a time: the end, at which decoders return the rest
            for frame in _decoded(packet):
                yield from _sizes(frame.width, frame.height, packet.stream.codec_context.sample_aspect_ratio)


def _decoded(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except Exception:  # noqa: BLE001  # FFmpeg's errors have many types; other packets may be intact
        return []
