"""Locations of a SegmentStore, and its errors for locations and files that it cannot use."""

import multiprocessing
import os
import random
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.pool import QueuePool

from twelvelabs_core import Client
from twelvelabs_core.base.errors import ConfigurationError, TwelveLabsError
from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.store import connections, database
from twelvelabs_core.store.location import explain
from twelvelabs_core.store.schema import SCHEMA_VERSION
from twelvelabs_core.store.store import SegmentStore
from twelvelabs_sandbox import Sandbox

VECTORS = 300
OPEN_FILES = Path("/proc/self/fd")
CLIP = SegmentPosition(0, 1, "visual", "clip")


def fill(path: Path) -> Segments:
    """Write a store with one ready task, named by ids 0 to 299."""
    values = np.random.default_rng(1).standard_normal((VECTORS, 64), dtype=np.float32)
    segments = Segments(values, [SegmentPosition(row, row + 1, "visual", "clip") for row in range(VECTORS)])
    with SegmentStore(path) as store:
        put_intent(store)
        store.put_result("key", segments, duration_sec=300.0)
        store.add_aliases("key", [(str(row), row) for row in range(VECTORS)], source="match.mp4")
    return segments


def filled(path: Path) -> Path:
    """Write a store with one ready task; return its path."""
    fill(path)
    return path


def put_intent(store: SegmentStore) -> bool:
    return store.put_intent("key", space="s", content="c", model="m", params={}, source="match.mp4", account="a")


def message_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert "sqlalche.me" not in str(caught.value)
    return str(caught.value)


# Locations.


