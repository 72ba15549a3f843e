"""One piece of paid work as values: a medium and how to embed it, and what identifies that."""

from dataclasses import dataclass

from twelvelabs_core.api.uploads import UploadOrder
from twelvelabs_core.base.checks import check_bool, check_timeout
from twelvelabs_core.base.progress import OnProgress, Progress, Stage, check_callback
from twelvelabs_core.ingest.assets import NO_PLAYBACK
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.options import TaskOptions


@dataclass(frozen=True, slots=True)
class Work:
    """One medium to be embedded, and how."""

    media: Media
    options: TaskOptions
    timeout: float | None
    on_progress: OnProgress | None
    keep_asset: bool = True
    include_transcript: bool = False

    def __post_init__(self) -> None:
        check_callback(self.on_progress, "on_progress")
        check_bool("keep_asset", self.keep_asset)
        check_bool("include_transcript", self.include_transcript)
        if self.timeout is not None:
            check_timeout(self.timeout)

    def report(self, stage: Stage, done: int = 0, total: int = 0, task_id: str | None = None) -> None:
        """Tell the caller."""
        if self.on_progress is not None:
            self.on_progress(Progress(self.media.source, stage, done, total, task_id))


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work with its identity.

    Attributes:
        work: What to embed.
        content: Identity of the medium.
        key: Identity of the work, under which the journal has it.
        filename: The name that an upload of local bytes gets; it carries the journal's mark.
        timeout: Longest wait for anything, in seconds.
    """

    work: Work
    content: str
    key: str
    filename: str
    timeout: float

    @property
    def source(self) -> str:
        """The caller's name of the medium."""
        return self.work.media.source

    def order(self) -> UploadOrder:
        """Return how its local bytes become an asset."""
        return UploadOrder(
            self.work.media,
            self.filename,
            asset_type=self.work.options.input_type,
            options=NO_PLAYBACK,
            on_sent=self._report_sent,
            content=self.content,
        )

    def _report_sent(self, done: int, total: int) -> None:
        self.work.report("uploading", done, total)
