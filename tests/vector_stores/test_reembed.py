"""Videos are embedded again by another model, or in other segments, into a second collection; the old one stays."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    list_sources,
    sync_videos,
)
from tests.langchain.fixtures import connected, tasks_of
from tests.sync_folder import LOOKS, OPTIONS, look, videos_of
from tests.sync_process import Place, Processes
from tests.vector_stores.killed import open_chroma
from tests.vector_stores.stores import make_memory, make_qdrant
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import describe_look

VIDEOS = 20
OTHER_SEGMENTS = {**OPTIONS, "segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 2}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty videos of different contents."""
    path = tmp_path / "videos"
    path.mkdir()
    for number in range(VIDEOS):
        # Padding of a Matroska file, so that each content is another one.
        padding = b"\xec\x84" + number.to_bytes(4)
        (path / f"v{number:02}.mkv").write_bytes(look(number % len(LOOKS)) + padding)
    return path


def answers(store: Any) -> list[Any]:
    """Return what a vector store answers: its segments with their scores, and its moments.

    Equal scores have no order, and the last digits of a score depend on where numpy has the vectors in memory.
    """
    found: list[Any] = []
    for scene in LOOKS[:4]:
        hits = store.similarity_search_with_score(describe_look(scene), k=10)
        found.append(sorted((round(score, 5), hit.metadata["segment_id"], hit.page_content) for hit, score in hits))
        moments = TwelveLabsMomentRetriever(vectorstore=store, k=3).invoke(describe_look(scene))
        found.append([(moment.id, moment.metadata["score"]) for moment in moments])
    return found


@pytest.mark.slow
def test_twenty_videos_are_embedded_by_another_model_in_runs_that_are_killed(
    sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    old_embeddings = connected(sandbox, tmp_path / "segments.sqlite3")
    new_embeddings = connected(sandbox, tmp_path / "segments.sqlite3", model="marengo3.5")
    old = open_chroma(tmp_path / "store", old_embeddings, "old")
    sync_videos(old, folder, embeddings=old_embeddings, **OPTIONS)
    before = answers(old)
    place = Place(("tests.vector_stores.killed", "opened_new"), "Chroma", tmp_path, sandbox.base_url, sandbox.api_key)
    counts: list[int] = []  # of videos that the new collection has when a process begins
    processes = Processes(place, random.Random(1), lambda held: counts.append(len(held)))  # noqa: S311  # no secret
    sandbox.clear_requests()
    for writes in (4, 7):
        assert processes.run(folder, dies=writes) is None
        assert answers(old) == before
        new = open_chroma(tmp_path / "store", new_embeddings, "new")
        assert new.similarity_search(describe_look(LOOKS[0]), k=1)[0].metadata["space"].endswith("marengo3.5/512")
    found = processes.run(folder)
    assert found
    report, held = found
    assert counts == [0, 4, 11]
    assert (len(report.added), len(report.unchanged)) == (9, 11)
    assert tasks_of(sandbox) == VIDEOS
    loader = TwelveLabsVideoLoader(videos_of(folder), embeddings=new_embeddings, **OPTIONS)
    assert sorted(segment_id for ids in held.values() for segment_id in ids) == sorted(
        document.metadata["segment_id"] for document in loader.lazy_load()
    )
    assert answers(old) == before
    assert tasks_of(sandbox) == VIDEOS


@pytest.mark.slow
@pytest.mark.parametrize("make", [make_memory, make_qdrant])
def test_a_second_collection_with_other_segments_leaves_the_first_one_as_it_is(
    make: Callable[[TwelveLabsEmbeddings, Path], Any], sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    for path in videos_of(folder)[4:]:
        path.unlink()
    embeddings = connected(sandbox, tmp_path / "segments.sqlite3")
    old, new = make(embeddings, tmp_path), make(embeddings, tmp_path)
    sync_videos(old, folder, embeddings=embeddings, **OPTIONS)
    before = answers(old)
    planned = sync_videos(new, folder, embeddings=embeddings, dry_run=True, **OTHER_SEGMENTS)
    assert planned.plan is not None
    assert planned.plan.minutes == pytest.approx(0.4)
    sandbox.clear_requests()
    # By the names in the old collection, with a budget that is left for two of the four.
    report = sync_videos(new, list_sources(old), embeddings=embeddings, max_minutes=0.65, **OTHER_SEGMENTS)
    assert (len(report.added), len(report.failures)) == (2, 2)
    report = sync_videos(new, list_sources(old), embeddings=embeddings, **OTHER_SEGMENTS)
    assert (len(report.added), len(report.unchanged), tasks_of(sandbox)) == (2, 2, 4)
    assert answers(old) == before
    assert {document.metadata["end_sec"] - document.metadata["start_sec"] for document in all_of(new)} == {2.0}


def all_of(store: Any) -> list[Any]:
    return list(store.similarity_search_by_vector([512**-0.5] * 512, k=1000))
