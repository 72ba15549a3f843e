"""The chunks of a local file: their bytes, their presigned URLs, and the number of bytes sent."""

import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

from twelvelabs_core.api.content import changed_during_upload
from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.media.source import Media, readable
from twelvelabs_core.results.upload_responses import PresignedUrl

_BLOCK_BYTES = 256 * 1024  # read and sent at a time
_EXPIRES_SOON = timedelta(seconds=60)  # a URL with less time left may expire before its request arrives
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of bytes of the file; `index` counts from 1."""

    index: int
    start: int
    length: int


def chunks_of(size: int, chunk_size: int) -> list[Chunk]:
    """Divide a file into chunks: all have `chunk_size` bytes except the last, which may be smaller."""
    starts = range(0, size, chunk_size)
    return [Chunk(number, start, min(chunk_size, size - start)) for number, start in enumerate(starts, 1)]


class ChunkReader:
    """Reads chunks of a local file, from several threads at once, and detects that it was changed."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._file_lock = threading.Lock()  # a file object has one position for all threads
        self._state = self._current_state()
        self.size = self._state[0]

    def read(self, chunk: Chunk) -> Iterator[bytes]:
        """Yield the bytes of a chunk in blocks; refuse a file that cannot be read or ends before the chunk does."""
        position, end = chunk.start, chunk.start + chunk.length
        with self._opened() as file:
            while position < end:
                with readable(self._media.source), self._file_lock if self._media.file else nullcontext():
                    file.seek(position)
                    block = file.read(min(_BLOCK_BYTES, end - position))
                if not block:
                    raise changed_during_upload(self._media)
                position += len(block)
                yield block

    def check_unchanged(self) -> None:
        """Refuse a file whose size or modification time has changed since the upload began."""
        if self._current_state() != self._state:
            raise changed_during_upload(self._media)

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        media = self._media
        if media.path is not None:
            with readable(media.source):
                return media.path.open("rb", buffering=0)
        return nullcontext(media.file or io.BytesIO(cast("bytes", media.data)))

    def _current_state(self) -> tuple[int, int]:
        """Return the size and the modification time in nanoseconds, 0 where there is none."""
        media = self._media
        if media.path is not None:
            return media.stamp()
        with readable(media.source), self._file_lock:
            return media.size(), _modified_at(media)


def _modified_at(media: Media) -> int:
    try:
        return os.fstat(media.file.fileno()).st_mtime_ns if media.file is not None else 0
    except (OSError, AttributeError):  # a file object without a file, such as BytesIO
        return 0


class UrlPool:
    """Presigned URLs that were received and are not used yet; safe between threads.

    A caller that finds no URL requests new ones while it holds `requesting`, so that the URLs of one request serve all
    concurrent chunks.
    """

    def __init__(self, urls: Iterable[PresignedUrl] = ()) -> None:
        self._urls = {url.chunk_index: url for url in urls}
        self.requesting = threading.Lock()

    def add(self, urls: Iterable[PresignedUrl]) -> None:
        """Add URLs that were received."""
        self._urls.update({url.chunk_index: url for url in urls})

    def take(self, index: int) -> str | None:
        """Remove and return the URL of a chunk, which is valid for one request; None if there is none or it expired."""
        url = self._urls.pop(index, None)
        if url is None or (url.expires_at is not None and url.expires_at - _EXPIRES_SOON <= datetime.now(UTC)):
            return None
        return url.url.get_secret_value()

    def take_new(self, index: int) -> str:
        """Remove and return a URL that was added just now, also if the two clocks differ and it seems to be expired."""
        url = self._urls.pop(index, None)
        if url is None:
            raise APIResponseError(f"the API returned no URL for chunk {index}, though one was requested.")
        return url.url.get_secret_value()


class SentBytes:
    """Counts the bytes of an upload that were sent, and reports (bytes sent, bytes in total); safe between threads."""

    def __init__(self, total: int, report: Callable[[int, int], None] | None) -> None:
        self._total = total
        self._report = report
        self._of_chunk: dict[int, int] = {}
        self._sent = 0
        self._lock = threading.Lock()

    def set(self, *chunks: tuple[int, int]) -> None:
        """Set the number of bytes that were sent of some chunks; 0 where a chunk must be sent again."""
        with self._lock:
            for index, count in chunks:
                self._sent += count - self._of_chunk.get(index, 0)
                self._of_chunk[index] = count
            if self._report is not None:
                self._report(self._sent, self._total)  # inside the lock, so that the numbers arrive in order


def etag_of(headers: Mapping[str, str]) -> str | None:
    """Return the ETag of an answer without its quotes, or None."""
    return headers.get("etag", "").strip().strip('"') or None


def sendable_headers(upload_headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a session requires, without those of the connection and of the API."""
    lower = {name.lower(): value for name, value in upload_headers.items()}
    return {name: value for name, value in lower.items() if name not in _OWN_HEADERS}
