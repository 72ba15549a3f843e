"""`BlockingIo`: an `Io` whose methods never suspend; parallel work runs on threads of its own.

Each `map` starts its own threads, so nested maps never wait on one bounded pool. Threads carry the caller's context
variables and stop soon after the caller does, also on Ctrl-C: they are daemons and their sleeps can be woken.
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
    Exchange,
    Outcome,
    ReplyReader,
    finish,
    no_answer,
    request_headers,
    request_timeout,
    unsigned_in_logs,
)
from twelvelabs_core.transport.rate_limiter import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

KEEPALIVE_CONNECTIONS = 64
KEEPALIVE_SECONDS = 30.0
_TICK = 0.5  # how often a waiting main thread looks up, so that Ctrl-C is heard on every platform


class StoppedError(BaseException):
    """Unwinds a worker whose caller is gone. A BaseException, so that no `except Exception` keeps it alive."""


class Scope:
    """The life of one parallel call: stopping it wakes its workers, and those of the calls inside them."""

    def __init__(self, parent: "Scope | None") -> None:
        self._event = threading.Event()
        self._children: set[Scope] = set()
        self._lock = threading.Lock()
        self._parent = parent
        if parent is not None:
            parent.adopt(self)

    def adopt(self, child: "Scope") -> None:
        """Take a scope inside this one."""
        with self._lock:
            self._children.add(child)
        if self.stopped:
            child.stop()

    def stop(self) -> None:
        """Tell all workers to end."""
        self._event.set()
        with self._lock:
            children = list(self._children)
        for child in children:
            child.stop()

    def leave(self) -> None:
        """End; the parent forgets it."""
        self.stop()
        if self._parent is not None:
            self._parent.forget(self)

    def forget(self, child: "Scope") -> None:
        """Drop a scope that has ended."""
        with self._lock:
            self._children.discard(child)

    @property
    def stopped(self) -> bool:
        """Whether work should end."""
        return self._event.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait; StoppedError when the scope is stopped meanwhile."""
        if self._event.wait(seconds):
            raise StoppedError


_scope: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("twelvelabs_scope", default=None)


class BlockingIo:
    """An `Io` on the caller's thread."""

    def __init__(self) -> None:
        self._forget_clients()

    def _forget_clients(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._finalizer: weakref.finalize[[httpx.Client, int], BlockingIo] | None = None
        self._users: Counter[httpx.Client] = Counter()

    @contextmanager
    def _borrowed(self) -> Iterator[httpx.Client]:
        """Lend this process's HTTP client; after fork a new one, for sockets cannot be shared.

        Closing a connection under a thread that reads from it would leave that thread waiting, so a client that
        `close` has given up is closed by the last to bring it back.
        """
        if self._pid != os.getpid():
            self._forget_clients()  # never closed here: the parent still speaks through it
        with self._lock:
            if self._client is None:
                self._client = _make_client()
                # Quietly, where nobody calls close: with its owner, or at the end of the interpreter.
                self._finalizer = weakref.finalize(self, _close_own, self._client, os.getpid())
            client = self._client
            self._users[client] += 1
        try:
            yield client
        finally:
            with self._lock:
                self._users[client] -= 1
                is_last = self._users[client] == 0 and client is not self._client
                self._users += Counter()  # drops what counts nothing
            if is_last:
                client.close()

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and take its answer."""
        try:
            with self._borrowed() as client, unsigned_in_logs():
                return self._exchange(client, exchange, _scope.get())
        except HTTP_ERRORS as error:
            raise no_answer(error) from None

    def _exchange(self, client: httpx.Client, exchange: Exchange, scope: Scope | None) -> Reply:
        content = _until_stopped(exchange.body.chunks(), scope) if exchange.body is not None else None
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
            for chunk in _until_stopped(response.iter_raw(), scope):
                reader.feed(chunk)
        return reader.reply()

    async def sleep(self, seconds: float) -> None:
        """Wait; woken when the caller is gone."""
        scope = _scope.get()
        if scope is None:
            time.sleep(seconds)  # noqa: ASYNC251  # an Io for callers without a loop
        else:
            scope.sleep(seconds)

    def now(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run it here: this thread may block."""
        return function()

    async def acquire(self, limiter: RateLimiter) -> None:
        """Block until the next request may go."""
        limiter.acquire()

    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run it to its end though the caller may be gone; the next step after it then stops."""
        token = _scope.set(None)
        try:
            return await function()
        finally:
            _scope.reset(token)

    async def map(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> list[R]:
        """Return the results in order, at most `limit` at work; the first error ends all."""
        work = list(items)
        if len(work) < 2 or limit == 1:  # noqa: PLR2004  # one item needs no thread
            return [await function(item) for item in work]
        results: list[R] = [cast("R", None)] * len(work)
        indexed = self.as_completed(lambda pair: function(pair[1]), enumerate(work), min(limit, len(work)))
        try:
            async for outcome in indexed:
                if outcome.error is not None:
                    raise outcome.error
                results[outcome.item[0]] = cast("R", outcome.result)
        finally:
            await indexed.aclose()  # type: ignore[attr-defined]
        return results

    async def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncIterator[Outcome[T, R]]:
        """Yield outcomes as they come, from threads that live as long as this generator."""
        crew = _Crew(function, items, limit)
        try:
            for outcome in crew.outcomes():
                yield outcome
        finally:
            crew.dismiss()

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
    """Close a client, unless it is a parent's: its sockets are shared with it."""
    if pid == os.getpid():
        client.close()


def _make_client() -> httpx.Client:
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=KEEPALIVE_CONNECTIONS, keepalive_expiry=KEEPALIVE_SECONDS
    )
    return httpx.Client(limits=limits, mounts=NO_PROXY, follow_redirects=False)


