"""Reads captions or chapter titles of a media file, which stand in for its speech, and makes transcripts of them."""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from twelvelabs_sandbox.engine.container import open_media, start_time
from twelvelabs_sandbox.engine.packets import timed_packets

Captions = list[tuple[float, float, str]]

# ASS codes inside a caption: {\i1} and similar, line breaks, hard spaces.
ASS_CODES = re.compile(r"\{[^{}]*\}|\\[Nnh]")
# A caption without an end lasts until the next one, at most this long.
MAX_OPEN_CAPTION_SECONDS = 10.0
# A caption that overlaps a clip by less than this does not belong to it.
MIN_OVERLAP_SECONDS = 0.1
Entry = dict[str, object]
KINDS = ("words", "sentences", "utterances")
# A sentence ends at one of these characters or at a pause; an utterance ends at a pause only.
LAST_SIGN = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u2019\u201d)\]]*$")
PAUSE_SECONDS = 1.0
# Captions do not name speakers.
SPEAKER = "speaker_0"


def read_captions(path: Path) -> Captions:
    """Return (start, end, text) in seconds of the file, in order; empty without captions and chapters."""
    with open_media(path) as container:
        track = _track(container)
        captions = _captions(container, track) if track else []
        return captions or _chapters(container)


class CaptionIndex:
    """Finds the captions of a clip; vectorized for thousands of captions and clips."""

    def __init__(self, captions: Captions) -> None:
        self.texts = [text for _, _, text in captions]
        self.starts, self.ends = (np.array([words[side] for words in captions]) for side in (0, 1))
        self.needed = np.minimum(MIN_OVERLAP_SECONDS, (self.ends - self.starts) / 2)

    def between(self, start: float, end: float) -> str:
        """Return the joined texts of the captions that overlap a clip; empty if there are none."""
        overlap = np.minimum(end, self.ends) - np.maximum(start, self.starts)
        return " ".join(self.texts[number] for number in np.flatnonzero(overlap >= self.needed))


def _track(container: InputContainer) -> SubtitleStream | None:
    tracks = [stream for stream in container.streams.subtitles if stream.codec_context is not None]
    return next(
        (stream for stream in tracks if stream.disposition & Disposition.default), tracks[0] if tracks else None
    )


def _captions(container: InputContainer, track: SubtitleStream) -> Captions:
    found = timed_packets(container, track)
    return _closed(sorted((timed.begin, timed.end, text) for timed in found if (text := _caption_text(timed.packet))))


def _caption_text(packet: Any) -> str:
    rects = [rect for rect in packet.decode() if isinstance(rect, AssSubtitle)]
    texts = ((rect.dialogue or rect.text).decode(errors="replace") for rect in rects)
    return " ".join(" ".join(ASS_CODES.sub(" ", text).split()) for text in texts).strip()


def _chapters(container: InputContainer) -> Captions:
    begin = start_time(container)
    timed = []
    for chapter in container.chapters():
        title, base = chapter["metadata"].get("title", "").strip(), chapter["time_base"]
        if title and base:
            timed.append((float(chapter["start"] * base) - begin, float(chapter["end"] * base) - begin, title))
    return _closed(sorted(timed))


def _closed(timed: Captions) -> Captions:
    """Set the end of texts that have none."""
    nexts = [*(begin for begin, _, _ in timed[1:]), float("inf")]
    return [
        (begin, until if until > begin else min(following, begin + MAX_OPEN_CAPTION_SECONDS), text)
        for (begin, until, text), following in zip(timed, nexts, strict=False)
    ]


def transcript(captions: Captions, kinds: Collection[str]) -> dict[str, list[Entry]]:
    """Return the requested kinds of entries, each with ``start`` and ``end`` in seconds and ``value``."""
    words = list(_words(captions))
    groups: dict[str, list[Captions]] = {
        "words": [[word] for word in words],
        "sentences": list(_runs(words, at_signs=True)),
        "utterances": list(_runs(words, at_signs=False)),
    }
    return {kind: [_entry(group, kind) for group in groups[kind]] for kind in KINDS if kind in kinds}


def _words(captions: Captions) -> Iterator[tuple[float, float, str]]:
    """Yield the words of all captions; the duration of a caption is divided among its words by their length."""
    for start, end, text in captions:
        words = text.split()
        letters = sum(map(len, words))
        at = 0
        for word in words:
            first, at = at, at + len(word)
            yield (start + (end - start) * first / letters, start + (end - start) * at / letters, word)


def _runs(words: Captions, *, at_signs: bool) -> Iterator[Captions]:
    run: Captions = words[:1]
    for before, word in pairwise(words):
        if word[0] - before[1] > PAUSE_SECONDS or (at_signs and LAST_SIGN.search(before[2])):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _entry(words: Captions, kind: str) -> Entry:
    text = " ".join(word for _, _, word in words)
    end = max(end for _, end, _ in words)
    entry: Entry = {"start": round(words[0][0], 3), "end": round(end, 3), "value": text}
    return entry | {"speaker": SPEAKER} if kind == "utterances" else entry
