"""Unfinished uploads in the segment store."""

from pathlib import Path
from typing import Any

import pytest

from twelvelabs_core import SegmentStore

SESSION: dict[str, Any] = {
    "upload_id": "u1",
    "asset_id": "a1",
    "chunk_size": 5 * 2**20,
    "upload_headers": {"Content-Type": "video/mp4"},
    "options": {"filename": "köln\udce9.mp4", "enable_hls": False, "user_metadata": {"tags": ["a"]}},
}


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path / "s.sqlite3")


def test_a_session_is_found_as_it_was_written_by_content_and_account(store: SegmentStore) -> None:
    assert store.find_upload("sha256:1", "me") is None
    store.put_upload("sha256:1", "me", **SESSION)
    found = store.find_upload("sha256:1", "me")
    assert found is not None
    assert {name: getattr(found, name) for name in SESSION} == SESSION
    assert "video/mp4" not in repr(found)
    assert store.find_upload("sha256:1", "you") is None
    assert store.find_upload("sha256:2", "me") is None


def test_later_session_replaces_an_earlier_one(store: SegmentStore) -> None:
    store.put_upload("sha256:1", "me", **SESSION)
    store.put_upload("sha256:1", "me", **(SESSION | {"upload_id": "u2", "asset_id": "a2"}))
    store.drop_upload("a1")
    found = store.find_upload("sha256:1", "me")
    assert found is not None
    assert found.upload_id == "u2"


def test_a_session_ends_when_its_asset_is_known_or_it_is_dropped(store: SegmentStore) -> None:
    store.put_upload("sha256:1", "me", **SESSION)
    store.put_upload("sha256:2", "me", **(SESSION | {"asset_id": "a2"}))
    store.put_asset("sha256:1", "me", "a1")
    store.drop_upload("a2")
    assert store.find_upload("sha256:1", "me") is None
    assert store.find_upload("sha256:2", "me") is None
    assert store.find_asset("sha256:1", "me") == "a1"


def test_old_sessions_are_pruned(store: SegmentStore) -> None:
    store.put_upload("sha256:1", "me", **SESSION)
    store.prune(older_than=3600)
    assert store.find_upload("sha256:1", "me") is not None
    store.prune(older_than=0)
    assert store.find_upload("sha256:1", "me") is None


def test_content_is_processing_while_one_of_its_tasks_is(store: SegmentStore) -> None:
    def begin(key: str, content: str) -> None:
        intent = {"space": "s", "content": content, "model": "m", "params": {}, "source": "x", "account": "me"}
        assert store.put_intent(key, **intent)  # type: ignore[arg-type]

    begin("1", "sha256:1")
    begin("2", "sha256:1")
    store.put_task_id("2", "t2")
    assert store.is_under_way("sha256:1", "me")
    assert not store.is_under_way("sha256:1", "you")
    assert not store.is_under_way("sha256:2", "me")
    store.put_failure("1", "no")
    assert store.is_under_way("sha256:1", "me")
    store.put_failure("2", "no", task_id="t2")
    assert not store.is_under_way("sha256:1", "me")
