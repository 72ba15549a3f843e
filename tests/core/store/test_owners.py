"""The owner of an intent: while its process beats it is waited for; after a time without beats it is replaced."""

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.core import postgres
from tests.core.conftest import Connect
from tests.core.ingest.test_recovery import TASKS, paid, states
from tests.core.surface import Surface
from twelvelabs_core import SegmentStore, TaskEntry, TaskTimeoutError
from twelvelabs_core.store import connections, owners
from twelvelabs_sandbox import Sandbox

VALUES: dict[str, Any] = {"space": "s", "content": "c", "model": "m", "params": {}, "source": "a", "account": "x"}
ELSEWHERE = "another-host/1/12345678"


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path / "s.sqlite3")


def seen(store: SegmentStore) -> TaskEntry:
    entry = store.find_task("key")
    assert entry is not None
    return entry


def as_process(name: str, monkeypatch: pytest.MonkeyPatch, *calls: Any) -> None:
    """Call functions as another process would."""
    with monkeypatch.context() as patch:
        patch.setattr("twelvelabs_core.store.journal.owner", lambda: name)
        patch.setattr("twelvelabs_core.store.owners.owner", lambda: name)
        for call in calls:
            call()


def check_is_kept(store: SegmentStore) -> None:
    assert not store.is_abandoned(seen(store))
    assert not store.put_intent("key", **VALUES, replacing=seen(store))


def check_is_replaced_without_beats(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "SILENT_AFTER_SEC", 0.0)
    assert store.is_abandoned(seen(store))
    assert store.put_intent("key", **VALUES, replacing=seen(store))


def test_own_intent_is_abandoned(store: SegmentStore) -> None:
    store.put_intent("key", **VALUES)
    assert store.is_abandoned(seen(store))


def test_process_that_waits_to_write_is_not_silent() -> None:
    assert owners.SILENT_AFTER_SEC >= connections.BUSY_TIMEOUT_SEC + 2 * owners.BEAT_SEC


def test_intent_of_a_silent_process_is_abandoned(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    as_process(ELSEWHERE, monkeypatch, store.beat, lambda: store.put_intent("key", **VALUES))
    check_is_kept(store)
    check_is_replaced_without_beats(store, monkeypatch)


def test_clocks_of_machines_do_not_matter_on_a_server(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres.schema(postgres_server) as location, SegmentStore(location) as store:
        real = time.time
        for offset in (-3600.0, 3600.0):
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", lambda offset=offset: real() + offset)
                as_process(ELSEWHERE, monkeypatch, store.beat, lambda: store.put_intent("key", **VALUES))
            check_is_kept(store)
        check_is_replaced_without_beats(store, monkeypatch)
        monkeypatch.setattr(owners, "KEPT_SEC", 0.0)
        store.beat()
        with store._database.reading() as connection:
            names = connection.exec_driver_sql("SELECT name FROM twelvelabs_meta").scalars().all()
        assert not [name for name in names if ELSEWHERE in name]


def test_process_with_own_entries_replaces_the_intent_of_an_ended_one(
    store: SegmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_process(ELSEWHERE, monkeypatch, lambda: store.put_intent("key", **VALUES))
    store.beat()
    store.put_intent("own", **VALUES)
    assert store.put_intent("key", **VALUES, replacing=seen(store))


def test_process_beats_while_it_creates_tasks(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "BEAT_SEC", 0.05)
    beats: list[float] = []
    monkeypatch.setattr(SegmentStore, "beat", lambda _: beats.append(time.monotonic()))
    with store.creating(), store.creating():
        while len(beats) < 3:
            time.sleep(0.01)
    while any(thread.name == "twelvelabs-beat" for thread in threading.enumerate()):
        time.sleep(0.01)
    with store.creating():  # and again
        while len(beats) < 6:
            time.sleep(0.01)


def test_rows_of_ended_processes_are_deleted(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> int:
        with store._database.reading() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM twelvelabs_meta").scalar_one())

    before = (store.info(), rows())[1]
    as_process(ELSEWHERE, monkeypatch, store.beat)
    assert rows() == before + 1
    monkeypatch.setattr(owners, "KEPT_SEC", 0.0)
    monkeypatch.setattr(owners, "BEAT_SEC", 0.01)
    store.beat()
    with store.creating():
        pass
    while any(thread.name == "twelvelabs-beat" for thread in threading.enumerate()):
        time.sleep(0.01)
    assert rows() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_beats_for_itself(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "BEAT_SEC", 0.05)
    with store.creating():
        child = os.fork()
        if child == 0:
            beats: list[None] = []
            SegmentStore.beat = lambda _: beats.append(None)  # type: ignore[method-assign]
            with store.creating():
                while not beats:
                    time.sleep(0.01)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


async def leave_intent(client: Surface, video_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the intent of the video's work as another process would have, just now."""
    with monkeypatch.context() as patch:
        for module in ("journal", "owners"):
            patch.setattr(f"twelvelabs_core.store.{module}.owner", lambda: writer)
        put = SegmentStore.put_intent

        def put_and_stop(*args: Any, **kwargs: Any) -> bool:
            put(*args, **kwargs)
            raise InterruptedError

        patch.setattr(SegmentStore, "put_intent", put_and_stop)
        with pytest.raises(InterruptedError):
            await client.segment_video(video_path)


async def test_beating_process_is_waited_for(
    client: Surface,
    video_path: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "twelvelabs_core")
    await leave_intent(client, video_path, ELSEWHERE, monkeypatch)
    with pytest.raises(TaskTimeoutError, match="another process") as caught:
        await client.segment_video(video_path, timeout=0.2)
    assert caught.value.task_id is None
    assert "waiting for another process, which is creating its task" in caplog.text
    assert sandbox.count("POST", TASKS) == 0


async def test_create_of_a_killed_container_is_continued(
    connect: Connect, video_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its settings, a create may take ten minutes."""
    client = connect(timeout=1.0, max_retries=4, max_retry_wait=60.0)
    await leave_intent(client, video_path, ELSEWHERE, monkeypatch)
    monkeypatch.setattr(owners, "SILENT_AFTER_SEC", 0.5)
    await asyncio.sleep(0.6)
    assert not (await client.segment_video(video_path, timeout=20)).reused
    assert (paid(sandbox), states(client)) == (1, {"ready": 1})
