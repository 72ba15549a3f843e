"""How the bytes of an answer become Python values: strict JSON in, and no signed URL or key left in any text.

Answers quote the URLs that they were given; a presigned one is a password and must not live on in a model, a log or a
pickle.

`VectorSplitter`: the bytes of a response, cut into a float32 matrix and the small rest of its JSON.

A large result is 99 % decimals. The body is scanned as it arrives, each vector is cut out and packed into one growing
block of float32, and only what remains is read as JSON. In that rest a marker stands for each vector; its prefix is
random, so that no text of the body can pass for a vector's place.
"""

import re
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pydantic_core

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.base.redact import redact
from twelvelabs_core.results.floats import parse_rows
from twelvelabs_core.results.segments import Matrix


def read_json(body: bytes) -> Any:
    """Return the value of a JSON document.

    Raises:
        APIResponseError: The body is empty, cut off, followed by something else, not UTF-8, nested too deeply, or
            otherwise not JSON.
    """
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        reason = str(error).partition(" at line ")[0]
        raise APIResponseError(
            f"The response is not valid JSON: {reason}. Nothing of it was used; it may have been cut off on the way."
        ) from None


def without_secrets(value: Any) -> Any:
    """Return a JSON value with every text in it redacted, names of fields included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {redact(name): without_secrets(item) for name, item in value.items()}
    return value


def deviation(where: str, what: str) -> APIResponseError:
    """Return the error for an answer that is JSON, but not as documented."""
    return APIResponseError(f"The response is not as documented: {where}: {what}. Nothing of it was used.")


# Four hours in clips of two seconds, four vectors a clip, are 330 MB with 17 digits; uncertainty doubles it.
MAX_BODY_BYTES = 1024 * 1024 * 1024
# Some 300 bytes of the rest belong to each of at most 60,000 vectors.
MAX_REST_BYTES = 64 * 1024 * 1024
# 512 values of 25 characters are 13 kB.
MAX_VECTOR_BYTES = 1024 * 1024
# Enough numbers at a time to hide the cost of a numpy call; above this, work arrays pass the size (128 KiB) from which
# malloc maps fresh pages for each, which doubles the time.
SCAN_BYTES = 128 * 1024
VECTOR_KEYS = ("embedding", "embedding_uncertainty")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A body that was taken apart.

    Attributes:
        rest: The decoded JSON, with a marker string in place of each vector; see `row`.
        vectors: float32 of shape (n, dimension), in the order of the body; (0, 0) when the body has none.
        uncertainty: Like `vectors`, or None when the body has none.
        marker: What each marker begins with; the number of its row follows.
    """

    rest: Any
    vectors: Matrix
    uncertainty: Matrix | None
    marker: str

    def row(self, value: object) -> int | None:
        """Return the row that a value of `rest` stands for, or None if it is no marker."""
        if isinstance(value, str) and value.startswith(self.marker):
            return int(value[len(self.marker) :])
        return None


