"""What a run wants, and one item of it with its identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from twelvelabs_core.api.chunked_upload import UploadOrder
from twelvelabs_core.base.checks import check_bool, check_timeout
from twelvelabs_core.base.progress import OnProgress, Progress, Stage, check_callback
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.options import TaskOptions
from twelvelabs_core.models.paid_work import shared_parameters
from twelvelabs_core.results.records import task_key

if TYPE_CHECKING:
    from twelvelabs_core.store.budget import Budget
    from twelvelabs_core.store.entries import KnownUrl


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run wants besides vectors.

    Attributes:
        timeout: Most seconds of the whole run of one item; None: only its task is limited.
        on_progress: Called at each step.
        keep_asset: Whether uploads are kept.
        include_transcript: Whether spoken words are fetched.
        budget: See `SegmentStore.check_budget`; None: none.

    Raises:
        InputError: A value cannot be used.
    """

    timeout: float | None
    on_progress: OnProgress | None
    keep_asset: bool
    include_transcript: bool = False
    budget: "Budget | None" = None

    def __post_init__(self) -> None:
        check_callback(self.on_progress, "on_progress")
        check_bool("keep_asset", self.keep_asset)
        check_bool("include_transcript", self.include_transcript)
        if self.timeout is not None:
            check_timeout(self.timeout)

    def report(self, source: str, stage: Stage, done: int = 0, total: int = 0, task_id: str | None = None) -> None:
        """Report a step to the caller."""
        if self.on_progress is not None:
            self.on_progress(Progress(source, stage, done, total, task_id))


class Work(Protocol):
    """What is wanted of the result of a task, of which media: a job, or the ticket of one."""

    @property
    def source(self) -> str:
        """The caller's name of the media."""

    @property
    def title(self) -> str:
        """A short name to display."""

    @property
    def content(self) -> str:
        """Content identity of the media."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the task."""

    @property
    def wanted(self) -> Mapping[str, Any]:
        """The parameters of what is wanted of its result."""


@dataclass(frozen=True, slots=True)
class Job:
    """One item to embed, with its identity.

    Attributes:
        media: The video, audio file, document or image.
        options: What is wanted of it.
        paid: The options of the task that is created for it; its result may have more than what is wanted.
        run: What the run wants besides vectors.
        space: Who makes the vectors.
        content: Content identity of the media.
        url: The unsigned URL of the media and what is known of it now, to be written with the intent.
        order: How its local bytes become an asset; the file name carries the mark of the journal.
        timeout: Longest wait for each step, in seconds.
    """

    media: Media
    options: TaskOptions
    paid: TaskOptions
    run: RunOptions
    space: str
    content: str
    url: "tuple[str, KnownUrl] | None"
    order: UploadOrder
    timeout: float

    @property
    def key(self) -> str:
        """Identity of the task that is created for it, the key of its journal entry."""
        return task_key(self.space, self.content, self.params)

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of that task."""
        return self.paid.identity()

    @property
    def wanted(self) -> Mapping[str, Any]:
        """The parameters of what is wanted of its result."""
        return self.options.identity()

    @property
    def flight(self) -> str:
        """Identity of all tasks that may contain each other, of which one is created at a time."""
        return task_key(self.space, self.content, shared_parameters(self.params))

    @property
    def source(self) -> str:
        """The caller's name of the media."""
        return self.media.source

    @property
    def title(self) -> str:
        """A short name to display."""
        return self.media.title

    def report(self, stage: Stage, task_id: str | None = None) -> None:
        """Report a step to the caller."""
        self.run.report(self.source, stage, task_id=task_id)
