"""Files that are written whole or not at all, also where the demo runs twice in one folder."""

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
    """Yield a path for unfinished work that no other process uses; what is left there at the end is deleted.

    Args:
        folder: Where to.
        name: What its name ends with.
    """
    part = folder / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{name}"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def remove_forgotten_parts(folder: Path) -> None:
    """Delete the unfinished work of processes that were killed a day ago or earlier."""
    for part in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > FORGOTTEN_AFTER_SEC:
                part.unlink()
