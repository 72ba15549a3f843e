"""Every parser of responses, on arbitrary input: a typed error or exactly the value of the response."""

import functools
import json
import operator
import pickle
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.core.raw_server import RawServer
from tests.core.surface import Surface, make_surface
from twelvelabs_core import SegmentPosition, SegmentStore, Settings, TwelveLabsError, Word
from twelvelabs_core.results import legacy_v1 as legacy
from twelvelabs_core.results import responses
from twelvelabs_core.results import upload_responses as uploads
from twelvelabs_core.results.decode import VECTOR_KEYS, Split, VectorSplitter, read_answer
from twelvelabs_core.results.legacy_v1 import LegacyEmbedding, LegacyTask
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.results.transcript import spoken
from twelvelabs_core.transport.error_response import parse_error

FEW = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ROW = {"embedding_option": "visual", "embedding_scope": "clip", "start_sec": 0.0, "end_sec": 4.5}
VIDEO = {"input_type": "video", "duration": 9.0, "embedding_options": ["visual"], "embedding_scopes": ["clip"]}
TIME = "2026-01-31T10:00:00.123Z"
TASK = {
    "_id": "65",
    "status": "ready",
    "created_at": TIME,
    "metadata": VIDEO,
    "data": [{"embedding": [0.5, -0.25], **ROW}, {"embedding": [1e-3, 2], **ROW, "start_sec": 4.5, "end_sec": 9}],
}
PAGE = {"embedding_option": "visual", "embedding_scope": "page", "start_page_number": 1, "end_page_number": 2}
CHUNK = {"embedding_option": "text", "embedding_scope": "chunk", "chunk_index": 0}
DOCUMENT: dict[str, Any] = {
    "_id": "65",
    "status": "ready",
    "metadata": {"input_type": "document"},
    "data": [
        {"embedding": [0.5, -0.25], **PAGE, "quadrant": "top_left"},
        {"embedding": [0.5, 2], **CHUNK},
        {"embedding": [0.5, 3], "embedding_scope": "asset"},
    ],
}
DOCUMENT["data"] = [{**row, "embedding_uncertainty": [0.1, 0.2]} for row in DOCUMENT["data"]]
ONE = {"data": [{"embedding": [0.5, -0.25], "embedding_option": None, "embedding_scope": None}], "metadata": None}
ASSET = {"_id": "66", "status": "ready", "filename": "a.mp4", "size": 5, "duration": 9.5, "created_at": TIME}
INFO = {"page": 1, "limit_per_page": 50, "total_page": 1, "total_results": 1}
LISTED = {"_id": "65", "status": "ready", "video_embedding": {"metadata": {"duration": 9.0, "input_url": "http://a/b"}}}
LINK = {"chunk_index": 1, "url": "https://a.b/c?X-Amz-Signature=0", "expires_at": TIME}
UPLOAD = {"upload_id": "67", "asset_id": "66", "chunk_size": 5, "upload_urls": [LINK], "upload_headers": {"A": "b"}}
STATUS = {"upload_id": "67", "status": "active", "uploaded_chunks": [{"index": 1, "status": "completed"}]}
WORDS = {"status": "ready", "words": [{"start": 0.0, "end": 0.5, "value": "goal"}]}
OLD_ROW = {"embedding_option": "visual-text", "embedding_scope": "clip", "start_offset_sec": 0.0, "end_offset_sec": 4.5}
OLD_ROWS = [
    {"float": [0.5, -0.25], **OLD_ROW},
    {"float": [1e-3, 2], **OLD_ROW, "start_offset_sec": 4.5, "end_offset_sec": 9},
]
OLD_VIDEO = {"duration": 9.0, "video_embedding_option": ["visual-text"], "video_clip_length": 4.5, "filename": "a.mp4"}
OLD_TASK = {
    "_id": "65",
    "status": "ready",
    "model_name": "marengo3.0",
    "created_at": TIME,
    "video_embedding": {"metadata": OLD_VIDEO, "segments": OLD_ROWS},
}
OLD_ONE = {
    "model_name": "marengo3.0",
    "text_embedding": {"segments": [{"float": [0.5, -0.25]}]},
    "image_embedding": {"segments": [], "error_message": "no picture", "metadata": {"input_url": "http://a/b"}},
    "audio_embedding": {"segments": OLD_ROWS[::-1]},
}

LONG = {"data": [{"embedding": [0.5, -0.25] * 256}]}

Parse = Callable[[bytes], Any]


