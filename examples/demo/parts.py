"""Deletes temporary files that killed runs of the demo left in its folder."""

import contextlib
import time
from pathlib import Path

from twelvelabs_core.moments.export.files import PART_PREFIX

FORGOTTEN_AFTER_SEC = 24 * 3600.0


def remove_forgotten_parts(folder: Path) -> None:
    """Delete temporary files older than a day, left by killed processes."""
    for part in folder.glob(f"{PART_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > FORGOTTEN_AFTER_SEC:
                part.unlink()
