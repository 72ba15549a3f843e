"""The head and reference lines by which a document's text names its stored vector.

Vector stores hand only a document's text to the embedder. So the text of a segment begins with a head line of a
recognisable form and ends with a reference line; the two always stand together. A text that begins with the one and
lacks the other, or has the other alone, was split or cut, and then its vector must not be guessed. Further down a head
line is a quotation, and people and language models are shown another form of it.
"""

import re

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.results.segments import Locus

REFERENCE_PREFIX = "tl-segment:"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLOCK = r"(?:\d+:\d\d|\d+):\d\d\.\d"
_PLACE = rf"(?:{_CLOCK}-{_CLOCK}|page \d+(?:-\d+)?(?: \w+)?|chunk \d+)"
_OPTION = r"[a-z][\w-]*(?: asset)?"
# With its scope, or a row of somebody's table would pass for it.
_WHOLE = r"whole(?=(?: \||,) [a-z][\w-]* asset)"
_ANY_PLACE = rf"(?:{_PLACE}|{_WHOLE})"
# At the beginning of the text, as a splitter's piece has it; quotations stand later.
_HEAD = re.compile(rf"\s*\S.* \| {_ANY_PLACE} \| {_OPTION}[ \t\r]*$", re.MULTILINE)
_SHOWN_HEAD = re.compile(rf"^[ \t]*\S.*, {_ANY_PLACE}, {_OPTION}[ \t\r]*$", re.MULTILINE)
# Beside a reference a head counts wherever it stands: some programs put all lines of a text into one.
_HEAD_ANYWHERE = re.compile(rf"(?<=\S) \| ({_ANY_PLACE}) \| (?=[a-z])")
_HEAD_LINE = re.compile(rf"^([ \t]*\S.*) \| ({_ANY_PLACE}) \| ({_OPTION}[ \t\r]*)$", re.MULTILINE)
_REFERENCE = re.compile(rf"(?<![\w-]){re.escape(REFERENCE_PREFIX)}({_UUID})(?![\w-])")
# What a cut leaves of a reference: its prefix with a part of the id, or with nothing at the end of the text; or the
# rest of a prefix and of the id at the beginning.
_REST = "|".join(REFERENCE_PREFIX[start:-1] for start in range(1, len(REFERENCE_PREFIX)))
_TRACE = re.compile(
    rf"{re.escape(REFERENCE_PREFIX)}[0-9a-f]|{REFERENCE_PREFIX[:-1]}:?\s*\Z|\A\s*(?:{_REST}):[0-9a-f]{{8}}(?!\w)",
    re.IGNORECASE,
)
# What a body must not hold, or it would pass for a reference (of either framework) that it is not.
_MARK = re.compile(r"(tl-(?:segment|video)|segment_id|segment(?=:[0-9a-f]{8})):", re.IGNORECASE)
_REFERENCE_LINE = re.compile(
    rf"\n?[ \t]{{0,16}}{re.escape(REFERENCE_PREFIX)}{_UUID}(?![\w-])(?:[ \t\r]*$)?", re.MULTILINE
)

_ADVICE = (
    "A text splitter or an editor has cut the document of a segment. Do not split segment documents "
    "(they are one moment each); split only your other documents, and load the segments again."
)
_ORDINARY = "If it is a text of your own that quotes a segment,"


def clock(seconds: float) -> str:
    """Return a time as people write it: `0:12.5`, `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes_left = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes_left:02d}:{tail}" if hours else f"{minutes}:{tail}"


def head_line(title: str, locus: Locus) -> str:
    """Return the head line: title, place and option; it differs per option of one time range, page or chunk."""
    name = _as_title(title)
    scope = " asset" if locus.embedding_scope == "asset" else ""
    option = locus.embedding_option or "segment"
    return f"{name} | {place(locus)} | {option}{scope}"


def readable_head(head: str) -> str:
    """Return a head line as people and language models see it: `match.mp4, 0:12.5-0:18.0, visual`."""
    return _HEAD_LINE.sub(r"\1, \2, \3", head)


def _as_title(title: str) -> str:
    """Return a title in one line, without what a text would be taken apart by."""
    name = " ".join(title.split())
    return re.sub(re.escape(REFERENCE_PREFIX), REFERENCE_PREFIX[:-1] + " ", name, flags=re.IGNORECASE) or "untitled"


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
    """Return the segment id that a document's text refers to, or None for ordinary text.

    Text added before, between or after the two lines is welcome, as are line breaks that became spaces; so is a head
    line that is quoted further down in a text.

    Raises:
        InputError: A head at the beginning without its reference, a reference without its head, a cut reference, or
            several: somebody split or joined the text.
    """
    found = _REFERENCE.findall(text)
    if not found and not _HEAD.match(text) and not _TRACE.search(text):
        return None
    excerpt = repr(text if len(text) <= 80 else text[:77] + "...")  # noqa: PLR2004  # one line of a terminal
    if not found:
        raise InputError(
            f"the text {excerpt} is part of a segment's document without its reference line. {_ADVICE} {_ORDINARY} "
            f"begin it with another line, and leave {REFERENCE_PREFIX} out."
        )
    if len(found) > 1:
        raise InputError(
            f"the text {excerpt} refers to {len(found)} segments; one document is one segment. {_ADVICE} {_ORDINARY} "
            f"leave the {REFERENCE_PREFIX} lines out."
        )
    if not _HEAD_ANYWHERE.search(text):
        raise InputError(
            f"the text {excerpt} has a segment's reference without its head line. {_ADVICE} {_ORDINARY} leave the "
            f"{REFERENCE_PREFIX} line out."
        )
    return str(found[0])


def parse_query(text: str) -> str | None:
    """Return the segment id where a query is the whole text of a segment, or None: any other text is what it says."""
    found = _REFERENCE.findall(text)
    return str(found[0]) if len(found) == 1 and _HEAD_ANYWHERE.search(text) else None


def has_head(text: str) -> bool:
    """Return whether one of a text's lines is the head line of a segment, in either form."""
    return _HEAD_LINE.search(text) is not None or _SHOWN_HEAD.search(text) is not None


def begins_with_head(text: str) -> bool:
    """Return whether the first line of a text is the head line of a segment, in either form."""
    return has_head(text.lstrip().partition("\n")[0])


def strip_reference(text: str) -> str:
    """Return the text without its reference line."""
    return _REFERENCE_LINE.sub("", text)


def readable_text(text: str) -> str:
    """Return the text as a reader or a language model should see it: no reference line, the head in plain words.

    An answer that quotes it can be embedded like any other text. Text that is not a segment's stays as it is.
    """
    if not _REFERENCE.search(text):
        return text
    plain = strip_reference(text)
    shown = readable_head(plain)
    return shown if shown != plain else _HEAD_ANYWHERE.sub(r", \1, ", plain)
