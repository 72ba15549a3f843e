"""The journal as a state machine: random calls in random order through two handles, compared with a model."""

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.core import postgres
from twelvelabs_core import InputError, Segments
from twelvelabs_core.results.segments import SegmentPosition
from twelvelabs_core.store.store import SegmentStore, TaskEntry

DIMENSION = 4
KEYS = ("one", "two")
SOURCES = ("match.mp4", "talk.mp4")
ENDED = ("failed", "expired")
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # a private folder is created in it

keys, source_names, handles = st.sampled_from(KEYS), st.sampled_from(SOURCES), st.integers(0, 1)
ids = st.lists(st.tuples(st.sampled_from([f"id-{n}" for n in range(6)]), st.integers(-1, 4)), max_size=4)


@dataclass
class Entry:
    """The state of a key in the model."""

    source: str
    state: str = "intent"
    task_id: str | None = None
    error: str | None = None
    attempts: int = 1
    writes: int = 0
    segments: Segments | None = None


@dataclass
class Model:
    entries: dict[str, Entry] = field(default_factory=dict)
    aliases: dict[str, tuple[str, int, str]] = field(default_factory=dict)

    def used(self, key: str) -> list[str]:
        return [one for one, (task, _, _) in self.aliases.items() if task == key]

    def drop(self, key: str) -> tuple[int, int, int]:
        """Remove an entry; return the numbers of tasks, vectors and ids removed with it."""
        gone = self.entries.pop(key)
        used = self.used(key)
        for one in used:
            del self.aliases[one]
        return 1, len(gone.segments) if gone.segments is not None else 0, len(used)


def segments_of(count: int, seed: int, *, uncertain: bool) -> Segments:
    random = np.random.default_rng(seed)
    matrices = [random.standard_normal((count, DIMENSION), dtype=np.float32) for _ in range(1 + uncertain)]
    return Segments(
        matrices[0], [SegmentPosition(row, row + 1.0, "visual", "clip") for row in range(count)], *matrices[1:]
    )


