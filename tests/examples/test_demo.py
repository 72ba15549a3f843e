"""The command of `make demo`: a video in, a table and a page out, and a second run that is free."""

import contextlib
import io
import os
import re
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import av
import pytest
from qdrant_client import QdrantClient

from examples.demo import preview as previews
from examples.demo.command import main
from examples.demo.sample_video import CAPTIONS, sample_video_path
from tests.examples.media import SCENES
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import COLORS, Scene, describe_look, write_film

ROOT = Path(__file__).parents[2]
SPACE = "sandbox-marengo3.0-512"
ROW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)\s+\S*\s*(seen|heard|said) -?\d\.\d\d\b.* (\d\.\d{3})")
Row = tuple[int, int, str, float]


# An API key and a URL that must not be used without `--live`.
UNUSED_ENVIRONMENT = {
    "TWELVELABS_API_KEY": "tlk_a_real_one",
    "TWELVELABS_BASE_URL": "http://127.0.0.1:9",
    "COLUMNS": "120",
}
Outcome = subprocess.CompletedProcess[str]


def run(folder: Path, *arguments: str, **environment: str) -> Outcome:
    """Run the demo in a separate process."""
    command = [sys.executable, "-m", "examples.demo", "--folder", str(folder), *arguments]
    settings = {name: value for name, value in {**os.environ, **UNUSED_ENVIRONMENT, **environment}.items() if value}
    return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=240, check=False)


def run_here(folder: Path, *arguments: str, **environment: str) -> Outcome:
    """Run the demo in this process, which saves the time of imports."""
    out, err = io.StringIO(), io.StringIO()
    settings = {**os.environ, **UNUSED_ENVIRONMENT, **environment}
    given = mock.patch.dict(os.environ, {name: value for name, value in settings.items() if value}, clear=True)
    with given, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["--folder", str(folder), *arguments])
    return Outcome(arguments, code, out.getvalue(), err.getvalue())


def rows(output: str) -> list[Row]:
    """Return the rows of all tables: first second, last second, best option, score."""
    found = ROW.findall(output)
    return [(int(a) * 60 + int(b), int(c) * 60 + int(d), option, float(score)) for a, b, c, d, option, score in found]


def stored_points(folder: Path) -> int:
    """Return the number of segments in the vector store."""
    client = QdrantClient(path=str(folder / "qdrant"))
    try:
        return client.count(SPACE).count
    finally:
        client.close()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "scenes <1>.mkv"
    write_film(path, SCENES, captions=[(12.0, 16.0, "a goalkeeper dives")])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(video: Path, folder: Path) -> Outcome:
    return run(folder, "--video", str(video), "--query", describe_look(SCENES[1]))


def test_demo_prints_a_table_and_writes_a_page(first: Outcome, folder: Path) -> None:
    assert first.returncode == 0, first.stderr
    assert "1 task created" in first.stdout
    assert "not Marengo" in first.stdout
    found = rows(first.stdout)
    assert found
    assert all(0 <= start < end <= 18 for start, end, _, _ in found)
    start, end, option, score = found[0]
    assert (option, score) == ("seen", max(row[3] for row in found))
    assert 5 <= start < end <= 13
    assert "; best at 0:0" in first.stdout
    page = (folder / "moments.html").read_text("utf-8")
    assert "scenes &lt;1&gt;.mkv" in page
    assert "scenes <1>" not in page
    assert "it is not Marengo" in page
    assert len(page) < 30_000_000
    assert page.count('<button type="button" class="moment"') == page.count("<img src=") == len(found)
    # All clips are drawn for each option that the video has, not only those of the moments.
    for option in ("visual", "audio", "transcription"):
        (drawn,) = re.findall(f'<path class="{option}" d="([^"]*)"', page)
        assert drawn.count("Z") >= (1 if option == "transcription" else 3)


