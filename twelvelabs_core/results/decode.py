"""Read the body of a response: strict JSON without secrets, vectors as float32 matrices, rows as `Segments`.

A large result is 99 % decimals. `VectorSplitter` scans the body as it arrives, packs each vector into one growing block
of float32, and reads only the rest as JSON, where a marker string stands for each vector. The marker's prefix is
random, so no text of the body can imitate one. Parsing the whole body instead takes 14 times the memory, since every
value is a Python float until the end (`benchmarks/decode.py`).
"""

import math
import re
import secrets
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.base.redact import redact
from twelvelabs_core.results.segments import Matrix, SegmentPosition, Segments

_SHORT_NAME = re.compile(r"(?!\w*tlk_)[a-z][a-z_]{0,18}")  # no token of `redact` is so short and without digits

# Four hours in clips of two seconds, four vectors a clip, are 330 MB with 17 digits; uncertainty doubles it.
MAX_BODY_BYTES = 1024 * 1024 * 1024
# About 300 bytes of the rest belong to each of at most 60,000 vectors.
MAX_REST_BYTES = 64 * 1024 * 1024
# 512 values of 25 characters are 13 kB.
MAX_VECTOR_BYTES = 1024 * 1024
MAX_SECONDS = 1e9  # far above any video; keeps times in milliseconds exact
VECTOR_KEYS = ("embedding", "embedding_uncertainty")

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_json(body: bytes | bytearray) -> Any:
    """Return the value of a JSON document; raise APIResponseError if it is truncated or otherwise not JSON."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        reason = str(error).partition(" at line ")[0]
        raise APIResponseError(
            f"The response is not valid JSON: {reason}. It was discarded; it may have been truncated in transit."
        ) from None


def without_secrets(value: Any) -> Any:
    """Return a JSON value with all its strings redacted: responses quote the presigned URLs that requests named."""
    if isinstance(value, str):
        # Most strings are names of fields and options, and shorter than any token without digits.
        return value if _SHORT_NAME.fullmatch(value) else redact(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {without_secrets(name): without_secrets(item) for name, item in value.items()}
    return value


def deviation(where: str, what: str) -> APIResponseError:
    """Return the error for a response that is JSON, but not as documented."""
    return APIResponseError(f"The response is not as documented: {where}: {what}. It was discarded.")


def validate(model: type[ModelT], fields: Any, where: str) -> ModelT:
    """Return a JSON value as the model; raise APIResponseError that names `where` and the first field that differs."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        # The library's own message quotes the input, which may contain secrets.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = "is not an object" if first["type"] == "model_type" else first["msg"].removeprefix("Value error, ")
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).lstrip(".")
        raise deviation(where, f"field `{path}`: {reason}" if path else reason) from None


