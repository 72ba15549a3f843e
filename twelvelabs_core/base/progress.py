"""Progress of media: the events for callbacks, and one line on stderr that shows them.

The line is 60 lines of code; tqdm shows a bar per item, which does not fit the stages of a task.
"""

import inspect
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TextIO

from twelvelabs_core.base.errors import InputError

Stage = Literal["checking", "uploading", "processing", "ready", "reused", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of one source.

    Attributes:
        source: The name of the source.
        stage: `checking` (limits, identity), `uploading`, `processing` (the task runs), then `ready`, `reused`
            (from the segment store, nothing was sent) or `failed`.
        done: Bytes sent so far while uploading, else 0.
        total: Bytes to send while uploading, else 0.
        task_id: The id of the embedding task, once it exists.

    Example:
        ```python
        client.segment_video("match.mp4", on_progress=lambda step: print(step.source, step.stage))
        ```
    """

    source: str
    stage: Stage
    done: int = 0
    total: int = 0
    task_id: str | None = None


OnProgress = Callable[[Progress], object]
"""Called with each step, often from another thread; what it raises ends the work."""


def check_callback(callback: object, name: str) -> None:
    """Verify that a callback is an ordinary function.

    Raises:
        InputError: It is an async function, which would not be awaited, or not callable.
    """
    if inspect.iscoroutinefunction(callback):
        raise InputError(f"{name} must be an ordinary function: an async one would never be awaited.")
    if callback is not None and not callable(callback):
        raise InputError(f"{name} must be callable, got {type(callback).__name__}.")


_WIDTH = 100
_ENDS = frozenset({"ready", "reused", "failed"})


class ProgressLine:
    """Writes progress while media are on their way; may be called from several threads.

    Args:
        total: Number of media.
        then: Another callback, called after it.
        stream: Where to write. Default: stderr.

    Example:
        ```python
        with ProgressLine(total=1) as line:
            client.segment_video("match.mp4", on_progress=line)
        ```
    """

    def __init__(self, total: int, then: OnProgress | None = None, stream: TextIO | None = None) -> None:
        self._total = total
        self._then = then
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._stages: dict[str, str] = {}
        self._ended: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal and (self._stages or self._ended):
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, step: Progress) -> None:
        """Take one step of one source."""
        with self._lock:
            is_new = self._stages.get(step.source) != step.stage
            self._stages[step.source] = step.stage
            self._ended[step.stage] += is_new and step.stage in _ENDS
            if self._is_terminal or is_new:
                self._write(step)
        if self._then is not None:
            self._then(step)

    def _write(self, step: Progress) -> None:
        share = f" {step.done / step.total:.0%}" if step.total else ""
        ended = ", ".join(f"{count} {stage}" for stage, count in sorted(self._ended.items()) if count)
        count = f"{self._ended.total()}/{self._total} ({ended or 'none ended'})"
        # A file name may hold control characters, which a terminal would carry out.
        source = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in step.source)
        line = f"{count} | {step.stage}{share} {source}"
        self._stream.write(f"\r{line[:_WIDTH]:<{_WIDTH}}" if self._is_terminal else f"{line}\n")
        self._stream.flush()


def shown_progress(
    total: int, then: OnProgress | None, *, show_progress: bool
) -> AbstractContextManager[OnProgress | None]:
    """Return a context of the callback to use: a line on stderr if wanted, which calls `then`; else `then` itself."""
    return ProgressLine(total, then) if show_progress else nullcontext(then)
