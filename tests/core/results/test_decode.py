"""Bodies cut into vectors and rest: any chunking, any JSON, any damage."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.results import decode, floats
from twelvelabs_core.results.decode import Split, VectorSplitter
from twelvelabs_core.results.floats import parse_rows
from twelvelabs_core.results.segments import Matrix

KEYS = ("embedding", "embedding_uncertainty")


def split(body: bytes, sizes: list[int] | None = None, **options: Any) -> Split:
    """Feed the body in chunks of the sizes, over and over."""
    splitter = VectorSplitter(**options)
    for chunk in chunks(body, sizes or [len(body) or 1]):
        splitter.feed(chunk)
    return splitter.finish()


def chunks(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    position = 0
    for number in range(len(body)):
        if position >= len(body):
            return
        size = sizes[number % len(sizes)]
        yield body[position : position + size]
        position += size


def put_back(taken: Split, value: Any) -> Any:
    """Replace every marker by the vector that it stands for."""
    if isinstance(value, dict):
        return {name: put_field(taken, name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [put_back(taken, item) for item in value]
    return value


def put_field(taken: Split, name: str, value: Any) -> Any:
    row = taken.row(value)
    if row is None:
        return put_back(taken, value)
    matrix = taken.vectors if name == "embedding" else taken.uncertainty
    assert matrix is not None
    return matrix[row].tolist()


def as_float32(value: Any, name: str = "") -> Any:
    """Round the numbers of every vector as the splitter must."""
    if isinstance(value, dict):
        return {key: as_float32(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [float(np.float32(item)) for item in value] if name in KEYS else [as_float32(item) for item in value]
    return value


# Decimal texts as servers write them, and every other form that JSON allows.
plain_numbers = st.builds(
    "{}{}.{}".format,
    st.sampled_from(["", "-"]),
    st.integers(0, 9),
    st.text("0123456789", min_size=1, max_size=25),
)
any_numbers = st.from_regex(re.compile(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?"), fullmatch=True)
some_floats = st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr) | st.floats(-10, 10).map(repr)
numbers = plain_numbers | any_numbers | some_floats


def in_float32(text: str) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.isfinite(np.float32(float(text))))


@settings(max_examples=500)
@given(st.lists(numbers.filter(in_float32), min_size=1, max_size=40))
# Half-way between two float32, a hair above and below, and where float64 has rounded onto the middle before.
@example(["1.000000059604644775390625", "1.00000005960464477539", "1.00000005960464478", "0.5000000298023223876953"])
@example(["-0.0", "-0", "0", "0.00000000000000000000001", "9.9999999999999999999999", "1e-45", "1e-46", "3.4028235e38"])
@example(["1.8446744073709551615", "0.1844674407370955161600", "9.223372036854775807", "0.0000123456789012345678"])
def test_numbers_are_float32_of_float_bit_for_bit(texts: list[str]) -> None:
    expected = np.array([np.float32(float(text)) for text in texts])
    parsed, lengths = parse_rows(",".join(texts).encode() + b"]")
    assert lengths.tolist() == [len(texts)]
    assert parsed.view(np.uint32).tolist() == expected.view(np.uint32).tolist()


def test_every_value_of_a_large_result_is_exact() -> None:
    source = np.random.default_rng(7)
    double = source.standard_normal(60_000) * 0.05
    single = source.standard_normal(60_000).astype(np.float32)
    texts = [repr(value) for value in double.tolist()] + [str(value) for value in single]
    # Decimals beside the middle of two neighbours are where a careless parser goes wrong.
    middles = (single[:5000].astype(np.float64) + np.nextafter(single[:5000], np.float32(9)).astype(np.float64)) / 2
    texts += [f"{value:.17g}" for value in middles] + [f"{value:.20f}" for value in middles]
    parsed, _ = parse_rows(",".join(texts).encode() + b"]")
    expected = np.array([np.float32(float(text)) for text in texts])
    assert np.array_equal(parsed.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize(
    "token",
    [
        *("NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "-1e999", "3.5e38", "1e39"),
        *(
            "null",
            "true",
            '"0.5"',
            "[0.5]",
            "{}",
            ".",
            "-",
            "+",
            "1.",
            ".5",
            "-.5",
            "00.5",
            "01",
            "+1",
            "0.5.5",
            "0..5",
        ),
        *("1e", "1e+", "0x10", "1_0", "0.1_2", "0.5f", "\u0661.\u0665", "1,,2", "1-2", "0.5e5.5"),
        *("0.12a4", "0.1234567/", "0.1234567:", "0.123456789/123456", "0.123456789012345678901x3"),
        # A wrong character in each of the places that are looked at in their own way.
        *("x.5", ":.5", "/.25", "0.0x123456789012345678", "0.:1234567890123456", "0.12\u00e9", "0.\u00ff1234567"),
    ],
)
@pytest.mark.parametrize("before", ["", "0.25,", "0.25," * 300])
def test_what_is_no_finite_number_is_refused_with_its_place(token: str, before: str) -> None:
    place = before.count(",") + (1 if token == "1,,2" else 0)
    with pytest.raises(APIResponseError, match=rf"Value {place} of vector 0 .*not a finite JSON number"):
        split(b'{"embedding":[%b%b,0.75]}' % (before.encode(), token.encode()))


@pytest.mark.parametrize("inside", ["", " ", "\n"])
def test_an_empty_vector_is_refused(inside: str) -> None:
    with pytest.raises(APIResponseError, match="Value 0 of vector 1"):
        split(b'[{"embedding":[1]},{"embedding":[%b]}]' % inside.encode())


@pytest.mark.parametrize("space", [" ", "\n", "\t", "\r\n", "\n        "])
def test_white_space_is_allowed_where_json_allows_it(space: str) -> None:
    body = json.dumps({"data": [{"embedding": [0.5, -1e-05, 3]}]}, indent=2).replace(" ", space).replace("\n", space)
    assert split(body.encode()).vectors.tolist() == [[0.5, np.float32(-1e-05), 3.0]]
    for wrong in ("1 2", "0.1 2", "- 1", "0. 5", "1 e5", "\x0b1", "\xa01"):
        with pytest.raises(APIResponseError):
            split(f'{{"embedding":[0.5,{wrong.replace(" ", space)},0.5]}}'.encode())


def test_vectors_of_unequal_length_are_refused() -> None:
    body = b'[{"embedding":[1,2]},{"embedding":[3,4]},{"embedding":[5,6,7]}]'
    with pytest.raises(APIResponseError, match="Vector 2 of the response has 3 values, the first one has 2"):
        split(body)
    with pytest.raises(APIResponseError, match="Vector 2 of the response has 3 values"):
        split(body, [1], scan_bytes=1)


HARD_TEXTS = [
    "embedding",
    '"embedding":[1,2]',
    '\\"embedding\\":[',
    '{"embedding": [0.5]}',
    "\\",
    '\\"',
    "]",
    "[",
    "ключ",
    "\u2028",
    '":[',
]
texts = st.sampled_from(HARD_TEXTS) | st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts.filter(lambda name: name not in KEYS), inner, max_size=4)
        | st.fixed_dictionaries({"embedding": st.none() | texts | st.integers() | st.booleans()})
    ),
    max_leaves=12,
)
vector_texts = st.lists(numbers.filter(in_float32), min_size=3, max_size=3)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON text with vectors at any place, key order and spacing."""
    space = draw(st.sampled_from(["", " ", "\n  ", " \t\r\n"]))
    comma, colon = space + "," + space, space + ":" + space

    def write(value: Any) -> str:
        if isinstance(value, dict):
            fields = [json.dumps(name) + colon + write(item) for name, item in value.items()]
            if draw(st.booleans()):
                for key in draw(st.sampled_from([("embedding",), KEYS, KEYS[::-1]])):
                    if key not in value:
                        vector = "[" + space + comma.join(draw(vector_texts)) + space + "]"
                        fields.insert(draw(st.integers(0, len(fields))), f'"{key}"{colon}{vector}')
            return "{" + space + comma.join(fields) + space + "}"
        if isinstance(value, list):
            return "[" + space + comma.join(map(write, value)) + space + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    return (space + write(draw(values)) + space).encode()


