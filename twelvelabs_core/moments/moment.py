"""`Hit`, one search result of a vector store, and `Moment`, the part of a file that one or more hits belong to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.metadata import own_metadata
from twelvelabs_core.results.references import clock, readable_text, strip_reference
from twelvelabs_core.results.segments import OPTION_ORDER

MOMENT_NAMESPACE = uuid.UUID("6d1f2f0c-7c0f-5a58-9b3c-3b0a6a0f6c55")
VERBS = {"visual": "seen", "audio": "heard", "transcription": "said"}
"""How a sentence names an embedding option; others are named as they are."""
OPTION_NAMES = ", ".join(f"{option} ({VERBS[option]})" if option in VERBS else option for option in OPTION_ORDER)
"""All embedding options, for messages: results say `seen`, conditions `visual`."""
LEAST_SHOWN = 0.005  # cosines that would be shown as 0.00 are no reason


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result of a vector store.

    Attributes:
        segment_id: Id of the segment, or None for a document that is not of this package.
        source: The caller's name of the file.
        title: A short name to display.
        start_sec: First second of the segment; 0.0 where times do not apply.
        end_sec: Last second; 0.0 where times do not apply.
        duration_sec: Length of the whole file in seconds; 0.0 where times do not apply or it is unknown.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`.
        embedding_scope: `clip`, `asset`, `page` or `chunk`; "" for a document that is not of this package.
        words: The words spoken in a clip, where known; the readable text of anything else.
        item: The framework's document or node.
        own: The metadata that the user added.
        space: The space of its vector; the model where an early version wrote no space; "" where neither is known.

    Example:
        ```python
        hits = [Hit.of(document.metadata, item=document) for document in store.similarity_search(query, k=50)]
        ```
    """

    segment_id: str | None
    source: str = ""
    title: str = ""
    start_sec: float = 0.0
    end_sec: float = 0.0
    duration_sec: float = 0.0
    embedding_option: str = ""
    embedding_scope: str = ""
    words: str = ""
    item: Any = field(default=None, repr=False, compare=False)
    own: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    space: str = field(default="", compare=False)

    @classmethod
    def of(cls, metadata: Mapping[str, Any], *, text: str = "", item: Any = None) -> Self:
        """Return the hit of a document or node.

        Args:
            metadata: Its metadata; without a `segment_id` it is a document that is not of this package.
            text: Its text. Of a clip's text the lines after the first are the words spoken in it.
            item: The document or node itself.
        """
        segment_id = metadata.get("segment_id")
        source, title, option, scope = (
            str(metadata.get(key) or "") for key in ("source", "title", "embedding_option", "embedding_scope")
        )
        if not isinstance(segment_id, str):
            return cls(None, source, title, words=text, item=item)
        start, end, duration = (float(metadata.get(key) or 0.0) for key in ("start_sec", "end_sec", "duration_sec"))
        # What is spoken in a clip; of a page or chunk its head too, which says which one it is.
        words = strip_reference(text).partition("\n")[2].strip() if scope == "clip" else readable_text(text)
        space = str(metadata.get("space") or metadata.get("model") or "")
        own = own_metadata(metadata)
        return cls(segment_id, source, title, start, end, duration, option, scope, words, item, own, space)

    @property
    def is_clip(self) -> bool:
        """Whether it is a time range of a video or audio file, which may grow into a longer moment."""
        return self.segment_id is not None and self.embedding_scope == "clip" and self.end_sec > self.start_sec


class OptionScore(NamedTuple):
    """How well a moment matches by one embedding option.

    Attributes:
        cosine: Cosine of the query and the vector of this option in the moment's best clip.
        rank: Position (from 1) of that clip among all clips of the found files, by this option.

    Example:
        ```python
        heard = moment.options.get("audio")
        if heard and heard.rank == 1:
            print("the clip that sounds most like the query")
        ```
    """

    cosine: float
    rank: int


@dataclass(frozen=True, slots=True)
class Example:
    """A moment or segment to search by: others like it.

    Attributes:
        source: The caller's name of its file.
        start_sec: First second.
        end_sec: Last second; 0.0 where times do not apply.
        segment_ids: Its segments, at least one.

    Example:
        ```python
        example = Example.of(document)
        ```
    """

    source: str
    start_sec: float
    end_sec: float
    segment_ids: tuple[str, ...]

    @classmethod
    def of(cls, result: Any) -> Self:
        """Return the example of a `Moment`, or of the document or node of a moment or a segment; itself for an example.

        Raises:
            InputError: It has no segments.
        """
        if isinstance(result, cls):
            return result
        if isinstance(result, Moment):
            ids = [hit.segment_id for hit in result.hits if hit.segment_id is not None]
            values: Mapping[str, Any] = {name: getattr(result, name) for name in ("source", "start_sec", "end_sec")}
        else:
            values = getattr(result, "metadata", None) or {}
            ids = list(values.get("segment_ids") or filter(None, [values.get("segment_id")]))
        if not ids:
            raise InputError("like must be a moment or a segment, got something without segments.")
        start, end = (float(values.get(key) or 0.0) for key in ("start_sec", "end_sec"))
        return cls(str(values.get("source")), start, end, tuple(ids))

    def covers(self, source: str, start_sec: float, end_sec: float, segment_id: str | None = None) -> bool:
        """Return whether something is one of its segments, or has seconds of the same file in common with it."""
        is_same = source == self.source and start_sec < self.end_sec and end_sec > self.start_sec
        return is_same or (segment_id is not None and segment_id in self.segment_ids)


