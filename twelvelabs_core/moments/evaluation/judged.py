"""`JudgedQuery`, a query with its true answers, and which results are right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from twelvelabs_core.base.errors import InputError


class Span(NamedTuple):
    """A part of a video or audio file.

    Attributes:
        source: The name of the file, as in the metadata `source` of its segments.
        start_sec: First second.
        end_sec: Last second.

    Example:
        ```python
        Span("match.mp4", 61.0, 68.5)
        ```
    """

    source: str
    start_sec: float
    end_sec: float


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and all parts of videos that answer it.

    Attributes:
        query: What the search gets: a text, or whatever else it takes.
        spans: The right answers, at least one.
        label: The class of the query, such as `look` or `speech`; results are shown for each.

    Raises:
        InputError: There is no span, or one does not end after its start.

    Example:
        ```python
        judged = [
            JudgedQuery(row["query"], [Span(**span) for span in row["spans"]], row.get("label", ""))
            for row in json.loads(Path("judged.json").read_text())
        ]
        ```
    """

    query: Any
    spans: Sequence[Span]
    label: str = ""

    def __post_init__(self) -> None:
        if not self.spans:
            raise InputError(f"the query {self.query!r} has no span; at least one right answer is needed.")
        spans = tuple(dict.fromkeys(Span(*span) for span in self.spans))
        for span in spans:
            if not (isfinite(span.start_sec) and isfinite(span.end_sec) and span.start_sec < span.end_sec):
                raise InputError(f"the query {self.query!r} has a span that does not end after its start: {span}.")
        object.__setattr__(self, "spans", spans)

    def gains(self, results: Sequence[Any], iou: float) -> list[bool]:
        """Return for each result whether it finds a span that no earlier result found.

        Raises:
            InputError: A result has neither attributes nor metadata with a time range.
        """
        left = list(self.spans)
        gains = []
        for result in results:
            found = span_of(result)
            overlaps = [(temporal_iou(found, span), -place) for place, span in enumerate(left)] if found else []
            best, place = max(overlaps, default=(0.0, 0))
            gains.append(best >= iou)
            if gains[-1]:
                del left[-place]
        return gains


def span_of(result: Any) -> Span | None:
    """Return the part that a result is about; None for a result without times, such as a page.

    Args:
        result: A `Moment`, a LangChain `Document`, a LlamaIndex `NodeWithScore`, or another object with `source`,
            `start_sec` and `end_sec` as attributes or in its `metadata`.

    Raises:
        InputError: It has neither such attributes nor metadata.
    """
    values: Any = getattr(result, "metadata", None)
    if not isinstance(values, Mapping):
        names = Span._fields
        if not all(hasattr(result, name) for name in names):
            raise InputError(
                f"a result must have source, start_sec and end_sec, or metadata with them, got {type(result).__name__}."
            )
        values = {name: getattr(result, name) for name in names}
    source, start, end = (values.get(name) for name in Span._fields)
    if not isinstance(source, str) or not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    return Span(source, start, end) if start < end else None


def temporal_iou(one: Span, other: Span) -> float:
    """Return the length of the intersection of two spans divided by that of their union; 0 for different files."""
    both = min(one.end_sec, other.end_sec) - max(one.start_sec, other.start_sec)
    if one.source != other.source or both <= 0:
        return 0.0
    return both / (max(one.end_sec, other.end_sec) - min(one.start_sec, other.start_sec))
