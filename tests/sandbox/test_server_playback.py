"""Thumbnails and HLS status of assets."""

from io import BytesIO
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from tests.sandbox.api import connect, settled
from twelvelabs_sandbox import Sandbox


def made(api: httpx.Client, path: Path, **fields: str) -> dict[str, Any]:
    with path.open("rb") as file:
        answer = api.post("/assets", data={"method": "direct", **fields}, files={"file": (path.name, file)})
    return settled(api, f"/assets/{answer.json()['_id']}")


def size_of(jpeg: bytes) -> tuple[int, int]:
    with av.open(BytesIO(jpeg)) as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


@pytest.mark.parametrize("name", ["video.mp4", "picture.png"])
def test_a_thumbnail_needs_its_signature_but_no_key(api: httpx.Client, media: Path, name: str) -> None:
    asset = made(api, media / name, enable_thumbnail="true")
    assert asset["thumbnail"]["status"] == "ready"
    url = asset["thumbnail"]["representative_url"]
    answer = httpx.get(url, trust_env=False)
    assert answer.headers["content-type"] == "image/jpeg"
    width, height = size_of(answer.content)
    assert width == 320
    assert height == 240  # both were 480x360
    assert httpx.get(url.split("?")[0], trust_env=False).status_code == 403
    assert api.get(url).status_code == 200
    api.delete(f"/assets/{asset['_id']}")
    assert httpx.get(url, trust_env=False).status_code == 404


def test_hls_has_status_error(api: httpx.Client, media: Path) -> None:
    assert made(api, media / "video.mp4", enable_hls="true")["hls"] == {"status": "error"}
    assert "hls" not in made(api, media / "picture.png", enable_hls="true")
    assert "thumbnail" not in made(api, media / "sound.wav", enable_thumbnail="true")


def test_thumbnail_and_hls_are_enabled_by_default(api: httpx.Client, media: Path) -> None:
    assert {"hls", "thumbnail"} <= set(made(api, media / "video.mp4"))
    refused = made(api, media / "video.mp4", enable_hls="false", enable_thumbnail="false")
    assert not {"hls", "thumbnail"} & set(refused)


def test_thumbnail_and_hls_have_the_status_of_the_asset(media: Path) -> None:
    with Sandbox(asset_polls=1) as sandbox, connect(sandbox) as api:
        with (media / "video.mp4").open("rb") as file:
            created = api.post("/assets", data={"method": "direct"}, files={"file": ("video.mp4", file)}).json()
        early = api.get(f"/assets/{created['_id']}").json()
        assert early["status"] == "processing"
        assert early["thumbnail"]["status"] in {"pending", "processing"}
        assert early["hls"]["status"] in {"pending", "processing"}
        assert settled(api, f"/assets/{created['_id']}")["thumbnail"]["status"] == "ready"
        api.post(sandbox.control_url + "/faults", json={"path": "/assets", "method": "POST", "asset": "failed"})
        failed = made(api, media / "video.mp4")
        assert (failed["hls"], failed["thumbnail"]) == ({"status": "error"}, {"status": "error"})


def test_a_multipart_upload_has_thumbnail_and_hls_on_request(api: httpx.Client, video_file: Path) -> None:
    content = video_file.read_bytes()
    for asked, expected in (({}, set()), ({"enable_thumbnail": True}, {"thumbnail"})):
        order = {"filename": "video.mp4", "type": "video", "total_size": len(content), **asked}
        session = api.post("/assets/multipart-uploads", json=order).json()
        link = session["upload_urls"][0]["url"]
        sent = httpx.put(link, content=content, headers=session["upload_headers"], trust_env=False)
        proof = {"proof": sent.headers["etag"].strip('"'), "proof_type": "etag"}
        chunk = {"chunk_index": 1, "chunk_size": len(content), **proof}
        api.post(f"/assets/multipart-uploads/{session['upload_id']}", json={"completed_chunks": [chunk]})
        asset = settled(api, f"/assets/{session['asset_id']}")
        assert {"hls", "thumbnail"} & set(asset) == expected
