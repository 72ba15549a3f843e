"""Temporary files for atomic writes, also if the demo runs twice in one folder."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "part-"
FORGOTTEN_AFTER_SEC = 24 * 3600.0


@contextmanager
def private_part(folder: Path, name: str) -> Iterator[Path]:
    """Yield a temporary path that no other process uses; a file left there is deleted at the end.

    Args:
        folder: Folder of the file.
        name: End of its name.
    """
    part = folder / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{name}"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def remove_forgotten_parts(folder: Path) -> None:
    """Delete temporary files older than a day, left by killed processes."""
    for part in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > FORGOTTEN_AFTER_SEC:
                part.unlink()
