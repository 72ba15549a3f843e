"""The words spoken in paid work: asked for once, kept in the segment store, and never in the way of the vectors."""

import logging
from datetime import UTC, datetime

from twelvelabs_core.api.uploads import UploadOrder
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
from twelvelabs_core.ingest.assets import PaidAssets, place_of
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.results.transcript import Word
from twelvelabs_core.results.upload_responses import Transcription
from twelvelabs_core.transport.polling import Deadline, poll_until

logger = logging.getLogger("twelvelabs_core")

TRANSCRIPT_WAIT = 900.0  # seconds; a film does not wait for its words as long as for its vectors
KINDS = ("words", "sentences")  # one can be missing though it was asked for
ASK_AGAIN = "This answer is kept; store.drop_transcript() has it asked for again"
_ASSETS_MAX = 2  # another task may delete the asset that was just found; then it is uploaded once more
# What may be better the next time is an error: a film that was stored without its words would stay so.
_PASSING = (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InputError,
    RateLimitError,
    ServerError,
)


class _NoTranscriptionError(TwelveLabsError):
    """The API has said for good that there are no words."""


class TranscriptWork(PaidAssets):
    """Fetches the words of media whose vectors are there."""

    @property
    def _origin(self) -> str:
        return "sandbox" if self.settings.is_sandbox else "twelvelabs"

    async def _words_of(self, order: UploadOrder, timeout: float, *, keep_asset: bool) -> tuple[Word, ...]:
        """Return the words spoken in a medium, from the store, else from the API.

        Local bytes are uploaded if their asset is gone, a URL becomes an asset: either costs no task. A transcription
        that is pending is waited for once, at most `TRANSCRIPT_WAIT`; later runs look at that asset's once, and do not
        wait.

        Raises:
            TwelveLabsError: The API cannot be asked now; what it has answered is only warned of.
        """
        content, origin = order.content or "", self._origin
        place, key = place_of(self.store), f"transcript {content}"
        patience = timeout + TRANSCRIPT_WAIT  # of whoever asks for the same words
        async with single_flight(self._io, place, key, source=order.media.source, timeout=patience):
            known = await self._io.blocking(lambda: self.store.find_transcript(content, origin))
            if known is not None:
                return known
            words = await self._ask_for_words(order, timeout)
            if words is not None:
                await self._io.blocking(lambda: self.store.put_transcript(content, origin, words))
        if order.media.url is not None and not keep_asset:
            await self._delete_used_asset(order, timeout)
        return words or ()

    async def _ask_for_words(self, order: UploadOrder, timeout: float) -> tuple[Word, ...] | None:
        """Return the words that the API has; None where it may have some later."""
        try:
            return await self._words_by_asset(order, timeout)
        except _PASSING:
            raise
        except TwelveLabsError as error:
            logger.warning("%s is without the words spoken in it: %s", order.media.source, error)
            return () if isinstance(error, _NoTranscriptionError) else None

    async def _words_by_asset(self, order: UploadOrder, timeout: float) -> tuple[Word, ...]:
        for _ in range(_ASSETS_MAX):
            asset_id = order.media.asset_id or await self._reachable_asset(order, timeout)
            try:
                return _words(await self._settled_transcription(order, asset_id, timeout))
            except NotFoundError:
                if await self._is_there(asset_id):
                    raise _NoTranscriptionError(f"asset {asset_id} has no transcription. {ASK_AGAIN}.") from None
            if order.media.asset_id is not None:
                raise TwelveLabsError(f"asset {asset_id} is gone, and its transcription with it.")
            await self._forget_asset(order)
        raise TwelveLabsError("its asset was deleted by others while it was needed; the next run asks again.")

    async def _reachable_asset(self, order: UploadOrder, timeout: float) -> str:
        async with self._asset_lock(order, timeout):
            await self._make_reachable(order, timeout, embeds=False)
            return await self._asset_of(order) or ""

    async def _settled_transcription(self, order: UploadOrder, asset_id: str, timeout: float) -> Transcription:
        since = await self._pending_since(order, asset_id)
        wait = min(timeout, TRANSCRIPT_WAIT) if since is None else 0.0
        found = await poll_until(
            lambda: self.retrieve_transcription(asset_id, include=KINDS),
            lambda found: found.status in ("ready", "failed"),
            Deadline(wait),
            self._io.sleep,
        )
        if found.status == "ready":
            return found
        if found.status == "failed":
            reason = (found.error or "no reason given").rstrip(".")
            raise _NoTranscriptionError(f"the transcription of asset {asset_id} failed: {reason}. {ASK_AGAIN}.")
        if wait >= TRANSCRIPT_WAIT:  # a caller with less time has not waited for the next one too
            content = order.content or ""
            await self._io.blocking(lambda: self.store.put_pending_transcript(content, self._origin, asset_id))
        waited = f"after {wait:g} s" if since is None else f"and was pending at {_shown(since)}"
        raise TaskTimeoutError(
            f"the transcription of asset {asset_id} is {found.status} {waited}; the next run asks again."
        )

    async def _pending_since(self, order: UploadOrder, asset_id: str) -> float | None:
        """Return when the transcription of this very asset was waited for in vain."""
        content = order.content or ""
        known = await self._io.blocking(lambda: self.store.find_pending_transcript(content, self._origin))
        return known[1] if known is not None and known[0] == asset_id else None

    async def _is_there(self, asset_id: str) -> bool:
        try:
            await self.retrieve_asset(asset_id)
        except NotFoundError:
            return False
        return True


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _words(found: Transcription) -> tuple[Word, ...]:
    """Return the words, or whole sentences in their place; neither means that nobody speaks."""
    said = found.words or found.sentences or ()
    return tuple(Word(float(one.start), float(one.end), one.value) for one in said)
