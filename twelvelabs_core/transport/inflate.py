"""The body of an answer as it came over the wire -> its plain bytes, piece by piece, without room for a bomb. Pure.

The HTTP library inflates each network read at once and with every coding that happens to be installed: 64 kB of zstd
or of gzip within gzip become gigabytes before anybody can count them. So answers are asked for in gzip alone, any
other coding is refused, and no more than one small piece is inflated at a time.
"""

import zlib
from collections.abc import Iterator

from twelvelabs_core.transport.body import NoAnswerError

ACCEPTED = "gzip"
PIECE_BYTES = 1024 * 1024
# Vectors in decimals shrink to a half, a list of equal items to a fiftieth. Small answers may shrink as they like.
FREE_BYTES = 64 * 1024 * 1024
MOST_EXPANSION = 100

_GZIP = 16 + zlib.MAX_WBITS


class Inflater:
    """Takes the coding off one answer.

    Args:
        coding: The answer's `Content-Encoding`, or "".

    Raises:
        NoAnswerError: It is compressed in a way that was not asked for.
    """

    def __init__(self, coding: str) -> None:
        plain = coding.strip().lower()
        if plain not in ("", "identity", "gzip", "x-gzip"):
            raise _broken(f"the answer is compressed as {plain[:50]!r}, which was not asked for")
        self._stream = zlib.decompressobj(_GZIP) if plain.endswith("gzip") else None
        self._taken = 0
        self._given = 0

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a chunk from the wire holds, in pieces of at most 1 MiB where it was compressed.

        Raises:
            NoAnswerError: The compression is broken, or makes implausibly much of little.
        """
        if self._stream is None:
            yield chunk
            return
        self._taken += len(chunk)
        while chunk:
            if self._stream.eof:
                raise _broken("the answer goes on behind its compressed end")
            try:
                piece = self._stream.decompress(chunk, PIECE_BYTES)
            except zlib.error:
                raise _broken("the answer's compression is broken") from None
            # What it holds back of a full piece comes with the next bytes: the check sum follows in any case.
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            yield from self._counted(piece)

    def finish(self) -> None:
        """Hold that the answer has ended where its compression does.

        Raises:
            NoAnswerError: It was cut off.
        """
        if self._stream is not None and self._taken and not self._stream.eof:
            raise _broken("the compressed answer was cut off")

    def _counted(self, piece: bytes) -> Iterator[bytes]:
        self._given += len(piece)
        if self._given > FREE_BYTES and self._given > MOST_EXPANSION * self._taken:
            raise _broken(
                f"the answer grows to more than {MOST_EXPANSION} times its {self._taken:,} bytes when it is unpacked"
            )
        if piece:
            yield piece


def _broken(reason: str) -> NoAnswerError:
    return NoAnswerError(reason, timed_out=False, may_have_arrived=True)
