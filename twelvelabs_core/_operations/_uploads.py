"""A whole file through a multipart session, which is gone on with after a crash and begun anew when it expired.

The segment store remembers the session by content and account; which chunks are there, only the server's list says.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twelvelabs_core._answers_uploads import MultipartUploadStatus
from twelvelabs_core._errors import (
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TwelveLabsError,
)
from twelvelabs_core._io import Io
from twelvelabs_core._media import Media
from twelvelabs_core._operations._chunks import ChunkOperations, Session
from twelvelabs_core._operations._content import changed_meanwhile, content_of
from twelvelabs_core._ranges import Ranges
from twelvelabs_core._rate_limiter import RateLimiter
from twelvelabs_core._settings import Settings
from twelvelabs_core._store import SegmentStore, UploadEntry
from twelvelabs_core._uploading import (
    SentBytes,
    UrlPool,
    check_session,
    parts_of,
)

logger = logging.getLogger("twelvelabs_core")

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
