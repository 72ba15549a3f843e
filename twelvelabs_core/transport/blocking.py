"""`BlockingIo`: an `Io` whose methods never suspend; parallel work runs on threads.

Each `map` starts its own threads, so nested maps never wait for one bounded pool. Threads carry the caller's context
variables and stop soon after the caller does, also on Ctrl-C: they are daemons that check for it while they sleep.
`ThreadPoolExecutor` was rejected: the interpreter waits for its threads at exit.
"""

import contextvars
import os
import queue
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

import httpx

from twelvelabs_core.transport.body import Reply
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
from twelvelabs_core.transport.io import CONCURRENCY_MAX, Completed, Exchange, Io, completed, finish
from twelvelabs_core.transport.rate_limit import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

_TICK = 0.5  # seconds between two checks for cancellation; on Windows, Ctrl-C does not interrupt a longer wait


class Cancelled(BaseException):  # like asyncio.CancelledError, not an error
    """Unwinds a worker whose caller has ended. A BaseException, so that `except Exception` does not stop it."""


class CancelScope:
    """The life of one parallel call; cancelling it ends its workers, and those of calls inside them."""

    def __init__(self, parent: "CancelScope | None") -> None:
        self._event = threading.Event()
        self._parent = parent

    def cancel(self) -> None:
        """Ask all workers to end."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether work should end."""
        return self._event.is_set() or (self._parent is not None and self._parent.is_cancelled)

    def check(self) -> None:
        """Raise `Cancelled` if work should end."""
        if self.is_cancelled:
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait; raise `Cancelled` as soon as work should end."""
        end = time.monotonic() + seconds
        self.check()
        while (remaining := end - time.monotonic()) > 0:
            self._event.wait(min(remaining, _TICK))
            self.check()


_scope: contextvars.ContextVar[CancelScope | None] = contextvars.ContextVar("twelvelabs_scope", default=None)


class BlockingIo(Io):
    """An `Io` on the caller's thread."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._idle = IdleClients(_make_client)
        # Runs with `close`, else with this object or at the end of the interpreter.
        self._finalizer = weakref.finalize(self, _close_all, self._idle)

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and return its response."""
        return await follow_redirects(exchange, self._send, self.blocking)

    async def _send(self, exchange: Exchange) -> Reply:
        if self._idle.pid != os.getpid():
            self._open()  # the parent of a forked child still uses its connections
        idle = self._idle
        client = idle.take()
        budget = TimeBudget(exchange)
        token = _budget.set(budget)
        try:
            with redacted_http_logs():
                reply = _exchange(client, exchange, budget)
        except BaseException as error:  # noqa: BLE001  # Ctrl-C too
            client.close()
            if isinstance(error, HTTP_ERRORS):
                raise budget.no_answer(error) from None
            raise error.with_traceback(without_library_frames(error.__traceback__)) from None
        finally:
            _budget.reset(token)
        for unused in idle.give_back(client):
            unused.close()
        return reply

    async def sleep(self, seconds: float) -> None:
        """Wait, at most until the caller has ended."""
        scope = _scope.get()
        if scope is None:
            time.sleep(seconds)  # noqa: ASYNC251  # an Io for callers without a loop
        else:
            scope.sleep(seconds)

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run it in this thread, which may block."""
        return function()

    async def acquire(self, limiter: RateLimiter) -> None:
        """Block until the next request may be sent."""
        limiter.acquire()

    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run it completely even if the caller has ended; the worker ends at the step after it."""
        token = _scope.set(None)
        try:
            return await function()
        finally:
            _scope.reset(token)

    async def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncGenerator[Completed[T, R]]:
        """Yield results in order of completion, from threads that live as long as this generator."""
        workers = _Workers(function, items, min(limit, CONCURRENCY_MAX))
        try:
            for result in workers.results():
                yield result
        finally:
            workers.cancel()

    def close(self) -> None:
        """Close this process's connections, those in use as soon as they are free."""
        close_old = self._finalizer
        self._open()
        close_old()


def _close_all(idle: IdleClients[httpx.Client]) -> None:
    for client in idle.close():
        client.close()


