"""`sync_videos`: what it refuses, what it leaves alone, and names, titles, options and budgets that change."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    add_segments,
    async_videos,
    index_kwargs,
    list_sources,
    sync_videos,
)
from tests.core.video_server import VideoServer
from tests.langchain.fixtures import connected, tasks_of
from tests.sync_folder import OPTIONS, damage, delete, fill, look, videos_of
from twelvelabs_core import IngestionError, InputError, SyncReport
from twelvelabs_sandbox import Sandbox


@pytest.fixture(scope="module")
def paid(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment store with the videos of the folder."""
    place = tmp_path_factory.mktemp("paid")
    fill(place / "videos")
    embeddings = connected(sandbox_server, place / "segments.sqlite3")
    list(TwelveLabsVideoLoader(videos_of(place / "videos"), embeddings=embeddings, **OPTIONS).lazy_load())
    return place / "segments.sqlite3"


@pytest.fixture
def embeddings(sandbox: Sandbox, paid: Path) -> TwelveLabsEmbeddings:
    return connected(sandbox, paid)


@pytest.fixture
def store(embeddings: TwelveLabsEmbeddings) -> InMemoryVectorStore:
    return InMemoryVectorStore(embeddings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "videos")
    return tmp_path / "videos"


def sync(store: InMemoryVectorStore, sources: Any, **options: Any) -> SyncReport:
    return sync_videos(store, sources, **{"embeddings": store.embeddings, **OPTIONS, **options})


def counts(report: SyncReport) -> tuple[int, ...]:
    names = ("added", "changed", "renamed", "removed", "unchanged", "failures")
    return tuple(len(getattr(report, name)) for name in names)


def test_removal_of_all_videos_is_refused(store: InMemoryVectorStore, folder: Path) -> None:
    assert counts(sync(store, folder)) == (6, 0, 0, 0, 0, 0)
    before = dict(store.store)
    kept = folder.with_name("kept")
    folder.rename(kept)
    with pytest.raises(InputError, match="videos: no such file or folder"):
        sync(store, folder)
    folder.mkdir()
    with pytest.raises(InputError, match=r"remove 6 of the 6 videos .* all of them: /.*, \.\.\.\. .*allow_empty=True"):
        sync(store, folder)
    with pytest.raises(InputError, match="all of them"):
        asyncio.run(async_videos(store, folder, embeddings=store.embeddings, **OPTIONS))  # type: ignore[arg-type]
    assert store.store == before
    planned = sync(store, folder, dry_run=True)
    assert (counts(planned), store.store) == ((0, 0, 0, 6, 0, 0), before)
    assert planned.refused.startswith("this would remove 6 of the 6 videos")
    assert str(planned).endswith(f"; the run would be refused: {planned.refused}")
    assert sync(store, folder, dry_run=True, allow_empty=True).refused == ""
    with pytest.raises(InputError, match=r"more than max_removed_share=0\.5: "):
        sync(store, folder, allow_empty=True, max_removed_share=0.5)
    assert counts(sync(store, folder, allow_empty=True)) == (0, 0, 0, 6, 0, 0)
    assert not store.store


def test_a_share_lowers_what_may_be_removed(store: InMemoryVectorStore, folder: Path) -> None:
    sync(store, folder)
    for name in ("v0.mkv", "v1.mkv"):
        (folder / name).unlink()
    (folder / "v2.mkv").rename(folder / "moved.mkv")  # a video with another name is not removed
    with pytest.raises(InputError, match="remove 2 of the 6 videos"):
        sync(store, folder, max_removed_share=0.3)
    assert counts(sync(store, folder, max_removed_share=0.34)) == (0, 0, 1, 2, 3, 0)
    for wrong in (-0.1, 1.1, True, "0.5", float("nan")):
        with pytest.raises(InputError, match="max_removed_share must be a number from 0 to 1"):
            sync(store, folder, max_removed_share=wrong)


