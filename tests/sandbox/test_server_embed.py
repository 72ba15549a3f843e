"""``POST /embed-v2`` with marengo3.0: six inputs, one or more vectors, in the documented format."""

import json
import math
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.sandbox.api import body, connect, encoded, labels, upload
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Sandbox

NULLS = {"embedding_option": None, "embedding_scope": None, "start_sec": None, "end_sec": None}
FIXED_5 = {"strategy": "fixed", "fixed": {"duration_sec": 5}}


def embed(api: httpx.Client, kind: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/embed-v2", json=body(kind, **fields))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-api-version"] == "1.3"
    found: dict[str, Any] = answer.json()
    for row in found["data"]:
        assert len(row["embedding"]) == 512
        assert math.isclose(math.hypot(*row["embedding"]), 1, abs_tol=1e-5)
    return found


def test_a_text_is_one_vector_with_nulls_and_without_metadata(api: httpx.Client) -> None:
    answer = embed(api, "text", input_text="man walking a dog")
    (row,) = answer["data"]
    assert answer.keys() == {"data"}
    assert {key: row[key] for key in NULLS} == NULLS
    assert row.keys() == {"embedding", *NULLS}


def test_the_same_text_has_the_same_vector_and_another_text_another(api: httpx.Client) -> None:
    first, again, other = (embed(api, "text", input_text=text)["data"] for text in ("red", "red", "loud noise"))
    assert first == again
    assert first != other


def test_a_very_long_text_is_accepted(api: httpx.Client) -> None:
    assert len(embed(api, "text", input_text="word " * 2000)["data"]) == 1


def test_one_image_is_the_same_by_base64_url_and_asset(
    api: httpx.Client, picture: Path, file_server: FileServer
) -> None:
    url = file_server.url(picture.name)
    inline = embed(api, "image", media_source=encoded(picture))
    linked = embed(api, "image", media_source={"url": url})
    stored = embed(api, "image", media_source={"asset_id": upload(api, picture)})
    assert inline["data"] == linked["data"] == stored["data"]
    assert {key: inline["data"][0][key] for key in NULLS} == NULLS
    assert inline["metadata"] == {"input_type": "image"}
    assert linked["metadata"] == {"input_type": "image", "input_url": url}
    assert stored["metadata"] == {"input_type": "image", "input_filename": "picture.jpg"}


def test_text_and_image_together_differ_from_both(api: httpx.Client, picture: Path) -> None:
    both = embed(api, "text_image", input_text="loud noise", media_source=encoded(picture))
    image = embed(api, "image", media_source=encoded(picture))
    text = embed(api, "text", input_text="loud noise")
    assert both["metadata"] == {"input_type": "text_image"}
    assert similarity(both, image) < 0.99
    assert similarity(both, text) < 0.99
    assert min(similarity(both, image), similarity(both, text)) > 0.4


def test_multi_input_is_one_vector_of_all_images(api: httpx.Client, media: Path) -> None:
    sources = [
        {"media_type": "image", "name": "first", **encoded(media / "picture.jpg")},
        {"media_type": "image", "name": "second", **encoded(media / "picture.png")},
    ]
    answer = embed(api, "multi_input", media_sources=sources, input_text="<@first> beside <@second>")
    assert len(answer["data"]) == 1
    assert answer["metadata"] == {"input_type": "multi_input"}
    without = embed(api, "multi_input", media_sources=sources)
    only_names = embed(api, "multi_input", media_sources=sources, input_text="<@first> <@second>")
    assert similarity(answer, without) < 0.999
    assert without["data"] == only_names["data"]


def test_a_video_has_clips_and_the_asset_for_each_option(api: httpx.Client, video_file: Path) -> None:
    answer = embed(api, "video", media_source=encoded(video_file))
    assert labels(answer["data"]) == [
        ("visual", "clip", 0.0, 4.0),
        ("audio", "clip", 0.0, 4.0),
        ("visual", "clip", 4.0, 8.0),
        ("audio", "clip", 4.0, 8.0),
        ("visual", "asset", 0.0, 8.0),
        ("audio", "asset", 0.0, 8.0),
    ]
    assert answer["metadata"] == {
        "input_type": "video",
        "embedding_scopes": ["clip", "asset"],
        "embedding_options": ["visual", "audio", "transcription"],
        "duration": 8.0,
    }


def test_all_video_options_are_applied(api: httpx.Client, video_file: Path) -> None:
    answer = embed(
        api,
        "video",
        media_source=encoded(video_file),
        start_sec=1,
        end_sec=7.5,
        segmentation=FIXED_5,
        embedding_option=["audio", "visual"],
        embedding_scope=["clip"],
        embedding_type=["fused_embedding"],
    )
    assert labels(answer["data"]) == [("fused", "clip", 1.0, 6.0), ("fused", "clip", 6.0, 7.5)]
    assert answer["metadata"]["clip_length"] == 5
    assert answer["metadata"]["start_offset_sec"] == 1
    assert answer["metadata"]["end_offset_sec"] == 7.5


def test_an_end_after_the_video_is_its_end(api: httpx.Client, video_file: Path) -> None:
    answer = embed(api, "video", media_source=encoded(video_file), end_sec=1000, embedding_scope=["asset"])
    assert {row["end_sec"] for row in answer["data"]} == {8.0}


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac"])
def test_audio_has_clips_of_six_seconds(api: httpx.Client, media: Path, suffix: str) -> None:
    answer = embed(api, "audio", media_source=encoded(media / f"sound.{suffix}"), embedding_option=["audio"])
    end = answer["metadata"]["duration"]
    assert end == pytest.approx(8, abs=0.1)
    assert labels(answer["data"]) == [
        ("audio", "clip", 0.0, 6.0),
        ("audio", "clip", 6.0, pytest.approx(end, abs=0.001)),
        ("audio", "asset", 0.0, pytest.approx(end, abs=0.001)),
    ]


def test_shuffle_data_changes_the_order(video_file: Path) -> None:
    request = {"media_source": encoded(video_file), "segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 2}}}
    with Sandbox() as ordered, Sandbox(shuffle_data=True) as shuffled:
        with connect(ordered) as api:
            expected = embed(api, "video", **request)["data"]
        with connect(shuffled) as api:
            found = embed(api, "video", **request)["data"]
    assert found != expected
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, expected))


def similarity(one: dict[str, Any], other: dict[str, Any]) -> float:
    return float(np.dot(one["data"][0]["embedding"], other["data"][0]["embedding"]))
