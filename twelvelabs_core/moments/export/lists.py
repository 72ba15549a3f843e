"""Lists of moments as CSV, as edit decision list (CMX 3600), and as subtitles (SRT and WebVTT)."""

import csv
import io
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePath

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.moment import Moment

FRAME_RATES = {23.976: 24_000 / 1001, 24: 24.0, 25: 25.0, 29.97: 30_000 / 1001, 30: 30.0}
EVENTS_MAX = 999
"""An event has a number of three digits in CMX 3600."""

_REEL_CHARACTERS = 8
_RECORD_START_SEC = 3600  # programs begin at 01:00:00:00 by convention
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def moments_to_csv(moments: Iterable[Moment]) -> str:
    """Return moments as CSV (RFC 4180, with a header), one per row in the order given.

    Columns: `title`, `source`, `start_sec`, `end_sec`, `best_sec`, `score`, one for the cosine of each embedding option
    that occurs, `why`, `words`, `moment_id`. A text that a spreadsheet would take for a formula is preceded by `'`.

    Example:
        ```python
        Path("moments.csv").write_text(moments_to_csv(moments), encoding="utf-8", newline="")
        ```
    """
    listed = list(moments)
    options = list(dict.fromkeys(option for moment in listed for option in moment.options))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["title", "source", "start_sec", "end_sec", "best_sec", "score", *options, "why", "words", "moment_id"]
    )
    for moment in listed:
        cosines = (moment.options.get(option) for option in options)
        numbers = [moment.start_sec, moment.end_sec, moment.best_sec, moment.score]
        numbers += [cosine.cosine if cosine else None for cosine in cosines]
        writer.writerow(
            [
                *map(_not_a_formula, (moment.title, moment.source)),
                *("" if number is None else f"{number:z.4f}" for number in numbers),
                *map(_not_a_formula, (moment.why, moment.words)),
                moment.moment_id,
            ]
        )
    return out.getvalue()


def moments_to_edl(moments: Iterable[Moment], *, fps: float = 25, title: str = "Moments") -> str:
    """Return moments as an edit decision list (CMX 3600, non-drop frame), one cut each, in the order given.

    Each event has picture and sound. A video's first frame counts as timecode 00:00:00:00, and the program begins at
    01:00:00:00. The file's name follows as `* FROM CLIP NAME:`, the source as `* SOURCE FILE:`; the reel is made of up
    to eight letters and digits of the name, and differs by source.

    Args:
        moments: Moments with times; at most 999.
        fps: Frame rate of the videos and of the program: 23.976, 24, 25, 29.97 or 30.
        title: Title of the list.

    Raises:
        InputError: The frame rate is none of these, a moment has no times, or there are too many.

    Example:
        ```python
        Path("moments.edl").write_text(moments_to_edl(moments, fps=24))
        ```
    """
    if fps not in FRAME_RATES:
        raise InputError(f"fps must be one of {', '.join(map(str, FRAME_RATES))}, got {fps}.")
    listed = _timed(moments)
    if len(listed) > EVENTS_MAX:
        raise InputError(f"an edit decision list has at most {EVENTS_MAX} events, got {len(listed)} moments.")
    reels = _reels(listed)
    base = round(fps)
    recorded = _RECORD_START_SEC * base
    lines = [f"TITLE: {_one_line(title)}", "FCM: NON-DROP FRAME"]
    for number, moment in enumerate(listed, 1):
        first, last = (round(seconds * FRAME_RATES[fps]) for seconds in (moment.start_sec, moment.end_sec))
        last = max(last, first + 1)
        times = " ".join(_timecode(frame, base) for frame in (first, last, recorded, recorded + last - first))
        recorded += last - first
        name = PurePath(moment.source).name if "://" not in moment.source else moment.title
        lines += [
            f"{number:03d}  {reels[moment.source]:<{_REEL_CHARACTERS}} AA/V  C        {times}",
            f"* FROM CLIP NAME: {_one_line(name)}",
            f"* SOURCE FILE: {_one_line(moment.source)}",
        ]
    return "\n".join(lines) + "\n"


def moments_to_srt(moments: Iterable[Moment]) -> str:
    """Return the moments of one video as SRT subtitles: title, why it was found, and the words, where known.

    Raises:
        InputError: A moment has no times, or they are of several videos.

    Example:
        ```python
        Path("match.srt").write_text(moments_to_srt(moments), encoding="utf-8")
        ```
    """
    cues = [
        f"{number}\n{_clock(moment.start_sec, ',')} --> {_clock(moment.end_sec, ',')}\n"
        + "\n".join(line.replace("-->", "->") for line in _lines(moment))
        for number, moment in enumerate(_of_one_video(moments), 1)
    ]
    return "".join(f"{cue}\n\n" for cue in cues)


def moments_to_webvtt(moments: Iterable[Moment]) -> str:
    """Return the moments of one video as WebVTT: title, why it was found, and the words, where known.

    Raises:
        InputError: A moment has no times, or they are of several videos.

    Example:
        ```python
        Path("match.vtt").write_text(moments_to_webvtt(moments), encoding="utf-8")
        ```
    """
    cues = [
        f"{moment.moment_id}\n{_clock(moment.start_sec, '.')} --> {_clock(moment.end_sec, '.')}\n"
        + "\n".join(map(_webvtt_text, _lines(moment)))
        for moment in _of_one_video(moments)
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _timed(moments: Iterable[Moment]) -> list[Moment]:
    listed = list(moments)
    for moment in listed:
        if not isinstance(moment, Moment):
            raise InputError(f"a {type(moment).__name__} is not a Moment; a retriever's method `moments` returns them.")
        if not 0 <= moment.start_sec < moment.end_sec < math.inf:
            raise InputError(f"{moment.title or moment.source!r} has no times, so it cannot be in this list.")
    return listed


def _of_one_video(moments: Iterable[Moment]) -> list[Moment]:
    listed = _timed(moments)
    sources = {moment.source for moment in listed}
    if len(sources) > 1:
        raise InputError(f"subtitles belong to one video, got moments of {len(sources)}; write a file for each source.")
    return sorted(listed, key=lambda moment: (moment.start_sec, moment.end_sec))


def _lines(moment: Moment) -> Iterator[str]:
    """Yield the lines of a subtitle; an empty one would end it."""
    yield from filter(None, map(_one_line, (moment.title, moment.why, moment.words)))


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", " ", text).split())


def _webvtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _not_a_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _clock(seconds: float, point: str) -> str:
    """Return a time as `00:01:02.500`, with this decimal point."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}{point}{milliseconds:03d}"


def _timecode(frame: int, base: int) -> str:
    seconds, frames = divmod(frame, base)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:02d}"


def _reels(moments: Sequence[Moment]) -> dict[str, str]:
    """Return for each source a reel name that no other has."""
    reels: dict[str, str] = {}
    for moment in moments:
        if moment.source not in reels:
            letters = re.sub(r"[^A-Z0-9]", "", PurePath(moment.title or moment.source).stem.upper()) or "REEL"
            reels[moment.source] = _unused(letters, reels.values())
    return reels


def _unused(letters: str, used: Collection[str]) -> str:
    name, number = letters[:_REEL_CHARACTERS], 1
    while name in used:
        number += 1
        name = f"{letters[: _REEL_CHARACTERS - len(str(number))]}{number}"
    return name
