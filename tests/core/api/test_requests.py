"""Options and request bodies: which are refused, which are sent, and which are the same paid work."""

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

from twelvelabs_core import (
    DynamicSegmentation,
    FixedSegmentation,
    InputError,
    Media,
    SegmentOptions,
    SequentialSegmentation,
)
from twelvelabs_core.api.requests import (
    Source,
    multi_input_request,
    segments_request,
    text_image_request,
)
from twelvelabs_core.models.marengo import MARENGO_30
from twelvelabs_core.results.records import task_key

IMAGE = Media.of("asset:64f8d2c7e4a1b37f8a9c5d12")


def key(kind: str = "video", **options: Any) -> str:
    return task_key("marengo3.0/512", "sha256:ab", SegmentOptions.of(kind, **options).identity())  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [1, 11, 0, -6, 6.5, 2.5, "6", True, None, math.nan, math.inf])
def test_fixed_segments_are_2_to_10_whole_seconds(seconds: Any) -> None:
    for make in (
        lambda: FixedSegmentation(seconds),
        lambda: SegmentOptions.of("video", segmentation={"strategy": "fixed", "fixed": {"duration_sec": seconds}}),
    ):
        with pytest.raises(InputError, match=r"duration_sec.*2 to 10") as caught:
            make()
        assert repr(seconds) in str(caught.value)


@pytest.mark.parametrize("seconds", [1, 6, 4.5])
def test_dynamic_segments_are_at_least_2_to_5_whole_seconds(seconds: Any) -> None:
    with pytest.raises(InputError, match=rf"min_duration_sec.*2 to 5.*{seconds}"):
        DynamicSegmentation(seconds)


@pytest.mark.parametrize("two", [2.0, np.int64(2), np.float64(2.0)])
def test_whole_numbers_of_other_types_are_the_same_work(two: Any) -> None:
    """As JSON, YAML and numpy give them."""
    for written, plain in (
        (FixedSegmentation(two), FixedSegmentation(2)),
        (DynamicSegmentation(two), DynamicSegmentation(2)),
        (SequentialSegmentation(two, two - 1), SequentialSegmentation(2, 1)),
    ):
        assert written == plain
        assert json.dumps(written.to_wire()) == json.dumps(plain.to_wire())
    wire = {"strategy": "fixed", "fixed": {"duration_sec": two}}
    assert key(segmentation=wire) == key(segmentation=FixedSegmentation(2))


@pytest.mark.parametrize(
    "value",
    [
        "fixed", 6, [], {}, {"strategy": "shots"}, {"strategy": ["fixed"]}, {"strategy": "fixed"},
        {"strategy": "fixed", "fixed": 6},
        {"strategy": "fixed", "fixed": {}}, {"strategy": "fixed", "fixed": {"duration_sec": 6, "x": 1}},
        {"strategy": "fixed", "dynamic": {"min_duration_sec": 4}},
        {"strategy": "dynamic", "dynamic": {"duration_sec": 4}},
        {"strategy": "fixed", "fixed": {"duration_sec": 6}, "dynamic": {"min_duration_sec": 4}},
    ],
)  # fmt: skip
def test_a_segmentation_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="segmentation"):
        SegmentOptions.of("video", segmentation=value)


@pytest.mark.parametrize("cut", [FixedSegmentation(2), FixedSegmentation(10), DynamicSegmentation(2)])
def test_vendor_json_and_classes_are_equivalent(cut: FixedSegmentation | DynamicSegmentation) -> None:
    assert SegmentOptions.of("video", segmentation=cut.to_wire()) == SegmentOptions.of("video", segmentation=cut)


def test_dynamic_segmentation_of_audio_is_refused() -> None:
    with pytest.raises(InputError, match=r"audio.*fixed"):
        SegmentOptions.of("audio", segmentation=DynamicSegmentation())


