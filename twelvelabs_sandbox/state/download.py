"""Bytes from a URL or a base64 string into a file, piece by piece and never more than a limit."""

import asyncio
import base64
import functools
import logging
import ssl
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

import httpx

from twelvelabs_sandbox.limits import size_message
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.errors import too_large_error

DOWNLOAD_TIMEOUT_SECONDS = 600
MAX_URL_LENGTH = 8192
MAX_REDIRECTS = 5
PIECE = 256 * 1024
# Base64 in pieces: any number of characters that is a multiple of four.
BASE64_BLOCK_LENGTH = 4 * PIECE


is_fetching: ContextVar[bool] = ContextVar("is_fetching", default=False)


class _UrlFilter(logging.Filter):
    """Keeps httpx from writing the addresses that we fetch, whose signatures are secrets, into the user's log."""

    def filter(self, _: logging.LogRecord) -> bool:
        """Whether a record may be written: always, but from our own requests."""
        return not is_fetching.get()


logging.getLogger("httpx").addFilter(_UrlFilter())


class Downloader:
    """Fetches url sources on the server's event loop.

    The httpx client is made at the first URL, since most sandboxes never see one and loading certificates takes time.
    """

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def download(self, url: str, path: Path, limit: int) -> None:
        """Write what a URL holds to a file.

        Raises:
            ApiError: 400 ``media_url_not_exists`` when it cannot be had, ``parameter_invalid`` above the limit.
        """
        token = is_fetching.set(True)
        try:
            async with asyncio.timeout(DOWNLOAD_TIMEOUT_SECONDS):
                await self._fetch(checked_url(url), path, limit)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError):
            raise _unreachable(url) from None
        finally:
            is_fetching.reset(token)

    async def aclose(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _fetch(self, url: str, path: Path, limit: int) -> None:
        async with self._get().stream("GET", url) as response:
            if not response.is_success:
                raise _unreachable(url)
            declared = response.headers.get("content-length", "")
            if declared.isdigit() and int(declared) > limit:
                raise too_large_error(size_message(int(declared), limit))
            with _writer(path) as file:
                await _save(response, file, limit)

    def _get(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                # Compressed answers could grow; media do not shrink anyway.
                headers={"Accept-Encoding": "identity", "User-Agent": "twelvelabs-sandbox"},
                limits=httpx.Limits(max_connections=20, max_keepalive_connections=0),
                # A proxy of the environment must not be asked for this machine's own files.
                mounts={f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")},
                timeout=httpx.Timeout(30.0, connect=10.0),
                verify=_certificates(),
            )
        return self._client


def checked_url(url: str) -> str:
    """Refuse what is no http(s) address."""
    if len(url) > MAX_URL_LENGTH:
        raise invalid(f"The url must have at most {MAX_URL_LENGTH} characters, not {len(url)}.")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise invalid("The url is not a valid address.") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise invalid("The url must be a direct http or https link to a media file.")
    return url


def decode_base64(text: str, path: Path, limit: int) -> None:
    """Write what a base64 string holds to a file; the string itself is never copied as a whole."""
    size = len(text) // 4 * 3 - text.count("=", -2)
    if size > limit:
        raise too_large_error(size_message(size, limit))
    # Padding ends a text; without this check it would pass at the end of any piece.
    if text.find("=", 0, -2) >= 0:
        raise _no_base64()
    with path.open("wb") as file:
        for start in range(0, len(text), BASE64_BLOCK_LENGTH):
            try:
                file.write(base64.b64decode(text[start : start + BASE64_BLOCK_LENGTH], validate=True))
            except ValueError:
                raise _no_base64() from None


async def _save(response: httpx.Response, file: BinaryIO, limit: int) -> None:
    size = 0
    async for piece in response.aiter_bytes(PIECE):
        size += len(piece)
        if size > limit:
            raise too_large_error(size_message(size, limit))
        file.write(piece)


def _no_base64() -> ApiError:
    return invalid("The base64_string is not valid base64 (standard alphabet, no line breaks, no data: prefix).")


def _writer(path: Path) -> BinaryIO:
    return path.open("wb")


def _unreachable(url: str) -> ApiError:
    message = f"Cannot find media url '{url}'. Please use an existing url."
    return ApiError(400, "media_url_not_exists", message)


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
