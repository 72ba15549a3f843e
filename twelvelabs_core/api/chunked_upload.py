"""The resumable upload of a local file in chunks: in parallel, with retries, and continued after a crash.

The segment store remembers the upload session by content and account; the API knows which chunks it has received.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from twelvelabs_core.api.chunks import (
    Chunk,
    ChunkReader,
    SentBytes,
    UrlPool,
    chunks_of,
    etag_of,
    sendable_headers,
)
from twelvelabs_core.api.content import changed_during_upload, local_content
from twelvelabs_core.api.uploads import AsyncUploads, CompletedChunk
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
from twelvelabs_core.results.upload_responses import MultipartUpload, MultipartUploadStatus
from twelvelabs_core.transport.body import Body, Call, counted
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.retry import Outcome
from twelvelabs_core.transport.session import Attempt, Session

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import UploadEntry
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_CHUNKS_MAX = 100_000  # of 10 GB, 100 kB each; the API's have several MB
_SESSIONS_MAX = 2  # a session that expires during a very long upload is replaced once
_ROUNDS_MAX = 3  # over the missing chunks, in case the API loses chunks that were reported
_REPORT_EVERY = 10  # chunks; after a crash these and the chunks being sent are sent again
_POLL_SECONDS = 0.05  # between two checks for a free slot or a requested URL
# The statuses with which a storage refuses a URL that has expired or was used: another URL may be accepted.
_URL_REFUSED = frozenset({400, 401, 403, 404, 409, 410, 412})


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """A local file or URL to upload as an asset, and how."""

    media: Media
    filename: str
    is_named: bool = False  # by the caller; otherwise a session with another name may be resumed
    asset_type: str | None = None
    options: dict[str, Any] = field(default_factory=dict)  # `enable_hls`, `enable_thumbnail`, `user_metadata`
    on_sent: Callable[[int, int], None] | None = None  # called with (bytes sent, bytes in total)
    # Identity of local bytes, where the caller stores the asset's id under it; the upload session is kept until then.
    content: str | None = None

    def can_resume(self, entry: "UploadEntry") -> bool:
        """Return whether an earlier session creates the same asset."""
        wanted = {**self.options, "asset_type": self.asset_type}
        if self.is_named:
            wanted["filename"] = self.filename
        return wanted == {name: entry.options.get(name) for name in wanted}


class ChunkedUploads:
    """Uploads whole files in chunks, with at most `max_concurrency` chunks at once over all files of a client."""

    def __init__(self, session: Session, uploads: AsyncUploads, open_store: "Callable[[], SegmentStore]") -> None:
        self.session = session
        self.uploads = uploads
        self._open_store = open_store
        self.slots = _Slots(session.settings.max_concurrency, session.io)

    async def upload(self, order: UploadOrder) -> str:
        """Send the chunks that the API has not received, and return the asset's id.

        The store keeps the upload session; the caller drops it when it does not need to be resumed any more.
        """
        io, media = self.session.io, order.media
        reader = await io.blocking(lambda: ChunkReader(media))
        content = await io.blocking(lambda: local_content(media, self._open_store()))
        if order.content not in (None, content):
            raise changed_during_upload(media)
        for _ in range(_SESSIONS_MAX):
            upload = await self._resume(order, content, reader) or await self._create(order, content, reader)
            try:
                await upload.send_missing()
            except APIStatusError as error:
                if isinstance(error, AuthenticationError | RateLimitError | ServerError):
                    raise
                status = await self._status_of(upload.upload_id)
                if status is not None and status.status == "active":
                    raise
                if status is None or status.status != "completed":  # else another process has sent the rest
                    logger.warning("the upload session of %s expired or is lost; creating another one", media.source)
                    await self._forget(upload.asset_id)
                    continue
            return upload.asset_id
        raise TwelveLabsError(f"could not upload {media.source}: {_SESSIONS_MAX} upload sessions of it were lost.")

    async def _resume(self, order: UploadOrder, content: str, reader: ChunkReader) -> "_FileUpload | None":
        """Return the upload that an earlier call began and the API still accepts, or None."""
        account = self.session.settings.account
        entry = await self.session.io.blocking(lambda: self._open_store().find_upload(content, account))
        if entry is None:
            return None
        status = await self._status_of(entry.upload_id) if order.can_resume(entry) else None
        if status is None or status.status not in ("active", "completed"):
            await self._forget(entry.asset_id)
            return None
        upload = _FileUpload(self, order, reader, entry)
        upload.mark_received(status)
        logger.info("resuming the upload of %s", order.media.source)
        return upload

    async def _create(self, order: UploadOrder, content: str, reader: ChunkReader) -> "_FileUpload":
        options = {**order.options, "asset_type": order.asset_type, "filename": order.filename}
        created = await self.uploads.create(total_size=reader.size, **options)
        needed = -(-reader.size // created.chunk_size)
        if created.total_chunks not in (None, needed) or needed > _CHUNKS_MAX:
            raise APIResponseError(
                f"the upload session of {order.media.source} expects {created.total_chunks or 'any number of'} chunks "
                f"of {created.chunk_size:,} bytes, but {reader.size:,} bytes make {needed:,}. Nothing was sent."
            )
        await self.session.io.blocking(
            lambda: self._open_store().put_upload(
                content,
                self.session.settings.account,
                upload_id=created.upload_id,
                asset_id=created.asset_id,
                chunk_size=created.chunk_size,
                upload_headers=created.upload_headers,
                options=options,
            )
        )
        return _FileUpload(self, order, reader, created)

    async def _status_of(self, upload_id: str) -> MultipartUploadStatus | None:
        """Return the state of a session, or None if the API does not know it any more."""
        try:
            return await self.uploads.retrieve(upload_id)
        except (NotFoundError, BadRequestError):
            return None

    async def _forget(self, asset_id: str) -> None:
        await self.session.io.blocking(lambda: self._open_store().drop_upload(asset_id))


class _FileUpload:
    """The upload of one file in one session."""

    def __init__(
        self, client: ChunkedUploads, order: UploadOrder, reader: ChunkReader, created: "UploadEntry | MultipartUpload"
    ) -> None:
        self._session = client.session
        self._uploads = client.uploads
        self._slots = client.slots
        self._source = order.media.source
        self._reader = reader
        self._chunks = chunks_of(reader.size, created.chunk_size)
        self._sent = SentBytes(reader.size, order.on_sent)
        self._headers = sendable_headers(created.upload_headers)
        self._urls = UrlPool(getattr(created, "upload_urls", ()))
        self._received: frozenset[int] = frozenset()
        self.upload_id = created.upload_id
        self.asset_id = created.asset_id

    def mark_received(self, status: MultipartUploadStatus) -> None:
        """Set which chunks the API has received."""
        is_completed = status.status == "completed"
        self._received = frozenset(chunk.index for chunk in self._chunks) if is_completed else status.completed
        self._sent.set(*((chunk.index, chunk.length) for chunk in self._chunks if chunk.index in self._received))

    async def send_missing(self) -> None:
        """Send every chunk that the API has not received, until it has received all."""
        for _ in range(_ROUNDS_MAX):
            missing = self._missing()
            if not missing or await self._send(missing):
                return
            self.mark_received(await self._uploads.retrieve(self.upload_id))
        lost = len(self._missing())
        if lost:
            raise APIResponseError(
                f"could not upload {self._source}: the API accepted all chunks {_ROUNDS_MAX} times, "
                f"but {lost} of {len(self._chunks)} are still missing."
            )

    def _missing(self) -> list[Chunk]:
        return [chunk for chunk in self._chunks if chunk.index not in self._received]

    async def _send(self, chunks: list[Chunk]) -> bool:
        """Send chunks and report them in batches; return whether the API has received the whole file."""
        batch: list[CompletedChunk] = []
        failure: Exception | None = None
        is_complete = False
        limit = min(self._session.settings.max_concurrency, len(chunks))
        async with aclosing(self._session.io.as_completed(self._send_chunk, chunks, limit)) as outcomes:
            async for outcome in outcomes:
                failure = outcome.error
                if outcome.result is None:
                    break
                batch.append(outcome.result)
                if len(batch) >= _REPORT_EVERY:
                    is_complete = await self._report(batch)
                    batch = []
        if failure is not None:
            # Report what was sent before the error, so that the next call does not send it again.
            try:
                if batch:
                    await self._report(batch)
            except TwelveLabsError as error:
                logger.warning("%d sent chunks of %s could not be reported: %s", len(batch), self._source, error)
            if isinstance(failure, TwelveLabsError):
                logger.warning("the upload of %s failed; the same call resumes it within 24 hours", self._source)
            raise failure
        return await self._report(batch) if batch else is_complete

    async def _report(self, batch: list[CompletedChunk]) -> bool:
        # Checked after the chunks were read: they belong to the file only if it is still unchanged.
        await self._session.io.blocking(self._reader.check_unchanged)
        report = await self._uploads.report_chunk_batch(self.upload_id, batch)
        return report.url is not None or (report.total_completed or 0) >= len(self._chunks)

    async def _send_chunk(self, chunk: Chunk) -> CompletedChunk:
        number = 0
        while True:
            number += 1
            async with self._slots:
                url = await (self._url_of(chunk) if number == 1 else self._new_url_of(chunk))
                attempt = await self._put(chunk, url)
            if attempt.reply is not None:
                return CompletedChunk(chunk.index, etag_of(attempt.reply.headers) or "", chunk.length)
            wait = self._wait_before_retry(number, attempt.outcome)
            if wait is None:
                raise cast("TwelveLabsError", attempt.error)
            await self._session.io.sleep(wait)

    async def _put(self, chunk: Chunk, url: str) -> Attempt:
        """Send one chunk to its URL once. An answer without an ETag is a failure: it cannot be reported."""
        action = f"send chunk {chunk.index} of {len(self._chunks)} of {self._source}"
        _check_encrypted(url, action, self._session.settings)
        body = Body("", chunk.length, lambda: self._reader.read(chunk))
        body = counted(body, lambda done, _: self._sent.set((chunk.index, done)))
        call = Call(action, "PUT", url, body=body, foreign=True, headers=self._headers)
        attempt = await self._session.try_once(call)
        if attempt.reply is not None and etag_of(attempt.reply.headers) is None:
            error = APIResponseError(f"could not {action}: the storage returned no ETag for it.")
            attempt = Attempt(None, error, Outcome(None))
        if attempt.reply is None:
            self._sent.set((chunk.index, 0))
        return attempt

    def _wait_before_retry(self, number: int, outcome: Outcome) -> float | None:
        """Return the seconds before a chunk is sent again, to another URL; None if it is not."""
        if outcome.status in _URL_REFUSED:
            if number == 1:
                return 0.0  # the URL had expired, or an attempt that was interrupted had used it
            outcome = Outcome(None)
        return self._session.policy.wait(number, outcome, repeatable=True)

    async def _url_of(self, chunk: Chunk) -> str:
        """Return an unused URL of a chunk; one request for URLs serves all chunks that are being sent."""
        while (url := self._urls.take(chunk.index)) is None:
            if self._urls.requesting.acquire(blocking=False):
                try:
                    count = min(limits.MULTIPART_BATCH_MAX, len(self._chunks) - chunk.index + 1)
                    return await self._new_url_of(chunk, count)
                finally:
                    self._urls.requesting.release()
            await self._session.io.sleep(_POLL_SECONDS)
        return url

    async def _new_url_of(self, chunk: Chunk, count: int = 1) -> str:
        """Request URLs for this chunk and the next ones; return the first."""
        self._urls.add(await self._uploads.create_presigned_urls(self.upload_id, start=chunk.index, count=count))
        return self._urls.take_new(chunk.index)


class _Slots:
    """Limits the number of chunks that are sent at once; safe between threads and event loops."""

    def __init__(self, limit: int, io: Io) -> None:
        self._free = threading.Semaphore(limit)
        self._io = io

    async def __aenter__(self) -> None:
        while not self._free.acquire(blocking=False):
            await self._io.sleep(_POLL_SECONDS)

    async def __aexit__(self, *_: object) -> None:
        self._free.release()


def _check_encrypted(url: str, action: str, settings: Settings) -> None:
    """Require HTTPS for media; HTTP is accepted for the sandbox and for this machine."""
    parts = urlsplit(url)
    accepts_http = settings.is_sandbox or parts.hostname in LOOPBACK_HOSTS
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and accepts_http)):
        raise APIResponseError(f"could not {action}: the URL that the API returned is not https. Nothing was sent.")
