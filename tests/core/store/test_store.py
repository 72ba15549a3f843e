"""SegmentStore within one process: the journal, vectors by segment id, identities, maintenance."""

import copy
import json
import pickle
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import make_url

from tests.core import postgres
from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.store.schema import SCHEMA_VERSION
from twelvelabs_core.store.store import SegmentStore, TaskEntry

DIMENSION = 8


def make_segments(count: int = 4, *, seed: int = 1) -> Segments:
    positions = [SegmentPosition(row * 1.5, row * 1.5 + 1.5, "visual", "clip") for row in range(count)]
    return Segments(np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32), positions)


def put_intent(store: SegmentStore, key: str = "key", **changes: Any) -> bool:
    values: dict[str, Any] = {
        "space": "sandbox/marengo3.0/512",
        "content": f"content of {key}",
        "model": "marengo3.0",
        "params": {"embedding_option": ["visual"], "start_sec": 0.5},
        "source": "match.mp4",
        "account": "fingerprint",
    }
    return store.put_intent(key, **(values | changes))


def put_ready(store: SegmentStore, key: str = "key", segments: Segments | None = None, **changes: Any) -> Segments:
    segments = segments if segments is not None else make_segments()
    assert put_intent(store, key, **changes)
    store.put_task_id(key, f"task of {key}")
    store.put_result(key, segments, duration_sec=6.25)
    return segments


def must_find(store: SegmentStore, key: str = "key") -> TaskEntry:
    entry = store.find_task(key)
    assert entry is not None
    return entry


