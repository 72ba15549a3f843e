"""Byte ranges of one local medium, read from where it lies by several threads at once."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media, readable


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
