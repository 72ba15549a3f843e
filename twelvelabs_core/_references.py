"""The head and reference lines by which a document's text names its stored vector.

Vector stores hand only a document's text to the embedder. So the text of a segment begins with a head line of a
recognisable form and ends with a reference line; the two always stand together. One without the other means that
somebody split or cut the text, and then its vector must not be guessed.
"""

import re

from twelvelabs_core._errors import InputError
from twelvelabs_core._segments import Locus

REFERENCE_PREFIX = "tl-segment:"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLOCK = r"(?:\d+:\d\d|\d+):\d\d\.\d"
_PLACE = rf"(?:{_CLOCK}-{_CLOCK}|page \d+(?:-\d+)?(?: \w+)?|chunk \d+)"
_WHOLE = r"whole \| [a-z][\w-]* asset"  # with its scope, or a row of somebody's table would pass for it
_HEAD = re.compile(rf"^[ \t]*\S.* \| (?:{_PLACE} \| [a-z][\w-]*(?: asset)?|{_WHOLE})[ \t\r]*$", re.MULTILINE)
# Beside a reference a head counts wherever it stands: some programs put all lines of a text into one.
_HEAD_ANYWHERE = re.compile(rf"\S \| (?:{_PLACE} \| [a-z]|{_WHOLE})")
_REFERENCE = re.compile(rf"(?<![\w-]){re.escape(REFERENCE_PREFIX)}({_UUID})(?![\w-])")
# Any trace of a reference, whole or cut (also at its own hyphens): ordinary text has no business with it.
_TRACE = re.compile(rf"{re.escape(REFERENCE_PREFIX)}|(?<![\w-])segment:[0-9a-f]{{8}}(?![\w])", re.IGNORECASE)
# What a body must not hold, or it would pass for a reference (of either framework) that it is not.
_MARK = re.compile(r"(tl-(?:segment|video)|segment_id|segment(?=:[0-9a-f]{8})):", re.IGNORECASE)
_REFERENCE_LINE = re.compile(
    rf"\n?[ \t]{{0,16}}{re.escape(REFERENCE_PREFIX)}{_UUID}(?![\w-])(?:[ \t\r]*$)?", re.MULTILINE
)

_ADVICE = (
    "A text splitter or an editor has cut the document of a segment. Do not split segment documents "
    "(they are one moment each); split only your other documents, and load the segments again."
)


def clock(seconds: float) -> str:
    """Return a time as people write it: `0:12.5`, `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes_left = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes_left:02d}:{tail}" if hours else f"{minutes}:{tail}"


def head_line(title: str, locus: Locus) -> str:
    """Return the head line: title, place and option; it differs per option of one time range, page or chunk."""
    name = " ".join(title.split()) or "untitled"
    scope = " asset" if locus.embedding_scope == "asset" else ""
    option = locus.embedding_option or "segment"
    return f"{name} | {place(locus)} | {option}{scope}"


def place(locus: Locus) -> str:
    """Return where a segment stands, as people write it: `0:12.5-0:18.0`, `page 3 top_left`, `chunk 7`, `whole`."""
    if locus.chunk_index is not None:
        return f"chunk {locus.chunk_index}"
    if locus.page_start is not None:
        last = locus.page_end or locus.page_start
        pages = f"{locus.page_start}" if last == locus.page_start else f"{locus.page_start}-{last}"
        return f"page {pages}{f' {locus.quadrant}' if locus.quadrant else ''}"
    if locus.embedding_scope == "asset" and not locus.end_sec:
        return "whole"  # an image or document: it has no times
    return f"{clock(locus.start_sec)}-{clock(locus.end_sec)}"


def as_body(text: str) -> str:
    """Return words of a film as one line that can stand between head and reference, whatever somebody said in it."""
    return _MARK.sub(r"\1 -", " ".join(text.split()))


def reference_line(segment_id: str) -> str:
    """Return the reference line of a segment."""
    return REFERENCE_PREFIX + segment_id


def parse_reference(text: str) -> str | None:
    """Return the segment id that a text refers to, or None for ordinary text.

    Text added before, between or after the two lines is welcome, as are line breaks that became spaces.

    Raises:
        InputError: A head without its reference, a reference without its head, a cut reference, or several:
            somebody split or joined the text.
    """
    found = _REFERENCE.findall(text)
    if not found and not _HEAD.search(text) and not _TRACE.search(text):
        return None
    excerpt = repr(text if len(text) <= 80 else text[:77] + "...")  # noqa: PLR2004  # one line of a terminal
    if not found:
        raise InputError(f"the text {excerpt} is part of a segment's document without its reference line. {_ADVICE}")
    if len(found) > 1:
        raise InputError(f"the text {excerpt} refers to {len(found)} segments; one document is one segment. {_ADVICE}")
    if not _HEAD_ANYWHERE.search(text):
        raise InputError(f"the text {excerpt} has a segment's reference without its head line. {_ADVICE}")
    return str(found[0])


def has_head(text: str) -> bool:
    """Return whether a text holds the head line of a segment."""
    return _HEAD.search(text) is not None


def strip_reference(text: str) -> str:
    """Return the text without its reference line, as a reader or a language model should see it."""
    return _REFERENCE_LINE.sub("", text)
