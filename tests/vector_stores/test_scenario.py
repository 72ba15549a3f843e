"""One scenario on every vector store, sync and async: add, search by text and image, filter by time, repeat."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, index

from langchain_twelvelabs import (
    TwelveLabsDocumentLoader,
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
    index_kwargs,
)
from langchain_twelvelabs.document_loaders import to_document
from tests.adapters import METADATA_TYPES, each_store, slow_async_mode
from tests.langchain.fixtures import FIXED, SCENE_SEC, call, connected, description
from tests.vector_stores.stores import CASES, StoreCase
from twelvelabs_core import SegmentedMedia, Segments, SequentialSegmentation
from twelvelabs_sandbox import Sandbox

pytestmark = each_store(CASES)
both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


async def put(mode: str, store: Any, documents: list[Document]) -> list[str]:
    return await aadd_segments(store, documents) if mode == "async" else add_segments(store, documents)


@both_modes
async def test_moments_are_found_by_text_image_and_time(
    case: StoreCase,
    mode: str,
    *,
    shared_embeddings: TwelveLabsEmbeddings,
    documents: list[Document],
    frame: Path,
    tmp_path: Path,
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    ids = await put(mode, store, documents)
    assert ids == [document.id for document in documents]
    assert case.count(store) == len(documents)

    for scene in range(3):
        (best,) = await call(mode, store, "similarity_search", description(scene), k=1, **case.search)
        assert best.metadata["start_sec"] == scene * SCENE_SEC

    vector = shared_embeddings.embed_images([frame])[0]
    (best,) = await call(mode, store, "similarity_search_by_vector", vector, k=1, **case.search)
    assert (best.metadata["start_sec"], best.metadata["embedding_option"]) == (2 * SCENE_SEC, "visual")

    late = await call(mode, store, "similarity_search", description(0), k=3, **case.search, **case.not_before(12.0))
    assert len(late) == 3
    assert min(document.metadata["start_sec"] for document in late) == 12.0


@slow_async_mode
async def test_text_and_metadata_are_returned_unchanged(
    case: StoreCase, mode: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    for document in documents:  # as `metadata=` of a loader adds it
        document.metadata |= {"team": "red", "weight": 0.5, "year": 2026, "is_final": True}
    await put(mode, store, documents)
    found = await call(mode, store, "similarity_search", description(0), k=len(documents), **case.search)
    by_id = {document.metadata["segment_id"]: document for document in found}
    for document in documents:
        back = by_id[document.id]
        assert back.page_content == document.page_content
        assert set(back.metadata) - set(document.metadata) == case.extra_keys
        for key, value in document.metadata.items():
            assert back.metadata[key] == value
            assert type(back.metadata[key]) is type(value)


@slow_async_mode
async def test_repeated_add_replaces_only_the_given_documents(
    case: StoreCase, mode: str, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    await put(mode, store, documents[:5])
    await put(mode, store, [*documents, *documents])
    assert case.count(store) == len(documents)

    changed = documents[0].model_copy(deep=True)
    head, reference = changed.page_content.split("\n")
    changed.page_content = f"{head}\nadded by a user\n{reference}"
    await put(mode, store, [changed])
    await put(mode, store, [])
    assert case.count(store) == len(documents)
    (found,) = await call(mode, store, "similarity_search", changed.page_content, k=1, **case.search)
    assert found.page_content == changed.page_content


@slow_async_mode
async def test_vectors_of_any_length_rank_by_cosine(
    case: StoreCase, mode: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path, tmp_path: Path
) -> None:
    documents, vectors = longer_and_shorter(shared_embeddings, video_path)
    store = case.make(shared_embeddings, tmp_path)
    await put(mode, store, documents)
    query = np.array(shared_embeddings.embed_query(description(1)))
    products = vectors @ query
    cosines = dict(zip(documents_ids(documents), products / np.linalg.norm(vectors, axis=1), strict=True))
    best = sorted(cosines.values(), reverse=True)[:4]
    assert cosines[documents_ids(documents)[int(products.argmax())]] < best[0]  # the ranking depends on the lengths
    found = await call(mode, store, "similarity_search", description(1), k=4, **case.search)
    assert [cosines[document.metadata["segment_id"]] for document in found] == pytest.approx(best, abs=1e-5)


def documents_ids(documents: list[Document]) -> list[str]:
    return [str(document.id) for document in documents]


def longer_and_shorter(embeddings: TwelveLabsEmbeddings, video_path: Path) -> tuple[list[Document], Any]:
    """Return documents of the video whose stored vectors have lengths from 0.2 to 5."""
    client = embeddings.client
    segments = client.segment_video(video_path, segmentation=FIXED, embedding_scope=["clip"]).segments
    lengths = np.linspace(0.2, 5.0, len(segments), dtype=np.float32)
    scaled = Segments(segments.vectors * lengths[:, None], segments.positions)
    names = {"space": client.space, "content": "scaled", "model": client.model, "source": "scaled.mkv"}
    client.store.put_intent("scaled", params={}, account="none", replacing=None, **names)
    client.store.put_result("scaled", scaled, duration_sec=24.0)
    media = SegmentedMedia(
        title="scaled.mkv", duration_sec=24.0, segments=scaled, task_id=None, reused=False, attempts=1,
        task_key="scaled", options={"embedding_option": ["audio", "transcription", "visual"]}, **names,
    )  # fmt: skip
    return [to_document(record) for record in client.register(media)], scaled.vectors


async def test_plain_repeated_add_behaves_as_documented(
    case: StoreCase, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    store.add_documents(documents)
    count = len(documents)
    if case.bare_repeat == "corrupts":
        with pytest.raises(ValueError, match="already exist"):
            store.add_documents(documents)
        assert case.count(store) == 2 * count
        assert len(store.docstore._dict) == count  # type: ignore[attr-defined]  # FAISS only
    else:
        store.add_documents(documents)
        assert case.count(store) == (count if case.bare_repeat == "safe" else 2 * count)


async def test_missing_vector_keeps_the_old_documents(
    case: StoreCase, shared_embeddings: TwelveLabsEmbeddings, documents: list[Document], tmp_path: Path
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    add_segments(store, documents)
    lost = documents[1].page_content.replace(str(documents[1].id)[:8], "00000000")
    broken = documents[1].model_copy(update={"page_content": lost})
    with pytest.raises(KeyError, match="not in the segment store"):
        add_segments(store, [documents[0], broken])
    assert case.count(store) == len(documents)
    (found,) = store.similarity_search(documents[0].page_content, k=1, **case.search)
    assert found.page_content == documents[0].page_content


def test_index_keeps_the_store_up_to_date(
    case: StoreCase, shared_embeddings: TwelveLabsEmbeddings, video_path: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    store = case.make(shared_embeddings, tmp_path)
    records = InMemoryRecordManager("videos")
    records.create_schema()
    options: dict[str, Any] = {"embeddings": shared_embeddings, "segmentation": FIXED, "source": "scenes.mkv"}
    whole = TwelveLabsVideoLoader(video_path, end_sec=24.0, **options)
    count = len(whole.load())
    sandbox.clear_requests()
    for expected in ({"num_added": count, "num_skipped": 0}, {"num_added": 0, "num_skipped": count}):
        done = index(whole, records, store, **index_kwargs())
        assert done == {**expected, "num_updated": 0, "num_deleted": 0}
        assert case.count(store) == count
    assert sandbox.count() == 0

    half = TwelveLabsVideoLoader(video_path, end_sec=12.0, **options)
    kept = len(half.load())
    done = index(half, records, store, **index_kwargs())
    assert done == {"num_added": 0, "num_updated": 0, "num_skipped": kept, "num_deleted": count - kept}
    assert case.count(store) == kept


def test_videos_and_documents_are_kept_in_one_collection(
    case: StoreCase, video_path: Path, frame: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A store that derives its schema from the first document has all keys of the later ones."""
    (tmp_path / "notes.md").write_text("A red car drives fast. Green grass does not move.", "utf-8")
    embeddings = connected(sandbox, tmp_path / "new.sqlite3", model="marengo3.5")
    videos = TwelveLabsVideoLoader(video_path, embeddings=embeddings, embedding_option=["visual"]).load()
    others = TwelveLabsDocumentLoader(
        [tmp_path / "notes.md", frame], embeddings=embeddings, segmentation=SequentialSegmentation(1)
    ).load()
    store = case.make(embeddings, tmp_path)
    add_segments(store, videos)
    add_segments(store, others)
    found = {
        one.metadata["segment_id"]: {name: one.metadata[name] for name in METADATA_TYPES}
        for one in store.similarity_search("a red car", k=100, **case.search)
    }
    assert found == {one.metadata["segment_id"]: one.metadata for one in [*videos, *others]}
    assert sorted(metadata["chunk_index"] for metadata in found.values() if not metadata["end_sec"]) == [-1, 0, 1]
