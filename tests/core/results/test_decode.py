"""Bodies separated into vectors and the rest: any chunk sizes, any JSON, any damage, with and without orjson."""

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.results import decode
from twelvelabs_core.results.decode import Split, VectorSplitter

KEYS = ("embedding", "embedding_uncertainty")


@pytest.fixture(params=["orjson", "pydantic_core"], scope="module")
def parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Parse with orjson, and as if it were not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "orjson":
            importlib.import_module("orjson")
        else:
            patch.setitem(sys.modules, "orjson", None)
        yield


def split(body: bytes, sizes: list[int] | None = None, **options: Any) -> Split:
    """Feed the body in chunks of these sizes, repeatedly."""
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


def row_of(texts: list[str]) -> bytes:
    return f'{{"embedding":[{",".join(texts)}]}}'.encode()


def put_back(taken: Split, value: Any) -> Any:
    """Replace every marker by its vector."""
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
    """Round the numbers of every vector to float32."""
    if isinstance(value, dict):
        return {key: as_float32(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [float(np.float32(item)) for item in value] if name in KEYS else [as_float32(item) for item in value]
    return value


# Decimal numbers as servers write them, and in every other form that JSON allows.
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


@pytest.mark.usefixtures("parser")
@settings(max_examples=150)
@given(st.lists(numbers.filter(in_float32), min_size=1, max_size=40))
# Halfway between two float32 values, slightly above and below, and where float64 is first rounded to the midpoint.
@example(["1.000000059604644775390625", "1.00000005960464477539", "1.00000005960464478", "0.5000000298023223876953"])
@example(["-0.0", "-0", "0", "0.00000000000000000000001", "9.9999999999999999999999", "1e-45", "1e-46", "3.4028235e38"])
@example(["1.8446744073709551615", "0.1844674407370955161600", "9.223372036854775807", "0.0000123456789012345678"])
def test_numbers_are_rounded_to_float32_as_python_rounds_them(texts: list[str]) -> None:
    assert split(row_of(texts)).vectors.tolist() == [[float(np.float32(float(text))) for text in texts]]


@pytest.mark.usefixtures("parser")
def test_every_value_of_a_large_result_is_exact() -> None:
    source = np.random.default_rng(7)
    double = source.standard_normal(20_000) * 0.05
    single = source.standard_normal(20_000).astype(np.float32)
    texts = [repr(value) for value in double.tolist()] + [str(value) for value in single]
    # Decimals near the midpoint of two float32 values reveal an inexact conversion.
    middles = (single[:5000].astype(np.float64) + np.nextafter(single[:5000], np.float32(9)).astype(np.float64)) / 2
    texts += [f"{value:.17g}" for value in middles] + [f"{value:.20f}" for value in middles]
    rows = [row_of(texts[start : start + 500]) for start in range(0, len(texts), 500)]
    expected = np.array([np.float32(float(text)) for text in texts])
    assert np.array_equal(split(b"[" + b",".join(rows) + b"]").vectors.ravel(), expected)


@pytest.mark.usefixtures("parser")
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
        *("x.5", ":.5", "/.25", "0.0x123456789012345678", "0.:1234567890123456", "0.12\u00e9", "0.\u00ff1234567"),
    ],
)
@pytest.mark.parametrize("before", ["", "0.25,", "0.25," * 300])
def test_a_value_that_is_not_a_finite_number_is_refused(token: str, before: str) -> None:
    with pytest.raises(APIResponseError, match=r"Vector 0 .*not a finite JSON number"):
        split(b'{"embedding":[%b%b,0.75]}' % (before.encode(), token.encode()))


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("inside", ["", " ", "\n"])
def test_an_empty_vector_is_refused(inside: str) -> None:
    with pytest.raises(APIResponseError, match="Vector 1 of the response has 0 values"):
        split(b'[{"embedding":[1]},{"embedding":[%b]}]' % inside.encode())


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("space", [" ", "\n", "\t", "\r\n", "\n        "])
def test_white_space_is_allowed_where_json_allows_it(space: str) -> None:
    body = json.dumps({"data": [{"embedding": [0.5, -1e-05, 3]}]}, indent=2).replace(" ", space).replace("\n", space)
    assert split(body.encode()).vectors.tolist() == [[0.5, np.float32(-1e-05), 3.0]]
    for wrong in ("1 2", "0.1 2", "- 1", "0. 5", "1 e5", "\x0b1", "\xa01"):
        with pytest.raises(APIResponseError):
            split(f'{{"embedding":[0.5,{wrong.replace(" ", space)},0.5]}}'.encode())


@pytest.mark.usefixtures("parser")
def test_vectors_of_unequal_length_are_refused() -> None:
    body = b'[{"embedding":[1,2]},{"embedding":[3,4]},{"embedding":[5,6,7]}]'
    with pytest.raises(APIResponseError, match="Vector 2 of the response has 3 values, the first one has 2"):
        split(body)
    with pytest.raises(APIResponseError, match="Vector 2 of the response has 3 values"):
        split(body, [1])


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


