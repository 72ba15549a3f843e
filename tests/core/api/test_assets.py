"""Upload sessions, transcriptions and user metadata through both clients."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from twelvelabs_core import CompletedChunk, InputError, MultipartUpload, NotFoundError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

CHUNK = 1000
MISSING = "64f8d2c7e4a1b37f8a9c5d12"
SESSION = "/assets/multipart-uploads/{upload_id}"
SIGNED = "https://bucket.s3.amazonaws.com/a.mp4?X-Amz-Credential=AKIA&X-Amz-Signature=5ec2e7&id=7"


@pytest.fixture
def storage() -> Iterator[Sandbox]:
    with Sandbox(chunk_size=CHUNK) as sandbox:
        yield sandbox


@pytest.fixture
def uploader(connect: Connect, storage: Sandbox) -> Surface:
    return connect(api_key=storage.api_key, base_url=storage.base_url)


async def put(upload: MultipartUpload, url: Any, data: bytes) -> CompletedChunk:
    """Send one chunk without the client."""
    chunk = data[(url.chunk_index - 1) * upload.chunk_size : url.chunk_index * upload.chunk_size]
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.put(url.url.get_secret_value(), content=chunk, headers=upload.upload_headers)
    return CompletedChunk(url.chunk_index, answer.raise_for_status().headers["etag"], len(chunk))


async def test_an_upload_session_used_without_the_client(uploader: Surface, storage: Sandbox, video_path: Path) -> None:
    data = content(video_path)
    upload = await uploader.uploads.create("video.mp4", asset_type="video", total_size=len(data))
    assert upload.total_chunks == -(-len(data) // CHUNK)
    assert upload.total_chunks > 50
    (session,) = [one async for one in uploader.uploads.list()]
    assert (session.upload_id, session.total_size, session.status) == (upload.upload_id, len(data), "active")

    done = [await put(upload, url, data) for url in upload.upload_urls]
    report = await uploader.uploads.report_chunk_batch(upload.upload_id, done)
    assert (report.processed_chunks, report.url) == (len(done), None)
    again = await uploader.uploads.report_chunk_batch(upload.upload_id, done[:3])
    assert (again.processed_chunks, again.duplicate_chunks, again.total_completed) == (0, 3, len(done))

    status = await uploader.uploads.retrieve(upload.upload_id)
    assert [chunk.index for chunk in status.uploaded_chunks] == list(range(1, upload.total_chunks + 1))
    assert status.completed == {chunk.chunk_index for chunk in done}
    assert (status.status, status.chunks_pending) == ("active", upload.total_chunks - len(done))
    assert storage.count("GET", SESSION) == -(-upload.total_chunks // 50)

    for start in range(len(done) + 1, upload.total_chunks + 1, 50):
        count = min(50, upload.total_chunks - start + 1)
        urls = await uploader.uploads.create_presigned_urls(upload.upload_id, start=start, count=count)
        assert [url.chunk_index for url in urls] == list(range(start, start + count))
        report = await uploader.uploads.report_chunk_batch(
            upload.upload_id, [await put(upload, url, data) for url in urls]
        )
    assert report.total_completed == upload.total_chunks
    assert report.url is not None
    assert "Signature" not in report.url
    assert (await uploader.uploads.retrieve(upload.upload_id)).status == "completed"
    assert (await uploader.assets.wait(upload.asset_id)).duration == pytest.approx(8, abs=0.3)
    assert [one async for one in uploader.uploads.list()] == []


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        ("uploads.create", {"filename": "", "asset_type": "video", "total_size": 5}, "filename"),
        ("uploads.create", {"filename": "x" * 256, "asset_type": "video", "total_size": 5}, "got 256"),
        ("uploads.create", {"filename": "x", "asset_type": "document", "total_size": 5}, "'document'"),
        ("uploads.create", {"filename": "x", "asset_type": "video", "total_size": 0}, "total_size.*0"),
        ("uploads.create", {"filename": "x", "asset_type": "video", "total_size": 2**34}, "17,179,869,184"),
        ("uploads.create", {"filename": "x", "asset_type": "image", "total_size": 2**26}, "32 MB"),
        ("uploads.create_presigned_urls", {"upload_id": MISSING, "start": 0, "count": 1}, "start.*0"),
        ("uploads.create_presigned_urls", {"upload_id": MISSING, "start": 1, "count": 51}, "count.*1 to 50, got 51"),
        ("uploads.create_presigned_urls", {"upload_id": "", "start": 1, "count": 1}, "not a valid upload id"),
        ("uploads.report_chunk_batch", {"upload_id": MISSING, "completed_chunks": []}, "1 to 50 chunks, got 0"),
        (
            "uploads.report_chunk_batch",
            {"upload_id": MISSING, "completed_chunks": [CompletedChunk(1, "x", 1)] * 51},
            "got 51",
        ),
        ("uploads.report_chunk_batch", {"upload_id": MISSING, "completed_chunks": [{"chunk_index": 1}]}, "dict"),
        ("assets.retrieve_transcription", {"asset_id": MISSING, "include": ["lines"]}, "words, sentences.*'lines'"),
        ("assets.retrieve_transcription", {"asset_id": MISSING, "include": []}, "none"),
        ("assets.retrieve_transcription", {"asset_id": MISSING, "include": "words"}, "list"),
        ("assets.update_user_metadata", {"asset_id": MISSING, "user_metadata": {"a": {}}}, "dict"),
        ("assets.create", {"media": b"x", "asset_type": "clip"}, "'clip'"),
        ("assets.create", {"media": b"x", "method": "post"}, "'post'"),
        ("assets.create", {"media": b"x", "user_metadata": {"a": object()}}, "object"),
        ("assets.create", {"media": b"x", "filename": "\ud800.mp4"}, "filename is not valid Unicode"),
    ],
)
async def test_invalid_arguments_are_refused_before_a_request(
    client: Surface, sandbox: Sandbox, call: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        await attrgetter(call)(client)(**arguments)
    assert sandbox.count() == 0


async def test_unknown_ids_are_not_found(client: Surface) -> None:
    for call, arguments in (
        ("uploads.retrieve", ()),
        ("uploads.report_chunk_batch", ([CompletedChunk(1, "x", 1)],)),
        ("assets.retrieve_transcription", ()),
        ("assets.update_user_metadata", ({"a": 1},)),
        ("assets.replace_user_metadata", ({"a": 1},)),
        ("assets.delete_user_metadata", ()),
    ):
        with pytest.raises(NotFoundError, match=MISSING):
            await attrgetter(call)(client)(MISSING, *arguments)
    with pytest.raises(NotFoundError, match=MISSING):
        await client.uploads.create_presigned_urls(MISSING, start=1, count=1)


async def test_user_metadata_is_merged_replaced_and_deleted(client: Surface, picture: Path) -> None:
    asset = await client.assets.create(picture, user_metadata={"team": "red", "tags": ["a", "b"], "year": 2026})

    async def user_metadata() -> Any:
        return (await client.assets.retrieve(asset.id)).user_metadata

    assert await user_metadata() == {"team": "red", "tags": ["a", "b"], "year": 2026}
    await client.assets.update_user_metadata(asset.id, {"team": "blue", "year": None})
    assert await user_metadata() == {"team": "blue", "tags": ["a", "b"]}
    await client.assets.replace_user_metadata(asset.id, {"rating": 9.3, "seen": True})
    assert await user_metadata() == {"rating": 9.3, "seen": True}
    await client.assets.delete_user_metadata(asset.id)
    assert not await user_metadata()


async def test_user_metadata_is_read_as_its_owner_wrote_it(client: Surface, picture: Path) -> None:
    """So that it can be written back; only what is shown and logged loses signatures."""
    own: dict[str, Any] = {"link": SIGNED, "links": [SIGNED, "a"], SIGNED: "tlk_0123ABC", "year": 2026}
    asset = await client.assets.create(picture, user_metadata=own)
    for found in (
        asset,
        await client.assets.retrieve(asset.id),
        *[one async for one in client.assets.list(asset_ids=[asset.id])],
    ):
        assert found.user_metadata == own
        assert found.model_dump()["user_metadata"] == own
        for shown in (repr(found), str(found), f"{found}", repr([found])):
            assert "5ec2e7" not in shown
            assert "0123ABC" not in shown
    await client.assets.replace_user_metadata(asset.id, found.user_metadata)
    assert (await client.assets.retrieve(asset.id)).user_metadata == own


async def test_the_transcription_of_a_video(client: Surface, tmp_path: Path) -> None:
    path = tmp_path / "talk.mkv"
    write_film(path, [Scene(color="red", seconds=8.0)], fps=5, captions=[(0.0, 2.0, "A goalkeeper dives.")])
    asset = await client.assets.wait((await client.assets.create(path)).id)
    transcription = await client.assets.retrieve_transcription(asset.id)
    assert transcription.status == "ready"
    assert [word.value for word in transcription.words] == ["A", "goalkeeper", "dives."]
    assert transcription.words[0].start == 0.0
    assert transcription.sentences is None
    more = await client.assets.retrieve_transcription(asset.id, include=["sentences", "utterances"])
    assert more.words is None
    assert [(entry.start, entry.value) for entry in more.sentences] == [(0.0, "A goalkeeper dives.")]
    assert more.utterances[0].speaker == "speaker_0"


async def test_a_direct_upload_reports_its_progress(client: Surface, video_path: Path) -> None:
    steps: list[Any] = []
    await client.assets.create(video_path, on_progress=steps.append)
    assert steps[-1].done == steps[-1].total >= len(content(video_path))


async def test_cancelled_calls_release_their_connections(connect: Connect, storage: Sandbox) -> None:
    """A cancelled request must not occupy a connection that later requests wait for."""
    client = connect(api_key=storage.api_key, base_url=storage.base_url, max_retries=0, timeout=3.0)
    if not client.is_async:
        pytest.skip("a blocking call cannot be cancelled")
    loop = asyncio.get_running_loop()
    for number in range(5):
        sent = asyncio.Event()
        call = client.start(
            "assets.create",
            bytes([number]) * 30 * CHUNK,
            method="multipart",
            asset_type="video",
            on_progress=lambda _, sent=sent: loop.call_soon_threadsafe(sent.set),
        )
        await sent.wait()
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        await client.embed_texts([f"red {index}" for index in range(8)])
