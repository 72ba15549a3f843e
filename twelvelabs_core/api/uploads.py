"""The chunks of one upload session: sent in parallel, each to a fresh URL when the last failed, reported in batches.

A whole file through a multipart session, which is gone on with after a crash and begun anew when it expired.

The segment store remembers the session by content and account; which chunks are there, only the server's list says.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from twelvelabs_core.api.chunks import (
    CompletedChunk,
    Part,
    Ranges,
    SentBytes,
    Slots,
    Tally,
    UrlPool,
    check_session,
    etag_of,
    parts_of,
    sendable_headers,
)
from twelvelabs_core.api.identity import changed_meanwhile, content_of
from twelvelabs_core.api.multipart import MultipartOperations
from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import (
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TwelveLabsError,
)
from twelvelabs_core.base.settings import LOOPBACK_HOSTS, Settings
from twelvelabs_core.media.source import Media
from twelvelabs_core.results.upload_responses import MultipartUploadStatus
from twelvelabs_core.store.store import SegmentStore, UploadEntry
from twelvelabs_core.transport.body import CHUNK, Body, Call, Reply
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.rate_limit import RateLimiter
from twelvelabs_core.transport.retry import Outcome

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
        reply, error, outcome = await self._try(call, None, limits.REPLY_MAX_BYTES)
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
        return self._policy.wait(attempt, outcome, repeatable=True)

    async def _url_for(self, session: Session, index: int, *, is_first: bool) -> str:
        """Return an unused URL of a chunk; all workers share what one of them asks for."""
        pool, upload_id = session.urls, session.entry.upload_id
        if not is_first:
            pool.add(await self.create_presigned_urls(upload_id, start=index, count=1))
            return _needed(pool.take(index, just_received=True), index)
        while (url := pool.take(index)) is None:
            if pool.begin():
                try:
                    count = min(limits.MULTIPART_BATCH_MAX, len(session.parts) - index + 1)
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


SESSIONS_MAX = 2  # a session that expires during a very long upload is followed by one more
ROUNDS_MAX = 3  # over the chunks that the server lacks, should it lose some that were reported


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """A local medium or URL to become an asset, and how.

    Attributes:
        media: The medium.
        filename: The name that the asset gets.
        is_named: Whether the caller chose that name; otherwise any name will do.
        asset_type: What it is, where that is known.
        options: `enable_hls` and such, as the session takes them.
        on_sent: Told (bytes sent, bytes in all).
        content: Identity of the bytes, where the caller will keep the asset's id under it in the segment store; until
            then the store keeps the session that it was uploaded in.
    """

    media: Media
    filename: str
    is_named: bool = False
    asset_type: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    on_sent: Callable[[int, int], None] | None = None
    content: str | None = None

    def fits(self, entry: UploadEntry) -> bool:
        """Whether a session that was begun earlier gives what is wanted now."""
        wanted = {**self.options, "asset_type": self.asset_type}
        if self.is_named:
            wanted["filename"] = self.filename
        return wanted == {name: entry.options.get(name) for name in wanted}


class UploadOperations(ChunkOperations):
    """Uploads files of any size."""

    def __init__(
        self, settings: Settings, io: Io, *, store: Callable[[], SegmentStore], rate_limiter: RateLimiter | None = None
    ) -> None:
        super().__init__(settings, io, rate_limiter)
        self._open_store = store

    @property
    def store(self) -> SegmentStore:
        """The segment store: what was paid for. Opened at first use."""
        return self._open_store()

    async def _upload_in_chunks(self, order: UploadOrder) -> str:
        """Send what the server does not have yet; return the asset's id. The store keeps the session until told."""
        ranges = await self._io.blocking(lambda: Ranges(order.media))
        content = await content_of(order.media, self.store, self._io)
        if order.content not in (None, content):
            raise changed_meanwhile(order.media)
        for _ in range(SESSIONS_MAX):
            session, there = await self._open_session(order, content, ranges)
            try:
                await self._send_all(session, there)
            except APIStatusError as error:
                if not await self._is_complete_after(error, session):
                    continue
            return session.entry.asset_id
        raise TwelveLabsError(f"could not upload {order.media.source}: the server lost {SESSIONS_MAX} sessions of it.")

    async def _open_session(self, order: UploadOrder, content: str, ranges: Ranges) -> tuple[Session, frozenset[int]]:
        """Go on with the session that was begun for this content, or begin one; with the chunks that are there."""
        entry = await self._io.blocking(lambda: self.store.find_upload(content, self.settings.account))
        if entry is not None and order.fits(entry):
            status = await self._status_of(entry)
            if status is not None and status.status in ("active", "completed"):
                session = _session_of(entry, order, ranges, UrlPool())
                there = _all(session) if status.status == "completed" else status.completed
                session.sent.add(sum(part.length for part in session.parts if part.index in there))
                done, total = len(there), len(session.parts)
                logger.info("going on with the upload of %s: %d of %d chunks are there", session.source, done, total)
                return session, there
            await self._forget(entry)
        return await self._new_session(order, content, ranges), frozenset()

    async def _new_session(self, order: UploadOrder, content: str, ranges: Ranges) -> Session:
        options = {**order.options, "asset_type": order.asset_type, "filename": order.filename}
        upload = await self.create_multipart_upload(total_size=ranges.size, **options)
        check_session(upload, ranges.size)
        values: dict[str, Any] = {
            "upload_id": upload.upload_id,
            "asset_id": upload.asset_id,
            "chunk_size": upload.chunk_size,
            "upload_headers": upload.upload_headers,
            "options": options,
        }
        account = self.settings.account
        await self._io.blocking(lambda: self.store.put_upload(content, account, **values))
        entry = UploadEntry(content=content, account=account, updated_at=time.time(), **values)
        return _session_of(entry, order, ranges, UrlPool(upload.upload_urls))

    async def _send_all(self, session: Session, there: frozenset[int]) -> None:
        """Send every chunk that is not there, until the server says that all are."""
        for _ in range(ROUNDS_MAX):
            missing = [part for part in session.parts if part.index not in there]
            if not missing or await self._send_parts(session, missing):
                return
            status = await self.retrieve_multipart_upload(session.entry.upload_id)
            there = _all(session) if status.status == "completed" else status.completed
        lost = [part.index for part in session.parts if part.index not in there]
        if lost:
            raise APIResponseError(
                f"could not upload {session.source}: the server took all chunks, {ROUNDS_MAX} times over, "
                f"and says that {len(lost)} of {len(session.parts)} are missing."
            )

    async def _is_complete_after(self, error: APIStatusError, session: Session) -> bool:
        """After an error: True if another process has sent all, False if the session is lost; else raise the error."""
        if isinstance(error, AuthenticationError | RateLimitError | ServerError):
            raise error
        status = await self._status_of(session.entry)
        if status is not None and status.status == "completed":
            return True
        if status is not None and status.status == "active":
            raise error
        logger.warning("the upload session of %s is lost or has expired; beginning anew", session.source)
        await self._forget(session.entry)
        return False

    async def _status_of(self, entry: UploadEntry) -> MultipartUploadStatus | None:
        """Return the state of a session, None when the server does not know it any more."""
        try:
            return await self.retrieve_multipart_upload(entry.upload_id)
        except (NotFoundError, BadRequestError):
            return None

    async def _forget(self, entry: UploadEntry) -> None:
        await self._io.blocking(lambda: self.store.drop_upload(entry.asset_id))


def _session_of(entry: UploadEntry, order: UploadOrder, ranges: Ranges, urls: UrlPool) -> Session:
    parts = parts_of(ranges.size, entry.chunk_size)
    return Session(entry, order.media.source, ranges, parts, SentBytes(ranges.size, order.on_sent), urls)


def _all(session: Session) -> frozenset[int]:
    return frozenset(part.index for part in session.parts)