def test_new_file_is_private_and_leaves_no_other_files(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "s.sqlite3"
    old = os.umask(0)
    try:
        with SegmentStore(path) as store:
            put_intent(store)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["s.sqlite3"]


def test_no_file_of_a_store_is_ever_readable_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: dict[str, int] = {}

    def note_modes(*_: object) -> None:
        for entry in tmp_path.iterdir():
            modes[entry.name.rpartition("-")[2]] = stat.S_IMODE(entry.stat().st_mode)

    link = os.link

    def note_and_link(*arguments: Any) -> None:
        note_modes()
        link(*arguments)

    monkeypatch.setattr(os, "link", note_and_link)
    event.listen(Engine, "commit", note_modes)
    try:
        fill(tmp_path / "s.sqlite3")
    finally:
        event.remove(Engine, "commit", note_modes)
    assert {"journal", "s.sqlite3"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_the_mode_of_a_file_that_was_shared_with_a_group_stays(tmp_path: Path) -> None:
    fill(tmp_path / "s.sqlite3")
    (tmp_path / "s.sqlite3").chmod(0o660)
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        store.put_digest("/a", 1, 1, "aa")
    assert stat.S_IMODE((tmp_path / "s.sqlite3").stat().st_mode) == 0o660


@pytest.mark.parametrize("name", ["a b.sqlite3", "50%?x=1#y.sqlite3", "café.sqlite3", b"caf\xe9.sqlite3"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str | bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    fill(path)
    assert path.is_file()
    with SegmentStore(path) as store:
        assert store.info().vectors == VECTORS


def test_a_location_stays_when_the_working_directory_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SegmentStore("s.sqlite3")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    put_intent(store)
    assert (tmp_path / "s.sqlite3").is_file()


@pytest.mark.parametrize("name", ["file/s.sqlite3", "file/deeper/s.sqlite3", "folder", "loop", "n" * 256])
def test_unwritable_location_raises_naming_the_variable(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    message = message_of(lambda: put_intent(SegmentStore(tmp_path / name)))
    assert str(tmp_path / name) in message
    assert "TWELVELABS_STORE" in message


def write_without_rights(path: Path, answers: "multiprocessing.Queue[str]") -> None:
    os.setuid(65534)
    try:
        put_intent(SegmentStore(path))
        answers.put("written")
    except TwelveLabsError as error:
        answers.put(f"{type(error).__name__}: {error}")


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and Unix permissions")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_missing_write_permission_raises_with_the_reason(what: str) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become a user without rights")
    shared = Path(tempfile.mkdtemp())  # pytest's folders are private to the user
    shared.chmod(0o755)
    try:
        if what == "file":
            fill(shared / "s.sqlite3")
            (shared / "s.sqlite3").chmod(0o644)
        context = multiprocessing.get_context("fork")
        answers: multiprocessing.Queue[str] = context.Queue()
        child = context.Process(target=write_without_rights, args=(shared / "s.sqlite3", answers))
        child.start()
        answer = answers.get(timeout=60)
        child.join(60)
    finally:
        shutil.rmtree(shared)
    assert answer.startswith("ConfigurationError")
    assert "TWELVELABS_STORE" in answer


def load_without_rights(
    store: Path, video_path: Path, base_url: str, key: str, answers: "multiprocessing.Queue[Any]"
) -> None:
    os.setuid(65534)
    try:
        client = Client(key, base_url=base_url, store=store)
        found = client.segment_video(video_path, source="video", embedding_option=["visual"])
        records = client.register(found)
        vectors = client.find_vectors([record.segment_id for record in records])
        answers.put((found.reused, len(records), len(vectors)))
        for change in (
            lambda: client.segment_video(video_path, source="video", embedding_option=["audio"]),
            lambda: client.segment_video(video_path.read_bytes() + b"\0\0\0\x08free", source="other"),
            lambda: client.register(found, id_namespace="other"),
        ):
            try:
                change()
                answers.put("written")
            except TwelveLabsError as error:
                answers.put(f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  # what the test must show
        answers.put(repr(error))


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and Unix permissions")
def test_read_only_store_can_be_read_and_refuses_paid_work(video_path: Path, sandbox: Sandbox) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become a user without rights")
    shared = Path(tempfile.mkdtemp())  # pytest's folders are private to the user
    shared.chmod(0o755)
    try:
        copy = Path(shutil.copy(video_path, shared / "video.mp4"))
        with Client(sandbox.api_key, base_url=sandbox.base_url, store=shared / "s.sqlite3") as client:
            wrote = client.register(client.segment_video(copy, source="video", embedding_option=["visual"]))
        (shared / "s.sqlite3").chmod(0o644)
        before = sorted(shared.iterdir())
        sandbox.clear_requests()
        context = multiprocessing.get_context("fork")
        answers: multiprocessing.Queue[Any] = context.Queue()
        arguments = (shared / "s.sqlite3", copy, sandbox.base_url, sandbox.api_key, answers)
        child = context.Process(target=load_without_rights, args=arguments)
        child.start()
        assert answers.get(timeout=60) == (True, len(wrote), len(wrote))
        for _ in range(3):
            refused = answers.get(timeout=60)
            assert refused.startswith("ConfigurationError"), refused
            assert "it cannot be written" in refused
            assert "TWELVELABS_STORE" in refused
        child.join(60)
        assert sorted(shared.iterdir()) == before
        assert sandbox.count("POST") == 0
    finally:
        shutil.rmtree(shared)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\x00b.sqlite3", "contains a NUL character or a lone surrogate"),
        ("\ud800.sqlite3", "contains a NUL character or a lone surrogate"),
        ("mysql://root:hunter2@127.0.0.1/db", "cannot use 'mysql'"),
        ("postgresql+asyncpg://root:hunter2@127.0.0.1/db", "cannot use 'postgresql+asyncpg'"),
        ("postgresql://root:hunter2@127.0.0.1:port/db", "cannot be parsed"),
        ("sqlite:///s.sqlite3?mode=ro&password=hunter2", "without host and options"),
    ],
)
def test_unknown_kind_of_location_is_refused(location: str, expected: str) -> None:
    message = message_of(lambda: SegmentStore(location))
    assert expected in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "location",
    [
        "postgresql+psycopg://root:hunter2@127.0.0.1:9/db",
        "postgres://root@127.0.0.1:9/db?password=hunter2&sslpassword=hunter2",
    ],
)
def test_a_servers_password_is_never_shown(location: str) -> None:
    store = SegmentStore(location)
    assert "127.0.0.1:9" in store.location
    message = message_of(lambda: put_intent(store))  # no server there, or no driver
    assert store.location in message
    for text in (store.location, repr(store), message):
        assert "hunter2" not in text


# Files.


def copy_in_use(path: Path, folder: Path) -> Path:
    """Copy a store in WAL mode while a process has it open: what is left of it when that process is killed."""
    folder.mkdir()
    with SegmentStore(path) as store, closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT count(*) FROM twelvelabs_meta").fetchall()
        put_many(store, 3)
        for ending in ("", "-wal", "-shm"):
            shutil.copyfile(f"{path}{ending}", folder / f"{path.name}{ending}")
    return folder / path.name


def copy_in_transaction(path: Path, folder: Path) -> Path:
    """Copy a store while a process is changing it: what is left of it when that process is killed."""
    folder.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA cache_size=1")  # so that changes are in the file before the commit
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE twelvelabs_vectors SET vector = zeroblob(256)")
        for ending in ("", "-journal"):
            shutil.copyfile(f"{path}{ending}", folder / f"{path.name}{ending}")
        other.execute("ROLLBACK")
    return folder / path.name


def put_many(store: SegmentStore, count: int) -> None:
    for _ in range(count):
        number = len(store.sources())
        values: dict[str, Any] = {"space": "s", "content": "c", "model": "m", "params": {}, "account": "a"}
        store.put_intent(str(number), source=f"{number}.mp4", **values)
        store.put_result(str(number), Segments(np.ones((50, 64), np.float32), [CLIP] * 50), duration_sec=300.0)


def is_in_wal_mode(path: Path) -> bool:
    return path.read_bytes()[18:20] == b"\x02\x02"


def test_changes_of_a_killed_process_are_rolled_back(tmp_path: Path) -> None:
    segments = fill(tmp_path / "s.sqlite3")
    left = copy_in_transaction(tmp_path / "s.sqlite3", tmp_path / "left")
    assert segments.vectors[7].tobytes() not in left.read_bytes()
    with SegmentStore(left) as store:
        assert store.load_result("key")[0] == segments
        assert [entry.name for entry in left.parent.iterdir()] == [left.name]


@pytest.mark.parametrize("results", [0, 1, 4])
def test_log_of_a_killed_process_is_applied_and_the_file_leaves_wal_mode(tmp_path: Path, results: int) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with SegmentStore(path) as store:
        put_many(store, results)
    left = copy_in_use(path, tmp_path / "left")
    halfway = copy_in_use(left, tmp_path / "halfway")
    with closing(sqlite3.connect(left)) as connection:  # as if killed while the log was copied to the file
        connection.execute("PRAGMA journal_mode=DELETE")
    halfway.write_bytes(left.read_bytes())
    for copy in (left, halfway):
        with SegmentStore(copy) as store:
            assert store.info().tasks == {"ready": 7 + results}
            assert [entry.name for entry in copy.parent.iterdir()] == [copy.name]
        assert not is_in_wal_mode(copy)


def test_store_in_wal_mode_is_converted_when_no_other_process_has_it_open(tmp_path: Path) -> None:
    path = filled(tmp_path / "s.sqlite3")
    with SegmentStore(path) as store:
        for _ in range(2):  # nothing forbids another program to change the mode back
            with closing(sqlite3.connect(path)) as other:
                assert other.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
                other.execute("SELECT count(*) FROM twelvelabs_meta").fetchall()
                put_many(store, 1)
                pool = store._database._engines[os.getpid()].pool
                assert isinstance(pool, QueuePool)
                assert pool.checkedin() == 0  # an idle connection in this mode has locks, which a child would inherit
            put_many(store, 1)
            assert not is_in_wal_mode(path)
            assert connections_to(path) == 1
            assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
        assert store.info().tasks == {"ready": 5}


def connections_to(path: Path) -> int:
    """Count the connections of this process to a file."""
    if not OPEN_FILES.exists():
        pytest.skip("this system does not list the open files of a process")
    names = [entry.readlink() for entry in OPEN_FILES.iterdir() if entry.is_symlink()]
    return names.count(path)


def count_without_rights(path: Path, answers: "multiprocessing.Queue[Any]") -> None:
    os.setuid(65534)
    try:
        with SegmentStore(path) as store:
            answers.put((store.info().tasks, store.load_result("key")[0].vectors.sum()))
            put_intent(store)
    except TwelveLabsError as error:
        answers.put(str(error))


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and Unix permissions")
@pytest.mark.parametrize("left", ["log", "log without index", "journal"])
def test_read_only_store_of_a_killed_process_can_be_read(left: str) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become a user without rights")
    shared = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    shared.chmod(0o755)
    try:
        segments = fill(shared / "s.sqlite3")
        copy = copy_in_transaction if left == "journal" else copy_in_use
        path = copy(shared / "s.sqlite3", shared / "left")
        if left == "log without index":
            Path(f"{path}-shm").unlink()
        before = sorted(path.parent.iterdir())
        answers: multiprocessing.Queue[Any] = multiprocessing.get_context("fork").Queue()
        child = multiprocessing.get_context("fork").Process(target=count_without_rights, args=(path, answers))
        child.start()
        assert answers.get(timeout=60) == ({"ready": 1 if left == "journal" else 4}, segments.vectors.sum())
        assert "it cannot be written" in answers.get(timeout=60)
        child.join(60)
        assert sorted(path.parent.iterdir()) == before
    finally:
        shutil.rmtree(shared)


def test_drafts_of_killed_processes_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    names = ["a1b2c3_d.new", "a1b2c3_d.new-wal", "young123.new"]
    for name in names:
        (tmp_path / f".s.sqlite3.{name}").touch()
        os.utime(tmp_path / f".s.sqlite3.{name}", (0, 0))
    (tmp_path / ".s.sqlite3.young123.new").touch()
    others = [".other.sqlite3.a1b2c3_d.new", ".s.sqlite3.backup.new.of.mine"]
    for name in others:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    put_intent(SegmentStore(path))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*others, ".s.sqlite3.young123.new", path.name])


