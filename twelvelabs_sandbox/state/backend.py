"""The state of a running sandbox, shared by all routes."""

from twelvelabs_sandbox.embedding.legacy_v1_json import segment_lines
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.state.assets import Assets
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.download import Downloader
from twelvelabs_sandbox.state.media_loader import MediaLoader
from twelvelabs_sandbox.state.resources import Files, Workers
from twelvelabs_sandbox.state.tasks import Tasks
from twelvelabs_sandbox.state.uploads import Uploads


class Backend:
    """Files, threads, assets, uploads and tasks, from start to stop."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.files = Files()
        self.workers = Workers()
        self.downloader = Downloader()
        self.assets = Assets(options, clock, self.files, self.workers, self.downloader)
        self.uploads = Uploads(options, clock, self.files, self.assets)
        self.tasks = Tasks(options, clock, self.files, self.workers)
        self.v1_tasks = Tasks(options, clock, self.files, self.workers, segment_lines)
        self.media_loader = MediaLoader(
            self.files, self.workers, self.downloader, self.assets, echo_filenames=options.echo_filenames
        )

    async def aclose(self) -> None:
        """Cancel all work, then delete all files."""
        await self.tasks.aclose()
        await self.v1_tasks.aclose()
        await self.assets.aclose()
        await self.downloader.aclose()
        self.files.truncate_all()
        self.workers.close()
        self.files.delete_all()
