"""Documents with marengo3.5: pages and quadrants, chunks of sentences, whole files, synchronous and in tasks."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.sandbox.api import connect, encoded, upload
from tests.sandbox.api_marengo35 import body35, cosine, multi, source, task35, vector
from tests.sandbox.pdf import write_pdf
from twelvelabs_sandbox import Sandbox

PLACES = ("top_left", "top_right", "bottom_left", "bottom_right")
TEXT = "# The match\n\nThe keeper dives. The audience roars! Is it over?\n\n- red card\n- corner kick\n"
CHUNKS = ["# The match The keeper dives.", "The audience roars! Is it over?", "- red card - corner kick"]


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pages: text in all quadrants, text in the middle of the left side, no text."""
    pages = [
        [(20, 150, "goalkeeper"), (120, 150, "penalty"), (20, 50, "stadium"), (120, 50, "referee")],
        [(20, 120, "trumpet concert")],
        [],
    ]
    return write_pdf(tmp_path_factory.mktemp("pdf") / "report.pdf", pages)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notes") / "notes.md"
    path.write_text(TEXT)
    return path


def places(task: dict[str, Any]) -> list[tuple[Any, ...]]:
    assert task["status"] == "ready", task
    names = ("embedding_option", "embedding_scope", "start_page_number", "end_page_number", "quadrant", "chunk_index")
    return [tuple(row[name] for name in names) for row in task["data"]]


def test_pdf_has_one_vector_per_page(api: httpx.Client, pdf: Path) -> None:
    task = task35(api, "document", media_source=encoded(pdf), embedding_dimension=256)
    assert places(task) == [("visual", "page", page, page, None, None) for page in (1, 2, 3)]
    assert all((row["start_sec"], row["end_sec"], len(row["embedding"])) == (None, None, 256) for row in task["data"])
    assert task["metadata"] == {
        "input_type": "document",
        "embedding_scopes": ["local"],
        "embedding_options": ["visual"],
        "embedding_dimension": 256,
    }
    words = vector(multi(api, "trumpet", embedding_dimension=256))
    fits = [cosine(words, row["embedding"]) for row in task["data"]]
    assert fits[1] == max(fits) > 0.5


def test_quadrants_of_pages_differ(api: httpx.Client, pdf: Path) -> None:
    segmentation = {"spatial": {"strategy": "quadrants"}}
    task = task35(api, "document", media_source={"asset_id": upload(api, pdf)}, segmentation=segmentation)
    assert places(task) == [
        ("visual", "page", page, page, quadrant, None) for page in (1, 2, 3) for quadrant in (None, *PLACES)
    ]
    first = {row["quadrant"]: row["embedding"] for row in task["data"][1:5]}
    for word, quadrant in zip(("goalkeeper", "penalty", "stadium", "referee"), PLACES, strict=True):
        asked = vector(multi(api, word))
        assert max(PLACES, key=lambda place: cosine(asked, first[place])) == quadrant
    standard = task35(api, "document", media_source=encoded(pdf), segmentation={"spatial": {"strategy": "standard"}})
    assert len(standard["data"]) == 3
    tokens = [found["usage"]["input_tokens"]["document"] for found in (standard, task)]
    assert tokens[1] == 5 * tokens[0]
    assert task["metadata"]["input_filename"] == "report.pdf"


def test_a_whole_pdf_has_a_visual_and_a_text_vector(api: httpx.Client, pdf: Path) -> None:
    task = task35(
        api, "document", media_source=encoded(pdf), embedding_option=["visual", "text"], embedding_scope=["asset"]
    )
    assert places(task) == [(option, "asset", None, None, None, None) for option in ("visual", "text")]
    words = "goalkeeper penalty stadium referee trumpet concert"
    np.testing.assert_array_equal(task["data"][1]["embedding"], vector(multi(api, words)))
    at_once = vector(multi(api, None, source("document", pdf)))
    np.testing.assert_array_equal(task["data"][0]["embedding"], at_once)


def test_a_text_is_one_vector_and_chunks_of_sentences(api: httpx.Client, notes: Path) -> None:
    usual = task35(api, "document", media_source=encoded(notes))
    assert places(usual) == [("text", "asset", None, None, None, None)]
    assert usual["metadata"]["embedding_scopes"] == ["asset"]
    np.testing.assert_array_equal(usual["data"][0]["embedding"], vector(multi(api, TEXT)))
    task = task35(
        api,
        "document",
        media_source=encoded(notes),
        embedding_scope=["local", "asset"],
        segmentation={"sequential": {"strategy": "sentence", "max_sentences": 2}},
    )
    assert places(task) == [
        *(("text", "chunk", None, None, None, index) for index in range(3)),
        ("text", "asset", None, None, None, None),
    ]
    for row, text in zip(task["data"], CHUNKS, strict=False):
        np.testing.assert_array_equal(row["embedding"], vector(multi(api, text)))
    listed = next(item for item in api.get("/embed-v2/tasks").json()["data"] if item["_id"] == task["_id"])
    assert listed["document_embedding"]["metadata"] == {
        "document_embedding_scope": ["local", "asset"],
        "document_embedding_option": ["text"],
    }