class Journal(RuleBasedStateMachine):
    """Two handles of one store and a model; subclasses define the location of the store."""

    def __init__(self) -> None:
        super().__init__()
        self.location = self.open_location()
        self.stores = [SegmentStore(self.location), SegmentStore(self.location)]
        self.model = Model()
        self.seen: list[tuple[str, TaskEntry, Entry, int]] = []

    def open_location(self) -> str:
        raise NotImplementedError

    def close_location(self) -> None:
        raise NotImplementedError

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.close_location()

    @rule(key=keys, source=source_names, handle=handles)
    def intend(self, key: str, source: str, handle: int) -> None:
        self._intend(key, source, handle, replacing=None, may=False)

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), source=source_names, handle=handles)
    def replace_what_was_seen(self, data: st.DataObject, source: str, handle: int) -> None:
        key, entry, known, writes = data.draw(st.sampled_from(self.seen))
        now = self.model.entries.get(key)
        is_unchanged = now is known and now.writes == writes and now.state in ("intent", "processing")
        self._intend(key, source, handle, replacing=entry, may=is_unchanged)

    def _intend(self, key: str, source: str, handle: int, *, replacing: TaskEntry | None, may: bool) -> None:
        known = self.model.entries.get(key)
        written = self.stores[handle].put_intent(
            key,
            space="sandbox/marengo3.0/4",
            content=f"content {key}",
            model="marengo3.0",
            params={"start_sec": 0.5},
            source=source,
            account="account",
            replacing=replacing,
        )
        assert written == (known is None or known.state in ENDED or may)
        if written and known is None:
            self.model.entries[key] = Entry(source)
        elif written:
            assert known is not None
            known.attempts += not (known.state == "failed" and known.task_id is None)  # it had no result
            known.task_id = known.task_id if known.state == "processing" else None  # until the new one is known
            known.source, known.state, known.error = source, "intent", None
            known.writes += 1

    @rule(key=keys, handle=handles)
    def see(self, key: str, handle: int) -> None:
        entry = self.stores[handle].find_task(key)
        if entry is not None:
            known = self.model.entries[key]
            self.seen.append((key, entry, known, known.writes))

    @rule(key=keys, handle=handles, number=st.integers(0, 9))
    def name_task(self, key: str, handle: int, number: int) -> None:
        self._change(
            key,
            lambda: self.stores[handle].put_task_id(key, f"task-{number}"),
            lambda known: known.state == "intent" or known.task_id in (None, f"task-{number}"),
            state="processing",
            task_id=f"task-{number}",
            error=None,
        )

    @rule(key=keys, handle=handles, expired=st.booleans(), number=st.none() | st.integers(0, 9))
    def fail(self, key: str, handle: int, expired: bool, number: int | None) -> None:  # noqa: FBT001  # drawn by name
        task_id = None if number is None else f"task-{number}"

        def is_meant(known: Entry) -> bool:
            if task_id is None:
                return known.state == "intent" or known.task_id is None
            return known.task_id == task_id and known.state != "intent"  # a failure of an earlier task is ignored

        known = self.model.entries.get(key)
        values: dict[str, Any] = {"state": "expired" if expired else "failed", "error": "a reason"}
        if (
            known is not None and task_id is None and known.task_id is not None
        ):  # the task that it was to replace is current again
            values |= {"state": "processing", "attempts": known.attempts - 1}
        self._change(
            key,
            lambda: self.stores[handle].put_failure(key, "a reason", task_id=task_id, expired=expired),
            is_meant,
            **values,
        )

    @rule(key=keys, handle=handles, count=st.integers(0, 3), seed=st.integers(0, 9), uncertain=st.booleans())
    def finish(self, key: str, handle: int, count: int, seed: int, uncertain: bool) -> None:  # noqa: FBT001
        segments = segments_of(count, seed, uncertain=uncertain)
        self._change(
            key,
            lambda: self.stores[handle].put_result(key, segments, duration_sec=float(seed)),
            lambda _: True,
            state="ready",
            error=None,
            segments=segments,
        )

    def _change(self, key: str, act: Any, is_meant: Callable[[Entry], bool], **values: Any) -> None:
        known = self.model.entries.get(key)
        if known is None:
            with pytest.raises(InputError, match="no entry"):
                act()
            return
        act()
        if known.state != "ready" and is_meant(known):
            known.writes += 1
            for name, value in values.items():
                setattr(known, name, value)

    @rule(key=keys, source=source_names, handle=handles, seed=st.integers(0, 9), is_named=st.booleans())
    def pay(self, key: str, source: str, handle: int, seed: int, is_named: bool) -> None:  # noqa: FBT001
        """The usual way to a result, so that many steps act on results."""
        self.intend(key, source, handle)
        self.name_task(key, handle, seed)
        self.finish(key, 1 - handle, 2, seed, uncertain=False)
        segments = self.model.entries[key].segments
        if is_named and segments is not None and len(segments):
            self.name_rows(key, handle, [("id-0", 0)], source)

    @rule(key=keys, handle=handles, rows=ids, source=source_names)
    def name_rows(self, key: str, handle: int, rows: list[tuple[str, int]], source: str) -> None:
        known = self.model.entries.get(key)
        count = len(known.segments) if known is not None and known.segments is not None else 0
        if known is None or any(not 0 <= row < count for _, row in rows):
            with pytest.raises(InputError):
                self.stores[handle].add_aliases(key, rows, source=source)
            return
        self.stores[handle].add_aliases(key, rows, source=source)
        for one, row in sorted(rows):
            self.model.aliases.setdefault(one, (key, row, source))

    @rule(key=keys, handle=handles)
    def delete(self, key: str, handle: int) -> None:
        removed = self.stores[handle].delete_task(key)
        expected = self.model.drop(key) if key in self.model.entries else (0, 0, 0)
        assert (removed.tasks, removed.vectors, removed.segments) == expected

    @rule(source=source_names, handle=handles, vectors=st.booleans())
    def delete_source(self, source: str, handle: int, vectors: bool) -> None:  # noqa: FBT001  # drawn by name
        store = self.stores[handle]
        is_known = source in {place[2] for place in self.model.aliases.values()}
        if not is_known and source not in {entry.source for entry in self.model.entries.values()}:
            with pytest.raises(InputError, match="has no source"):
                store.forget(source) if vectors else store.delete_source(source)
            return
        if vectors:
            planned = store.forget(source, dry_run=True)
            removed = store.forget(source)
            assert planned == removed
        else:
            removed = store.delete_source(source)
        named = {one: place for one, place in self.model.aliases.items() if place[2] == source}
        touched = {place[0] for place in named.values()}
        touched |= {key for key, entry in self.model.entries.items() if entry.source == source}
        for one in named:
            del self.model.aliases[one]
        gone = self._drop(key for key in touched if vectors and self._is_unused(key))
        assert (removed.tasks, removed.vectors, removed.segments) == (gone[0], gone[1], len(named))

    @rule(handle=handles, everything=st.booleans())
    def prune(self, handle: int, everything: bool) -> None:  # noqa: FBT001  # drawn by name
        removed = self.stores[handle].prune(older_than=0 if everything else 3600)
        gone = self._drop(key for key in list(self.model.entries) if everything and self._is_unused(key))
        assert (removed.tasks, removed.vectors, removed.segments) == gone

    def _is_unused(self, key: str) -> bool:
        state = self.model.entries[key].state
        return state in (*ENDED, "ready") and not self.model.used(key)

    def _drop(self, which: Iterator[str]) -> tuple[int, int, int]:
        gone = [self.model.drop(key) for key in list(which)]
        return (sum(one[0] for one in gone), sum(one[1] for one in gone), sum(one[2] for one in gone))

    @rule(handle=handles)
    def open_again(self, handle: int) -> None:
        self.stores[handle].close()
        self.stores[handle] = SegmentStore(self.location)

    @invariant()
    def entries_are_those_of_the_model(self) -> None:
        for key in KEYS:
            entries = [store.find_task(key) for store in self.stores]
            assert entries[0] == entries[1]
            known = self.model.entries.get(key)
            found = None if entries[0] is None else _seen(entries[0])
            assert found == (None if known is None else _expected(known))

    @invariant()
    def results_are_those_that_were_paid_for(self) -> None:
        for key in KEYS:
            known = self.model.entries.get(key)
            if known is None or known.segments is None:
                with pytest.raises(InputError):
                    self.stores[0].load_result(key)
                continue
            loaded, duration = self.stores[1].load_result(key)
            assert np.array_equal(loaded.vectors, known.segments.vectors)
            assert loaded.positions == known.segments.positions
            assert (loaded.uncertainty is None) == (known.segments.uncertainty is None or not len(known.segments))
            assert math.isfinite(duration)

    @invariant()
    def ids_name_their_vectors(self) -> None:
        asked = [f"id-{n}" for n in range(6)]
        found = self.stores[0].find_vectors(asked)
        assert set(found) == set(self.model.aliases)
        for one, (key, row, _) in self.model.aliases.items():
            segments = self.model.entries[key].segments
            assert segments is not None
            assert np.array_equal(found[one].vector, segments.vectors[row])

    @invariant()
    def counts_are_right(self) -> None:
        info = self.stores[1].info()
        states = [entry.state for entry in self.model.entries.values()]
        assert dict(info.tasks) == {state: states.count(state) for state in set(states)}
        assert info.segments == len(self.model.aliases)
        assert info.vectors == sum(len(one.segments or ()) for one in self.model.entries.values())
        counts = {entry.source: 0 for entry in self.model.entries.values()}
        for _, _, source in self.model.aliases.values():
            counts[source] = counts.get(source, 0) + 1
        assert self.stores[0].sources() == dict(sorted(counts.items()))


