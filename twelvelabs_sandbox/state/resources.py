"""The temporary folder and the worker threads of a sandbox."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 2


class Files:
    """Unique paths in a temporary folder; every file has one owner, who deletes it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twelvelabs-sandbox-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)

    def new_path(self) -> Path:
        """Return a new path; the file does not exist yet."""
        return self.path / secrets.token_hex(8)

    def link(self, path: Path) -> Path:
        """Return a second path of the same bytes, so that the owner may delete the first."""
        second = self.new_path()
        try:
            os.link(path, second)
        except OSError:  # The file system has no hard links.
            shutil.copyfile(path, second)
        return second

    def truncate_all(self) -> None:
        """Truncate every file, so that work that reads one ends at once."""
        for path in self.path.iterdir():
            if path.is_file():
                os.truncate(path, 0)

    def delete_all(self) -> None:
        """Delete the folder and everything in it."""
        self._folder.cleanup()


class Workers:
    """Two small thread pools, so that a client that waits for a response is never queued behind long tasks."""

    def __init__(self) -> None:
        self._requests = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-request")
        self._tasks = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-task")

    async def run_request(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function that a request waits for."""
        return await asyncio.wrap_future(self._requests.submit(work, *args, **kwargs))

    async def run_task(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function of a background task."""
        return await asyncio.wrap_future(self._tasks.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Cancel queued work and wait for running work."""
        for pool in (self._requests, self._tasks):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (self._requests, self._tasks):
            pool.shutdown(wait=True)
