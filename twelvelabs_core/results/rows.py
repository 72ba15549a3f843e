"""The rows of an answer: each vector with its time, option and scope, checked."""

from dataclasses import dataclass
from typing import Any

from twelvelabs_core.results.decode import Split, deviation
from twelvelabs_core.results.segments import Locus, Matrix, Segments

_TIMED = ("audio", "video")
_TIMED_SCOPES = ("clip", "video")
_MOST_SECONDS = 1e9  # far above any film; keeps times in milliseconds exact


@dataclass(frozen=True, slots=True)
class RowNames:
    """What an API version calls the fields of a row.

    Attributes:
        vector: The array of numbers.
        start: First second.
        end: Last second.
    """

    vector: str = "embedding"
    start: str = "start_sec"
    end: str = "end_sec"


CURRENT_NAMES = RowNames()


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows in the order of the answer.

    Attributes:
        vectors: float32 of shape (n, dimension).
        loci: What each row stands for.
        uncertainty: Like `vectors`, or None.
    """

    vectors: Matrix
    loci: list[Locus]
    uncertainty: Matrix | None

    def segments(self) -> Segments:
        """Return the rows in their fixed order."""
        return Segments(self.vectors, self.loci, self.uncertainty)


def read_rows(data: Any, split: Split, input_type: str | None) -> Rows:
    """Read `data`, whose vectors were cut out before.

    Args:
        data: The value of the answer's field `data`.
        split: The answer.
        input_type: The kind of medium, where the answer names it; clips and assets of audio and video must have times.

    Raises:
        APIResponseError: A row is not as documented, or two rows stand for the same time, option and scope.
    """
    loci = _read_loci(data, "data", input_type, CURRENT_NAMES)
    _check_rows(data, "embedding", split, split.vectors)
    if split.uncertainty is not None:
        _check_rows(data, "embedding_uncertainty", split, split.uncertainty)
        if split.uncertainty.shape != split.vectors.shape:
            raise deviation("data", "field `embedding_uncertainty` is not of the length of `embedding`")
    _check_unique(loci, "data")
    return Rows(split.vectors, loci, split.uncertainty)


def read_some_rows(data: Any, where: str, split: Split, names: RowNames) -> Rows:
    """Read one of several arrays of rows in an answer, whose vectors were cut out before.

    Args:
        data: The array.
        where: Where it stands, for messages.
        split: The answer.
        names: What the fields of a row are called.

    Raises:
        APIResponseError: As for `read_rows`.
    """
    loci = _read_loci(data, where, None, names)
    rows: list[int] = []
    for index, item in enumerate(data):
        row = split.row(item.get(names.vector))
        if row is None:
            raise deviation(f"{where}[{index}]", f"field `{names.vector}` is not an array of numbers")
        rows.append(row)
    _check_unique(loci, where)
    if rows == list(range(len(split.vectors))):
        return Rows(split.vectors, loci, None)  # the usual case: all of them, without a copy
    return Rows(split.vectors[rows], loci, None)


def _read_loci(data: Any, where: str, input_type: str | None, names: RowNames) -> list[Locus]:
    if not isinstance(data, list):
        raise deviation(where, "is not an array")
    return [_read_locus(item, f"{where}[{index}]", input_type, names) for index, item in enumerate(data)]


def _check_rows(data: list[dict[str, Any]], key: str, split: Split, vectors: Matrix) -> None:
    """Hold that item n has vector n, and that no vector stands elsewhere in the answer."""
    for index, item in enumerate(data):
        if split.row(item.get(key)) != index:
            raise deviation(f"data[{index}]", f"field `{key}` is not an array of numbers")
    if len(vectors) != len(data):
        raise deviation("data", f"{len(data)} items, but the response has {len(vectors)} arrays named `{key}`")


def _check_unique(loci: list[Locus], where: str) -> None:
    """Rows are told apart by what they stand for, since the API promises no order."""
    keys = [(locus.place, locus.embedding_option, locus.embedding_scope) for locus in loci]
    if len(set(keys)) == len(keys):
        return
    seen: dict[Any, int] = {}
    for index, key in enumerate(keys):
        if key in seen:
            raise deviation(f"{where}[{index}]", f"same time, option and scope as {where}[{seen[key]}]")
        seen[key] = index


def _read_locus(item: Any, where: str, input_type: str | None, names: RowNames) -> Locus:
    if not isinstance(item, dict):
        raise deviation(where, "is not an object")
    scope = _read_text(item, "embedding_scope", where)
    required = scope in _TIMED_SCOPES or (scope == "asset" and input_type in _TIMED)
    start, end = _read_times(item, where, names, required=required)
    return Locus(
        start,
        end,
        _read_text(item, "embedding_option", where) or "",
        scope or "",
        _read_int(item, "start_page_number", where),
        _read_int(item, "end_page_number", where),
        _read_text(item, "quadrant", where),
        _read_int(item, "chunk_index", where),
    )


def _read_times(item: dict[str, Any], where: str, names: RowNames, *, required: bool) -> tuple[float, float]:
    start, end = item.get(names.start), item.get(names.end)
    if start is None and end is None and not required:
        return 0.0, 0.0
    start, end = (_read_second(item, name, where) for name in (names.start, names.end))
    if end < start:
        raise deviation(where, f"field `{names.end}` ({end}) is before `{names.start}` ({start})")
    return start, end


def _read_second(item: dict[str, Any], name: str, where: str) -> float:
    value = item.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_SECONDS:
        return float(value)
    raise deviation(where, f"field `{name}` is not a finite number of seconds, 0 or more")


def _read_text(item: dict[str, Any], name: str, where: str) -> str | None:
    value = item.get(name)
    if value is None or isinstance(value, str):
        return value
    raise deviation(where, f"field `{name}` is not a text")


def _read_int(item: dict[str, Any], name: str, where: str) -> int | None:
    value = item.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise deviation(where, f"field `{name}` is not a whole number")
