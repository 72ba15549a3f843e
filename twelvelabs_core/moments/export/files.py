"""Files that are written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART_PREFIX = "part-"


@contextmanager
def private_part(folder: Path, name: str) -> Iterator[Path]:
    """Yield a temporary path that no other process uses; a file left there is deleted at the end.

    Args:
        folder: Folder of the file.
        name: End of its name.
    """
    part = folder / f"{PART_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{name}"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