def test_only_what_is_below_the_folder_is_removed(store: InMemoryVectorStore, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "videos-2"
    fill(other)
    store.add_documents([Document("minutes of a meeting", metadata={"source": str(folder / "minutes.txt")})])
    sync(store, other)
    sync(store, folder)
    for place in (folder, other):
        delete(place)
    assert sync(store, folder / "**" / "*.mkv").removed == (str(folder / "v3.mkv"),)
    assert str(other / "v3.mkv") in list_sources(store)
    # The pattern matches one video; the others exist.
    assert counts(sync(store, folder / "v0.*")) == (0, 0, 0, 0, 1, 0)
    assert len(list_sources(store)) == 11
    assert len(store.similarity_search_by_vector([1.0] * 512, k=100)) == 11 * 4 + 1


def test_a_file_that_is_there_again_during_the_run_is_not_removed(store: InMemoryVectorStore, folder: Path) -> None:
    sync(store, folder)
    video = folder / "v0.mkv"
    data = video.read_bytes()
    video.unlink()
    assert counts(sync(store, folder, on_progress=lambda _: video.write_bytes(data))) == (0, 0, 0, 0, 5, 0)
    assert len(list_sources(store)) == 6


def test_an_iterable_removes_what_has_its_prefix(store: InMemoryVectorStore, folder: Path) -> None:
    sync(store, folder)
    paths = videos_of(folder)
    assert counts(sync(store, paths[:5])) == (0, 0, 0, 0, 5, 0)
    assert len(list_sources(store)) == 6
    assert sync(store, paths[:5], prefix=folder).removed == (str(paths[5]),)
    assert counts(sync(store, [], prefix=str(folder / "cup") + "/", allow_empty=True)) == (0, 0, 0, 1, 0, 0)


def test_another_working_directory_adds_nothing_twice(
    store: InMemoryVectorStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert len(sync(store, "videos").added) == 6
    monkeypatch.chdir(folder)
    assert len(sync(store, ".").unchanged) == 6
    assert len(sync(store, ["v0.mkv", "cup/v5.mkv"]).unchanged) == 2


def test_a_title_that_changes_is_written(store: InMemoryVectorStore, folder: Path, sandbox: Sandbox) -> None:
    sync(store, folder)
    (folder / "cup" / "v0.mkv").write_bytes(look(1))
    report = sync(store, folder)
    assert (report.added, report.changed) == ((str(folder / "cup" / "v0.mkv"),), (str(folder / "v0.mkv"),))
    titles = {entry["metadata"]["title"] for entry in store.store.values()}
    assert {"videos/v0.mkv", "cup/v0.mkv"} < titles
    assert "v0.mkv" not in titles
    assert tasks_of(sandbox) == 0


def test_other_options_replace_the_segments(store: InMemoryVectorStore, folder: Path, sandbox: Sandbox) -> None:
    sync(store, folder)
    report = sync(store, folder, embedding_option=["visual"])
    assert (counts(report), len(store.store), tasks_of(sandbox)) == ((0, 6, 0, 0, 0, 0), 12, 0)
    planned = sync(store, folder, segmentation={"strategy": "fixed", "fixed": {"duration_sec": 6}}, dry_run=True)
    assert (len(planned.changed), len(store.store), tasks_of(sandbox)) == (6, 12, 0)
    assert planned.plan is not None
    assert planned.plan.minutes == pytest.approx(0.6)
    assert str(planned).startswith(
        "dry run: 0 added, 6 changed, 0 renamed, 0 removed, 0 unchanged, 0 failed; 6 sources"
    )


def test_segments_that_are_missing_or_have_other_ids_are_written(store: InMemoryVectorStore, folder: Path) -> None:
    records = InMemoryRecordManager("videos")
    records.create_schema()
    loader = TwelveLabsVideoLoader(videos_of(folder), embeddings=store.embeddings, **OPTIONS)  # type: ignore[arg-type]
    index(loader, records, store, **index_kwargs())  # under keys of its own
    assert counts(sync(store, folder)) == (0, 6, 0, 0, 0, 0)
    ids = set(store.store)
    assert {entry["metadata"]["segment_id"] for entry in store.store.values()} == ids
    store.delete(sorted(ids)[:5])
    report = sync(store, folder)
    assert set(store.store) == ids
    assert len(report.changed) + len(report.added) + len(report.unchanged) == 6
    assert counts(sync(store, folder)) == (0, 0, 0, 0, 6, 0)


def test_failures_are_logged_raised_or_passed(
    store: InMemoryVectorStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(folder)
    delete(folder)
    caplog.set_level(logging.WARNING, "twelvelabs_core")
    report = sync(store, folder)
    assert counts(report) == (4, 0, 0, 0, 0, 1)
    assert "v4.mkv: not a readable audio or video file" in caplog.text
    failures: list[Any] = []
    assert sync(store, folder, on_error=failures.append).failures == tuple(failures)
    with pytest.raises(IngestionError, match="1 of 5 sources failed"):
        sync(store, [*videos_of(folder)], on_error="raise")
    assert counts(sync(store, [folder / "v0.mkv", folder / "missing.mkv", 5])) == (0, 0, 0, 0, 1, 2)


def test_a_budget_keeps_what_is_done(sandbox: Sandbox, folder: Path) -> None:
    embeddings = connected(sandbox, ":memory:")
    store = InMemoryVectorStore(embeddings)
    planned = sync(store, folder, max_minutes=0.35, dry_run=True)
    assert (counts(planned), tasks_of(sandbox)) == ((3, 0, 0, 0, 0, 3), 0)
    assert "0.10 minutes do not fit into the budget of 0.35 minutes" in str(planned.failures[0])
    report = sync(store, folder, max_minutes=0.35)
    assert (counts(report), tasks_of(sandbox)) == ((3, 0, 0, 0, 0, 3), 3)
    assert len(list_sources(store)) == 3
    again = sync(store, folder, max_cost=0.45, price_per_minute=1, dry_run=True)  # 0.3 are used
    assert counts(again) == (1, 0, 0, 0, 3, 2)
    assert counts(sync(store, folder)) == (3, 0, 0, 0, 3, 0)
    assert tasks_of(sandbox) == 6


def test_a_dry_run_pays_for_nothing_that_its_plan_does_not_see(sandbox: Sandbox, folder: Path) -> None:
    """The plan sends HEAD only; where a host refuses it, a new version of a video is seen by the run alone."""
    store = InMemoryVectorStore(connected(sandbox, ":memory:"))
    with VideoServer(folder / "v0.mkv") as server:
        server.head_status = 403
        assert counts(sync(store, [server.url("v.mkv")])) == (1, 0, 0, 0, 0, 0)
        server.etag = '"two"'
        report = sync(store, [server.url("v.mkv")], dry_run=True)
        assert tasks_of(sandbox) == 1
        assert counts(report)[-1] == 1
        assert counts(sync(store, [server.url("v.mkv")])) == (0, 1, 0, 0, 0, 0)


def test_wrong_arguments_and_spaces_are_refused_before_anything_is_sent(
    store: InMemoryVectorStore, folder: Path, sandbox: Sandbox
) -> None:
    sync(store, folder)
    other = connected(sandbox, ":memory:", model="marengo3.5")
    with pytest.raises(InputError, match=r"in the space sandbox/marengo3\.0/512, .* of sandbox/marengo3\.5/512"):
        sync(store, folder, embeddings=other)
    mixed = InMemoryVectorStore(other)
    mixed.store = store.store
    with pytest.raises(InputError, match=r"of the space sandbox/marengo3\.0/512, not sandbox/marengo3\.5/512"):
        sync(mixed, folder)
    for entry in mixed.store.values():  # as an early version wrote them
        entry["metadata"]["space"] = ""
    with pytest.raises(InputError, match=r"of the space marengo3\.0, not sandbox/marengo3\.5/512"):
        sync(mixed, folder)
    with pytest.raises(InputError, match="embedding_option"):
        sync(store, folder, embedding_option=["Visual"])
    for name in ("colour", "media", "source"):
        with pytest.raises(
            TypeError, match=rf"^sync_videos\(\) got an unexpected option '{name}'; it has segmentation, "
        ):
            sync(store, folder, **{name: "red"})
    with pytest.raises(InputError, match="store must be a LangChain VectorStore"):
        sync_videos("store", folder, embeddings=other)  # type: ignore[arg-type]
    assert sandbox.count() == 0


def test_index_itself_stores_all_good_videos_when_the_loader_skips(
    store: InMemoryVectorStore, folder: Path, sandbox: Sandbox
) -> None:
    records = InMemoryRecordManager("videos")
    records.create_schema()
    damage(folder)

    def run(**options: Any) -> dict[str, int]:
        loader = TwelveLabsVideoLoader(videos_of(folder), embeddings=store.embeddings, **OPTIONS, **options)  # type: ignore[arg-type]
        return dict(index(loader, records, store, **index_kwargs()))  # type: ignore[arg-type]

    for _ in range(2):
        with pytest.raises(IngestionError, match="1 of 6 sources failed"):
            run()
        assert not store.store  # LangChain drops the batch during which the loader raises
    assert run(on_error="skip")["num_added"] == 20
    assert run(on_error="skip") == {"num_added": 0, "num_updated": 0, "num_skipped": 20, "num_deleted": 0}
    assert len(store.store) == 20
    assert tasks_of(sandbox) == 0


def test_segments_of_add_segments_are_unchanged(store: InMemoryVectorStore, folder: Path) -> None:
    loader = TwelveLabsVideoLoader(videos_of(folder), embeddings=store.embeddings, **OPTIONS)  # type: ignore[arg-type]
    add_segments(store, loader.lazy_load())
    assert counts(sync(store, folder)) == (0, 0, 0, 0, 6, 0)