@pytest.mark.parametrize(
    ("kind", "option", "message"),
    [
        ("video", {"embedding_option": ["text"]}, r"embedding_option.*visual, audio, transcription.*'text'"),
        ("audio", {"embedding_option": ["visual"]}, r"embedding_option for audio.*audio, transcription.*'visual'"),
        ("video", {"embedding_scope": ["page"]}, r"embedding_scope.*clip, asset.*'page'"),
        ("video", {"embedding_type": ["fused"]}, r"embedding_type.*separate_embedding, fused_embedding.*'fused'"),
        ("video", {"embedding_option": "visual"}, r"list such as \['visual'"),
        ("video", {"embedding_option": 5}, "embedding_option"),
        ("video", {"embedding_option": []}, "embedding_option is empty"),
        ("video", {"embedding_option": [None]}, "None"),
        (
            "video",
            {"embedding_option": ["visual"], "embedding_type": ["fused_embedding"]},
            r"two or more.*\['visual'\]",
        ),
        ("audio", {"embedding_option": ["audio", "audio"], "embedding_type": ["fused_embedding"]}, "two or more"),
    ],
)
def test_invalid_option_is_refused_with_the_valid_ones(kind: Any, option: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SegmentOptions.of(kind, **option)


@pytest.mark.parametrize(
    "window",
    [
        {"start_sec": 5, "end_sec": 5}, {"start_sec": 5, "end_sec": 4}, {"end_sec": 0}, {"start_sec": -1},
        {"start_sec": math.nan},
        {"end_sec": math.inf}, {"start_sec": "1"}, {"end_sec": True}, {"start_sec": 10**400}, {"start_sec": 14_402},
        {"end_sec": 1e9},
    ],
)  # fmt: skip
def test_invalid_time_is_refused_by_name(window: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="|".join(window)):
        SegmentOptions.of("video", **window)


def test_all_options_are_sent_explicitly() -> None:
    body = segments_request("marengo3.0", IMAGE, SegmentOptions.of("video"))
    assert body == {
        "input_type": "video",
        "model_name": "marengo3.0",
        "video": {
            "media_source": {"asset_id": "64f8d2c7e4a1b37f8a9c5d12"},
            "segmentation": {"strategy": "dynamic", "dynamic": {"min_duration_sec": 4}},
            "embedding_option": ["visual", "audio", "transcription"],
            "embedding_scope": ["clip", "asset"],
            "embedding_type": ["separate_embedding"],
        },
    }


def test_times_are_floats_and_embedding_type_needs_two_options() -> None:
    options = SegmentOptions.of("audio", start_sec=0, end_sec=7, embedding_option=["audio"])
    wire = segments_request("marengo3.0", Media.of("https://e.com/a.wav?X-Amz-Signature=s"), options)["audio"]
    assert (wire["start_sec"], wire["end_sec"]) == (0.0, 7.0)
    assert isinstance(wire["start_sec"], float)
    assert "embedding_type" not in wire
    assert wire["media_source"] == {"url": "https://e.com/a.wav?X-Amz-Signature=s"}


def test_bodies_for_one_vector() -> None:
    source = {"asset_id": IMAGE.asset_id}
    assert text_image_request(MARENGO_30, "a red car")["text"] == {"input_text": "a red car"}
    assert text_image_request(MARENGO_30, image=IMAGE)["image"] == {"media_source": source}
    assert text_image_request(MARENGO_30, "t", IMAGE)["text_image"] == {"media_source": source, "input_text": "t"}
    assert multi_input_request("m", [Source(IMAGE, "image")], None)["multi_input"] == {
        "media_sources": [{"media_type": "image", **source}]
    }


def test_equivalent_options_make_the_same_work() -> None:
    assert (
        key()
        == key(start_sec=0)
        == key(segmentation=DynamicSegmentation(4), start_sec=0.0)
        == key(embedding_option=["transcription", "visual", "audio", "visual"], embedding_scope=["asset", "clip"])
        == key(embedding_type=["separate_embedding"])
    )
    assert key(end_sec=7) == key(end_sec=7.0)


def test_every_option_that_changes_a_vector_makes_separate_work() -> None:
    different = [
        key(),
        key(start_sec=1),
        key(end_sec=7),
        key(segmentation=FixedSegmentation(4)),
        key(segmentation=FixedSegmentation(5)),
        key(segmentation=DynamicSegmentation(5)),
        key(embedding_option=["visual"]),
        key(embedding_scope=["clip"]),
        key(embedding_type=["fused_embedding"]),
        key(embedding_type=["separate_embedding", "fused_embedding"]),
        key("audio"),
        task_key("sandbox/marengo3.0/512", "sha256:ab", SegmentOptions.of("video").identity()),
        task_key("marengo3.0/512", "sha256:cd", SegmentOptions.of("video").identity()),
    ]
    assert all(one != other for one, other in itertools.combinations(different, 2))
