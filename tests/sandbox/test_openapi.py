"""The vendor's OpenAPI files, called by schemathesis: responses are as documented, or the difference has a reason.

The folder with the two files is named by TWELVELABS_OPENAPI_DIR. Requests are made from the documents, good ones and
broken ones; in good ones ids and media are replaced by some that exist, since no document can know them.
"""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.sandbox.api import connect, create_task, encoded, upload
from tests.sandbox.file_server import FileServer
from tests.sandbox.pdf import write_pdf
from twelvelabs_sandbox import Sandbox

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

FILES = ("openapi-embed.json", "openapi-embed-sdk136.json")
FOLDER = Path(os.environ.get("TWELVELABS_OPENAPI_DIR", ""))
IS_THERE = bool(os.environ.get("TWELVELABS_OPENAPI_DIR")) and all((FOLDER / name).exists() for name in FILES)
EXAMPLES = 15
METHODS = {"get", "post", "put", "patch", "delete"}

pytestmark = pytest.mark.skipif(not IS_THERE, reason="TWELVELABS_OPENAPI_DIR does not name the vendor's OpenAPI files")


@dataclass(frozen=True)
class Allowed:
    """An accepted difference between document and sandbox."""

    check: str
    pattern: str
    reason: str


ALLOWED = [
    Allowed("UndefinedStatusCode", r"^401 ", "401 can come from every endpoint; the documents do not list it"),
    Allowed("UndefinedStatusCode", r"^404 .*does not exist in assets", "an unknown asset has no other response"),
    Allowed("JsonSchemaError", r"^4.*\"error\" is a required property", "the service responds with flat errors"),
    Allowed(
        "JsonSchemaError",
        r"^200 .*null is not of type .*uploaded_at",
        "null until a chunk is reported, as the prose says",
    ),
    Allowed("AcceptedNegativeData", r"^200 .*asset_ids \(was array", "one value is encoded like an array of one"),
    Allowed(
        "AcceptedNegativeData",
        r"^201 .*positive test case",
        "a real video_file is bytes, which the document calls text",
    ),
    Allowed("AcceptedNegativeData", r"^20\d .*query: violates `additionalProperties`", "unknown queries are ignored"),
    Allowed("RejectedPositiveData", r"parameter is required but was not provided", "input_type says which is required"),
    Allowed("RejectedPositiveData", r"parameters are unknown", "the documents forbid unknown fields"),
    Allowed("RejectedPositiveData", r"requires marengo3\.0|not supported by marengo3\.0", "the model decides"),
    Allowed("RejectedPositiveData", r"must be one of", "enums that are open in the schema and closed in the prose"),
    Allowed("RejectedPositiveData", r"one or more different values", "items that a kind or model does not have"),
    Allowed("RejectedPositiveData", r"must not include `asset`", "the rule is stated only in the prose"),
    Allowed("RejectedPositiveData", r"parameter needs a text", "the rule is stated only in the prose"),
    Allowed("RejectedPositiveData", r"must not be empty|must have 1 to", "an empty text or array has no content"),
    Allowed("RejectedPositiveData", r"must be (a number|an integer) (of|from) ", "bounds stated only in the prose"),
    Allowed("RejectedPositiveData", r"RFC 3339", "a time, although the schema says string only"),
    Allowed("RejectedPositiveData", r"user_metadata", "JSON inside a text field"),
    Allowed(
        "RejectedPositiveData",
        r"has not been uploaded|chunk \d+ does not exist|goes beyond",
        "proofs cannot be generated",
    ),
    Allowed("RejectedPositiveData", r"exceeds maximum limit", "limits stated only in the prose"),
    Allowed("RejectedPositiveData", r"needs input_text|not be shorter than one clip", "rules of combination"),
]


def operations() -> list[tuple[str, str, str]]:
    """Return every file, path and method."""
    if not IS_THERE:
        return []
    return [
        (name, path, method)
        for name in FILES
        for path, item in json.loads((FOLDER / name).read_text())["paths"].items()
        for method in item
        # The sandbox does not implement the analyze endpoints.
        if method in METHODS and "/analyze" not in path
    ]


@dataclass(frozen=True)
class World:
    """The ids of existing resources of a sandbox."""

    sandbox: Sandbox
    assets: dict[str, str]
    ids: dict[str, str]
    url: str
    video_file: bytes


@pytest.fixture(scope="module")
def world(media: Path, tmp_path_factory: pytest.TempPathFactory, file_server: FileServer) -> Iterator[World]:
    """Create assets of each type, a task of v1 and v2, and an upload."""
    pdf = write_pdf(tmp_path_factory.mktemp("pdf") / "report.pdf", [[(20, 100, "goal")]])
    files = {
        "video": media / "video.mp4",
        "audio": media / "sound.mp3",
        "image": media / "picture.jpg",
        "document": pdf,
    }
    video_file = (media / "video.mp4").read_bytes()
    with Sandbox() as sandbox, connect(sandbox) as api:
        assets = {kind: upload(api, path) for kind, path in files.items()}
        v1 = api.post(
            "/embed/tasks", data={"model_name": "marengo3.0"}, files={"video_file": ("video.mp4", video_file)}
        )
        session = {"filename": "a.mp4", "type": "video", "total_size": 60 * 5 * 1024 * 1024}
        ids = {
            "/embed-v2": create_task(api, "video", media_source=encoded(files["video"])),
            "/embed": str(v1.json()["_id"]),
            "/assets": assets["video"],
            "/assets/multipart-uploads": str(api.post("/assets/multipart-uploads", json=session).json()["upload_id"]),
        }
        yield World(sandbox, assets, ids, file_server.url("picture.jpg"), video_file)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["good", "broken"])
