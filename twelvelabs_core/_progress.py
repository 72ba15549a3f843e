"""What a caller hears while a medium is on its way."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from twelvelabs_core._errors import InputError

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
        task_id: The embedding task, once there is one.

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
    """Refuse what nobody would await.

    Raises:
        InputError: It is an async function.
    """
    if inspect.iscoroutinefunction(callback):
        raise InputError(f"{name} must be an ordinary function: an async one would never be awaited.")
    if callback is not None and not callable(callback):
        raise InputError(f"{name} must be callable, got {type(callback).__name__}.")
