"""The official SDK calls the endpoints of assets and multipart uploads, sync and async."""

import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import twelvelabs as sdk

from tests.sandbox.file_server import FileServer
from tests.sandbox.sdk import items, of, ready_asset, sent, wait
from twelvelabs_sandbox import Sandbox

UNKNOWN = "6298d673f1090f1100476d4c"
CHUNK = 8192


@pytest.fixture(params=["sync", "async"])
async def uploading(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Sandbox, Any]]:
    """A sandbox with small chunks, and a client of it."""
    monkeypatch.delenv("TWELVELABS_BASE_URL", raising=False)
    with Sandbox(chunk_size=CHUNK) as sandbox:
        if request.param == "sync":
            with sdk.TwelveLabs(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
                yield sandbox, client
        else:
            async with sdk.AsyncTwelveLabs(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
                yield sandbox, client


def put(url: str, part: bytes, headers: dict[str, str]) -> str:
    """Upload one chunk; return its proof."""
    answer = httpx.put(url, content=part, headers=headers, trust_env=False)
    return answer.raise_for_status().headers["etag"].strip('"')


async def test_create(official: Any, video_file: Path, file_server: FileServer) -> None:
    """POST /assets: a file and a URL."""
    upload = official.assets.create(
        method="direct",
        file=sent(video_file),
        filename="sdk.mp4",
        enable_hls=False,
        user_metadata='{"team": "red"}',
    )
    direct = await of(upload)
    linked = await of(official.assets.create(method="url", url=file_server.url("picture.jpg"), enable_thumbnail=False))
    assert (direct.status, direct.method, direct.filename) == ("processing", "direct", "sdk.mp4")
    assert (linked.status, linked.method, linked.filename) == ("processing", "url", "picture.jpg")
    assert direct.user_metadata == {"team": "red"}
    with pytest.raises(sdk.BadRequestError):
        await of(official.assets.create(method="url"))


async def test_list(official: Any, video_file: Path, picture: Path) -> None:
    """GET /assets: pages and filters."""
    made = [await ready_asset(official, path) for path in (video_file, picture)]
    listed = await items(official.assets.list(asset_ids=made, page_limit=1))
    assert [asset.id for asset in listed] == made[::-1]
    assert made[0] in [asset.id for asset in await items(official.assets.list(filename="VIDEO", asset_types=["video"]))]


async def test_retrieve(official: Any, video_file: Path) -> None:
    """GET /assets/{asset_id}."""
    made = await ready_asset(official, video_file)
    ready = await of(official.assets.retrieve(made))
    assert (ready.size, ready.duration, ready.technical_metadata.video_width) == (len(sent(video_file)[1]), 8.0, 480)
    with pytest.raises(sdk.NotFoundError):
        await of(official.assets.retrieve(UNKNOWN))


async def test_delete(official: Any, picture: Path) -> None:
    """DELETE /assets/{asset_id}."""
    made = await ready_asset(official, picture)
    await of(official.assets.delete(made, force=True))
    with pytest.raises(sdk.NotFoundError):
        await of(official.assets.retrieve(made))


async def test_transcription(official: Any, media: Path) -> None:
    """GET /assets/{asset_id}/transcription."""
    made = await ready_asset(official, media / "spoken.mkv")
    words = await of(official.assets.retrieve_transcription(made))
    assert [word.value for word in words.words] == ["a", "goalkeeper", "dives"]
    both = await of(official.assets.retrieve_transcription(made, include=["sentences", "utterances"]))
    assert both.words is None
    assert [(entry.start, entry.end, entry.value) for entry in both.sentences] == [(0.5, 2.0, "a goalkeeper dives")]
    assert both.utterances[0].speaker == "speaker_0"
    with pytest.raises(sdk.NotFoundError):
        await of(official.assets.retrieve_transcription(UNKNOWN))


async def test_user_metadata(official: Any, picture: Path) -> None:
    """PATCH, PUT and DELETE /assets/{asset_id}/user-metadata."""
    made = await ready_asset(official, picture)
    await of(official.assets.replace_user_metadata(made, user_metadata={"team": "red", "goals": 2}))
    await of(official.assets.update_user_metadata(made, user_metadata={"goals": None, "won": True}))
    assert (await of(official.assets.retrieve(made))).user_metadata == {"team": "red", "won": True}
    await of(official.assets.delete_user_metadata(made))
    assert (await of(official.assets.retrieve(made))).user_metadata is None


async def test_multipart_step_by_step(uploading: tuple[Sandbox, Any], video_file: Path) -> None:
    """POST /assets/multipart-uploads, .../presigned-urls, /{upload_id}; GET both; PUT of the chunks."""
    sandbox, client = uploading
    (_, content), calls = sent(video_file), client.multipart_upload
    session = await of(calls.create(filename="video.mp4", type="video", total_size=len(content)))
    listed = await items(calls.list_incomplete_uploads(page_limit=1))
    assert [item.upload_id for item in listed] == [session.upload_id]
    chunks = []
    for start in range(1, session.total_chunks + 1, 50):
        count = min(50, session.total_chunks + 1 - start)
        more = await of(calls.get_additional_presigned_urls(session.upload_id, start=start, count=count))
        for link in more.upload_urls:
            part = content[(link.chunk_index - 1) * CHUNK : link.chunk_index * CHUNK]
            proof = put(link.url, part, session.upload_headers)
            chunks.append(
                sdk.CompletedChunk(chunk_index=link.chunk_index, proof=proof, proof_type="etag", chunk_size=len(part))
            )
    reports = [
        await of(calls.report_chunk_batch(session.upload_id, completed_chunks=chunks[start : start + 50]))
        for start in range(0, len(chunks), 50)
    ]
    assert reports[-1].url
    assert [part.status for part in await items(calls.get_status(session.upload_id))] == ["completed"] * len(chunks)
    ready = await wait(lambda: client.assets.retrieve(session.asset_id), "ready", "failed")
    assert (ready.status, ready.method, ready.size) == ("ready", "multipart", len(content))
    assert sandbox.asset_sha256(session.asset_id) == hashlib.sha256(content).hexdigest()
    with pytest.raises(sdk.NotFoundError):
        await items(calls.get_status(UNKNOWN))


async def test_multipart_upload_helper(uploading: tuple[Sandbox, Any], video_file: Path, tmp_path: Path) -> None:
    """The helper splits the file, uploads its chunks concurrently, and reports them."""
    sandbox, client = uploading
    path = shutil.copy(video_file, tmp_path)
    uploaded = await of(client.multipart_upload.upload_file(path, batch_size=10, max_workers=3))
    assert uploaded.asset_url
    assert sandbox.asset_sha256(uploaded.asset_id) == hashlib.sha256(sent(video_file)[1]).hexdigest()
    assert not any(request.leaked_key for request in sandbox.requests)
