"""``/assets``: create by file or URL, poll, list, delete."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.api import body, connect, settled, upload
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Fault, Sandbox

FILE = {"file": ("video.mp4", b"content")}


def test_an_upload_becomes_ready_with_its_properties(api: httpx.Client, video_file: Path) -> None:
    metadata = '{"team": "red", "goals": 2, "tags": ["a"]}'
    with video_file.open("rb") as file:
        fields = {"method": "direct", "user_metadata": metadata, "enable_hls": "false", "enable_thumbnail": "True"}
        made = api.post("/assets", data=fields, files={"file": ("match.mp4", file)})
    assert made.status_code == 201
    asset = made.json()
    assert re.fullmatch("[0-9a-f]{24}", asset["_id"])
    assert asset == {
        "_id": asset["_id"],
        "method": "direct",
        "status": "processing",
        "filename": "match.mp4",
        "file_type": "video/mp4",
        "created_at": asset["created_at"],
        "user_metadata": {"team": "red", "goals": 2, "tags": ["a"]},
    }
    ready = settled(api, f"/assets/{asset['_id']}")
    facts = ready.pop("technical_metadata")
    assert ready.pop("thumbnail")["status"] == "ready"
    assert ready == {**asset, "status": "ready", "size": video_file.stat().st_size, "duration": 8.0}
    assert (facts["video_width"], facts["video_height"]) == (480, 360)
    assert facts["file_size_bytes"] == video_file.stat().st_size
    assert facts["has_audio"] is True


def test_an_image_has_a_size_and_no_duration(api: httpx.Client, picture: Path) -> None:
    asset = api.get(f"/assets/{upload(api, picture)}").json()
    assert "duration" not in asset
    assert asset["file_type"] == "image/jpeg"
    assert asset["technical_metadata"]["image_width"] == 480


def test_a_url_is_downloaded_in_the_background(api: httpx.Client, video_file: Path, file_server: FileServer) -> None:
    made = api.post("/assets", files=form(method="url", url=file_server.url("video.mp4?token=1")))
    assert made.status_code == 201
    assert made.json()["method"] == "url"
    assert made.json()["filename"] == "video.mp4"
    assert settled(api, f"/assets/{made.json()['_id']}")["size"] == video_file.stat().st_size


def test_unreachable_url_fails_during_processing(api: httpx.Client, file_server: FileServer) -> None:
    made = api.post("/assets", files=form(method="url", url=file_server.url("status/404")))
    assert made.status_code == 201
    failed = settled(api, f"/assets/{made.json()['_id']}")
    assert failed["status"] == "failed"
    assert failed["error"] == {"message": "failed to fetch or materialize source media"}
    assert "size" not in failed


@pytest.mark.parametrize(("name", "content"), [("video.mp4", b"this is no video" * 99), ("x.zip", b"PK\x03\x04" * 99)])
def test_non_media_files_fail_during_processing(api: httpx.Client, name: str, content: bytes) -> None:
    made = api.post("/assets", data={"method": "direct"}, files={"file": (name, content)})
    assert made.status_code == 201
    failed = settled(api, f"/assets/{made.json()['_id']}")
    assert failed["status"] == "failed"
    assert failed["error"]["message"]


@pytest.mark.parametrize(("name", "kind"), [("notes.MD", "text/markdown"), ("notes.txt", "text/plain")])
def test_documents_are_recognized(api: httpx.Client, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text("# Notes\n\nA goalkeeper dives.\n")
    asset = api.get(f"/assets/{upload(api, path)}").json()
    assert asset["status"] == "ready"
    assert asset["file_type"] == kind
    answer = api.post("/embed-v2", json=body("image", media_source={"asset_id": asset["_id"]}))
    assert answer.status_code == 400
    assert "must be image" in answer.json()["message"]


def test_the_list_filters_by_id_type_and_name(video_file: Path, picture: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        video_id, picture_id = upload(api, video_file, filename="Final Match.mp4"), upload(api, picture)

        def found(query: str) -> list[str]:
            return [item["_id"] for item in api.get(f"/assets{query}").json()["data"]]

        assert found("") == [picture_id, video_id]
        assert found("?page_limit=1&page=2") == [video_id]
        assert found("?page=2") == []
        assert found(f"?asset_ids={video_id}&asset_ids={picture_id}") == [picture_id, video_id]
        assert found(f"?asset_ids={video_id}") == [video_id]
        assert found("?asset_types=image") == [picture_id]
        assert found("?asset_types=audio&asset_types=video") == [video_id]
        assert found("?filename=final") == [video_id]
        assert api.get("/assets?asset_types=movie").status_code == 400


@pytest.mark.parametrize("query", ["", "?force=true", "?force=false"])
def test_deleting_an_asset_deletes_its_file(
    video_file: Path, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox() as sandbox, connect(sandbox) as api:
        asset = upload(api, video_file)
        (folder,) = tmp_path.glob("twelvelabs-sandbox-*")
        assert len(list(folder.iterdir())) == 1
        answer = api.delete(f"/assets/{asset}{query}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert list(folder.iterdir()) == []
        for again in (api.delete(f"/assets/{asset}"), api.get(f"/assets/{asset}")):
            assert again.status_code == 404
            assert again.json()["code"] == "resource_not_exist"


def test_processing_asset_is_refused(video_file: Path) -> None:
    with Sandbox(asset_polls=2) as sandbox, connect(sandbox) as api:
        with video_file.open("rb") as file:
            made = api.post("/assets", data={"method": "direct"}, files={"file": file}).json()
        request = body("video", media_source={"asset_id": made["_id"]})
        answer = api.post("/embed-v2/tasks", json=request)
        assert answer.status_code == 400
        assert "has status `processing`" in answer.json()["message"]
        assert [api.get(f"/assets/{made['_id']}").json()["status"] for _ in range(2)] == ["processing"] * 2
        assert settled(api, f"/assets/{made['_id']}")["status"] == "ready"
        assert api.post("/embed-v2/tasks", json=request).status_code == 202


def test_assets_take_asset_seconds_on_the_clock(picture: Path) -> None:
    with Sandbox(asset_seconds=600) as sandbox, connect(sandbox) as api:
        with picture.open("rb") as file:
            made = api.post("/assets", data={"method": "direct"}, files={"file": file}).json()
        sandbox.clock.advance(500)
        assert api.get(f"/assets/{made['_id']}").json()["status"] == "processing"
        sandbox.clock.advance(100)
        assert settled(api, f"/assets/{made['_id']}")["status"] == "ready"


@pytest.mark.parametrize("fate", ["failed", "stuck"])
def test_faults_set_the_outcome_of_an_asset(sandbox: Sandbox, api: httpx.Client, video_file: Path, fate: Any) -> None:
    sandbox.faults.add(Fault(path="/assets", method="POST", asset=fate))
    with video_file.open("rb") as file:
        made = api.post("/assets", data={"method": "direct"}, files={"file": file}).json()
    other = upload(api, video_file)
    asset = api.get(f"/assets/{made['_id']}").json()
    assert asset["status"] == {"failed": "failed", "stuck": "processing"}[fate]
    assert api.get(f"/assets/{other}").json()["status"] == "ready"


@pytest.mark.parametrize(
    ("fields", "files", "code", "expected"),
    [
        ({}, FILE, "parameter_not_provided", "method"),
        ({"method": "multipart"}, FILE, "parameter_invalid", "`direct`, `url`, not 'multipart'"),
        ({"method": "direct"}, None, "parameter_not_provided", "file"),
        ({"method": "direct", "url": "http://x/"}, FILE, "parameter_invalid", "does not belong to method `direct`"),
        ({"method": "direct"}, {"file": ("video.mp4", b"")}, "parameter_invalid", "empty"),
        ({"method": "direct", "file": "content"}, None, "parameter_invalid", "file part"),
        ({"method": "direct", "filename": ""}, FILE, "parameter_invalid", "1 to 255 characters, not 0"),
        ({"method": "direct", "filename": "x" * 256}, FILE, "parameter_invalid", "not 256"),
        ({"method": "direct", "enable_hls": "yes"}, FILE, "parameter_invalid", "enable_hls"),
        (
            {"method": "direct", "user_metadata": "{a"},
            FILE,
            "parameter_invalid",
            "user_metadata parameter must be a JSON",
        ),
        ({"method": "direct", "user_metadata": "[]"}, FILE, "parameter_invalid", "JSON object"),
        ({"method": "direct", "user_metadata": '{"a":{}}'}, FILE, "parameter_invalid", "'a'"),
        ({"method": "direct", "title": "x"}, FILE, "parameter_unknown", "title"),
        ({"method": ["direct", "url"]}, FILE, "parameter_invalid", "once"),
        ({"method": "direct", "user_metadata": "x" * 70_000}, FILE, "parameter_invalid", "maximum size"),
        ({"method": "url"}, None, "parameter_not_provided", "url"),
        ({"method": "url", "url": "ftp://x/video.mp4"}, None, "parameter_invalid", "http or https"),
        ({"method": "url", "url": "http://x/"}, FILE, "parameter_invalid", "does not belong to method `url`"),
        ({"method": "url", "url": "http://x/" + "y" * 9000}, None, "parameter_invalid", "at most 8192 characters"),
    ],
)
def test_invalid_forms_are_refused(api: httpx.Client, fields: Any, files: Any, code: str, expected: str) -> None:
    answer = api.post("/assets", data=fields if files else None, files=files or form(**fields))
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == code
    assert expected in answer.json()["message"]


def test_other_content_types_and_broken_forms_are_refused(api: httpx.Client) -> None:
    assert "multipart/form-data" in api.post("/assets", json={"method": "url"}).json()["message"]
    headers = {"Content-Type": "multipart/form-data"}
    assert "boundary" in api.post("/assets", content=b"x", headers=headers).json()["message"]
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert api.post("/assets", content=b"--b\r\nbroken", headers=headers).status_code == 400


@pytest.mark.slow
def test_a_file_above_200_mb_is_refused(api: httpx.Client, tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(200_000_001)
    with large.open("rb") as file:
        answer = api.post("/assets", data={"method": "direct"}, files={"file": file})
    assert answer.status_code == 400
    assert "200 MB" in answer.json()["message"]


@pytest.mark.slow
def test_a_large_image_fails(api: httpx.Client, picture: Path) -> None:
    content = picture.read_bytes() + bytes(33_000_000)
    made = api.post("/assets", data={"method": "direct"}, files={"file": ("large.jpg", content)})
    failed = settled(api, f"/assets/{made.json()['_id']}")
    assert failed["error"] == {"message": "File size (33.0 MB) exceeds maximum limit of 32 MB"}


def form(**fields: str) -> dict[str, Any]:
    """Send text fields as a multipart form."""
    return {name: (None, value) for name, value in fields.items()}
