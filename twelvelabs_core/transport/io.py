"""`Io`: everything in which a sync and an async caller differ; the only thing that operations await.

Operations are `async def` over an `Io`. On `AsyncIo` (`aio`) they run on asyncio. On `BlockingIo` (`blocking`) no
method ever suspends, so `finish` drives a whole operation in one step on the caller's own thread: it works under a
running event loop, in threads and after fork. Only these modules block, sleep or start threads.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from twelvelabs_core.transport.body import Body, Reply, Sink
from twelvelabs_core.transport.rate_limit import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

CONCURRENCY_MAX = 10_000  # no process has more threads; a semaphore of a billion slots is released one by one
CONNECT_TIMEOUT = 10.0  # seconds, for a connection


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request, ready to be sent.

    Attributes:
        method: The HTTP method.
        url: The absolute URL.
        headers: The headers, without the API key.
        timeout: Longest silence in seconds.
        limit: Most seconds in total.
        body: The request body.
        sink: Takes the body of a success; None returns it with the reply.
        params: The query parameters.
        auth: Adds the API key: an `httpx.Auth`, whose repr does not show it.
        follow_redirects: Whether to follow redirects to the same host, or to public addresses by the same scheme.
        has_body: Whether the body of the response is read.
    """

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    timeout: float
    limit: float = math.inf
    body: Body | None = None
    sink: Sink | None = field(default=None, repr=False)
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    auth: Any = field(default=None, repr=False)
    follow_redirects: bool = False
    has_body: bool = True


@dataclass(frozen=True, slots=True)
class Completed(Generic[T, R]):
    """One item of `as_completed`: its result, or the error that it raised."""

    item: T
    result: R | None
    error: Exception | None


class Io(ABC):
    """What an operation can await."""

    @abstractmethod
    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and return its response; NoAnswerError where there is none."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def now(self) -> float:
        """Return the seconds of a clock that is never set back, to measure waits by."""
        return time.monotonic()

    @abstractmethod
    async def blocking(self, function: Callable[[], R]) -> R:
        """Run a function that reads files, computes digests or uses a database."""

    @abstractmethod
    async def acquire(self, limiter: RateLimiter) -> None:
        """Wait until the caller's rate limiter permits the next request."""

    @abstractmethod
    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run a step completely even if the caller is cancelled: a create, and recording what it created."""

    async def map(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> list[R]:
        """Return the results in the order of the items, at most `limit` concurrently; the first error ends all."""
        work = list(items)
        if len(work) < 2 or limit == 1:  # noqa: PLR2004  # one item needs no thread
            return [await function(item) for item in work]
        results: list[R] = [cast("R", None)] * len(work)
        async with aclosing(
            self.as_completed(lambda pair: function(pair[1]), enumerate(work), min(limit, len(work)))
        ) as outcomes:
            async for one in outcomes:
                if one.error is not None:
                    raise one.error
                results[one.item[0]] = cast("R", one.result)
        return results

    @abstractmethod
    def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncGenerator[Completed[T, R]]:
        """Yield results in order of completion; at most `limit` items are started and not yet consumed.

        More than `CONCURRENCY_MAX` never are.
        """

    def close(self) -> None:  # noqa: B027  # the async form can close nothing without waiting
        """Close what can be closed without waiting."""


def finish(operation: Coroutine[Any, Any, R]) -> R:
    """Run an operation on a `BlockingIo` completely, in one step."""
    try:
        operation.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    operation.close()
    raise RuntimeError("an operation suspended on a blocking Io: it awaited something that is not from Io")


def drain(operation: AsyncIterator[R]) -> Generator[R, None, None]:
    """Run an async generator on a `BlockingIo`; closing the iterator closes the generator."""
    try:
        with suppress(StopAsyncIteration):
            while True:
                yield finish(anext(operation))  # type: ignore[arg-type]
    finally:
        close = getattr(operation, "aclose", None)
        if close is not None:
            finish(close())


async def completed(function: Callable[[T], Awaitable[R]], item: T) -> Completed[T, R]:
    """Run one item of `as_completed`."""
    try:
        return Completed(item, await function(item), None)
    except Exception as error:  # noqa: BLE001  # the consumer decides what an error means
        return Completed(item, None, error)
