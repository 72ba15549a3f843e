"""Housekeeping of a store: what forgetting a source costs, and copies of a store or of some of its sources."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core import postgres
from tests.core.conftest import Connect
from tests.core.store.test_store import make_segments, name_all, new_ids, put_intent, put_ready
from tests.core.surface import Surface
from twelvelabs_core import InputError, SegmentStore
from twelvelabs_core.results.transcript import Word
from twelvelabs_sandbox import Sandbox

VIDEO: dict[str, Any] = {"params": {"input_type": "video", "embedding_option": ["visual"], "end_sec": 6.0}}


@pytest.fixture(params=["file", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SegmentStore]:
    """An empty store."""
    with ExitStack() as opened:
        location = str(tmp_path / "target.sqlite3")
        if request.param == "postgres":
            location = opened.enter_context(postgres.schema(request.getfixturevalue("postgres_server")))
        yield opened.enter_context(SegmentStore(location))


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path / "segments.sqlite3")


def test_a_title_that_no_path_ends_with_names_its_source(store: SegmentStore) -> None:
    put_ready(store, "a", source="cam-7/monday", **VIDEO)
    ids = [(segment_id, row) for row, segment_id in enumerate(new_ids(4))]
    store.add_aliases("a", ids, source="cam-7/monday", title="match.mp4")
    assert store.find_sources({"match.mp4"}) == {"cam-7/monday": "match.mp4"}
    assert store.forget("match.mp4", dry_run=True).segments == 4


def test_forget_says_what_would_be_paid_again(store: SegmentStore) -> None:
    put_ready(store, "a", source="a.mp4", **VIDEO)
    put_ready(store, "shared", source="a.mp4", **VIDEO)
    ids = name_all(store, "shared", 4, source="b.mp4")
    planned = store.forget("a.mp4", dry_run=True)
    assert (planned.tasks, planned.vectors, planned.minutes) == (1, 4, pytest.approx(0.1))
    assert store.find_task("a") is not None
    assert store.forget("a.mp4") == planned
    assert store.find_task("a") is None
    assert len(store.find_vectors(ids)) == 4
    assert sum(payment.minutes for payment in store.usage()) == pytest.approx(0.2)  # it was paid for


def test_a_source_is_named_by_its_path_or_title_and_an_unknown_one_is_an_error(store: SegmentStore) -> None:
    for key, folder in (("a", "/videos/cup"), ("b", "/videos/final")):
        put_ready(store, key, source=f"{folder}/match.mp4", **VIDEO)
        ids = [(segment_id, row) for row, segment_id in enumerate(new_ids(4))]
        store.add_aliases(key, ids, source=f"{folder}/match.mp4", title="match.mp4")
    target = SegmentStore(":memory:")
    uses: tuple[Callable[[Any], Any], ...] = (
        store.forget,
        store.delete_source,
        lambda name: store.copy_to(target, sources=[name]),
    )
    for use in uses:
        with pytest.raises(InputError, match=r"'match\.mp4' names 2 files: /videos/cup/match\.mp4, /videos/final/"):
            use("match.mp4")
        for unknown in ("typo.mp4", Path("/videos/typo.mp4"), "", "%.mp4", "atch.mp4"):
            with pytest.raises(InputError, match=rf"has no source '{unknown}'; see sources\(\)"):
                use(unknown)
        with pytest.raises(InputError, match="must be a str or a path, got 5"):
            use(5)
    assert store.copy_to(target, sources=[Path("/videos/cup/match.mp4"), "final/match.mp4"]).segments == 8
    assert store.forget(Path("/videos/cup/match.mp4"), dry_run=True).segments == 4
    assert store.delete_source(Path("/videos/cup/match.mp4")).segments == 4
    assert store.forget("match.mp4").segments == 4  # one has this title now
    assert store.sources() == {"/videos/cup/match.mp4": 0}
    assert store.forget("/videos/cup/match.mp4").vectors == 4


def test_size_is_that_of_the_report(store: SegmentStore) -> None:
    put_ready(store)
    assert store.size() == store.info().size_bytes > 0


def test_a_copy_has_everything_and_a_second_one_adds_nothing(store: SegmentStore, target: SegmentStore) -> None:
    segments = put_ready(store, "a", source="a.mp4", **VIDEO)
    ids = name_all(store, "a", 4, source="a.mp4")
    store.add_aliases("a", [(ids[0], 0)], source="a.mp4", title="A")
    put_ready(store, "b", make_segments(3, seed=2), source="b\x00.mp4")
    put_intent(store, "waiting", source="c.mp4")
    store.put_task_id("waiting", "t")
    put_intent(store, "begun", source="d.mp4")
    store.put_transcript("content of a", "sandbox", [Word(0.0, 1.0, "goal")])
    store.put_asset("content of a", "fingerprint", "asset")
    copied = store.copy_to(target)
    assert (copied.tasks, copied.vectors, copied.segments) == (3, 7, 4)
    assert target.load_result("a") == (segments, 6.25)
    found = target.find_vectors(ids)
    assert np.array_equal([found[one].vector for one in ids], segments.vectors)
    assert target.find_titles(["a.mp4"]) == store.find_titles(["a.mp4"]) == {"a.mp4": {"A"}}
    assert target.find_transcript("content of a", "sandbox") == (Word(0.0, 1.0, "goal"),)
    assert target.find_asset("content of a", "fingerprint") == "asset"
    waiting = target.find_task("waiting")
    assert waiting is not None
    assert (waiting.state, waiting.task_id) == ("processing", "t")
    assert target.find_task("begun") is None
    assert [one for one in store.usage() if one.source != "d.mp4"] == target.usage()
    again = store.copy_to(target)
    assert (again.tasks, again.vectors, again.segments) == (0, 0, 0)
    assert target.usage() == [one for one in store.usage() if one.source != "d.mp4"]


def test_a_part_is_copied_with_the_ids_of_its_sources_only(store: SegmentStore, target: SegmentStore) -> None:
    put_ready(store, "a", source="a.mp4")
    own = name_all(store, "a", 4, source="a.mp4")
    name_all(store, "a", 4, source="copy of a.mp4")
    put_ready(store, "b", source="b.mp4")
    copied = store.copy_to(target, sources=["a.mp4"])
    assert (copied.tasks, copied.vectors, copied.segments) == (1, 4, 4)
    assert target.sources() == {"a.mp4": 4}
    assert len(target.find_vectors(own)) == 4


def test_what_the_other_store_has_stays_and_ids_keep_their_position(store: SegmentStore, target: SegmentStore) -> None:
    """Both paid for the same work: the vectors of the other store stay, and ids name those of the same time range."""
    put_ready(store, "a", make_segments(4))
    ids = name_all(store, "a", 4)
    theirs = put_ready(target, "a", make_segments(3, seed=5))
    put_ready(store, "b", make_segments(2))
    put_intent(target, "b")
    target.put_failure("b", "refused")
    copied = store.copy_to(target)
    assert (copied.tasks, copied.vectors, copied.segments) == (1, 2, 3)
    found = target.find_vectors(ids)
    assert [found[one].vector.tolist() for one in ids[:3]] == theirs.vectors.tolist()
    assert ids[3] not in found
    assert target.load_result("b")[0] == make_segments(2)


def test_a_task_under_way_takes_the_place_of_one_that_failed(store: SegmentStore, target: SegmentStore) -> None:
    put_intent(store, "a")
    store.put_task_id("a", "t")
    put_intent(target, "a")
    target.put_failure("a", "refused")
    assert store.copy_to(target).tasks == 1
    entry = target.find_task("a")
    assert entry is not None
    assert (entry.state, entry.task_id, entry.error) == ("processing", "t", None)


def test_bad_arguments_are_refused(store: SegmentStore, tmp_path: Path) -> None:
    put_ready(store)
    with pytest.raises(InputError, match=r"has no source 'other.mp4'; see sources\(\)"):
        store.copy_to(SegmentStore(":memory:"), sources=["match.mp4", "other.mp4"])
    with pytest.raises(InputError, match=r"target must be a SegmentStore, got str; pass SegmentStore\(location\)"):
        store.copy_to("part.sqlite3")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the other store is this one"):
        store.copy_to(SegmentStore(tmp_path / "segments.sqlite3"))


async def test_another_machine_pays_for_nothing_that_was_copied(
    connect: Connect, video_path: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    client: Surface = connect()
    found = await client.segment_video(video_path)
    await client.register(found)
    part = tmp_path / "part.sqlite3"
    client.store.copy_to(SegmentStore(part), sources=[found.source])
    other = connect(store=part)
    sandbox.clear_requests()
    again = await other.segment_video(video_path, embedding_option=["visual"])
    assert sandbox.count() == 0
    ids = [record.segment_id for record in again.records()]
    assert len(await other.find_vectors(ids)) == len(ids)