def split(body: bytes, chunks: int = 1, keys: tuple[str] | tuple[str, str] = ("embedding",)) -> Split:
    splitter = VectorSplitter(keys=keys)
    step = max(1, -(-len(body) // chunks))
    for start in range(0, len(body), step):
        splitter.feed(body[start : start + step])
    return splitter.finish()


def reader(model: type[responses.Answer]) -> Parse:
    return lambda body: read_answer(model, body, "answer")


PARSERS: dict[str, tuple[Parse, Any]] = {
    "created task": (responses.parse_created_task, {"_id": "65", "status": "processing", "data": None}),
    "task": (lambda body: responses.parse_task(split(body)), TASK),
    "document": (lambda body: responses.parse_task(split(body, keys=VECTOR_KEYS)), DOCUMENT),
    "embedding": (lambda body: responses.parse_embedding(split(body)), ONE),
    "segments": (lambda body: responses.parse_segments(split(body)), TASK),
    "asset": (responses.parse_asset, ASSET),
    "tasks": (responses.page_parser(responses.TaskSummary), {"data": [LISTED], "page_info": INFO}),
    "assets": (responses.parse_asset_page, {"data": [ASSET], "page_info": INFO}),
    "upload": (uploads.parse_multipart_upload, UPLOAD),
    "links": (uploads.parse_presigned_urls, {"upload_urls": [LINK], "expires_at": TIME}),
    "report": (reader(uploads.ChunkBatchReport), {"asset_id": "66", "processed_chunks": 1, "total_completed": 2}),
    "upload status": (uploads.parse_upload_status, STATUS | {"page_info": INFO}),
    "uploads": (
        responses.page_parser(uploads.MultipartUploadSummary),
        {"data": [{**UPLOAD, "status": "active"}], "page_info": INFO},
    ),
    "transcription": (reader(uploads.Transcription), WORDS),
    "old embedding": (
        lambda body: legacy.parse_legacy_embedding(split(body, keys=("float",)), ("text", "image")),
        OLD_ONE,
    ),
    "old created task": (legacy.parse_legacy_created, {"_id": "65"}),
    "old status": (reader(responses.TaskSummary), LISTED),
    "old task": (lambda body: legacy.parse_legacy_task(split(body, keys=("float",))), OLD_TASK),
}
names = st.sampled_from(sorted(PARSERS))
FIELDS = sorted(
    {
        *(*TASK, *ROW, *VIDEO, *ASSET, *INFO, *LINK, *UPLOAD, *STATUS, *WORDS),
        *(*OLD_ROW, *OLD_VIDEO, *OLD_TASK, *OLD_ONE, "segments", "float", "error_message"),
        *("embedding", "error", "usage"),
    }
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["ready", "clip", "asset", "video", TIME, "\ud800", "1e999", "9" * 400]),
)
anything = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=4)
        | st.lists(st.integers(-2, 2) | st.floats(-1, 1), max_size=3).flatmap(
            lambda vector: st.sampled_from([{**ROW, "embedding": vector}, {**OLD_ROW, "float": vector}])
        )
    ),
    max_leaves=12,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a JSON value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(inner, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    return functools.reduce(operator.getitem, path, value)


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    """Return the value with another one at a path, or without it if that is `LEFT_OUT`."""
    if not path:
        return to
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and to is LEFT_OUT:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(copy[path[0]], path[1:], to)
    return copy


LEFT_OUT = object()


def outcome(parse: Parse, body: bytes) -> Any:
    """Return what a parser returns; None for a typed error. Any other exception fails the test."""
    try:
        return parse(body)
    except TwelveLabsError:
        return None


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def check_right(result: Any, body: bytes) -> None:
    """Compare a result with its body as `json` reads it."""
    if isinstance(result, LegacyEmbedding | LegacyTask):
        check_old(result, json.loads(body))
        return
    segments = getattr(result, "segments", result)
    if isinstance(segments, Segments) and len(segments):
        rows = json.loads(body)["data"]
        assert len(rows) == len(segments)
        expected = {_position(row): np.array(row["embedding"], np.float32).tolist() for row in rows}
        read_vectors = {(*one.position[:4],): one.vector.tolist() for one in segments}
        assert read_vectors == expected
    elif hasattr(result, "vector"):
        assert result.vector.tolist() == np.array(json.loads(body)["data"][0]["embedding"], np.float32).tolist()
    elif hasattr(result, "id"):
        read = json.loads(body)
        assert result.id == read.get("_id", read.get("id"))


def check_old(result: LegacyEmbedding | LegacyTask, read: dict[str, Any]) -> None:
    """Compare a v1 result: it has all vectors of its body, and an input without vectors has a reason."""
    if isinstance(result, LegacyTask):
        read_vectors = {"video_embedding": result.segments}
    else:
        parts = {name: getattr(result, name) for name in ("text_embedding", "image_embedding", "audio_embedding")}
        assert all(part.found is not None or part.error_message for part in parts.values() if part is not None)
        read_vectors = {name: part.found for name, part in parts.items() if part is not None}
    for name, segments in read_vectors.items():
        rows = (read.get(name) or {}).get("segments") or []
        found = {(*one.position[:4],): one.vector.tolist() for one in segments or ()}
        expected = {_position(row, "_offset_sec"): np.array(row["float"], np.float32).tolist() for row in rows}
        assert len(rows) == len(expected)
        assert found == expected
    vectors = [path for path in paths(read) if path[-1:] == ("float",) and isinstance(at(read, path), list)]
    assert len(vectors) == sum(len(segments or ()) for segments in read_vectors.values())


def _position(row: dict[str, Any], times: str = "_sec") -> tuple[Any, ...]:
    start, end = row.get(f"start{times}") or 0.0, row.get(f"end{times}") or 0.0
    return start, end, row.get("embedding_option") or "", row.get("embedding_scope") or ""


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_valid_samples_are_parsed(name: str) -> None:
    parse, sample = PARSERS[name]
    assert parse(as_json(sample)) is not None


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_truncated_response_raises(name: str) -> None:
    parse, sample = PARSERS[name]
    whole = as_json(sample)
    for length in range(len(whole)):
        assert outcome(parse, whole[:length]) is None, whole[:length]


@given(names, anything)
@FEW
def test_any_json_raises_a_typed_error_or_is_parsed(name: str, value: Any) -> None:
    body = as_json(value)
    result = outcome(PARSERS[name][0], body)
    if result is not None:
        check_right(result, body)


@pytest.mark.slow
@given(st.data())
@settings(FEW, max_examples=300)
def test_samples_with_one_wrong_value(data: st.DataObject) -> None:
    parse, sample = PARSERS[data.draw(names)]
    path = data.draw(st.sampled_from([path for path in paths(sample) if path]))
    body = as_json(changed(sample, path, data.draw(st.just(LEFT_OUT) | anything)))
    result = outcome(parse, body)
    if result is not None:
        check_right(result, body)


ABSURD = (10**30, -(10**30), 2**63, 1e300, -1.0, 5e-324, "\ud800", "\x00", "9" * 400, "9999-12-31T23:59:59-23:59", True)


def use(result: Any, store: SegmentStore) -> None:
    """Do with a response what the package and its users do with it."""
    answers = result.data if isinstance(result, responses.Page) else result
    for answer in answers if isinstance(answers, tuple) else (answers,):
        repr(answer)
        if isinstance(answer, BaseModel):
            with suppress(TypeError):  # what holds presigned URLs is not pickled
                pickle.loads(pickle.dumps(answer))  # noqa: S301  # written here
            json.dumps(answer.model_dump(mode="json"))
        segments = getattr(answer, "segments", answer) if not isinstance(answer, responses.Embedding) else None
        if isinstance(segments, Segments):
            key = secrets.token_hex(8)
            store.put_intent(key, space="s", content="c", model="m", params={}, source="a", account="me")
            store.put_result(key, segments, duration_sec=1.0)
            store.add_aliases(key, [(f"{key}{row}", row) for row in range(len(segments))], source="a", title="t")
            assert store.load_result(key)[0].positions == segments.positions
            store.find_heads("t")
        if isinstance(answer, uploads.Transcription) and answer.words is not None:
            words = [Word(word.start, word.end, word.value) for word in answer.words]
            store.put_transcript("c", "sandbox", words)
            assert spoken([SegmentPosition(0.0, 9.0, "visual", "clip")], words, is_whole=False)
        if isinstance(answer, uploads.MultipartUpload):
            options: dict[str, Any] = {"chunk_size": answer.chunk_size, "upload_headers": answer.upload_headers}
            store.put_upload("c", "me", upload_id=answer.upload_id, asset_id=answer.asset_id, options={}, **options)
            assert len(str(answer.upload_urls)) > 0


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_absurd_values_raise_typed_errors_or_can_be_used(name: str) -> None:
    parse, sample = PARSERS[name]
    with SegmentStore(":memory:") as store:
        for path in [path for path in paths(sample) if path]:
            for other in ABSURD:
                result = outcome(parse, as_json(changed(sample, path, other)))
                if result is not None:
                    use(result, store)


@pytest.mark.slow
@given(st.data())
@settings(FEW, max_examples=200)
def test_fuzzed_samples_can_be_used(data: st.DataObject) -> None:
    name = data.draw(names)
    parse, sample = PARSERS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in paths(sample) if path] or [()]))
        sample = changed(sample, path, data.draw(st.sampled_from(ABSURD) | anything))
    result = outcome(parse, as_json(sample))
    if result is not None:
        with SegmentStore(":memory:") as store:
            use(result, store)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_every_value_left_out_or_of_another_type(name: str) -> None:
    parse, sample = PARSERS[name]
    for path in [path for path in paths(sample) if path]:
        for other in (LEFT_OUT, None, [], {}, "", 0, {**ROW, "embedding": [0, 1]}, {**OLD_ROW, "float": [0, 1]}):
            body = as_json(changed(sample, path, other))
            result = outcome(parse, body)
            if result is not None:
                check_right(result, body)


