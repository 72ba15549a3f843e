"""`plan` of the client: what a run would do and pay for, without a request to the API."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from twelvelabs_core.base.checks import check_above_0, check_bool
from twelvelabs_core.base.errors import ConfigurationError, TwelveLabsError
from twelvelabs_core.base.redact import redact
from twelvelabs_core.ingest.batch import name_of
from twelvelabs_core.ingest.budget import duration_of
from twelvelabs_core.ingest.estimate import IngestionPlan, PlannedMedia, vectors_expected
from twelvelabs_core.ingest.job import Ingestion
from twelvelabs_core.ingest.plan import InputType, Segmentations, TaskPlan, plan_tasks
from twelvelabs_core.ingest.remote_file import probe_url
from twelvelabs_core.media.inspect import Probe
from twelvelabs_core.media.source import Media, MediaInput, is_one
from twelvelabs_core.models.marengo import UNTIMED_TYPES
from twelvelabs_core.models.options import TaskOptions, TimeBasedMetadata
from twelvelabs_core.models.paid_work import embedded_minutes, paid_options
from twelvelabs_core.results.records import task_key, wanted_part
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import Findings
    from twelvelabs_core.store.store import SegmentStore


class PlanMethods:
    """The method of `AsyncClient` that plans an ingestion; its state is the client's."""

    _session: Session
    _ingestion: Ingestion
    _open_store: "Callable[[], SegmentStore]"

    async def plan(
        self,
        media: MediaInput | Iterable[MediaInput],
        *,
        input_type: InputType | Sequence[InputType] = "video",
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentations | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        check: bool = True,
        probe_urls: bool = False,
        price_per_minute: float | None = None,
    ) -> IngestionPlan:
        """Return what `segment_many` would do and pay for with these media and options.

        Local files are read: for their content identity, once, and with the extra `media` for their length. Of a URL
        its host is sent a HEAD request, without the key; the API is sent nothing.

        Args:
            media: One of the media or any number of them; `Media.of(url, duration_sec=...)` states the length of a URL.
            input_type: As for `segment_many`.
            start_sec: As for `segment_many`.
            end_sec: As for `segment_many`.
            segmentation: As for `segment_many`.
            embedding_option: As for `segment_many`.
            embedding_scope: As for `segment_many`.
            embedding_type: As for `segment_many`.
            time_based_metadata: As for `segment_many`.
            embedding_uncertainty: As for `segment_many`.
            check: As for `segment_many`.
            probe_urls: Whether the length of a URL is read from it with PyAV: GET requests for ranges, up to 16 MB.
                Where this fails, or finds another kind of file, `reason` says so; the API decides.
            price_per_minute: What you pay for a minute; none is built in.

        Returns:
            An `IngestionPlan`, with a `PlannedMedia` for each source; media that cannot be used are among them.

        Raises:
            InputError: An option cannot be used.
            ConfigurationError: The segment store cannot be used.
        """
        if price_per_minute is not None:
            check_above_0("price_per_minute", price_per_minute)
        check_bool("check", check)
        check_bool("probe_urls", probe_urls)
        tasks = plan_tasks(
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
        items: list[MediaInput] = [media] if is_one(media) else list(media)  # type: ignore[list-item, arg-type]  # one or many
        planner = _Planner(self._session, self._ingestion, self._open_store, tasks, check=check, probe_urls=probe_urls)
        drafts = await self._session.io.map(planner.draft, items, self._session.settings.max_concurrency)
        seconds = self._session.media_seconds_left
        return IngestionPlan(_merged(drafts), price_per_minute, None if seconds is None else seconds / 60)


@dataclass(frozen=True, slots=True)
class _Draft:
    """One item as if it were alone: what is planned, and the identities of its work and its content."""

    planned: PlannedMedia
    key: str = ""
    content: str = ""


class _Planner:
    """Plans items one by one."""

    def __init__(
        self,
        session: Session,
        ingestion: Ingestion,
        open_store: "Callable[[], SegmentStore]",
        tasks: TaskPlan,
        *,
        check: bool,
        probe_urls: bool,
    ) -> None:
        self._io = session.io
        self._account = session.settings.account
        self._ingestion = ingestion
        self._open_store = open_store
        self._tasks = tasks
        self._check = check
        self._probe_urls = probe_urls

    async def draft(self, value: MediaInput) -> _Draft:
        """Return the plan of one item; what cannot be used becomes a reason."""
        try:
            return await self._draft(value)
        except ConfigurationError:
            raise
        except TwelveLabsError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001  # a file object of the caller may raise anything
            reason = f"{type(error).__name__}: {redact(str(error))}"
        return _Draft(PlannedMedia(name_of(value), "unusable", reason))

    async def _draft(self, value: MediaInput) -> _Draft:
        media, options, found, doubt = await self._io.blocking(lambda: self._checked(value))
        content, known, _ = await self._ingestion.look_up(media, options, head_only=True)
        store = await self._io.blocking(self._open_store)
        key = task_key(self._ingestion.space, content, paid_options(options).identity())
        if known.entry is not None and known.result is not None:
            count = len(wanted_part(known.result[0], options.identity())[1])
            stored = PlannedMedia(media.source, "stored", duration_sec=known.result[1], vectors=(count, count))
            return _Draft(stored, key, content)
        seconds = await self._io.blocking(lambda: self._duration(media, options, found))
        minutes = embedded_minutes(options.identity(), seconds)
        vectors = vectors_expected(
            options, None if minutes is None else minutes * 60, has_audio=found is None or found.has_audio
        )
        if await self._io.blocking(partial(_is_under_way, known, store)):
            waited = PlannedMedia(media.source, "under way", duration_sec=seconds, vectors=vectors)
            return _Draft(waited, key, content)
        size = await self._io.blocking(lambda: self._bytes_to_upload(media, content, store))
        requests = 1 if size is None else 2
        planned = PlannedMedia(media.source, "new", doubt, seconds, minutes, vectors, size or 0, requests)
        return _Draft(planned, key, content)

    def _checked(self, value: MediaInput) -> tuple[Media, TaskOptions, Probe | None, str]:
        media = Media.of(value, check=self._check)
        options = self._tasks.options(media)
        found, doubt = self._ingestion.check(media, options), ""
        if found is None and self._probe_urls and media.url is not None and options.input_type not in UNTIMED_TYPES:
            found, doubt = probe_url(media, options.input_type)
        return media, options, found, doubt

    def _duration(self, media: Media, options: TaskOptions, found: Probe | None) -> float | None:
        if options.input_type in UNTIMED_TYPES:
            return None
        if media.duration_sec is None and found is not None:
            return found.duration_sec
        return duration_of(media)

    def _bytes_to_upload(self, media: Media, content: str, store: "SegmentStore") -> int | None:
        """Return the size of local media that is not uploaded yet; None if nothing is to be uploaded."""
        if not media.is_local or store.find_asset(content, self._account) is not None:
            return None
        return media.size()


def _is_under_way(known: "Findings", store: "SegmentStore") -> bool:
    """Return whether a task would be waited for, instead of created."""
    entry = known.entry
    if entry is None or entry.state not in ("intent", "processing"):
        return False
    return entry.state == "processing" or not store.is_abandoned(entry)


def _merged(drafts: Iterable[_Draft]) -> tuple[PlannedMedia, ...]:
    """Return the plans of all items: of equal ones the first is paid for, and each content is uploaded once."""
    first: dict[str, str] = {}
    uploaded: set[str] = set()
    merged: list[PlannedMedia] = []
    for draft in drafts:
        planned = draft.planned
        if planned.status == "new" and draft.key in first:
            same = f"same content as {first[draft.key]}"
            planned = replace(planned, status="repeated", reason=same, minutes=0.0, upload_bytes=0, requests=0)
        elif planned.status == "new":
            first[draft.key] = planned.source
            if planned.upload_bytes and draft.content in uploaded:
                planned = replace(planned, upload_bytes=0, requests=planned.requests - 1)
            uploaded.add(draft.content)
        merged.append(planned)
    return tuple(merged)
