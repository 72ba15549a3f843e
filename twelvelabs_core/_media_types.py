"""Which kind of medium is it? By the ending of its name, else by the first bytes of what lies here."""

import posixpath
from typing import Literal

from twelvelabs_core._limits import FILENAME_MAX
from twelvelabs_core._media import Media

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
