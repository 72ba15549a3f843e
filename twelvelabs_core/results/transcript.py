"""The words spoken in a film, shared out to its segments: each word goes to one, none is said twice. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from twelvelabs_core.results.references import as_body
from twelvelabs_core.results.segments import Locus


class Word(NamedTuple):
    """A word with its times.

    Attributes:
        start: Where it starts, in seconds of the film.
        end: Where it ends.
        value: The word.

    Example:
        ```python
        film = client.segment_video("talk.mp4", include_transcript=True)
        print([word.value for word in film.words if word.start < 60])
        ```
    """

    start: float
    end: float
    value: str


def spoken(loci: Sequence[Locus], words: Sequence[Word], *, is_whole: bool) -> list[str]:
    """Return what is said in each segment, in the order of the segments; "" where nobody speaks.

    The segments of each option and scope share the words out among them: a word goes to the segment that has most of
    it, of two that have the same to the earlier one; a word outside of all goes to none.

    Args:
        loci: The segments.
        words: The words, in any order.
        is_whole: Whether the whole film was embedded: then all words belong to the segment of scope `asset`, also
            those that end after it.
    """
    bodies = [""] * len(loci)
    if not words:
        return bodies
    ordered = sorted(words)
    for places in _groups(loci):
        if is_whole and loci[places[0]].embedding_scope == "asset":
            bodies[places[0]] = _text(ordered)
            continue
        for place, said in zip(places, _share_out([loci[place] for place in places], ordered), strict=True):
            bodies[place] = _text(said)
    return bodies


def _groups(loci: Sequence[Locus]) -> Iterable[list[int]]:
    """Return the positions of the segments that divide the film among them, each group in the order of time."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, locus in enumerate(loci):
        groups.setdefault((locus.embedding_option, locus.embedding_scope), []).append(place)
    return [sorted(places, key=lambda place: loci[place][:2]) for places in groups.values()]


def _share_out(loci: Sequence[Locus], words: Sequence[Word]) -> list[list[Word]]:
    starts = [locus.start_sec for locus in loci]
    shares: list[list[Word]] = [[] for _ in loci]
    for word in words:
        first = max(bisect_right(starts, word.start) - 1, 0)
        last = max(bisect_right(starts, word.end) - 1, first)
        best = max(range(first, last + 1), key=lambda place: _common(loci[place], word))  # the first of equal ones
        if _common(loci[best], word) >= 0:
            shares[best].append(word)
    return shares


def _common(locus: Locus, word: Word) -> float:
    """Return how many seconds of a word lie in a segment; below 0 where it lies outside."""
    begin, until = max(locus.start_sec, word.start), min(locus.end_sec, word.end)
    if until > begin:
        return until - begin
    # A word without length, or one that only touches the segment: of the one in which it starts.
    return 0.0 if locus.start_sec <= word.start < locus.end_sec else -1.0


def _text(words: Iterable[Word]) -> str:
    return as_body(" ".join(word.value for word in words))
