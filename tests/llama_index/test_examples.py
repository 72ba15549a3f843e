"""Every LlamaIndex example, run unchanged, against the sandbox."""

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.examples.media import SCENES, TIMES, write_media
from tests.llama_index.fixtures import tasks
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import describe_look

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two videos, a text, and an image of the third scene of the first video."""
    folder = tmp_path_factory.mktemp("media")
    write_media(folder, tmp_path_factory)
    (folder / "notes.txt").write_text("Minutes of a meeting.")
    return folder


@dataclass
class Shown:
    """The output of an example."""

    stdout: str
    stderr: str


@pytest.fixture
def run(
    media: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Shown]:
    """Run an example in this process, which saves its imports, with the environment of a user.

    All examples share one segment store.
    """
    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    monkeypatch.setenv("TWELVELABS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TWELVELABS_STORE", str(media / "segments.sqlite"))
    monkeypatch.chdir(media)

    def run(name: str, *arguments: str) -> Shown:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return Shown(*capsys.readouterr())

    return run


def run_alone(media: Path, name: str, *arguments: str) -> Shown:
    """Run an example in a separate process."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=media, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return Shown(done.stdout, done.stderr)


def middles(output: str) -> list[float]:
    return [(float(start) + float(end)) / 2 for start, end in TIMES.findall(output)]


def test_quickstart(run: Callable[..., Shown], media: Path, sandbox: Sandbox) -> None:
    first = run("llama_index_quickstart.py", "match.mp4", describe_look(SCENES[1]))
    found = middles(first.stdout)
    assert len(found) == 3
    assert 6 < found[0] < 12
    assert "1 of 1 media" in first.stderr
    paid = tasks(sandbox)
    again = run_alone(media, "llama_index_quickstart.py", "match.mp4", describe_look(SCENES[1]))
    assert again.stdout == first.stdout
    assert tasks(sandbox) == paid <= 1


def test_search_by_image(run: Callable[..., Shown]) -> None:
    assert 12 < middles(run("llama_index_search_by_image.py", "match.mp4", "green.png").stdout)[0] < 18


def test_filter_by_time(run: Callable[..., Shown]) -> None:
    found = middles(run("llama_index_filter_by_time.py", "match.mp4", describe_look(SCENES[0]), "7", "11").stdout)
    assert found
    assert all(6 <= middle <= 12 for middle in found)


def test_pipeline(run: Callable[..., Shown]) -> None:
    first, second = run("llama_index_pipeline.py", "match.mp4", "other.mp4", "notes.txt").stdout.splitlines()
    assert re.fullmatch(r"first run: ([3-9]|\d\d) nodes written", first)
    assert second == "second run: 0 nodes written"


def test_rag(run: Callable[..., Shown]) -> None:
    shown = run("llama_index_rag.py", "match.mp4", describe_look(SCENES[1])).stdout
    assert "Source 1:\nmatch.mp4, 0:06.0-0:12.0, seen" in shown
    assert f"Query: {describe_look(SCENES[1])}" in shown
    assert "match.mp4, 6.0-12.0 s, match.mp4#t=6,12" in shown


def test_agent(run: Callable[..., Shown]) -> None:
    shown = run("llama_index_agent.py", "match.mp4", describe_look(SCENES[1])).stdout
    assert shown.startswith("match.mp4, 0:06.0-0:12.0: seen 0.")


def test_documents(run: Callable[..., Shown]) -> None:
    done = run("llama_index_documents.py", "documents", "blue checkerboard")
    assert len(done.stdout.splitlines()) == 3
    assert "plan.pdf  page 2  chunk -1" in done.stdout.splitlines()[0]
    done = run("llama_index_documents.py", "documents", "a loud red car drives fast")
    assert "notes.md  page 0  chunk 0" in done.stdout.splitlines()[0]


def test_async_videos_skips_and_reports_a_broken_video(run: Callable[..., Shown]) -> None:
    done = run("llama_index_async_videos.py", "purple and white stripes", "match.mp4", "broken.mp4", "other.mp4")
    assert "other.mp4" in done.stdout.splitlines()[0]
    assert "left out: broken.mp4: not a readable" in done.stderr
    assert len(middles(done.stdout)) == 5


def test_every_example_is_tested_and_short() -> None:
    examples = list(EXAMPLES.glob("llama_index_*.py"))
    assert len(examples) >= 6
    for example in examples:
        assert f'run("{example.name}"' in Path(__file__).read_text("utf-8")
        assert len(example.read_text("utf-8").splitlines()) <= 50
