"""Assign the spoken words of a video to its segments, each word to one segment of each option and scope."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from twelvelabs_core.results.references import as_body
from twelvelabs_core.results.segments import SegmentPosition

_SEGMENTS_MAX = 16  # that one word is compared with; a longer one, or a sentence in place of words, fills several


class Word(NamedTuple):
    """A word with its times.

    Attributes:
        start: First second.
        end: Last second.
        value: The word.

    Example:
        ```python
        video = client.segment_video("talk.mp4", include_transcript=True)
        print([word.value for word in video.words if word.start < 60])
        ```
    """

    start: float
    end: float
    value: str


def spoken(positions: Sequence[SegmentPosition], words: Sequence[Word], *, is_whole: bool) -> list[str]:
    """Return the words spoken in each segment, in the order of the segments; "" for none.

    A word belongs to the segment with most of its duration, of two equal ones to the earlier; a word outside all
    segments to none. If the whole media was embedded (`is_whole`), its segment of scope `asset` has all words.
    """
    bodies = [""] * len(positions)
    if not words:
        return bodies
    ordered = sorted(words)
    texts: dict[tuple[tuple[float, float], ...], list[str]] = {}  # most options have the same segments
    for rows in _groups(positions):
        if is_whole and positions[rows[0]].embedding_scope == "asset":
            bodies[rows[0]] = _text(ordered)
            continue
        times = tuple((positions[row].start_sec, positions[row].end_sec) for row in rows)
        if times not in texts:
            texts[times] = [_text(assigned) for assigned in _assign(times, ordered)]
        for row, text in zip(rows, texts[times], strict=True):
            bodies[row] = text
    return bodies


def _groups(positions: Sequence[SegmentPosition]) -> Iterable[list[int]]:
    """Return the indexes of the segments of each option and scope, each group in the order of time."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row, position in enumerate(positions):
        groups.setdefault((position.embedding_option, position.embedding_scope), []).append(row)
    return [sorted(rows, key=lambda row: positions[row][:2]) for rows in groups.values()]


def _assign(times: Sequence[tuple[float, float]], words: Sequence[Word]) -> list[list[Word]]:
    starts = [start for start, _ in times]
    assigned: list[list[Word]] = [[] for _ in times]
    for word in words:
        first = max(bisect_right(starts, word.start) - 1, 0)
        last = min(max(bisect_right(starts, word.end) - 1, first), first + _SEGMENTS_MAX)
        best = max(range(first, last + 1), key=lambda row: _overlap(times[row], word))  # the first of equal ones
        if _overlap(times[best], word) >= 0:
            assigned[best].append(word)
    return assigned


def _overlap(segment: tuple[float, float], word: Word) -> float:
    """Return how many seconds of a word lie in a segment; below 0 where it lies outside."""
    begin, until = max(segment[0], word.start), min(segment[1], word.end)
    if until > begin:
        return until - begin
    # A word without duration, or one that only touches the segment, belongs to the segment in which it starts.
    return 0.0 if segment[0] <= word.start < segment[1] else -1.0


def _text(words: Iterable[Word]) -> str:
    return as_body(" ".join(word.value for word in words))
