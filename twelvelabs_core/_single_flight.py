"""One worker per key in a process: whoever comes second waits and then finds the work done."""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twelvelabs_core._io import Io

_LOOK = 0.05

_busy: set[tuple[str, str]] = set()
_lock = threading.Lock()


@asynccontextmanager
async def single_flight(io: Io, place: str, key: str) -> AsyncIterator[None]:
    """Hold `key` of `place` for this caller alone, across threads and event loops.

    Looking again beats a lock here: one wait serves threads and loops alike, and is ended by cancellation or Ctrl-C.
    How long the holder may take is bounded by its own time-out.
    """
    item = (place, key)
    while not _enter(item):
        await io.sleep(_LOOK)
    try:
        yield
    finally:
        with _lock:
            _busy.discard(item)


def _enter(item: tuple[str, str]) -> bool:
    with _lock:
        if item in _busy:
            return False
        _busy.add(item)
        return True


def _forget() -> None:
    """After fork: the workers that held these keys live in the parent only."""
    global _lock  # noqa: PLW0603  # it may have been held by a thread that the child does not have
    _lock = threading.Lock()
    _busy.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
