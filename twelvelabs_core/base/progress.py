"""Progress of media: the events for callbacks, and a bar on stderr that shows them."""

import builtins
import inspect
import io
import shutil
import sys
import threading
import time
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import accumulate
from types import TracebackType
from typing import Any, Literal, Self, TextIO

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


_ENDS = frozenset({"ready", "reused", "failed"})
_LONG = frozenset({"uploading", "processing"})


class ProgressBar:
    """Shows the progress of a run; may be called from several threads.

    A notebook and a terminal show the bar of tqdm; a terminal without tqdm shows one line that is written again and
    again. Anything else, such as a log file, gets one line at the end of the run.

    Args:
        total: Number of media.
        then: Another callback, called after it.
        stream: Where to write. Default: stderr; nowhere in a process that has none, such as a service.

    Example:
        ```python
        with ProgressBar(total=1) as bar:
            client.segment_video("match.mp4", on_progress=bar)
        ```
    """

    def __init__(self, total: int, then: OnProgress | None = None, stream: TextIO | None = None) -> None:
        self._total = total
        self._then = then
        self._stream = stream or sys.stderr or io.StringIO()
        self._bar = _bar(total, self._stream)
        self._begun = time.monotonic()
        self._stages: dict[str, str] = {}
        self._ended: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._stages:
            seconds = time.monotonic() - self._begun
            self._stream.write(f"{self._ended.total()} of {self._total} media in {seconds:.1f} s: {self._counts()}\n")
            self._stream.flush()

    def __call__(self, step: Progress) -> None:
        """Take one step of one source."""
        with self._lock:
            is_new = self._stages.get(step.source) != step.stage
            self._stages[step.source] = step.stage
            has_ended = is_new and step.stage in _ENDS
            self._ended[step.stage] += has_ended
            if self._bar is not None:
                # Of short stages, tqdm shows ten a second; a long one is shown at once.
                self._bar.set_postfix_str(self._latest(step), refresh=is_new and step.stage in _LONG)
                self._bar.update(int(has_ended))
        if self._then is not None:
            self._then(step)

    def _counts(self) -> str:
        return ", ".join(f"{count} {stage}" for stage, count in sorted(self._ended.items()) if count) or "none ended"

    def _latest(self, step: Progress) -> str:
        share = f" {step.done / step.total:.0%}" if step.total else ""
        # A file name may hold control characters, which a terminal would carry out.
        source = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in step.source)
        return f"{self._counts()} | {step.stage}{share} {source}"


def _bar(total: int, stream: TextIO) -> Any:
    """Return tqdm's bar, or a line with the same methods; None where the stream is a file."""
    if not (stream.isatty() or hasattr(builtins, "__IPYTHON__")):  # a notebook's stderr is not a terminal
        return None
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415  # optional
    except ImportError:
        return _Line(total, stream)
    return tqdm(total=total, file=stream, desc="Embedding", unit="media", miniters=0, dynamic_ncols=True)


class _Line:
    """One line of a terminal, for want of tqdm."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total = total
        self._stream = stream
        self._ended = 0
        self._latest = ""

    def set_postfix_str(self, latest: str, *, refresh: bool) -> None:  # noqa: ARG002  # tqdm's signature
        self._latest = latest

    def update(self, ended: int) -> None:
        self._ended += ended
        # One column less: a terminal may wrap after its last one, and "\r" returns to the start of the wrapped row.
        row = _fitted(f"{self._ended}/{self._total} {self._latest}", shutil.get_terminal_size().columns - 1)
        self._stream.write(f"\r{row}")
        self._stream.flush()

    def close(self) -> None:
        self._stream.write("\n")
        self._stream.flush()


def _fitted(text: str, columns: int) -> str:
    """Return a text cut or padded to a number of columns; a wide letter, as of Chinese, takes two."""
    widths = (1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)
    ends = list(accumulate(widths, initial=0))
    shown = bisect_right(ends, columns) - 1
    return text[:shown] + " " * (columns - ends[shown])


def shown_progress(
    total: int, then: OnProgress | None, *, show_progress: bool
) -> AbstractContextManager[OnProgress | None]:
    """Return a context of the callback to use: a bar on stderr if wanted, which calls `then`; else `then` itself."""
    return ProgressBar(total, then) if show_progress else nullcontext(then)
