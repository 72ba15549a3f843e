"""What both forms of `Io` do with the HTTP library: clients, options of a request, responses, errors and logs.

The HTTP library logs every URL that it requests. A presigned one is a password, so ours are logged without signature.
"""

import functools
import logging
import os
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

import httpx

from twelvelabs_core.base import limits
from twelvelabs_core.base.redact import redact
from twelvelabs_core.transport.body import NoAnswerError, Reply
from twelvelabs_core.transport.io import CONNECT_TIMEOUT, Exchange

C = TypeVar("C")

# Vectors as decimals shrink to a half, a list of equal items to a fiftieth. Small responses may shrink to any size.
FREE_BYTES = 64 * 1024 * 1024
EXPANSION_MAX = 100
_STEP_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_WITHOUT_BODY = (204, 304)  # HTTP statuses
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)
# Requests to this machine may be unencrypted, so they must not use a proxy from the environment.
_NO_PROXY: dict[str, None] = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))


class IdleClients(Generic[C]):
    """The HTTP clients of a process, or of an event loop, that no request uses at present.

    A client has one connection: the HTTP library's own pool slows down with the square of its size, many small clients
    that share one SSL context do not. `list.append` and `list.pop` are atomic, so that threads need no lock.
    """

    def __init__(self, make_client: Callable[[], C]) -> None:
        self.pid = os.getpid()
        self._is_open = True
        self._make_client = make_client
        self._idle: list[C] = []

    def take(self) -> C:
        """Return an idle client, or a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._make_client()

    def give_back(self, client: C) -> list[C]:
        """Take a client back; return those to close, since the owner was closed meanwhile."""
        self._idle.append(client)
        return [] if self._is_open else self.close()

    def close(self) -> list[C]:
        """Keep no client from now on; return those to close. A forked child closes none: it shares their sockets."""
        self._is_open = False
        idle: list[C] = []
        while self._idle:
            idle.append(self._idle.pop())
        return idle if self.pid == os.getpid() else []


def client_options() -> dict[str, Any]:
    """Return the arguments of an HTTP client."""
    return {"verify": _ssl_context(), "limits": _ONE, "mounts": _NO_PROXY}


@functools.lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """Return the one SSL context: creating it costs more than a request."""
    return httpx.create_ssl_context()


@functools.cache
def warm_up() -> None:
    """Import what the HTTP library imports with its first client, and create the SSL context: up to half a second."""
    httpx.Client(**client_options()).close()


def stream_options(exchange: Exchange) -> dict[str, Any]:
    """Return the arguments of `httpx.Client.stream` for one request, without its body."""
    return {
        "method": exchange.method,
        "url": exchange.url,
        "params": list(exchange.params) or None,
        # The only accepted compression is the one that `ReplyReader` bounds.
        "headers": {"accept-encoding": "gzip"} | exchange.headers,
        "timeout": httpx.Timeout(exchange.timeout, connect=min(CONNECT_TIMEOUT, exchange.timeout)),
        "follow_redirects": exchange.follow_redirects,
    }


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
    httpx.TooManyRedirects: "too many redirects",
    httpx.InvalidURL: "the URL is invalid",
    UnicodeError: "the host name is invalid",
}
HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)  # the last is raised for an invalid host name
# These fail before a byte of the request is sent; after all others the server may have the whole request.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)


def no_answer(error: Exception) -> NoAnswerError:
    """Convert one of `HTTP_ERRORS`; its text may contain the URL and is left out."""
    return NoAnswerError(
        _REASONS.get(type(error), type(error).__name__),
        timed_out=isinstance(error, httpx.TimeoutException),
        may_have_arrived=not isinstance(error, _UNSENT),
    )


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
            self._take(plain)

    def _take(self, chunk: bytes) -> None:
        if self._sink is not None:
            self._sink.feed(chunk)
            return
        self._buffer += chunk
        if len(self._buffer) > limits.REPLY_MAX_BYTES:
            raise _invalid(f"the response is larger than {limits.REPLY_MAX_BYTES:,} bytes")

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
