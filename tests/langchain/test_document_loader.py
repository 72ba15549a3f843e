"""`TwelveLabsDocumentLoader`: pages, chunks and images as documents for any vector store."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.prompts import format_document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsDocumentLoader,
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
    document_prompt,
    index_kwargs,
)
from tests.langchain.fixtures import call, connected, requests_of, tasks_of
from tests.sandbox.pdf import write_pdf
from tests.vector_stores.stores import CASES, StoreCase
from twelvelabs_core import IngestionError, InputError, Media, SequentialSegmentation, SpatialSegmentation
from twelvelabs_sandbox import Sandbox

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
three_stores = pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in ("InMemory", "Chroma", "Qdrant")], ids=lambda case: case.name
)
CHUNKS = SequentialSegmentation(1)
NOTES = "A red car drives fast. Green grass does not move."


@pytest.fixture
def document_folder(tmp_path: Path, frame: Path) -> Path:
    """A folder with a PDF of two pages, a text of two sentences, and an image."""
    folder = tmp_path / "document_folder"
    folder.mkdir()
    write_pdf(folder / "plan.pdf", [[(20, 150, "purple stripes")], [(20, 40, "blue checkerboard")]])
    (folder / "notes.md").write_text(NOTES, "utf-8")
    (folder / "photo.png").write_bytes(frame.read_bytes())
    return folder


@pytest.fixture
def new(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbeddings:
    return connected(sandbox, tmp_path / "new.sqlite3", model="marengo3.5")


def of_folder(document_folder: Path, embeddings: TwelveLabsEmbeddings, **options: Any) -> TwelveLabsDocumentLoader:
    return TwelveLabsDocumentLoader(
        sorted(document_folder.iterdir()), embeddings=embeddings, **{"segmentation": CHUNKS, **options}
    )


def places(documents: list[Document]) -> dict[tuple[Any, ...], str]:
    names = ("title", "page_start", "page_end", "quadrant", "chunk_index", "embedding_option", "embedding_scope")
    return {
        tuple(document.metadata[name] for name in names): document.page_content.splitlines()[0]
        for document in documents
    }


@both_modes
async def test_folder_of_pdfs_texts_and_images_is_loaded(
    mode: str, document_folder: Path, new: TwelveLabsEmbeddings, sandbox: Sandbox
) -> None:
    documents = await call(mode, of_folder(document_folder, new), "load")
    assert places(documents) == {
        ("plan.pdf", 1, 1, "", -1, "visual", "page"): "plan.pdf | page 1 | visual",
        ("plan.pdf", 2, 2, "", -1, "visual", "page"): "plan.pdf | page 2 | visual",
        ("notes.md", 0, 0, "", 0, "text", "chunk"): "notes.md | chunk 0 | text",
        ("notes.md", 0, 0, "", 1, "text", "chunk"): "notes.md | chunk 1 | text",
        ("photo.png", 0, 0, "", -1, "visual", "asset"): "photo.png | whole | visual asset",
    }
    assert len({document.id for document in documents}) == 5
    for document in documents:
        kinds = {name: type(value) for name, value in document.metadata.items()}
        assert kinds == {
            **dict.fromkeys(
                ("segment_id", "source", "title", "embedding_option", "embedding_scope", "model", "space"), str
            ),
            **dict.fromkeys(("start_sec", "end_sec", "duration_sec"), float),
            **dict.fromkeys(("segment_index", "page_start", "page_end", "chunk_index"), int),
            "quadrant": str,
        }
        assert document.metadata["start_sec"] == document.metadata["end_sec"] == 0.0
        head, *rest = document.page_content.splitlines()
        assert rest == [f"tl-segment:{document.id}"]
        assert format_document(document, document_prompt) == head.replace(" | ", ", ")
    assert tasks_of(sandbox) == 3
    sandbox.clear_requests()
    again = await call(mode, of_folder(document_folder, new), "load")
    assert sorted(document.id for document in again) == sorted(document.id for document in documents)
    assert requests_of(sandbox) == 0


@three_stores
@both_modes
async def test_pages_chunks_and_images_are_found_in_a_store(
    case: StoreCase,
    mode: str,
    *,
    document_folder: Path,
    new: TwelveLabsEmbeddings,
    frame: Path,
    tmp_path: Path,
    sandbox: Sandbox,
) -> None:
    store = case.make(new, tmp_path)
    documents = await call(mode, of_folder(document_folder, new), "load")
    sandbox.clear_requests()
    for _ in range(2):
        await (aadd_segments(store, documents) if mode == "async" else call("sync", _Adder(store), "add", documents))
    assert requests_of(sandbox) == 0  # their vectors are found by reference
    assert case.count(store) == 5
    for query, page, chunk in (("blue checkerboard", 2, -1), ("a red car drives fast", 0, 0)):
        (best,) = await call(mode, store, "similarity_search", query, k=1, **case.search)
        assert (best.metadata["page_start"], best.metadata["chunk_index"]) == (page, chunk)
    vector = new.embed_images([frame])[0]
    (best,) = await call(mode, store, "similarity_search_by_vector", vector, k=1, **case.search)
    assert best.metadata["title"] == "photo.png"


class _Adder:
    def __init__(self, store: Any) -> None:
        self._store = store

    def add(self, documents: list[Document]) -> list[str]:
        return add_segments(self._store, documents)


def test_pages_and_videos_are_found_in_one_store(
    document_folder: Path, video_path: Path, new: TwelveLabsEmbeddings
) -> None:
    store = InMemoryVectorStore(new)
    videos = TwelveLabsVideoLoader(video_path, embeddings=new, embedding_option=["visual"])
    add_segments(store, itertools.chain(of_folder(document_folder, new).lazy_load(), videos.lazy_load()))
    assert store.similarity_search("red stripes moving fast", k=1)[0].metadata["title"] == "scenes.mkv"
    assert store.similarity_search("blue checkerboard", k=1)[0].metadata["page_start"] == 2


def test_index_skips_unchanged_files_and_replaces_changed_ones(
    document_folder: Path, new: TwelveLabsEmbeddings, sandbox: Sandbox
) -> None:
    store, records = InMemoryVectorStore(new), InMemoryRecordManager("document_folder")
    records.create_schema()
    first = index(of_folder(document_folder, new), records, store, **index_kwargs())
    assert first["num_added"] == 5
    sandbox.clear_requests()
    second = index(of_folder(document_folder, new), records, store, **index_kwargs())
    assert (second["num_added"], second["num_skipped"], requests_of(sandbox)) == (0, 5, 0)
    (document_folder / "notes.md").write_text("Everything is yellow now.", "utf-8")
    third = index(of_folder(document_folder, new), records, store, **index_kwargs())
    assert (third["num_added"], third["num_deleted"], third["num_skipped"]) == (1, 2, 3)
    assert tasks_of(sandbox) == 1


def test_each_file_gets_the_segmentation_of_its_kind(document_folder: Path, new: TwelveLabsEmbeddings) -> None:
    both = [SpatialSegmentation("quadrants"), CHUNKS]
    quarters = [document.metadata["quadrant"] for document in of_folder(document_folder, new, segmentation=both).load()]
    assert len(quarters) == 2 * 5 + 2 + 1
    assert {"", "top_left", "bottom_right"} < set(quarters)
    with pytest.raises(InputError, match=r"plan\.pdf: sequential segmentation does not apply to a PDF"):
        TwelveLabsDocumentLoader(document_folder / "plan.pdf", embeddings=new, segmentation=CHUNKS).load()
    with pytest.raises(InputError, match="segmentation does not apply to images"):
        TwelveLabsDocumentLoader(document_folder / "photo.png", embeddings=new, segmentation=CHUNKS)


def test_asset_of_unknown_kind_needs_explicit_options(document_folder: Path, new: TwelveLabsEmbeddings) -> None:
    assets = []
    for name in ("plan.pdf", "photo.png"):
        assets.append(new.client.assets.create(document_folder / name))
        new.client.assets.wait(assets[-1].id)
    plan, photo = (f"asset:{asset.id}" for asset in assets)
    pages = TwelveLabsDocumentLoader(plan, embeddings=new, embedding_option=["visual"]).load()
    assert [page.metadata["page_start"] for page in pages] == [1, 2]
    (picture,) = TwelveLabsDocumentLoader(photo, embeddings=new, input_type="image").load()
    with pytest.raises(InputError, match="cannot determine"):
        TwelveLabsDocumentLoader(plan, embeddings=new).load()
    same = TwelveLabsDocumentLoader(document_folder / "photo.png", embeddings=new).load()
    assert np.allclose(*new.embed_documents([picture.page_content, same[0].page_content]), atol=1e-6)


def test_marengo30_is_refused_before_a_request(document_folder: Path, fresh_embeddings: TwelveLabsEmbeddings,
                                                sandbox: Sandbox) -> None:  # fmt: skip
    with pytest.raises(InputError, match=r"marengo3\.0.*got 'document' \(needs model='marengo3\.5'\)"):
        of_folder(document_folder, fresh_embeddings)
    assert requests_of(sandbox) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_type": "video"}, "input_type must be document or image here, got 'video'"),
        ({"embedding_option": ["audio"]}, "got 'audio'"),
        ({"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 6}}}, "fixed segmentation does not apply to"),
        ({"source": "one"}, "names a single item"),
        ({"timeout": -1}, "timeout"),
        ({"keep_asset": "no"}, "keep_asset must be True or False"),
    ],
)
def test_invalid_options_are_refused_at_construction(
    document_folder: Path, new: TwelveLabsEmbeddings, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        of_folder(document_folder, new, **options)


def test_failed_file_does_not_stop_others(document_folder: Path, new: TwelveLabsEmbeddings, video_path: Path) -> None:
    store = InMemoryVectorStore(new)
    (document_folder / "empty.txt").touch()
    files = [*sorted(document_folder.iterdir()), video_path]
    with pytest.raises(IngestionError) as caught:
        add_segments(store, TwelveLabsDocumentLoader(files, embeddings=new, segmentation=CHUNKS).lazy_load())
    assert sorted(Path(failure.source).name for failure in caught.value.failures) == ["empty.txt", "scenes.mkv"]
    assert len(store.store) == 5


def test_source_namespace_and_keep_asset_are_applied(
    document_folder: Path, new: TwelveLabsEmbeddings, sandbox: Sandbox
) -> None:
    def ids(**options: Any) -> set[str | None]:
        loader = TwelveLabsDocumentLoader(
            Media.of(document_folder / "plan.pdf", source="plan"), embeddings=new, **options
        )
        documents = loader.load()
        assert {document.metadata["source"] for document in documents} == {"plan"}
        return {document.id for document in documents}

    assert not ids(keep_asset=False) & ids(id_namespace="other")
    assert (tasks_of(sandbox), sandbox.count("DELETE", "/assets/{asset_id}")) == (1, 1)


def test_load_and_split_is_refused_for_documents(document_folder: Path, new: TwelveLabsEmbeddings) -> None:
    with pytest.raises(InputError, match="TwelveLabsDocumentLoader already returns one document per segment"):
        of_folder(document_folder, new).load_and_split()
