"""Determine the type, format, duration and size of media from file names, first bytes and, with PyAV, containers.

PyAV is optional (extra `media`) and slow to import: only `probe` imports it.
"""

import mimetypes
import posixpath
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.limits import FILENAME_MAX
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import MediaType

PDF_SUFFIXES = (".pdf",)
TEXT_SUFFIXES = (".txt", ".md")  # reference: plain text and Markdown
DOCUMENT_SUFFIXES = (*PDF_SUFFIXES, *TEXT_SUFFIXES)

_HEAD_BYTES = 1024  # PDF readers accept the mark %PDF- within the first 1,024 bytes
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_SIGNATURES: Mapping[tuple[bytes, ...], MediaType] = {
    (_JPEG, _PNG): "image",
    (b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"): "audio",
    (b"\x1a\x45\xdf\xa3",): "video",  # Matroska, WebM
}
_RIFF_TYPES: Mapping[bytes, MediaType] = {b"WAVE": "audio", b"AVI ": "video"}
_MIME_TYPES: Mapping[str, MediaType] = {"image": "image", "video": "video", "audio": "audio"}
_CONTROL_CHARACTERS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))  # bytes that text files do not contain


def media_type_of(media: Media) -> MediaType | None:
    """Return the `media_type` by file name or, for local media, by first bytes; None where neither determines it."""
    return kind_by_name(media.title) or (_kind_by_head(_head(media)) if media.is_local else None)


def kind_by_name(name: str) -> MediaType | None:
    """Return the `media_type` that the suffix of a file name stands for, or None."""
    if _suffix(name) in DOCUMENT_SUFFIXES:
        return "document"
    mime_type = mimetypes.guess_type(name)[0] or ""
    return _MIME_TYPES.get(mime_type.partition("/")[0])


def document_kind(media: Media) -> Literal["pdf", "text"] | None:
    """Return whether a document is a PDF or text; None for an asset or a URL whose suffix does not determine it."""
    if media.is_local:
        return "pdf" if b"%PDF-" in _head(media) else "text"
    suffix = _suffix(media.title)
    if suffix in PDF_SUFFIXES:
        return "pdf"
    return "text" if suffix in TEXT_SUFFIXES else None


def upload_name(media: Media, input_type: str) -> str:
    """Return the file name for an upload. The API requires a document's name to have the suffix of its format."""
    if input_type != "document" or _suffix(media.title) in DOCUMENT_SUFFIXES:
        return media.filename
    suffix = PDF_SUFFIXES[0] if document_kind(media) == "pdf" else TEXT_SUFFIXES[0]
    return media.filename[: FILENAME_MAX - len(suffix)] + suffix


def _kind_by_head(head: bytes) -> MediaType | None:
    for signatures, kind in _SIGNATURES.items():
        if head.startswith(signatures):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF_TYPES.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "audio" if head[8:12] == b"M4A " else "video"
    return "document" if b"%PDF-" in head else None


def _head(media: Media) -> bytes:
    return next(media.read_chunks(_HEAD_BYTES), b"")


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


# FFmpeg gets one open file and must not open anything else: playlists (HLS, DASH, SDP, concat) name files and URLs.
_OPEN_OPTIONS = {"protocol_whitelist": "none"}
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})  # FFmpeg renders text files as terminal video
# These containers have no duration field. FFmpeg subtracts timestamps, which restart where recordings were joined.
_NO_DURATION_FORMATS = frozenset({"mpegts", "mpeg"})


@dataclass(frozen=True, slots=True)
class Probe:
    """Properties of a local audio or video file.

    Attributes:
        format_name: Container as FFmpeg names it; may be a comma-separated list.
        duration_sec: Duration in seconds, or None where it is not reliable.
        has_video: Whether there is a video track; cover images do not count.
        size: Width and height of the first video track in pixels, before rotation; None where unknown.
        has_audio: Whether there is an audio track.
    """

    format_name: str
    duration_sec: float | None
    has_video: bool
    size: tuple[int, int] | None
    has_audio: bool

    @property
    def is_image(self) -> bool:
        """Whether it is a single image."""
        return self.format_name.endswith("_pipe") or self.format_name == "image2"


def probe(media: Media) -> Probe | None:
    """Return the properties of local audio or video; None without PyAV, or for a format that it does not know.

    Raises:
        InputError: It is text, a document, or without audio and video tracks, or its container is damaged.
    """
    try:
        import av  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        return None
    try:
        with (
            media.opened() as file,
            av.open(file, mode="r", options=_OPEN_OPTIONS, metadata_errors="ignore") as container,
        ):
            found = _properties(container)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        head = _head(media)
        is_text = not any(byte in _CONTROL_CHARACTERS for byte in head)
        if not is_text and _kind_by_head(head) is None:
            return None
        reason = type(error).__name__
    else:
        if found.format_name not in _TEXT_FORMATS and (found.has_video or found.has_audio):
            return found
        reason = "no audio or video track"
    raise InputError(f"{media.source}: not a readable audio or video file ({reason}); is it truncated, or text?")


def _properties(container: Any) -> Probe:
    # 0x400: AV_DISPOSITION_ATTACHED_PIC, a cover image such as an MP3 has.
    video = next((s for s in container.streams.video if not int(s.disposition) & 0x400), None)
    audio = next(iter(container.streams.audio), None)
    size = (video.width, video.height) if video is not None and video.width and video.height else None
    duration_sec = _duration(container, video or audio)
    return Probe(container.format.name, duration_sec, video is not None, size, audio is not None)


def _duration(container: Any, stream: Any) -> float | None:
    if stream is None or container.format.name in _NO_DURATION_FORMATS:
        return None
    if container.format.name == "mp3":
        # Without a valid Xing header FFmpeg extrapolates the bit rate of the first frame: up to 8 times too long.
        return float(sum(packet.duration or 0 for packet in container.demux(stream)) * stream.time_base) or None
    if container.duration is not None:
        return float(container.duration) / 1_000_000
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None


IMAGE_HEADER_BYTES = 4 * 1024 * 1024
"""Bytes of an image that `read_image_header` needs: metadata precedes a JPEG's size, in practice less than this."""

# Start-of-frame markers carry the size; C4, C8 and CC are tables in the same range.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKERS_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


class ImageHeader(NamedTuple):
    """Format of an image, and its width and height in pixels or None where the header does not contain them."""

    format: str
    size: tuple[int, int] | None


def read_image_header(data: bytes) -> ImageHeader | None:
    """Return format and size by the first bytes of an image, or None where it is neither JPEG nor PNG."""
    if data.startswith(_PNG):
        has_size = data[12:16] == b"IHDR" and len(data) >= 24  # noqa: PLR2004  # IHDR's width and height end there
        return ImageHeader("PNG", struct.unpack(">II", data[16:24]) if has_size else None)
    return ImageHeader("JPEG", _jpeg_size(data)) if data.startswith(_JPEG) else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:  # noqa: PLR2004  # every marker begins with FF
        marker = data[position + 1]
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        if marker == 0xFF:  # noqa: PLR2004  # fill byte
            position += 1
        elif marker in _MARKERS_WITHOUT_LENGTH:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return None