def test_second_run_creates_no_task_and_stores_no_duplicates(first: Outcome, video: Path, folder: Path) -> None:
    assert first.returncode == 0, first.stderr
    before, previews = stored_points(folder), {path: path.stat().st_mtime_ns for path in folder.glob("preview-*")}
    again = run_here(folder, "--video", str(video), "--query", describe_look(SCENES[0]))
    assert again.returncode == 0, again.stderr
    assert "reused, 0 tasks created" in again.stdout
    assert rows(again.stdout)[0][1] <= 7
    assert stored_points(folder) == before > 0
    assert {path: path.stat().st_mtime_ns for path in folder.glob("preview-*")} == previews != {}


@pytest.mark.slow
def test_changed_video_of_the_same_name_replaces_old_moments(tmp_path: Path) -> None:
    video = tmp_path / "video.mkv"
    write_film(video, SCENES)
    assert run_here(tmp_path / "demo", "--video", str(video), "--query", "red").returncode == 0
    before = stored_points(tmp_path / "demo")
    write_film(video, SCENES[:1])
    changed = run_here(tmp_path / "demo", "--video", str(video), "--query", "green checkerboard")
    assert changed.returncode == 0, changed.stderr
    assert "1 task created" in changed.stdout
    assert all(end <= 7 for _, end, _, _ in rows(changed.stdout))
    assert 0 < stored_points(tmp_path / "demo") < before


@pytest.mark.slow
def test_only_moments_of_the_given_video_are_found(tmp_path: Path, video: Path) -> None:
    other = tmp_path / "other.mkv"
    write_film(other, [SCENES[1]])
    assert run_here(tmp_path / "demo", "--video", str(video), "--query", "blue").returncode == 0
    asked = run_here(tmp_path / "demo", "--video", str(other), "--query", describe_look(SCENES[2]))
    assert asked.returncode == 0, asked.stderr
    assert rows(asked.stdout)
    assert all(end <= 7 for _, end, _, _ in rows(asked.stdout))


@pytest.mark.slow
def test_without_a_video_one_is_generated_and_its_captions_are_found(tmp_path: Path) -> None:
    demo = run(tmp_path, "--query", CAPTIONS[1])
    assert demo.returncode == 0, demo.stderr
    assert "1 task created" in demo.stdout
    start, end, option, _ = rows(demo.stdout)[0]
    duration = length(sample_video_path(tmp_path))
    assert duration > 150
    spoken = 4.0 + (duration - 12.0) / len(CAPTIONS)
    assert option == "said"
    assert start <= spoken + 5
    assert end >= spoken
    again = run_here(tmp_path)
    assert again.returncode == 0, again.stderr
    assert "reused, 0 tasks created" in again.stdout
    assert "Generating a video" not in again.stdout
    assert again.stdout.count("Moment ") >= 4


def length(video: Path) -> float:
    with av.open(str(video)) as opened:
        return (opened.duration or 0) / av.time_base


