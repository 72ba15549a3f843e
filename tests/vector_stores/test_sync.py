"""`sync_videos` on every LangChain vector store: it holds what the folder holds, and only new contents are paid."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
    async_videos,
    delete_segments,
    index_segments,
    list_sources,
    segment_filter,
    sync_videos,
)
from tests.adapters import each_store, slow_async_mode
from tests.langchain.fixtures import connected, tasks_of
from tests.sync_folder import COUNTS, OPTIONS, STEPS, look, videos_of
from tests.sync_process import Held, Place, check_kills
from tests.vector_stores.stores import CASES, StoreCase
from twelvelabs_core import ConfigurationError, SyncReport
from twelvelabs_sandbox import Sandbox


async def synced(mode: str, store: Any, sources: Any, embeddings: TwelveLabsEmbeddings, **options: Any) -> SyncReport:
    options = {"embeddings": embeddings, **OPTIONS, **options}
    if mode == "async":
        return await async_videos(store, sources, **options)
    return sync_videos(store, sources, **options)


def ids_in(store: Any, case: StoreCase) -> set[str]:
    """Return the segment ids in a store; each is in it once."""
    found = store.similarity_search_by_vector([512**-0.5] * 512, k=1000, **case.search)
    assert len(found) == case.count(store)
    return {str(document.metadata["segment_id"]) for document in found}


def ids_of(embeddings: TwelveLabsEmbeddings, folder: Path) -> set[str]:
    """Return the segment ids of the videos of a folder, as in a new store; those of a damaged one are missing."""
    fresh = InMemoryVectorStore(embeddings)
    loader = TwelveLabsVideoLoader(videos_of(folder), embeddings=embeddings, on_error="skip", **OPTIONS)
    return set(add_segments(fresh, loader.lazy_load()))


@slow_async_mode
@each_store(CASES, fast=["FAISS"])
async def test_a_store_holds_exactly_what_the_folder_holds(
    case: StoreCase, mode: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    embeddings = connected(sandbox, tmp_path / "segments.sqlite3")
    store, folder = case.make(embeddings, tmp_path), tmp_path / "videos"
    videos, damaged = 0, set[str]()
    for step, new_contents, counted in STEPS:
        before = ids_in(store, case) if videos else set()
        step(folder)
        sandbox.clear_requests()
        planned = await synced(mode, store, folder, embeddings, dry_run=True)
        assert (ids_in(store, case) if videos else set()) == before
        assert sandbox.count() == 0
        report = await synced(mode, store, folder, embeddings)
        assert tasks_of(sandbox) == new_contents
        assert outcome(planned) == outcome(report)
        videos = COUNTS[[one for one, *_ in STEPS].index(step)]
        assert {name: len(getattr(report, name)) for name in outcome(report)} == {
            **dict.fromkeys(outcome(report), 0),
            "unchanged": videos - sum(counted.get(name, 0) for name in ("added", "changed", "renamed", "failures")),
            **counted,
        }
        expected = ids_of(embeddings, folder)
        damaged = before - expected if report.failures else set()
        assert ids_in(store, case) == expected | damaged
        assert len(damaged) == 4 * len(report.failures)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_documents_with_fewer_keys_do_not_end_the_use_of_a_lancedb_table(
    mode: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    embeddings = connected(sandbox, tmp_path / "segments.sqlite3")
    (case,) = (case for case in CASES if case.name == "LanceDB")
    store, folder = case.make(embeddings, tmp_path), tmp_path / "videos"
    folder.mkdir()
    for number in range(2):
        (folder / f"v{number}.mkv").write_bytes(look(number))
    assert len((await synced(mode, store, folder, embeddings)).added) == 2
    store.add_documents([Document("a note", metadata={"title": "notes"})])
    assert list_sources(store) == [str(folder / f"v{number}.mkv") for number in range(2)]
    assert len((await synced(mode, store, folder, embeddings)).unchanged) == 2
    assert delete_segments(store, source="v0.mkv") == 4
    loader = TwelveLabsVideoLoader(folder / "v0.mkv", embeddings=embeddings, **OPTIONS)
    assert len(add_segments(store, loader.lazy_load())) == 4
    assert case.count(store) == 9
    store.get_table().optimize()  # as the documentation says
    assert len(store.similarity_search("red", k=9, **segment_filter(store, start_sec=4))) == 4


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_lancedb_table_without_the_keys_of_segments_is_refused_before_anything_is_paid_for(
    mode: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    embeddings = connected(sandbox, tmp_path / "segments.sqlite3")
    (case,) = (case for case in CASES if case.name == "LanceDB")
    store = case.make(embeddings, tmp_path)
    store.add_documents([Document("a note", metadata={"source": "notes.txt"})])
    (tmp_path / "v0.mkv").write_bytes(look(0))
    loader = TwelveLabsVideoLoader(tmp_path / "v0.mkv", embeddings=embeddings)
    message = "'moments' has documents without the metadata key segment_id"
    with pytest.raises(ConfigurationError, match=message):
        await synced(mode, store, tmp_path, embeddings)
    with pytest.raises(ConfigurationError, match=message):
        await aadd_segments(store, loader.alazy_load()) if mode == "async" else add_segments(store, loader.lazy_load())
    with pytest.raises(ConfigurationError, match=message):
        index_segments(loader, InMemoryRecordManager("notes"), store)
    assert tasks_of(sandbox) == 0
    assert case.count(store) == 1


def outcome(report: SyncReport) -> dict[str, Any]:
    names = ("added", "changed", "renamed", "removed", "unchanged")
    found = {name: sorted(getattr(report, name)) for name in names}
    return {**found, "failures": sorted(failure.source for failure in report.failures)}


@pytest.mark.slow
@pytest.mark.timeout(600)  # some thirty processes
@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_a_run_that_is_killed_is_completed_by_the_next_one(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    place = Place(("tests.vector_stores.killed", "opened"), name, tmp_path, sandbox.base_url, sandbox.api_key)
    with_own_store = connected(sandbox, ":memory:")

    def expected(folder: Path) -> Held:
        found: Held = {}
        loader = TwelveLabsVideoLoader(videos_of(folder), embeddings=with_own_store, on_error="skip", **OPTIONS)
        for document in loader.lazy_load():
            found.setdefault(document.metadata["source"], []).append(document.metadata["segment_id"])
        return found

    check_kills(place, sandbox, expected, kills=2, each_write=name not in ("InMemory", "FAISS"))
