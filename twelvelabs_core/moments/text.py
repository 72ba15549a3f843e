"""Moments as text and plain metadata: what a document, a node, and a language model get."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from twelvelabs_core.base.errors import APIConnectionError, APIResponseError, APIStatusError, TwelveLabsError
from twelvelabs_core.media.lists import distinct_names, folders_of, readable_path
from twelvelabs_core.moments.moment import VERBS, Moment, media_fragment
from twelvelabs_core.results.references import clock

logger = logging.getLogger("twelvelabs_core")

NOTHING_FOUND = "No moment found."
WORDS_MAX = 500  # characters of spoken words that a language model is shown for each moment


def titles_of_sources(titles: Mapping[str, str]) -> dict[str, str]:
    """Return titles by source; equal ones with as much of their folders as tells them apart.

    Where a title is not the end of its source, as with a `source=` of the caller's, the source itself is shown.
    """
    named = {source: title or _last_part(source) for source, title in titles.items()}
    shown = distinct_names(
        {source: (title, folders_of(source, title, is_url=is_web_url(source))) for source, title in named.items()}
    )
    return {
        source: title if title == named[source] or ends_with(source, title) else source
        for source, title in shown.items()
    }


def ends_with(source: str, name: str) -> bool:
    """Return whether a name is a source, or its last parts: `cup/match.mp4` of `/data/cup/match.mp4`."""
    return f"/{readable_path(source, is_url=is_web_url(source))}".endswith(f"/{name}")


def moment_text(moment: Moment) -> str:
    """Return the text of a moment's document: `match.mp4, 1:02.0-1:10.0, seen, said`, then the words spoken in it."""
    if moment.scope != "clip":
        return moment.words or moment.title or "untitled"
    verbs = [verb for option, verb in VERBS.items() if option in moment.reasons]
    times = [f"{clock(moment.start_sec)}-{clock(moment.end_sec)}"] if moment.end_sec > moment.start_sec else []
    head = ", ".join([moment.title or "untitled", *times, *verbs])
    return f"{head}\n{moment.words}" if moment.words else head


def moment_metadata(moment: Moment) -> dict[str, Any]:
    """Return the metadata of a moment's document: plain JSON values, without a vector.

    `scores` and `ranks` have a value for each embedding option of the best clip. What the user added to the metadata
    of the segments follows; where they differ, that of the first one.
    """
    own = {key: value for hit in reversed(moment.hits) for key, value in hit.own.items()}
    return {
        "moment_id": moment.moment_id,
        "source": moment.source,
        "title": moment.title,
        "start_sec": moment.start_sec,
        "end_sec": moment.end_sec,
        "best_sec": moment.best_sec,
        "score": moment.score,
        "scores": {option: round(score.cosine, 4) for option, score in moment.options.items()},
        "ranks": {option: score.rank for option, score in moment.options.items()},
        "why": moment.why,
        "exact": moment.exact,
        "url": moment.url,
        "embedding_scope": moment.scope,
        "segment_ids": [hit.segment_id for hit in moment.hits if hit.segment_id is not None],
        **own,
    }


def text_for_model(moments: Sequence[Moment]) -> str:
    """Return one line per moment for a language model; a link only where the source is a URL."""
    return "\n".join(f"{number}. {_line(moment)}" for number, moment in enumerate(moments, 1)) or NOTHING_FOUND


def _line(moment: Moment) -> str:
    words = one_line(moment.words)[:WORDS_MAX]
    if moment.scope != "clip":
        is_own = moment.hits[0].segment_id is not None  # then its text begins with its title
        return words if is_own and words else f"{one_line(moment.title) or 'untitled'}: {words}".rstrip(": ")
    quoted = f' Words: "{words}".' if words else ""
    link = f" {moment.url}" if is_web_url(moment.source) else ""
    return f"{one_line(moment.title)}, {clock(moment.start_sec)}-{clock(moment.end_sec)}: {moment.why}.{quoted}{link}"


def one_line(text: str) -> str:
    """Return a text with single spaces: the name of a file may have line breaks, and look like other results."""
    return " ".join(text.split())


def is_web_url(source: str) -> bool:
    """Return whether a source is an http(s) URL, which anybody may see, and not a path of this machine."""
    return urlsplit(source).scheme in ("http", "https")


def public_document(moment: Moment) -> tuple[str, dict[str, Any]]:
    """Return text and metadata of a moment without the path of a file: its source is then its title."""
    metadata = moment_metadata(moment)
    if not is_web_url(moment.source):
        metadata |= {"source": moment.title, "url": media_fragment(moment.title, moment.start_sec, moment.end_sec)}
    return moment_text(moment), metadata


def moment_for_model(moment: Moment) -> dict[str, Any]:
    """Return what a language model needs of a moment, as JSON values; a link only where the source is a URL."""
    found: dict[str, Any] = {"title": moment.title or "untitled"}
    if moment.end_sec > moment.start_sec:
        found |= {"start_sec": moment.start_sec, "end_sec": moment.end_sec}
        found |= {"time": f"{clock(moment.start_sec)}-{clock(moment.end_sec)}", "why": moment.why}
    if moment.words:
        found["words"] = one_line(moment.words)[:WORDS_MAX]
    if is_web_url(moment.source):
        found["url"] = moment.url
    return found


def complaint_about(text: object, start_sec: Any, end_sec: Any, *, name: str = "query") -> str | None:
    """Return what a language model did wrong with the arguments of a tool, if anything.

    Args:
        text: The query, or the title of a video.
        start_sec: The first second; None for any.
        end_sec: The last second; None for any.
        name: What the tool calls the text.
    """
    if not isinstance(text, str) or not text.strip():
        return f"The search failed: {name} must be a text that is not empty."
    for time_name, time in (("start_sec", start_sec), ("end_sec", end_sec)):
        if time is not None and (isinstance(time, bool) or not isinstance(time, int | float) or not time >= 0):
            return f"The search failed: {time_name} must be a number of seconds from 0, got {time!r}."
    if end_sec is not None and end_sec <= (start_sec or 0.0):
        return f"The search failed: end_sec must be after start_sec, got {start_sec} and {end_sec}."
    return None


def sentence_of(error: TwelveLabsError) -> str:
    """Return an error as a sentence for a language model, which can then tell its user.

    Only what the API said is quoted: other messages may name files of this machine, and are logged.
    """
    if isinstance(error, APIStatusError | APIConnectionError | APIResponseError):
        return f"The search failed: {one_line(str(error))}"
    logger.warning("a search by a tool failed: %s", error)
    return f"The search failed, and only the operator can repair it ({type(error).__name__}, see the log)."


def _last_part(source: str) -> str:
    return source.rstrip("/").rpartition("/")[2]
