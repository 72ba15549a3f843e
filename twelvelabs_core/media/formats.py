"""Formats by file name and by first bytes, without opening anything."""

import posixpath
import re
import struct
from collections.abc import Mapping
from typing import NamedTuple, cast

from twelvelabs_core.models.marengo import MediaType

PDF_SUFFIX = ".pdf"
TEXT_SUFFIXES = (".txt", ".md")  # reference: plain text and Markdown
DOCUMENT_SUFFIXES = (PDF_SUFFIX, *TEXT_SUFFIXES)

# Not `mimetypes`: it takes .3gp for audio, knows neither .mts nor .vob, and its table depends on the machine.
_SUFFIXES: Mapping[str, str] = {
    "application/pdf": PDF_SUFFIX,
    "text/plain": ".txt",
    "text/markdown": ".md",
    "image/jpeg": ".jpg .jpeg .jpe .jfif",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tif .tiff",
    "image/heic": ".heic .heif",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "audio/mpeg": ".mp3 .mp2 .mpga",
    "audio/wav": ".wav .wave",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a .m4b",
    "audio/aac": ".aac .adts",
    "audio/ogg": ".ogg .oga .opus",
    "audio/webm": ".weba",
    "audio/x-matroska": ".mka",
    "audio/x-ms-wma": ".wma",
    "audio/aiff": ".aif .aiff .aifc",
    "audio/amr": ".amr",
    "audio/ac3": ".ac3",
    "audio/x-caf": ".caf",
    "audio/basic": ".au",
    "video/mp4": ".mp4 .m4v .mp4v .f4v",
    "video/quicktime": ".mov .qt",
    "video/x-matroska": ".mkv",
    "video/webm": ".webm",
    "video/x-msvideo": ".avi .divx",
    "video/x-ms-asf": ".asf",
    "video/x-ms-wmv": ".wmv",
    "video/x-flv": ".flv",
    "video/mpeg": ".mpg .mpeg .mpe .m1v .m2v .m2p .vob .mod",
    "video/mp2t": ".ts .mts .m2ts .m2t .tod",
    "video/3gpp": ".3gp .3gpp",
    "video/3gpp2": ".3g2",
    "video/ogg": ".ogv .ogm",
    "application/mxf": ".mxf",
    "video/dv": ".dv",
}
_MIME_TYPES = {suffix: mime_type for mime_type, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_KINDS: Mapping[str, MediaType] = {".mxf": "video", **dict.fromkeys(DOCUMENT_SUFFIXES, "document")}

_CONTROL_CHARACTERS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))  # bytes that text files do not contain
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_SIGNATURES: Mapping[tuple[bytes, ...], MediaType] = {
    (_JPEG, _PNG, b"GIF8"): "image",
    (b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"): "audio",
    (b"\x1a\x45\xdf\xa3",): "video",  # Matroska, WebM
}
_RIFF_TYPES: Mapping[bytes, MediaType] = {b"WAVE": "audio", b"AVI ": "video", b"WEBP": "image"}
_FTYP_TYPES: Mapping[bytes, MediaType] = {
    b"M4A ": "audio",
    **dict.fromkeys((b"heic", b"heix", b"mif1", b"avif"), "image"),
}


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case, with its dot."""
    return posixpath.splitext(name)[1].lower()


def mime_type_of(name: str) -> str:
    """Return the MIME type by the suffix of a file name."""
    return _MIME_TYPES.get(suffix_of(name), "application/octet-stream")


def kind_by_name(name: str) -> MediaType | None:
    """Return the `media_type` that the suffix of a file name stands for, or None."""
    kind = mime_type_of(name).partition("/")[0]
    return _KINDS.get(suffix_of(name)) or (cast("MediaType", kind) if kind in ("image", "audio", "video") else None)


def kind_by_head(head: bytes) -> MediaType | None:
    """Return the `media_type` that the first 1,024 bytes of a file show, or None."""
    for signatures, kind in _SIGNATURES.items():
        if head.startswith(signatures):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF_TYPES.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _FTYP_TYPES.get(head[8:12], "video")
    return "document" if is_pdf(head) else None


def is_pdf(head: bytes) -> bool:
    """Return whether PDF readers accept it: the mark is within the first 1,024 bytes."""
    return b"%PDF-" in head


def is_text(head: bytes) -> bool:
    """Return whether the first bytes of a file are text: they have no control characters of binary files."""
    return not any(byte in _CONTROL_CHARACTERS for byte in head)


class ImageHeader(NamedTuple):
    """Format of an image, and its width and height in pixels or None where the header does not contain them."""

    format: str
    size: tuple[int, int] | None


IMAGE_HEADER_BYTES = 4 * 1024 * 1024
"""Bytes of an image that `read_image_header` needs: metadata precedes a JPEG's size, in practice less than this."""

# Start-of-frame markers carry the size; C4, C8 and CC are tables in the same range.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKERS_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)  # any number of fill bytes FF may precede a marker


def read_image_header(data: bytes) -> ImageHeader | None:
    """Return format and size by the first bytes of an image, or None where it is neither JPEG nor PNG."""
    if data.startswith(_PNG):
        has_size = data[12:16] == b"IHDR" and len(data) >= 24  # noqa: PLR2004  # IHDR's width and height end there
        return ImageHeader("PNG", struct.unpack(">II", data[16:24]) if has_size else None)
    return ImageHeader("JPEG", _jpeg_size(data)) if data.startswith(_JPEG) else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height, or None where a segment does not follow the one before it, as decoders tolerate."""
    position = 2
    while (found := _MARKER.match(data, position)) is not None:
        marker, position = found[1][0], found.end()
        if marker in _FRAME_MARKERS:
            frame = data[position + 3 : position + 7]
            height, width = struct.unpack(">HH", frame) if len(frame) == 4 else (0, 0)  # noqa: PLR2004  # two numbers
            return (width, height) if width and height else None
        if marker not in _MARKERS_WITHOUT_LENGTH:
            position += int.from_bytes(data[position : position + 2])
    return None
