"""One caller per key in a process: a second caller waits, and then finds the result in the segment store."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twelvelabs_core.base.errors import TaskTimeoutError
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.polling import Deadline

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore

_POLL_INTERVAL = 0.05  # seconds

# `dict.setdefault` is atomic, so no lock is needed that a fork could leave locked. The process id is part of the key:
# the callers that hold a parent's keys do not exist in its child.
_held: dict[tuple[int, str, str], object] = {}


@asynccontextmanager
async def single_flight(io: Io, store: "SegmentStore", key: str, *, source: str, timeout: float) -> AsyncIterator[bool]:
    """Hold a key of a store for one caller, across threads and event loops; tell whether another one held it.

    Polling instead of a lock: one wait serves threads and event loops, and cancellation or Ctrl-C ends it.

    Raises:
        TaskTimeoutError: Another caller in this process held the key for longer than `timeout` seconds. A blocking
            call on the event loop that the holder needs would otherwise wait permanently.
    """
    item = (os.getpid(), _store_name(store), key)
    owner = object()
    deadline = Deadline(timeout)
    has_waited = False
    while _held.setdefault(item, owner) is not owner:
        if deadline.is_expired:
            raise TaskTimeoutError(
                f"{source} is being embedded by another call in this process and was not ready after {timeout:g} s; "
                "run again later, nothing is paid twice."
            )
        has_waited = True
        await io.sleep(_POLL_INTERVAL)
    try:
        yield has_waited
    finally:
        _held.pop(item, None)


def _store_name(store: "SegmentStore") -> str:
    """Name a store within this process; each store in memory is a different one."""
    return f"{store.location} {id(store)}" if store.location == ":memory:" else store.location