def test_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite3").touch()
    message = message_of(lambda: put_intent(SegmentStore(tmp_path / "s.sqlite3")))
    assert "the file is empty. If you made it yourself, delete it" in message
    assert "never overwritten" not in message
    assert (tmp_path / "s.sqlite3").stat().st_size == 0


@pytest.mark.parametrize("content", [b"x", b"A video, not a store.\n" * 500])
def test_a_file_of_another_format_is_refused_and_unchanged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.sqlite3").write_bytes(content)
    assert "not a SQLite database" in message_of(lambda: put_intent(SegmentStore(tmp_path / "s.sqlite3")))
    assert (tmp_path / "s.sqlite3").read_bytes() == content


def test_a_database_of_another_program_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")
    before = path.read_bytes()
    assert "not a segment store" in message_of(lambda: put_intent(SegmentStore(path)))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (str(SCHEMA_VERSION + 1), f"written by a newer release; this release reads versions up to {SCHEMA_VERSION}"),
        ("99", "it has version 99, written by a newer release"),
        ("0", "its version is '0', which no release writes"),
        ("", "its version is '', which no release writes"),
        ("2.5", "its version is '2.5', which no release writes"),
    ],
)
def test_a_store_of_an_unknown_version_is_refused_and_unchanged(tmp_path: Path, version: str, reason: str) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE twelvelabs_meta SET value = ? WHERE name = 'version'", (version,))
    before = path.read_bytes()
    message = message_of(lambda: put_intent(SegmentStore(path)))
    assert reason in message
    assert ("Upgrade twelvelabs-rag" in message) == ("newer" in reason)
    assert "TWELVELABS_STORE" in message
    assert path.read_bytes() == before


