"""Stores written by earlier releases: they open with everything that was paid for, and a newer schema is refused.

The files in `old_schemas` are dumps of stores filled by earlier versions of this package. They never change.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, inspect

from tests.core import postgres
from tests.core.store.test_store_processes import in_fork, needs_fork
from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.results.segments import SegmentPosition, Segments
from twelvelabs_core.results.transcript import Word
from twelvelabs_core.store.schema import SCHEMA_VERSION
from twelvelabs_core.store.store import SegmentStore

DUMPS = Path(__file__).parent / "old_schemas"
SQLITE_DUMPS = [
    "version_1_sqlite",
    "version_1_sqlite_without_uploads",
    *(f"version_{number}_sqlite" for number in (2, 3, 4)),
]
VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
LOCI = [SegmentPosition(row * 1.5, row * 1.5 + 1.5, "visual", "clip") for row in range(3)]


def build(path: Path, dump: str) -> Path:
    """Make a SQLite file from a dump."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size=16384")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript((DUMPS / f"{dump}.sql").read_text(encoding="utf-8"))
    return path


def build_postgres(url: str) -> str:
    engine = create_engine(url)
    with engine.begin() as connection:
        dump = (DUMPS / "version_1_postgresql.sql").read_text(encoding="utf-8")
        for statement in dump.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    return url


def version_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT value FROM twelvelabs_meta WHERE name = 'version'").fetchone()[0])


def assert_has_paid_work(store: SegmentStore) -> None:
    """Check the content of all old stores: an entry in each state, three named vectors, and data about media."""
    assert store.load_result("ready") == (Segments(VALUES, LOCI), 4.5)
    found = store.find_vectors(["id-0", "id-1", "id-2"])
    assert [found[f"id-{row}"].vector.tolist() for row in range(3)] == VALUES.tolist()
    assert [(found[f"id-{row}"].position, found[f"id-{row}"].source) for row in range(3)] == [
        (position, "match.mp4") for position in LOCI
    ]
    assert store.find_titles(["match.mp4"]) == {}  # not known of what earlier versions registered
    entries = {key: store.find_task(key) for key in ("ready", "processing", "intent", "failed")}
    assert all(entry is not None and entry.state == key for key, entry in entries.items())
    assert [entry.task_id for entry in entries.values() if entry] == ["t1", "t3", None, "t5"]
    paid = {payment.source: (payment.minutes, payment.unknown) for payment in store.usage()}
    assert (paid["match.mp4"], paid["long.mp4"], paid["broken.mp4"]) == ((4.5 / 60, 0), (0.0, 1), (0.0, 1))
    assert "new.mp4" not in paid
    assert store.find_digest("/videos/match.mp4", 7, 1_700_000_000_123_456_789) == "aa"
    assert store.find_url("https://example.com/a.mp4") == ("sha256:1", '"etag"')
    assert store.find_asset("sha256:1", "me") == "a1"
    assert store.sources()["match.mp4"] == 3
    assert store.info().version == SCHEMA_VERSION
    assert store.journal_name == store.journal_name


def assert_has_later_tables(store: SegmentStore) -> None:
    """Check the content of later stores of version 1: uncertainty, an upload, transcripts and a journal name."""
    assert store.load_result("uncertain") == (Segments(VALUES[:2], LOCI[:2], VALUES[:2] / 2), 3.0)
    upload = store.find_upload("sha256:6", "me")
    assert upload is not None
    assert (upload.upload_id, upload.chunk_size, upload.options) == ("u1", 5 * 2**20, {"filename": "a.mp4"})
    assert store.find_transcript("sha256:1", "sandbox") == (Word(0.0, 0.5, "goal"),)
    assert store.find_transcript("sha256:2", "sandbox") == ()
    assert store.find_transcript("sha256:1", "twelvelabs") is None
    pending = store.find_pending_transcript("sha256:1", "twelvelabs")
    assert pending is not None
    assert (pending[0], pending[1] > 1.79e9) == ("a1", True)


def assert_writable(store: SegmentStore) -> None:
    """Write to an upgraded store: finish the processing task, replace the failed one, delete a source."""
    store.put_result("processing", Segments(VALUES, LOCI), duration_sec=4.5)
    store.add_aliases("processing", [("new", 2)], source="long.mp4", title="a  long\nmatch")
    assert store.find_titles(["long.mp4", "match.mp4"]) == {"long.mp4": {"a long match"}}
    assert store.find_heads("a long match") == {"a long match | 0:03.0-0:04.5 | visual"}
    assert store.find_heads("match.mp4") == set()
    assert store.find_vectors(["new"])["new"].vector.tolist() == VALUES[2].tolist()
    intent = {"space": "s", "content": "c", "model": "m", "params": {}, "source": "broken.mp4", "account": "me"}
    assert store.put_intent("failed", **intent)  # type: ignore[arg-type]
    store.put_upload("sha256:7", "me", upload_id="u", asset_id="a", chunk_size=1, upload_headers={}, options={})
    store.put_pending_transcript("sha256:7", "sandbox", "a")
    assert store.forget("match.mp4").vectors == 3
    assert store.find_vectors(["id-0"]) == {}


