"""Moments as text and plain metadata: what a document, a node, and a language model get."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from twelvelabs_core.media.lists import distinct_names
from twelvelabs_core.moments.moment import VERBS, Moment, media_fragment
from twelvelabs_core.results.references import clock

NOTHING_FOUND = "No moment found."
WORDS_MAX = 500  # characters of spoken words that a language model is shown for each moment


def distinct_titles(moments: Iterable[Moment]) -> dict[str, str]:
    """Return the title of each source, with as much of its folders as tells equal titles apart."""
    return titles_of_sources({moment.source: moment.title for moment in moments})


def titles_of_sources(titles: Mapping[str, str]) -> dict[str, str]:
    """Return titles by source, each with as much of its folders as tells equal titles apart."""
    return distinct_names({source: (title or source, _folders(source, title)) for source, title in titles.items()})


def moment_text(moment: Moment, title: str) -> str:
    """Return the text of a moment's document: `match.mp4, 1:02.0-1:10.0, seen, said`, then the words spoken in it."""
    options = {hit.embedding_option for hit in moment.hits}
    verbs = ", ".join(verb for option, verb in VERBS.items() if option in options)
    head = f"{title}, {clock(moment.start_sec)}-{clock(moment.end_sec)}" + (f", {verbs}" if verbs else "")
    return f"{head}\n{moment.words}" if moment.words else head


def moment_metadata(moment: Moment, title: str) -> dict[str, Any]:
    """Return the metadata of a moment's document: plain JSON values, without a vector.

    `scores` and `ranks` have a value for each embedding option of the best clip.
    """
    return {
        "moment_id": moment.moment_id,
        "source": moment.source,
        "title": title,
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
    }


def text_for_model(moments: Sequence[Moment], titles: Mapping[str, str]) -> str:
    """Return one line per moment for a language model; a link only where the source is a URL."""
    lines = [_line(number, moment, titles[moment.source]) for number, moment in enumerate(moments, 1)]
    return "\n".join(lines) or NOTHING_FOUND


def _line(number: int, moment: Moment, title: str) -> str:
    if moment.scope != "clip":
        return f"{number}. {title or 'untitled'}: {' '.join(moment.words.split())[:WORDS_MAX]}".rstrip(": ")
    words = " ".join(moment.words.split())
    quoted = f' Words: "{words[:WORDS_MAX]}".' if words else ""
    link = f" {moment.url}" if is_web_url(moment.source) else ""
    return f"{number}. {title}, {clock(moment.start_sec)}-{clock(moment.end_sec)}: {moment.why}.{quoted}{link}"


def is_web_url(source: str) -> bool:
    """Return whether a source is an http(s) URL, which anybody may see, and not a path of this machine."""
    return urlsplit(source).scheme in ("http", "https")


def _folders(source: str, title: str) -> list[str]:
    """Return the parts of a name before the file name."""
    address = urlsplit(source)
    name = unquote(address.netloc + address.path) if is_web_url(source) else source
    parts = [part for part in name.split("/") if part]
    return parts[:-1] if parts[-1:] == [title] else parts


def public_document(moment: Moment, title: str) -> tuple[str, dict[str, Any]]:
    """Return text and metadata of a moment without the path of a file: its source is then its title."""
    metadata = moment_metadata(moment, title)
    if not is_web_url(moment.source):
        metadata |= {"source": title, "url": media_fragment(title, moment.start_sec, moment.end_sec)}
    return moment_text(moment, title), metadata


def moment_for_model(moment: Moment, title: str) -> dict[str, Any]:
    """Return what a language model needs of a moment, as JSON values; a link only where the source is a URL."""
    found: dict[str, Any] = {"title": title, "start_sec": moment.start_sec, "end_sec": moment.end_sec}
    found |= {"time": f"{clock(moment.start_sec)}-{clock(moment.end_sec)}", "why": moment.why}
    if moment.words:
        found["words"] = " ".join(moment.words.split())[:WORDS_MAX]
    if is_web_url(moment.source):
        found["url"] = moment.url
    return found


def sentence_of(error: Exception) -> str:
    """Return an error as a sentence for a language model, which can then tell its user."""
    return f"The search failed: {' '.join(str(error).split())}"
