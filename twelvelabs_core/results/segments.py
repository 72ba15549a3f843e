"""`Segments`: a float32 matrix with the time, option and scope of every row.

Rows are kept in one order whatever order the API sent them in: clips before the whole asset, then by time, then by
option. Nothing here knows the wire, a store or a framework.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, overload

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

SCOPE_ORDER = ("clip", "page", "chunk", "asset")
OPTION_ORDER = ("visual", "audio", "transcription", "text", "fused")


class Locus(NamedTuple):
    """What one vector stands for within its medium: a time range, option and scope.

    Attributes:
        start_sec: First second, from the start of the film; 0.0 where times do not apply.
        end_sec: Last second; 0.0 where times do not apply.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`; "" where the API names none.
        embedding_scope: `clip`, `page`, `chunk` or `asset`; "" where the API names none.
        page_start: First page (1-based) of a PDF, or None.
        page_end: Last page, or None.
        quadrant: Quarter of a PDF page, or None.
        chunk_index: Position (0-based) of a chunk of text, or None.

    Example:
        ```python
        spoken = [locus for locus in segments.loci if locus.embedding_option == "transcription"]
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
    def place(self) -> tuple[int, int, int, int, str]:
        """Where it stands, without option and scope: times in whole milliseconds, page, chunk, quadrant."""
        return (
            round(self.start_sec * 1000),
            round(self.end_sec * 1000),
            self.page_start or 0,
            -1 if self.chunk_index is None else self.chunk_index,
            self.quadrant or "",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One vector with the part of the medium that it stands for.

    Attributes:
        locus: Times, option, scope (and page or chunk).
        vector: float32 array of shape (dimension,); a read-only view of its `Segments` matrix.
        index: Position (0-based) of its time range, page or chunk in the medium; the options of one clip share it.
        uncertainty: float32 like `vector`, higher where the model is less sure; None if it was not asked for.

    Example:
        ```python
        for segment in client.embed_video("goal.mp4"):
            print(segment.start_sec, segment.end_sec, segment.embedding_option)
        ```
    """

    locus: Locus
    vector: Matrix
    index: int
    uncertainty: Matrix | None = None

    @property
    def start_sec(self) -> float:
        """First second in the film."""
        return self.locus.start_sec

    @property
    def end_sec(self) -> float:
        """Last second in the film."""
        return self.locus.end_sec

    @property
    def embedding_option(self) -> str:
        """`visual`, `audio`, `transcription`, `text` or `fused`."""
        return self.locus.embedding_option

    @property
    def embedding_scope(self) -> str:
        """`clip`, `page`, `chunk` or `asset`."""
        return self.locus.embedding_scope


class Segments(Sequence[Segment]):
    """The vectors of one medium, in a fixed order, as one float32 matrix.

    Attributes:
        vectors: Read-only float32 matrix of shape (len(self), dimension). Unit length is not promised by the API.
        loci: One `Locus` per row.
        uncertainty: Like `vectors`, higher where the model is less sure; None if it was not asked for.

    Example:
        ```python
        segments = client.segment_video("match.mp4").segments
        print(segments.vectors.shape, segments[0].start_sec)
        ```
    """

    __slots__ = ("_indexes", "loci", "uncertainty", "vectors")

    def __init__(self, vectors: Matrix, loci: Sequence[Locus], uncertainty: Matrix | None = None) -> None:
        if vectors.ndim != 2 or len(vectors) != len(loci):  # noqa: PLR2004  # a matrix has two axes
            raise ValueError(f"need one row per locus, got shape {vectors.shape} for {len(loci)} loci")
        if uncertainty is not None and uncertainty.shape != vectors.shape:
            raise ValueError(f"need an uncertainty of shape {vectors.shape}, got {uncertainty.shape}")
        order = sorted(range(len(loci)), key=lambda row: _rank(loci[row]))
        if order != list(range(len(loci))):
            vectors = vectors[order]
            uncertainty = None if uncertainty is None else uncertainty[order]
            loci = [loci[row] for row in order]
        self.vectors = _read_only(vectors)
        self.uncertainty = None if uncertainty is None else _read_only(uncertainty)
        self.loci = tuple(loci)
        self._indexes = _place_indexes(self.loci)

    @classmethod
    def empty(cls, dimension: int = 512) -> Self:
        """Return segments without a row: what a film without sound gives when only its sound was asked for."""
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
                for row, locus in enumerate(self.loci)
                if embedding_option in (None, locus.embedding_option)
                and embedding_scope in (None, locus.embedding_scope)
            ]
        )

    def _rows(self, rows: Sequence[int]) -> Self:
        """Return some rows, each with the index that it has in the whole medium."""
        uncertainty = None if self.uncertainty is None else self.uncertainty[list(rows)]
        part = type(self)(self.vectors[list(rows)], [self.loci[row] for row in rows], uncertainty)
        index_of = dict(zip(self.loci, self._indexes, strict=True))
        part._indexes = [index_of[locus] for locus in part.loci]  # noqa: SLF001  # of its own class
        return part

    def __len__(self) -> int:
        return len(self.loci)

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> "Segment | Self":
        if isinstance(index, slice):
            return self._rows(range(len(self))[index])
        uncertainty = None if self.uncertainty is None else self.uncertainty[index]
        return Segment(self.loci[index], self.vectors[index], self._indexes[index], uncertainty)

    def __iter__(self) -> Iterator[Segment]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segments):
            return NotImplemented
        if self.uncertainty is None or other.uncertainty is None:
            same = self.uncertainty is other.uncertainty
        else:
            same = np.array_equal(self.uncertainty, other.uncertainty)
        return same and self.loci == other.loci and np.array_equal(self.vectors, other.vectors)

    __hash__ = None  # type: ignore[assignment]  # compared by value, and large

    def __repr__(self) -> str:
        ends = max((locus.end_sec for locus in self.loci), default=0.0)
        return f"<Segments: {len(self)} vectors of {self.vectors.shape[1]}, until {ends:.1f} s>"


def _read_only(vectors: Matrix) -> Matrix:
    """Return a read-only float32 view; the caller's own array stays as it is."""
    matrix = np.ascontiguousarray(vectors, dtype=np.float32).view()
    matrix.setflags(write=False)
    return matrix


def _rank(locus: Locus) -> tuple[int, tuple[int, int, int, int, str], int, str]:
    """Order of a row: scope, place, option."""
    return (
        _position(SCOPE_ORDER, locus.embedding_scope),
        locus.place,
        _position(OPTION_ORDER, locus.embedding_option),
        locus.embedding_option,
    )


def _position(order: tuple[str, ...], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _place_indexes(loci: tuple[Locus, ...]) -> list[int]:
    """Number the places of each scope from 0; the options of one place share a number."""
    seen: dict[tuple[str, tuple[int, int, int, int, str]], int] = {}
    counts: dict[str, int] = {}
    indexes = []
    for locus in loci:
        key = (locus.embedding_scope, locus.place)
        if key not in seen:
            seen[key] = counts.get(locus.embedding_scope, 0)
            counts[locus.embedding_scope] = seen[key] + 1
        indexes.append(seen[key])
    return indexes
