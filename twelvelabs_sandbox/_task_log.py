"""Every task that a sandbox created, so that tests can see what was paid for twice."""

from dataclasses import dataclass
from typing import Literal

from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._tasks import Status, Task, TaskFate, Tasks
from twelvelabs_sandbox._wire import rfc3339

Api = Literal["v1", "v2"]


@dataclass(frozen=True, slots=True)
class RecordedTask:
    """One task that was created.

    Attributes:
        id: Its id.
        api: ``v2`` for ``/embed-v2/tasks``, ``v1`` for ``/embed/tasks``.
        model: The model that it named.
        input_type: Such as ``video``.
        sha256: Of the bytes of its medium, in hex; None for a moment after its creation.
        filename: The name of the asset or file that it was made of, if any; also where answers do not say it.
        url: The address that its medium came from, if any.
        status: ``processing``, ``ready`` or ``failed``, also where nobody has asked for it yet.
        fate: What a fault decided for it: ``failed``, ``stuck``, ``expired`` or None.
        is_computed: Whether the sandbox has done its real work on it, so that only its clock holds the task back.
        created_at: When, on the sandbox's clock; RFC 3339. An ``expired`` one says more than seven days ago.

    Example:
        >>> at = "2026-01-01T00:00:00.000Z"
        >>> task = RecordedTask("65", "v2", "marengo3.0", "video", None, "match.mp4", None, "ready", None, True, at)
        >>> task.filename
        'match.mp4'
    """

    id: str
    api: Api
    model: str
    input_type: str
    sha256: str | None
    filename: str | None
    url: str | None
    status: Status
    fate: TaskFate | None
    is_computed: bool
    created_at: str


def recorded_tasks(backend: Backend) -> list[RecordedTask]:
    """Return all tasks, those of v2 first, each kind in the order of creation."""
    return [
        *(_record("v2", task, backend.tasks) for task in backend.tasks.all()),
        *(_record("v1", task, backend.v1_tasks) for task in backend.v1_tasks.all()),
    ]


def _record(api: Api, task: Task, tasks: Tasks) -> RecordedTask:
    return RecordedTask(
        task.id,
        api,
        task.model,
        task.request.input_type,
        task.sha256,
        task.media.filename,
        task.media.url,
        tasks.state(task),
        task.fate,
        task.finished_at is not None,
        rfc3339(task.created_at),
    )
