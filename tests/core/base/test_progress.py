"""Progress: a bar in a terminal, one line at the end in a file, and names that cannot control the terminal."""

import builtins
import io
import re
import sys
import unicodedata

import pytest

from twelvelabs_core import Progress
from twelvelabs_core.base.progress import ProgressBar

NAMES = [
    "\x1b]0;owned\x07\x1b[2Jmatch.mp4",
    "a\rb\nc.mp4",
    "a\x9b31mb.mp4",
    "a\u202egpm.exe",
    "a\udc80b.mp4",
    "a\u2028b.mp4",
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["tqdm", "no tqdm"])
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "200")
    if request.param == "no tqdm":
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    return Terminal()


def show(stream: io.StringIO, *steps: Progress, total: int) -> str:
    with ProgressBar(total, stream=stream) as bar:
        for step in steps:
            bar(step)
    return stream.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_control_characters_of_a_file_name_are_replaced(name: str, terminal: Terminal) -> None:
    written = show(terminal, Progress(name, "uploading", 1, 2), Progress(name, "ready", task_id="1"), total=1)
    assert "uploading 50% " in written
    assert written.replace("\r", "").replace("\n", "").isprintable()
    written.encode()


def test_a_terminal_shows_how_many_media_are_done_and_the_latest_step(terminal: Terminal) -> None:
    name = "Füße 足球 ⚽.mp4"
    steps = [Progress("a.mp4", "reused"), Progress("a.mp4", "reused"), Progress(name, "processing")]
    written = show(terminal, *steps, total=2)
    assert "1/2 " in written
    assert f"1 reused | processing {name}" in written
    assert written.endswith("\n")
    assert written.count("\n") == 1


def test_tqdm_draws_the_bar_where_it_is_installed() -> None:
    assert "Embedding: 100%|" in show(Terminal(), Progress("a.mp4", "ready"), total=1)


@pytest.mark.parametrize("name", ["a" * 300, "足球" * 150, "足球.mp4"])
def test_without_tqdm_each_step_fills_one_row_of_the_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    written = show(Terminal(), Progress(name, "processing"), Progress(name, "ready"), total=1)
    _, *rows = written.rstrip("\n").split("\r")
    cells = [sum(1 + (unicodedata.east_asian_width(letter) == "W") for letter in row) for row in rows]
    assert cells == [79, 79]  # the last column stays empty: some terminals wrap after it


def test_a_process_without_stderr_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # as in a service, or with pythonw
    steps: list[Progress] = []
    with ProgressBar(total=1, then=steps.append) as bar:
        bar(Progress("a.mp4", "ready"))
    assert len(steps) == 1


def test_a_file_gets_one_line_for_the_whole_run() -> None:
    steps = [Progress(name, stage) for name in ("a.mp4", "b.mp4") for stage in ("checking", "processing", "ready")]
    written = show(io.StringIO(), *steps, Progress("c.mp4", "failed"), total=4)
    assert re.fullmatch(r"3 of 4 media in \d+\.\d s: 1 failed, 2 ready\n", written)


def test_a_run_without_media_writes_nothing_to_a_file() -> None:
    assert show(io.StringIO(), total=0) == ""


def test_a_notebook_shows_the_bar_although_its_stderr_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    assert "Embedding: 100%|" in show(io.StringIO(), Progress("a.mp4", "ready"), total=1)
