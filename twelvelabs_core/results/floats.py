"""Decimal text of vectors -> float32, many numbers at a time, without a Python float on the way.

A Python float for every number is what makes a large result slow and fat, so all numbers of a piece of text are read
together with whole-array arithmetic. It reads `d.ddd` with up to 22 decimals, which is nearly every value of an
embedding; the few others (exponents, integers, long integer parts) are checked against JSON's grammar and read by
`numpy.fromstring`. Both give `float32(float(text))`, bit for bit.
"""

import re

import numpy as np
from numpy.typing import NDArray

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.results.segments import Matrix

Positions = NDArray[np.intp]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_COMMA, _BRACKET, _MINUS, _POINT, _ZERO, _SPACE = b",]-.0 "

# Three words of eight digits are looked at, and 10**22 is the largest power of ten that a float64 holds exactly.
_MOST_DECIMALS = 22
_POWERS = 10.0 ** np.arange(_MOST_DECIMALS + 1)
# An integer part d in 1..9 adds d * 10**decimals, which fits 64 bits up to 18 decimals.
_MOST_SCALED = 18
_SCALES = np.array([10**n if n <= _MOST_SCALED else 0 for n in range(_MOST_DECIMALS + 1)], np.uint64)
_MOST_HIGH = np.uint64(1843)  # digits above the lower sixteen for which the sum stays below 2**64

_BEFORE = b"0" * 24  # room for three words before the first number
_AFTER = b"0"  # room for one look past the end

# The last n bytes of a little-endian word, n = 0..8.
_KEEP = np.array([0] + [(2**64 - 1) ^ (2 ** (64 - 8 * n) - 1) for n in range(1, 9)], np.uint64)
_ASCII_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_NINE = np.uint64(0x7676767676767676)  # carries into the top bit of a byte above 9
_TOP_BITS = np.uint64(0x8080808080808080)

# The bits of a float64 that a float32 has no room for, and what they are half-way between two float32.
_LOST_BITS = np.uint64(2**29 - 1)
_DOUBT = np.uint64(4)  # float64 steps; the estimate is off by less than two
_DOUBT_FROM = np.uint64(2**28) - _DOUBT

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SPACED = re.compile(rb"[ \t\r\n]*+([,\]])[ \t\r\n]*+")


def parse_rows(text: bytes, *, first_row: int = 0) -> tuple[Matrix, Positions]:
    """Read rows of numbers.

    Args:
        text: One row or more: numbers separated by commas, every row closed by `]`, such as `b"0.1,-2]0.3,4e-05]"`.
        first_row: The number of the first row, for messages.

    Returns:
        All numbers as one float32 array, and the length of every row.

    Raises:
        APIResponseError: Something is not a JSON number, or not finite as float32.
    """
    padded = _BEFORE + _without_spaces(text) + _AFTER
    characters = np.frombuffer(padded, np.uint8)
    ends = np.flatnonzero((characters == _COMMA) | (characters == _BRACKET))
    starts = np.concatenate(([len(_BEFORE)], ends[:-1] + 1))
    lengths = np.diff(np.flatnonzero(characters[ends] == _BRACKET), prepend=-1)
    numbers, odd = _parse_plain(padded, characters, starts, ends)
    at = np.flatnonzero(odd)
    if at.size:
        spans = zip(starts[at].tolist(), ends[at].tolist(), strict=True)
        tokens = [padded[start:end] for start, end in spans]
        wrong = next((n for n, token in enumerate(tokens) if not _NUMBER.fullmatch(token)), None)
        if wrong is not None:
            raise _refusal(int(at[wrong]), lengths, first_row)
        numbers[at] = _parse_odd(tokens)
        infinite = np.flatnonzero(~np.isfinite(numbers[at]))
        if infinite.size:
            raise _refusal(int(at[infinite[0]]), lengths, first_row)
    return numbers, lengths


def _without_spaces(text: bytes) -> bytes:
    """Remove the white space that JSON allows around numbers; any other stays and is refused with its number."""
    if not text or np.frombuffer(text, np.uint8).min() > _SPACE:
        return text
    text = text.replace(b", ", b",")
    return _SPACED.sub(rb"\1", text.lstrip(b" \t\r\n")) if np.frombuffer(text, np.uint8).min() <= _SPACE else text


