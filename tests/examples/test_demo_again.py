"""The demo run concurrently, interrupted, or in a folder with leftovers of an earlier run."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from examples.demo import command, parts, sample_video
from examples.demo.fetch import on_disk
from examples.demo.preview import KEPT, find_preview, remove_old_previews, write_preview
from examples.demo.screen import Screen
from tests.examples.test_demo import ROOT, SCENES, QuietHandler, run_here
from twelvelabs_core.moments.export.files import private_part
from twelvelabs_sandbox.films import write_film


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the sample video short."""
    monkeypatch.setattr(sample_video, "SCENES", 2)
    monkeypatch.setattr(sample_video, "ASKED_FOR", ())


def at_once(count: int, work: object) -> None:
    """Run a function in several threads at the same time."""
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait(timeout=30)
        work()  # type: ignore[operator]

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run) for _ in range(count)]:
            done.result()


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_sample_video_written_concurrently_is_whole(tmp_path: Path) -> None:
    path = sample_video.sample_video_path(tmp_path)
    at_once(3, lambda: sample_video.write_sample_video(path))
    assert sample_video.is_whole(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_unreadable_sample_video_is_written_again(tmp_path: Path) -> None:
    path = sample_video.sample_video_path(tmp_path)
    sample_video.write_sample_video(path)
    whole = path.read_bytes()
    for left in (b"", b"half a video", whole[:400]):
        path.write_bytes(left)
        assert not sample_video.is_whole(path)
    assert command._sample_video(tmp_path, Screen()) == str(path)  # embedding it would be slow
    assert sample_video.is_whole(path)
    before = path.stat().st_mtime_ns
    command._sample_video(tmp_path, Screen())
    assert path.stat().st_mtime_ns == before


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "media" / "video.mkv"
    path.parent.mkdir()
    write_film(path, SCENES[:1])
    return path


@pytest.mark.slow
def test_previews_and_downloads_written_concurrently_are_whole(tmp_path: Path, video: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    at_once(2, lambda: write_preview(folder, "one", str(video), duration_sec=6.0))
    found = find_preview(folder, "one")
    assert found is not None
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: QuietHandler(*args, directory=str(video.parent))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/video.mkv"
        with on_disk(url, folder, lambda *_: None) as one:
            with on_disk(url, folder, lambda *_: None) as two:
                assert one != two
            assert Path(one).read_bytes() == video.read_bytes()
        server.shutdown()
    assert list(folder.iterdir()) == [found.path]


def test_old_previews_and_temporary_files_are_deleted(tmp_path: Path) -> None:
    for age in range(6):
        path = tmp_path / f"preview-{age}-0.mp4"
        path.touch()
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    remove_old_previews(tmp_path, tmp_path / "preview-5-0.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"preview-{age}-0.mp4" for age in (0, 1, 5)]
    assert len(list(tmp_path.iterdir())) == KEPT
    (tmp_path / "part-1-old").touch()
    os.utime(tmp_path / "part-1-old", (1_000_000, 1_000_000))
    with private_part(tmp_path, "new") as new:
        new.touch()
        parts.remove_forgotten_parts(tmp_path)
        assert new.exists()
    assert not list(tmp_path.glob("part-*"))


def test_query_without_a_known_word_is_explained(tmp_path: Path, video: Path) -> None:
    unknown = run_here(tmp_path / "demo", "--video", str(video), "--query", "qwertzuiop")
    assert unknown.returncode == 0, unknown.stderr
    assert "The sandbox recognises no word of this query" in unknown.stdout
    known = run_here(tmp_path / "demo", "--video", str(video), "--query", "red stripes")
    assert "recognises no word" not in known.stdout


@pytest.mark.parametrize("query", ["--help", "-h", 'two "quoted" words', "$HOME `id`"])
def test_make_passes_a_query_unchanged(query: str) -> None:
    printed = subprocess.run(
        ["make", "-n", "demo", "VIDEO=--live", f"QUERY={query}", f"PYTHON={sys.executable}"],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "MAKEFLAGS": ""},
    ).stdout.replace("\\\n", " ")  # fmt: skip
    (line,) = (line for line in printed.splitlines() if "examples.demo" in line)
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    show = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    shown = line.replace(".venv/bin/python -m examples.demo", show)
    done = subprocess.run(
        ["sh", "-c", shown],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "QUERY": query, "VIDEO": "--live"},
    )  # fmt: skip
    options = command._parse(json.loads(done.stdout))
    assert [options.query, options.video] == [query, "--live"]


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", STARTED, "--folder", str(tmp_path)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


# `python -m examples.demo` with the default SIGINT handler, which background processes do not have.
STARTED = (
    "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('examples.demo', run_name='__main__', alter_sys=True)"
)


def test_ctrl_c_during_start_prints_no_traceback(starting: subprocess.Popen[str]) -> None:
    assert starting.stdout is not None
    assert starting.stdout.readline() == "Starting ...\n"
    starting.send_signal(signal.SIGINT)
    _, errors = starting.communicate(timeout=60)
    assert errors == ""
    assert starting.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    ("flags", "expected"), [([], "repeats what was unfinished"), (["--live"], "continues at the server")]
)
def test_ctrl_c_message_describes_what_is_kept(
    flags: list[str], expected: str, tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command, "store_segments", interrupted)
        patched.setattr(command, "load_video", interrupted)
        stopped = run_here(tmp_path / "demo", "--video", str(video), *flags)
    assert stopped.returncode == 130
    (line,) = stopped.stderr.splitlines()
    assert line.startswith("interrupted; ")
    assert expected in line
