"""`AsyncIo`: an `Io` on asyncio, with HTTP clients that belong to the running loop.

One object may serve many short-lived loops (frameworks start them). Each loop has its own clients; they are closed when
that loop shuts down, so that no response is lost to a closed loop.
"""

import asyncio
import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

import httpx

from twelvelabs_core.transport.body import CHUNK, Body, Reply
from twelvelabs_core.transport.http import (
    HTTP_ERRORS,
    IdleClients,
    ReplyReader,
    TimeBudget,
    follow_redirects,
    make_client,
    redacted_http_logs,
    stream_options,
    without_library_frames,
)
from twelvelabs_core.transport.io import CONCURRENCY_MAX, Completed, Exchange, Io, completed
from twelvelabs_core.transport.rate_limit import RateLimiter
from twelvelabs_core.transport.warm_up import warm_up

T = TypeVar("T")
R = TypeVar("R")


class _LoopClients:
    """The idle HTTP clients of one event loop; its shutdown closes them."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self.idle = IdleClients(lambda: make_client(httpx.AsyncClient))
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
            for client in self.idle.close():
                await client.aclose()

    async def aclose(self) -> None:
        await self._guard.aclose()


class AsyncIo(Io):
    """An `Io` on whichever asyncio loop is running."""

    _is_warm = False

    def __init__(self) -> None:
        self._clients: dict[asyncio.AbstractEventLoop, _LoopClients] = {}
        self._lock = threading.Lock()

    async def _loop_clients(self) -> _LoopClients:
        loop = asyncio.get_running_loop()
        if not AsyncIo._is_warm:
            await asyncio.to_thread(warm_up)
            AsyncIo._is_warm = True
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
        return await follow_redirects(exchange, self._send, self.blocking)

    async def _send(self, exchange: Exchange) -> Reply:
        idle = (await self._loop_clients()).idle
        client = idle.take()
        budget = TimeBudget(exchange)
        try:
            with redacted_http_logs():
                reply = await _exchange(client, exchange, budget)
        except BaseException as error:  # noqa: BLE001  # cancellation too
            # A request that was cancelled in flight may leave its connection, the only one, permanently in use.
            await client.aclose()
            if isinstance(error, HTTP_ERRORS):
                raise budget.no_answer(error) from None
            raise error.with_traceback(without_library_frames(error.__traceback__)) from None
        for unused in idle.give_back(client):
            await unused.aclose()
        return reply

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)

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

    async def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncGenerator[Completed[T, R]]:
        """Yield results in order of completion; closing the generator cancels the rest."""
        results: asyncio.Queue[Completed[T, R] | BaseException | None] = asyncio.Queue()
        limit = min(limit, CONCURRENCY_MAX)
        slots = asyncio.Semaphore(limit)
        pending = iter(items)

        async def worker() -> None:
            try:
                while await slots.acquire():
                    try:
                        item = next(pending)
                    except StopIteration:
                        slots.release()
                        return
                    results.put_nowait(await completed(function, item))
            except Exception as error:  # noqa: BLE001  # raised by the iterator of the items; the consumer raises it
                results.put_nowait(error)
            finally:
                results.put_nowait(None)

        tasks = [asyncio.create_task(worker()) for _ in range(limit)]
        try:
            running = len(tasks)
            while running:
                result = await results.get()
                if result is None:
                    running -= 1
                elif isinstance(result, BaseException):
                    raise result
                else:
                    yield result
                    slots.release()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Close the running loop's connections, those in use as soon as they are free."""
        with self._lock:
            clients = self._clients.pop(asyncio.get_running_loop(), None)
        if clients is not None:
            await clients.aclose()


async def _body_chunks(body: Body) -> AsyncIterator[bytes]:
    """Yield a body; files are read in a thread."""
    chunks = body.chunks()
    read = functools.partial(next, chunks, None)
    # A small body is in memory already: a thread would cost more than the request.
    while (chunk := read() if body.length <= CHUNK else await asyncio.to_thread(read)) is not None:
        yield chunk


async def _exchange(client: httpx.AsyncClient, exchange: Exchange, budget: TimeBudget) -> Reply:
    content = None if exchange.body is None else _body_chunks(exchange.body)
    now = asyncio.get_running_loop().time
    async with (
        asyncio.timeout(budget.remaining) as scope,
        client.stream(**stream_options(exchange), content=content) as response,
    ):
        reader = ReplyReader(exchange, response)
        async for chunk in response.aiter_raw():
            if not exchange.has_body:
                break
            reader.feed(chunk)
            budget.add(len(chunk))
            scope.reschedule(now() + budget.remaining)
    return reader.reply()
