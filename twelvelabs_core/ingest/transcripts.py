"""The words spoken in media: fetched once, kept in the segment store, and optional beside the vectors."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twelvelabs_core.api.assets import AsyncAssets
from twelvelabs_core.api.chunked_upload import UploadOrder
from twelvelabs_core.base.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InputError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core.ingest.assets import MediaAssets
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.results.transcript import Word
from twelvelabs_core.transport.polling import Deadline, poll_until
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

TRANSCRIPT_WAIT = 900.0  # seconds; shorter than the wait for vectors, which are what a caller pays for
_INCLUDE = ("words", "sentences")  # one can be missing although it was requested
_ASSETS_MAX = 2  # another task may delete the asset that was just found; then it is uploaded once more
_REQUEST_AGAIN = "This answer is kept; store.drop_transcript() requests it again"
# Errors that may not occur the next time are raised: otherwise an item would be stored without its words.
_TRANSIENT = (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InputError,
    RateLimitError,
    ServerError,
)


class _NoTranscriptionError(TwelveLabsError):
    """The API has answered that the media has no transcription."""


class Transcripts:
    """Fetches the words of media whose vectors are stored."""

    def __init__(
        self,
        session: Session,
        assets: AsyncAssets,
        media_assets: MediaAssets,
        open_store: "Callable[[], SegmentStore]",
    ) -> None:
        self._io = session.io
        self._origin = "sandbox" if session.settings.is_sandbox else "twelvelabs"
        self._assets = assets
        self._media_assets = media_assets
        self._open_store = open_store

    async def words_of(self, order: UploadOrder, timeout: float, *, keep_asset: bool) -> tuple[Word, ...]:
        """Return the words spoken in one item, from the segment store, else from the API.

        Local media is uploaded again if its asset was deleted, and a URL becomes an asset; neither costs a task. The
        first run waits for a pending transcription, at most `TRANSCRIPT_WAIT`; later runs request it once.

        Raises:
            TwelveLabsError: The API cannot be reached or refuses now. A final answer without words is only logged.
        """
        store, content, source = self._open_store(), order.content or "", order.media.source
        longest = timeout + TRANSCRIPT_WAIT
        async with single_flight(self._io, store, f"transcript {content}", source=source, timeout=longest):
            known = await self._io.blocking(lambda: store.find_transcript(content, self._origin))
            if known is not None:
                return known
            words = await self._fetch(order, timeout)
            if words is not None:
                await self._io.blocking(lambda: store.put_transcript(content, self._origin, words))
        if order.media.url is not None and not keep_asset:
            await self._media_assets.delete_unused(content, source, timeout)
        return words or ()

    async def _fetch(self, order: UploadOrder, timeout: float) -> tuple[Word, ...] | None:
        """Return the words that the API has; None where it may have some later."""
        try:
            return await self._fetch_by_asset(order, timeout)
        except _TRANSIENT:
            raise
        except TwelveLabsError as error:
            logger.warning("%s is stored without the words spoken in it: %s", order.media.source, error)
            return () if isinstance(error, _NoTranscriptionError) else None

    async def _fetch_by_asset(self, order: UploadOrder, timeout: float) -> tuple[Word, ...]:
        content = order.content or ""
        for _ in range(_ASSETS_MAX):
            asset_id = order.media.asset_id
            if asset_id is None:
                async with self._media_assets.lock(content, order.media.source, timeout):
                    asset_id = await self._media_assets.ensure_uploaded(order, timeout, embeds=False)
            try:
                return await self._wait_for_words(order, asset_id, timeout)
            except NotFoundError:
                if await self._media_assets.exists(asset_id):
                    message = f"asset {asset_id} has no transcription. {_REQUEST_AGAIN}."
                    raise _NoTranscriptionError(message) from None
            if order.media.asset_id is not None:
                raise TwelveLabsError(f"asset {asset_id} was deleted, and its transcription with it.")
            await self._media_assets.forget(content)
        raise TwelveLabsError("another task deleted its asset while it was needed; the next run requests them again.")

    async def _wait_for_words(self, order: UploadOrder, asset_id: str, timeout: float) -> tuple[Word, ...]:
        store, content = self._open_store(), order.content or ""
        known = await self._io.blocking(lambda: store.find_pending_transcript(content, self._origin))
        # When a full wait for the transcription of this asset ended without an answer.
        since = known[1] if known is not None and known[0] == asset_id else None
        wait = min(timeout, TRANSCRIPT_WAIT) if since is None else 0.0
        found = await poll_until(
            lambda: self._assets.retrieve_transcription(asset_id, include=_INCLUDE),
            lambda found: found.status in ("ready", "failed"),
            Deadline(wait),
            self._io.sleep,
        )
        if found.status == "ready":  # whole sentences in place of words; neither means that nothing is said
            spoken = found.words or found.sentences or ()
            return await self._io.blocking(
                lambda: tuple(Word(float(one.start), float(one.end), one.value) for one in spoken)
            )
        if found.status == "failed":
            reason = (found.error or "no reason given").rstrip(".")
            raise _NoTranscriptionError(f"the transcription of asset {asset_id} failed: {reason}. {_REQUEST_AGAIN}.")
        if wait >= TRANSCRIPT_WAIT:  # a shorter wait does not replace that of a later caller with more time
            await self._io.blocking(lambda: store.put_pending_transcript(content, self._origin, asset_id))
        state = f"after {wait:g} s" if since is None else f"and was pending at {_format_time(since)}"
        raise TaskTimeoutError(
            f"the transcription of asset {asset_id} is {found.status} {state}; the next run requests it again."
        )


def _format_time(timestamp: float) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"
