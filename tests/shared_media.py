"""Generated media, and their vectors, that all workers of a test run share."""

import contextlib
import hashlib
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.types import ClipVector


def shared_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder of this run; with xdist, the same one in every worker."""
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / name
    folder.mkdir(exist_ok=True)
    return folder


def write_once(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file unless another worker or thread has; it appears complete, and is never replaced."""
    if not path.exists():
        part = path.with_name(f"{os.getpid()}-{threading.get_ident()}-{path.name}")
        write(part)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(part)
        part.unlink()
    return path


def embed_once(folder: Path) -> Callable[..., list[ClipVector]]:
    """Return the engine's `embed_media` with its results kept in a folder, by the content of the file and the options.

    The vectors of a content never change, and hundreds of tests send the same few videos.
    """

    def embed(path: Path, **options: Any) -> list[ClipVector]:
        parts = (hashlib.sha256(path.read_bytes()).hexdigest(), path.suffix, repr(sorted(options.items())))
        name = hashlib.sha256(repr(parts).encode()).hexdigest()
        kept = write_once(folder / name, lambda part: part.write_bytes(pickle.dumps(embed_media(path, **options))))
        found: list[ClipVector] = pickle.loads(kept.read_bytes())  # noqa: S301  # written by this run
        return found

    return embed
