"""One worker per key in a process: whoever comes second waits and then finds the work done."""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twelvelabs_core.base.errors import TaskTimeoutError
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.polling import Deadline

_LOOK = 0.05

_busy: set[tuple[str, str]] = set()
_lock = threading.Lock()


@asynccontextmanager
async def single_flight(io: Io, place: str, key: str, *, source: str, timeout: float) -> AsyncIterator[None]:
    """Hold `key` of `place` for this caller alone, across threads and event loops.

    Looking again beats a lock here: one wait serves threads and loops alike, and is ended by cancellation or Ctrl-C.

    Raises:
        TaskTimeoutError: Another caller in this process holds it for too long; a blocking call on the very loop that
            the holder needs would wait for ever.
    """
    item = (place, key)
    patience = Deadline(timeout)
    while not _enter(item):
        if patience.is_expired:
            raise TaskTimeoutError(
                f"{source} is being embedded by another call in this process, not ready after {timeout:g} s; "
                "run again later, nothing is paid twice."
            )
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