def _exchange(client: httpx.Client, exchange: Exchange, budget: TimeBudget) -> Reply:
    scope = _scope.get()
    content = None if exchange.body is None else _until_cancelled(exchange.body.chunks(), scope)
    with client.stream(**stream_options(exchange), content=content) as response:
        reader = ReplyReader(exchange, response)
        for chunk in _until_cancelled(response.iter_raw(), scope):
            if not exchange.has_body:
                break
            reader.feed(chunk)
            budget.add(len(chunk))
    return reader.reply()


_budget: contextvars.ContextVar[TimeBudget | None] = contextvars.ContextVar("twelvelabs_budget", default=None)


def _make_client() -> httpx.Client:
    """Return an HTTP client whose connections end with the budget of the exchange that uses them.

    The HTTP library has a time-out for each read, and none for a response: drip-fed headers have no end. It takes no
    network backend either, so its own is replaced; where its attributes are others, only bodies are bounded.
    """
    client = make_client(httpx.Client)
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        pool: Any = getattr(transport, "_pool", None)
        if hasattr(pool, "_network_backend"):
            pool._network_backend = _BoundedBackend(pool._network_backend)  # noqa: SLF001
    return client


class _BoundedBackend:
    """Makes connections as the given backend of httpcore does."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(self, *args: Any, **kwargs: Any) -> "_BoundedStream":
        return _BoundedStream(self._backend.connect_tcp(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


class _BoundedStream:
    """A connection of httpcore whose reads and writes end with the time budget."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._stream.read(max_bytes, _bounded(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _bounded(timeout))

    def start_tls(self, *args: Any, **kwargs: Any) -> "_BoundedStream":
        return _BoundedStream(self._stream.start_tls(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _bounded(timeout: float | None) -> float | None:
    budget = _budget.get()
    if budget is None:
        return timeout
    if (remaining := budget.remaining) <= 0:
        raise TimeoutError
    return remaining if timeout is None else min(timeout, remaining)


def _until_cancelled(chunks: Iterable[bytes], scope: "CancelScope | None") -> Iterator[bytes]:
    for chunk in chunks:
        if scope is not None:
            scope.check()
        yield chunk


class _Workers:
    """The threads of one parallel call, their work and their results."""

    def __init__(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> None:
        self._function: Callable[[Any], Awaitable[Any]] = function
        self._items = iter(items)
        self._items_lock = threading.Lock()
        self._results: queue.SimpleQueue[Completed[Any, Any] | BaseException | None] = queue.SimpleQueue()
        self._slots = threading.Semaphore(limit)  # for items that are started and not yet consumed
        self._limit = limit
        self._started = 0
        self._parent = _scope.get()
        self._scope = CancelScope(self._parent)

    def results(self) -> Iterator[Completed[Any, Any]]:
        """Yield results until all work is done."""
        self._start_thread()
        ended = 0
        while ended < self._started:
            result = self._next_result()
            if result is None:
                ended += 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result
                self._slots.release()

    def _start_thread(self) -> None:
        """Start a thread; each starts the next with its first item, so that few items cost few threads."""
        self._started += 1
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._work,), name="twelvelabs", daemon=True).start()

    def cancel(self) -> None:
        """Start no more work; each thread ends after its present step."""
        self._scope.cancel()
        self._slots.release(self._limit)

    def _next_result(self) -> "Completed[Any, Any] | BaseException | None":
        while True:
            try:
                return self._results.get(timeout=_TICK)
            except queue.Empty:
                if self._parent is not None:
                    self._parent.check()

    def _work(self) -> None:
        _scope.set(self._scope)
        is_first = True
        try:
            while True:
                self._slots.acquire()
                if self._scope.is_cancelled:
                    return
                try:
                    with self._items_lock:
                        item = next(self._items)
                        if is_first and self._started < self._limit:
                            self._start_thread()
                except StopIteration:
                    self._slots.release()
                    return
                is_first = False
                self._results.put(finish(completed(self._function, item)))
        except Cancelled:
            return
        except BaseException as error:  # noqa: BLE001  # the caller's thread raises it
            self._results.put(error)
        finally:
            self._results.put(None)
