"""Format and size of a JPEG or PNG from its header, without decoding it and without an image library."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

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