def read_answer(model: type[ModelT], body: bytes, where: str) -> ModelT:
    """Return a body without secrets as the model; raise APIResponseError if it is not as documented."""
    return validate(model, without_secrets(read_json(body)), where)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A body, separated into its vectors and the rest."""

    rest: Any  # the decoded JSON, with a marker string in place of each vector; see `row`
    vectors: Matrix  # float32 of shape (n, dimension), in the order of the body; (0, 0) when the body has none
    uncertainty: Matrix | None
    marker: str  # the beginning of each marker; the number of its row follows

    def row(self, value: object) -> int | None:
        """Return the row that a value of `rest` stands for, or None if the value is not a marker."""
        if isinstance(value, str) and value.startswith(self.marker):
            return int(value[len(self.marker) :])
        return None


class VectorSplitter:
    """Separate a body into vectors and rest while it arrives, in chunks of any size.

    Args:
        max_bytes: The longest body that is read.
        keys: The object key whose arrays are the vectors, and optionally the key of their uncertainty.
    """

    def __init__(self, *, max_bytes: int = MAX_BODY_BYTES, keys: tuple[str] | tuple[str, str] = VECTOR_KEYS) -> None:
        self._max_bytes = max_bytes
        # A quote inside a JSON string follows a backslash and one outside never does, so a match is always a key. The
        # byte before it belongs to the match, in order to be available where a chunk begins with the quote. The end of
        # the data also matches: the bracket may be in the next chunk.
        names = "|".join(map(re.escape, keys))
        self._key = re.compile(rf'[^\\]"({names})"[ \t\r\n]*(?::[ \t\r\n]*(\[|\Z)|\Z)'.encode())
        self._key_bytes = len(b'{""') + max(map(len, keys))
        self._blocks = {key.encode(): _Block() for key in keys}
        self._marker = secrets.token_hex(8) + ":"
        self._rest = bytearray()
        self._waiting = bytearray()
        self._read_from = 0
        self._total = 0

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes; refuse a body that is too long, and vectors that are not finite or of unequal length."""
        self._total += len(chunk)
        if self._total > self._max_bytes:
            raise APIResponseError(f"The response is longer than {self._max_bytes:,} bytes; reading stopped.")
        self._waiting += chunk
        if len(self._waiting) >= self._read_from:
            self._read_vectors()

    def finish(self) -> Split:
        """Return the vectors and the rest of the whole body; refuse one that is truncated or not JSON."""
        self._read_vectors()
        rest = read_json(self._rest + self._waiting)
        vectors, *uncertainty = (block.matrix() for block in self._blocks.values())
        return Split(rest, vectors, next((matrix for matrix in uncertainty if len(matrix)), None), self._marker)

    def _read_vectors(self) -> None:
        """Move every complete vector that is waiting into its block, and what surrounds it into the rest."""
        data, done = self._waiting, 0
        while key := self._key.search(data, done):
            end = data.find(b"]", key.end(), key.end() + MAX_VECTOR_BYTES) if key[2] else -1
            if end < 0:
                break
            row = self._blocks[key[1]].add(data[key.end() - 1 : end + 1])
            self._rest += data[done : key.start() + 1]
            self._rest += b'"%b":"%b%d"' % (key[1], self._marker.encode(), row)
            done = end + 1
        keep_from = key.start() if key else max(done, len(data) - self._key_bytes)
        self._rest += data[done:keep_from]
        del data[:keep_from]
        self._read_from = 2 * len(data)  # an incomplete vector in short chunks is scanned a few times, not once a chunk
        if len(data) > MAX_VECTOR_BYTES:
            raise APIResponseError(f"A vector in the response is longer than the limit of {MAX_VECTOR_BYTES:,} bytes.")
        if len(self._rest) > MAX_REST_BYTES:
            raise APIResponseError(f"The response has over {MAX_REST_BYTES:,} bytes beside its vectors; stopped.")


class _Block:
    """Vectors of equal length, packed as float32."""

    def __init__(self) -> None:
        self._parse: Callable[[bytearray], list[Any]] | None = None  # imported with the first vector
        self._packed = bytearray()
        self._format = struct.Struct("")
        self._dimension = 0
        self._rows = 0

    def add(self, text: bytearray) -> int:
        """Append the vector that this JSON array is, and return the number of its row."""
        try:
            self._parse = self._parse or _array_parser()
            values = self._parse(text)
            if b"u" in text or b"l" in text:  # true and false, which pack as 1 and 0
                raise ValueError  # noqa: TRY301  # one refusal for every cause
            if not self._rows:
                self._dimension = len(values)
                self._format = struct.Struct(f"{self._dimension}f")
            if values and len(values) == self._dimension:
                self._packed += self._format.pack(*values)
        except (ValueError, OverflowError, struct.error):
            raise _not_finite(self._rows) from None
        if not values or len(values) != self._dimension:
            raise APIResponseError(
                f"Vector {self._rows} of the response has {len(values)} values, the first one has {self._dimension}. "
                "The response was discarded."
            )
        self._rows += 1
        return self._rows - 1

    def matrix(self) -> Matrix:
        """Return the vectors, without a copy; refuse infinite values, as pydantic_core reads 1e999."""
        import numpy as np  # noqa: PLC0415  # importing this package does not load numpy

        matrix = np.frombuffer(self._packed, np.float32).reshape(self._rows, self._dimension)
        # The extremes show an infinite value without a matrix of flags.
        if self._rows and not (math.isfinite(matrix.min()) and math.isfinite(matrix.max())):
            raise _not_finite(int(np.argwhere(~np.isfinite(matrix))[0, 0]))
        return matrix


