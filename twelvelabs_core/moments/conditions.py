"""`Conditions`: which segments a search may return, for adapters that state it in a vector store's own language."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, NamedTuple

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.moment import OPTION_NAMES, VERBS, Hit
from twelvelabs_core.moments.options import check_time_window
from twelvelabs_core.results.segments import OPTION_ORDER as EMBEDDING_OPTIONS

TOOL_OPTIONS = {verb: option for option, verb in VERBS.items()}
"""The words by which tools name embedding options."""
CLIP_OPTIONS = tuple(TOOL_OPTIONS.values())
TIME_MAX_SEC = 1e9  # later than the end of any file; a vector store may have no value for infinity


class Predicate(NamedTuple):
    """A comparison of a metadata value.

    Attributes:
        key: Key of the metadata.
        operator: `==`, `<` or `>`.
        value: A string for `==`, else seconds.

    Example:
        ```python
        Predicate("start_sec", "<", 120.0)
        ```
    """

    key: str
    operator: Literal["==", "<", ">"]
    value: str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Which segments a search may return; documents that are not of this package fail every condition.

    Attributes:
        sources: The `source` of the file is one of these. Default: any.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`. Default: any.
        time_window: First and last second; a segment must overlap them. Default: any.

    Raises:
        InputError: The window is not a pair of seconds, the option is unknown, or there are no sources.

    Example:
        ```python
        Conditions(sources=("match.mp4",), time_window=(60, 120)).matches(document.metadata)
        ```
    """

    sources: tuple[str, ...] | None = None
    embedding_option: str | None = None
    time_window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_time_window(self.time_window)
        if self.sources is not None and not self.sources:
            raise InputError("source is an empty list, by which nothing can be found: pass None for any file.")
        if self.embedding_option not in (None, *EMBEDDING_OPTIONS):
            raise InputError(f"embedding_option must be one of {OPTION_NAMES}, got {self.embedding_option!r}.")

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.sources, self.embedding_option, self.time_window))

    @property
    def clauses(self) -> list[list[Predicate]]:
        """The conditions as predicates: one of each inner list must be true."""
        clauses: list[list[Predicate]] = []
        if self.sources is not None:
            clauses.append([Predicate("source", "==", source) for source in self.sources])
        if self.embedding_option is not None:
            clauses.append([Predicate("embedding_option", "==", self.embedding_option)])
        if self.time_window is not None:
            start, end = float(self.time_window[0]), min(float(self.time_window[1]), TIME_MAX_SEC)
            clauses += [[Predicate("start_sec", "<", end)], [Predicate("end_sec", ">", start)]]
        return clauses

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        """Return whether a document or node with these metadata fulfils the conditions."""
        return self.accepts(Hit.of(metadata))

    def accepts(self, hit: Hit) -> bool:
        """Return whether a search result fulfils the conditions."""
        if not self:
            return True
        return (
            hit.segment_id is not None
            and (self.sources is None or hit.source in self.sources)
            and self.embedding_option in (None, hit.embedding_option)
            and (
                self.time_window is None or (hit.start_sec < self.time_window[1] and hit.end_sec > self.time_window[0])
            )
        )


def time_window_of(start_sec: float | None, end_sec: float | None) -> tuple[float, float] | None:
    """Return the window between two seconds, of which either may be missing; None where both are.

    Raises:
        InputError: A time is not a number of at least 0, or the end is not after the start.
    """
    for name, value in (("start_sec", start_sec), ("end_sec", end_sec)):
        if value is not None and not (isinstance(value, Real) and not isinstance(value, bool) and value >= 0):
            raise InputError(f"{name} must be a number of seconds from 0, got {value!r}.")
    if start_sec is None and end_sec is None:
        return None
    start = 0.0 if start_sec is None else float(start_sec)
    if end_sec is not None and end_sec <= start:
        raise InputError(f"end_sec must be after start_sec, got start_sec={start:g} and end_sec={end_sec:g}.")
    # A start after the end of any file: a window in which nothing is found.
    return min(start, TIME_MAX_SEC - 1.0), TIME_MAX_SEC if end_sec is None else float(min(end_sec, TIME_MAX_SEC))