class VectorSplitter:
    """Take a body apart while it arrives, in chunks of any size.

    Args:
        max_bytes: The longest body that is read.
        keys: The object key whose arrays are the vectors, and optionally the key of their uncertainty.
        scan_bytes: How much is gathered before it is looked at.

    Example:
        ```python
        splitter = VectorSplitter()
        for chunk in response.iter_bytes():
            splitter.feed(chunk)
        split = splitter.finish()
        ```
    """

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BODY_BYTES,
        keys: tuple[str] | tuple[str, str] = VECTOR_KEYS,
        scan_bytes: int = SCAN_BYTES,
    ) -> None:
        self._max_bytes = max_bytes
        self._scan_bytes = scan_bytes
        self._keys = tuple(key.encode() for key in keys)
        self._plain, self._key = _patterns(self._keys)
        self._blocks = {key: _Block() for key in self._keys}
        self._marker = secrets.token_hex(8) + ":"
        self._rest = bytearray()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._scan_at = scan_bytes
        self._total = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            APIResponseError: The body is too long, or a vector is not a list of finite numbers, or not of equal length.
        """
        self._total += len(chunk)
        if self._total > self._max_bytes:
            raise APIResponseError(
                f"The response is longer than the limit of {self._max_bytes:,} bytes; reading stopped."
            )
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        if self._waiting_bytes >= self._scan_at:
            self._scan()

    def finish(self) -> Split:
        """Return the parts of the whole body.

        Raises:
            APIResponseError: The body is cut off or is not JSON, or as in `feed`.
        """
        self._scan()
        self._rest += b"".join(self._waiting)
        for block in self._blocks.values():
            block.flush()
        matrices = [self._blocks[key].matrix() for key in self._keys]
        uncertainty = matrices[1] if len(matrices) > 1 and len(matrices[1]) else None
        return Split(read_json(bytes(self._rest)), matrices[0], uncertainty, self._marker)

    def _scan(self) -> None:
        """Move every complete piece of what is waiting into the rest and the blocks."""
        data = b"".join(self._waiting)
        position = 0
        while True:
            plain = self._plain.match(data, position)
            stop = plain.end() if plain else position
            self._rest += data[position:stop]
            position = stop
            key = self._key.match(data, position)
            end = data.find(b"]", key.end(), key.end() + MAX_VECTOR_BYTES) if key else -1
            if key is None or end < 0:
                break
            row = self._blocks[key[1]].add(data[key.end() : end + 1])
            self._rest += b'"%b":"%b%d"' % (key[1], self._marker.encode(), row)
            position = end + 1
        self._wait(data[position:], vector=key is not None)

    def _wait(self, data: bytes, *, vector: bool) -> None:
        """Keep an incomplete piece until more has come."""
        if vector and len(data) > MAX_VECTOR_BYTES:
            raise APIResponseError(f"A vector in the response is longer than the limit of {MAX_VECTOR_BYTES:,} bytes.")
        if not vector and len(self._rest) + len(data) > MAX_REST_BYTES:
            raise APIResponseError(
                f"The response has more than the limit of {MAX_REST_BYTES:,} bytes beside its vectors; reading stopped."
            )
        self._waiting = [data]
        self._waiting_bytes = len(data)
        # Twice the length: a long piece in short chunks is looked at a few times, not once a chunk.
        self._scan_at = max(self._scan_bytes, 2 * len(data))


class _Block:
    """Rows of one length, packed as float32."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self._texts: list[bytes] = []
        self._text_bytes = 0
        self._rows = 0
        self._dimension = 0

    def add(self, text: bytes) -> int:
        """Take the text of one row, up to its `]`, and return the row's number."""
        self._texts.append(text)
        self._text_bytes += len(text)
        self._rows += 1
        if self._text_bytes >= SCAN_BYTES:
            self.flush()
        return self._rows - 1

    def flush(self) -> None:
        """Read the texts taken so far."""
        if not self._texts:
            return
        first_row = self._rows - len(self._texts)
        numbers, lengths = parse_rows(b"".join(self._texts), first_row=first_row)
        self._dimension = self._dimension or int(lengths[0])
        wrong = np.flatnonzero(lengths != self._dimension)
        if wrong.size:
            raise APIResponseError(
                f"Vector {first_row + int(wrong[0])} of the response has {int(lengths[wrong[0]])} values, "
                f"the first one has {self._dimension}. Nothing of the response was used."
            )
        self._packed += numbers.data
        self._texts = []
        self._text_bytes = 0

    def matrix(self) -> Matrix:
        """Return the rows, without a copy."""
        return np.frombuffer(self._packed, np.float32).reshape(self._rows, self._dimension)


@cache
def _patterns(keys: tuple[bytes, ...]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches all text up to a key with an array, and the key itself.

    Strings are skipped whole, so that nothing inside one looks like a key. A key whose colon or bracket has not come
    yet is left for later. Possessive repeats keep the work linear.
    """
    name = b"|".join(map(re.escape, keys))
    space = rb"[ \t\r\n]*+"
    key = rb'"(' + name + rb')"' + space + b":" + space + rb"\["
    undecided = rb'"(?:' + name + rb')"' + space + rb"(?::" + space + rb")?+(?:\[|\Z)"
    string = rb"(?!" + undecided + rb')"(?:[^"\\]++|\\.)*+"'
    return re.compile(rb'(?:[^"]++|' + string + rb")*+", re.DOTALL), re.compile(key)
