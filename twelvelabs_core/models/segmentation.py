"""How media are cut into segments: one class for each way, whatever JSON a model takes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, cast, get_args

from twelvelabs_core.base import limits
from twelvelabs_core.base.checks import as_whole
from twelvelabs_core.base.errors import InputError


@dataclass(frozen=True, slots=True)
class FixedSegmentation:
    """Segments of audio or video, of equal length; the last one may be shorter.

    Attributes:
        duration_sec: Length in whole seconds, 2 to 10 (API reference). Default 6.

    Example:
        ```python
        client.segment_video("match.mp4", segmentation=FixedSegmentation(duration_sec=5))
        ```
    """

    kind: ClassVar[str] = "fixed"
    duration_sec: int = 6

    def __post_init__(self) -> None:
        _set_whole(self, "duration_sec", limits.FIXED_SEC, " seconds")

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, as marengo3.0 takes it."""
        return {"strategy": self.kind, self.kind: asdict(self)}


@dataclass(frozen=True, slots=True)
class DynamicSegmentation:
    """Segments that follow the scenes of video (with marengo3.5 audio too), each at least this long.

    Attributes:
        min_duration_sec: Least length in whole seconds, 2 to 5 (API reference). Default 4; where no segmentation is
            given at all, marengo3.0 uses 4 and marengo3.5 uses 2.

    Example:
        ```python
        client.segment_video("match.mp4", segmentation=DynamicSegmentation(min_duration_sec=3))
        ```
    """

    kind: ClassVar[str] = "dynamic"
    min_duration_sec: int = 4

    def __post_init__(self) -> None:
        _set_whole(self, "min_duration_sec", limits.DYNAMIC_MIN_SEC, " seconds")

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, as marengo3.0 takes it."""
        return {"strategy": self.kind, self.kind: asdict(self)}


@dataclass(frozen=True, slots=True)
class SpatialSegmentation:
    """Pages of a PDF: whole, or whole and in quarters. marengo3.5.

    Attributes:
        strategy: `standard` (one vector a page; default) or `quadrants` (five a page: the page and its quarters;
            five times the tokens and, against the page allowance, five times the pages).

    Example:
        ```python
        client.segment_document("plans.pdf", segmentation=SpatialSegmentation("quadrants"))
        ```
    """

    kind: ClassVar[str] = "spatial"
    strategy: Literal["standard", "quadrants"] = "standard"

    def __post_init__(self) -> None:
        if self.strategy not in ("standard", "quadrants"):
            raise InputError(f"strategy of spatial segmentation must be standard or quadrants, got {self.strategy!r}.")

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the object `spatial` around it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SequentialSegmentation:
    """Chunks of whole sentences of a text or Markdown file. marengo3.5.

    Attributes:
        max_sentences: Most sentences in a chunk, at least 1. The API has no default; a chunk that is too long for the
            model makes the task fail.
        overlap_sentences: Sentences that a chunk repeats of the one before, less than `max_sentences`. Default 0.

    Example:
        ```python
        client.segment_document("report.md", segmentation=SequentialSegmentation(8, overlap_sentences=2))
        ```
    """

    kind: ClassVar[str] = "sequential"
    max_sentences: int
    overlap_sentences: int = 0

    def __post_init__(self) -> None:
        _set_whole(self, "max_sentences", range(1, 2**31))
        _set_whole(self, "overlap_sentences", range(self.max_sentences), " (less than max_sentences)")

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the object `sequential` around it."""
        return {"strategy": "sentence", **asdict(self)}


Temporal = FixedSegmentation | DynamicSegmentation
Paged = SpatialSegmentation | SequentialSegmentation
Segmentation = (
    FixedSegmentation | DynamicSegmentation | SpatialSegmentation | SequentialSegmentation | Mapping[str, Any]
)
"""How to cut: one of the four classes, or the vendor's JSON for either model: {"strategy": "fixed", "fixed":
{"duration_sec": 6}}, the same inside {"temporal": ...}, {"spatial": ...} or {"sequential": ...}."""


def as_segmentation(value: Segmentation) -> Temporal | Paged:
    """Return a checked segmentation, also from the vendor's JSON.

    Raises:
        InputError: Unknown strategy or key, or a number out of range.
    """
    if isinstance(value, Temporal | Paged):
        return value
    wire: Any = value
    match wire["temporal"] if isinstance(wire, Mapping) and set(wire) == {"temporal"} else wire:
        case {"strategy": "fixed", "fixed": {"duration_sec": seconds, **rest}, **others} if not (rest or others):
            return FixedSegmentation(seconds)
        case {"strategy": "dynamic", "dynamic": {"min_duration_sec": seconds, **rest}, **others} if not (
            rest or others
        ):
            return DynamicSegmentation(seconds)
    match wire:
        case {"spatial": {"strategy": strategy, **rest}} if not rest and len(wire) == 1:
            return SpatialSegmentation(strategy)
        case {"sequential": {"strategy": "sentence", **sentences}} if len(wire) == 1:
            if {"max_sentences"} <= sentences.keys() <= {"max_sentences", "overlap_sentences"}:
                return SequentialSegmentation(**cast("dict[str, Any]", sentences))
    classes = ", ".join(cls.__name__ for cls in get_args(Temporal | Paged))
    dicts = (
        DynamicSegmentation().to_wire(),
        {"spatial": SpatialSegmentation().to_wire()},
        {"sequential": SequentialSegmentation(8).to_wire()},
    )
    raise InputError(
        f"segmentation must be {classes}, or a dict such as {' or '.join(map(repr, dicts))}; got {value!r}."
    )


def _set_whole(segmentation: Temporal | Paged, name: str, allowed: range, unit: str = "") -> None:
    """Verify that a field is a whole number in a range, and store it as an int."""
    given = getattr(segmentation, name)
    value = as_whole(given)
    if value is None or value not in allowed:
        what, bounds = f"{name} of {segmentation.kind} segmentation", f"{allowed[0]} to {allowed[-1]}{unit}"
        raise InputError(f"{what} must be a whole number from {bounds}, got {given!r}.")
    object.__setattr__(segmentation, name, value)
