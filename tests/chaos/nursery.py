"""Starts workers without their seconds of imports: a process that has imported everything forks one for each order.

``python -m tests.chaos.nursery`` reads ``config path, tab, stderr path`` a line and answers with the number of the
process. What is killed is a whole process, with files, sockets and locks of its own.
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
        """End it without a word, and wait until it is gone."""
        if self.is_alive:
            os.kill(self._pid, signal.SIGKILL)
            self.wait(10.0)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; False when it has not in this time."""
        last = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() > last:
                return False
            time.sleep(0.005)
        return True


class Nursery:
    """The process that forks, as its parent sees it."""

    def __init__(self, api_key: str) -> None:
        environment = {**os.environ, "TWELVELABS_API_KEY": api_key, "NO_PROXY": "*"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
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
    """Fork as ordered, until there are no more orders."""
    from tests.chaos import worker  # noqa: PLC0415  # here alone: the parent needs none of it

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: the system clears them away
    while line := sys.stdin.readline():
        config, _, stderr = line.rstrip("\n").partition("\t")
        pid = os.fork()
        if not pid:
            _be(worker.main, config, stderr)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _be(run: object, config: str, stderr: str) -> None:
    """Be the worker, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, place in ((0, os.devnull), (1, os.devnull), (2, stderr)):
        os.dup2(os.open(place, os.O_RDWR | os.O_CREAT, 0o600), number)
    status = 1
    try:
        run(config)  # type: ignore[operator]
        status = 0
    except BaseException:  # noqa: BLE001  # whatever it was, it must not go on as the nursery
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