def test_a_store_that_lacks_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE twelvelabs_aliases")
    assert "twelvelabs_aliases are missing" in message_of(lambda: put_intent(SegmentStore(path)))


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.001, 0.1, 0.3, 0.5, 0.9, 0.999, 0.9999999])
def test_truncated_file_raises_and_is_unchanged(tmp_path: Path, share: float) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    before = path.read_bytes()
    for use in (put_intent, SegmentStore.info, SegmentStore.sources):
        message = message_of(partial(use, SegmentStore(path)))
        assert str(path) in message
        assert "TWELVELABS_STORE" in message
    assert path.read_bytes() == before


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_file_with_missing_pages_raises(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - lost * database.PAGE_BYTES)
    message = message_of(lambda: put_intent(SegmentStore(path)))
    assert "the file is damaged or truncated" in message
    assert "TWELVELABS_STORE" in message


def test_a_flipped_bit_in_a_vector_is_found(tmp_path: Path) -> None:
    good = tmp_path / "good.sqlite3"
    segments = fill(good)
    stored = good.read_bytes()
    random_places = random.Random(7)  # noqa: S311  # not a secret
    for _ in range(50):
        row = random_places.randrange(VECTORS)
        place = stored.index(segments.vectors[row].tobytes()) + random_places.randrange(64 * 4)
        flipped = stored[place] ^ 1 << random_places.randrange(8)
        path = tmp_path / "bad.sqlite3"
        path.write_bytes(stored[:place] + bytes([flipped]) + stored[place + 1 :])
        with SegmentStore(path) as store:
            assert "are damaged" in message_of(partial(store.load_result, "key"))
            assert "are damaged" in message_of(partial(store.find_vectors, [str(row)]))