@settings(max_examples=300, deadline=None)
@given(bodies(), st.lists(st.integers(1, 30), min_size=1, max_size=5), st.sampled_from([1, 7, 64, 131072]))
def test_any_body_in_any_chunks_is_what_a_plain_parser_reads(body: bytes, sizes: list[int], scan_bytes: int) -> None:
    taken = split(body, sizes, scan_bytes=scan_bytes)
    assert put_back(taken, taken.rest) == as_float32(json.loads(body))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bodies_give_a_typed_error_or_the_right_answer(data: st.DataObject) -> None:
    body = bytearray(data.draw(bodies()))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 5)) | st.just(len(body)))
        body[start:end] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"[", b"]", b",", b"NaN", b"e9"])
        )
    try:
        taken = split(bytes(body), [5, 1, 11], scan_bytes=3)
    except APIResponseError:
        return
    assert put_back(taken, taken.rest) == as_float32(json.loads(body))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_never_give_another_error(body: bytes) -> None:
    try:
        taken = split(body, [3])
    except APIResponseError:
        return
    assert put_back(taken, taken.rest) == json.loads(body)


def test_a_body_cut_anywhere_is_refused() -> None:
    body = b'{"_id":"1","data":[{"embedding":[0.5,1e-3],"start_sec":0},{"embedding":[1,2]}],"x":"a\\"b"}'
    assert split(body).vectors.shape == (2, 2)
    for length in range(len(body)):
        with pytest.raises(APIResponseError):
            split(body[:length])