@pytest.mark.usefixtures("parser")
@settings(max_examples=150, deadline=None)
@given(bodies(), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_any_body_in_chunks_of_any_size_has_the_value_that_json_reads(body: bytes, sizes: list[int]) -> None:
    taken = split(body, sizes)
    assert put_back(taken, taken.rest) == as_float32(json.loads(body))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bodies_raise_a_typed_error_or_parse_correctly(data: st.DataObject) -> None:
    body = bytearray(data.draw(bodies()))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 5)) | st.just(len(body)))
        body[start:end] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"[", b"]", b",", b"NaN", b"e9"])
        )
    try:
        taken = split(bytes(body), [5, 1, 11])
    except APIResponseError:
        return
    assert put_back(taken, taken.rest) == as_float32(json.loads(body))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_raise_typed_errors_only(body: bytes) -> None:
    try:
        taken = split(body, [3])
    except APIResponseError:
        return
    assert put_back(taken, taken.rest) == json.loads(body)


def test_a_body_truncated_anywhere_is_refused() -> None:
    body = b'{"_id":"1","data":[{"embedding":[0.5,1e-3],"start_sec":0},{"embedding":[1,2]}],"x":"a\\"b"}'
    assert split(body).vectors.shape == (2, 2)
    for length in range(len(body)):
        with pytest.raises(APIResponseError):
            split(body[:length])


@pytest.mark.parametrize("tail", [b"x", b"{}", b"]", b",", b"\x00", b'"embedding":[1]'])
def test_trailing_garbage_is_refused(tail: bytes) -> None:
    with pytest.raises(APIResponseError, match="not valid JSON"):
        split(b'{"data":[{"embedding":[0.5]}]}' + tail)


def test_no_text_of_the_body_is_read_as_a_vector() -> None:
    body = b'{"x":{"embedding":[1,2]},"data":[{"embedding":0},{"embedding":"0"},{"\\u0065mbedding":":0"}]}'
    taken = split(body)
    assert taken.vectors.shape == (1, 2)
    assert [taken.row(item["embedding"]) for item in taken.rest["data"]] == [None, None, None]
    assert taken.marker != split(body).marker


def test_a_key_written_with_escapes_stays_in_the_rest() -> None:
    taken = split(b'{"\\u0065mbedding":[1,2]}')
    assert taken.rest == {"embedding": [1, 2]}
    assert taken.vectors.shape == (0, 0)


def test_vectors_are_found_under_other_keys() -> None:
    taken = split(b'{"segments":[{"float":[1,2]},{"float":[3,4]}],"embedding":[9]}', keys=("float",))
    assert taken.vectors.tolist() == [[1, 2], [3, 4]]
    assert taken.uncertainty is None
    assert taken.rest["embedding"] == [9]


def test_bodies_and_their_parts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"embedding":[0.5]}'
    assert split(body, max_bytes=len(body)).vectors.shape == (1, 1)
    splitter = VectorSplitter(max_bytes=len(body) - 1)
    splitter.feed(body[:-1])
    with pytest.raises(APIResponseError, match="longer than 18 bytes"):
        splitter.feed(body[-1:])

    monkeypatch.setattr(decode, "MAX_VECTOR_BYTES", 1000)
    with pytest.raises(APIResponseError, match="vector in the response is longer than the limit of 1,000 bytes"):
        split(b'{"embedding":[' + b"0," * 600, [100])
    with pytest.raises(APIResponseError, match="vector in the response is longer than the limit of 1,000 bytes"):
        split(b'{"embedding":[' + b"0," * 600 + b"0]}")
    monkeypatch.setattr(decode, "MAX_REST_BYTES", 1000)
    for filler in (b'{"a":"' + b"x" * 1100, b'{"a":[' + b"0," * 600, b'{"a":"' + b'\\"' * 600):
        with pytest.raises(APIResponseError, match="over 1,000 bytes beside its vectors"):
            split(filler, [100])


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(APIResponseError, match="recursion limit"):
        split(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    "body", [b'{"a":"' + b'\\"x' * 200_000 + b'"}', b'{"embedding"' + b" " * 600_000 + b":1}"], ids=["string", "space"]
)
def test_a_long_value_in_short_chunks_takes_linear_time(body: bytes) -> None:
    start = time.process_time()
    split(body, [50])
    assert time.process_time() - start < 5  # 0.05 s when linear, minutes when quadratic


MEMORY = """
import sys, tracemalloc
sys.modules[sys.argv[1]] = None  # not installed
import numpy
from twelvelabs_core.results.decode import VectorSplitter
row = b'{"embedding":[' + b",".join(b"-0.0123456789%03d" % n for n in range(512)) + b'],"embedding_option":"visual"},'
splitter = VectorSplitter()
splitter.feed(b'{"data":[' + row)
tracemalloc.start()
for _ in range(999):
    splitter.feed(row)
splitter.feed(row[:-1] + b"]}")
split = splitter.finish()
assert split.vectors.shape == (1001, 512), split.vectors.shape
print(tracemalloc.get_traced_memory()[1] / split.vectors.nbytes)
"""


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["orjson", "none"])
def test_memory_stays_near_that_of_the_matrix(missing: str) -> None:
    command = [sys.executable, "-c", MEMORY, missing]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    # A plain parser needs eight times the matrix for the numbers in its lists, and four times for the body.
    assert float(done.stdout) < 1.5