def new_ids(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def name_all(store: SegmentStore, key: str, count: int, source: str = "match.mp4") -> list[str]:
    ids = new_ids(count)
    store.add_aliases(key, [(segment_id, row) for row, segment_id in enumerate(ids)], source=source)
    return ids


@pytest.fixture(params=["file", "memory", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SegmentStore]:
    with ExitStack() as opened:
        location = {"file": str(tmp_path / "segments.sqlite3"), "memory": ":memory:"}.get(request.param)
        if location is None:
            location = opened.enter_context(postgres.schema(request.getfixturevalue("postgres_server")))
        yield opened.enter_context(SegmentStore(location))


# The journal.


def test_entry_changes_from_intent_to_processing_to_ready(store: SegmentStore) -> None:
    assert store.find_task("key") is None
    assert put_intent(store)
    intent = must_find(store)
    assert (intent.state, intent.task_id, intent.error, intent.attempts) == ("intent", None, None, 1)
    assert intent.params == {"embedding_option": ["visual"], "start_sec": 0.5}
    assert (intent.space, intent.content, intent.model) == ("sandbox/marengo3.0/512", "content of key", "marengo3.0")
    assert (intent.source, intent.account) == ("match.mp4", "fingerprint")
    store.put_task_id("key", "6abc")
    processing = must_find(store)
    assert (processing.state, processing.task_id, processing.created_at) == ("processing", "6abc", intent.created_at)
    store.put_result("key", make_segments(), duration_sec=6.25)
    ready = must_find(store)
    assert (ready.state, ready.task_id, ready.duration_sec) == ("ready", "6abc", 6.25)
    assert intent.revision < processing.revision < ready.revision
    assert intent.updated_at <= processing.updated_at <= ready.updated_at


def test_processing_or_ready_entry_is_not_replaced_by_an_intent(store: SegmentStore) -> None:
    put_intent(store)
    assert not put_intent(store, source="other.mp4")
    store.put_task_id("key", "6abc")
    assert not put_intent(store, source="other.mp4")
    store.put_result("key", make_segments(), duration_sec=6.25)
    assert not put_intent(store, source="other.mp4")
    assert (must_find(store).source, must_find(store).attempts) == ("match.mp4", 1)


@pytest.mark.parametrize("expired", [False, True])
def test_an_ended_entry_is_replaced_as_another_attempt(store: SegmentStore, *, expired: bool) -> None:
    put_intent(store)
    store.put_task_id("key", "6abc")
    store.put_failure("key", "the video has no frames", task_id="6abc", expired=expired)
    failed = must_find(store)
    assert (failed.state, failed.error) == ("expired" if expired else "failed", "the video has no frames")
    assert failed.task_id == "6abc"
    assert put_intent(store, source="again.mp4")
    again = must_find(store)
    assert (again.state, again.task_id, again.error) == ("intent", None, None)
    assert (again.source, again.attempts) == ("again.mp4", 2)
    assert again.created_at >= failed.created_at


def test_late_failure_of_an_earlier_task_is_ignored(store: SegmentStore) -> None:
    """A process that waited for the first task reports its failure after another process created a new task."""
    put_intent(store)
    store.put_task_id("key", "first")
    store.put_failure("key", "why", task_id="first")
    assert put_intent(store)
    store.put_failure("key", "why", task_id="first", expired=True)
    assert must_find(store).state == "intent"
    store.put_task_id("key", "second")
    store.put_failure("key", "why", task_id="first")
    store.put_failure("key", "never sent")
    store.put_task_id("key", "first")
    entry = must_find(store)
    assert (entry.state, entry.task_id, entry.attempts) == ("processing", "second", 2)


def test_a_refused_create_call_is_not_counted_as_an_attempt(store: SegmentStore) -> None:
    for _ in range(3):
        assert put_intent(store)
        store.put_failure("key", "too many requests")
    assert put_intent(store)
    assert must_find(store).attempts == 1


def test_task_id_is_set_once_and_is_unique(store: SegmentStore) -> None:
    for key in ("one", "two"):
        put_intent(store, key)
    one, two = must_find(store, "one"), must_find(store, "two")
    assert {entry.key for entry in store.claimants(one, ["task"])} == {"two"}
    assert store.adopt_task(one, "task")
    assert not store.adopt_task(one, "another")
    assert not store.adopt_task(two, "task")
    assert [(entry.key, entry.task_id) for entry in store.claimants(two, ["task"])] == [("one", "task")]
    assert store.claimants(two, ["another"]) == []
    assert must_find(store, "one").state == "processing"


def test_entry_with_several_attempts_may_have_unknown_tasks(store: SegmentStore) -> None:
    put_intent(store, "twice")
    assert put_intent(store, "twice", replacing=must_find(store, "twice"))
    store.put_task_id("twice", "second")
    put_intent(store, "one")
    assert [entry.key for entry in store.claimants(must_find(store, "one"), ["first"])] == ["twice"]


def test_entry_of_an_ended_process_is_replaced_once(store: SegmentStore) -> None:
    put_intent(store)
    seen = must_find(store)
    assert put_intent(store, replacing=seen)
    assert not put_intent(store, replacing=seen)
    assert must_find(store).attempts == 2


def test_an_entry_that_was_written_since_is_not_replaced(store: SegmentStore) -> None:
    put_intent(store)
    seen = must_find(store)
    store.put_task_id("key", "6abc")
    assert not put_intent(store, replacing=seen)
    assert must_find(store).task_id == "6abc"


def test_a_ready_entry_stays_ready(store: SegmentStore) -> None:
    segments = put_ready(store)
    store.put_task_id("key", "another")
    store.put_failure("key", "too late")
    store.put_result("key", make_segments(7, seed=2), duration_sec=99.0)
    entry = must_find(store)
    assert (entry.state, entry.task_id, entry.error) == ("ready", "task of key", None)
    assert store.load_result("key") == (segments, 6.25)


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.put_task_id("unknown", "6abc"),
        lambda store: store.put_failure("unknown", "why"),
        lambda store: store.put_result("unknown", make_segments(), duration_sec=1.0),
        lambda store: store.load_result("unknown"),
        lambda store: store.add_aliases("unknown", [(str(uuid.uuid4()), 0)], source="s"),
    ],
)
def test_key_without_an_entry_raises(store: SegmentStore, write: Any) -> None:
    with pytest.raises(InputError, match=r"no entry of the task key 'unknown'; call put_intent first"):
        write(store)


