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
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import httpx

from twelvelabs_core.transport.body import Reply
from twelvelabs_core.transport.io import (
    HTTP_ERRORS,
    NO_PROXY,
    Completed,
    Exchange,
    ReplyReader,
    finish,
    no_answer,
    redacted_http_logs,
    request_headers,
    request_timeout,
)
from twelvelabs_core.transport.rate_limit import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

KEEPALIVE_CONNECTIONS = 64
KEEPALIVE_SECONDS = 30.0
_TICK = 0.5  # seconds between two checks for cancellation; on Windows, Ctrl-C does not interrupt a longer wait


class Cancelled(BaseException):  # like asyncio.CancelledError, not an error
    """Unwinds a worker whose caller is gone. A BaseException, so that `except Exception` does not stop it."""


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


class BlockingIo:
    """An `Io` on the caller's thread."""

    def __init__(self) -> None:
        self._reset_clients()

    def _reset_clients(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._finalizer: weakref.finalize[[httpx.Client, int], BlockingIo] | None = None
        self._users: Counter[httpx.Client] = Counter()

    @contextmanager
    def _borrow_client(self) -> Iterator[httpx.Client]:
        """Return this process's HTTP client; after fork a new one, for sockets cannot be shared.

        A thread that reads from a connection would wait permanently if another thread closed it. So `close` leaves a
        client that is in use to its last user.
        """
        if self._pid != os.getpid():
            self._reset_clients()  # not closed here: the parent still uses its connections
        with self._lock:
            if self._client is None:
                self._client = _make_client()
                # Without a call of `close`: with its owner, or at the end of the interpreter.
                self._finalizer = weakref.finalize(self, _close_own, self._client, os.getpid())
            client = self._client
            self._users[client] += 1
        try:
            yield client
        finally:
            with self._lock:
                self._users[client] -= 1
                is_last = self._users[client] == 0 and client is not self._client
                self._users += Counter()  # removes zero counts
            if is_last:
                client.close()

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and return its response."""
        try:
            with self._borrow_client() as client, redacted_http_logs():
                return self._exchange(client, exchange, _scope.get())
        except HTTP_ERRORS as error:
            raise no_answer(error) from None

    def _exchange(self, client: httpx.Client, exchange: Exchange, scope: CancelScope | None) -> Reply:
        content = _until_cancelled(exchange.body.chunks(), scope) if exchange.body is not None else None
        with client.stream(
            exchange.method,
            exchange.url,
            params=list(exchange.params) or None,
            headers=request_headers(exchange),
            content=content,
            timeout=request_timeout(exchange),
            follow_redirects=exchange.follow_redirects,
        ) as response:
            reader = ReplyReader(exchange, response)
            for chunk in _until_cancelled(response.iter_raw(), scope):
                reader.feed(chunk)
        return reader.reply()

    async def sleep(self, seconds: float) -> None:
        """Wait, at most until the caller is gone."""
        scope = _scope.get()
        if scope is None:
            time.sleep(seconds)  # noqa: ASYNC251  # an Io for callers without a loop
        else:
            scope.sleep(seconds)

    def now(self) -> float:
        """Return the seconds of a clock that is never set back."""
        return time.monotonic()

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run it in this thread, which may block."""
        return function()

    async def acquire(self, limiter: RateLimiter) -> None:
        """Block until the next request may be sent."""
        limiter.acquire()

    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run it completely even if the caller is gone; the worker ends at the step after it."""
        token = _scope.set(None)
        try:
            return await function()
        finally:
            _scope.reset(token)

    async def map(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> list[R]:
        """Return the results in order, at most `limit` concurrently; the first error ends all."""
        work = list(items)
        if len(work) < 2 or limit == 1:  # noqa: PLR2004  # one item needs no thread
            return [await function(item) for item in work]
        results: list[R] = [cast("R", None)] * len(work)
        indexed = self.as_completed(lambda pair: function(pair[1]), enumerate(work), min(limit, len(work)))
        try:
            async for completed in indexed:
                if completed.error is not None:
                    raise completed.error
                results[completed.item[0]] = cast("R", completed.result)
        finally:
            await indexed.aclose()  # type: ignore[attr-defined]
        return results

    async def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncIterator[Completed[T, R]]:
        """Yield results in order of completion, from threads that live as long as this generator."""
        workers = _Workers(function, items, limit)
        try:
            for completed in workers.results():
                yield completed
        finally:
            workers.cancel()

    def close(self) -> None:
        """Close this process's connections, those in use as soon as they are free."""
        if self._pid == os.getpid():
            with self._lock:
                client, self._client = self._client, None
                if self._finalizer is not None:
                    self._finalizer.detach()
                is_free = client is not None and self._users[client] == 0
            if client is not None and is_free:
                client.close()


def _close_own(client: httpx.Client, pid: int) -> None:
    """Close a client, unless it belongs to the parent process: a forked child shares its sockets."""
    if pid == os.getpid():
        client.close()


def _make_client() -> httpx.Client:
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=KEEPALIVE_CONNECTIONS, keepalive_expiry=KEEPALIVE_SECONDS
    )
    return httpx.Client(limits=limits, mounts=NO_PROXY, follow_redirects=False)


class _Workers:
    """The threads of one parallel call, their work and their results."""

    def __init__(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> None:
        self._function: Callable[[Any], Awaitable[Any]] = function
        self._items = iter(items)
        self._items_lock = threading.Lock()
        self._results: queue.SimpleQueue[Completed[Any, Any] | BaseException | None] = queue.SimpleQueue()
        self._slots = threading.Semaphore(limit)  # for items that are started and not yet consumed
        self._limit = limit
        self._parent = _scope.get()
        self._scope = CancelScope(self._parent)

    def results(self) -> Iterator[Completed[Any, Any]]:
        """Yield results until all work is done."""
        for _ in range(self._limit):
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._work,), name="twelvelabs", daemon=True).start()
        running = self._limit
        while running:
            completed = self._next_result()
            if completed is None:
                running -= 1
            elif isinstance(completed, BaseException):
                raise completed
            else:
                yield completed
                self._slots.release()

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
        try:
            while True:
                self._slots.acquire()
                if self._scope.is_cancelled:
                    return
                try:
                    with self._items_lock:
                        item = next(self._items)
                except StopIteration:
                    self._slots.release()
                    return
                self._results.put(self._run(item))
        except Cancelled:
            return
        except BaseException as error:  # noqa: BLE001  # the caller's thread raises it
            self._results.put(error)
        finally:
            self._results.put(None)

    def _run(self, item: Any) -> Completed[Any, Any]:
        try:
            return Completed(item, finish(cast("Any", self._function(item))), None)
        except Exception as error:  # noqa: BLE001  # the consumer decides what an error means
            return Completed(item, None, error)


def _until_cancelled(chunks: Iterable[bytes], scope: CancelScope | None) -> Iterator[bytes]:
    for chunk in chunks:
        if scope is not None:
            scope.check()
        yield chunk
