"""Reads the text inside a film, which stands in for its speech: captions of a subtitle track, else chapter titles."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from twelvelabs_sandbox._opening import opened, packets, zero
from twelvelabs_sandbox._survey import PacketClock

Spoken = list[tuple[float, float, str]]

# Codes of the ASS format inside a caption: {\i1} and the like, line breaks, hard spaces.
ASS_CODES = re.compile(r"\{[^}]*\}|\\[Nnh]")
# A caption that does not say how long it stands, stands until the next, at most this long.
LONGEST_OPEN_CAPTION = 10.0
# A caption that reaches into a clip by less than this belongs to its neighbour only.
SMALLEST_OVERLAP = 0.1


def spoken_words(path: Path) -> Spoken:
    """Return (start, end, text) in seconds of the film, in order; empty where the file carries no text."""
    with opened(path) as container:
        track = _track(container)
        captions = _captions(container, track) if track else []
        return captions or _chapters(container)


class Script:
    """Tells what is said between two seconds; made for thousands of captions and thousands of clips."""

    def __init__(self, spoken: Spoken) -> None:
        self.texts = [text for _, _, text in spoken]
        self.begins, self.ends = (np.array([words[side] for words in spoken]) for side in (0, 1))
        self.needed = np.minimum(SMALLEST_OVERLAP, (self.ends - self.begins) / 2)

    def between(self, start: float, end: float) -> str:
        """Return the texts that overlap a clip, joined; empty where there are none."""
        overlap = np.minimum(end, self.ends) - np.maximum(start, self.begins)
        return " ".join(self.texts[number] for number in np.flatnonzero(overlap >= self.needed))


def _track(container: InputContainer) -> SubtitleStream | None:
    tracks = [stream for stream in container.streams.subtitles if stream.codec_context is not None]
    return next(
        (stream for stream in tracks if stream.disposition & Disposition.default), tracks[0] if tracks else None
    )


def _captions(container: InputContainer, track: SubtitleStream) -> Spoken:
    clock = PacketClock(container)
    timed = []
    for packet in packets(container, track):
        begin, until = clock.times(packet)
        if text := _caption_text(packet):
            timed.append((begin, until, text))
    timed.sort()
    return _closed(timed)


def _caption_text(packet: Any) -> str:
    rects = [rect for rect in packet.decode() if isinstance(rect, AssSubtitle)]
    texts = ((rect.dialogue or rect.text).decode(errors="replace") for rect in rects)
    return " ".join(" ".join(ASS_CODES.sub(" ", text).split()) for text in texts).strip()


def _chapters(container: InputContainer) -> Spoken:
    begin = zero(container)
    timed = []
    for chapter in container.chapters():
        title, base = chapter["metadata"].get("title", "").strip(), chapter["time_base"]
        if title and base:
            timed.append((float(chapter["start"] * base) - begin, float(chapter["end"] * base) - begin, title))
    return _closed(sorted(timed))


def _closed(timed: Spoken) -> Spoken:
    """Give an end to texts that have none."""
    nexts = [*(begin for begin, _, _ in timed[1:]), float("inf")]
    return [
        (begin, until if until > begin else min(following, begin + LONGEST_OPEN_CAPTION), text)
        for (begin, until, text), following in zip(timed, nexts, strict=False)
    ]