def test_loading_a_missing_result_raises_with_the_state(store: SegmentStore) -> None:
    put_intent(store)
    with pytest.raises(InputError, match="has no result yet: its entry is intent"):
        store.load_result("key")


# Vectors.


def test_result_is_loaded_bit_for_bit_with_all_positions(store: SegmentStore) -> None:
    positions = [
        SegmentPosition(0.1, 1 / 3, "visual", "clip"),
        SegmentPosition(0.1, 1 / 3, "audio", "clip"),
        SegmentPosition(0.0, 0.0, "", "page", page_start=1, page_end=2, quadrant="top_left"),
        SegmentPosition(0.0, 0.0, "text", "chunk", chunk_index=0),
        SegmentPosition(0.0, 90.0, "fused", "asset"),
    ]
    values = np.array([[np.pi * row, -1e-38, 3.4e38, np.finfo(np.float32).tiny] for row in range(5)], dtype=np.float32)
    written = Segments(values, positions)
    put_ready(store, segments=written)
    read, duration_sec = store.load_result("key")
    assert read.positions == written.positions
    assert read.vectors.tobytes() == written.vectors.tobytes()
    assert (str(read.vectors.dtype), read.vectors.flags.writeable, duration_sec) == ("float32", False, 6.25)


def test_a_result_without_vectors_is_kept(store: SegmentStore) -> None:
    empty = Segments(np.empty((0, DIMENSION), dtype=np.float32), [])
    put_ready(store, segments=empty)
    assert store.load_result("key")[0].vectors.shape == (0, DIMENSION)


def test_vectors_are_found_by_segment_id_and_missing_ids_are_absent(store: SegmentStore) -> None:
    segments = put_ready(store)
    ids = name_all(store, "key", len(segments))
    found = store.find_vectors([ids[2], *new_ids(3), ids[0], ids[0]])
    assert set(found) == {ids[0], ids[2]}
    for row in (0, 2):
        vector = found[ids[row]].vector
        assert np.array_equal(vector, segments.vectors[row])
        assert (str(vector.dtype), vector.shape, vector.flags.writeable) == ("float32", (DIMENSION,), False)
    assert found[ids[0]].space == "sandbox/marengo3.0/512"
    assert store.find_vectors([]) == {}


def test_thousands_of_vectors_are_found_in_one_call(store: SegmentStore) -> None:
    segments = put_ready(store, segments=make_segments(3210))
    ids = name_all(store, "key", len(segments))
    found = store.find_vectors(ids)
    assert np.array_equal(np.stack([found[segment_id].vector for segment_id in ids]), segments.vectors)


def test_a_segment_id_keeps_the_vector_that_it_named_first(store: SegmentStore) -> None:
    first = put_ready(store, "first", make_segments(seed=1))
    put_ready(store, "second", make_segments(seed=2))
    ids = name_all(store, "first", 2)
    store.add_aliases("first", [(ids[0], 0), (ids[1], 1)], source="match.mp4")
    store.add_aliases("second", [(ids[0], 3), (ids[1], 3)], source="other.mp4")
    found = store.find_vectors(ids)
    assert [found[segment_id].vector.tolist() for segment_id in ids] == first.vectors[:2].tolist()
    assert store.info().segments == 2


def test_segment_ids_are_found_by_their_sources(store: SegmentStore) -> None:
    put_ready(store, "first", make_segments(seed=1))
    ids = new_ids(3)
    store.add_aliases("first", [(ids[0], 0), (ids[1], 1)], source="match.mp4")
    store.add_aliases("first", [(ids[2], 2)], source="o'hara.mp4")
    assert store.find_segment_ids(["match.mp4", "none.mp4"]) == dict.fromkeys(ids[:2], "match.mp4")
    assert store.find_segment_ids() == {**dict.fromkeys(ids[:2], "match.mp4"), ids[2]: "o'hara.mp4"}
    assert store.find_segment_ids([]) == {}


