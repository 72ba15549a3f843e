"""`AsyncIo`: an `Io` on asyncio, with HTTP clients that belong to the running loop.

One object may serve many short-lived loops (frameworks start them). Each loop has its own clients; they are closed when
that loop shuts down, so that no response is lost to a closed loop. A client has one connection: the HTTP library's pool
slows down with the square of its size, many small clients that share one SSL context do not.
"""

import asyncio
import functools
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TypeVar, cast

import httpx

from twelvelabs_core.transport.body import CHUNK, Body, Reply
from twelvelabs_core.transport.io import (
    HTTP_ERRORS,
    NO_PROXY,
    Completed,
    Exchange,
    ReplyReader,
    no_answer,
    redacted_http_logs,
    request_headers,
    request_timeout,
)
from twelvelabs_core.transport.rate_limit import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

KEEPALIVE_SECONDS = 30.0
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_SECONDS)


@functools.lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """Return the one SSL context: creating it costs more than a request."""
    return httpx.create_ssl_context()


class _LoopClients:
    """The HTTP clients of one event loop that are idle at present."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._idle: list[httpx.AsyncClient] = []
        self._is_open = True
        self._forget = forget
        self._guard = self._until_shutdown()

    async def open(self) -> None:
        # A started async generator is closed by the loop's own shutdown (asyncio.run does that before closing it).
        await anext(self._guard)

    async def _until_shutdown(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self._forget()
            self._is_open = False
            while self._idle:
                await self._idle.pop().aclose()

    def take(self) -> httpx.AsyncClient:
        if self._idle:
            return self._idle.pop()
        return httpx.AsyncClient(verify=_ssl_context(), limits=_ONE, mounts=NO_PROXY, follow_redirects=False)

    async def give_back(self, client: httpx.AsyncClient) -> None:
        if self._is_open:
            self._idle.append(client)
        else:
            await client.aclose()

    async def aclose(self) -> None:
        await self._guard.aclose()


class AsyncIo:
    """An `Io` on whichever asyncio loop is running."""

    def __init__(self) -> None:
        self._clients: dict[asyncio.AbstractEventLoop, _LoopClients] = {}
        self._lock = threading.Lock()

    async def _loop_clients(self) -> _LoopClients:
        loop = asyncio.get_running_loop()
        with self._lock:
            clients = self._clients.get(loop)
            if clients is not None:
                return clients
            # A loop that was closed without a shutdown is still in here; weak keys would not help, for the clients of a
            # loop refer to it.
            self._clients = {other: kept for other, kept in self._clients.items() if not other.is_closed()}
            clients = self._clients[loop] = _LoopClients(functools.partial(self._forget, loop))
            opening = clients.open()
        await opening  # completes in one step: the generator only yields
        return clients

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._clients.pop(loop, None)

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and return its response."""
        clients = await self._loop_clients()
        client = clients.take()
        try:
            with redacted_http_logs():
                reply = await _exchange(client, exchange)
        except BaseException as error:
            # A request that was cancelled in flight may leave its connection, the only one, permanently in use.
            await client.aclose()
            if isinstance(error, HTTP_ERRORS):
                raise no_answer(error) from None
            raise
        await clients.give_back(client)
        return reply

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)

    def now(self) -> float:
        """Return the seconds of a clock that is never set back."""
        return time.monotonic()

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run it in a thread, so that the loop does not wait for a disk."""
        return await asyncio.to_thread(function)

    async def acquire(self, limiter: RateLimiter) -> None:
        """Wait until the next request may be sent."""
        await limiter.async_acquire()

    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run it completely even if the caller is cancelled; the cancellation continues after it."""
        step = asyncio.ensure_future(function())
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            await asyncio.wait([step])
            if not step.cancelled():
                step.exception()  # retrieved, so that asyncio does not log it; the cancellation takes precedence
            raise

    async def map(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> list[R]:
        """Return the results in order, at most `limit` concurrently; the first error cancels the others."""
        work = list(items)
        results: list[R] = [cast("R", None)] * len(work)
        pending = iter(enumerate(work))

        async def worker() -> None:
            for index, item in pending:
                results[index] = await function(item)

        await _run_all([worker() for _ in range(min(limit, len(work)))])
        return results

    async def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncIterator[Completed[T, R]]:
        """Yield results in order of completion; closing the generator cancels the rest."""
        results: asyncio.Queue[Completed[T, R] | BaseException | None] = asyncio.Queue()
        slots = asyncio.Semaphore(limit)
        pending = iter(items)

        async def worker() -> None:
            try:
                while True:
                    await slots.acquire()
                    try:
                        item = next(pending)
                    except StopIteration:
                        slots.release()
                        return
                    await results.put(await _completed(function, item))
            except Exception as error:  # noqa: BLE001  # raised by the iterator of the items; the consumer raises it
                await results.put(error)
            finally:
                results.put_nowait(None)

        tasks = [asyncio.create_task(worker()) for _ in range(limit)]
        try:
            running = len(tasks)
            while running:
                completed = await results.get()
                if completed is None:
                    running -= 1
                elif isinstance(completed, BaseException):
                    raise completed
                else:
                    yield completed
                    slots.release()
        finally:
            await _cancel_all(tasks)

    def close(self) -> None:
        """Nothing can be closed without waiting; each loop's shutdown closes its own clients."""

    async def aclose(self) -> None:
        """Close the running loop's connections, those in use as soon as they are free."""
        with self._lock:
            clients = self._clients.pop(asyncio.get_running_loop(), None)
        if clients is not None:
            await clients.aclose()


async def _completed(function: Callable[[T], Awaitable[R]], item: T) -> Completed[T, R]:
    try:
        return Completed(item, await function(item), None)
    except Exception as error:  # noqa: BLE001  # the consumer decides what an error means
        return Completed(item, None, error)


async def _run_all(workers: "list[Awaitable[None]]") -> None:
    """Run workers together; on the first error cancel the others and raise that error itself, not a group."""
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _cancel_all(tasks)


async def _cancel_all(tasks: "list[asyncio.Task[None]] | list[asyncio.Future[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _body_chunks(body: Body) -> AsyncIterator[bytes]:
    """Yield a body; files are read in a thread."""
    chunks = body.chunks()
    while True:
        # A small body is in memory already: a thread would cost more than the request.
        chunk = _next(chunks) if body.length <= CHUNK else await asyncio.to_thread(_next, chunks)
        if chunk is None:
            return
        yield chunk


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


async def _exchange(client: httpx.AsyncClient, exchange: Exchange) -> Reply:
    async with client.stream(
        exchange.method,
        exchange.url,
        params=list(exchange.params) or None,
        headers=request_headers(exchange),
        content=None if exchange.body is None else _body_chunks(exchange.body),
        timeout=request_timeout(exchange),
        follow_redirects=exchange.follow_redirects,
    ) as response:
        reader = ReplyReader(exchange, response)
        async for chunk in response.aiter_raw():
            reader.feed(chunk)
    return reader.reply()
