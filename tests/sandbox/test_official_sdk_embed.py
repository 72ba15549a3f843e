"""The official SDK calls the embed endpoints with both models, sync and async."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import twelvelabs as sdk

from tests.sandbox.file_server import FileServer
from tests.sandbox.pdf import write_pdf
from tests.sandbox.sdk import encoded, inline, items, named, of, ready_asset, wait
from twelvelabs_sandbox import Fault, Sandbox

OLD: Any = "marengo3.0"
NEW: Any = "marengo3.5"
FIXED = sdk.VideoSegmentation_Fixed(fixed=sdk.VideoSegmentationFixedFixed(duration_sec=4))
TEMPORAL = sdk.AsyncTemporalSegmentation(
    temporal=sdk.TemporalSegmentation_Fixed(fixed=sdk.TemporalSegmentationFixedFixed(duration_sec=4))
)


def labels(answer: Any) -> list[tuple[Any, ...]]:
    return [(row.embedding_option, row.embedding_scope, row.start_sec, row.end_sec) for row in answer.data]


async def task(client: Any, model: Any, kind: str, media: Any, **beside: Any) -> Any:
    """Create a task and wait until it has finished."""
    made = await of(client.embed.v_2.tasks.create(input_type=kind, model_name=model, **{kind: media}, **beside))
    assert made.status == "processing"
    return await wait(lambda: client.embed.v_2.tasks.retrieve(made.id), "ready", "failed")


async def test_create_of_marengo30(official: Any, media: Path, file_server: FileServer) -> None:
    """POST /embed-v2: all six inputs, all kinds of source."""
    picture = media / "picture.jpg"
    inputs: dict[str, Any] = {
        "text": sdk.TextInputRequest(input_text="man walking a dog"),
        "image": sdk.ImageInputRequest(media_source=sdk.MediaSource(url=file_server.url(picture.name))),
        "text_image": sdk.TextImageInputRequest(
            input_text="red", media_source=sdk.MediaSource(asset_id=await ready_asset(official, picture))
        ),
        "multi_input": sdk.MultiInputRequest(
            input_text="like <@first>",
            media_sources=[named("image", picture, "first"), named("image", media / "picture.png")],
        ),
        "audio": sdk.AudioInputRequest(media_source=inline(media / "sound.mp3"), embedding_scope=["asset"]),
        "video": sdk.VideoInputRequest(
            media_source=inline(media / "video.mp4"),
            start_sec=2,
            end_sec=6,
            segmentation=FIXED,
            embedding_option=["visual", "audio"],
            embedding_scope=["clip"],
            embedding_type=["fused_embedding"],
        ),
    }
    answers = {
        kind: await of(official.embed.v_2.create(input_type=kind, model_name=OLD, **{kind: given}))
        for kind, given in inputs.items()
    }
    for kind in ("text", "image", "text_image", "multi_input"):
        assert labels(answers[kind]) == [(None, None, None, None)]
    assert labels(answers["audio"]) == [("audio", "asset", 0.0, 8.0)]
    assert labels(answers["video"]) == [("fused", "clip", 2.0, 6.0)]
    assert {len(row.embedding) for answer in answers.values() for row in answer.data} == {512}
    assert answers["text"].metadata is None
    assert [answers[kind].metadata.input_type for kind in list(inputs)[1:]] == list(inputs)[1:]
    assert answers["video"].metadata.clip_length == 4


async def test_create_of_marengo35(official: Any, media: Path, tmp_path: Path) -> None:
    """POST /embed-v2: text, and all other inputs as sources of multi_input."""
    notes, report = tmp_path / "notes.md", write_pdf(tmp_path / "report.pdf", [[(20, 100, "goal")]])
    notes.write_text("A penalty.")

    async def embed(text: str | None = None, *sources: Any, **beside: Any) -> Any:
        given: dict[str, Any] = {"input_text": text, "media_sources": list(sources)}
        request = sdk.MultiInputRequest(**{name: value for name, value in given.items() if value})
        call = official.embed.v_2.create(input_type="multi_input", model_name=NEW, multi_input=request, **beside)
        return await of(call)

    text = await embed("man walking a dog", embedding_dimension=256, embedding_uncertainty=True, auto_truncate=True)
    (row,) = text.data
    assert (len(row.embedding), len(row.embedding_uncertainty)) == (256, 256)
    assert text.metadata.embedding_dimension == 256
    assert text.usage.input_tokens == {"text": 4}
    together = await embed(
        "<@shirt> and noise",
        named("image", media / "picture.jpg", "shirt"),
        named("video", media / "video.mp4"),
        named("audio", media / "sound.flac"),
        named("document", notes),
    )
    assert together.usage.input_tokens.keys() == {"image", "video", "audio", "document", "text"}
    assert len((await embed(None, named("document", report))).data[0].embedding) == 512


async def test_create_errors(official: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """POST /embed-v2: 400, 413, 429 and 500 as the SDK's own errors."""
    text = sdk.TextInputRequest(input_text="dog")

    def embed(model: Any = OLD, **fields: Any) -> Any:
        return of(official.embed.v_2.create(input_type="text", model_name=model, text=text, **fields))

    for wrong in ({"model": NEW}, {"embedding_dimension": 256}, {"auto_truncate": True}):
        with pytest.raises(sdk.BadRequestError):
            await embed(**wrong)
    pages = write_pdf(tmp_path / "pages.pdf", [[]] * 17)
    asked = sdk.MultiInputRequest(media_sources=[named("document", pages)])
    with pytest.raises(sdk.ContentTooLargeError) as large:
        await of(official.embed.v_2.create(input_type="multi_input", model_name=NEW, multi_input=asked))
    assert "17 pages" in large.value.body.error.message
    sandbox.faults.add(Fault(status=429), Fault(status=500))
    for error in (sdk.TooManyRequestsError, sdk.InternalServerError):
        with pytest.raises(error):
            await embed()