@pytest.mark.parametrize(("name", "path", "method"), operations())
def test_responses_are_as_documented(world: World, name: str, path: str, method: str, kind: str) -> None:
    findings: set[str] = set()
    seen: list[int] = []
    headers = {"x-api-key": world.sandbox.api_key}

    def ask(case: Any) -> None:
        if kind == "good":
            seed(case, world, name, path)
        answer = case.call(base_url=world.sandbox.base_url, headers=headers)
        seen.append(answer.status_code)
        findings.update(differences(lambda: case.validate_response(answer, headers=headers), answer))

    for_each_example(name, path, method, kind, ask)
    assert not findings, "\n".join(sorted(findings))
    assert max(seen) < 500
    # A request that deletes what other requests need is skipped, and proofs of chunks cannot be generated.
    can_succeed = kind == "good" and method != "delete" and not (method == "post" and path.endswith("{upload_id}"))
    assert not can_succeed or min(seen) < 300, seen


def for_each_example(name: str, path: str, method: str, kind: str, ask: Callable[[Any], None]) -> None:
    """Generate requests from a document, reproducibly."""
    modes = schemathesis.GenerationMode
    operation = schemathesis.openapi.from_path(FOLDER / name)[path][method]

    @given(case=operation.as_strategy(generation_mode=modes.POSITIVE if kind == "good" else modes.NEGATIVE))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        ask(case)

    run()


def differences(check: Callable[[], None], answer: Any) -> list[str]:
    """Return the undocumented behaviour that is not an accepted difference."""
    try:
        check()
    except (BaseExceptionGroup, AssertionError) as error:
        found = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
        findings = [
            (type(item).__name__, f"{answer.status_code} {answer.text[:300]} {' '.join(str(item).split())[:300]}")
            for item in found
        ]
        return [f"{kind}: {text}" for kind, text in findings if not is_allowed(kind, text)]
    return []


def is_allowed(kind: str, text: str) -> bool:
    return any(kind == rule.check and re.search(rule.pattern, text, re.DOTALL) for rule in ALLOWED)


def seed(case: Any, world: World, name: str, path: str) -> None:
    """Insert existing ids for generated ones, and drop undocumented fields."""
    for prefix in sorted(world.ids, key=len, reverse=True):
        if path.startswith(prefix):
            # Keep the resources that other requests need.
            known = "0" * 24 if case.method.lower() == "delete" else world.ids[prefix]
            case.path_parameters = dict.fromkeys(case.path_parameters or {}, known)
            break
    if isinstance(case.body, dict):
        case.body = named_only(case.body, property_names(name))
        if path in {"/assets", "/embed", "/embed/tasks"}:
            seed_form(case.body, world, path)
        elif path.startswith("/embed-v2"):
            case.body = seed_input(case.body, world)


@functools.cache
def property_names(name: str) -> frozenset[str]:
    """Return the names of all properties in a document."""

    def within(node: Any) -> Iterator[str]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        if isinstance(node, dict) and isinstance(node.get("properties"), dict):
            yield from node["properties"]
        for item in inner:
            yield from within(item)

    return frozenset(within(json.loads((FOLDER / name).read_text())))


def named_only(value: Any, names: frozenset[str]) -> Any:
    """Return a value without undocumented fields."""
    if isinstance(value, list):
        return [named_only(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key == "user_metadata" else named_only(item, names) for key, item in value.items() if key in names
    }


def seed_input(body: dict[str, Any], world: World) -> dict[str, Any]:
    """Keep the object of the ``input_type``, and reference existing media in it."""
    kind = body.get("input_type", "text")
    beside = ("input_type", "model_name", "embedding_dimension", "embedding_uncertainty", "auto_truncate")
    given = body.get(kind) if isinstance(body.get(kind), dict) else {}
    fields: dict[str, Any] = dict(given or {})
    if kind in {"text", "text_image"}:
        fields["input_text"] = "a dog"
    if kind == "multi_input":
        for item in fields.get("media_sources") or []:
            for way in ("url", "base64_string"):
                item.pop(way, None)
            item["asset_id"] = world.assets.get(item.get("media_type"), world.assets["image"])
    elif kind != "text":
        fields["media_source"] = {"asset_id": world.assets[kind.removeprefix("text_")]}
    if "start_sec" in fields:
        fields["start_sec"] %= 4
    if "end_sec" in fields:
        fields["end_sec"] = fields.get("start_sec", 0) + 2
    return {key: body[key] for key in beside if key in body} | {kind: fields}


def seed_form(body: dict[str, Any], world: World, path: str) -> None:
    """Send a real file and a real model name."""
    if path == "/assets":
        is_direct = body.get("method") == "direct"
        body.pop("url" if is_direct else "file", None)
        body.update({"file": world.video_file} if is_direct else {"url": world.url})
        return
    body["model_name"] = "marengo3.0"
    for field in ("video_file", "image_file", "audio_file"):
        body.pop(field, None)
    if path == "/embed/tasks":
        body["video_embedding_scope"] = ["clip", "video"]
        body["video_url"] = world.url.replace("picture.jpg", "video.mp4")
        for side, seconds in (("start", 0), ("end", 8)):
            body[f"video_{side}_offset_sec"] = seconds
    else:
        body["text"] = "a dog"


def test_every_endpoint_requires_an_api_key(world: World) -> None:
    for _, path, method in operations():
        address = world.sandbox.base_url + re.sub(r"\{\w+\}", "0" * 24, path)
        assert httpx.request(method, address, trust_env=False).status_code == 401
