"""The private folder in which one sandbox keeps what it was sent; it is gone when the sandbox stops."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar


class Files:
    """Unique paths in one temporary folder; every file has one owner, who deletes it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twelvelabs-sandbox-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)

    def new_path(self) -> Path:
        """Return a path that no file has yet."""
        return self.path / secrets.token_hex(8)

    def link(self, path: Path) -> Path:
        """Return a second path to the same bytes, so that its owner may delete the first."""
        twin = self.new_path()
        try:
            os.link(path, twin)
        except OSError:  # A file system without hard links.
            shutil.copyfile(path, twin)
        return twin

    def truncate_all(self) -> None:
        """Empty every file: work that is still reading one comes to its end at once."""
        for path in self.path.iterdir():
            if path.is_file():
                os.truncate(path, 0)

    def delete_all(self) -> None:
        """Delete the folder and everything in it."""
        self._folder.cleanup()


P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2


class Workers:
    """Two small pools: long tasks never make a caller who waits for an answer queue behind them."""

    def __init__(self) -> None:
        self._requests = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-request")
        self._tasks = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-task")

    async def run_request(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work whose caller waits for it."""
        return await asyncio.wrap_future(self._requests.submit(work, *args, **kwargs))

    async def run_task(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work of a task that runs on its own."""
        return await asyncio.wrap_future(self._tasks.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        for pool in (self._requests, self._tasks):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (self._requests, self._tasks):
            pool.shutdown(wait=True)