async def test_tasks_create_of_marengo30(official: Any, media: Path) -> None:
    """POST /embed-v2/tasks."""
    video = sdk.AsyncVideoInputRequest(
        media_source=inline(media / "video.mp4"), segmentation=FIXED, embedding_option=["visual"]
    )
    audio = sdk.AsyncAudioInputRequest(media_source=inline(media / "sound.mp3"), embedding_scope=["clip"])
    found = await task(official, OLD, "video", video)
    assert labels(found) == [("visual", "clip", 0.0, 4.0), ("visual", "clip", 4.0, 8.0), ("visual", "asset", 0.0, 8.0)]
    assert found.usage is None
    audio_task = await task(official, OLD, "audio", audio)
    assert labels(audio_task) == [("audio", "clip", 0.0, 6.0), ("audio", "clip", 6.0, 8.0)]


async def test_tasks_create_of_marengo35(official: Any, media: Path, tmp_path: Path) -> None:
    """POST /embed-v2/tasks: video, audio, images, PDF files and texts."""
    notes, report = tmp_path / "notes.txt", write_pdf(tmp_path / "report.pdf", [[(20, 100, "goal")]])
    notes.write_text("A penalty. The keeper dives.")
    video = sdk.AsyncVideoInputRequest(
        media_source=inline(media / "video.mp4"),
        segmentation=TEMPORAL,
        embedding_scope=["local"],
        embedding_type=["separate_embedding", "fused_embedding"],
        time_based_metadata=[sdk.TimeBasedMetadataEntry(start=1, end=2, text="goal")],
    )
    video_file = await task(official, NEW, "video", video, embedding_dimension=128, embedding_uncertainty=True)
    assert labels(video_file)[:3] == [(option, "clip", 0.0, 4.0) for option in ("visual", "audio", "fused")]
    assert {(len(row.embedding), len(row.embedding_uncertainty)) for row in video_file.data} == {(128, 128)}
    assert (video_file.metadata.embedding_dimension, video_file.metadata.embedding_scopes) == (128, ["local"])
    audio = sdk.AsyncAudioInputRequest(media_source=inline(media / "sound.wav"), segmentation=TEMPORAL)
    assert len((await task(official, NEW, "audio", audio)).data) == 3
    image = sdk.AsyncImageInputRequest(media_source=inline(media / "picture.png"))
    assert labels(await task(official, NEW, "image", image)) == [("visual", "asset", None, None)]
    quarters = sdk.DocumentSegmentation(spatial=sdk.DocumentSpatialSegmentation(strategy="quadrants"))
    pdf = sdk.AsyncDocumentInputRequest(media_source=inline(report), segmentation=quarters)
    pages = (await task(official, NEW, "document", pdf)).data
    assert [(row.start_page_number, row.end_page_number, row.embedding_scope) for row in pages] == [(1, 1, "page")] * 5
    assert [row.quadrant for row in pages] == [None, "top_left", "top_right", "bottom_left", "bottom_right"]
    sentences = sdk.DocumentSegmentation(
        sequential=sdk.DocumentSequentialSegmentation(strategy="sentence", max_sentences=1)
    )
    text = sdk.AsyncDocumentInputRequest(
        media_source=inline(notes), embedding_scope=["local", "asset"], segmentation=sentences
    )
    found = await task(official, NEW, "document", text)
    assert [(row.embedding_scope, row.chunk_index) for row in found.data] == [
        ("chunk", 0),
        ("chunk", 1),
        ("asset", None),
    ]
    assert found.usage.input_tokens["document"] > 0


async def test_tasks_list(official: Any, media: Path) -> None:
    """GET /embed-v2/tasks: pages and filters, a task of each type."""
    started = datetime.now(UTC).isoformat()
    picture = sdk.AsyncImageInputRequest(media_source=inline(media / "picture.png"))
    sound = sdk.AsyncAudioInputRequest(media_source=inline(media / "sound.mp3"))
    image, audio = await task(official, NEW, "image", picture), await task(official, OLD, "audio", sound)
    listed = await items(official.embed.v_2.tasks.list(started_at=started, status="ready", page_limit=1))
    assert [(item.id, item.model_name) for item in listed] == [(audio.id, OLD), (image.id, NEW)]
    assert listed[0].audio_embedding.metadata.duration == 8.0
    assert listed[1].image_embedding.metadata.image_embedding_scope == ["asset"]
    assert await items(official.embed.v_2.tasks.list(ended_at="2020-01-01T00:00:00Z")) == []


async def test_tasks_retrieve(official: Any, sandbox: Sandbox, media: Path) -> None:
    """GET /embed-v2/tasks/{task_id}: the error of a failed task, and 404 for an unknown one."""
    sandbox.faults.add(Fault(method="POST", task="failed"))
    media_source = sdk.MediaSource(base_64_string=encoded(media / "picture.png"))
    failed = await task(official, NEW, "image", sdk.AsyncImageInputRequest(media_source=media_source))
    assert failed.error.message == "The embedding task failed. Please try again later."
    assert failed.data is None
    with pytest.raises(sdk.NotFoundError):
        await of(official.embed.v_2.tasks.retrieve("6298d673f1090f1100476d4c"))