@pytest.mark.parametrize("tail", [b"x", b"{}", b"]", b",", b"\x00", b'"embedding":[1]'])
def test_trailing_garbage_is_refused(tail: bytes) -> None:
    with pytest.raises(APIResponseError, match="not valid JSON"):
        split(b'{"data":[{"embedding":[0.5]}]}' + tail)


def test_no_text_of_the_body_can_pass_for_a_vector() -> None:
    body = b'{"x":{"embedding":[1,2]},"data":[{"embedding":0},{"embedding":"0"},{"\\u0065mbedding":":0"}]}'
    taken = split(body)
    assert taken.vectors.shape == (1, 2)
    assert [taken.row(item["embedding"]) for item in taken.rest["data"]] == [None, None, None]
    assert taken.marker != split(body).marker


def test_a_key_spelled_with_escapes_is_left_to_the_reader_of_the_rest() -> None:
    taken = split(b'{"\\u0065mbedding":[1,2]}')
    assert taken.rest == {"embedding": [1, 2]}
    assert taken.vectors.shape == (0, 0)


def test_other_keys_can_be_cut_out() -> None:
    taken = split(b'{"segments":[{"float":[1,2]},{"float":[3,4]}],"embedding":[9]}', keys=("float",))
    assert taken.vectors.tolist() == [[1, 2], [3, 4]]
    assert taken.uncertainty is None
    assert taken.rest["embedding"] == [9]


def test_bodies_and_their_parts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"embedding":[0.5]}'
    assert split(body, max_bytes=len(body)).vectors.shape == (1, 1)
    splitter = VectorSplitter(max_bytes=len(body) - 1)
    splitter.feed(body[:-1])
    with pytest.raises(APIResponseError, match="limit of 18 bytes"):
        splitter.feed(body[-1:])

    monkeypatch.setattr(decode, "MAX_VECTOR_BYTES", 1000)
    with pytest.raises(APIResponseError, match="vector in the response is longer than the limit of 1,000 bytes"):
        split(b'{"embedding":[' + b"0," * 600, [100], scan_bytes=1)
    with pytest.raises(APIResponseError, match="vector in the response is longer than the limit of 1,000 bytes"):
        split(b'{"embedding":[' + b"0," * 600 + b"0]}")
    monkeypatch.setattr(decode, "MAX_REST_BYTES", 1000)
    for filler in (b'{"a":"' + b"x" * 1100, b'{"a":[' + b"0," * 600, b'{"a":"' + b'\\"' * 600):
        with pytest.raises(APIResponseError, match="more than the limit of 1,000 bytes beside its vectors"):
            split(filler, [100], scan_bytes=1)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(APIResponseError, match="recursion limit"):
        split(b"[" * 100_000 + b"]" * 100_000)


def test_a_long_string_in_short_chunks_is_not_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    scan = VectorSplitter._scan

    def counting(self: VectorSplitter) -> None:
        nonlocal looked_at
        looked_at += self._waiting_bytes
        scan(self)

    monkeypatch.setattr(VectorSplitter, "_scan", counting)
    body = b'{"a":"' + b'\\"x' * 100_000 + b'"}'
    assert split(body, [50], scan_bytes=64).rest["a"] == '"x' * 100_000
    assert looked_at < 5 * len(body)


MEMORY = """
import sys, tracemalloc
from twelvelabs_core.results.decode import VectorSplitter
row = b'{"embedding":[' + b",".join(b"-0.0123456789%03d" % n for n in range(512)) + b'],"embedding_option":"visual"},'
splitter = VectorSplitter()
splitter.feed(b'{"data":[' + row)
tracemalloc.start()
for _ in range(2999):
    splitter.feed(row)
splitter.feed(row[:-1] + b"]}")
split = splitter.finish()
assert split.vectors.shape == (3001, 512), split.vectors.shape
print(tracemalloc.get_traced_memory()[1] / split.vectors.nbytes)
"""


def test_memory_stays_near_that_of_the_matrix() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=120)
    # The lists of a plain parser take eight times the matrix for their numbers alone, the body itself four times.
    assert float(done.stdout) < 2


def test_no_python_float_is_made_for_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """All values of ordinary decimals take the whole-array way; odd ones go through numpy's own reader."""
    odd: list[bytes] = []
    read_odd = floats._parse_odd

    def watching(tokens: list[bytes]) -> Matrix:
        odd.extend(tokens)
        return read_odd(tokens)

    monkeypatch.setattr(floats, "_parse_odd", watching)
    values = np.random.default_rng(3).standard_normal((20, 512)) / math.sqrt(512)
    body = json.dumps({"data": [{"embedding": row} for row in values.tolist()]}).encode()
    assert np.array_equal(split(body).vectors, values.astype(np.float32))
    assert len(odd) < values.size / 100
    assert all(b"e" in token for token in odd)
