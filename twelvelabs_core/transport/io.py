"""`Io`: everything in which a sync and an async caller differ; the only thing that operations await.

Operations are `async def` over an `Io`. On `AsyncIo` (`aio`) they run on asyncio. On `BlockingIo` (`blocking`) no
method ever suspends, so `finish` drives a whole operation in one step on the caller's own thread: it works under a
running event loop, in threads and after fork. Only these modules block, sleep, start threads, or own HTTP clients.

The HTTP library logs every URL that it requests. A presigned one is a password, so ours are logged without signature.
"""

import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import httpx

from twelvelabs_core.base.redact import redact
from twelvelabs_core.transport.body import Body, NoAnswerError, Reply, Sink
from twelvelabs_core.transport.rate_limit import RateLimiter

T = TypeVar("T")
R = TypeVar("R")

ACCEPTED_CODING = "gzip"
# Vectors as decimals shrink to a half, a list of equal items to a fiftieth. Small responses may shrink to any size.
FREE_BYTES = 64 * 1024 * 1024
EXPANSION_MAX = 100
_STEP_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
CONNECT_TIMEOUT = 10.0
_WITHOUT_BODY = (204, 304)  # HTTP statuses
# Requests to this machine may be unencrypted, so they must not use a proxy from the environment.
NO_PROXY: dict[str, None] = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request, ready to be sent; `sink` takes the body of a success."""

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
class Completed(Generic[T, R]):
    """One item of `as_completed`: its result, or the error that it raised."""

    item: T
    result: R | None
    error: Exception | None


class Io(Protocol):
    """What an operation can await."""

    async def exchange(self, exchange: Exchange) -> Reply:
        """Send one request and return its response; NoAnswerError where there is none."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def now(self) -> float:
        """Return the seconds of a clock that is never set back, to measure waits by."""

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run a function that reads files, computes digests or uses a database."""

    async def acquire(self, limiter: RateLimiter) -> None:
        """Wait until the caller's rate limiter permits the next request."""

    async def uninterrupted(self, function: Callable[[], Awaitable[R]]) -> R:
        """Run a step completely even if the caller is cancelled: a create, and recording what it created."""

    async def map(self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> list[R]:
        """Return the results in the order of the items, at most `limit` concurrently; the first error ends all."""

    def as_completed(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int
    ) -> AsyncIterator[Completed[T, R]]:
        """Yield results in order of completion; at most `limit` items are started and not yet consumed."""

    def close(self) -> None:
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


HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)  # the last is raised for an invalid host name


def no_answer(error: Exception) -> NoAnswerError:
    """Convert one of `HTTP_ERRORS`; its text may contain the URL and is left out."""
    # These fail before a byte of the request is sent; after all others the server may have the whole request.
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
    httpx.DecodingError: "the response is not valid gzip",
    httpx.TooManyRedirects: "too many redirects",
    httpx.InvalidURL: "the URL is invalid",
    UnicodeError: "the host name is invalid",
}


class ReplyReader:
    """Takes a response chunk by chunk: into the sink on success, else into a bounded buffer.

    The HTTP library decompresses each network read at once, with every coding that is installed: 64 kB of zstd become
    gigabytes. So only gzip is accepted, and it is decompressed in steps of 1 MiB whose total is bounded.

    Raises:
        NoAnswerError: The response has another coding.
    """

    def __init__(self, exchange: Exchange, response: httpx.Response) -> None:
        # Without a body the header says how one would be compressed, whatever was accepted.
        has_body = exchange.method != "HEAD" and response.status_code not in _WITHOUT_BODY
        coding = response.headers.get("content-encoding", "").strip().lower() if has_body else ""
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise _invalid(f"the response is compressed as {coding[:50]!r}, which was not accepted")
        self._gzip = zlib.decompressobj(_GZIP) if coding.endswith("gzip") else None
        self._received = 0
        self._decompressed = 0
        self._sink = exchange.sink if response.is_success else None
        self._max_bytes = exchange.max_bytes
        self._buffer = bytearray()
        self._response = response

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk, as it was received.

        Raises:
            NoAnswerError: The body is not valid gzip, or too large.
        """
        if self._gzip is None:
            self._take(chunk)
            return
        self._received += len(chunk)
        while chunk:
            if self._gzip.eof:
                raise _invalid("the response continues after the end of its gzip data")
            try:
                plain = self._gzip.decompress(chunk, _STEP_BYTES)
            except zlib.error:
                raise _invalid("the response is not valid gzip") from None
            # Output that zlib retains after a full step follows with the next bytes: there is a check sum at the end.
            chunk = self._gzip.unused_data or self._gzip.unconsumed_tail
            self._decompressed += len(plain)
            if self._decompressed > max(FREE_BYTES, EXPANSION_MAX * self._received):
                raise _invalid(f"the response expands to more than {EXPANSION_MAX} times its {self._received:,} bytes")
            if plain:
                self._take(plain)

    def _take(self, chunk: bytes) -> None:
        if self._sink is not None:
            self._sink.feed(chunk)
            return
        self._buffer += chunk
        if len(self._buffer) > self._max_bytes:
            raise _invalid(f"the response is larger than {self._max_bytes:,} bytes")

    def reply(self) -> Reply:
        """Return the whole reply.

        Raises:
            NoAnswerError: The gzip data is incomplete.
        """
        if self._gzip is not None and self._received and not self._gzip.eof:
            raise _invalid("the gzip data of the response is incomplete")
        return Reply(self._response.status_code, dict(self._response.headers), bytes(self._buffer))


def _invalid(reason: str) -> NoAnswerError:
    return NoAnswerError(reason, timed_out=False, may_have_arrived=True)


def request_headers(exchange: Exchange) -> dict[str, str]:
    """Return the headers of one request; the only accepted compression is the one that `ReplyReader` bounds."""
    return {"accept-encoding": ACCEPTED_CODING} | exchange.headers


def request_timeout(exchange: Exchange) -> httpx.Timeout:
    """Return the time-outs of one request: `timeout` per read or write, and a shorter one to connect."""
    return httpx.Timeout(exchange.timeout, connect=min(CONNECT_TIMEOUT, exchange.timeout))


_is_ours: ContextVar[bool] = ContextVar("twelvelabs_exchange", default=False)


@contextmanager
def redacted_http_logs() -> Iterator[None]:
    """Remove the signatures of URLs from what the HTTP library logs inside, in this context only."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def _redact_record(record: logging.LogRecord) -> bool:
    if _is_ours.get():
        record.msg = redact(str(record.msg))  # a redirect has its URL in the headers
        if isinstance(record.args, tuple):
            record.args = tuple(redact(str(value)) if isinstance(value, httpx.URL) else value for value in record.args)
    return True


for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"):
    logging.getLogger(_name).addFilter(_redact_record)