def test_the_content_of_segment_ids_is_found(store: SegmentStore) -> None:
    put_ready(store, "first", make_segments(seed=1))
    ids = name_all(store, "first", 2)
    entry = store.find_task("first")
    assert entry
    assert store.find_contents([*ids, *new_ids(1)]) == dict.fromkeys(ids, entry.content)
    store.delete_source(entry.source)
    store.delete_task("first")
    assert store.find_contents(ids) == {}


def test_a_segment_id_is_free_again_when_its_vector_was_deleted(store: SegmentStore) -> None:
    put_ready(store, "first", make_segments(seed=1))
    second = put_ready(store, "second", make_segments(seed=2))
    ids = name_all(store, "first", 2)
    store.delete_task("first")
    assert store.find_vectors(ids) == {}
    store.add_aliases("second", [(ids[0], 3)], source="match.mp4")
    assert np.array_equal(store.find_vectors(ids)[ids[0]].vector, second.vectors[3])


@pytest.mark.parametrize("row", [-1, 4])
def test_a_row_that_the_task_does_not_have_is_refused_and_nothing_is_written(store: SegmentStore, row: int) -> None:
    put_ready(store)
    with pytest.raises(InputError, match=f"has 4 vectors in the segment store, so no row {row}"):
        store.add_aliases("key", zip(new_ids(2), [0, row], strict=True), source="match.mp4")
    assert store.info().segments == 0


def test_params_that_are_not_json_are_refused(store: SegmentStore) -> None:
    with pytest.raises(InputError, match=r"refused a value, nothing was written: .*JSON"):
        put_intent(store, params={"when": timedelta(seconds=1)})
    assert store.find_task("key") is None


def test_failed_write_is_rolled_back(store: SegmentStore) -> None:
    put_intent(store)
    segments = make_segments()
    broken = Segments(segments.vectors, [*segments.positions[:3], SegmentPosition(9.0, 9.5, None, "clip")])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="refused a value, nothing was written"):
        store.put_result("key", broken, duration_sec=6.25)
    assert must_find(store).state == "intent"
    assert store.info().vectors == 0
    store.put_result("key", segments, duration_sec=6.25)
    assert store.load_result("key")[0] == segments


# Threads.


def test_of_several_threads_exactly_one_writes_the_intent(store: SegmentStore) -> None:
    start = threading.Barrier(8)

    def compete(_: int) -> list[bool]:
        start.wait()
        return [put_intent(store, f"key {number}") for number in range(10)]

    with ThreadPoolExecutor(8) as pool:
        won = np.array(list(pool.map(compete, range(8))))
    assert won.sum(axis=0).tolist() == [1] * 10


def test_threads_read_and_write_concurrently(store: SegmentStore) -> None:
    def work(number: int) -> bool:
        segments = put_ready(store, f"key {number}", make_segments(300, seed=number))
        ids = name_all(store, f"key {number}", 300)
        found = store.find_vectors(ids)
        return all(np.array_equal(found[ids[row]].vector, segments.vectors[row]) for row in range(300))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))
    assert (store.info().tasks, store.info().vectors) == ({"ready": 16}, 16 * 300)


# Identity of media.


def test_a_digest_is_valid_only_for_the_same_size_and_time(store: SegmentStore) -> None:
    store.put_digest("/videos/a.mp4", 7, 1_700_000_000_123_456_789, "aa")
    store.put_digest("/videos/a.mp4", 8, 1_700_000_000_123_456_790, "bb")
    assert store.find_digest("/videos/a.mp4", 8, 1_700_000_000_123_456_790) == "bb"
    assert store.find_digest("/videos/a.mp4", 7, 1_700_000_000_123_456_789) is None
    assert store.find_digest("/videos/a.mp4", 8, 1_700_000_000_123_456_789) is None
    assert store.find_digest("/videos/b.mp4", 8, 1_700_000_000_123_456_790) is None


def test_names_that_are_not_utf8_are_kept(store: SegmentStore) -> None:
    name = b"/videos/caf\xe9.mp4".decode("utf-8", "surrogateescape")
    store.put_digest(name, 7, 1, "aa")
    assert store.find_digest(name, 7, 1) == "aa"
    put_ready(store, source=name)
    name_all(store, "key", 4, source=name)
    (listed,) = store.sources()
    assert json.dumps(listed)
    assert listed.encode()
    assert store.delete_source(name).segments == 4


