"""What a run wants, and one item of it with its identity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twelvelabs_core.api.chunked_upload import UploadOrder
from twelvelabs_core.base.checks import check_bool, check_timeout
from twelvelabs_core.base.progress import OnProgress, Progress, Stage, check_callback
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.options import TaskOptions

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import KnownUrl


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run wants besides vectors; `timeout` limits the whole run of one item in seconds; None: a task only.

    Raises:
        InputError: A value cannot be used.
    """

    timeout: float | None
    on_progress: OnProgress | None
    keep_asset: bool
    include_transcript: bool = False

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


@dataclass(frozen=True, slots=True)
class Job:
    """One item to embed, with its identity.

    Attributes:
        media: The video, audio file, document or image.
        options: How to embed it.
        run: What the run wants besides vectors.
        content: Content identity of the media.
        key: Identity of the paid work, the key of its journal entry.
        url: The unsigned URL of the media and what is known of it now, to be written with the intent.
        order: How its local bytes become an asset; the file name carries the mark of the journal.
        timeout: Longest wait for each step, in seconds.
    """

    media: Media
    options: TaskOptions
    run: RunOptions
    content: str
    key: str
    url: "tuple[str, KnownUrl] | None"
    order: UploadOrder
    timeout: float

    @property
    def source(self) -> str:
        """The caller's name of the media."""
        return self.media.source

    def report(self, stage: Stage, task_id: str | None = None) -> None:
        """Report a step to the caller."""
        self.run.report(self.source, stage, task_id=task_id)
