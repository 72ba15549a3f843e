"""The head and reference lines by which the text of a segment's document names its stored vector.

Vector stores pass only a document's text to the embedder. So the text of a segment begins with a head line of a fixed
form and ends with a reference line. Other texts may look like that: a `Claim` is what a text seems to say, and only
the segment store, which knows the title and position of every id, tells whether it is so. People and language models
see another form of the head, without a reference.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from twelvelabs_core.results.segments import SegmentPosition

REFERENCE_PREFIX = "tl-segment:"
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLOCK = r"(?:\d+:\d\d|\d+):\d\d\.\d"
_POSITION = rf"(?:{_CLOCK}-{_CLOCK}|page \d+(?:-\d+)?(?: \w+)?|chunk \d+|whole)"
# The position in a head. A title may contain one too: the last one of a line counts.
_HEAD = re.compile(rf" \| ({_POSITION}) \| (?=[a-z])")
# The patterns below are for text in lower case. A head in either form:
_ANY_HEAD = re.compile(rf"\S(?: \| |, ){_POSITION}(?: \| |, )[a-z]")
# A reference, or the metadata line by which LlamaIndex names a node's segment.
_REFERENCE = re.compile(
    rf"segment(?:(?<=tl-segment)(?<![\w-]tl-segment):|(?<=^segment)_id: )({_ID})(?![\w-])", re.MULTILINE
)
_REFERENCE_BEGUN = re.compile(rf"{REFERENCE_PREFIX}[0-9a-f]{{8}}[0-9a-f-]{{0,28}}")
_METADATA_WITH_ID = re.compile(r"(?:[^:\n]{1,64}: .*\n)*segment_id: .*\n(?:[^:\n]{1,64}: .*\n)*\n")
# The rest of a reference that was cut, with or without the end of the prefix.
_PREFIX_ENDS = "|".join(REFERENCE_PREFIX[start:] for start in range(1, len(REFERENCE_PREFIX)))
_REST_OF_REFERENCE = re.compile(rf"(?:{_PREFIX_ENDS})([0-9a-f-]{{8,36}})|([0-9a-f-]{{12,35}})")
_REFERENCE_LINE = re.compile(
    rf"\n?[ \t]{{0,16}}{REFERENCE_PREFIX}{_ID}(?![\w-])(?:[ \t\r]*$)?", re.MULTILINE | re.IGNORECASE
)
# What would be read as a reference of either framework if a transcript contained it.
_REFERENCE_LIKE = re.compile(r"(tl-(?:segment|video)|segment_id|segment(?=:[0-9a-f]{8})):", re.IGNORECASE)
_TITLE_CHARACTERS = 4096  # as long as a path


def clock(seconds: float) -> str:
    """Return a time as people write it: `0:12.5`, `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes_left = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes_left:02d}:{tail}" if hours else f"{minutes}:{tail}"


def head_title(title: str) -> str:
    """Return a title as it is in a head line."""
    one_line = " ".join(title.split())
    return re.sub(REFERENCE_PREFIX, REFERENCE_PREFIX[:-1] + " ", one_line, flags=re.IGNORECASE) or "untitled"


def head_line(title: str, position: SegmentPosition) -> str:
    """Return the head line: title, position and option; it differs per option of one time range, page or chunk."""
    return head_title(title) + _after_title(position)


@lru_cache(maxsize=4096)  # the segments of many videos have the same positions
def _after_title(position: SegmentPosition) -> str:
    scope = " asset" if position.embedding_scope == "asset" else ""
    return f" | {describe_position(position)} | {position.embedding_option or 'segment'}{scope}"


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


@dataclass(frozen=True, slots=True)
class Claim:
    """What a text seems to be: the document of a segment, or a part of one; the segment store tells whether it is."""

    text: str  # in lower case, without white space around it
    segment_id: str | None = None  # that its references name
    has_head: bool = False  # of whatever title
    ends_with_reference: bool = False  # as a separate line, whole or with at least 8 digits of the id
    is_whole: bool = False  # it has all that the document of a segment has
    piece: str | None = None  # of an id, where the text is nothing but the rest of a reference
    title: str | None = None  # of the head with which a text without reference begins

    def agrees(self, position: SegmentPosition, titles: Collection[str]) -> bool:
        """Return whether the text contains the head of a segment, with any title where none is known."""
        after = _after_title(position)
        heads = [title + after for title in titles or ("",)]
        # The form that documents have, then the one that people see: of most texts the first is found at once.
        return any(_stands_in(self.text, head.lower(), within_word=not titles) for head in heads) or any(
            _stands_in(self.text, readable_head(head).lower(), within_word=not titles) for head in heads
        )

    def begins_within_head(self, position: SegmentPosition, titles: Collection[str]) -> bool:
        """Return whether the text begins within the title or position of a segment."""
        before, found, _ = f" {self.text}".partition(_after_title(position).lower())
        return bool(found) and any(title.lower().endswith(before.strip()) for title in titles)

    def begins_with(self, head: str) -> bool:
        """Return whether the text begins with a head line."""
        return self.text.startswith(head.lower()) and not _is_continued(self.text, len(head.lower()))


def _stands_in(text: str, form: str, *, within_word: bool) -> bool:
    """Return whether a text contains a form that no word continues, nor, unless `within_word`, begins before."""
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        if (within_word or start == 0 or not _is_of_word(text[start - 1])) and not _is_continued(text, end):
            return True
        start = text.find(form, start + 1)
    return False


def _is_continued(text: str, end: int) -> bool:
    """Return whether a word continues at this place."""
    return end < len(text) and (text[end] == "-" or _is_of_word(text[end]))


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"  # as `\w`, in a tenth of the time


def read_claim(text: str) -> Claim | None:
    """Return what a text claims to be, or None where it claims nothing."""
    lower = text.strip().lower()
    has_reference = "segment" in lower
    ids = set(_REFERENCE.findall(lower)) if has_reference else set()
    if len(ids) > 1:
        return None  # a list of several, not a part of one
    _, newline, last = lower.rpartition("\n")
    ends_with_reference = has_reference and _REFERENCE_BEGUN.fullmatch(last.strip()) is not None
    if ids:
        has_head = _ANY_HEAD.search(lower) is not None
        block = _METADATA_WITH_ID.match(lower)
        names_itself = block is not None and _ANY_HEAD.search(lower[block.end() :].partition("\n")[0]) is not None
        is_whole = names_itself or (has_head and ends_with_reference)
        return Claim(lower, ids.pop(), has_head, ends_with_reference, is_whole)
    is_cut = ends_with_reference or (bool(newline) and last.strip() in (REFERENCE_PREFIX, REFERENCE_PREFIX[:-1]))
    piece = _REST_OF_REFERENCE.fullmatch(lower)
    first = text.strip().partition("\n")[0][:_TITLE_CHARACTERS]
    head = _last(_HEAD.finditer(first))
    if not (is_cut or piece or head):
        return None
    title = head and first[: head.start()]
    return Claim(lower, ends_with_reference=is_cut, piece=piece and (piece[1] or piece[2]), title=title)


def parse_reference(text: str) -> str | None:
    """Return the segment id that a text names beside a head line, or None.

    Whether the two belong together, only a segment store knows: `client.find_vectors_by_text`.
    """
    claim = read_claim(text)
    return claim.segment_id if claim is not None and claim.has_head else None


def strip_reference(text: str) -> str:
    """Return the text without its reference line."""
    return _REFERENCE_LINE.sub("", text)


def readable_head(head: str) -> str:
    """Return a head line as people and language models see it: `match.mp4, 0:12.5-0:18.0, visual`."""
    return ", ".join(head.rsplit(" | ", 2))


def readable_text(text: str) -> str:
    """Return a segment's text as people and language models see it: no reference line, the head in its readable form.

    A text that quotes the result can be embedded like any other. Text that is not a segment's is returned unchanged.
    """
    plain = strip_reference(text)
    first = _HEAD.search(plain) if plain != text else None
    if first is None:
        return plain
    line_end = plain.find("\n", first.end())
    head = _last(_HEAD.finditer(plain, 0, len(plain) if line_end < 0 else line_end)) or first
    return f"{plain[: head.start()]}, {head[1]}, {plain[head.end() :]}"


def _last(matches: Iterable[re.Match[str]]) -> re.Match[str] | None:
    return max(matches, key=re.Match.start, default=None)