def test_a_url_is_remembered_with_its_validator(store: SegmentStore) -> None:
    assert store.find_url("https://example.com/a.mp4") is None
    store.put_url("https://example.com/a.mp4", "content 1", None)
    store.put_url("https://example.com/a.mp4", "content 2", '"etag"')
    assert store.find_url("https://example.com/a.mp4") == ("content 2", '"etag"')


def test_an_asset_belongs_to_its_account(store: SegmentStore) -> None:
    store.put_asset("content", "mine", "asset 1")
    store.put_asset("content", "theirs", "asset 2")
    store.put_asset("content", "mine", "asset 3")
    assert (store.find_asset("content", "mine"), store.find_asset("content", "theirs")) == ("asset 3", "asset 2")
    store.drop_asset("content", "mine")
    assert (store.find_asset("content", "mine"), store.find_asset("content", "theirs")) == (None, "asset 2")


# Maintenance.


def test_info_and_sources_count_the_content(store: SegmentStore) -> None:
    put_ready(store, "a", make_segments(5), source="a.mp4")
    name_all(store, "a", 5, source="a.mp4")
    name_all(store, "a", 3, source="copy of a.mp4")
    put_intent(store, "b", source="b.mp4")
    info = store.info()
    assert (info.location, info.version, info.tasks) == (store.location, SCHEMA_VERSION, {"ready": 1, "intent": 1})
    assert (info.vectors, info.segments, info.sources) == (5, 8, 3)
    assert info.size_bytes > 5 * DIMENSION * 4
    assert store.sources() == {"a.mp4": 5, "b.mp4": 0, "copy of a.mp4": 3}


def test_deleting_a_source_keeps_its_vectors(store: SegmentStore) -> None:
    segments = put_ready(store)
    name_all(store, "key", 4, source="match.mp4")
    others = name_all(store, "key", 4, source="copy.mp4")
    removed = store.delete_source("match.mp4")
    assert (removed.tasks, removed.vectors, removed.segments) == (0, 0, 4)
    assert store.load_result("key")[0] == segments
    assert len(store.find_vectors(others)) == 4


def test_deleting_a_source_with_vectors_keeps_shared_and_processing_work(store: SegmentStore) -> None:
    for key in ("alone", "shared"):
        put_ready(store, key)
        name_all(store, key, 4, source="match.mp4")
    others = name_all(store, "shared", 4, source="copy.mp4")
    put_ready(store, "never named")
    put_ready(store, "foreign", source="foreign.mp4")
    put_intent(store, "under way")
    put_intent(store, "failed")
    store.put_failure("failed", "why")
    removed = store.forget("match.mp4")
    assert (removed.tasks, removed.vectors, removed.segments) == (3, 8, 8)
    keys = ("alone", "shared", "never named", "foreign", "under way", "failed")
    assert [key for key in keys if store.find_task(key)] == ["shared", "foreign", "under way"]
    assert len(store.find_vectors(others)) == 4


def test_text_with_nul_is_stored_and_searched_on_every_database(store: SegmentStore) -> None:
    put_ready(store)
    store.add_aliases("key", [(new_ids(1)[0], 0)], source="a\x00b", title="a\x00b")
    assert len(store.find_heads("a\x00b")) == 1
    put_intent(store, "other")
    store.put_failure("other", "of \x00")
    assert must_find(store, "other").error == "of \\x00"


def test_titles_are_deleted_with_the_segments_of_their_source(store: SegmentStore) -> None:
    put_ready(store, "one")
    put_ready(store, "two")
    for key, source, title in (("one", "a", "a.mp4"), ("two", "b", "b.mp4"), ("two", "b", "c.mp4")):
        store.add_aliases(key, [(segment_id, 0) for segment_id in new_ids(1)], source=source, title=title)
    assert store.find_titles(["a", "b", "c"]) == {"a": {"a.mp4"}, "b": {"b.mp4", "c.mp4"}}
    assert len(store.find_heads("c.mp4")) == 1
    store.delete_source("a")
    store.delete_task("two")
    assert store.find_titles(["a", "b"]) == {}
    assert store.find_heads("c.mp4") == set()


