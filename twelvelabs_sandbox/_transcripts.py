"""What is said in a film, as words, sentences and utterances with times."""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from twelvelabs_sandbox._words import Spoken

Entry = dict[str, object]

KINDS = ("words", "sentences", "utterances")
# A sentence ends at one of these signs, or where nothing is said for a while; a turn of speech ends there only.
LAST_SIGN = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u2019\u201d)\]]*$")
PAUSE_SECONDS = 1.0
# Captions name no speakers.
SPEAKER = "speaker_0"


def transcript(spoken: Spoken, kinds: Collection[str]) -> dict[str, list[Entry]]:
    """Return the asked kinds of entries, each ``start``, ``end`` in seconds and ``value``."""
    words = list(_words(spoken))
    groups: dict[str, list[Spoken]] = {
        "words": [[word] for word in words],
        "sentences": list(_runs(words, at_signs=True)),
        "utterances": list(_runs(words, at_signs=False)),
    }
    return {kind: [_entry(group, kind) for group in groups[kind]] for kind in KINDS if kind in kinds}


def _words(spoken: Spoken) -> Iterator[tuple[float, float, str]]:
    """Share the time of each caption out among its words, by their length."""
    for start, end, text in spoken:
        words = text.split()
        letters = sum(map(len, words))
        at = 0
        for word in words:
            first, at = at, at + len(word)
            yield (start + (end - start) * first / letters, start + (end - start) * at / letters, word)


def _runs(words: Spoken, *, at_signs: bool) -> Iterator[Spoken]:
    run: Spoken = words[:1]
    for before, word in pairwise(words):
        if word[0] - before[1] > PAUSE_SECONDS or (at_signs and LAST_SIGN.search(before[2])):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _entry(words: Spoken, kind: str) -> Entry:
    text = " ".join(word for _, _, word in words)
    end = max(end for _, end, _ in words)
    entry: Entry = {"start": round(words[0][0], 3), "end": round(end, 3), "value": text}
    return entry | {"speaker": SPEAKER} if kind == "utterances" else entry
