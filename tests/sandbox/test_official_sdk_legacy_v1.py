"""The official SDK calls the endpoints of the legacy v1 API, sync and async."""

from pathlib import Path
from typing import Any

import pytest
import twelvelabs as sdk

from tests.sandbox.file_server import FileServer
from tests.sandbox.sdk import items, of, sent, wait

MODEL = "marengo3.0"


async def task(client: Any, video_file: Path, **fields: Any) -> Any:
    """Create a task and wait until it has finished; return its status."""
    made = await of(client.embed.tasks.create(model_name=MODEL, video_file=sent(video_file), **fields))
    return await wait(lambda: client.embed.tasks.status(made.id), "ready", "failed")


async def test_create(official: Any, media: Path, file_server: FileServer) -> None:
    """POST /embed: a text, an image and audio in one call."""
    answer = await of(
        official.embed.create(
            model_name=MODEL,
            text="man walking a dog",
            image_file=sent(media / "picture.jpg"),
            audio_url=file_server.url("sound.wav"),
            audio_start_offset_sec=2,
        )
    )
    assert len(answer.text_embedding.segments[0].float_) == 512
    assert answer.image_embedding.metadata.input_filename == "picture.jpg"
    assert [(part.start_offset_sec, part.end_offset_sec) for part in answer.audio_embedding.segments] == [(2.0, 8.0)]
    with pytest.raises(sdk.BadRequestError):
        await of(official.embed.create(model_name=MODEL))


async def test_tasks_create_and_status(official: Any, video_file: Path) -> None:
    """POST /embed/tasks, GET /embed/tasks/{task_id}/status."""
    done = await task(official, video_file, video_clip_length=4, video_embedding_scope=["clip", "video"])
    assert done.status == "ready"
    assert done.video_embedding.metadata.video_embedding_scope == ["clip", "video"]
    with pytest.raises(sdk.BadRequestError):
        await of(official.embed.tasks.create(model_name=MODEL))
    with pytest.raises(sdk.BadRequestError):
        await of(official.embed.tasks.status("6298d673f1090f1100476d4c"))


async def test_tasks_retrieve(official: Any, video_file: Path) -> None:
    """GET /embed/tasks/{task_id}."""
    window = {"video_start_offset_sec": 1, "video_end_offset_sec": 7}
    done = await task(official, video_file, **window)
    found = await of(official.embed.tasks.retrieve(done.id, embedding_option=["visual"]))
    (segment,) = found.video_embedding.segments
    assert (segment.embedding_option, segment.embedding_scope) == ("visual", "clip")
    assert (segment.start_offset_sec, segment.end_offset_sec, len(segment.float_)) == (1.0, 7.0, 512)


async def test_tasks_list(official: Any, video_file: Path) -> None:
    """GET /embed/tasks."""
    done = [(await task(official, video_file)).id for _ in range(2)]
    listed = await items(official.embed.tasks.list(status="ready", page_limit=50))
    assert [item.id for item in listed][:2] == done[::-1]
    assert listed[0].video_embedding.metadata.duration == 8.0


async def test_wait_for_done(official: Any, video_file: Path) -> None:
    """The helper polls until the task has finished, and reports each status."""
    seen: list[str] = []
    made = await of(official.embed.tasks.create(model_name=MODEL, video_file=sent(video_file)))
    is_async = isinstance(official, sdk.AsyncTwelveLabs)

    async def note(status: Any) -> None:
        seen.append(status.status)

    callback: Any = note if is_async else lambda status: seen.append(status.status)
    done = await of(official.embed.tasks.wait_for_done(made.id, sleep_interval=0.05, callback=callback))
    assert (done.status, seen[-1]) == ("ready", "ready")
