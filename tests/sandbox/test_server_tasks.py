"""``/embed-v2/tasks``: create, poll, list, expire."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.api import body, connect, create_task, encoded, labels, settled, until, upload
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Fault, Sandbox

WEEK = 7 * 24 * 3600.0
RESULT_EXPIRED = "The embedding result is no longer available and cannot be retrieved."


def test_a_task_is_accepted_processed_and_ready(api: httpx.Client, video_file: Path) -> None:
    made = api.post("/embed-v2/tasks", json=body("video", media_source=encoded(video_file)))
    task = made.json()["_id"]
    assert made.status_code == 202
    assert re.fullmatch("[0-9a-f]{24}", task)
    assert made.json() == {"_id": task, "status": "processing", "data": None}
    assert made.headers["location"] == f"{api.base_url}embed-v2/tasks/{task}"
    ready = settled(api, made.headers["location"])
    assert ready["status"] == "ready"
    assert "error" not in ready
    assert labels(ready["data"])[:2] == [("visual", "clip", 0.0, 4.0), ("audio", "clip", 0.0, 4.0)]
    assert ready["metadata"]["duration"] == 8.0
    made_at, changed_at = (datetime.fromisoformat(ready[key]) for key in ("created_at", "updated_at"))
    assert timedelta() < changed_at - made_at < timedelta(minutes=1)


def test_a_task_has_the_vectors_of_the_synchronous_call(api: httpx.Client, video_file: Path) -> None:
    fields = {"media_source": encoded(video_file), "embedding_type": ["separate_embedding", "fused_embedding"]}
    at_once = api.post("/embed-v2", json=body("video", **fields)).json()
    later = settled(api, f"/embed-v2/tasks/{create_task(api, 'video', **fields)}")
    assert later["data"] == at_once["data"]
    assert later["metadata"] == at_once["metadata"]


def test_captions_are_the_transcription(api: httpx.Client, media: Path) -> None:
    fields = {"media_source": encoded(media / "spoken.mkv"), "embedding_option": ["transcription"]}
    task = settled(api, f"/embed-v2/tasks/{create_task(api, 'video', embedding_scope=['clip'], **fields)}")
    assert labels(task["data"]) == [("transcription", "clip", 0.0, 4.0)]


def test_a_video_without_audio_has_no_audio_vectors(api: httpx.Client, media: Path) -> None:
    task = create_task(api, "video", media_source=encoded(media / "silent.mp4"), embedding_option=["audio"])
    assert settled(api, f"/embed-v2/tasks/{task}")["data"] == []


def test_a_url_is_downloaded_and_reported(api: httpx.Client, file_server: FileServer, video_file: Path) -> None:
    url = file_server.url(video_file.name)
    task = create_task(api, "video", media_source={"url": url}, segmentation=fixed(3))
    assert settled(api, f"/embed-v2/tasks/{task}")["metadata"]["input_url"] == url
    listed = next(item for item in everything(api) if item["_id"] == task)
    assert listed.keys() == {"_id", "model_name", "status", "created_at", "updated_at", "video_embedding"}
    assert listed["model_name"] == "marengo3.0"
    assert listed["video_embedding"]["metadata"] == {
        "input_url": url,
        "video_clip_length": 3,
        "video_embedding_scope": ["clip", "asset"],
        "video_embedding_option": ["visual", "audio", "transcription"],
        "duration": 8.0,
    }


def test_an_asset_may_be_deleted_while_its_task_runs(api: httpx.Client, video_file: Path) -> None:
    asset = upload(api, video_file, filename="match.mp4")
    tasks = [create_task(api, "video", media_source={"asset_id": asset}) for _ in range(4)]
    assert api.delete(f"/assets/{asset}").status_code == 204
    for task in tasks:
        ready = settled(api, f"/embed-v2/tasks/{task}")
        assert ready["status"] == "ready"
        assert ready["metadata"]["input_filename"] == "match.mp4"


def test_audio_tasks_in_lists_have_their_own_field_names(api: httpx.Client, sound: Path) -> None:
    task = create_task(api, "audio", media_source=encoded(sound), start_sec=1, end_sec=7, embedding_scope=["clip"])
    listed = next(item for item in everything(api) if item["_id"] == task)
    assert listed["audio_embedding"]["metadata"] == {
        "audio_embedding_option": ["audio", "transcription"],
        "audio_embedding_scope": ["clip"],
        "start_offset_sec": 1,
        "end_offset_sec": 7,
        "duration": 8.0,
    }


def test_unknown_tasks_are_not_found(api: httpx.Client) -> None:
    answer = api.get("/embed-v2/tasks/6298d673f1090f1100476d4c")
    assert answer.status_code == 404
    assert answer.json()["code"] == "resource_not_exist"
    assert "6298d673f1090f1100476d4c" in answer.json()["message"]


def test_a_start_after_the_end_of_the_video_is_refused(api: httpx.Client, video_file: Path) -> None:
    answer = api.post("/embed-v2/tasks", json=body("video", media_source=encoded(video_file), start_sec=8))
    assert answer.status_code == 400
    assert "8 >= 8" in answer.json()["message"]


def test_lists_are_paged_newest_first_and_end_with_an_empty_page(video_file: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        asset = upload(api, video_file)
        made = [create_task(api, "video", media_source={"asset_id": asset}) for _ in range(12)]
        first = api.get("/embed-v2/tasks").json()
        assert first["page_info"] == {"limit_per_page": 10, "page": 1, "total_page": 2, "total_results": 12}
        assert [item["_id"] for item in first["data"]] == made[:1:-1]
        assert [item["_id"] for item in api.get("/embed-v2/tasks?page=2").json()["data"]] == made[1::-1]
        past = api.get("/embed-v2/tasks?page=3")
        assert past.status_code == 200
        assert past.json()["data"] == []
        assert len(api.get("/embed-v2/tasks?page_limit=50").json()["data"]) == 12


def test_lists_are_filtered_by_status_and_time(video_file: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        asset = upload(api, video_file)
        sandbox.faults.add(Fault(method="POST", task="failed"))
        failed = create_task(api, "video", media_source={"asset_id": asset})
        sandbox.clock.advance(3600)
        between = datetime.now(UTC) + timedelta(seconds=1800)
        ready = create_task(api, "video", media_source={"asset_id": asset})
        for task in (failed, ready):
            settled(api, f"/embed-v2/tasks/{task}")

        def found(**query: Any) -> list[str]:
            return [item["_id"] for item in api.get("/embed-v2/tasks", params=query).json()["data"]]

        assert found(status="failed") == [failed]
        assert found(status="ready") == [ready]
        assert found(status="processing") == []
        assert found(started_at=between.isoformat()) == [ready]
        assert found(ended_at=between.strftime("%Y-%m-%dT%H:%M:%SZ")) == [failed]


def test_tasks_take_task_polls_single_or_in_lists(video_file: Path) -> None:
    with Sandbox(task_polls=3) as sandbox, connect(sandbox) as api:
        first, second = (create_task(api, "video", media_source=encoded(video_file)) for _ in range(2))
        seen = [api.get(f"/embed-v2/tasks/{first}").json()["status"] for _ in range(3)]
        assert seen == ["processing"] * 3
        assert settled(api, f"/embed-v2/tasks/{first}")["status"] == "ready"
        for _ in range(2):
            api.get("/embed-v2/tasks?page_limit=1")
        assert settled(api, f"/embed-v2/tasks/{second}")["status"] == "ready"
        assert sandbox.count("GET", "/embed-v2/tasks") == 2


def test_tasks_take_task_seconds_on_the_clock(video_file: Path) -> None:
    with Sandbox(task_seconds=3600) as sandbox, connect(sandbox) as api:
        task = create_task(api, "video", media_source=encoded(video_file))
        address = f"/embed-v2/tasks/{task}"
        sandbox.clock.advance(3500)
        assert api.get(address).json()["status"] == "processing"
        sandbox.clock.advance(100)
        ready = settled(api, address)
        assert ready["status"] == "ready"
        made_at, changed_at = (datetime.fromisoformat(ready[key]) for key in ("created_at", "updated_at"))
        assert changed_at - made_at >= timedelta(hours=1)


def test_after_seven_days_a_task_is_not_found(video_file: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        task = create_task(api, "video", media_source=encoded(video_file))
        sandbox.clock.advance(WEEK - 60)
        assert settled(api, f"/embed-v2/tasks/{task}")["status"] == "ready"
        sandbox.clock.advance(120)
        assert api.get(f"/embed-v2/tasks/{task}").status_code == 404
        assert api.get("/embed-v2/tasks").json()["data"] == []


def test_after_seven_days_a_task_has_failed_by_option(video_file: Path) -> None:
    with Sandbox(expired_as="failed") as sandbox, connect(sandbox) as api:
        task = create_task(api, "video", media_source=encoded(video_file))
        settled(api, f"/embed-v2/tasks/{task}")
        sandbox.clock.advance(WEEK + 1)
        answer = api.get(f"/embed-v2/tasks/{task}")
        assert answer.status_code == 200
        assert answer.json()["status"] == "failed"
        assert answer.json()["data"] is None
        assert answer.json()["error"] == {"message": RESULT_EXPIRED}
        assert api.get("/embed-v2/tasks").json()["data"] == []
        assert len(api.get("/embed-v2/tasks?started_at=2020-01-01T00:00:00Z").json()["data"]) == 1


def test_a_truncated_video_is_accepted_and_fails(api: httpx.Client, media: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mkv"
    content = (media / "spoken.mkv").read_bytes()
    broken.write_bytes(content[: len(content) // 2])  # Its header still declares eight seconds.
    task = settled(api, f"/embed-v2/tasks/{create_task(api, 'video', media_source=encoded(broken))}")
    assert task["status"] == "failed"
    assert task["data"] is None
    assert task["error"]["message"].startswith("We could not process your media for embedding.")


def test_too_many_unfinished_tasks_are_refused(video_file: Path) -> None:
    with Sandbox(max_waiting_tasks=2) as sandbox, connect(sandbox) as api:
        asset = upload(api, video_file)
        request = body("video", media_source={"asset_id": asset})
        answers = [api.post("/embed-v2/tasks", json=request) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {202, 429}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "too_many_requests"
        until(lambda: api.post("/embed-v2/tasks", json=request).status_code, lambda status: status == 202)


def test_files_of_finished_tasks_are_deleted(video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox() as sandbox, connect(sandbox) as api:
        task = create_task(api, "video", media_source=encoded(video_file))
        settled(api, f"/embed-v2/tasks/{task}")
        (folder,) = tmp_path.glob("twelvelabs-sandbox-*")
        (result,) = folder.iterdir()
        assert result.read_bytes().startswith(b'[{"embedding":[')


def fixed(seconds: int) -> dict[str, Any]:
    return {"strategy": "fixed", "fixed": {"duration_sec": seconds}}


def everything(api: httpx.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get("/embed-v2/tasks?page_limit=50").json()["data"]
    return items
