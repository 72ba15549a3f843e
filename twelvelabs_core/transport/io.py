"""`Io`: everything in which a sync and an async caller differ. What operations may await, and nothing else.

Operations are `async def` over an `Io`. On `AsyncIo` (`_io_async`) they run on asyncio. On `BlockingIo`
(`_io_blocking`) no method ever suspends, so `finish` drives a whole operation in one step on the caller's own thread:
it works under a running event loop, in threads and after fork. These files alone block, sleep, spawn, or own HTTP
clients.

The HTTP library logs every address that it asks. A presigned one is a password: ours are logged unsigned.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import httpx

from twelvelabs_core.base.redact import redact
from twelvelabs_core.transport.body import Body, NoAnswerError, Reply, Sink
from twelvelabs_core.transport.inflate import ACCEPTED, Inflater
from twelvelabs_core.transport.rate_limiter import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

CONNECT_TIMEOUT = 10.0
_WITHOUT_BODY = (204, 304)  # HTTP statuses
# What may go unencrypted because it stays on this machine must not go through a proxy that the environment names.
NO_PROXY: dict[str, None] = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request, ready to go; `sink` takes the body of a success."""

    method: str
    url: str
    headers: dict[str, str]
    body: Body | None
    sink: Sink | None
    max_bytes: int
    timeout: float
    follow_redirects: bool = False
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T, R]):
    """One item of `as_completed`: its result, or the error that it ended with."""

    item: T
    result: R | None
    error: Exception | None


class Io(Protocol):
    """What an operation can await."""

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and take its answer; NoAnswerError when there is none."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def now(self) -> float:
        """Return the seconds of a clock that never goes back, to measure waits by."""

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run a function that reads files, computes digests or speaks SQL."""

    async def acquire(self, limiter: RateLimiter) -> None:
        """Wait until the caller's rate limiter lets the next request go."""

    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run a step that a caller who leaves must not cut in two: a create, and writing down what it created."""

    async def map(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> list[R]:
        """Return the results in the order of the items, at most `limit` at work; the first error ends all."""

    def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncIterator[Outcome[T, R]]:
        """Yield outcomes as they come; at most `limit` items are begun and not yet taken by the consumer."""

    def close(self) -> None:
        """Forget what can be forgotten without waiting."""


def finish(operation: Coroutine[Any, Any, R]) -> R:
    """Drive an operation on a `BlockingIo` to its end, in one step."""
    try:
        operation.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    operation.close()
    raise RuntimeError("an operation suspended on a blocking Io: it awaited something that is not from Io")


def drain(operation: AsyncIterator[R]) -> Generator[R, None, None]:
    """Drive an async generator on a `BlockingIo`; closing the iterator closes the generator."""
    try:
        while True:
            try:
                yield finish(anext(operation))  # type: ignore[arg-type]
            except StopAsyncIteration:
                return
    finally:
        close = getattr(operation, "aclose", None)
        if close is not None:
            with suppress(StopAsyncIteration):
                finish(close())


HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)  # the last of a host name that cannot be one


def no_answer(error: Exception) -> NoAnswerError:
    """Return what one of `HTTP_ERRORS` means for us; its text may hold the URL and is left out."""
    # These fail before a byte of the request is out; of all others the server may have seen the whole request.
    unsent = (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
        httpx.InvalidURL,
        UnicodeError,
    )
    return NoAnswerError(
        _REASONS.get(type(error), type(error).__name__),
        timed_out=isinstance(error, httpx.TimeoutException),
        may_have_arrived=not isinstance(error, unsent),
    )


_REASONS: dict[type[Exception], str] = {
    httpx.ConnectError: "the server cannot be reached",
    httpx.ConnectTimeout: "the connection was not made in time",
    httpx.ReadTimeout: "the server was silent for too long",
    httpx.WriteTimeout: "the server took no data for too long",
    httpx.PoolTimeout: "no connection was free in time",
    httpx.ReadError: "the connection broke while reading",
    httpx.WriteError: "the connection broke while sending",
    httpx.RemoteProtocolError: "the server closed the connection early",
    httpx.LocalProtocolError: "the request could not be sent as built; did the file change meanwhile?",
    httpx.DecodingError: "the answer's compression is broken",
    httpx.TooManyRedirects: "too many redirects",
    httpx.InvalidURL: "the address is not a URL",
    UnicodeError: "the host name is not a name",
}


class ReplyReader:
    """Takes a reply chunk by chunk: into the sink on success, else into a bounded buffer."""

    def __init__(self, exchange: Exchange, response: httpx.Response) -> None:
        # Without a body the header tells how one would be compressed, whatever was asked for.
        has_body = exchange.method != "HEAD" and response.status_code not in _WITHOUT_BODY
        self._inflater = Inflater(response.headers.get("content-encoding", "") if has_body else "")
        self._sink = exchange.sink if response.is_success else None
        self._max_bytes = exchange.max_bytes
        self._buffer = bytearray()
        self._response = response

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk, as it came over the wire."""
        for piece in self._inflater.pieces(chunk):
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        if self._sink is not None:
            self._sink.feed(piece)
            return
        self._buffer += piece
        if len(self._buffer) > self._max_bytes:
            raise NoAnswerError(
                f"the answer is larger than {self._max_bytes:,} bytes", timed_out=False, may_have_arrived=True
            )

    def reply(self) -> Reply:
        """Return the whole reply."""
        self._inflater.finish()
        return Reply(self._response.status_code, dict(self._response.headers), bytes(self._buffer))


def request_headers(exchange: Exchange) -> dict[str, str]:
    """Return the headers of one request; it asks for no compression but the one that is unpacked with care."""
    return {"accept-encoding": ACCEPTED} | exchange.headers


def request_timeout(exchange: Exchange) -> httpx.Timeout:
    """Return the time-outs of one request: `timeout` is the longest silence; connecting has a shorter one."""
    return httpx.Timeout(exchange.timeout, connect=min(CONNECT_TIMEOUT, exchange.timeout))


_is_ours: ContextVar[bool] = ContextVar("twelvelabs_exchange", default=False)


@contextmanager
def unsigned_in_logs() -> Iterator[None]:
    """Leave the signatures of URLs out of what the HTTP library logs meanwhile, for us and nobody else."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def _without_signatures(record: logging.LogRecord) -> bool:
    if _is_ours.get():
        record.msg = redact(str(record.msg))  # of an answer's headers: a redirect has its address there
        if isinstance(record.args, tuple):
            record.args = tuple(redact(str(value)) if isinstance(value, httpx.URL) else value for value in record.args)
    return True


for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"):
    logging.getLogger(_name).addFilter(_without_signatures)
