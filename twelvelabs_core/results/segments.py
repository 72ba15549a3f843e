"""`Segments`: the vectors of one item as a float32 matrix, each row with its time, option and scope.

The rows have one order, whatever order the API sent: clips before the whole asset, then by time, then by option.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, overload

from twelvelabs_core.base.html import MANY, html_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float32]
else:
    Matrix = Any  # importing this package does not load numpy; annotations that are evaluated need a value

SCOPE_ORDER = ("clip", "page", "chunk", "asset")
OPTION_ORDER = ("visual", "audio", "transcription", "text", "fused")
Location: TypeAlias = tuple[int, int, int, int, str]


class SegmentPosition(NamedTuple):
    """The time range (or page, or chunk), option and scope that one vector stands for.

    Attributes:
        start_sec: First second, from the start of the media; 0.0 where times do not apply.
        end_sec: Last second; 0.0 where times do not apply.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`; "" where the API names none.
        embedding_scope: `clip`, `page`, `chunk` or `asset`; "" where the API names none.
        page_start: First page (1-based) of a PDF, or None.
        page_end: Last page, or None.
        quadrant: Quarter of a PDF page, or None.
        chunk_index: Position (0-based) of a chunk of text, or None.

    Example:
        ```python
        spoken = [position for position in segments.positions if position.embedding_option == "transcription"]
        ```
    """

    start_sec: float
    end_sec: float
    embedding_option: str
    embedding_scope: str
    page_start: int | None = None
    page_end: int | None = None
    quadrant: str | None = None
    chunk_index: int | None = None

    @property
    def location(self) -> Location:
        """Times in whole milliseconds, page, chunk and quadrant: the position without option and scope."""
        return (
            round(self.start_sec * 1000),
            round(self.end_sec * 1000),
            self.page_start or 0,
            -1 if self.chunk_index is None else self.chunk_index,
            self.quadrant or "",
        )

    @property
    def key(self) -> tuple[Location, str, str]:
        """Location, option and scope: unique within one item."""
        return self.location, self.embedding_option, self.embedding_scope


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Segment:
    """One vector with its position in the media.

    Attributes:
        position: Times, option, scope (and page or chunk).
        vector: float32 array of shape (dimension,); a read-only view of its `Segments` matrix.
        index: Number (0-based) of its time range, page or chunk in the media; the options of one clip share it.
        uncertainty: float32 like `vector`, higher where the model is less sure; None if it was not asked for.

    Example:
        ```python
        for segment in client.embed_video("goal.mp4"):
            print(segment.start_sec, segment.end_sec, segment.embedding_option)
        ```
    """

    position: SegmentPosition
    vector: Matrix
    index: int
    uncertainty: Matrix | None = None

    @property
    def start_sec(self) -> float:
        """First second of the media."""
        return self.position.start_sec

    @property
    def end_sec(self) -> float:
        """Last second of the media."""
        return self.position.end_sec

    @property
    def embedding_option(self) -> str:
        """`visual`, `audio`, `transcription`, `text` or `fused`."""
        return self.position.embedding_option

    @property
    def embedding_scope(self) -> str:
        """`clip`, `page`, `chunk` or `asset`."""
        return self.position.embedding_scope

    def __repr__(self) -> str:
        return f"<Segment {self.index}: {', '.join(_described(self.position))}, {len(self.vector)} values>"

    def _repr_html_(self) -> str:
        return table_of([self], f"1 vector of {len(self.vector)}")


class Segments(Sequence[Segment]):
    """The vectors of one item, in a fixed order, as one float32 matrix.

    Attributes:
        vectors: Read-only float32 matrix of shape (len(self), dimension). Unit length is not promised by the API.
        positions: One `SegmentPosition` per row.
        uncertainty: Like `vectors`, higher where the model is less sure; None if it was not asked for.

    Example:
        ```python
        segments = client.segment_video("match.mp4").segments
        print(segments.vectors.shape, segments[0].start_sec)
        ```
    """

    __slots__ = ("_indexes", "positions", "uncertainty", "vectors")

    def __init__(
        self, vectors: Matrix, positions: Sequence[SegmentPosition], uncertainty: Matrix | None = None
    ) -> None:
        if vectors.ndim != 2 or len(vectors) != len(positions):  # noqa: PLR2004  # a matrix has two axes
            raise ValueError(f"vectors must have one row per position, got {vectors.shape} for {len(positions)}")
        if uncertainty is not None and uncertainty.shape != vectors.shape:
            raise ValueError(f"uncertainty must have the shape of vectors, {vectors.shape}, got {uncertainty.shape}")
        order = sorted(range(len(positions)), key=lambda row: _rank(positions[row]))
        if order != list(range(len(positions))):
            vectors = vectors[order]
            uncertainty = None if uncertainty is None else uncertainty[order]
            positions = [positions[row] for row in order]
        self.vectors = _read_only(vectors)
        self.uncertainty = None if uncertainty is None else _read_only(uncertainty)
        self.positions = tuple(positions)
        self._indexes = _location_indexes(self.positions)

    @classmethod
    def empty(cls, dimension: int = 512) -> Self:
        """Return segments without a row, as a silent video has for the option `audio`."""
        import numpy as np  # noqa: PLC0415  # importing this package does not load numpy

        return cls(np.empty((0, dimension), dtype=np.float32), ())

    @property
    def dimension(self) -> int:
        """Number of values in a vector."""
        return int(self.vectors.shape[1])

    def select(self, *, embedding_option: str | None = None, embedding_scope: str | None = None) -> Self:
        """Return the rows of one option, one scope, or both."""
        return self._rows(
            [
                row
                for row, position in enumerate(self.positions)
                if embedding_option in (None, position.embedding_option)
                and embedding_scope in (None, position.embedding_scope)
            ]
        )

    def _rows(self, rows: Sequence[int]) -> Self:
        """Return some rows, each with the index that it has in the whole media."""
        uncertainty = None if self.uncertainty is None else self.uncertainty[list(rows)]
        selected = type(self)(self.vectors[list(rows)], [self.positions[row] for row in rows], uncertainty)
        index_of = dict(zip(self.positions, self._indexes, strict=True))
        selected._indexes = [index_of[position] for position in selected.positions]  # noqa: SLF001  # same class
        return selected

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> "Segment | Self":
        if isinstance(index, slice):
            return self._rows(range(len(self))[index])
        uncertainty = None if self.uncertainty is None else self.uncertainty[index]
        return Segment(self.positions[index], self.vectors[index], self._indexes[index], uncertainty)

    def __iter__(self) -> Iterator[Segment]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segments):
            return NotImplemented
        return (
            self.positions == other.positions
            and same_values(self.vectors, other.vectors)
            and same_values(self.uncertainty, other.uncertainty)
        )

    __hash__ = None  # type: ignore[assignment]  # compared by value, and large

    def __repr__(self) -> str:
        return f"<Segments: {summary_of(self)}>"

    def _repr_html_(self) -> str:
        return table_of(self, summary_of(self))


def summary_of(segments: Segments) -> str:
    """Return number, dimension and end in a few words: `30 vectors of 512, until 60.0 s`."""
    ends = max((position.end_sec for position in segments.positions), default=0.0)
    return f"{len(segments)} vectors of {segments.dimension}" + (f", until {ends:.1f} s" if ends else "")


def table_of(segments: Iterable[Segment], caption: str) -> str:
    """Return the first segments as an HTML table."""
    rows = ((segment.index, *_described(segment.position)) for segment in segments)
    return html_table(("segment", "position", "option", "scope"), rows, caption, limit=MANY)


def _described(position: SegmentPosition) -> tuple[str, str, str]:
    """Return position, option and scope as people read them."""
    from twelvelabs_core.results.references import describe_position  # noqa: PLC0415  # imports this module

    return describe_position(position), position.embedding_option, position.embedding_scope


def same_values(first: Matrix | None, second: Matrix | None) -> bool:
    """Return whether two arrays are equal, or both None."""
    import numpy as np  # noqa: PLC0415  # importing this package does not load numpy

    return first is second if first is None or second is None else np.array_equal(first, second)


def _read_only(vectors: Matrix) -> Matrix:
    """Return a read-only float32 view; the caller's own array is unchanged."""
    import numpy as np  # noqa: PLC0415  # importing this package does not load numpy

    matrix = np.ascontiguousarray(vectors, dtype=np.float32).view()
    matrix.setflags(write=False)
    return matrix


def _rank(position: SegmentPosition) -> tuple[int, Location, int, str]:
    """Return the sort key of a row: scope, location, option."""
    return (
        _order(SCOPE_ORDER, position.embedding_scope),
        position.location,
        _order(OPTION_ORDER, position.embedding_option),
        position.embedding_option,
    )


def _order(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _location_indexes(positions: tuple[SegmentPosition, ...]) -> list[int]:
    """Number the locations of each scope from 0; the options of one location share a number."""
    numbers: dict[str, dict[Location, int]] = {}
    indexes = []
    for position in positions:
        of_scope = numbers.setdefault(position.embedding_scope, {})
        indexes.append(of_scope.setdefault(position.location, len(of_scope)))
    return indexes
