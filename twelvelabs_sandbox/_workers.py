"""The few threads on which media are decoded, so that the server goes on answering meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2


class Workers:
    """Two small pools: long tasks never make a caller who waits for an answer queue behind them."""

    def __init__(self) -> None:
        self._requests = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-request")
        self._tasks = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-task")

    async def for_request(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work whose caller waits for it."""
        return await asyncio.wrap_future(self._requests.submit(work, *args, **kwargs))

    async def for_task(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work of a task that runs on its own."""
        return await asyncio.wrap_future(self._tasks.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        for pool in (self._requests, self._tasks):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (self._requests, self._tasks):
            pool.shutdown(wait=True)
