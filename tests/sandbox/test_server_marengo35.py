"""marengo3.5: multi_input and four input types of tasks, truncated vectors, uncertainty, fused texts."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.sandbox.api import body, encoded, labels, upload
from tests.sandbox.api_marengo35 import body35, cosine, multi, source, task35, vector
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox.films import Scene, write_film, write_picture

COLORS = ("red", "blue", "green", "yellow")
FIXED = {"temporal": {"strategy": "fixed", "fixed": {"duration_sec": 4}}}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pictures")
    for color in COLORS:
        write_picture(folder / f"{color}.png", Scene(color=color, pattern="plain"))
    return {color: folder / f"{color}.png" for color in COLORS}


@pytest.mark.parametrize("dimension", [128, 256, 512])
def test_a_text_finds_its_image_at_every_dimension(
    api: httpx.Client, pictures: dict[str, Path], dimension: int
) -> None:
    shape = {"embedding_dimension": dimension}
    seen = {color: vector(multi(api, None, source("image", path), **shape)) for color, path in pictures.items()}
    for color in COLORS:
        asked = vector(multi(api, color, **shape))
        assert asked.shape == (dimension,)
        assert max(COLORS, key=lambda other: cosine(asked, seen[other])) == color


def test_shorter_vectors_are_truncated_without_normalization(api: httpx.Client) -> None:
    whole = vector(multi(api, "a dog"))
    assert np.linalg.norm(whole) == pytest.approx(1)
    for dimension in (128, 256):
        shorter = multi(api, "a dog", embedding_dimension=dimension, embedding_uncertainty=True)
        np.testing.assert_array_equal(vector(shorter), whole[:dimension])
        assert np.linalg.norm(vector(shorter)) < 1
        assert shorter["metadata"] == {"input_type": "multi_input", "embedding_dimension": dimension}
        assert len(shorter["data"][0]["embedding_uncertainty"]) == dimension


def test_vectors_of_the_two_models_do_not_match(api: httpx.Client, pictures: dict[str, Path]) -> None:
    for color, path in pictures.items():
        new = vector(multi(api, None, source("image", path)))
        old = [
            api.post("/embed-v2", json=body("text", input_text=color)),
            api.post("/embed-v2", json=body("image", media_source=encoded(path))),
        ]
        assert all(abs(cosine(new, vector(answer.json()))) < 0.2 for answer in old)
        assert cosine(new, vector(multi(api, color))) > 0.3


def test_one_vector_of_text_image_video_audio_and_document(
    api: httpx.Client, pictures: dict[str, Path], media: Path, tmp_path: Path, file_server: FileServer
) -> None:
    video_file, sound = media / "video.mp4", media / "sound.wav"
    notes = tmp_path / "notes.md"
    notes.write_text("# A penalty\n\nThe goalkeeper dives.\n")
    everything = multi(
        api,
        "the <@shirt> near <@noise>",
        source("image", pictures["red"], name="shirt"),
        {"media_type": "video", "asset_id": upload(api, video_file)},
        {"media_type": "audio", "name": "noise", "url": file_server.url(sound.name)},
        source("document", notes),
    )
    (row,) = everything["data"]
    assert labels(everything["data"]) == [(None, None, None, None)]
    assert "embedding_uncertainty" not in row
    assert everything["usage"]["input_tokens"].keys() == {"image", "video", "audio", "document", "text"}
    assert everything["usage"]["truncated"] is False
    parts = [
        vector(multi(api, "the near")),
        vector(multi(api, None, source("image", pictures["red"]))),
        vector(multi(api, None, source("video", video_file))),
        vector(multi(api, None, source("audio", sound))),
        vector(multi(api, None, source("document", notes))),
    ]
    assert cosine(vector(everything), np.sum(parts, axis=0)) == pytest.approx(1, abs=1e-5)
    assert cosine(parts[4], vector(multi(api, "A penalty The goalkeeper dives."))) == pytest.approx(1, abs=1e-5)


def test_a_long_text_is_truncated_on_request_only(api: httpx.Client) -> None:
    long = " ".join(f"word{number}" for number in range(2001))
    answer = api.post("/embed-v2", json=body35("multi_input", input_text=long))
    assert answer.status_code == 400
    assert "at most 2000 tokens, not 2001" in answer.json()["message"]
    cut = multi(api, long, auto_truncate=True)
    assert cut["usage"] == {
        "input_tokens": {"text": 2000},
        "truncated": True,
        "truncation_reason": "model_context_window",
    }
    whole = multi(api, long.rpartition(" ")[0])
    assert whole["usage"] == {"input_tokens": {"text": 2000}, "truncated": False}
    np.testing.assert_array_equal(vector(cut), vector(whole))


def test_a_video_task_has_two_options_and_both_scopes(api: httpx.Client, video_file: Path) -> None:
    task = task35(api, "video", media_source=encoded(video_file), segmentation=FIXED, embedding_dimension=256)
    assert task["status"] == "ready", task
    bounds = [("clip", 0.0, 4.0), ("clip", 4.0, 8.0), ("asset", 0.0, 8.0)]
    assert labels(task["data"]) == [(option, *place) for place in bounds for option in ("visual", "audio")]
    assert {len(row["embedding"]) for row in task["data"]} == {256}
    assert task["metadata"] == {
        "input_type": "video",
        "clip_length": 4,
        "embedding_scopes": ["clip", "asset"],
        "embedding_options": ["visual", "audio"],
        "duration": 8.0,
        "embedding_dimension": 256,
    }
    assert task["usage"]["input_tokens"]["video"] > 0
    red = vector(multi(api, "red", embedding_dimension=256))
    first, second = (task["data"][place]["embedding"] for place in (0, 2))
    assert cosine(red, first) > cosine(red, second)


def test_a_created_task_reports_its_dimension(api: httpx.Client, picture: Path) -> None:
    made = api.post("/embed-v2/tasks", json=body35("image", media_source=encoded(picture), embedding_dimension=128))
    assert made.status_code == 202
    assert made.json() == {
        "_id": made.json()["_id"],
        "status": "processing",
        "data": None,
        "metadata": {"embedding_dimension": 128},
    }


def test_local_means_clip_and_the_default_is_dynamic_of_two_seconds(api: httpx.Client, video_file: Path) -> None:
    local = task35(
        api, "video", media_source=encoded(video_file), embedding_scope=["local"], embedding_option=["visual"]
    )
    assert labels(local["data"]) == [("visual", "clip", 0.0, 4.0), ("visual", "clip", 4.0, 8.0)]
    assert local["metadata"]["embedding_scopes"] == ["local"]
    both = task35(
        api,
        "video",
        media_source=encoded(video_file),
        embedding_scope=["clip", "local"],
        embedding_option=["visual"],
        segmentation={"temporal": {"strategy": "dynamic", "dynamic": {"min_duration_sec": 2}}},
    )
    assert both["data"] == local["data"]


def test_audio_includes_speech(api: httpx.Client, media: Path) -> None:
    fields = {"segmentation": FIXED, "embedding_option": ["audio"], "embedding_scope": ["clip"]}
    spoken = task35(api, "video", media_source=encoded(media / "spoken.mkv"), **fields)
    silent = task35(api, "video", media_source=encoded(media / "video.mp4"), **fields)
    words = vector(multi(api, "a goalkeeper dives"))
    assert cosine(words, spoken["data"][0]["embedding"]) > 0.3 > cosine(words, silent["data"][0]["embedding"])
    assert cosine(spoken["data"][1]["embedding"], silent["data"][1]["embedding"]) > 0.95


def test_timed_texts_are_fused_with_overlapping_clips(api: httpx.Client, video_file: Path) -> None:
    fields: dict[str, Any] = {"media_source": encoded(video_file), "segmentation": FIXED}
    kinds = ["separate_embedding", "fused_embedding"]

    def task(*texts: dict[str, Any]) -> dict[tuple[Any, ...], Any]:
        asked = {**fields, "embedding_type": kinds, "time_based_metadata": list(texts)}
        found = task35(api, "video", **asked)
        assert found["status"] == "ready", found
        rows = [row["embedding"] for row in found["data"]]
        return dict(zip(labels(found["data"]), rows, strict=True))

    goal = task({"start": 1.0, "end": 3.0, "text": "a wonderful goal"})
    assert len(goal) == 9
    moment = task({"start": 4.0, "end": 4.0, "text": "a wonderful goal"})
    words = vector(multi(api, "wonderful goal"))

    def fits(rows: dict[tuple[Any, ...], Any], *place: Any) -> float:
        return cosine(words, rows["fused", *place])

    assert fits(goal, "clip", 0.0, 4.0) > 0.3 > fits(goal, "clip", 4.0, 8.0)
    assert fits(moment, "clip", 4.0, 8.0) > 0.3 > fits(moment, "clip", 0.0, 4.0)
    assert fits(goal, "asset", 0.0, 8.0) > 0.2
    assert goal["visual", "clip", 0.0, 4.0] == moment["visual", "clip", 0.0, 4.0]


def test_an_audio_task(api: httpx.Client, sound: Path) -> None:
    task = task35(api, "audio", media_source=encoded(sound), start_sec=2, end_sec=8, segmentation=FIXED)
    assert labels(task["data"]) == [
        ("audio", "clip", 2.0, 6.0),
        ("audio", "clip", 6.0, 8.0),
        ("audio", "asset", 2.0, 8.0),
    ]
    fused = task35(
        api,
        "audio",
        media_source=encoded(sound),
        segmentation=FIXED,
        embedding_type=["fused_embedding"],
        embedding_scope=["clip"],
        embedding_uncertainty=True,
        time_based_metadata=[{"start": 0, "end": 9, "text": "whistle"}],
    )
    assert {row["embedding_option"] for row in fused["data"]} == {"fused"}
    assert all(0 < value <= 1 for row in fused["data"] for value in row["embedding_uncertainty"])


def test_an_image_task(api: httpx.Client, pictures: dict[str, Path]) -> None:
    task = task35(api, "image", media_source=encoded(pictures["red"]), embedding_uncertainty=True)
    assert labels(task["data"]) == [("visual", "asset", None, None)]
    assert len(task["data"][0]["embedding_uncertainty"]) == 512
    assert task["metadata"] == {
        "input_type": "image",
        "embedding_scopes": ["asset"],
        "embedding_options": ["visual"],
        "embedding_dimension": 512,
    }
    same = multi(api, None, source("image", pictures["red"]))
    np.testing.assert_array_equal(np.array(task["data"][0]["embedding"]), vector(same))
    listed = next(item for item in api.get("/embed-v2/tasks").json()["data"] if item["_id"] == task["_id"])
    assert listed["model_name"] == "marengo3.5"
    assert listed["image_embedding"]["metadata"] == {
        "image_embedding_scope": ["asset"],
        "image_embedding_option": ["visual"],
    }


@pytest.mark.parametrize("seconds", [30, 31])
def test_synchronous_media_have_at_most_thirty_seconds(api: httpx.Client, tmp_path: Path, seconds: int) -> None:
    path = tmp_path / "long.mp4"
    write_film(path, [Scene(color="red", seconds=float(seconds))], fps=2, audio=False)
    request = body35("multi_input", media_sources=[source("video", path)])
    answer = api.post("/embed-v2", json=request)
    if seconds == 30:
        assert answer.status_code == 200
    else:
        # The official SDK reads a 413 only in the nested shape.
        assert answer.status_code == 413
        message = "Duration (31.0 seconds) exceeds maximum limit of 30 seconds (0 minutes)"
        assert answer.json()["error"] == {"code": "parameter_invalid", "message": message}


@pytest.mark.parametrize("way", ["base64_string", "asset_id", "url"])
def test_synchronous_media_have_at_most_32_mb(api: httpx.Client, video_file: Path, tmp_path: Path, way: str) -> None:
    path = tmp_path / "large.mp4"
    path.write_bytes(video_file.read_bytes() + bytes(33_000_000))
    if way == "asset_id":
        media: dict[str, str] = {"asset_id": upload(api, path)}
    elif way == "url":
        with FileServer(tmp_path) as server:
            answer = api.post(
                "/embed-v2", json=body35("multi_input", media_sources=[_video(url=server.url(path.name))])
            )
        assert answer.status_code == 413
        return
    else:
        media = encoded(path)
    answer = api.post("/embed-v2", json=body35("multi_input", media_sources=[_video(**media)]))
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "File size (33.1 MB) exceeds maximum limit of 32 MB"


def _video(**media: str) -> dict[str, str]:
    return {"media_type": "video", **media}
