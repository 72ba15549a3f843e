"""One line on stderr that tells how far an ingestion is: rewritten on a terminal, a line per step elsewhere."""

import sys
import threading
from collections import Counter
from types import TracebackType
from typing import Self, TextIO

from twelvelabs_core._progress import OnProgress, Progress

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
        line = (
            f"{sum(self._ended.values())}/{self._total} ({ended or 'none ended'}) | {step.stage}{share} {step.source}"
        )
        if self._is_terminal:
            self._stream.write(f"\r{line[:_WIDTH]:<{_WIDTH}}")
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
