"""Media downloaded from URLs: redirects, limits, and the vendor's error messages."""

import logging
from pathlib import Path

import httpx
import pytest

from tests.sandbox.api import body, connect, create_task, settled
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Sandbox


def image(api: httpx.Client, url: str) -> httpx.Response:
    return api.post("/embed-v2", json=body("image", media_source={"url": url}))


def test_redirects_are_followed(api: httpx.Client, file_server: FileServer) -> None:
    assert image(api, file_server.url("redirect/picture.jpg")).status_code == 200


@pytest.mark.parametrize("name", ["status/404", "status/403", "status/500", "loop", "short", "missing.mp4"])
@pytest.mark.parametrize("call", ["/embed-v2", "/embed-v2/tasks"])
def test_unavailable_urls_are_refused(api: httpx.Client, file_server: FileServer, call: str, name: str) -> None:
    url = file_server.url(name)
    answer = api.post(call, json=body("video", media_source={"url": url}))
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "media_url_not_exists",
        "message": f"Cannot find media url '{url}'. Please use an existing url.",
    }


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/video.mp4", "http://nowhere.invalid/video.mp4"])
def test_an_unreachable_host_is_refused(api: httpx.Client, url: str) -> None:
    assert image(api, url).json()["code"] == "media_url_not_exists"


def test_a_declared_size_above_the_limit_is_not_downloaded(api: httpx.Client, file_server: FileServer) -> None:
    answer = api.post("/embed-v2/tasks", json=body("video", media_source={"url": file_server.url("huge")}))
    assert answer.json()["message"] == "File size (5.0 GB) exceeds maximum limit of 4 GB"


def test_a_download_stops_at_the_limit(
    file_server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox() as sandbox, connect(sandbox) as api:
        answer = image(api, file_server.url("endless"))
        assert answer.status_code == 400
        assert answer.json()["message"].endswith("exceeds maximum limit of 32 MB")
        (folder,) = tmp_path.glob("twelvelabs-sandbox-*")
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["picture.jpg", "redirect/picture.jpg", "status/403"])
def test_signed_urls_are_not_logged(
    api: httpx.Client, file_server: FileServer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    image(api, file_server.url(f"{name}?X-Amz-Signature=5ecret"))
    assert "embed-v2" in caplog.text  # The client's own request is logged, so this test would find the other.
    assert "5ecret" not in caplog.text


def test_local_urls_bypass_the_proxy(file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Sandbox() as sandbox, connect(sandbox) as api:
        assert image(api, file_server.url("picture.jpg")).status_code == 200


def test_one_url_in_concurrent_requests(api: httpx.Client, video_file: Path, file_server: FileServer) -> None:
    source = {"url": file_server.url(video_file.name)}
    tasks = [create_task(api, "video", media_source=source) for _ in range(2)]
    first, second = (settled(api, f"/embed-v2/tasks/{task}") for task in tasks)
    assert first["data"] == second["data"] != []
