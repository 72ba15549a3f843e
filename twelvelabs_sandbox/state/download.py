"""Writes the bytes of a URL or a base64 string to a file, in blocks and up to a limit."""

import asyncio
import base64
import functools
import logging
import ssl
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

import httpx

from twelvelabs_sandbox.errors import ApiError, invalid, too_large_error
from twelvelabs_sandbox.limits import size_message

DOWNLOAD_TIMEOUT_SECONDS = 600
MAX_URL_LENGTH = 8192
MAX_PORT = 65535
MAX_REDIRECTS = 5
BLOCK_BYTES = 256 * 1024
# Characters decoded at once: a multiple of four.
BASE64_BLOCK_LENGTH = 4 * BLOCK_BYTES


is_fetching: ContextVar[bool] = ContextVar("is_fetching", default=False)


class _UrlFilter(logging.Filter):
    """Keeps httpx from logging the URLs that the sandbox downloads, whose signatures are secrets."""

    def filter(self, _: logging.LogRecord) -> bool:
        """Return whether to log a record: all but those of the sandbox's own requests."""
        return not is_fetching.get()


logging.getLogger("httpx").addFilter(_UrlFilter())


class Downloader:
    """Downloads url sources on the server's event loop.

    The httpx client is made for the first URL, since most sandboxes download none and loading certificates takes time.
    """

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def download(self, url: str, path: Path, limit: int) -> None:
        """Download a URL to a file.

        Raises:
            ApiError: 400 ``media_url_not_exists`` if the download fails, ``parameter_invalid`` above the limit.
        """
        token = is_fetching.set(True)
        try:
            async with asyncio.timeout(DOWNLOAD_TIMEOUT_SECONDS):
                await self._fetch(check_url(url), path, limit)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError):
            raise _unreachable(url) from None
        finally:
            is_fetching.reset(token)

    async def aclose(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _fetch(self, url: str, path: Path, limit: int) -> None:
        async with self._http_client().stream("GET", url) as response:
            if not response.is_success:
                raise _unreachable(url)
            declared = response.headers.get("content-length", "")
            if declared.isdigit() and int(declared) > limit:
                raise too_large_error(size_message(int(declared), limit))
            with _writer(path) as file:
                await _save(response, file, limit)

    def _http_client(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                # Media hardly compress, and a compressed response could exceed the limit when expanded.
                headers={"Accept-Encoding": "identity", "User-Agent": "twelvelabs-sandbox"},
                limits=httpx.Limits(max_connections=20, max_keepalive_connections=0),
                # A proxy from the environment must not be used for local addresses.
                mounts={f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")},
                timeout=httpx.Timeout(30.0, connect=10.0),
                verify=_certificates(),
            )
        return self._client


def check_url(url: str) -> str:
    """Return a URL; raise ApiError 400 if it is not an http or https URL."""
    if len(url) > MAX_URL_LENGTH:
        raise invalid(f"The url must have at most {MAX_URL_LENGTH} characters, not {len(url)}.")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise invalid("The url is not valid.") from None
    if parsed.port is not None and not 0 < parsed.port <= MAX_PORT:
        raise invalid("The url is not valid.")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise invalid("The url must be a direct http or https link to a media file.")
    return url


def decode_base64(text: str, path: Path, limit: int) -> None:
    """Decode a base64 string to a file in blocks, without a copy of the whole string.

    Raises:
        ApiError: 400 if the string is not base64 or too large.
    """
    size = len(text) // 4 * 3 - text.count("=", -2)
    if size > limit:
        raise too_large_error(size_message(size, limit))
    # Padding is valid at the end only; the decoder would accept it at the end of each block.
    if text.find("=", 0, -2) >= 0:
        raise _invalid_base64()
    with path.open("wb") as file:
        for start in range(0, len(text), BASE64_BLOCK_LENGTH):
            try:
                file.write(base64.b64decode(text[start : start + BASE64_BLOCK_LENGTH], validate=True))
            except ValueError:
                raise _invalid_base64() from None


async def _save(response: httpx.Response, file: BinaryIO, limit: int) -> None:
    size = 0
    async for block in response.aiter_bytes(BLOCK_BYTES):
        size += len(block)
        if size > limit:
            raise too_large_error(size_message(size, limit))
        file.write(block)


def _invalid_base64() -> ApiError:
    return invalid("The base64_string is not valid base64 (standard alphabet, no line breaks, no data: prefix).")


def _writer(path: Path) -> BinaryIO:
    return path.open("wb")


def _unreachable(url: str) -> ApiError:
    message = f"Cannot find media url '{url}'. Please use an existing url."
    return ApiError(400, "media_url_not_exists", message)


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