def _seen(entry: TaskEntry) -> tuple[Any, ...]:
    return entry.source, entry.state, entry.task_id, entry.error, entry.attempts, entry.params


def _expected(known: Entry) -> tuple[Any, ...]:
    return known.source, known.state, known.task_id, known.error, known.attempts, {"start_sec": 0.5}


class OnSqlite(Journal):
    def open_location(self) -> str:
        # In a memory file system if there is one: this tests the logic, not the disk.
        self.folder = tempfile.mkdtemp(
            prefix="journal-", dir=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
        )
        return str(Path(self.folder) / "segments.sqlite3")

    def close_location(self) -> None:
        shutil.rmtree(self.folder)


SETTINGS = settings(
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_an_entry_that_was_deleted_since_replaces_nothing(tmp_path: Path) -> None:
    values: dict[str, Any] = {"space": "s", "content": "c", "model": "m", "params": {}, "source": "a", "account": "x"}
    with SegmentStore(tmp_path / "segments.sqlite3") as store:
        store.put_intent("key", **values)
        seen = store.find_task("key")
        store.delete_task("key")
        assert store.put_intent("key", **values)  # owned by another running process
        assert not store.put_intent("key", **values, replacing=seen)


@pytest.mark.parametrize("examples", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_the_journal_on_sqlite_agrees_with_the_model(examples: int) -> None:
    run_state_machine_as_test(OnSqlite, settings=settings(SETTINGS, max_examples=examples))


@pytest.mark.parametrize("examples", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_the_journal_on_postgresql_agrees_with_the_model(postgres_server: str, examples: int) -> None:
    class OnPostgres(Journal):
        def open_location(self) -> str:
            self.opened = ExitStack()
            return self.opened.enter_context(postgres.schema(postgres_server))

        def close_location(self) -> None:
            self.opened.close()

    run_state_machine_as_test(OnPostgres, settings=settings(SETTINGS, max_examples=examples))
