"""What is known of the tasks that one client waits for: who looks at the server's list, when, and what it said.

One request for the list answers for up to fifty tasks, so that waiting for many costs hardly more than for one. The
waiters are threads or coroutines, of several event loops too; nothing here waits or talks to anything.
"""

import copy
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from twelvelabs_core import _limits
from twelvelabs_core._errors import TwelveLabsError
from twelvelabs_core._polling import LONGEST_GAP, next_look
from twelvelabs_core._responses import TaskSummary

Verdict = Literal["processing", "unknown"]

LONGEST_SHARED_GAP = 4.5  # seconds: one look serves many, so that they need not wait as long as one alone
SECONDS_PER_PAGE = 0.2  # never more than five pages a second
CHEAPER = 25  # times fewer requests than if each task were looked at by itself


def shared_gap(elapsed: list[float]) -> float:
    """Return the seconds between two looks at the list.

    Args:
        elapsed: For each task, the seconds since waiting for it began; at least one.
    """
    count, pages = len(elapsed), math.ceil(len(elapsed) / _limits.PAGE_LIMIT_MAX)
    alone = [next_look(seconds, math.inf) for seconds in elapsed]
    looks_per_second = sum(1 / gap for gap in alone)
    gap = min(sum(alone) / count, CHEAPER * pages / looks_per_second, max(LONGEST_SHARED_GAP, LONGEST_GAP / count))
    return max(gap, min(alone) if count == 1 else 0.0, pages * SECONDS_PER_PAGE)


@dataclass(slots=True)
class Look:
    """One look at the list, under way or done.

    Attributes:
        began: When, on the clock of the caller.
        asked: The tasks that were waited for when it began.
        processing: Those of them that the list has as processing, by id.
        error: What it ended with, if it failed.
        is_done: Whether it has ended.
    """

    began: float
    asked: frozenset[str]
    processing: dict[str, TaskSummary] = field(default_factory=dict)
    error: TwelveLabsError | None = None
    is_done: bool = False

    def verdict(self, task_id: str) -> Verdict | None:
        """Return what it said of a task, None if it was not asked.

        Raises:
            TwelveLabsError: It failed.
        """
        if task_id not in self.asked:
            return None
        if self.error is not None:
            raise copy.copy(self.error)  # several raise it, each with a traceback of its own
        return "processing" if task_id in self.processing else "unknown"


class Watch:
    """The tasks that a client waits for, and its looks at the list."""

    def __init__(self) -> None:
        self._forget()
        self.is_listed = True  # until the server shows that its list cannot be used

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._waiting: dict[str, list[float]] = {}
        self._last: Look | None = None
        self._gap: tuple[float, float] | None = None

    @contextmanager
    def waiting(self, task_id: str, now: float) -> Iterator[None]:
        """Count a task among those that are waited for."""
        if self._pid != os.getpid():
            self._forget()  # after fork: those who waited and looked live in the parent only
        with self._lock:
            self._waiting.setdefault(task_id, []).append(now)
            self._gap = None
        try:
            yield
        finally:
            with self._lock:
                self._waiting[task_id].remove(now)
                if not self._waiting[task_id]:
                    del self._waiting[task_id]

    def is_shared(self) -> bool:
        """Whether a look at the list would serve more than one."""
        return self.is_listed and len(self._waiting) > 1

    def last(self) -> Look | None:
        """Return the latest look, under way or done."""
        return self._last

    def begin(self, now: float) -> Look | None:
        """Begin a look, for this caller to carry out; None while one is under way or the last is fresh."""
        with self._lock:
            last = self._last
            if last is not None and (not last.is_done or now < last.began + self._gap_at(now)):
                return None
            self._last = Look(now, frozenset(self._waiting))
            return self._last

    def pause(self, now: float) -> float:
        """Return the seconds until the next look is due."""
        with self._lock:
            gap = self._gap_at(now)
            return gap if self._last is None else max(self._last.began + gap - now, min(gap, SECONDS_PER_PAGE))

    def _gap_at(self, now: float) -> float:
        """Return the gap; worked out anew only once part of it has passed, for thousands may ask."""
        if self._gap is None or now > self._gap[0] + self._gap[1] / 4:
            elapsed = [now - since for times in self._waiting.values() for since in times]
            self._gap = (now, shared_gap(elapsed or [0.0]))
        return self._gap[1]
