"""The JSON of each embedding request, for both models, equals that of the official SDK."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types import (
    AsyncAudioInputRequest,
    AsyncDocumentInputRequest,
    AsyncImageInputRequest,
    AsyncTemporalSegmentation,
    AsyncVideoInputRequest,
    AudioInputRequest,
    AudioSegmentation,
    AudioSegmentationFixed,
    DocumentSegmentation,
    DocumentSequentialSegmentation,
    DocumentSpatialSegmentation,
    ImageInputRequest,
    MediaSource,
    MultiInputMediaSource,
    MultiInputRequest,
    TemporalSegmentation_Dynamic,
    TemporalSegmentation_Fixed,
    TemporalSegmentationDynamicDynamic,
    TemporalSegmentationFixedFixed,
    TextImageInputRequest,
    TextInputRequest,
    TimeBasedMetadataEntry,
    VideoInputRequest,
    VideoSegmentation_Dynamic,
    VideoSegmentation_Fixed,
    VideoSegmentationDynamicDynamic,
    VideoSegmentationFixedFixed,
)

from tests.core.recorder import Recorder, Sent, sent_by_us
from twelvelabs_core import DynamicSegmentation, FixedSegmentation, SequentialSegmentation, SpatialSegmentation
from twelvelabs_core import MediaSource as OurSource

OLD, NEW = "marengo3.0", "marengo3.5"
ID = "64f8d2c7e4a1b37f8a9c5d12"
URL = "https://example.com/goal.mp4?X-Amz-Signature=s"
ASSET = MediaSource(asset_id=ID)
BOTH = ["clip", "asset"]
DYNAMIC_2 = AsyncTemporalSegmentation(
    temporal=TemporalSegmentation_Dynamic(dynamic=TemporalSegmentationDynamicDynamic(min_duration_sec=2))
)
FIXED_5 = AsyncTemporalSegmentation(
    temporal=TemporalSegmentation_Fixed(fixed=TemporalSegmentationFixedFixed(duration_sec=5))
)
OLD_DYNAMIC_4 = VideoSegmentation_Dynamic(dynamic=VideoSegmentationDynamicDynamic(min_duration_sec=4))
OLD_FIXED_5 = VideoSegmentation_Fixed(fixed=VideoSegmentationFixedFixed(duration_sec=5))
OLD_AUDIO_6 = AudioSegmentation(strategy="fixed", fixed=AudioSegmentationFixed(duration_sec=6))
OLD_OPTIONS = ["visual", "audio", "transcription"]
TEXTS: list[dict[str, Any]] = [
    {"start": 0.0, "end": 4.5, "text": "Kick-off"},
    {"start": 7.0, "end": 7.0, "text": "Goal"},
]

Ours = Callable[[Any, Path], Any]
Theirs = Callable[[Path], dict[str, Any]]


class Case(NamedTuple):
    """The same request with this client and with the official SDK."""

    model: str
    dimension: int | None
    ours: Ours
    theirs: Theirs


def inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def multi(*sources: MultiInputMediaSource, text: str | None = None, **extras: Any) -> dict[str, Any]:
    content: dict[str, Any] = (
        {}
        if text is None
        else {
            "input_text": text,
        }
    )
    content |= {"media_sources": list(sources)} if sources else {}
    truncate = {} if text is None else {"auto_truncate": False}
    return {
        "input_type": "multi_input", "model_name": NEW, "embedding_dimension": 512,
        "multi_input": MultiInputRequest(**content), **truncate, **extras,
    }  # fmt: skip


def source(kind: Any, **place: Any) -> MultiInputMediaSource:
    return MultiInputMediaSource(media_type=kind, **(place or {"asset_id": ID}))


def new_task(kind: str, content: Any, **extras: Any) -> dict[str, Any]:
    return {"input_type": kind, "model_name": NEW, "embedding_dimension": 512, kind: content, **extras}


SYNC: dict[str, Case] = {
    "text, 3.0": Case(
        OLD, None,
        lambda c, _: c.embed_text("a red car"),
        lambda _: {"input_type": "text", "model_name": OLD, "text": TextInputRequest(input_text="a red car")},
    ),
    "image, 3.0": Case(
        OLD, None,
        lambda c, image: c.embed_image(image),
        lambda image: {"input_type": "image", "model_name": OLD, "image": ImageInputRequest(
            media_source=MediaSource(base_64_string=inline(image)))},
    ),
    "text and image, 3.0": Case(
        OLD, 512,
        lambda c, _: c.embed_text_image("but blue", f"asset:{ID}"),
        lambda _: {"input_type": "text_image", "model_name": OLD, "text_image": TextImageInputRequest(
            media_source=ASSET, input_text="but blue")},
    ),
    "several images, 3.0": Case(
        OLD, None,
        lambda c, _: c.embed_multi_input([OurSource(f"asset:{ID}", name="kit"), URL], text="<@kit> here"),
        lambda _: {"input_type": "multi_input", "model_name": OLD, "multi_input": MultiInputRequest(
            input_text="<@kit> here", media_sources=[
                MultiInputMediaSource(media_type="image", name="kit", asset_id=ID),
                MultiInputMediaSource(media_type="image", url=URL)])},
    ),
    "audio, 3.0": Case(
        OLD, None,
        lambda c, _: c.embed_audio(f"asset:{ID}", start_sec=1, end_sec=8),
        lambda _: {"input_type": "audio", "model_name": OLD, "audio": AudioInputRequest(
            media_source=ASSET, start_sec=1, end_sec=8, segmentation=OLD_AUDIO_6,
            embedding_option=["audio", "transcription"], embedding_scope=BOTH,
            embedding_type=["separate_embedding"])},
    ),
    "video, 3.0": Case(
        OLD, None,
        lambda c, _: c.embed_video(URL, embedding_type=["separate_embedding", "fused_embedding"]),
        lambda _: {"input_type": "video", "model_name": OLD, "video": VideoInputRequest(
            media_source=MediaSource(url=URL), segmentation=OLD_DYNAMIC_4, embedding_option=OLD_OPTIONS,
            embedding_scope=BOTH, embedding_type=["separate_embedding", "fused_embedding"])},
    ),
    "clip, 3.0": Case(
        OLD, None,
        lambda c, _: c.embed_clip(URL),
        lambda _: {"input_type": "video", "model_name": OLD, "video": VideoInputRequest(
            media_source=MediaSource(url=URL), segmentation=OLD_DYNAMIC_4, embedding_option=["visual"],
            embedding_scope=["asset"])},
    ),
    "text, 3.5": Case(NEW, None, lambda c, _: c.embed_text("a red car"), lambda _: multi(text="a red car")),
    "short text, 3.5": Case(
        NEW, 256,
        lambda c, _: c.embed_texts(["a red car"], auto_truncate=True, embedding_uncertainty=True),
        lambda _: multi(text="a red car", auto_truncate=True, embedding_uncertainty=True, embedding_dimension=256),
    ),
    "image, 3.5": Case(
        NEW, 128,
        lambda c, image: c.embed_image(image, embedding_uncertainty=True),
        lambda image: multi(source("image", base_64_string=inline(image)), embedding_uncertainty=True,
                            embedding_dimension=128),
    ),
    "text and image, 3.5": Case(
        NEW, None,
        lambda c, _: c.embed_text_image("but blue", f"asset:{ID}", auto_truncate=True),
        lambda _: multi(source("image"), text="but blue", auto_truncate=True),
    ),
    "clip, 3.5": Case(NEW, None, lambda c, _: c.embed_clip(URL), lambda _: multi(source("video", url=URL))),
    "sound, 3.5": Case(
        NEW, None,
        lambda c, _: c.embed_clips([f"asset:{ID}"], input_type="audio"),
        lambda _: multi(source("audio")),
    ),
    "mixture, 3.5": Case(
        NEW, None,
        lambda c, _: c.embed_multi_input(
            [OurSource(f"asset:{ID}", "image", "kit"), OurSource(URL, name="play"), OurSource(f"asset:{ID}", "audio"),
             "https://example.com/a.md"], text="<@kit> in <@play>"),
        lambda _: multi(source("image", name="kit", asset_id=ID), source("video", name="play", url=URL),
                        source("audio"), source("document", url="https://example.com/a.md"),
                        text="<@kit> in <@play>"),
    ),
    "PDF, 3.5": Case(
        NEW, None,
        lambda c, _: c.embed_multi_input(["https://example.com/plan.pdf"]),
        lambda _: multi(source("document", url="https://example.com/plan.pdf")),
    ),
}  # fmt: skip

TASKS: dict[str, Case] = {
    "video, 3.0": Case(
        OLD, None,
        lambda c, _: c.tasks.create_video(URL, segmentation=FixedSegmentation(5), embedding_option=["visual"]),
        lambda _: {"input_type": "video", "model_name": OLD, "video": AsyncVideoInputRequest(
            media_source=MediaSource(url=URL), segmentation=OLD_FIXED_5, embedding_option=["visual"],
            embedding_scope=BOTH)},
    ),
    "audio, 3.0": Case(
        OLD, None,
        lambda c, _: c.tasks.create_audio(URL, embedding_type=["fused_embedding"], embedding_scope=["clip"]),
        lambda _: {"input_type": "audio", "model_name": OLD, "audio": AsyncAudioInputRequest(
            media_source=MediaSource(url=URL), segmentation=OLD_AUDIO_6, embedding_option=["audio", "transcription"],
            embedding_scope=["clip"], embedding_type=["fused_embedding"])},
    ),
    "video, 3.5": Case(
        NEW, None,
        lambda c, _: c.tasks.create_video(URL, start_sec=3),
        lambda _: new_task("video", AsyncVideoInputRequest(
            media_source=MediaSource(url=URL), start_sec=3, segmentation=DYNAMIC_2,
            embedding_option=["visual", "audio"], embedding_scope=BOTH, embedding_type=["separate_embedding"])),
    ),
    "short unsure video, 3.5": Case(
        NEW, 256,
        lambda c, _: c.tasks.create_video(URL, segmentation=FixedSegmentation(5), embedding_option=["visual"],
                                         embedding_scope=["local"], embedding_uncertainty=True),
        lambda _: new_task("video", AsyncVideoInputRequest(
            media_source=MediaSource(url=URL), segmentation=FIXED_5, embedding_option=["visual"],
            embedding_scope=["clip"]), embedding_uncertainty=True, embedding_dimension=256),
    ),
    "video with texts, 3.5": Case(
        NEW, None,
        lambda c, _: c.tasks.create_video(f"asset:{ID}", segmentation={"temporal": {"strategy": "dynamic", "dynamic": {
            "min_duration_sec": 2}}}, embedding_type=["fused_embedding"], time_based_metadata=TEXTS),
        lambda _: new_task("video", AsyncVideoInputRequest(
            media_source=ASSET, segmentation=DYNAMIC_2, embedding_option=["visual", "audio"], embedding_scope=BOTH,
            embedding_type=["fused_embedding"], time_based_metadata=[TimeBasedMetadataEntry(**t) for t in TEXTS])),
    ),
    "audio, 3.5": Case(
        NEW, None,
        lambda c, _: c.tasks.create_audio(f"asset:{ID}", segmentation=DynamicSegmentation(2)),
        lambda _: new_task("audio", AsyncAudioInputRequest(
            media_source=ASSET, segmentation=DYNAMIC_2, embedding_option=["audio"], embedding_scope=BOTH)),
    ),
    "pages, 3.5": Case(
        NEW, None,
        lambda c, _: c.tasks.create_document("https://example.com/plan.pdf", embedding_scope=["local", "asset"],
                                            segmentation=SpatialSegmentation("quadrants")),
        lambda _: new_task("document", AsyncDocumentInputRequest(
            media_source=MediaSource(url="https://example.com/plan.pdf"), embedding_option=["visual"],
            segmentation=DocumentSegmentation(spatial=DocumentSpatialSegmentation(strategy="quadrants")),
            embedding_scope=["local", "asset"])),
    ),
    "chunks, 3.5": Case(
        NEW, 128,
        lambda c, _: c.tasks.create_document("https://example.com/a.md", embedding_uncertainty=True,
                                            segmentation=SequentialSegmentation(8, overlap_sentences=2)),
        lambda _: new_task("document", AsyncDocumentInputRequest(
            media_source=MediaSource(url="https://example.com/a.md"), embedding_option=["text"],
            segmentation=DocumentSegmentation(sequential=DocumentSequentialSegmentation(
                strategy="sentence", max_sentences=8, overlap_sentences=2)),
            embedding_scope=["local"]), embedding_uncertainty=True, embedding_dimension=128),
    ),
    "whole text, 3.5": Case(
        NEW, None,
        lambda c, _: c.tasks.create_document("https://example.com/a.txt"),
        lambda _: new_task("document", AsyncDocumentInputRequest(
            media_source=MediaSource(url="https://example.com/a.txt"), embedding_option=["text"],
            embedding_scope=["asset"])),
    ),
    "image, 3.5": Case(
        NEW, None,
        lambda c, _: c.tasks.create_image(f"asset:{ID}", embedding_uncertainty=True),
        lambda _: new_task("image", AsyncImageInputRequest(
            media_source=ASSET, embedding_option=["visual"], embedding_scope=["asset"],
            embedding_type=["separate_embedding"]), embedding_uncertainty=True),
    ),
}  # fmt: skip


def ours(recorder: Recorder, kind: str, case: Case, picture: Path) -> Sent:
    options = {"model": case.model, "embedding_dimension": case.dimension}
    return sent_by_us(recorder, kind, lambda client: case.ours(client, picture), **options)


@pytest.mark.parametrize("kind", ["blocking", "async"])
@pytest.mark.parametrize("case", SYNC.values(), ids=list(SYNC))
def test_synchronous_request_equals_that_of_the_sdk(
    recorder: Recorder, sdk: TwelveLabs, picture: Path, kind: str, case: Case
) -> None:
    with pytest.raises(ApiError):
        sdk.embed.v_2.create(**case.theirs(picture))
    theirs = recorder.take()
    assert (theirs.method, theirs.path) == ("POST", "/v1.3/embed-v2")
    assert ours(recorder, kind, case, picture) == theirs


@pytest.mark.parametrize("kind", ["blocking", "async"])
@pytest.mark.parametrize("case", TASKS.values(), ids=list(TASKS))
def test_task_request_equals_that_of_the_sdk(
    recorder: Recorder, sdk: TwelveLabs, picture: Path, kind: str, case: Case
) -> None:
    with pytest.raises(ApiError):
        sdk.embed.v_2.tasks.create(**case.theirs(picture))
    theirs = recorder.take()
    assert (theirs.method, theirs.path) == ("POST", "/v1.3/embed-v2/tasks")
    assert ours(recorder, kind, case, picture) == theirs