def test_a_part_of_a_segment_id_is_found(store: SegmentStore) -> None:
    put_ready(store)
    (segment_id,) = name_all(store, "key", 1)
    assert store.has_segment_like(segment_id[3:20])
    assert not store.has_segment_like("%" + segment_id[3:20])
    assert not store.has_segment_like("ffffffff-ffff-ffff")


def test_prune_removes_old_failures_and_unused_results_only(store: SegmentStore) -> None:
    put_ready(store, "named")
    ids = name_all(store, "named", 4)
    put_ready(store, "unused")
    put_intent(store, "under way")
    for key in ("failed", "expired"):
        put_intent(store, key)
        store.put_failure(key, "why", expired=key == "expired")
    store.put_digest("/videos/a.mp4", 7, 1, "aa")
    store.put_url("https://example.com/a.mp4", "content", "etag")
    store.put_asset("content", "mine", "asset")
    kept = store.prune(older_than=timedelta(days=1))
    assert (kept.tasks, kept.vectors, kept.segments) == (0, 0, 0)
    assert store.find_digest("/videos/a.mp4", 7, 1) == "aa"
    removed = store.prune(older_than=0.0)
    assert (removed.tasks, removed.vectors, removed.segments) == (3, 4, 0)
    assert store.info().tasks == {"ready": 1, "intent": 1}
    assert len(store.find_vectors(ids)) == 4
    assert store.find_digest("/videos/a.mp4", 7, 1) is None
    assert store.find_url("https://example.com/a.mp4")
    assert store.find_asset("content", "mine") == "asset"


def test_prune_keeps_a_result_that_was_just_given_segment_ids(store: SegmentStore) -> None:
    put_ready(store)
    before = must_find(store).updated_at
    ids = name_all(store, "key", 4)
    assert must_find(store).updated_at > before
    store.delete_source("match.mp4")
    assert store.find_vectors(ids) == {}
    assert store.prune(older_than=60.0).tasks == 0
    assert store.prune(older_than=0.0).tasks == 1


@pytest.mark.parametrize("older_than", [-1.0, float("nan"), timedelta(seconds=-1)])
def test_prune_refuses_a_time_in_the_future(store: SegmentStore, older_than: float | timedelta) -> None:
    with pytest.raises(InputError, match="older_than must be 0 seconds or more"):
        store.prune(older_than=older_than)