class _Crew:
    """The threads of one parallel call, their work and their results."""

    def __init__(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> None:
        self._function: Callable[[Any], Awaitable[Any]] = function
        self._items = iter(items)
        self._items_lock = threading.Lock()
        self._results: queue.SimpleQueue[Outcome[Any, Any] | BaseException | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(limit)  # begun and not yet taken by the consumer
        self._limit = limit
        self._scope = Scope(_scope.get())
        self._threads: list[threading.Thread] = []

    def outcomes(self) -> Iterator[Outcome[Any, Any]]:
        """Yield outcomes until all work is done."""
        for _ in range(self._limit):
            context = contextvars.copy_context()
            thread = threading.Thread(target=context.run, args=(self._work,), name="twelvelabs", daemon=True)
            self._threads.append(thread)
            thread.start()
        running = len(self._threads)
        while running:
            outcome = self._next_result()
            if outcome is None:
                running -= 1
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                yield outcome
                self._room.release()

    def dismiss(self) -> None:
        """Stop new work; threads end by themselves once their present request is through."""
        self._scope.leave()
        for _ in self._threads:
            self._room.release()

    def _next_result(self) -> "Outcome[Any, Any] | BaseException | None":
        parent = _scope.get()
        while True:
            try:
                return self._results.get(timeout=_TICK)
            except queue.Empty:
                if parent is not None and parent.stopped:
                    raise StoppedError from None

    def _work(self) -> None:
        _scope.set(self._scope)
        try:
            while True:
                self._room.acquire()
                if self._scope.stopped:
                    return
                try:
                    with self._items_lock:
                        item = next(self._items)
                except StopIteration:
                    self._room.release()
                    return
                self._results.put(self._try(item))
        except StoppedError:
            return
        except BaseException as error:  # noqa: BLE001  # handed to the caller's thread, which raises it
            self._results.put(error)
        finally:
            self._results.put(None)

    def _try(self, item: Any) -> Outcome[Any, Any]:
        try:
            return Outcome(item, finish(cast("Any", self._function(item))), None)
        except Exception as error:  # noqa: BLE001  # the consumer decides what an error means
            return Outcome(item, None, error)


def _until_stopped(chunks: Iterable[bytes], scope: Scope | None) -> Iterator[bytes]:
    for chunk in chunks:
        if scope is not None and scope.stopped:
            raise StoppedError
        yield chunk
