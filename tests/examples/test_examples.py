"""Every LangChain and core example, run unchanged, against the sandbox."""

import contextlib
import io
import os
import re
import runpy
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from tests.examples.media import SCENES, TIMES, write_media
from twelvelabs_core import AuthenticationError
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import describe_look

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with videos and a picture of the third scene of the first video."""
    folder = tmp_path_factory.mktemp("media")
    write_media(folder, tmp_path_factory)
    return folder


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


class Shown(NamedTuple):
    """The output of an example."""

    stdout: str
    stderr: str


class Runner:
    """Runs examples with the environment that a user sets."""

    def __init__(self, media: Path, service: Sandbox, store: Path) -> None:
        self.media = media
        self.environment = {
            "TWELVELABS_API_KEY": service.api_key,
            "TWELVELABS_BASE_URL": service.base_url,
            "TWELVELABS_STORE": str(store),
        }

    def __call__(self, name: str, *arguments: str) -> Shown:
        """Run an example in this process, which saves the time of its imports."""
        out, err = io.StringIO(), io.StringIO()
        script = str(EXAMPLES / name)
        with (
            mock.patch.dict(os.environ, self.environment),
            mock.patch.object(sys, "argv", [script, *arguments]),
            contextlib.chdir(self.media),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            runpy.run_path(script, run_name="__main__")
        return Shown(out.getvalue(), err.getvalue())

    def alone(self, name: str, *arguments: str) -> Shown:
        """Run an example in a separate process."""
        command, environment = [sys.executable, str(EXAMPLES / name), *arguments], {**os.environ, **self.environment}
        done = subprocess.run(
            command, cwd=self.media, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return Shown(done.stdout, done.stderr)


@pytest.fixture(scope="module")
def run(media: Path, service: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(media, service, tmp_path_factory.mktemp("store") / "segments.sqlite")


def times(output: str) -> list[tuple[float, float]]:
    return [(float(start), float(end)) for start, end in TIMES.findall(output)]


def middle(moment: tuple[float, float]) -> float:
    return sum(moment) / 2


def test_quickstart(run: Runner) -> None:
    done = run("langchain_quickstart.py", "match.mp4", describe_look(SCENES[1]))
    assert len(times(done.stdout)) == 3
    assert 6 < middle(times(done.stdout)[0]) < 12
    assert "1 of 1 media" in done.stderr


def test_search_by_image(run: Runner) -> None:
    found = times(run("langchain_search_by_image.py", "match.mp4", "green.png").stdout)
    assert 12 < middle(found[0]) < 18


def test_filter_by_time(run: Runner) -> None:
    found = times(run("langchain_filter_by_time.py", "match.mp4", describe_look(SCENES[0]), "5", "18").stdout)
    assert found
    assert all(5 <= start < end <= 18 for start, end in found)


def test_index(run: Runner) -> None:
    done = run("langchain_index.py", "match.mp4", "other.mp4")
    first, second = (
        [int(count) for count in re.findall(r"(\d+) (?:added|skipped|deleted)", line)]
        for line in done.stdout.splitlines()
    )
    assert first[0] > 0
    assert first[1:] == [0, 0]
    assert second == [0, first[0], 0]


def test_rag_chain(run: Runner) -> None:
    answer, *cited = run("langchain_rag_chain.py", "match.mp4", describe_look(SCENES[1])).stdout.splitlines()
    assert answer == "See the moments below."
    assert cited[0] == "match.mp4, 6.0-12.0 s, match.mp4#t=6,12"


def test_agent(run: Runner) -> None:
    shown = run("langchain_agent.py", "match.mp4", describe_look(SCENES[1])).stdout
    assert "tool: 1. match.mp4, 0:06.0-0:12.0: seen 0." in shown
    assert "cited: ['match.mp4#t=6,12'" in shown


def test_hybrid_search_ranks_the_word_that_is_said_first(run: Runner) -> None:
    first, *_ = run("langchain_hybrid_search.py", "Amara", "talk.mkv", "match.mp4").stdout.splitlines()
    assert first.startswith("talk.mkv, 6.0-")
    assert "'the goalkeeper is called Amara'" in first


@pytest.mark.parametrize("videos", [("talk.mkv", "match.mp4"), ("match.mp4",)], ids=["spoken", "silent"])
def test_hybrid_search_for_a_word_that_is_not_said_ranks_by_vectors(run: Runner, videos: tuple[str, ...]) -> None:
    shown = run("langchain_hybrid_search.py", "Beatriz", *videos).stdout.splitlines()
    assert shown
    assert shown[0].partition(" s, ")[2].startswith("1.00, ")


def test_more_like_this(run: Runner) -> None:
    like, best, *_ = run("langchain_more_like_this.py", "red stripes", "match.mp4", "other.mp4").stdout.splitlines()
    assert like.startswith("like match.mp4, 0:00.0-0:06.0")
    assert "other.mp4, 0:00.0-" in best


def test_near_duplicate_scenes(run: Runner, media: Path) -> None:
    shutil.copyfile(media / "match.mp4", media / "copy.mp4")
    shown = run("near_duplicate_scenes.py", "match.mp4", "copy.mp4").stdout
    assert shown.count("match.mp4, ") == shown.count("copy.mp4, ") == 3
    assert times(shown)[::2] == times(shown)[1::2] == [(0.0, 6.0), (6.0, 12.0), (12.0, 18.0)]


def test_recommend_videos(run: Runner) -> None:
    shown = run("recommend_videos.py", "match.mp4", "other.mp4", "talk.mkv").stdout
    assert sorted(line.split(" ")[0] for line in shown.splitlines()) == ["other.mp4", "talk.mkv"]


def test_documents(run: Runner) -> None:
    done = run("langchain_documents.py", "documents", "blue checkerboard")
    assert len(done.stdout.splitlines()) == 3
    assert "plan.pdf  page 2  chunk -1" in done.stdout.splitlines()[0]
    done = run("langchain_documents.py", "documents", "a loud red car drives fast")
    assert "notes.md  page 0  chunk 0" in done.stdout.splitlines()[0]


def test_async_videos_skips_and_reports_a_broken_video(run: Runner) -> None:
    done = run("langchain_async_videos.py", "purple and white stripes", "match.mp4", "broken.mp4", "other.mp4")
    assert "other.mp4" in done.stdout.splitlines()[0]
    assert "left out: broken.mp4: not a readable" in done.stderr
    assert len(times(done.stdout)) == 5


def test_a_queue_of_tickets_in_three_processes(run: Runner, service: Sandbox) -> None:
    before = service.count("POST", "/embed-v2/tasks")
    run("tickets_sqlite_queue.py", "add", "match.mp4", "other.mp4", "broken.mp4")
    assert run("tickets_sqlite_queue.py", "submit").stdout == "failed 1\nsubmitted 2\n"
    done = run.alone("tickets_sqlite_queue.py", "collect").stdout
    assert done.endswith("done 2\nfailed 1\n")
    assert "match.mp4 " in done
    assert service.count("POST", "/embed-v2/tasks") - before <= 2
    (run.media / "queue.sqlite3").unlink()


@pytest.mark.parametrize("status", [401, 503])
def test_a_queue_of_tickets_continues_after_a_run_that_failed(
    status: int, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twelvelabs_core.transport.retry.FIRST_WAIT", 0.01)
    with Sandbox() as service:
        run = Runner(media, service, tmp_path / "segments.sqlite")
        run("tickets_sqlite_queue.py", "add", "match.mp4")
        for step, before, done in (("submit", "new 1\n", "submitted 1\n"), ("collect", "submitted 1\n", "done 1\n")):
            service.faults.add(Fault(status=status, times=None))
            with pytest.raises(AuthenticationError) if status == 401 else contextlib.nullcontext():
                assert run("tickets_sqlite_queue.py", step).stdout.endswith(before)
            service.faults.clear()
            assert run("tickets_sqlite_queue.py", step).stdout.endswith(done)
        assert len(service.tasks()) == 1
    (media / "queue.sqlite3").unlink()


def test_a_bad_job_of_a_queue_of_tickets_does_not_stop_the_others(media: Path, tmp_path: Path) -> None:
    with Sandbox() as service:
        run = Runner(media, service, tmp_path / "segments.sqlite")
        run("tickets_sqlite_queue.py", "add", "match.mp4", "other.mp4")
        service.faults.add(Fault(path="/assets", asset="failed"))
        assert run("tickets_sqlite_queue.py", "submit").stdout == "failed 1\nsubmitted 1\n"
        with contextlib.closing(sqlite3.connect(media / "queue.sqlite3", isolation_level=None)) as queue:
            queue.execute("INSERT INTO jobs VALUES ('0.mp4', 'submitted', 'no ticket', NULL)")
            assert run("tickets_sqlite_queue.py", "collect").stdout.endswith("done 1\nfailed 1\nsubmitted 1\n")
            errors = dict(queue.execute("SELECT video, error FROM jobs WHERE error IS NOT NULL").fetchall())
        assert sorted(errors) == ["0.mp4", "match.mp4"]
        assert errors["match.mp4"].startswith("match.mp4: asset ")
    (media / "queue.sqlite3").unlink()


@pytest.mark.slow
def test_second_run_costs_nothing(media: Path, tmp_path: Path) -> None:
    with Sandbox() as service:
        run = Runner(media, service, tmp_path / "segments.sqlite")
        first, second = (way("langchain_quickstart.py", "match.mp4", "red stripes") for way in (run.alone, run))
        assert service.count("POST", "/embed-v2/tasks") == service.count("POST", "/assets") == 1
    assert first.stdout == second.stdout
    assert "reused" in second.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_without_arguments_shows_its_usage(name: str, run: Runner) -> None:
    with pytest.raises(SystemExit, match=f"python examples/{name} "):
        run(name)


def test_the_list_of_examples_names_each_file_once() -> None:
    shown = re.findall(r"\]\((?!\.\.)([^)]+)\)", (EXAMPLES / "README.md").read_text("utf-8"))
    files = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("notebooks/*.ipynb"), EXAMPLES / "demo"]
    assert sorted(shown) == sorted(path.relative_to(EXAMPLES).as_posix() for path in files)


def test_every_example_is_tested_and_short() -> None:
    examples = [
        *EXAMPLES.glob("langchain_*.py"),
        EXAMPLES / "near_duplicate_scenes.py",
        EXAMPLES / "recommend_videos.py",
        EXAMPLES / "tickets_sqlite_queue.py",
    ]
    assert examples
    for example in examples:
        assert f'run("{example.name}"' in Path(__file__).read_text("utf-8")
        assert len(example.read_text("utf-8").splitlines()) <= 50
