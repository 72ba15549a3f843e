"""The progress line: what it writes to a terminal and to a file."""

import io

import pytest

from twelvelabs_core import Progress
from twelvelabs_core.base.progress import ProgressLine

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


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream_class", [Terminal, io.StringIO])
def test_control_characters_of_a_file_name_are_replaced(name: str, stream_class: type[io.StringIO]) -> None:
    stream = stream_class()
    with ProgressLine(total=1, stream=stream) as line:
        line(Progress(name, "uploading", 1, 2))
        line(Progress(name, "ready", task_id="1"))
    written = stream.getvalue()
    assert "1/1 (1 ready) | ready " in written
    assert written.replace("\r", "").replace("\n", "").isprintable()
    assert written.count("\n") + written.count("\r") == (3 if stream_class is Terminal else 2)
    written.encode()


def test_an_ordinary_name_is_unchanged() -> None:
    stream = io.StringIO()
    with ProgressLine(total=1, stream=stream) as line:
        line(Progress("Füße 足球 ⚽.mp4", "reused"))
    assert stream.getvalue() == "1/1 (1 reused) | reused Füße 足球 ⚽.mp4\n"
