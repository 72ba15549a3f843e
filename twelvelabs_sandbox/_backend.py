"""Everything that one running sandbox holds: its files, threads, assets and tasks."""

from twelvelabs_sandbox._assets import Assets
from twelvelabs_sandbox._clock import Clock
from twelvelabs_sandbox._files import Files
from twelvelabs_sandbox._intake import Intake
from twelvelabs_sandbox._media_fetch import Downloader
from twelvelabs_sandbox._options import Options
from twelvelabs_sandbox._tasks import Tasks
from twelvelabs_sandbox._uploads import Uploads
from twelvelabs_sandbox._v1_json import segment_lines
from twelvelabs_sandbox._workers import Workers


class Backend:
    """The parts behind the routes, from start to stop."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.files = Files()
        self.workers = Workers()
        self.downloader = Downloader()
        self.assets = Assets(options, clock, self.files, self.workers, self.downloader)
        self.uploads = Uploads(options, clock, self.files, self.assets)
        self.tasks = Tasks(options, clock, self.files, self.workers)
        self.v1_tasks = Tasks(options, clock, self.files, self.workers, segment_lines)
        self.intake = Intake(
            self.files, self.workers, self.downloader, self.assets, echo_filenames=options.echo_filenames
        )

    async def aclose(self) -> None:
        """Stop all work, then delete all files."""
        await self.tasks.aclose()
        await self.v1_tasks.aclose()
        await self.assets.aclose()
        await self.downloader.aclose()
        self.files.cut_short()
        self.workers.close()
        self.files.remove()