def test_prune_frees_the_space_of_deleted_vectors(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        put_ready(store, segments=make_segments(8000))
        full = store.info().size_bytes
        store.prune(older_than=0)
        assert store.info().size_bytes < full / 2
        assert (tmp_path / "s.sqlite3").stat().st_size == store.info().size_bytes


# The object itself.


def test_a_store_shows_its_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert repr(SegmentStore("folder/s.sqlite3")) == f"SegmentStore('{tmp_path}/folder/s.sqlite3')"
    assert SegmentStore("sqlite:///s.sqlite3").location == f"{tmp_path}/s.sqlite3"
    assert SegmentStore("sqlite://").location == SegmentStore(":memory:").location == ":memory:"


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    SegmentStore(tmp_path / "new" / "s.sqlite3").close()
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_location_uses_the_environment_then_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWELVELABS_STORE", str(tmp_path / "named.sqlite3"))
    assert SegmentStore().location == str(tmp_path / "named.sqlite3")
    monkeypatch.delenv("TWELVELABS_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert SegmentStore().location.endswith("segments.sqlite3")
    assert "twelvelabs-rag" in SegmentStore().location


def test_a_closed_file_is_opened_again_and_a_closed_memory_is_gone(tmp_path: Path) -> None:
    on_disk = SegmentStore(tmp_path / "s.sqlite3")
    put_intent(on_disk)
    on_disk.close()
    on_disk.close()
    assert on_disk.find_task("key")
    in_memory = SegmentStore(":memory:")
    put_intent(in_memory)
    in_memory.close()
    with pytest.raises(ConfigurationError, match="in memory was closed and its content is lost"):
        in_memory.find_task("key")


def test_a_file_store_pickles_as_its_location(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        put_intent(store)
        again = pickle.loads(pickle.dumps(store))  # noqa: S301  # our own
        assert (again.location, again.find_task("key")) == (store.location, store.find_task("key"))


def test_a_location_from_the_environment_is_read_again_on_arrival(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWELVELABS_STORE", "postgresql://user:hunter2@127.0.0.1/db")
    packed = pickle.dumps(SegmentStore())
    assert b"hunter2" not in packed
    monkeypatch.setenv("TWELVELABS_STORE", str(tmp_path / "there.sqlite3"))
    assert pickle.loads(packed).location == str(tmp_path / "there.sqlite3")  # noqa: S301  # our own


def test_a_store_in_memory_does_not_pickle_but_copies_as_itself() -> None:
    with SegmentStore(":memory:") as store:
        with pytest.raises(
            ConfigurationError, match="in memory cannot be sent to another process; give SegmentStore the path"
        ):
            pickle.dumps(store)
        assert copy.copy(store) is copy.deepcopy(store) is store


def test_no_file_stays_open_without_close(tmp_path: Path) -> None:
    # In a separate process, since unclosed objects of other tests would warn here too.
    script = f"""
import gc, glob, os, sys, warnings
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from test_store import put_ready
from twelvelabs_core import SegmentStore
warnings.simplefilter("error")
for location in ({str(tmp_path / "s.sqlite3")!r}, ":memory:"):
    store = SegmentStore(location)
    put_ready(store)
    del store
    gc.collect()
links = glob.glob("/proc/self/fd/*")  # empty where the system is not Linux
print([link for link in map(os.path.realpath, links) if "s.sqlite3" in link])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
    assert [path.name for path in tmp_path.iterdir()] == ["s.sqlite3"]


def test_the_file_holds_little_endian_float32(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        segments = put_ready(store)
    connection = sqlite3.connect(tmp_path / "s.sqlite3")
    blobs = [row[0] for row in connection.execute("SELECT vector FROM twelvelabs_vectors ORDER BY row")]
    connection.close()
    assert blobs == [row.astype("<f4").tobytes() for row in segments.vectors]


def test_connections_that_a_server_closed_are_replaced(postgres_server: str) -> None:
    with postgres.schema(postgres_server) as location, SegmentStore(location) as store:
        put_intent(store)
        for _ in range(8):  # often enough for the driver to prepare what it may
            must_find(store)
            store.beat()
        postgres.end_sessions(location)
        assert must_find(store).state == "intent"
        postgres.end_sessions(location)
        store.beat()


def test_the_url_of_another_driver_is_used_with_that_of_the_extra(postgres_server: str) -> None:
    with (
        postgres.schema(postgres_server) as location,
        SegmentStore(location.replace("+psycopg:", "+psycopg2:")) as store,
    ):
        put_intent(store)
        assert must_find(store).state == "intent"


def test_while_a_server_refuses_connections_its_store_says_so(postgres_server: str) -> None:
    with postgres.schema(postgres_server) as location:
        url = make_url(location)
        role = f"{url.query['application_name']}_role"
        postgres.execute(location, f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'hunter2'")
        own = url.set(username=role, password="hunter2").render_as_string(hide_password=False)
        with SegmentStore(own) as store:
            put_intent(store)
            postgres.execute(location, f"ALTER ROLE {role} NOLOGIN")
            postgres.end_sessions(location)
            for call in (store.beat, lambda: must_find(store)):
                with pytest.raises(ConfigurationError, match="cannot be used") as caught:
                    call()
                assert "hunter2" not in str(caught.value)
            postgres.execute(location, f"ALTER ROLE {role} LOGIN")
            assert must_find(store).state == "intent"
        postgres.execute(location, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
