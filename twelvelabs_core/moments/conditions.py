"""`Conditions`: which segments a search may return, for adapters that state it in a vector store's own language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.moment import Hit

TOOL_OPTIONS = {"seen": "visual", "heard": "audio", "said": "transcription"}
"""The words by which tools name embedding options."""
CLIP_OPTIONS = tuple(TOOL_OPTIONS.values())
TIME_MAX_SEC = 1e9  # later than the end of any file; a vector store may have no value for infinity


class Comparison(NamedTuple):
    """A comparison of a metadata value.

    Attributes:
        key: Key of the metadata.
        operator: `==`, `<` or `>`.
        value: A string for `==`, else seconds.

    Example:
        ```python
        Comparison("start_sec", "<", 120.0)
        ```
    """

    key: str
    operator: Literal["==", "<", ">"]
    value: str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Which segments a search may return; documents that are not of this package fail every condition.

    Attributes:
        source: The `source` of the file, or its title: `match.mp4`, also with some of its folders, `cup/match.mp4`.
            Default: any.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`. Default: any.
        time_window: First and last second; a segment must overlap them. Default: any.

    Raises:
        InputError: The window is empty or not a pair of seconds.

    Example:
        ```python
        Conditions(source="match.mp4", time_window=(60, 120)).matches(document.metadata)
        ```
    """

    source: str | None = None
    embedding_option: str | None = None
    time_window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.time_window is None:
            return
        window: Sequence[Any] = self.time_window
        are_numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in window)
        if len(window) != 2 or not are_numbers or not 0 <= window[0] < window[1]:  # noqa: PLR2004  # a pair
            raise InputError(f"time_window must be (first, last) second, got {self.time_window!r}.")

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.source, self.embedding_option, self.time_window))

    @property
    def clauses(self) -> list[list[Comparison]]:
        """The conditions as comparisons: one of each inner list must be true.

        They let through all segments that `matches` accepts, and of those with an equal file name possibly more.
        """
        clauses: list[list[Comparison]] = []
        if self.source is not None:
            name = self.source.rpartition("/")[2]
            titles = dict.fromkeys((self.source, name))
            clauses.append(
                [Comparison("source", "==", self.source), *(Comparison("title", "==", title) for title in titles)]
            )
        if self.embedding_option is not None:
            clauses.append([Comparison("embedding_option", "==", self.embedding_option)])
        if self.time_window is not None:
            start, end = map(float, self.time_window)
            clauses += [[Comparison("start_sec", "<", end)], [Comparison("end_sec", ">", start)]]
        return clauses

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        """Return whether a document or node with these metadata fulfils the conditions."""
        return self.accepts(Hit.of(metadata))

    def accepts(self, hit: Hit) -> bool:
        """Return whether a search result fulfils the conditions."""
        if not self:
            return True
        names = (hit.source, hit.title)
        return (
            hit.segment_id is not None
            and (self.source is None or self.source in names or hit.source.endswith(f"/{self.source}"))
            and self.embedding_option in (None, hit.embedding_option)
            and (
                self.time_window is None or (hit.start_sec < self.time_window[1] and hit.end_sec > self.time_window[0])
            )
        )


def time_window_of(start_sec: float | None, end_sec: float | None) -> tuple[float, float] | None:
    """Return the window between two seconds, of which either may be missing."""
    if start_sec is None and end_sec is None:
        return None
    return start_sec or 0.0, TIME_MAX_SEC if end_sec is None else end_sec
