"""Requests that the API refuses; messages name the parameter, the limit and the value."""

import copy
import json
from typing import Any

import httpx
import pytest

from tests.sandbox.api import body, connect
from twelvelabs_sandbox import Sandbox

ASSET = {"asset_id": "6298d673f1090f1100476d4c"}
TEXT = body("text", input_text="dog")
IMAGE = body("image", media_source=ASSET)
VIDEO = body("video", media_source=ASSET)
AUDIO = body("audio", media_source=ASSET)
MULTI = body("multi_input", media_sources=[{"media_type": "image", **ASSET}])
INVALID, UNKNOWN, MISSING = "parameter_invalid", "parameter_unknown", "parameter_not_provided"
RESULT_EXPIRED = "resource_not_exist"
NOTHING = object()


def changed(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a request with one field set or removed."""
    request = copy.deepcopy(request)
    *parents, last = path.split(".")
    inner = request
    for parent in parents:
        inner = inner[parent]
    if value is NOTHING:
        del inner[last]
    else:
        inner[last] = value
    return request


def fixed(seconds: object) -> dict[str, Any]:
    return {"strategy": "fixed", "fixed": {"duration_sec": seconds}}


def dynamic(seconds: object) -> dict[str, Any]:
    return {"strategy": "dynamic", "dynamic": {"min_duration_sec": seconds}}


Case = tuple[dict[str, Any], str, Any, str, str]

BOTH_CALLS: list[Case] = [
    (VIDEO, "model_name", NOTHING, MISSING, "model_name"),
    (VIDEO, "model_name", "marengo2.7", INVALID, "'marengo2.7'"),
    (VIDEO, "model_name", None, INVALID, "None"),
    (VIDEO, "input_type", NOTHING, MISSING, "input_type"),
    (VIDEO, "input_type", "document", INVALID, "'document'"),
    (VIDEO, "input_type", ["video"], INVALID, "['video']"),
    (VIDEO, "input_type", "audio", INVALID, "video parameter does not belong to input_type `audio`"),
    (VIDEO, "video", NOTHING, MISSING, "video"),
    (VIDEO, "video", "video.mp4", INVALID, "video must be a JSON object, not 'video.mp4'"),
    (VIDEO, "videos", {}, UNKNOWN, "videos"),
    (VIDEO, "embedding_dimension", 512, INVALID, "not supported by marengo3.0"),
    (VIDEO, "embedding_uncertainty", False, INVALID, "not supported by marengo3.0"),
    (VIDEO, "video.time_based_metadata", [], INVALID, "not supported by marengo3.0"),
    (VIDEO, "video.segment", {}, UNKNOWN, "video.segment"),
    (VIDEO, "video.media_source", NOTHING, MISSING, "video.media_source"),
    (VIDEO, "video.media_source", {}, INVALID, "given: none"),
    (VIDEO, "video.media_source", {**ASSET, "url": "http://127.0.0.1/"}, INVALID, "given: url, asset_id"),
    (VIDEO, "video.media_source.file", "x", UNKNOWN, "video.media_source.file"),
    (VIDEO, "video.media_source.asset_id", "", INVALID, "must not be empty"),
    (VIDEO, "video.media_source.asset_id", 5, INVALID, "must be a string, not 5"),
    (VIDEO, "video.media_source.asset_id", ASSET["asset_id"], RESULT_EXPIRED, "does not exist in assets"),
    (VIDEO, "video.media_source", {"url": "file:///etc/passwd"}, INVALID, "http or https"),
    (VIDEO, "video.media_source", {"url": "video.mp4"}, INVALID, "http or https"),
    (VIDEO, "video.media_source", {"url": "http://["}, "media_url_not_exists", "http://["),
    (VIDEO, "video.media_source", {"url": "http://127.0.0.1:99999/a.mp4"}, "parameter_invalid", "not valid"),
    (VIDEO, "video.media_source", {"url": "http://\x00/"}, INVALID, "not valid"),
    (VIDEO, "video.media_source", {"base64_string": "!!!!"}, INVALID, "not valid base64"),
    (VIDEO, "video.media_source", {"base64_string": "AA==AAAA"}, INVALID, "not valid base64"),
    (VIDEO, "video.media_source", {"base64_string": "data:video/mp4;base64,AAAA"}, INVALID, "data: prefix"),
    (VIDEO, "video.media_source", {"base64_string": "AAAA"}, "video_file_broken", ""),
    (VIDEO, "video.start_sec", -1, INVALID, "start_sec parameter must be a number of 0 or more, not -1"),
    (VIDEO, "video.start_sec", True, INVALID, "not True"),
    (VIDEO, "video.start_sec", 10**400, INVALID, "start_sec"),
    (VIDEO, "video.end_sec", 0, INVALID, "greater than start_sec: 0 <= 0"),
    (VIDEO, "video.end_sec", None, INVALID, "not None"),
    (VIDEO, "video.segmentation", {}, MISSING, "video.segmentation.strategy"),
    (VIDEO, "video.segmentation", {"strategy": "shots"}, INVALID, "`dynamic`, `fixed`, not 'shots'"),
    (VIDEO, "video.segmentation", {"strategy": "fixed"}, MISSING, "video.segmentation.fixed"),
    (VIDEO, "video.segmentation", {"strategy": "fixed", "fixed": {}}, MISSING, "fixed.duration_sec"),
    (VIDEO, "video.segmentation", fixed(1), INVALID, "from 2 to 10, not 1"),
    (VIDEO, "video.segmentation", fixed(11), INVALID, "from 2 to 10, not 11"),
    (VIDEO, "video.segmentation", fixed(2.5), INVALID, "from 2 to 10, not 2.5"),
    (VIDEO, "video.segmentation", fixed("6"), INVALID, "from 2 to 10, not '6'"),
    (VIDEO, "video.segmentation", dynamic(1), INVALID, "from 2 to 5, not 1"),
    (VIDEO, "video.segmentation", dynamic(6), INVALID, "from 2 to 5, not 6"),
    (VIDEO, "video.segmentation", {**fixed(6), **dynamic(4)}, INVALID, "does not belong to strategy `dynamic`"),
    (VIDEO, "video.segmentation", {"temporal": fixed(6)}, INVALID, "temporal parameter is not supported by marengo3.0"),
    (VIDEO, "video.embedding_option", ["text"], INVALID, "`visual`, `audio`, `transcription`, not ['text']"),
    (VIDEO, "video.embedding_option", [], INVALID, "one or more"),
    (VIDEO, "video.embedding_option", "visual", INVALID, "an array"),
    (VIDEO, "video.embedding_option", ["audio", "audio"], INVALID, "different"),
    (VIDEO, "video.embedding_option", [["audio"]], INVALID, "[['audio']]"),
    (VIDEO, "video.embedding_scope", ["local"], INVALID, "`clip`, `asset`, not ['local']"),
    (VIDEO, "video.embedding_type", ["fused"], INVALID, "not ['fused']"),
    (AUDIO, "audio.embedding_option", ["visual"], INVALID, "`audio`, `transcription`, not ['visual']"),
    (AUDIO, "audio.segmentation", dynamic(4), INVALID, "`fixed`, not 'dynamic'"),
]  # fmt: skip
SYNC_CALL: list[Case] = [
    (TEXT, "text.input_text", "", INVALID, "must not be empty"),
    (TEXT, "text.input_text", " \n", INVALID, "must not be empty"),
    (TEXT, "text.input_text", 7, INVALID, "must be a string, not 7"),
    (TEXT, "text.input_text", "\ud800", INVALID, "Unicode"),
    (TEXT, "text.input_text", NOTHING, MISSING, "text.input_text"),
    (TEXT, "text.language", "en", UNKNOWN, "text.language"),
    (TEXT, "auto_truncate", True, INVALID, "not supported by marengo3.0"),
    (TEXT, "image", {"media_source": ASSET}, INVALID, "image parameter does not belong to input_type `text`"),
    (IMAGE, "image.input_text", "dog", UNKNOWN, "image.input_text"),
    (body("text_image", media_source=ASSET), "model_name", "marengo3.0", MISSING, "text_image.input_text"),
    (MULTI, "multi_input.media_sources", NOTHING, MISSING, "multi_input.media_sources"),
    (MULTI, "multi_input.media_sources", [], INVALID, "1 to 10 items, not 0"),
    (MULTI, "multi_input.media_sources", [{"media_type": "image", **ASSET}] * 11, INVALID, "1 to 10 items, not 11"),
    (MULTI, "multi_input.media_sources", [{"media_type": "video", **ASSET}], INVALID, "not 'video'"),
    (MULTI, "multi_input.media_sources", [ASSET], MISSING, "multi_input.media_sources[0].media_type"),
    (MULTI, "multi_input.media_sources", {}, INVALID, "an array"),
    (MULTI, "multi_input.input_text", "a <@dog>", INVALID, "<@dog>"),
]  # fmt: skip
TASK_CALL: list[Case] = [
    (TEXT, "model_name", "marengo3.0", UNKNOWN, "text"),
    (IMAGE, "model_name", "marengo3.0", UNKNOWN, "image"),
]  # fmt: skip


def post(api: httpx.Client, path: str, request: Any) -> httpx.Response:
    """Send JSON in ASCII, since httpx cannot encode a lone surrogate."""
    return api.post(path, content=json.dumps(request), headers={"Content-Type": "application/json"})


def refused(answer: httpx.Response, code: str, expected: str) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"code", "message"}
    assert answer.json()["code"] == code
    assert expected in answer.json()["message"]


@pytest.mark.parametrize("case", BOTH_CALLS + SYNC_CALL)
def test_embed_refuses_invalid_requests(api: httpx.Client, case: Case) -> None:
    request, path, value, code, expected = case
    refused(post(api, "/embed-v2", changed(request, path, value)), code, expected)


@pytest.mark.parametrize("case", BOTH_CALLS + TASK_CALL)
def test_tasks_refuse_invalid_requests(api: httpx.Client, case: Case) -> None:
    request, path, value, code, expected = case
    refused(post(api, "/embed-v2/tasks", changed(request, path, value)), code, expected)


@pytest.mark.parametrize("call", ["/embed-v2", "/embed-v2/tasks"])
def test_fused_needs_two_options(api: httpx.Client, call: str) -> None:
    request = body("video", media_source=ASSET, embedding_option=["audio"], embedding_type=["fused_embedding"])
    refused(api.post(call, json=request), INVALID, "two or more embedding options, not ['audio']")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b"null", b'{"a":NaN}', b"[" * 100_000, b"\xff", b'{"n":' + b"9" * 5000 + b"}"],
)
def test_a_body_other_than_a_json_object_is_refused(api: httpx.Client, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.post("/embed-v2", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] in {INVALID, MISSING}


def test_a_body_of_another_type_is_refused(api: httpx.Client) -> None:
    refused(api.post("/embed-v2", data={"input_type": "text"}), INVALID, "application/json")


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused(api: httpx.Client, *, declared: bool) -> None:
    pieces = [b"x" * 1_000_000] * 80
    headers = {"Content-Type": "application/json"}
    content = b"".join(pieces) if declared else iter(pieces)
    answer = api.post("/embed-v2", content=content, headers=headers)
    # The official SDK reads a 413 only in the nested shape.
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "The request body exceeds maximum limit of 72 MB"
    content = b"".join(pieces) if declared else iter(pieces)
    refused(api.post("/embed-v2/tasks", content=content, headers=headers), INVALID, "72 MB")


@pytest.mark.parametrize("key", [None, "", "tlk_sandbox_other", "tlk_1234567890", "Bearer x"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/embed-v2"), ("GET", "/assets"), ("GET", "/nowhere")])
def test_any_other_key_is_refused(sandbox: Sandbox, key: str | None, method: str, path: str) -> None:
    headers = {} if key is None else {"x-api-key": key}
    answer = httpx.request(method, sandbox.base_url + path, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["code"] == "api_key_invalid"
    assert "not TwelveLabs" in answer.json()["message"]


def test_control_endpoints_require_the_key(sandbox: Sandbox) -> None:
    assert httpx.get(sandbox.control_url + "/requests", trust_env=False).status_code == 401


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=-1", "page=1.5", "page_limit=51", "page_limit=0", "page="])
@pytest.mark.parametrize("path", ["/assets", "/embed-v2/tasks"])
def test_page_parameters_out_of_bounds_are_refused(api: httpx.Client, path: str, query: str) -> None:
    refused(api.get(f"{path}?{query}"), INVALID, query.partition("=")[0])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=done", "processing, ready, failed, not 'done'"),
        ("started_at=yesterday", "RFC 3339"),
        ("ended_at=2026-01-01", "RFC 3339"),
        ("started_at=", "RFC 3339"),
    ],
)
def test_invalid_filters_of_the_task_list_are_refused(api: httpx.Client, query: str, expected: str) -> None:
    refused(api.get(f"/embed-v2/tasks?{query}"), INVALID, expected)


def test_unknown_paths_and_methods(api: httpx.Client) -> None:
    assert api.get("/nowhere").status_code == 404
    assert api.get("/nowhere").json()["code"] == "not_found"
    assert api.put("/assets").status_code == 405


def test_nested_errors() -> None:
    with Sandbox(nested_errors=True) as sandbox, connect(sandbox) as api:
        answer = api.post("/embed-v2", json={})
        assert answer.json()["error"]["code"] == MISSING
        assert answer.json().keys() == {"error"}
        assert api.get("/assets/1").json()["error"]["code"] == RESULT_EXPIRED
        assert httpx.get(sandbox.base_url + "/assets", trust_env=False).json()["error"]["code"] == "api_key_invalid"
