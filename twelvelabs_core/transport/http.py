"""What both forms of `Io` do with the HTTP library: clients, options of a request, responses, errors and logs.

The HTTP library logs every URL that it requests. A presigned one is a password, so ours are logged without signature.
"""

import errno
import functools
import ipaddress
import logging
import os
import socket
import ssl
import threading
import time
import urllib.request
import zlib
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from types import TracebackType
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
from pydantic import SecretStr

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.base.redact import redact
from twelvelabs_core.base.settings import LOOPBACK_HOSTS, http_variables
from twelvelabs_core.transport.body import NoAnswerError, Reply
from twelvelabs_core.transport.io import CONNECT_TIMEOUT, Exchange

C = TypeVar("C")

# Vectors as decimals shrink to a half, a list of equal items to a fiftieth. Small responses may shrink to any size.
FREE_BYTES = 64 * 1024 * 1024
EXPANSION_MAX = 100
_STEP_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_SOCKET_SEC = 1e8  # a socket's time-out ends the call with OverflowError where it does not fit into 64 bits of ns
_WITHOUT_BODY = (204, 304)  # HTTP statuses
_context_locks: dict[int, threading.Lock] = {}  # by process id: a forked child would inherit one locked
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
        """Take a client back; return those to close, where the owner was closed in between."""
        self._idle.append(client)
        return [] if self._is_open else self.close()

    def close(self) -> list[C]:
        """Keep no client from now on; return those to close. A forked child closes none: it shares their sockets."""
        self._is_open = False
        idle: list[C] = []
        while self._idle:
            idle.append(self._idle.pop())
        return idle if self.pid == os.getpid() else []


def make_client(client_class: Callable[..., C]) -> C:
    """Return a new HTTP client, with the proxies and certificates that the environment names.

    Raises:
        ConfigurationError: The environment names a proxy or certificates that cannot be used.
    """
    try:
        return client_class(verify=ssl_context(), limits=_ONE, mounts=_NO_PROXY)
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:  # OSError: also of ssl
        names = ", ".join(http_variables())
        raise ConfigurationError(f"cannot set up HTTP from the environment ({names}): {redact(str(error))}") from None


def ssl_context() -> ssl.SSLContext:
    """Return the one SSL context: creating it costs more than ten requests."""
    with _context_locks.setdefault(os.getpid(), threading.Lock()):  # threads that start together would each make one
        return make_context()


@functools.lru_cache(maxsize=1)
def make_context() -> ssl.SSLContext:
    """Read the certificates of the environment."""
    return httpx.create_ssl_context()


class KeyAuth(httpx.Auth):
    """Adds the API key to a request. Nothing else holds it as text, so that no traceback shows it."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the key."""
        request.headers["x-api-key"] = self._key.get_secret_value()
        yield request


def without_library_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of the HTTP library, whose locals show the key."""
    if trace is None:
        return None
    rest = without_library_frames(trace.tb_next)
    module = trace.tb_frame.f_globals.get("__name__", "").partition(".")[0]
    if module in ("httpx", "httpcore", "h11", "anyio"):
        return rest
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def stream_options(exchange: Exchange) -> dict[str, Any]:
    """Return the arguments of `httpx.Client.stream` for one request, without its body."""
    seconds = min(exchange.timeout, exchange.limit, _SOCKET_SEC)
    return {
        "method": exchange.method,
        # The API has few URLs; to parse one takes a twentieth of a request.
        "url": exchange.url if exchange.auth is None else _parsed(exchange.url),
        "params": list(exchange.params) or None,
        # The only accepted compression is the one that `ReplyReader` bounds.
        "headers": {"accept-encoding": "gzip"} | exchange.headers,
        "auth": exchange.auth,
        "timeout": httpx.Timeout(seconds, connect=min(CONNECT_TIMEOUT, seconds)),
        "follow_redirects": False,
    }


class TimeBudget:
    """The seconds that are left for one exchange.

    An exchange ends after its `limit`, and after three times its `timeout` and 1 s for each 10 kB sent or received: a
    server that sends a byte a second, or `100 Continue` without end, is never silent for as long as `timeout`.
    """

    def __init__(self, exchange: Exchange) -> None:
        length = exchange.body.length if exchange.body is not None else 0
        self._start = time.monotonic()
        self._exchange = exchange
        self._pace = 3 * exchange.timeout + length / _LEAST_RATE

    def add(self, received: int) -> None:
        """Note that so many bytes of the response were received."""
        self._pace += received / _LEAST_RATE

    @property
    def elapsed(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self._start

    @property
    def remaining(self) -> float:
        """Seconds until it must end."""
        return min(self._exchange.limit, self._pace) - self.elapsed

    def no_answer(self, error: Exception) -> NoAnswerError:
        """Convert one of `HTTP_ERRORS`; its text may contain the URL and is left out."""
        is_unsent = isinstance(error, _UNSENT)
        timed_out = isinstance(error, (httpx.TimeoutException, TimeoutError))
        if timed_out and self.remaining <= 0:
            reason = f"no complete response after {self.elapsed:.1f} s"
        elif is_unsent:
            reason = f"cannot connect to {_host(self._exchange.url)}: {_cause(error)}"
            if reason.endswith(_REFUSED) and urlsplit(self._exchange.url).hostname in LOOPBACK_HOSTS:
                reason += " (is the sandbox of TWELVELABS_BASE_URL running?)"
        else:
            reason = _REASONS.get(type(error), type(error).__name__)
            reason += f" (the time-out is {self._exchange.timeout:g} s)" if timed_out else ""
        return NoAnswerError(reason, timed_out=timed_out, may_have_arrived=not is_unsent)


_REFUSED = os.strerror(errno.ECONNREFUSED).lower()
_LEAST_RATE = 10_000  # bytes a second
_REASONS: dict[type[Exception], str] = {
    httpx.ReadTimeout: "the server was silent for too long",
    httpx.WriteTimeout: "the server took no data for too long",
    httpx.ReadError: "the connection broke while reading",
    httpx.WriteError: "the connection broke while sending",
    httpx.RemoteProtocolError: "the server closed the connection early",
    httpx.LocalProtocolError: "the request could not be sent as built; did the file change during the upload?",
}
# The last three are raised for an invalid URL, an invalid host name, and an exhausted `TimeBudget`.
HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError)
# These fail before a byte of the request is sent; after all others the server may have the whole request.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)


def _host(url: str) -> str:
    """Return the host of a URL with its port, if any, and whether a proxy is in between."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    proxies = urllib.request.getproxies()
    is_proxied = (parts.scheme in proxies or "all" in proxies) and not urllib.request.proxy_bypass(host)
    is_proxied = is_proxied and f"all://{host}" not in _NO_PROXY
    where = parts.netloc.rpartition("@")[2] or host
    return f"{where} through a proxy" if is_proxied else where