@dataclass(frozen=True, slots=True, repr=False)
class Moment:
    """A part of a video or audio file that answers a query; or a page, chunk, whole file or other document.

    Attributes:
        moment_id: UUID string; the same for the same part of the same file.
        source: The caller's name of the file.
        title: A short name to display.
        start_sec: First second; 0.0 where times do not apply.
        end_sec: Last second; 0.0 where times do not apply.
        best_sec: Middle of the clip that matches best; 0.0 where times do not apply.
        score: Relevance of the best clip, at least 0 (or its best cosine, by `MomentOptions.score`); None where the
            segment store does not have the vectors. Only comparable within one search.
        options: Cosine and rank for each embedding option of the best clip; empty where the vectors are not known.
        hits: The hits that belong to it, in time order; at least one.
        scope: `clip` for a part in time; `asset`, `page` or `chunk` for a hit that is returned as it is; "" for a
            document that is not of this package.
        exact: Whether score and bounds were computed from stored vectors; False where the order is the vector store's.
        words: The words spoken in its hits, where known.

    Example:
        ```python
        for moment in client.find_moments(hits, query):
            print(moment.title, moment.start_sec, moment.end_sec, moment.why)
        ```
    """

    moment_id: str
    source: str
    title: str
    start_sec: float
    end_sec: float
    best_sec: float
    score: float | None
    options: Mapping[str, OptionScore]
    hits: tuple[Hit, ...]
    scope: str = "clip"
    exact: bool = True
    words: str = ""

    @property
    def reasons(self) -> list[str]:
        """The embedding options by which it matches, the best first; of its hits where vectors are not stored."""
        if not self.options:
            return list(dict.fromkeys(hit.embedding_option for hit in self.hits if hit.embedding_option))
        options = sorted(self.options, key=lambda option: -self.options[option].cosine)
        return [option for option in options if self.options[option].cosine >= LEAST_SHOWN] or options[:1]

    @property
    def why(self) -> str:
        """Why it was found, in a short sentence: `seen 0.41, said 0.12; best at 1:02.5`."""
        cosines = {option: f" {score.cosine:z.2f}" for option, score in self.options.items()}
        parts = [VERBS.get(option, option) + cosines.get(option, "") for option in self.reasons]
        reasons = ", ".join(parts) or "found by the vector store"
        return f"{reasons}; best at {clock(self.best_sec)}" if self.scope == "clip" else reasons

    @property
    def url(self) -> str:
        """Its source with the time range as a media fragment (W3C): `https://example.com/match.mp4#t=62,70`."""
        return media_fragment(self.source, self.start_sec, self.end_sec)

    def __repr__(self) -> str:
        has_times = self.end_sec > self.start_sec
        times = f", {clock(self.start_sec)}-{clock(self.end_sec)}" if has_times else ""
        score = "" if self.score is None else f", score {self.score:z.3f}"
        return f"<Moment {self.title or self.source!r}{times}: {self.why}{score}>"

    def _repr_html_(self) -> str:
        """Return it as a table of one row, for notebooks."""
        from twelvelabs_core.moments.export.table import MomentTable  # noqa: PLC0415  # imports this module

        return MomentTable([self])._repr_html_()


def moment_id(source: str, scope: str, start_sec: float, end_sec: float, segment_id: str | None) -> str:
    """Return the id of a moment: by time for a clip, else by its segment."""
    name = f"{source}\n{start_sec:.3f}-{end_sec:.3f}" if scope == "clip" else f"{source}\n{segment_id}"
    return str(uuid.uuid5(MOMENT_NAMESPACE, name))


def media_fragment(source: str, start_sec: float, end_sec: float) -> str:
    """Return the URL of a time range by the W3C's media fragments; a path becomes a relative or absolute URL path."""
    url = source if "://" in source or source.startswith("asset:") else quote(source)
    return f"{url}#t={_seconds(start_sec)},{_seconds(end_sec)}" if end_sec > start_sec else url


def _seconds(seconds: float) -> str:
    """Return seconds to the millisecond, without zeros at the end."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
