"""The example for many videos as it is, native and on Ray: a kill, a repeated run, and what was paid for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import daft
import pytest

from tests.core import postgres
from tests.core.video_server import VideoServer
from tests.daft import ray_cluster
from tests.daft.ray_cluster import RayCluster
from twelvelabs_sandbox import Sandbox

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "daft_many_videos.py"
REPEATED = 15  # rows whose video is also that of another row
RUN_SEC = 300


class Job:
    """Runs of the example over one table of videos, 5 % of them bad.

    Attributes:
        rows: Number of rows.
        bad: How many of them fail.
        failing: Their values.
        distinct: How many different good videos there are.
    """

    def __init__(self, folder: Path, sandbox: Sandbox, server: VideoServer, rows: int, environment: Any) -> None:
        self.rows, self.bad = rows, rows // 20
        self.distinct = rows - self.bad - REPEATED
        good = [server.url(f"{number}.mp4") for number in range(self.distinct)]
        kinds = "missing-{}.mp4", "ftp://host/{}.mp4", "http://127.0.0.1:9/{}.mp4"
        bad = [kinds[number % 3].format(number) for number in range(self.bad)]
        self.failing = set(bad)
        urls = [*good[: rows // 2], *bad, *good[rows // 2 :], *good[:REPEATED]]
        (folder / "videos.csv").write_text("\n".join(["url", *urls, ""]))
        self.target = folder / "videos.lance"
        self._sandbox, self._before = sandbox, len(sandbox.tasks())
        self._command = [sys.executable, str(EXAMPLE), str(folder / "videos.csv"), str(self.target)]
        self._environment = {**os.environ, "DO_NOT_TRACK": "1", "PYTHONPATH": str(ROOT), **environment}

    def tasks(self) -> int:
        """Return the number of tasks that were created so far."""
        return len(self._sandbox.tasks()) - self._before

    def run(self, *arguments: str) -> str:
        """Run the example to its end; return what it prints."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=RUN_SEC,
            check=False,
        )
        # Daft may abort while the interpreter ends, after all is written: https://github.com/PyO3/pyo3/issues/6084
        aborts = done.returncode == -signal.SIGABRT and done.stderr.endswith("exception not rethrown\n")
        assert done.returncode == 0 or aborts, done.stderr[-3000:]
        return done.stdout

    def interrupt(self, kill: Callable[[subprocess.Popen[bytes]], int], *arguments: str) -> None:
        """Run the example, kill a process when a third of the tasks exist, and wait for its end."""
        with subprocess.Popen(
            [*self._command, *arguments], env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running:
            try:
                while self.tasks() < self.distinct // 3 and running.poll() is None:
                    time.sleep(0.1)
                assert kill(running) == 1
                running.wait(RUN_SEC)
            finally:
                running.kill()

    def check(self, printed: str) -> None:
        """Check the written rows against the table."""
        assert printed.startswith(f"{self.rows} rows, {self.bad} of them failed\n")
        rows = daft.read_lance(str(self.target)).to_pylist()
        assert len(rows) == self.rows
        failed = {row["url"] for row in rows if row["video"]["error"] is not None}
        assert failed == self.failing
        for row in rows:
            assert (row["video"]["segments"] is None) is (row["url"] in failed)
            assert row["video"]["segments"] is None or row["video"]["segments"][0]["source"] == row["url"]
        assert self.tasks() == self.distinct


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    return {"TWELVELABS_API_KEY": sandbox.api_key, "TWELVELABS_BASE_URL": sandbox.base_url}


def killed(process: subprocess.Popen[bytes]) -> int:
    """Kill the process that was started."""
    process.send_signal(signal.SIGKILL)
    return 1


@pytest.mark.slow
def test_native_run_is_killed_and_repeated(
    tmp_path: Path, sandbox: Sandbox, server: VideoServer, environment: dict[str, str]
) -> None:
    pytest.importorskip("daft_lance", reason="has no version for Python 3.14")
    environment["TWELVELABS_STORE"] = str(tmp_path / "segments.sqlite3")
    job = Job(tmp_path, sandbox, server, 300, environment)
    job.interrupt(killed)
    job.check(job.run())
    job.check(job.run())


@pytest.fixture
def cluster(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RayCluster, dict[str, str]]]:
    """A cluster whose workers share a segment store in PostgreSQL, and the environment of its driver."""
    with (
        postgres.server(tmp_path_factory.mktemp("pg")) as url,
        postgres.schema(url) as database,
        pytest.MonkeyPatch.context() as patch,
    ):
        environment["TWELVELABS_STORE"] = database
        for name, value in environment.items():
            patch.setenv(name, value)
        with ray_cluster.running() as running:
            runner = {"DAFT_RUNNER": "ray", "RAY_ADDRESS": running.address, **ray_cluster.LOOPBACK}
            yield running, {**environment, **runner}


@pytest.mark.ray
def test_a_worker_of_ray_is_killed_and_the_run_repeated(
    cluster: tuple[RayCluster, dict[str, str]], tmp_path: Path, sandbox: Sandbox, server: VideoServer
) -> None:
    pytest.importorskip("daft_lance", reason="has no version for Python 3.14")
    running, environment = cluster
    job = Job(tmp_path, sandbox, server, 300, environment)
    job.interrupt(lambda _: running.kill_a_worker(), "8")
    job.check(job.run("8"))
    job.check(job.run("8"))
