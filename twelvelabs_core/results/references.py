"""The head and reference lines by which the text of a segment's document names its stored vector.

Vector stores pass only a document's text to the embedder. So the text of a segment begins with a head line of a fixed
form and ends with a reference line. A text with one of them but not the other was split or truncated, and then its
vector must not be guessed. A head line further down is a quotation. People and language models see another form of it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.validate import check_text
from twelvelabs_core.results.segments import SegmentPosition

REFERENCE_PREFIX = "tl-segment:"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLOCK = r"(?:\d+:\d\d|\d+):\d\d\.\d"
# `whole` only with its scope, or a row of an ordinary table would match.
_POSITION = rf"(?:{_CLOCK}-{_CLOCK}|page \d+(?:-\d+)?(?: \w+)?|chunk \d+|whole(?=(?: \||,) [a-z][\w-]* asset))"
_STORED, _SHOWN = " | ", ", "  # what separates the fields of a head line: in a store, and for readers
_HEAD = re.compile(rf"^([ \t]*\S.*)( \| |, )({_POSITION})\2([a-z][\w-]*(?: asset)?[ \t\r]*)$", re.MULTILINE)
# Beside a reference, a head counts anywhere in the text: some programs join all lines of a text.
_HEAD_ANYWHERE = re.compile(rf"(?<=\S) \| ({_POSITION}) \| (?=[a-z])")
_REFERENCE = re.compile(rf"(?<![\w-]){re.escape(REFERENCE_PREFIX)}({_UUID})(?![\w-])")
_REFERENCE_LINE = re.compile(
    rf"\n?[ \t]{{0,16}}{re.escape(REFERENCE_PREFIX)}{_UUID}(?![\w-])(?:[ \t\r]*$)?", re.MULTILINE
)
# The remains of a split reference: its prefix with the beginning of the id, or at the end of the text; or the end of
# a prefix with the beginning of the id, at the beginning of the text.
_PREFIX_ENDS = "|".join(REFERENCE_PREFIX[start:-1] for start in range(1, len(REFERENCE_PREFIX)))
_FRAGMENT = re.compile(
    rf"{re.escape(REFERENCE_PREFIX)}[0-9a-f]|{REFERENCE_PREFIX[:-1]}:?\s*\Z|\A\s*(?:{_PREFIX_ENDS}):[0-9a-f]{{8}}(?!\w)",
    re.IGNORECASE,
)
# What would be read as a reference of either framework if a transcript contained it.
_REFERENCE_LIKE = re.compile(r"(tl-(?:segment|video)|segment_id|segment(?=:[0-9a-f]{8})):", re.IGNORECASE)

_EXCERPT_CHARACTERS = 80


def clock(seconds: float) -> str:
    """Return a time as people write it: `0:12.5`, `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes_left = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes_left:02d}:{tail}" if hours else f"{minutes}:{tail}"


def head_line(title: str, position: SegmentPosition) -> str:
    """Return the head line: title, position and option; it differs per option of one time range, page or chunk."""
    one_line = " ".join(title.split())
    name = re.sub(re.escape(REFERENCE_PREFIX), REFERENCE_PREFIX[:-1] + " ", one_line, flags=re.IGNORECASE)
    scope = " asset" if position.embedding_scope == "asset" else ""
    option = f"{position.embedding_option or 'segment'}{scope}"
    return _STORED.join([name or "untitled", describe_position(position), option])


def describe_position(position: SegmentPosition) -> str:
    """Return a position as people write it: `0:12.5-0:18.0`, `page 3 top_left`, `chunk 7`, `whole`."""
    if position.chunk_index is not None:
        return f"chunk {position.chunk_index}"
    if position.page_start is not None:
        last = position.page_end or position.page_start
        pages = f"{position.page_start}" if last == position.page_start else f"{position.page_start}-{last}"
        return f"page {pages}{f' {position.quadrant}' if position.quadrant else ''}"
    if position.embedding_scope == "asset" and not position.end_sec:
        return "whole"  # an image or document: it has no times
    return f"{clock(position.start_sec)}-{clock(position.end_sec)}"


def reference_line(segment_id: str) -> str:
    """Return the reference line of a segment."""
    return REFERENCE_PREFIX + segment_id


def as_body(text: str) -> str:
    """Return a transcript as one line that can stand between head and reference: nothing in it reads as a reference."""
    return _REFERENCE_LIKE.sub(r"\1 -", " ".join(text.split()))


def parse_reference(text: str) -> str | None:
    """Return the segment id that a document's text refers to, or None for ordinary text.

    Accepted are text added before, between or after the two lines, line breaks that became spaces, and head lines
    quoted further down in a text.

    Raises:
        InputError: A head at the beginning without its reference, a reference without its head, a truncated reference,
            or several: the text was split or joined.
    """
    found = _REFERENCE.findall(text)
    if not found:
        head = _HEAD.match(text.lstrip())
        if not (head and head[2] == _STORED) and not _FRAGMENT.search(text):
            return None
        problem = "is part of a segment's document without its reference line"
        remedy = f"begin it with another line, and leave {REFERENCE_PREFIX} out"
    elif len(found) > 1:
        problem = f"refers to {len(found)} segments; one document is one segment"
        remedy = f"leave the {REFERENCE_PREFIX} lines out"
    elif not _HEAD_ANYWHERE.search(text):
        problem = "has a segment's reference without its head line"
        remedy = f"leave the {REFERENCE_PREFIX} line out"
    else:
        return str(found[0])
    excerpt = text if len(text) <= _EXCERPT_CHARACTERS else text[: _EXCERPT_CHARACTERS - 3] + "..."
    raise InputError(
        f"the text {excerpt!r} {problem}. A text splitter or an editor has changed the document of a segment. Do not "
        "split segment documents (each is one moment); split only your other documents, and load the segments again. "
        f"If it is a text of your own that quotes a segment, {remedy}."
    )


def parse_query(text: str) -> str | None:
    """Return the segment id where a query is the whole text of a segment, or None: any other query is plain text."""
    found = _REFERENCE.findall(text)
    return str(found[0]) if len(found) == 1 and _HEAD_ANYWHERE.search(text) else None


def has_head(text: str) -> bool:
    """Return whether one of a text's lines is the head line of a segment, in either form."""
    return _HEAD.search(text) is not None


def begins_with_head(text: str) -> bool:
    """Return whether the first line of a text is the head line of a segment, in either form."""
    return has_head(text.lstrip().partition("\n")[0])


def strip_reference(text: str) -> str:
    """Return the text without its reference line."""
    return _REFERENCE_LINE.sub("", text)


def readable_head(head: str) -> str:
    """Return a head line as people and language models see it: `match.mp4, 0:12.5-0:18.0, visual`."""
    return _HEAD.sub(_SHOWN.join([r"\1", r"\3", r"\4"]), head)


def readable_text(text: str) -> str:
    """Return a segment's text as people and language models see it: no reference line, the head in its readable form.

    A text that quotes the result can be embedded like any other. Text that is not a segment's is returned unchanged.
    """
    if not _REFERENCE.search(text):
        return text
    plain = strip_reference(text)
    shown = readable_head(plain)
    return shown if shown != plain else _HEAD_ANYWHERE.sub(r", \1, ", plain)


FindReference = Callable[[str], str | None]
"""Returns the segment id that a text names, or None for ordinary text; raises InputError for an incomplete one."""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """Checked texts, separated into those that name a stored vector and those to embed.

    Attributes:
        references: Index of a text -> id of the segment whose stored vector it names.
        plain: Index of any other text -> the text.
    """

    references: Mapping[int, str]
    plain: Mapping[int, str]

    @classmethod
    def of(cls, texts: Sequence[str], find_reference: FindReference = parse_reference) -> Self:
        """Return the plan for these texts.

        Args:
            texts: Any number of texts.
            find_reference: How a text of this framework names a segment. Default: by its reference line. For queries,
                which are never refused for their content, `parse_query`.

        Raises:
            InputError: A text is empty, or is an incomplete segment's document; the message has its index.
        """
        if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
            raise InputError(f"texts must be a list of str, got a single {type(texts).__name__}: pass [text].")
        references, plain = {}, {}
        for index, text in enumerate(texts):
            what = f"texts[{index}]"
            check_text(text, what)
            try:
                segment_id = find_reference(text)
            except InputError as error:
                raise InputError(f"{what}: {error}") from None
            if segment_id is None:
                plain[index] = text
            else:
                references[index] = segment_id
        return cls(references, plain)
