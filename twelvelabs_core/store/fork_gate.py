"""Holds a fork of this process back until no store transaction is open.

SQLite keeps its locks in process-wide tables. A child that inherits them from a transaction in another thread believes
in locks which nobody will ever release; no later check in the child can repair that.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

FORK_WAIT_SEC = 60.0


class ForkGate:
    """Lets transactions run side by side, and a fork only between them."""

    def __init__(self) -> None:
        self.renew()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Count one transaction for as long as the block runs; waits while a fork is under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._forking, FORK_WAIT_SEC)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let no transaction begin, and wait for the open ones (before a fork)."""
        self._changed.acquire()
        self._forking += 1
        self._changed.wait_for(lambda: not self._running, FORK_WAIT_SEC)

    def reopen(self) -> None:
        """Let transactions begin again (in the parent)."""
        self._forking -= 1
        self._changed.notify_all()
        self._changed.release()

    def renew(self) -> None:
        """Start afresh (in the child, whose other threads are gone)."""
        self._changed = threading.Condition()
        self._running = 0  # transactions
        self._forking = 0  # threads about to fork


GATE = ForkGate()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=GATE.close, after_in_parent=GATE.reopen, after_in_child=GATE.renew)
