"""``/embed`` and ``/embed/tasks``: the legacy v1 API."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.sandbox.api import body, connect, create_task, encoded, settled
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Fault, Sandbox

MODEL = "marengo3.0"
OPTIONS = ("visual", "audio", "transcription")
UNKNOWN = "6298d673f1090f1100476d4c"


def form(**fields: Any) -> list[tuple[str, tuple[None, str]]]:
    """Return text fields as a multipart form; a list repeats its field."""
    items = [
        (name, value) for name, given in fields.items() for value in (given if isinstance(given, list) else [given])
    ]
    return [(name, (None, str(value))) for name, value in items]


def embed(api: httpx.Client, files: dict[str, Path] | None = None, **fields: Any) -> dict[str, Any]:
    parts = [(name, (path.name, path.read_bytes())) for name, path in (files or {}).items()]
    answer = api.post("/embed", files=[*form(model_name=MODEL, **fields), *parts])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def create(api: httpx.Client, video: Path | None = None, **fields: Any) -> httpx.Response:
    parts = [("video_file", (video.name, video.read_bytes()))] if video else []
    return api.post("/embed/tasks", files=[*form(model_name=MODEL, **fields), *parts])


def done(api: httpx.Client, video: Path, query: str = "", **fields: Any) -> dict[str, Any]:
    made = create(api, video, **fields)
    assert made.status_code == 200, made.text
    assert made.json().keys() == {"_id"}
    path = f"/embed/tasks/{made.json()['_id']}"
    assert settled(api, f"{path}/status")["status"] == "ready"
    task: dict[str, Any] = api.get(path + query).json()
    return task


def places(task: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("embedding_option", "embedding_scope", "start_offset_sec", "end_offset_sec")
    return [tuple(segment[name] for name in names) for segment in task["video_embedding"]["segments"]]


def test_a_text_has_the_same_vector_as_in_v2(api: httpx.Client) -> None:
    answer = embed(api, text="a dog")
    assert answer.keys() == {"model_name", "text_embedding"}
    assert answer["model_name"] == MODEL
    (segment,) = answer["text_embedding"]["segments"]
    new = api.post("/embed-v2", json=body("text", input_text="a dog")).json()["data"][0]["embedding"]
    np.testing.assert_allclose(segment["float"], new, atol=1e-6)


def test_a_text_of_more_than_500_tokens_is_truncated(api: httpx.Client) -> None:
    words = [f"word{number}" for number in range(600)]
    assert embed(api, text=" ".join(words)) == embed(api, text=" ".join(words[:500]))
    assert embed(api, text=" ".join(words)) != embed(api, text=" ".join(words[:499]))


def test_several_inputs_from_files_and_urls(
    api: httpx.Client, picture: Path, sound: Path, file_server: FileServer
) -> None:
    url = file_server.url(sound.name)
    answer = embed(api, {"image_file": picture}, text="red", audio_url=url, audio_start_offset_sec=1)
    assert answer["image_embedding"]["metadata"] == {"input_filename": picture.name}
    assert answer["audio_embedding"]["metadata"] == {"input_url": url}
    assert answer["image_embedding"]["segments"][0].keys() == {"float"}
    audio_segments = answer["audio_embedding"]["segments"]
    assert [
        (part["start_offset_sec"], part["end_offset_sec"], part["embedding_option"]) for part in audio_segments
    ] == [
        (1.0, 7.0, "audio"),
        (7.0, 8.0, "audio"),
    ]
    again = embed(api, {"image_file": picture, "audio_file": sound})
    assert again["image_embedding"] == answer["image_embedding"]
    assert len(again["audio_embedding"]["segments"]) == 2


def test_one_failed_input_has_an_error_message(api: httpx.Client, video_file: Path, file_server: FileServer) -> None:
    answer = embed(api, {"image_file": video_file}, text="dog", audio_url=file_server.url("status/404"))
    assert len(answer["text_embedding"]["segments"]) == 1
    assert answer["image_embedding"]["segments"] == []
    assert "must be image" in answer["image_embedding"]["error_message"]
    assert "Cannot find media url" in answer["audio_embedding"]["error_message"]


@pytest.mark.parametrize(
    ("fields", "code", "expected"),
    [
        ({}, "parameter_invalid", "One of text"),
        ({"text": " "}, "parameter_invalid", "must not be empty"),
        ({"text": "a", "model_name": "Marengo-retrieval-2.7"}, "parameter_invalid", "`marengo3.0`, not 'Marengo"),
        ({"text": "a", "model_name": None}, "parameter_not_provided", "model_name"),
        ({"text": ["a", "b"]}, "parameter_invalid", "once"),
        ({"text": "a", "text_truncate": "end"}, "parameter_unknown", "text_truncate"),
        ({"image_file": "x"}, "parameter_invalid", "file part"),
        ({"audio_url": "http://x/", "audio_start_offset_sec": -1}, "parameter_invalid", "0 or more, not '-1'"),
        ({"audio_url": "http://x/", "audio_start_offset_sec": "nan"}, "parameter_invalid", "not 'nan'"),
    ],
)
def test_invalid_forms_are_refused(api: httpx.Client, fields: dict[str, Any], code: str, expected: str) -> None:
    given = {name: value for name, value in {"model_name": MODEL, **fields}.items() if value is not None}
    answer = api.post("/embed", files=form(**given) or {"": ""})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert expected in answer.json()["message"]


def test_a_video_has_clips_and_a_whole_vector(api: httpx.Client, video_file: Path) -> None:
    task = done(api, video_file, video_clip_length=4, video_embedding_scope=["clip", "video"])
    assert task.keys() == {"_id", "model_name", "status", "created_at", "updated_at", "video_embedding"}
    bounds = [("clip", 0.0, 4.0), ("clip", 4.0, 8.0), ("video", 0.0, 8.0)]
    assert places(task) == [(option, *place) for place in bounds for option in ("visual", "audio")]
    assert task["video_embedding"]["metadata"] == {
        "input_filename": "video.mp4",
        "video_clip_length": 4.0,
        "video_embedding_scope": ["clip", "video"],
        "video_embedding_option": list(OPTIONS),
        "duration": 8.0,
    }
    segmentation = {"strategy": "fixed", "fixed": {"duration_sec": 4}}
    same = settled(
        api,
        f"/embed-v2/tasks/{create_task(api, 'video', media_source=encoded(video_file), segmentation=segmentation)}",
    )
    segments = task["video_embedding"]["segments"]
    assert [part["float"] for part in segments] == [row["embedding"] for row in same["data"]]


@pytest.mark.parametrize(
    ("fields", "bounds"),
    [
        ({}, [(0.0, 6.0), (6.0, 8.0)]),
        ({"video_clip_length": 7}, [(0.0, 7.0)]),
        ({"video_clip_length": 2.5}, [(0.0, 2.5), (2.5, 5.0), (5.0, 7.5)]),
        ({"video_clip_length": 2}, [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, 8.0)]),
        (
            {"video_start_offset_sec": 1, "video_end_offset_sec": 6.5, "video_clip_length": 2},
            [(1.0, 3.0), (3.0, 5.0)],
        ),
    ],
)
def test_a_last_clip_below_two_seconds_is_dropped(api: httpx.Client, media: Path, fields: Any, bounds: Any) -> None:
    task = done(api, media / "silent.mp4", **fields)
    assert places(task) == [("visual", "clip", *clip) for clip in bounds]


def test_segments_are_filtered_by_option(api: httpx.Client, media: Path) -> None:
    video = media / "spoken.mkv"
    assert {place[0] for place in places(done(api, video))} == set(OPTIONS)
    assert {place[0] for place in places(done(api, video, "?embedding_option=audio"))} == {"audio"}
    both = done(api, video, "?embedding_option=visual&embedding_option=transcription")
    assert {place[0] for place in places(both)} == {"visual", "transcription"}
    assert api.get(f"/embed/tasks/{both['_id']}?embedding_option=visual-text").status_code == 400


def test_a_url_takes_precedence_over_a_file(api: httpx.Client, media: Path, file_server: FileServer) -> None:
    url = file_server.url("silent.mp4")
    task = done(api, media / "video.mp4", video_url=url)
    assert task["video_embedding"]["metadata"]["input_url"] == url
    assert {place[0] for place in places(task)} == {"visual"}


def test_status_and_lists_have_no_vectors(api: httpx.Client, video_file: Path) -> None:
    task = done(api, video_file)
    status = api.get(f"/embed/tasks/{task['_id']}/status").json()
    assert status.keys() == {"_id", "model_name", "status", "video_embedding"}
    assert status["video_embedding"].keys() == {"metadata"}
    listed = api.get("/embed/tasks?page_limit=50&status=ready").json()
    item = next(item for item in listed["data"] if item["_id"] == task["_id"])
    assert item["video_embedding"].keys() == {"metadata"}
    assert task["_id"] not in [item["_id"] for item in api.get("/embed-v2/tasks?page_limit=50").json()["data"]]
    assert api.get(f"/embed-v2/tasks/{task['_id']}").status_code == 404


def test_tasks_are_listed_by_date_and_with_scripted_outcomes(video_file: Path) -> None:
    with Sandbox(task_polls=1) as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(path="/embed/tasks", method="POST", task="failed"))
        failed, ready = (create(api, video_file).json()["_id"] for _ in range(2))
        assert api.get(f"/embed/tasks/{failed}").json()["status"] == "processing"
        assert "segments" not in api.get(f"/embed/tasks/{ready}").json()["video_embedding"]
        for task, status in ((failed, "failed"), (ready, "ready")):
            assert settled(api, f"/embed/tasks/{task}/status")["status"] == status
        soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        assert api.get("/embed/tasks", params={"started_at": soon}).json()["data"] == []
        assert [item["_id"] for item in api.get("/embed/tasks", params={"ended_at": soon}).json()["data"]] == [
            ready,
            failed,
        ]
        sandbox.clock.advance(8 * 24 * 3600)
        assert api.get(f"/embed/tasks/{ready}").status_code == 400


@pytest.mark.parametrize("suffix", ["", "/status"])
def test_unknown_tasks_are_a_bad_request(api: httpx.Client, suffix: str) -> None:
    answer = api.get(f"/embed/tasks/{UNKNOWN}{suffix}")
    assert (answer.status_code, answer.json()["code"]) == (400, "resource_not_exist")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"video_clip_length": 1.9}, "from 2 to 10, not '1.9'"),
        ({"video_clip_length": 11}, "not '11'"),
        ({"video_clip_length": 9}, "must not exceed the window: 9 > 8"),
        ({"video_start_offset_sec": 1}, "both or neither"),
        ({"video_end_offset_sec": 5}, "both or neither"),
        ({"video_start_offset_sec": 5, "video_end_offset_sec": 5}, "greater than the start: 5 <= 5"),
        ({"video_start_offset_sec": 1, "video_end_offset_sec": 5}, "not be shorter than one clip of 6 seconds"),
        ({"video_start_offset_sec": 2, "video_end_offset_sec": 9}, "duration of the video: 9 > 8"),
        ({"video_embedding_scope": "video"}, "`clip` and `video`"),
        ({"video_embedding_scope": ["clip", "asset"]}, "`clip` and `video`"),
        ({"video_clip_length": "six"}, "not 'six'"),
    ],
)
def test_invalid_windows_are_refused(
    api: httpx.Client, video_file: Path, fields: dict[str, Any], expected: str
) -> None:
    answer = create(api, video_file, **fields)
    assert answer.status_code == 400
    assert expected in answer.json()["message"]


def test_a_task_needs_a_video(api: httpx.Client, sound: Path) -> None:
    assert create(api).json()["code"] == "parameter_not_provided"
    answer = create(api, sound)
    assert answer.status_code == 400
    assert "must be video" in answer.json()["message"]
