"""One awaitable surface for both clients, so that each behaviour is tested once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from twelvelabs_core import AsyncClient, AsyncLegacyV1, Client, LegacyV1, Settings


class Surface:
    """A `Client` or `AsyncClient`, or its old API; what it returns is awaited, what it yields iterated asynchronously.

    The calls of a blocking client run on the test's own thread, that is, under a running event loop.
    """

    def __init__(self, client: Client | AsyncClient | LegacyV1 | AsyncLegacyV1) -> None:
        self.client = client
        self.is_async = isinstance(client, AsyncClient | AsyncLegacyV1)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if isinstance(found, LegacyV1 | AsyncLegacyV1):
            return Surface(found)
        if self.is_async or not callable(found):
            return found
        return lambda *args, **kwargs: _awaitable(found(*args, **kwargs))

    def start(self, name: str, *args: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        """Begin a call beside others: as a task, or on a thread."""
        method: Callable[..., Awaitable[Any]] = getattr(self.client, name)
        return asyncio.create_task(
            method(*args, **kwargs) if self.is_async else asyncio.to_thread(method, *args, **kwargs)  # type: ignore[arg-type]
        )

    async def close(self) -> None:
        """Close its connections."""
        if isinstance(self.client, AsyncClient):
            await self.client.aclose()
        elif isinstance(self.client, Client):
            self.client.close()


def make_surface(kind: str, settings: Settings, **options: Any) -> Surface:
    """Return a surface of `blocking` or `async` kind."""
    client = AsyncClient(settings=settings, **options) if kind == "async" else Client(settings=settings, **options)
    return Surface(client)


def content(path: Path) -> bytes:
    """Return a file's bytes."""
    return path.read_bytes()


def _awaitable(value: Any) -> Any:
    if isinstance(value, Iterator):
        return BlockingIterator(value)

    async def ready() -> Any:
        return value

    return ready()


class BlockingIterator:
    """A blocking iterator as an asynchronous one, with the close of a generator."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for item in self._iterator:
            return item
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close it."""
        self._iterator.close()  # type: ignore[attr-defined]