def shape_of(url: str) -> dict[str, Any]:
    """Return the tables, columns, keys and indexes of a database."""
    engine = create_engine(url)
    found = inspect(engine)
    shape = {
        name: (
            [
                (column["name"], column["type"].python_type.__name__, column["nullable"])
                for column in found.get_columns(name)
            ],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(name)),
            sorted((index["name"], index["column_names"]) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
    }
    engine.dispose()
    return shape


@pytest.fixture(params=[*SQLITE_DUMPS, "version_1_postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The name of a dump and the location of a store made from it."""
    with ExitStack() as opened:
        if request.param in SQLITE_DUMPS:
            yield request.param, f"sqlite:///{build(tmp_path / 'old.sqlite3', request.param)}"
        else:
            url = opened.enter_context(postgres.schema(request.getfixturevalue("postgres_server")))
            yield request.param, build_postgres(url)


def test_an_old_store_opens_with_everything_and_can_be_written(old: tuple[str, str]) -> None:
    dump, location = old
    with SegmentStore(location) as store:
        assert_has_paid_work(store)
        if "without" not in dump:
            assert_has_later_tables(store)
    with SegmentStore(location) as store:  # and again, from the upgraded file
        assert_has_paid_work(store)
        assert_writable(store)


def test_an_upgraded_store_has_the_tables_of_a_new_one(
    old: tuple[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as opened:
        new = f"sqlite:///{tmp_path / 'new.sqlite3'}"
        if old[1].startswith("postgresql"):
            new = opened.enter_context(postgres.schema(request.getfixturevalue("postgres_server")))
        for location in (old[1], new):
            opened.enter_context(SegmentStore(location)).info()
        assert shape_of(old[1]) == shape_of(new)


def test_the_name_of_a_journal_survives_the_upgrade(tmp_path: Path) -> None:
    with SegmentStore(build(tmp_path / "old.sqlite3", "version_1_sqlite")) as store:
        assert store.journal_name in (DUMPS / "version_1_sqlite.sql").read_text(encoding="utf-8")


@pytest.mark.slow
def test_concurrent_opens_upgrade_an_old_file_once(old: tuple[str, str]) -> None:
    def open_and_read(_: int) -> None:
        with SegmentStore(old[1]) as store:
            assert_has_paid_work(store)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_and_read, range(6)))


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = build(tmp_path / "old.sqlite3", "version_1_sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX ix_twelvelabs_segments_source")  # a late step fails
        before = list(connection.iterdump())
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"its tables are not those .* Restore the file from a backup"):
            SegmentStore(path).info()
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before


def test_an_earlier_release_refuses_an_upgraded_file(tmp_path: Path) -> None:
    path = build(tmp_path / "old.sqlite3", "version_1_sqlite")
    SegmentStore(path).info()
    assert version_of(path) == str(SCHEMA_VERSION)  # releases of version 1 refuse any version but "1"
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("SELECT * FROM twelvelabs_segments")  # a process that opened it before finds no table


def test_old_file_that_becomes_writable_is_upgraded_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build(tmp_path / "old.sqlite3", "version_2_sqlite")
    with SegmentStore(path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda *_: False)
            assert_has_paid_work(store)
        assert version_of(path) == "2"
        store.put_result("processing", Segments(VALUES, LOCI), duration_sec=4.5)
    assert version_of(path) == str(SCHEMA_VERSION)
    with SegmentStore(path) as store:
        assert store.load_result("processing")[1] == 4.5


def read_as_another_user(work: Callable[[], None]) -> int:
    def become_and_work() -> bool:
        os.setuid(65534)
        work()
        return True

    return in_fork(become_and_work)


@needs_fork
@pytest.mark.skipif(sys.platform == "win32", reason="needs Unix permissions")
@pytest.mark.parametrize("dump", SQLITE_DUMPS)
def test_read_only_old_file_can_be_read(dump: str) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become a user without rights")
    shared = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    try:
        shared.chmod(0o755)
        path = build(shared / "old.sqlite3", dump)
        path.chmod(0o644)
        before = path.read_bytes()

        def work() -> None:
            with SegmentStore(path) as store, ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda _: assert_has_paid_work(store), range(4)))
                store.find_transcript("sha256:1", "sandbox")

        assert read_as_another_user(work) == 0
        assert path.read_bytes() == before
        assert [entry.name for entry in shared.iterdir()] == [path.name]
    finally:
        shutil.rmtree(shared)
