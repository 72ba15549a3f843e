"""Which kind of medium is it? By the ending of its name, else by the first bytes of what lies here.

Length, size and kind of a local audio or video file, by PyAV where it is installed (extra `media`).

Format and size of a JPEG or PNG from its header, without decoding it and without an image library.
"""

import io
import posixpath
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, NamedTuple

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.limits import FILENAME_MAX
from twelvelabs_core.media.source import Media

MediaType = Literal["image", "video", "audio", "document"]

PDF_ENDINGS = (".pdf",)
TEXT_ENDINGS = (".txt", ".md")  # reference: plain text and Markdown
_HEAD = 1024  # PDF readers look for the mark within the first 1,024 bytes
_STARTS: tuple[tuple[bytes, MediaType], ...] = (
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"fLaC", "audio"),
    (b"ID3", "audio"),
    (b"\xff\xfb", "audio"),
    (b"\xff\xf3", "audio"),
    (b"\xff\xf2", "audio"),
    (b"\x1a\x45\xdf\xa3", "video"),  # Matroska, WebM
)
_SUBTYPES: dict[bytes, MediaType] = {b"WAVE": "audio", b"AVI ": "video"}  # after RIFF and a length


def media_type_of(media: Media) -> MediaType | None:
    """Return the `media_type` that a medium has by its name or first bytes, or None where neither tells."""
    named = _by_name(media)
    return named or (_by_head(media) if media.is_local else None)


def document_kind(media: Media) -> Literal["pdf", "text"] | None:
    """Return whether a document is a PDF or text, or None where it cannot be seen (an asset; a URL without ending)."""
    if media.is_local:
        return "pdf" if b"%PDF-" in _head(media) else "text"
    ending = _ending(media)
    if ending in PDF_ENDINGS:
        return "pdf"
    return "text" if ending in TEXT_ENDINGS else None


def upload_name(media: Media, input_type: str) -> str:
    """Return the name that a local medium is uploaded by; a document's says of which kind it is, which the API asks."""
    if input_type != "document" or _ending(media) in (*PDF_ENDINGS, *TEXT_ENDINGS):
        return media.filename
    ending = PDF_ENDINGS[0] if document_kind(media) == "pdf" else TEXT_ENDINGS[0]
    return media.filename[: FILENAME_MAX - len(ending)] + ending


def _by_name(media: Media) -> MediaType | None:
    if _ending(media) in (*PDF_ENDINGS, *TEXT_ENDINGS):
        return "document"
    kinds: dict[str, MediaType] = {"image": "image", "video": "video", "audio": "audio"}
    return kinds.get(media.mime_type.partition("/")[0])


def _by_head(media: Media) -> MediaType | None:
    head = _head(media)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"RIFF"):
        return _SUBTYPES.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "audio" if head[8:12] == b"M4A " else "video"
    return "document" if b"%PDF-" in head else None


def _head(media: Media) -> bytes:
    return next(media.read_chunks(_HEAD), b"")


def _ending(media: Media) -> str:
    return posixpath.splitext(media.title)[1].lower()


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


_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# Start-of-frame markers carry the size; C4, C8 and CC are tables in the same range.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_HEADER_MAX = 4 * 1024 * 1024  # metadata before the first frame; real files stay far below


class ImageHeader(NamedTuple):
    """What the first bytes of an image say."""

    format: str
    width: int
    height: int


def read_image_header(chunks: Iterator[bytes]) -> ImageHeader | None:
    """Return format and size, or None for what is neither JPEG nor PNG (or is cut short)."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        header = _parse(bytes(data))
        if header is not None or len(data) > _HEADER_MAX:
            return header
        if len(data) >= len(_PNG) and not data.startswith((_PNG, _JPEG)):
            return None
    return None


def _parse(data: bytes) -> ImageHeader | None:
    if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) >= 24:  # noqa: PLR2004  # end of IHDR's size
        width, height = struct.unpack(">II", data[16:24])
        return ImageHeader("PNG", width, height)
    return _parse_jpeg(data) if data.startswith(_JPEG) else None


def _parse_jpeg(data: bytes) -> ImageHeader | None:
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:  # noqa: PLR2004  # every marker begins with FF
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # noqa: PLR2004  # fill byte
            position += 1
        elif marker in _BARE_MARKERS:
            position += 2
        elif marker in _FRAME_MARKERS:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return ImageHeader("JPEG", width, height)
        else:
            position += 2 + int(struct.unpack(">H", data[position + 2 : position + 4])[0])
    return None