@given(names, st.binary(max_size=200), st.integers(0, 400))
@FEW
def test_any_bytes_raise_a_typed_error_or_are_parsed(name: str, noise: bytes, at: int) -> None:
    parse, sample = PARSERS[name]
    whole = as_json(sample)
    outcome(parse, noise)
    outcome(parse, whole[:at] + noise + whole[at:])
    outcome(parse, whole[:at] + noise + whole[at + len(noise) :])


@given(st.data(), st.integers(1, 400))
@FEW
def test_chunk_sizes_do_not_change_the_result(data: st.DataObject, chunks: int) -> None:
    path = data.draw(st.sampled_from([path for path in paths(TASK) if path]))
    body = as_json(changed(TASK, path, data.draw(anything)))
    whole = outcome(lambda one: responses.parse_task(split(one)), body)
    chunked = outcome(lambda one: responses.parse_task(split(one, chunks)), body)
    assert (whole is None) == (chunked is None)
    if whole is not None and whole.segments is not None:
        assert np.array_equal(whole.segments.vectors, chunked.segments.vectors)
        assert whole.segments.positions == chunked.segments.positions


@given(
    st.integers(100, 599),
    st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3),
    st.binary() | anything.map(as_json),
)
@FEW
def test_any_error_response_is_parsed(status: int, headers: dict[str, str], body: bytes) -> None:
    info = parse_error(status, headers | {"Retry-After": headers.get("x", "soon")}, body, now=1e9)
    assert info.message
    assert info.retry_at is None or info.retry_at >= 1e9


CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("tasks.retrieve", "task", {"task_id": "65"}),
    ("embed_text", "embedding", {"text": "goal"}),
    ("assets.retrieve", "asset", {"asset_id": "66"}),
    ("assets.retrieve_transcription", "transcription", {"asset_id": "66"}),
    ("uploads.retrieve", "upload status", {"upload_id": "67"}),
)


@pytest.mark.parametrize("kind", ["blocking", "async"])
async def test_invalid_responses_over_http_raise_typed_errors(kind: str) -> None:
    with RawServer() as server:
        chosen = Settings.resolve(api_key="tlk_sandbox_x", base_url=server.url, max_retries=0, timeout=5.0)
        client = make_surface(kind, chosen, store=":memory:")
        for call, name, arguments in CALLS:
            whole = as_json(LONG if name == "embedding" else PARSERS[name][1])
            for body, cut in _bodies(whole):
                for head in ("HTTP/1.1 200 OK", "HTTP/1.1 500 Internal Server Error"):
                    server.say(body, cut=cut, head=head)
                    await _ask(client, call, arguments, is_right=body == whole and cut is None and "200" in head)


def _bodies(whole: bytes) -> list[tuple[bytes, int | None]]:
    """Bodies, and how many of their bytes are sent before the connection ends."""
    spoiled = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b"<html>",
        whole[:-1],
        whole + b"}",
        whole.replace(b'"', b"'"),
        b"\xff" * 9,
    ]
    return [
        (whole, None),
        *((body, None) for body in spoiled),
        *((whole, cut) for cut in (0, 1, len(whole) // 2, len(whole) - 1)),
    ]


async def _ask(client: Surface, call: str, arguments: dict[str, Any], *, is_right: bool) -> None:
    try:
        result = await attrgetter(call)(client)(**arguments)
    except TwelveLabsError:
        assert not is_right
    else:
        assert is_right
        assert call != "embed_text" or result.vector.tolist() == LONG["data"][0]["embedding"]