def _array_parser() -> Callable[[bytearray], list[Any]]:
    """Return what reads one JSON array: orjson where it is installed, which takes three quarters of the time."""
    try:
        import orjson  # noqa: PLC0415  # optional
    except ImportError:
        return partial(from_json, allow_inf_nan=False)
    return orjson.loads


def _not_finite(row: int) -> APIResponseError:
    # The value stays out of the message: it could be any text.
    return APIResponseError(
        f"Vector {row} of the response has a value that is not a finite JSON number within the limits of float32. "
        "The response was discarded."
    )


Seconds = Annotated[float | None, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
# What a database holds: 31 bits, and text without NUL.
Ordinal = Annotated[int | None, Field(ge=0, lt=2**31)]
Label = Annotated[str | None, Field(pattern=r"^[ -~]{0,100}$")]


class Row(BaseModel):
    """What a response says of one vector; see `SegmentPosition`. v1 has other keys for the vector and the times."""

    model_config = ConfigDict(strict=True)
    vector_key: ClassVar[str] = "embedding"
    time_keys: ClassVar[tuple[str, str]] = ("start_sec", "end_sec")

    start_sec: Seconds = None
    end_sec: Seconds = None
    embedding_option: Label = None
    embedding_scope: Label = None
    start_page_number: Ordinal = None
    end_page_number: Ordinal = None
    quadrant: Label = None
    chunk_index: Ordinal = None

    def position(self, where: str, input_type: str | None) -> SegmentPosition:
        """Return the position; refuse a time range that is incomplete, reversed, or missing where the scope has one."""
        timed = self.embedding_scope in ("clip", "video") or (
            self.embedding_scope == "asset" and input_type in ("audio", "video")
        )
        start, end = self.start_sec, self.end_sec
        if start is None and end is None and not timed:
            start = end = 0.0
        start_key, end_key = self.time_keys
        if start is None or end is None:
            missing = start_key if start is None else end_key
            raise deviation(where, f"field `{missing}` is not a finite number of seconds, 0 or more")
        if end < start:
            raise deviation(where, f"field `{end_key}` ({end}) is before `{start_key}` ({start})")
        return SegmentPosition(
            start,
            end,
            self.embedding_option or "",
            self.embedding_scope or "",
            self.start_page_number,
            self.end_page_number,
            self.quadrant,
            self.chunk_index,
        )


def read_segments(
    data: Any, where: str, split: Split, *, row_type: type[Row] = Row, input_type: str | None = None
) -> Segments:
    """Read an array of objects, each with one of the body's vectors.

    Args:
        data: The array.
        where: The path of the array, for messages.
        split: The body.
        row_type: The shape of an object.
        input_type: The type of the media, where known: the scope `asset` of audio and video must have times.
    """
    if not isinstance(data, list):
        raise deviation(where, "is not an array")
    positions: list[SegmentPosition] = []
    rows: list[int] = []
    seen: dict[Any, int] = {}
    for index, item in enumerate(data):
        place = f"{where}[{index}]"
        positions.append(validate(row_type, item, place).position(place, input_type))
        first = seen.setdefault(positions[-1].key, index)
        if first != index:  # the position identifies the row, since the API guarantees no order
            raise deviation(place, f"same time, option and scope as {where}[{first}]")
        row = split.row(item.get(row_type.vector_key))
        if row is None:
            raise deviation(place, f"field `{row_type.vector_key}` is not an array of numbers")
        if split.uncertainty is not None and split.row(item.get("embedding_uncertainty")) != row:
            raise deviation(place, "field `embedding_uncertainty` is not an array of numbers")
        rows.append(row)
    if split.uncertainty is not None and split.uncertainty.shape != split.vectors.shape:
        raise deviation(where, "field `embedding_uncertainty` is not of the length of `embedding`")
    if len(rows) == len(split.vectors):
        return Segments(split.vectors, positions, split.uncertainty)  # without a copy
    return Segments(split.vectors[rows], positions, None if split.uncertainty is None else split.uncertainty[rows])


def check_all_read(split: Split, segments: Iterable[Segments | None], key: str = "embedding") -> None:
    """Refuse a body with a vector that is in none of its segments."""
    count = sum(len(part) for part in segments if part is not None)
    if count != len(split.vectors):
        raise deviation("body", f"{count} items, but the response has {len(split.vectors)} arrays named `{key}`")
