"""Runs over multiple media: their results as they become ready, and their failures at the end."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Any, Literal

from twelvelabs_core.base.errors import ConfigurationError, Failure, IngestionError, InputError, TwelveLabsError
from twelvelabs_core.base.progress import check_callback
from twelvelabs_core.base.redact import redact
from twelvelabs_core.ingest.job import Ingestion
from twelvelabs_core.ingest.plan import TaskPlan
from twelvelabs_core.ingest.run import RunOptions
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.models.options import TaskOptions
from twelvelabs_core.results.records import SegmentedMedia
from twelvelabs_core.transport.io import Io

logger = logging.getLogger("twelvelabs_core")

OnError = Literal["raise", "skip"] | Callable[[Failure], object]
"""`raise`: one error at the end lists the failures. `skip`: a warning lists them. A function is called with each."""

_UNAUTHORIZED = 401
_NAME_MAX = 200  # characters of a value that is not media


class FailureReport:
    """Collects the failures of one run over multiple media.

    Attributes:
        failures: The failures so far.
        succeeded: The sources that succeeded so far.

    Raises:
        InputError: `on_error` is neither `raise`, `skip` nor a function.
    """

    def __init__(self, on_error: OnError) -> None:
        if on_error not in ("raise", "skip") and not callable(on_error):
            raise InputError(f"on_error must be 'raise', 'skip' or a function, got {on_error!r}.")
        if callable(on_error):
            check_callback(on_error, "on_error")
        self._on_error = on_error
        self.failures: list[Failure] = []
        self.succeeded: list[str] = []

    def add(self, item: Any, error: Exception) -> None:
        """Add the failure of one item, whatever raised it: this package, a decoder, or the caller's file object.

        An error that ends the whole run prevents the report at its end, so the failures before it are logged here.

        Raises:
            TwelveLabsError: The error itself, where every item would fail with it: a refused key, an unusable store.
        """
        if ends_the_run(error):
            if self.failures and not callable(self._on_error):
                logger.warning("before the run ended early: %s", IngestionError(self.failures, self.succeeded))
            raise error
        if not isinstance(error, TwelveLabsError):
            foreign, error = error, TwelveLabsError(f"{type(error).__name__}: {redact(str(error))}")
            error.__cause__ = foreign
        self.note(Failure(name_of(item), str(error), error.task_id, error))

    def note(self, failure: Failure) -> None:
        """Add a failure."""
        self.failures.append(failure)
        if callable(self._on_error):
            self._on_error(failure)

    def close(self) -> None:
        """Report the failures at the end of the run.

        Raises:
            IngestionError: Some media failed, and `on_error` is `raise`.
            TwelveLabsError: The only item failed; its own error.
        """
        if not self.failures or callable(self._on_error):
            return
        error = IngestionError(self.failures, self.succeeded)
        if self._on_error == "skip":
            logger.warning("%s", error)
            return
        raise self.failures[0].error if len(self.failures) + len(self.succeeded) == 1 else error


async def segment_all(
    io: Io,
    ingestion: Ingestion,
    media: Iterable[MediaInput],
    plan: TaskPlan,
    run: RunOptions,
    *,
    report: FailureReport,
    limit: int,
    check: bool,
) -> AsyncIterator[SegmentedMedia]:
    """Segment media, at most `limit` at once; yield each result as it becomes ready, then close the report."""

    async def segment(value: MediaInput) -> SegmentedMedia:
        def prepare() -> tuple[Media, TaskOptions]:
            item = Media.of(value, check=check)
            return item, plan.options(item)

        item, options = await io.blocking(prepare)
        return await ingestion.segment(item, options, run)

    outcomes = io.as_completed(segment, media, limit)
    try:
        async for outcome in outcomes:
            if outcome.result is not None:
                report.succeeded.append(outcome.result.source)
                yield outcome.result
            elif outcome.error is not None:
                report.add(outcome.item, outcome.error)
    finally:
        await outcomes.aclose()
    report.close()


def ends_the_run(error: Exception) -> bool:
    """Return whether every other item would fail with an error too: a refused key, an unusable store."""
    return isinstance(error, ConfigurationError) or getattr(error, "status_code", None) == _UNAUTHORIZED


def name_of(item: Any) -> str:
    """Return the name of media, or of what was passed in their place."""
    with suppress(Exception):
        return Media.of(item).source
    with suppress(Exception):
        return redact(repr(item))[:_NAME_MAX]
    return type(item).__name__
