"""The endpoints of uploads, transcriptions and notes, one by one, through both clients."""

from collections.abc import Iterator
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


@pytest.fixture
def storage() -> Iterator[Sandbox]:
    with Sandbox(chunk_size=CHUNK) as sandbox:
        yield sandbox


@pytest.fixture
def uploader(connect: Connect, storage: Sandbox) -> Surface:
    return connect(api_key=storage.api_key, base_url=storage.base_url)


async def put(upload: MultipartUpload, url: Any, data: bytes) -> CompletedChunk:
    """Send one chunk as a caller would who does it by hand."""
    piece = data[(url.chunk_index - 1) * upload.chunk_size : url.chunk_index * upload.chunk_size]
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.put(url.url.get_secret_value(), content=piece, headers=upload.upload_headers)
    return CompletedChunk(url.chunk_index, answer.raise_for_status().headers["etag"], len(piece))


async def test_an_upload_by_hand(uploader: Surface, storage: Sandbox, film: Path) -> None:
    data = content(film)
    upload = await uploader.create_multipart_upload("film.mp4", asset_type="video", total_size=len(data))
    assert upload.total_chunks == -(-len(data) // CHUNK)
    assert upload.total_chunks > 50
    (session,) = [one async for one in uploader.list_multipart_uploads()]
    assert (session.upload_id, session.total_size, session.status) == (upload.upload_id, len(data), "active")

    done = [await put(upload, url, data) for url in upload.upload_urls]
    report = await uploader.report_chunk_batch(upload.upload_id, done)
    assert (report.processed_chunks, report.url) == (len(done), None)
    again = await uploader.report_chunk_batch(upload.upload_id, done[:3])
    assert (again.processed_chunks, again.duplicate_chunks, again.total_completed) == (0, 3, len(done))

    status = await uploader.retrieve_multipart_upload(upload.upload_id)
    assert [chunk.index for chunk in status.uploaded_chunks] == list(range(1, upload.total_chunks + 1))
    assert status.completed == {chunk.chunk_index for chunk in done}
    assert (status.status, status.chunks_pending) == ("active", upload.total_chunks - len(done))
    assert storage.count("GET", SESSION) == -(-upload.total_chunks // 50)

    for start in range(len(done) + 1, upload.total_chunks + 1, 50):
        count = min(50, upload.total_chunks - start + 1)
        urls = await uploader.create_presigned_urls(upload.upload_id, start=start, count=count)
        assert [url.chunk_index for url in urls] == list(range(start, start + count))
        report = await uploader.report_chunk_batch(upload.upload_id, [await put(upload, url, data) for url in urls])
    assert report.total_completed == upload.total_chunks
    assert report.url is not None
    assert "Signature" not in report.url
    assert (await uploader.retrieve_multipart_upload(upload.upload_id)).status == "completed"
    assert (await uploader.wait_for_asset(upload.asset_id)).duration == pytest.approx(8, abs=0.3)
    assert [one async for one in uploader.list_multipart_uploads()] == []


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        ("create_multipart_upload", {"filename": "", "asset_type": "video", "total_size": 5}, "filename"),
        ("create_multipart_upload", {"filename": "x" * 256, "asset_type": "video", "total_size": 5}, "got 256"),
        ("create_multipart_upload", {"filename": "x", "asset_type": "document", "total_size": 5}, "'document'"),
        ("create_multipart_upload", {"filename": "x", "asset_type": "video", "total_size": 0}, "total_size.*0"),
        ("create_multipart_upload", {"filename": "x", "asset_type": "video", "total_size": 2**34}, "17,179,869,184"),
        ("create_multipart_upload", {"filename": "x", "asset_type": "image", "total_size": 2**26}, "32 MB"),
        ("create_presigned_urls", {"upload_id": MISSING, "start": 0, "count": 1}, "start.*0"),
        ("create_presigned_urls", {"upload_id": MISSING, "start": 1, "count": 51}, "count.*1 to 50, got 51"),
        ("create_presigned_urls", {"upload_id": "", "start": 1, "count": 1}, "id of no upload"),
        ("report_chunk_batch", {"upload_id": MISSING, "completed_chunks": []}, "1 to 50 chunks, got 0"),
        ("report_chunk_batch", {"upload_id": MISSING, "completed_chunks": [CompletedChunk(1, "x", 1)] * 51}, "got 51"),
        ("report_chunk_batch", {"upload_id": MISSING, "completed_chunks": [{"chunk_index": 1}]}, "dict"),
        ("retrieve_transcription", {"asset_id": MISSING, "include": ["lines"]}, "words, sentences.*'lines'"),
        ("retrieve_transcription", {"asset_id": MISSING, "include": []}, "none"),
        ("retrieve_transcription", {"asset_id": MISSING, "include": "words"}, "list"),
        ("update_user_metadata", {"asset_id": MISSING, "user_metadata": {"a": {}}}, "dict"),
        ("create_asset", {"media": b"x", "asset_type": "film"}, "'film'"),
        ("create_asset", {"media": b"x", "method": "post"}, "'post'"),
        ("create_asset", {"media": b"x", "user_metadata": {"a": object()}}, "object"),
    ],
)
async def test_what_the_api_would_refuse_is_not_sent(
    client: Surface, sandbox: Sandbox, call: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        await getattr(client, call)(**arguments)
    assert sandbox.count() == 0


async def test_what_is_not_there_is_not_found(client: Surface) -> None:
    for call, arguments in (
        ("retrieve_multipart_upload", ()),
        ("report_chunk_batch", ([CompletedChunk(1, "x", 1)],)),
        ("retrieve_transcription", ()),
        ("update_user_metadata", ({"a": 1},)),
        ("replace_user_metadata", ({"a": 1},)),
        ("delete_user_metadata", ()),
    ):
        with pytest.raises(NotFoundError, match=MISSING):
            await getattr(client, call)(MISSING, *arguments)
    with pytest.raises(NotFoundError, match=MISSING):
        await client.create_presigned_urls(MISSING, start=1, count=1)


async def test_notes_are_merged_replaced_and_deleted(client: Surface, picture: Path) -> None:
    asset = await client.create_asset(picture, user_metadata={"team": "red", "tags": ["a", "b"], "year": 2026})

    async def notes() -> Any:
        return (await client.retrieve_asset(asset.id)).user_metadata

    assert await notes() == {"team": "red", "tags": ["a", "b"], "year": 2026}
    await client.update_user_metadata(asset.id, {"team": "blue", "year": None})
    assert await notes() == {"team": "blue", "tags": ["a", "b"]}
    await client.replace_user_metadata(asset.id, {"rating": 9.3, "seen": True})
    assert await notes() == {"rating": 9.3, "seen": True}
    await client.delete_user_metadata(asset.id)
    assert not await notes()


async def test_the_words_of_a_film(client: Surface, tmp_path: Path) -> None:
    path = tmp_path / "talk.mkv"
    write_film(path, [Scene(color="red", seconds=8.0)], fps=5, captions=[(0.0, 2.0, "A goalkeeper dives.")])
    asset = await client.wait_for_asset((await client.create_asset(path)).id)
    transcription = await client.retrieve_transcription(asset.id)
    assert transcription.status == "ready"
    assert [word.value for word in transcription.words] == ["A", "goalkeeper", "dives."]
    assert transcription.words[0].start == 0.0
    assert transcription.sentences is None
    more = await client.retrieve_transcription(asset.id, include=["sentences", "utterances"])
    assert more.words is None
    assert [(entry.start, entry.value) for entry in more.sentences] == [(0.0, "A goalkeeper dives.")]
    assert more.utterances[0].speaker == "speaker_0"


async def test_a_direct_upload_tells_its_progress(client: Surface, film: Path) -> None:
    steps: list[Any] = []
    await client.create_asset(film, on_progress=steps.append)
    assert steps[-1].done == steps[-1].total >= len(content(film))