def _cause(error: BaseException | None) -> str:
    """Return why a connection failed: the first known reason among an error and its causes."""
    while error is not None:
        for error_class, reason in _CAUSES:
            if isinstance(error, error_class) and (text := reason(error)):
                return text
        # A group has one error for each address of the host.
        group = getattr(error, "exceptions", ())
        error = group[0] if group else error.__cause__ or error.__context__
    return "the server cannot be reached"


_CAUSES: tuple[tuple[type[BaseException], Callable[[Any], str]], ...] = (
    (ssl.SSLCertVerificationError, lambda error: f"its certificate is not trusted ({error.verify_message})"),
    (ssl.SSLError, lambda error: f"TLS failed ({error.reason})"),
    (socket.gaierror, lambda _: "its name cannot be resolved (DNS)"),
    (OSError, lambda error: os.strerror(error.errno).lower() if error.errno else ""),
    (httpx.ProxyError, lambda error: f"the proxy refused ({redact(str(error))[:100]})"),
    (httpx.ConnectTimeout, lambda _: "no connection in time"),
    (httpx.InvalidURL, lambda _: "the URL is invalid"),
    (httpx.UnsupportedProtocol, lambda _: "the URL is invalid"),
    (UnicodeError, lambda _: "the host name is invalid"),
)


async def follow_redirects(
    exchange: Exchange,
    send: Callable[[Exchange], Awaitable[Reply]],
    run_blocking: Callable[[Callable[[], bool]], Awaitable[bool]],
) -> Reply:
    """Send a request, and follow the redirects that `may_follow` allows.

    Raises:
        NoAnswerError: There is no response, or a redirect that is not followed.
    """
    if exchange.limit <= 0:
        raise NoAnswerError("the time-out has passed, nothing was sent", timed_out=True, may_have_arrived=False)
    end = time.monotonic() + exchange.limit
    url = exchange.url
    for _ in range(_REDIRECTS_MAX):
        reply = await send(replace(exchange, url=url, limit=end - time.monotonic()))
        if not exchange.follow_redirects or reply.status not in _REDIRECTS or "location" not in reply.headers:
            return reply
        try:
            url = urljoin(url, reply.headers["location"])
            is_allowed = await run_blocking(functools.partial(may_follow, exchange.url, url))
        except ValueError:
            raise _invalid(f"{_host(exchange.url)} redirects to something that is not a URL") from None
        if not is_allowed:
            raise _invalid(f"{_host(exchange.url)} redirects to another scheme or to an address that is not public")
    raise _invalid(f"{_host(exchange.url)} redirects more than {_REDIRECTS_MAX} times")


_REDIRECTS = (301, 302, 303, 307, 308)  # HTTP statuses
_REDIRECTS_MAX = 6


def may_follow(url: str, target: str) -> bool:
    """Return whether a redirect stays at the named host, or at the named scheme and public addresses."""
    named, parts = urlsplit(url), urlsplit(target)
    if parts.scheme not in (named.scheme, "https") or not parts.hostname:
        return False
    try:
        port = parts.port or parts.scheme  # ValueError for one above 65535
        if parts.hostname == named.hostname:
            return True
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return False
    addresses = [ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found]
    plain = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    return all(address.is_global and not address.is_multicast for address in plain)


class ReplyReader:
    """Takes a response chunk by chunk: into the sink on success, else into a bounded buffer.

    The HTTP library decompresses each network read at once, with every coding that is installed: 64 kB of zstd become
    gigabytes. So only gzip is accepted, and it is decompressed in steps of 1 MiB whose total is bounded.

    Raises:
        NoAnswerError: The response has another coding.
    """

    def __init__(self, exchange: Exchange, response: httpx.Response) -> None:
        # Without a body the header says how one would be compressed, whatever was accepted.
        has_body = exchange.has_body and response.status_code not in _WITHOUT_BODY
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
        return Reply(self._response.status_code, dict(self._response.headers.items()), bytes(self._buffer))


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