@pytest.mark.parametrize("value", [b"", b"\x00" * 4, b"\x00" * 256, b"\x00" * 257, "text"])
def test_changed_vector_raises_with_advice(tmp_path: Path, value: bytes | str) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE twelvelabs_vectors SET vector = ? WHERE row = 7", (value,))
    with SegmentStore(path) as store:
        for use in (lambda: store.load_result("key"), lambda: store.find_vectors(["6", "7"])):
            assert "call delete_task('key')" in message_of(use)
        assert list(store.find_vectors(["6", "8"])) == ["6", "8"]
        assert store.delete_task("key").vectors == VECTORS
        assert put_intent(store)


def test_a_missing_row_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM twelvelabs_vectors WHERE row = 7")
    with SegmentStore(path) as store:
        assert "are damaged" in message_of(lambda: store.load_result("key"))


def test_file_deleted_while_in_use_raises_and_is_not_recreated(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with SegmentStore(path) as store:
        put_intent(store)
        path.unlink()
        assert "was removed while in use, or its folder is read-only" in message_of(lambda: store.find_task("key"))
    assert not path.exists()


@pytest.mark.parametrize("copy", [copy_in_transaction, copy_in_use])
def test_journal_of_a_removed_file_is_not_applied_to_a_new_one(tmp_path: Path, copy: Callable[..., Path]) -> None:
    left = copy(filled(tmp_path / "s.sqlite3"), tmp_path / "left")
    left.unlink()
    name = "s.sqlite3-journal" if copy is copy_in_transaction else "s.sqlite3-wal"
    message = message_of(lambda: put_intent(SegmentStore(left)))
    assert f"s.sqlite3 was removed, and {name} was not" in message
    assert f"move {name} away" in message
    (left.parent / name).unlink()
    assert put_intent(SegmentStore(left))


def test_file_that_is_replaced_while_in_use_is_opened_again(tmp_path: Path) -> None:
    path, other = filled(tmp_path / "s.sqlite3"), tmp_path / "other.sqlite3"
    with SegmentStore(other) as store:
        put_many(store, 1)
    with SegmentStore(path) as store:
        assert store.info().tasks == {"ready": 1}
        other.replace(path)
        assert store.info().sources == 1
        assert store.find_task("key") is None
        assert put_intent(store)
    with SegmentStore(path) as store:
        assert store.info().tasks == {"ready": 1, "intent": 1}


def test_one_connection_stays_open_between_transactions(tmp_path: Path) -> None:
    path = filled(tmp_path / "s.sqlite3")
    with SegmentStore(path) as store:
        with ThreadPoolExecutor(64) as pool:
            states = list(pool.map(lambda _: store.info().tasks, range(64)))
        assert states == [{"ready": 1}] * 64
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
        assert connections_to(path) == 1
    assert connections_to(path) == 0


def test_store_that_is_closed_during_a_transaction_closes_its_connection_after_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "s.sqlite3")
    store = SegmentStore(path)
    with store._database.reading():
        store.close()
        assert connections_to(path) == 1
    assert connections_to(path) == 0


def test_thread_that_waits_too_long_for_another_raises_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SEC", 0.2)
    with SegmentStore(filled(tmp_path / "s.sqlite3")) as store, ThreadPoolExecutor(1) as pool:
        with store._database.reading():
            message = message_of(pool.submit(store.info).result)
        assert "other threads of this process used it for too long" in message
        assert store.info().tasks == {"ready": 1}


def test_locked_store_raises_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SEC", 0.2)
    path = tmp_path / "s.sqlite3"
    fill(path)
    with SegmentStore(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        message = message_of(lambda: store.put_digest("/a", 1, 1, "aa"))
        assert "another process kept it locked for too long" in message
        assert store.load_result("key")[1] == 300.0  # readers do not wait for a writer
        other.execute("ROLLBACK")
        store.put_digest("/a", 1, 1, "aa")
        assert store.find_digest("/a", 1, 1) == "aa"


def test_store_is_created_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    fill(tmp_path / "s.sqlite3")
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.sqlite3"]
    with SegmentStore(tmp_path / "s.sqlite3") as store:
        assert store.info().vectors == VECTORS


def test_disk_error_mentions_a_full_disk() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_WRITE"
    reason, advice = explain(error)
    assert "or is full (disk I/O error)" in reason
    assert advice.startswith("Free disk space")
