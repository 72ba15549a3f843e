"""Requests that marengo3.5 refuses, before or after its media are loaded."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.api_marengo35 import body35, source
from tests.sandbox.pdf import write_pdf

ASSET = {"asset_id": "6298d673f1090f1100476d4c"}
VIDEO = {"media_source": ASSET}
IMAGE, VIDEO_SOURCE = {"media_type": "image", **ASSET}, {"media_type": "video", **ASSET}
TEXTS = [{"start": 0, "end": 1, "text": "goal"}]
INVALID, UNKNOWN, MISSING = "parameter_invalid", "parameter_unknown", "parameter_not_provided"
FUSED = ["fused_embedding"]


def fixed(seconds: object) -> dict[str, Any]:
    return {"strategy": "fixed", "fixed": {"duration_sec": seconds}}


def sentences(**fields: Any) -> dict[str, Any]:
    return {"sequential": {"strategy": "sentence", "max_sentences": 3, **fields}}


SYNC: list[tuple[dict[str, Any], str, str]] = [
    (body35("text", input_text="dog"), INVALID, "`text` requires marengo3.0"),
    (body35("video", media_source=ASSET), INVALID, "`video` requires marengo3.0"),
    (body35("document", media_source=ASSET), UNKNOWN, "document"),
    (body35("multi_input"), INVALID, "input_text, media_sources or both"),
    (body35("multi_input", input_text=""), INVALID, "must not be empty"),
    (body35("multi_input", media_sources=[]), INVALID, "1 to 10 items, not 0"),
    (body35("multi_input", media_sources=[IMAGE] * 11), INVALID, "1 to 10 items, not 11"),
    (body35("multi_input", media_sources=[{**IMAGE, "media_type": "text"}]), INVALID, "not 'text'"),
    (body35("multi_input", media_sources=[IMAGE, VIDEO_SOURCE]), INVALID, "different types (image, video)"),
    (body35("multi_input", input_text="a <@dog>"), INVALID, "<@dog>"),
    (body35("multi_input", media_sources=[{**IMAGE, "name": "a"}] * 2), INVALID, "'a' is given to several"),
    (body35("multi_input", input_text="dog", embedding_dimension=300), INVALID, "128, 256, 512, not 300"),
    (body35("multi_input", input_text="dog", embedding_dimension=1024), INVALID, "not 1024"),
    (body35("multi_input", input_text="dog", embedding_uncertainty="yes"), INVALID, "true or false"),
    (body35("multi_input", input_text="dog", auto_truncate=1), INVALID, "true or false, not 1"),
    (body35("multi_input", input_text="a", media_sources=[IMAGE], embedding_uncertainty=True), INVALID, "not both"),
    (
        body35("multi_input", media_sources=[{**IMAGE, "media_type": "document"}], embedding_uncertainty=True),
        INVALID,
        "cannot be used with a document",
    ),
    (body35("multi_input", media_sources=[IMAGE]), "resource_not_exist", "does not exist in assets"),
]
TASKS: list[tuple[dict[str, Any], str, str]] = [
    (body35("text", input_text="dog"), UNKNOWN, "text"),
    (body35("video", **VIDEO, auto_truncate=True), UNKNOWN, "auto_truncate"),
    (body35("video", **VIDEO, segmentation=fixed(6)), INVALID, "put it into video.segmentation.temporal"),
    (body35("video", **VIDEO, segmentation={}), MISSING, "video.segmentation.temporal"),
    (body35("video", **VIDEO, segmentation={"temporal": fixed(11)}), INVALID, "from 2 to 10, not 11"),
    (body35("video", **VIDEO, embedding_option=["transcription"]), INVALID, "requires marengo3.0"),
    (body35("audio", **VIDEO, embedding_option=["visual"]), INVALID, "not ['visual']"),
    (body35("video", **VIDEO, embedding_type=FUSED), INVALID, "need each other"),
    (body35("video", **VIDEO, time_based_metadata=TEXTS), INVALID, "need each other"),
    (body35("video", **VIDEO, embedding_type=FUSED, time_based_metadata=[]), INVALID, "not 0"),
    (
        body35("video", **VIDEO, embedding_type=FUSED, time_based_metadata=[{"start": 2, "end": 1, "text": "x"}]),
        INVALID,
        "1 < 2",
    ),
    (body35("video", **VIDEO, embedding_type=FUSED, time_based_metadata=[{"start": 2, "end": 3}]), MISSING, "[0].text"),
    (body35("video", **VIDEO, embedding_uncertainty=True), INVALID, "must not include `asset`"),
    (body35("video", **VIDEO, embedding_uncertainty=True, embedding_scope=["asset"]), INVALID, "must not include"),
    (body35("image", **VIDEO, embedding_option=["text"]), INVALID, "not ['text']"),
    (body35("image", **VIDEO, embedding_scope=["local"]), INVALID, "not ['local']"),
    (body35("image", **VIDEO, embedding_type=FUSED), INVALID, "fused_embedding"),
    (body35("image", **VIDEO, segmentation={}), UNKNOWN, "image.segmentation"),
    (body35("document", **VIDEO, embedding_type=FUSED), INVALID, "fused_embedding"),
    (body35("document", **VIDEO, segmentation={}), INVALID, "document.segmentation.spatial or"),
    (body35("document", **VIDEO, segmentation=sentences(max_sentences=0)), INVALID, "not 0"),
    (body35("document", **VIDEO, segmentation=sentences(overlap_sentences=3)), INVALID, "from 0 to 2, not 3"),
    (body35("document", **VIDEO, segmentation={"sequential": {"strategy": "sentence"}}), MISSING, "max_sentences"),
    (body35("document", **VIDEO, segmentation={"spatial": {"strategy": "thirds"}}), INVALID, "not 'thirds'"),
]


def refused(answer: httpx.Response, code: str, expected: str) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == code
    assert expected in answer.json()["message"]


@pytest.mark.parametrize("case", SYNC)
def test_embed_refuses_invalid_requests(api: httpx.Client, case: tuple[dict[str, Any], str, str]) -> None:
    request, code, expected = case
    refused(api.post("/embed-v2", json=request), code, expected)


@pytest.mark.parametrize("case", TASKS)
def test_tasks_refuse_invalid_requests(api: httpx.Client, case: tuple[dict[str, Any], str, str]) -> None:
    request, code, expected = case
    refused(api.post("/embed-v2/tasks", json=request), code, expected)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "notes.txt").write_text("The keeper dives.")
    return {"txt": folder / "notes.txt", "pdf": write_pdf(folder / "report.pdf", [[(20, 100, "goal")]])}


@pytest.mark.parametrize(
    ("kinds", "text", "expected"),
    [
        (["pdf"], "a report", "must be the only media source"),
        (["pdf", "pdf"], None, "must be the only media source"),
        (["pdf", "txt"], None, "must be the only media source"),
        (["txt"], "a report", "All of the content is text"),
        (["txt", "txt"], None, "All of the content is text"),
    ],
)
def test_invalid_document_combinations_are_refused(
    api: httpx.Client, documents: dict[str, Path], kinds: list[str], text: str | None, expected: str
) -> None:
    fields: dict[str, Any] = {"media_sources": [source("document", documents[kind]) for kind in kinds]}
    if text is not None:
        fields["input_text"] = text
    refused(api.post("/embed-v2", json=body35("multi_input", **fields)), INVALID, expected)


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("pdf", {"embedding_option": ["text"]}, "`text` with embedding_scope `local`"),
        ("pdf", {"embedding_option": ["visual", "text"], "embedding_scope": ["local", "asset"]}, "`text`"),
        ("pdf", {"segmentation": sentences()}, "needs a text file"),
        ("pdf", {"segmentation": {"spatial": {}}, "embedding_scope": ["asset"]}, "spatial parameter needs"),
        ("pdf", {"embedding_uncertainty": True}, "embedding_uncertainty"),
        ("txt", {"embedding_option": ["visual"]}, "`visual`"),
        ("txt", {"embedding_scope": ["local"]}, "needs document.segmentation.sequential"),
        ("txt", {"segmentation": sentences()}, "scope `local`"),
        ("txt", {"segmentation": {"spatial": {"strategy": "standard"}}}, "needs a PDF file"),
        ("txt", {"embedding_uncertainty": True}, "[`local`] only"),
        (
            "txt",
            {"embedding_uncertainty": True, "embedding_scope": ["local", "asset"], "segmentation": sentences()},
            "[`local`] only",
        ),
    ],
)
def test_unsupported_document_options_are_refused(
    api: httpx.Client, documents: dict[str, Path], kind: str, fields: dict[str, Any], expected: str
) -> None:
    media = source("document", documents[kind])
    del media["media_type"]
    refused(api.post("/embed-v2/tasks", json=body35("document", media_source=media, **fields)), INVALID, expected)


@pytest.mark.parametrize("kind", ["video", "audio", "image", "document"])
def test_media_must_have_the_declared_type(
    api: httpx.Client, picture: Path, sound: Path, video_file: Path, kind: str
) -> None:
    for path, good in ((picture, "image"), (sound, "audio"), (video_file, "video")):
        answer = api.post("/embed-v2", json=body35("multi_input", media_sources=[source(kind, path)]))
        assert answer.status_code == (200 if kind == good else 400)
