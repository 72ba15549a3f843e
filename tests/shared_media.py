"""Generated media that all workers of a test run share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


def shared_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder of this run; with xdist, the same one in every worker."""
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / name
    folder.mkdir(exist_ok=True)
    return folder


def write_once(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file unless another worker has; it appears complete."""
    if not path.exists():
        part = path.with_name(f"{os.getpid()}-{path.name}")
        write(part)
        part.replace(path)
    return path