def unusable(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield videos that cannot be used, each with text that its error must contain."""
    yield "missing", folder / "missing.mp4", "missing.mp4"
    yield "a folder", folder, "folder"
    (folder / "empty.mp4").touch()
    yield "empty", folder / "empty.mp4", "empty"
    (folder / "text.mp4").write_text("This is not a video.\n" * 40)
    yield "text", folder / "text.mp4", "text.mp4"
    write_film(folder / "short.mp4", [Scene("red", seconds=3.0)])
    yield "short", folder / "short.mp4", "4"
    write_film(folder / "small.mp4", [Scene("red")], size=(200, 200))
    yield "small", folder / "small.mp4", "360"
    yield "wide", folder / "wide.mp4", "2.4"


def test_unusable_video_is_reported_in_one_line(tmp_path: Path) -> None:
    write_film(tmp_path / "wide.mp4", [Scene("red")], size=(1000, 400))
    for name, path, word in unusable(tmp_path):
        refused = run_here(tmp_path / "demo", "--video", str(path))
        assert refused.returncode == 1, name
        (line,) = refused.stderr.strip().splitlines()
        assert line.startswith("error: "), name
        assert word in line, (name, line)
        assert not list((tmp_path / "demo").glob("preview-*")), name
        assert not (tmp_path / "demo" / "moments.html").exists(), name


def test_control_characters_of_a_file_name_are_not_printed(tmp_path: Path) -> None:
    done = run_here(tmp_path, "--video", str(tmp_path / "a\x1b[31m.mp4"))
    assert done.returncode == 1
    assert "no such file" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.slow
def test_pictures_are_exact_when_the_preview_has_keyframes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only keyframe of the video is red, so a preview of keyframes never shows blue."""
    monkeypatch.setattr(previews, "MAX_BYTES", 120_000)
    video = tmp_path / "video.mkv"
    write_film(video, [Scene("red", "white"), Scene("blue", "white")], gop=1000, audio=False)
    done = run_here(tmp_path / "demo", "--video", str(video), "--query", "plain blue")
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout)[0][0] >= 5
    page = (tmp_path / "demo" / "moments.html").read_text("utf-8")
    assert "its preview shows keyframes only" in page
    picture = re.search(r"data:image/jpeg;base64,([^\"]+)", page)
    assert picture
    (tmp_path / "still.jpg").write_bytes(b64decode(picture[1]))
    with av.open(str(tmp_path / "still.jpg")) as still:
        corner = next(still.decode(video=0)).to_ndarray(format="rgb24")[0, 0]
    assert list(corner) == pytest.approx(COLORS["blue"], abs=25)


class QuietHandler(SimpleHTTPRequestHandler):
    """A file server that does not write its requests to stderr."""

    def log_message(self, *_: object) -> None: ...


def test_signed_url_is_searched_and_its_signature_never_shown(tmp_path: Path, video: Path) -> None:
    """The server does not support range requests, so a reader cannot seek."""
    served = partial(QuietHandler, directory=str(video.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{quote(video.name)}?X-Amz-Signature=s3cr3t"
        done = run_here(tmp_path, "--video", url, "--query", describe_look(SCENES[2]))
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert 11 <= rows(done.stdout)[0][0] <= 14
    assert "No preview" not in done.stdout
    assert "s3cr3t" not in done.stdout + done.stderr
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not [path.name for path in kept if b"s3cr3t" in path.read_bytes() or "fetched" in path.name]


def test_live_without_a_key_fails(tmp_path: Path, video: Path) -> None:
    environment = {"TWELVELABS_API_KEY": "", "TWELVE_LABS_API_KEY": "", "TWELVELABS_BASE_URL": ""}
    refused = run_here(tmp_path, "--live", "--video", str(video), **environment)
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert "TWELVELABS_API_KEY" in line


def test_live_uses_key_and_base_url_from_the_environment(tmp_path: Path, video: Path) -> None:
    with Sandbox() as service:
        environment = {"TWELVELABS_API_KEY": service.api_key, "TWELVELABS_BASE_URL": service.base_url}
        live = run_here(tmp_path, "--live", "--video", str(video), "--query", "red", **environment)
        assert live.returncode == 0, live.stderr
        assert service.count("POST", "/embed-v2/tasks") == 1
    assert service.api_key not in live.stdout + live.stderr
    assert "Marengo 3.0" in (tmp_path / "moments.html").read_text("utf-8")


def test_concurrent_runs_in_one_folder_are_refused_in_one_line(tmp_path: Path, video: Path) -> None:
    holder = QdrantClient(path=str(tmp_path / "qdrant"))
    try:
        refused = run_here(tmp_path, "--video", str(video))
    finally:
        holder.close()
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert "another process" in line


def test_sample_video_has_a_version_in_its_name(tmp_path: Path) -> None:
    assert re.fullmatch(r"demo-video-\d+\.mkv", sample_video_path(tmp_path).name)