@pytest.mark.parametrize(("most", "overlap", "count"), [(6, 0, 1), (5, 0, 2), (2, 1, 5), (3, 2, 4), (1, 0, 6)])
def test_chunks_overlap_and_cover_all_sentences(
    api: httpx.Client, notes: Path, most: int, overlap: int, count: int
) -> None:
    segmentation = {"sequential": {"strategy": "sentence", "max_sentences": most, "overlap_sentences": overlap}}
    task = task35(
        api,
        "document",
        media_source=encoded(notes),
        embedding_scope=["local"],
        segmentation=segmentation,
        embedding_uncertainty=True,
    )
    assert [row["chunk_index"] for row in task["data"]] == list(range(count))
    assert all(len(row["embedding_uncertainty"]) == 512 for row in task["data"])


def test_a_long_chunk_fails_its_task_and_a_long_file_is_truncated(api: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(". ".join(" ".join(f"word{line}x{number}" for number in range(500)) for line in range(5)))
    fields: dict[str, Any] = {"media_source": encoded(path), "embedding_scope": ["local"]}
    for most, status in ((3, "ready"), (5, "failed")):
        sequential = {"strategy": "sentence", "max_sentences": most}
        task = task35(api, "document", **fields, segmentation={"sequential": sequential})
        assert task["status"] == status
    assert task["error"] == {"message": "Content exceeds the model's context window."}
    whole = task35(api, "document", media_source=encoded(path))
    assert whole["usage"] == {
        "input_tokens": {"document": 2000},
        "truncated": True,
        "truncation_reason": "model_context_window",
    }
    request = body35("multi_input", media_sources=[source("document", path)])
    assert "at most 2000 tokens" in api.post("/embed-v2", json=request).json()["message"]
    assert multi(api, None, source("document", path), auto_truncate=True)["usage"]["truncated"] is True


def test_the_page_limit_depends_on_the_file_size(api: httpx.Client, tmp_path: Path) -> None:
    pages = [[(20, 100, f"page {number}")] for number in range(65)]
    few, many, most = (write_pdf(tmp_path / f"{count}.pdf", pages[:count]) for count in (16, 17, 65))
    assert len(multi(api, None, source("document", few))["data"]) == 1
    answer = api.post("/embed-v2", json=body35("multi_input", media_sources=[source("document", many)]))
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "Document (17 pages) exceeds maximum limit of 16 pages"
    assert len(task35(api, "document", media_source=encoded(many))["data"]) == 17
    failed = task35(api, "document", media_source=encoded(most))
    assert failed["error"] == {"message": "Document (65 pages) exceeds maximum limit of 64 pages"}
    quarters = {"spatial": {"strategy": "quadrants"}}
    failed = task35(api, "document", media_source=encoded(many), segmentation=quarters)
    assert failed["error"] == {"message": "Document (85 pages) exceeds maximum limit of 64 pages"}


def test_a_broken_pdf_fails_its_task(api: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.4\nnothing of a document")
    task = task35(api, "document", media_source=encoded(path))
    assert task["status"] == "failed"
    assert task["error"]["message"].startswith("We could not process your media for embedding.")
    answer = api.post("/embed-v2", json=body35("multi_input", media_sources=[source("document", path)]))
    assert answer.status_code == 400


def test_a_document_without_text_is_refused_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    blank, empty = write_pdf(tmp_path / "blank.pdf", [[]]), tmp_path / "empty.txt"
    empty.write_text(" \n")
    text = {"embedding_option": ["text"], "embedding_scope": ["asset"]}
    with Sandbox() as sandbox, connect(sandbox) as api:
        for path in (blank, empty):
            task = task35(api, "document", media_source=encoded(path), **text)
            assert task["status"] == "failed"
            assert "empty" in task["error"]["message"]
        answer = api.post("/embed-v2", json=body35("multi_input", media_sources=[source("document", empty)]))
        assert answer.status_code == 400
        (folder,) = tmp_path.glob("twelvelabs-sandbox-*")
        assert list(folder.iterdir()) == []
