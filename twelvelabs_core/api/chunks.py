"""Byte ranges of one local medium, read from where it lies by several threads at once.

How a file becomes the chunks of a multipart upload: arithmetic, proofs, presigned URLs, bytes counted.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from twelvelabs_core.base.checks import check_count
from twelvelabs_core.base.errors import APIResponseError, InputError
from twelvelabs_core.media.source import Media, readable
from twelvelabs_core.results.upload_responses import MultipartUpload, PresignedUrl


class Ranges:
    """A local medium as it is now; notices when it changes.

    Args:
        media: A path, bytes, or a binary file object that can seek.

    Raises:
        InputError: It cannot be read.
    """

    def __init__(self, media: Media) -> None:
        self._media = media
        self._turn = threading.Lock()  # a file object has one position, shared by all who read it
        self._state = self._look()
        self.size = self._state[0]

    def read(self, start: int, length: int, step: int) -> Iterator[bytes]:
        """Yield the bytes of a range in pieces of at most `step`.

        Raises:
            InputError: It cannot be read, or ends before the range does.
        """
        left = length
        for piece in self._pieces(start, length, step):
            left -= len(piece)
            yield piece
        if left:
            raise self._changed()

    def check_unchanged(self) -> None:
        """Make sure that it is as it was.

        Raises:
            InputError: Its size or time of change is another.
        """
        if self._look() != self._state:
            raise self._changed()

    def _changed(self) -> InputError:
        return InputError(f"{self._media.source}: changed while it was being sent; try again when it is complete.")

    def _pieces(self, start: int, length: int, step: int) -> Iterator[bytes]:
        if self._media.data is not None:
            view = memoryview(self._media.data)[start : start + length]
            return (bytes(view[at : at + step]) for at in range(0, len(view), step))
        if self._media.path is not None:
            return self._of_path(self._media.path, start, length, step)
        return self._of_file(cast("BinaryIO", self._media.file), start, length, step)

    def _of_path(self, path: Path, start: int, length: int, step: int) -> Iterator[bytes]:
        with readable(self._media.source), path.open("rb", buffering=0) as file:
            file.seek(start)
            while length and (piece := file.read(min(step, length))):
                length -= len(piece)
                yield piece

    def _of_file(self, file: BinaryIO, start: int, length: int, step: int) -> Iterator[bytes]:
        while length:
            with readable(self._media.source), self._turn:
                file.seek(start)
                piece = file.read(min(step, length))
            if not piece:
                return
            start += len(piece)
            length -= len(piece)
            yield piece

    def _look(self) -> tuple[int, int]:
        """Return size and time of change, 0 where there is none."""
        media = self._media
        with readable(media.source), self._turn:
            if media.path is not None:
                status = media.path.stat()
                return status.st_size, status.st_mtime_ns
            return media.size(), _mtime(media)


def _mtime(media: Media) -> int:
    try:
        return os.fstat(media.file.fileno()).st_mtime_ns if media.file is not None else 0
    except (OSError, AttributeError):  # a file object without a file, such as BytesIO
        return 0


_SPENT_BEFORE = timedelta(seconds=60)  # a URL with less left may expire on its way
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "x-api-key"})


@dataclass(frozen=True, slots=True)
class CompletedChunk:
    """One chunk that was sent, as `report_chunk_batch` tells it to the API.

    Attributes:
        chunk_index: Number of the chunk, from 1.
        proof: The ETag with which its PUT was answered, without the quotes around it.
        chunk_size: Number of bytes that were sent.
        proof_type: `etag`, the only kind.

    Raises:
        InputError: A number below 1, or an empty proof.

    Example:
        ```python
        chunk = CompletedChunk(chunk_index=1, proof="d41d8cd98f00b204e9800998ecf8427e", chunk_size=5_242_880)
        client.report_chunk_batch(upload_id, [chunk])
        ```
    """

    chunk_index: int
    proof: str
    chunk_size: int
    proof_type: str = "etag"

    def __post_init__(self) -> None:
        check_count("chunk_index", self.chunk_index)
        check_count("chunk_size", self.chunk_size)
        if not isinstance(self.proof, str) or not self.proof.strip('" '):
            raise InputError(f"proof must be the ETag of chunk {self.chunk_index}, got {self.proof!r}.")


@dataclass(frozen=True, slots=True)
class Part:
    """A range of the file.

    Attributes:
        index: Number of the chunk, from 1.
        start: Offset of its first byte.
        length: Number of bytes.
    """

    index: int
    start: int
    length: int


def parts_of(size: int, chunk_size: int) -> list[Part]:
    """Cut a file into chunks: all of `chunk_size` bytes but the last, which has the rest."""
    starts = range(0, size, chunk_size)
    return [Part(number, start, min(chunk_size, size - start)) for number, start in enumerate(starts, 1)]


def check_session(upload: MultipartUpload, size: int) -> None:
    """Refuse a session whose chunks do not add up to the file.

    Raises:
        APIResponseError: They do not.
    """
    needed = -(-size // upload.chunk_size)
    if upload.total_chunks is not None and upload.total_chunks != needed:
        raise APIResponseError(
            f"upload session {upload.upload_id} wants {upload.total_chunks:,} chunks of {upload.chunk_size:,} bytes, "
            f"but the file's {size:,} bytes make {needed:,}. Nothing was sent."
        )


class UrlPool:
    """Presigned URLs that were received and not yet used; safe between threads."""

    def __init__(self, urls: Iterable[PresignedUrl] = ()) -> None:
        self._urls = {url.chunk_index: url for url in urls}
        self._asking = threading.Lock()

    def begin(self) -> bool:
        """Return whether the caller is the one to ask for more; then it must call `end`."""
        return self._asking.acquire(blocking=False)

    def end(self) -> None:
        """Let another ask."""
        self._asking.release()

    def add(self, urls: Iterable[PresignedUrl]) -> None:
        """Take more URLs."""
        self._urls.update({url.chunk_index: url for url in urls})

    def take(self, index: int, *, just_received: bool = False) -> str | None:
        """Return the URL of a chunk and forget it, for it works once; None when there is none or its time is over.

        Args:
            index: Number of the chunk.
            just_received: Use it whatever its time says: the clocks of the two sides may differ.
        """
        url = self._urls.pop(index, None)
        if url is None:
            return None
        is_spent = url.expires_at is not None and url.expires_at - _SPENT_BEFORE <= datetime.now(UTC)
        return None if is_spent and not just_received else url.url.get_secret_value()


class SentBytes:
    """Counts the bytes of an upload and tells them to its caller; safe between threads."""

    def __init__(self, total: int, report: Callable[[int, int], None] | None) -> None:
        self._total = total
        self._report = report
        self._sent = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that went out; negative where they have to go out again."""
        with self._lock:
            self._sent += count
            if self._report is not None:
                # Under the lock, so that the caller hears of growing numbers in their order.
                self._report(self._sent, self._total)


class Tally:
    """The bytes of one try, to be taken back when it fails."""

    def __init__(self, sent: SentBytes) -> None:
        self._sent = sent
        self._count = 0

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks, each counted when the next is asked for: then it is out."""
        for chunk in chunks:
            yield chunk
            self._count += len(chunk)
            self._sent.add(len(chunk))

    def take_back(self) -> None:
        """Undo it."""
        self._sent.add(-self._count)
        self._count = 0


class Slots:
    """Counts what is under way; safe between threads."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a slot if there is one."""
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        """Return a slot."""
        with self._lock:
            self._free += 1


def etag_of(headers: Mapping[str, str]) -> str | None:
    """Return the ETag of an answer without its quotes, or None."""
    return headers.get("etag", "").strip().strip('"') or None


def sendable_headers(upload_headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a session demands, without those that belong to the connection or to the API."""
    lower = {name.lower(): value for name, value in upload_headers.items()}
    return {name: value for name, value in lower.items() if name not in _OURS}
