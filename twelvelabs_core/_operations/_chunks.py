"""The chunks of one upload session: sent in parallel, each to a fresh URL when the last failed, reported in batches."""

import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from twelvelabs_core import _limits
from twelvelabs_core._errors import APIResponseError, TwelveLabsError
from twelvelabs_core._io import Io
from twelvelabs_core._operations._multipart import MultipartOperations
from twelvelabs_core._ranges import Ranges
from twelvelabs_core._rate_limiter import RateLimiter
from twelvelabs_core._retry import Outcome
from twelvelabs_core._settings import LOOPBACK_HOSTS, Settings
from twelvelabs_core._store import UploadEntry
from twelvelabs_core._uploading import (
    CompletedChunk,
    Part,
    SentBytes,
    Slots,
    Tally,
    UrlPool,
    etag_of,
    sendable_headers,
)
from twelvelabs_core._wire import CHUNK, Body, Call, Reply

logger = logging.getLogger("twelvelabs_core")

REPORT_EVERY = 10  # chunks; what a crash can lose is these and those under way
_LOOK = 0.05
# What a storage says of a URL that has expired or was used: another URL may do.
_URL_REFUSED = frozenset({400, 401, 403, 404, 409, 410, 412})


@dataclass(frozen=True, slots=True)
class Session:
    """One upload under way."""

    entry: UploadEntry
    source: str
    ranges: Ranges
    parts: list[Part]
    sent: SentBytes
    urls: UrlPool


class ChunkOperations(MultipartOperations):
    """Sends the chunks of a file."""

    def __init__(self, settings: Settings, io: Io, rate_limiter: RateLimiter | None = None) -> None:
        super().__init__(settings, io, rate_limiter)
        self._slots = Slots(settings.max_concurrency)

    async def _send_parts(self, session: Session, parts: list[Part]) -> bool:
        """Send chunks and report them batch by batch; return whether the server has all of the file now."""
        batch: list[CompletedChunk] = []
        failure: Exception | None = None
        is_complete = False
        outcomes = self._io.as_completed(
            lambda part: self._send_part(session, part), parts, min(self.settings.max_concurrency, len(parts))
        )
        try:
            async for outcome in outcomes:
                failure = outcome.error
                if outcome.result is None:
                    break
                batch.append(outcome.result)
                if len(batch) >= REPORT_EVERY:
                    is_complete = await self._report(session, batch)
                    batch = []
        finally:
            await outcomes.aclose()  # type: ignore[attr-defined]
        if failure is not None:
            await self._report_before(failure, session, batch)
            raise failure
        return await self._report(session, batch) if batch else is_complete

    async def _report(self, session: Session, batch: list[CompletedChunk]) -> bool:
        # A chunk counts only if the file still was what its digest says after the chunk was read.
        await self._io.blocking(session.ranges.check_unchanged)
        report = await self.report_chunk_batch(session.entry.upload_id, batch)
        return report.url is not None or (report.total_completed or 0) >= len(session.parts)

    async def _report_before(self, failure: Exception, session: Session, batch: list[CompletedChunk]) -> None:
        """Save what was sent before an error, so that the next call need not send it again."""
        try:
            if batch:
                await self._report(session, batch)
        except TwelveLabsError as error:
            logger.warning("%d sent chunks of %s could not be reported: %s", len(batch), session.source, error)
        if isinstance(failure, TwelveLabsError):
            logger.warning("the upload of %s stopped; the same call goes on with it for 24 hours", session.source)

    async def _send_part(self, session: Session, part: Part) -> CompletedChunk:
        attempt = 0
        while True:
            attempt += 1
            async with self._slot():
                url = await self._url_for(session, part.index, is_first=attempt == 1)
                reply, error, outcome = await self._put(session, part, url)
            if reply is not None:
                return CompletedChunk(part.index, etag_of(reply.headers) or "", part.length)
            wait = self._wait_before_next(attempt, outcome)
            if wait is None:
                raise error
            await self._io.sleep(wait)

    async def _put(self, session: Session, part: Part, url: str) -> tuple[Reply | None, TwelveLabsError, Outcome]:
        """Send one chunk to its URL; an answer without an ETag proves nothing and is a failure."""
        tally = Tally(session.sent)
        body = Body("", part.length, lambda: tally.counted(session.ranges.read(part.start, part.length, CHUNK)))
        attempt = f"send chunk {part.index} of {len(session.parts)} of {session.source}"
        headers = sendable_headers(session.entry.upload_headers)
        call = Call(attempt, "PUT", self._checked_target(url), body=body, foreign=True, headers=headers)
        reply, error, outcome = await self._try(call, None, _limits.REPLY_MAX_BYTES)
        if reply is not None and etag_of(reply.headers) is None:
            reply, error = None, APIResponseError(f"could not {attempt}: the storage gave no ETag for it.")
            outcome = Outcome(None)
        if reply is None:
            tally.take_back()
        return reply, error, outcome

    def _wait_before_next(self, attempt: int, outcome: Outcome) -> float | None:
        """Return the seconds before another try of a chunk with a fresh URL; None to give up."""
        if outcome.status in _URL_REFUSED:
            if attempt == 1:
                return 0.0  # it had expired, or was used up by a try that broke off
            outcome = Outcome(None)
        jitter = random.random()  # noqa: S311  # spreads retries, guards nothing
        return self._policy.wait(attempt, outcome, repeatable=True, now=time.time(), jitter=jitter)

    async def _url_for(self, session: Session, index: int, *, is_first: bool) -> str:
        """Return an unused URL of a chunk; all workers share what one of them asks for."""
        pool, upload_id = session.urls, session.entry.upload_id
        if not is_first:
            pool.add(await self.create_presigned_urls(upload_id, start=index, count=1))
            return _needed(pool.take(index, just_received=True), index)
        while (url := pool.take(index)) is None:
            if pool.begin():
                try:
                    count = min(_limits.MULTIPART_BATCH_MAX, len(session.parts) - index + 1)
                    pool.add(await self.create_presigned_urls(upload_id, start=index, count=count))
                    return _needed(pool.take(index, just_received=True), index)
                finally:
                    pool.end()
            await self._io.sleep(_LOOK)
        return url

    def _checked_target(self, url: str) -> str:
        """Refuse to send a film over an open line; http is for sandboxes and this machine."""
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (
            parts.scheme == "http" and (self.settings.is_sandbox or parts.hostname in LOOPBACK_HOSTS)
        )
        if not is_safe or not parts.hostname:
            raise APIResponseError("the URL that the API gave for a chunk is not https. Nothing was sent to it.")
        return url

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Hold one of the `max_concurrency` chunks that may be under way, over all uploads of this client."""
        while not self._slots.take():
            await self._io.sleep(_LOOK)
        try:
            yield
        finally:
            self._slots.give_back()


def _needed(url: str | None, index: int) -> str:
    if url is None:
        raise APIResponseError(f"the API gave no URL for chunk {index}, though it was asked for one.")
    return url
