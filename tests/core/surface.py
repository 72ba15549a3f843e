"""One awaitable interface to both clients, so that one test covers both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from twelvelabs_core import AsyncClient, Client, Settings

RESOURCES = ("tasks", "assets", "uploads", "legacy_v1")


class Surface:
    """A `Client` or `AsyncClient`, or one of its resources; results are awaited, iterators iterated asynchronously.

    Calls of a blocking client run on the test's thread, that is, under a running event loop.
    """

    def __init__(self, client: Any, *, is_async: bool) -> None:
        self.client = client
        self.is_async = is_async

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if name in RESOURCES:
            return Surface(found, is_async=self.is_async)
        if self.is_async or not callable(found):
            return found
        return lambda *args, **kwargs: _awaitable(found(*args, **kwargs))

    def start(self, name: str, *args: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        """Start a concurrent call of a method such as `assets.create`: as a task, or on a thread."""
        method: Callable[..., Awaitable[Any]] = attrgetter(name)(self.client)
        return asyncio.create_task(
            method(*args, **kwargs) if self.is_async else asyncio.to_thread(method, *args, **kwargs)  # type: ignore[arg-type]
        )

    async def close(self) -> None:
        """Close the connections of the client."""
        if self.is_async:
            await self.client.aclose()
        else:
            self.client.close()


def make_surface(kind: str, settings: Settings, **options: Any) -> Surface:
    """Return a surface of `blocking` or `async` kind."""
    is_async = kind == "async"
    cls: type[Client | AsyncClient] = AsyncClient if is_async else Client
    return Surface(cls(settings=settings, **options), is_async=is_async)


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
    """A blocking iterator as an asynchronous one, with the `aclose` of a generator."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for item in self._iterator:
            return item
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the iterator."""
        self._iterator.close()  # type: ignore[attr-defined]
