"""A file at a URL, read by ranges: enough of it for PyAV to find its duration."""

import io
import os

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.redact import redact
from twelvelabs_core.base.version import user_agent
from twelvelabs_core.media.inspect import CHECK_FALSE, Probe, probe
from twelvelabs_core.media.source import Media
from twelvelabs_core.transport.blocking import BlockingIo
from twelvelabs_core.transport.body import NoAnswerError
from twelvelabs_core.transport.io import Exchange, finish

_BLOCK = 256 * 1024  # bytes of one request
_BLOCKS_MAX = 64  # requests for one file: 16 MB
_TIMEOUT = 10.0  # seconds, for each request
_PARTIAL, _ERROR = 206, 400


def probe_url(media: Media, input_type: str) -> tuple[Probe | None, str]:
    """Return the properties of audio or video at a URL, by ranged reads, and what is wrong with it, if anything.

    Nothing is sent but GET requests for ranges, to the host of the URL, without the API key. The host may answer the
    API otherwise, so nothing that is found here is a refusal.
    """
    assert media.url is not None  # noqa: S101  # for the type checker: of media with a URL
    io_ = BlockingIo()
    try:
        found = probe(Media("file", media.source, media.title, file=io.BufferedReader(_RemoteFile(media.url, io_))))
    except InputError as error:
        return None, str(error).removeprefix(f"{media.source}: ").removesuffix(f" ({CHECK_FALSE})")
    except OSError as error:
        return None, str(error)
    finally:
        io_.close()
    if found is None:
        return None, "its length cannot be read; is the extra 'media' installed?"
    if found.is_image or (input_type == "video" and not found.has_video):
        return None, f"is {'an image' if found.is_image else 'audio'}, not {input_type}"
    return found, "" if found.duration_sec is not None else "its length is not declared"


class _RemoteFile(io.RawIOBase):
    """The bytes at a URL, in blocks; each is requested once."""

    def __init__(self, url: str, io_: BlockingIo) -> None:
        self._url, self._io = url, io_
        self._blocks: dict[int, bytes] = {}
        self._at = 0
        self._size = 0
        self._block(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        if not 0 <= self._at < self._size:
            return 0
        number, begin = divmod(self._at, _BLOCK)
        data = self._block(number)[begin : begin + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) >= _BLOCKS_MAX:
                raise OSError(f"more than {_BLOCKS_MAX} ranges would be needed")
            first = number * _BLOCK
            headers = {"user-agent": user_agent(), "range": f"bytes={first}-{first + _BLOCK - 1}"}
            exchange = Exchange("GET", self._url, headers, _TIMEOUT, _TIMEOUT, follow_redirects=True)
            try:
                reply = finish(self._io.exchange(exchange))
            except NoAnswerError as error:
                raise OSError(f"its host does not answer: {redact(str(error))}") from None
            size = reply.headers.get("content-range", "").rpartition("/")[2]
            if reply.status >= _ERROR:
                raise OSError(f"its host answers HTTP {reply.status}")
            if reply.status != _PARTIAL or not size.isdecimal():
                raise OSError(f"its host does not answer requests for ranges (HTTP {reply.status})")
            self._size, self._blocks[number] = int(size), reply.body
        return self._blocks[number]
