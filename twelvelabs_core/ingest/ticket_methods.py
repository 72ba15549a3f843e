"""`submit` and `collect` of the client: a task that one process creates, and any process takes the result of."""

from collections.abc import Sequence

from twelvelabs_core.base.checks import check_timeout
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.progress import OnProgress
from twelvelabs_core.ingest.budget import budget_of
from twelvelabs_core.ingest.job import Ingestion
from twelvelabs_core.ingest.plan import InputType, Segmentations, plan_tasks
from twelvelabs_core.ingest.run import RunOptions
from twelvelabs_core.ingest.ticket import Ticket
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.models.options import TaskOptions, TimeBasedMetadata
from twelvelabs_core.results.records import SegmentedMedia
from twelvelabs_core.transport.session import Session


class TicketMethods:
    """The methods of `AsyncClient` for tickets; their state is the client's."""

    _session: Session
    _ingestion: Ingestion

    async def submit(
        self,
        media: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        input_type: InputType | Sequence[InputType] = "video",
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentations | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        check: bool = True,
        max_minutes: float | None = None,
        max_cost: float | None = None,
        price_per_minute: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Ticket:
        """Upload local media, create its task, and return a ticket for its segments without waiting for them.

        Each submission of the same content and options on one segment store gives the same ticket, and one task is paid
        for: as with `segment_video`, after a crash at any point too. What is paid for already is not paid for again.
        After its task failed, a repeated submission pays for another one.

        Args:
            media: Path, URL, bytes, binary file object or `asset:<id>`.
            source: As for `segment_video`.
            version: As for `segment_video`.
            input_type: As for `segment_many`.
            start_sec: As for `segment_many`.
            end_sec: As for `segment_many`.
            segmentation: As for `segment_many`.
            embedding_option: As for `segment_many`.
            embedding_scope: As for `segment_many`.
            embedding_type: As for `segment_many`.
            time_based_metadata: As for `segment_many`.
            embedding_uncertainty: As for `segment_many`.
            timeout: Longest time in seconds: for the upload, until the API has read it, and for the create, also until
                the outcome of an earlier one is known. Default: `task_timeout` of the settings, 2 hours.
            keep_asset: False deletes the uploaded file at the API when the ticket is collected.
            check: As for `segment_video`.
            max_minutes: As for `segment_many`.
            max_cost: As for `segment_many`.
            price_per_minute: As for `segment_many`.
            on_progress: Called with a `Progress` at each step.

        Returns:
            A `Ticket`.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            BudgetError: It does not fit into the budget; nothing was sent.
            TaskFailedError: The API cannot read the uploaded file.
            TaskTimeoutError: The uploaded file was not read in time, or the outcome of an earlier create is not known.
        """
        plan = plan_tasks(
            input_type,
            self._ingestion.model,
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            time_based_metadata=time_based_metadata,
            embedding_uncertainty=embedding_uncertainty,
        )
        budget = budget_of(max_minutes, max_cost, price_per_minute)
        run = RunOptions(timeout, on_progress, keep_asset, budget=budget)

        def prepare() -> tuple[Media, TaskOptions]:
            item = Media.of(media, source=source, version=version, check=check)
            return item, plan.options(item)

        item, options = await self._session.io.blocking(prepare)
        return await self._ingestion.submit(item, options, run)

    async def collect(self, ticket: Ticket, *, timeout: float | None = None) -> SegmentedMedia | None:
        """Return the segments of a submitted task, or None while it is processed.

        Any process with the same segment store and a key of the same organisation may do this, any number of times: the
        first one after the task is ready stores the result, and the others read it. Nothing is created or paid for.

        Args:
            ticket: What `submit` returned, or `Ticket.from_json`.
            timeout: Longest wait in seconds. Default: no wait, one polling request with its retries. With
                `keep_asset=False` a request that deletes the uploaded file follows the result.

        Returns:
            A `SegmentedMedia`; None where the task is not ready yet.

        Raises:
            TaskFailedError: The task failed, or its result has expired after seven days; submit it again.
            InputError: No ticket, or one of another vector space or segment store.
            ConfigurationError: The task is of an account that this key cannot see.
        """
        if not isinstance(ticket, Ticket):
            raise InputError(f"ticket must be a Ticket, got {type(ticket).__name__}; read JSON with Ticket.from_json.")
        if timeout is not None:
            check_timeout(timeout)
        return await self._ingestion.collect(ticket, timeout)
