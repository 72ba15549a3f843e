"""The app of `docs/web-app.md`, started as the page says: it finds and plays a moment, and serves the videos alone."""

import http.client
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.page_blocks import ROOT, blocks
from tests.examples.browser import chromium, wait_until
from tests.examples.media import SCENES
from twelvelabs_sandbox.films import write_film

PAGE = ROOT / "docs" / "web-app.md"

pytestmark = pytest.mark.slow


@pytest.fixture
def port(reader_folder: Path) -> Iterator[int]:
    """The port of the app, which runs in a folder with a secret and a folder of one video."""
    (reader_folder / ".env").write_text("KEY=secret")
    (reader_folder / "videos").mkdir()
    write_film(reader_folder / "videos" / "first goal #1.mp4", SCENES)
    (block,) = blocks(PAGE)
    (reader_folder / "app.py").write_text(block.code, "utf-8")
    (command,) = re.findall(r"run `(uvicorn [^`]+)`", PAGE.read_text("utf-8"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    app = subprocess.Popen([sys.executable, "-m", *command.split(), "--port", str(number), "--log-level", "warning"])
    try:
        assert wait_until(lambda: app.poll() is not None or answers(number), 120)
        assert app.poll() is None
        yield number
    finally:
        app.terminate()
        app.wait(30)


def answers(port: int) -> bool:
    try:
        return status(port, "/") == 200
    except ConnectionError:
        return False


def status(port: int, path: str) -> int:
    """Return the status of a path that is sent as it is: most clients resolve dots themselves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_search_finds_a_moment_and_an_empty_one_is_refused(port: int) -> None:
    url = f"http://127.0.0.1:{port}/search"
    (best, *_) = httpx.get(url, params={"q": "still blue and yellow"}, trust_env=False).raise_for_status().json()
    found = {"title": "first goal #1.mp4", "start_sec": 6.0, "end_sec": 12.0}
    assert best == found | {"url": "/media/first%20goal%20%231.mp4#t=6,12"}
    assert [status(port, path) for path in ("/search", "/search?q=", "/search?q=%20")] == [400, 400, 400]


@pytest.mark.browser
def test_a_click_plays_the_moment_and_no_other_file_is_served(port: int, tmp_path: Path) -> None:
    assert status(port, "/media/first%20goal%20%231.mp4") == 200
    paths = ("/media/.env", "/media/../.env", "/media/%2e%2e/.env", "/media/..%2f.env", "/media//etc/passwd", "/media/")
    assert {path: status(port, path) for path in (*paths, "/.env")} == dict.fromkeys((*paths, "/.env"), 404)

    with chromium(tmp_path / "profile") as browser:
        browser.get(f"http://127.0.0.1:{port}/")
        field = browser.find_element("name", "q")
        field.send_keys("still blue and yellow")
        field.submit()
        rows = wait_until(lambda: browser.find_elements("css selector", "li"))
        assert rows[0].text == "first goal #1.mp4 6-12 s"
        rows[0].click()
        state = "const video = document.querySelector('video'); return [video.currentTime, video.error, video.src]"
        assert wait_until(lambda: browser.execute_script(state)[0] >= 6.0), browser.execute_script(state)
        assert browser.execute_script(state)[1] is None
