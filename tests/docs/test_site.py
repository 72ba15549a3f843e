"""Builds the documentation site as `make docs` does, follows its links, and opens it in a browser."""

import importlib
import itertools
import os
import re
import subprocess
import sys
import threading
import zlib
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.examples.browser import chromium, resize, wait_until

pytestmark = pytest.mark.slow  # the build takes 15 s

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "twelvelabs_core",
    "langchain_twelvelabs",
    "llama_index_twelvelabs",
    "daft_twelvelabs",
    "twelvelabs_sandbox",
)
SUB_PACKAGES = ("twelvelabs_core.moments.export", "twelvelabs_core.moments.evaluation")
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("video", "src"), ("iframe", "src")}
# Tasks of the table on the front page, and the heading that answers each.
TASKS = {
    "try it without a key": "The offline sandbox",
    "know how much 500 files will cost, and set a budget": "Plan before paying",
    "change the model": "Embedding again: another model, or other segments",
    "search by a picture, a sound or a clip": "Search by image, sound and clip",
    "filter by time or by file": "Filter by time, file and option",
    "cite a moment in an answer": "Answers with citations",
    "let an agent search": "Let an agent search",
    "find names and numbers that are spoken": "Hybrid search",
    "play moments in a web app": "A web app that plays moments",
    "keep a vector store in step with a folder": "Keep a folder in step",
    "delete one video": "Delete a video",
    "separate two tenants": "Several tenants",
    "share what was paid for between machines, on PostgreSQL": "The segment store",
    "understand an error or a rate limit": "Errors",
}
OPENED = ("index.html", "langchain.html", "vector-stores.html", "api/client.html", "api/langchain.html")


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None:
        pass


class Page(HTMLParser):
    """The ids, links, loaded resources, headings and tables of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.headings: dict[str, str] = {}  # by the id of their section
        self.rows: list[list[tuple[str, str]]] = []  # of tables: the texts of each row, with their links or ""
        self._section = ""
        self._heading = False
        self._in_row = False
        self._link = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if tag == "section":
            self._section = given.get("id") or ""
        if tag == "tr":
            self.rows.append([])
            self._in_row = True
        if tag == "a" and given.get("href"):
            self._link = given["href"] or ""
            self.links.append(self._link)
        for name, value in attrs:
            if (tag, name) in LOADED and value:
                self.loaded.append(value)
        self._heading = tag in {"h1", "h2", "h3"}

    def handle_data(self, data: str) -> None:
        if self._heading:
            self.headings[self._section] = self.headings.get(self._section, "") + data
        if self._in_row and data.strip():
            self.rows[-1].append((data, self._link))

    def handle_endtag(self, tag: str) -> None:
        self._heading = self._heading and tag not in {"h1", "h2", "h3", "a"}
        self._in_row = self._in_row and tag != "tr"
        self._link = "" if tag == "a" else self._link


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; of several workers the first one builds it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    try:
        folder.mkdir()
    except FileExistsError:
        assert wait_until((folder / "built").exists, 250), "the build takes too long"
        assert (folder / "built").read_text() == "", "the build failed in another worker"
        return folder / "html"
    strict = ("-W", "--keep-going", "-n", "-q")
    command = [sys.executable, "-m", "sphinx", *strict, "-d", str(folder / "trees"), "docs", str(folder / "html")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (folder / "partial").write_text(run.stderr if run.returncode else "")
    (folder / "partial").rename(folder / "built")
    assert run.returncode == 0, run.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    inventory = zlib.decompress((site / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()  # after its head
    documented = {line.split()[0] for line in inventory.splitlines() if " py:" in line}
    expected = {f"{one}.{name}" for one in PACKAGES + SUB_PACKAGES for name in importlib.import_module(one).__all__}
    assert not expected - documented, "add them to docs/api"


def test_links_lead_to_pages_and_headings(pages: dict[str, Page], site: Path) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            path = (site / name).parent / unquote(target.path) if target.path else site / name
            found = path.resolve()
            other = pages.get(found.relative_to(site.resolve()).as_posix()) if found.is_file() else None
            if not found.is_file() or (target.fragment and other and unquote(target.fragment) not in other.ids):
                broken.append((name, link))
    assert not broken


def test_nothing_is_loaded_from_another_host(pages: dict[str, Page], site: Path) -> None:
    outside = [(name, one) for name, page in pages.items() for one in page.loaded if urlsplit(one).netloc]
    for style in site.rglob("*.css"):
        outside += [
            (style.name, one) for one in re.findall(r"(?:url\(|@import )['\"]?(https?:[^)'\"]+)", style.read_text())
        ]
    assert not outside


def test_each_task_leads_from_the_front_page_to_its_answer(pages: dict[str, Page]) -> None:
    def heading(link: str) -> str:
        target = urlsplit(link)
        headings = pages[target.path].headings
        return headings[target.fragment or next(iter(headings))].strip("\n ")

    _, *rows = pages["index.html"].rows  # without its head
    found = {task: [(text, heading(link)) for text, link in cells if link] for (task, _), *cells in rows}
    assert {task: found.get(task, [("", "none")])[0][1] for task in TASKS} == TASKS
    for text, answer in [link for links in found.values() for link in links]:
        title = text.lower().removeprefix("cost: ")
        assert title in answer.lower() or answer.lower() in title, f"{text} leads to {answer}"


@pytest.mark.browser
def test_pages_open_in_a_browser_without_another_host(site: Path, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}/"
    try:
        with chromium(tmp_path) as browser:
            for width, name in itertools.product((1280, 390), OPENED):
                resize(browser, width, 900, mobile=width < 600)
                browser.get(here + name)
                loaded = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
                assert loaded
                assert [one for one in loaded if not one.startswith((here, "data:"))] == []
                assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1"), name
            log = [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
            assert [one for one in log if "/favicon.ico" not in one] == []  # which the site does not have
    finally:
        server.shutdown()
        server.server_close()
