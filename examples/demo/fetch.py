"""Downloads a video to a temporary file, since not every server supports seeking."""

import http.client
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twelvelabs_core import InputError
from twelvelabs_core.moments.export.files import private_part

CHUNK_BYTES = 1 << 20
MAX_FETCH_BYTES = 4_000_000_000
TIMEOUT_SEC = 30.0


@contextmanager
def on_disk(video: str, folder: Path, on_bytes: Callable[[int, int | None], object]) -> Iterator[str]:
    """Yield the local path of a video; a URL is downloaded to a copy that is deleted afterwards.

    Args:
        video: Path or URL.
        folder: Where to put the copy.
        on_bytes: Called with the number of bytes received, and the total if it is known.

    Raises:
        InputError: The download fails, or the video is larger than 4 GB.
    """
    if urllib.parse.urlsplit(video).scheme not in {"http", "https"}:
        yield video
        return
    with private_part(folder, "fetched-video") as copy:
        _fetch(video, copy, on_bytes)
        yield str(copy)


def _fetch(url: str, target: Path, on_bytes: Callable[[int, int | None], object]) -> None:
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "twelvelabs-rag demo"})  # noqa: S310  # checked above
        with urllib.request.urlopen(request, timeout=TIMEOUT_SEC) as answer, target.open("wb") as out:  # noqa: S310
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            done = 0
            while chunk := answer.read(CHUNK_BYTES):
                done += len(chunk)
                if done > MAX_FETCH_BYTES:
                    raise InputError(f"the video is larger than {MAX_FETCH_BYTES / 1e9:.0f} GB")
                out.write(chunk)
                on_bytes(done, total)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Some of these messages contain the URL, which may be signed.
        raise InputError(f"the video could not be downloaded ({type(error).__name__})") from error
