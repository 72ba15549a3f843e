"""Starts workers quickly: a process that has imported everything forks one per request.

``python -m tests.chaos.fork_server`` reads lines of ``config path, tab, stderr path`` and answers each with a process
id. Workers are real processes with their own files, sockets and locks.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """One worker process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    @property
    def is_alive(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill the process with SIGKILL and wait until it has ended."""
        if self.is_alive:
            os.kill(self._pid, signal.SIGKILL)
            self.wait(10.0)

    def wait(self, seconds: float) -> bool:
        """Wait until the process has ended; return False on timeout."""
        last = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() > last:
                return False
            time.sleep(0.005)
        return True


class ForkServer:
    """The parent's handle of the forking process."""

    def __init__(self, api_key: str) -> None:
        environment = {**os.environ, "TWELVELABS_API_KEY": api_key, "NO_PROXY": "*"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.fork_server"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, config: Path, stderr: Path) -> Child:
        """Start a worker."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{config}\t{stderr}\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def main() -> None:
    """Fork one worker per line of input, until the input ends."""
    from tests.chaos import worker  # noqa: PLC0415  # only this process needs it

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the system
    while line := sys.stdin.readline():
        config, _, stderr = line.rstrip("\n").partition("\t")
        pid = os.fork()
        if not pid:
            _run_child(worker.main, config, stderr)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run_child(run: object, config: str, stderr: str) -> None:
    """Run the worker in the forked process, then exit."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, place in ((0, os.devnull), (1, os.devnull), (2, stderr)):
        os.dup2(os.open(place, os.O_RDWR | os.O_CREAT, 0o600), number)
    status = 1
    try:
        run(config)  # type: ignore[operator]
        status = 0
    except BaseException:  # noqa: BLE001  # a failed child must not continue as the fork server
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