def _parse_plain(
    padded: bytes, characters: NDArray[np.uint8], starts: Positions, ends: Positions
) -> tuple[Matrix, Flags]:
    """Read every `d.ddd`; flag what has another form, or lies too near the middle of two float32 to be sure."""
    negative = characters[starts] == _MINUS
    first = starts + negative
    whole = (characters[first] - np.uint8(_ZERO)).astype(np.uint64)
    decimals = ends - first - 2
    odd = (characters[first + 1] != _POINT) | (whole > np.uint64(9)) | (decimals < 1) | (decimals > _MOST_DECIMALS)
    exponents = np.clip(decimals, 0, _MOST_DECIMALS)
    digits, odd_digits = _parse_digits(padded, ends, exponents)
    odd |= odd_digits
    if whole.any():
        odd |= (whole > np.uint64(0)) & (exponents > _MOST_SCALED)
        digits += whole * _SCALES.take(exponents)
    # digits -> float64 and the division are each rounded once: less than two steps off, and exact below 2**53.
    estimates = digits.astype(np.float64) / _POWERS.take(exponents)
    odd |= (estimates.view(np.uint64) & _LOST_BITS) - _DOUBT_FROM <= _DOUBT + _DOUBT
    np.negative(estimates, out=estimates, where=negative)
    return estimates.astype(np.float32), odd


def _parse_digits(padded: bytes, ends: Positions, counts: Positions) -> tuple[Words, Flags]:
    """Return the integer made by the last `counts` (0..22) digits before each end; flag non-digits and overflow."""
    words = np.ndarray((len(padded) - 7,), np.dtype("<u8"), padded, strides=(1,))
    value, wrong = _parse_eight(words[ends - 8], counts)
    middle, wrong_middle = _parse_eight(words[ends - 16], counts - 8)
    value += middle * np.uint64(10**8)
    odd = (wrong | wrong_middle) != 0
    if counts.max(initial=0) > 16:  # noqa: PLR2004  # two words of eight digits
        high, wrong_high = _parse_eight(words[ends - 24], counts - 16)
        value += high * np.uint64(10**16)
        odd |= (wrong_high != 0) | (high > _MOST_HIGH)
    return value, odd


def _parse_eight(words: Words, counts: Positions) -> tuple[Words, Words]:
    """Return the number in the last `counts` (limited to 0..8) bytes of each word, and bits where there is no digit."""
    words = (words ^ _ASCII_ZEROS) & _KEEP.take(counts, mode="clip")
    wrong = ((words + _ABOVE_NINE) | words) & _TOP_BITS
    # Digits side by side are joined to pairs, the pairs to fours, the fours to eight, in all lanes of a word at once.
    words = words * np.uint64(10) + (words >> np.uint64(8))
    lanes = np.uint64(0x000000FF000000FF)
    even, uneven = words & lanes, (words >> np.uint64(16)) & lanes
    joined = even * np.uint64(100 + (10**6 << 32)) + uneven * np.uint64(1 + (10**4 << 32))
    return joined >> np.uint64(32), wrong


def _parse_odd(tokens: list[bytes]) -> Matrix:
    """Read numbers of any form, known to be JSON numbers."""
    numbers = np.fromstring(b",".join(tokens), np.float64, sep=",")
    with np.errstate(over="ignore"):  # becomes infinite, which the caller refuses
        return numbers.astype(np.float32)


def _refusal(position: int, lengths: Positions, first_row: int) -> APIResponseError:
    """Say where the number stands; its text stays out of the message, it could be anything."""
    row_ends = np.cumsum(lengths)
    row = int(np.searchsorted(row_ends, position, side="right"))
    column = position - int(row_ends[row]) + int(lengths[row])
    return APIResponseError(
        f"Value {column} of vector {first_row + row} of the response is not a finite JSON number of float32 range. "
        "Nothing of the response was used."
    )
