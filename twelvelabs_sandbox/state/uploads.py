"""Multipart uploads: one sparse file each, written chunk by chunk, until complete or expired."""

import asyncio
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from twelvelabs_sandbox.errors import invalid, not_found
from twelvelabs_sandbox.faults import AssetFate
from twelvelabs_sandbox.formats import new_id
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.requests.uploads import CompletedChunk, UploadRequest
from twelvelabs_sandbox.state.assets import Assets
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.resources import Files

UPLOAD_SECONDS = 24 * 60 * 60
URL_SECONDS = 60 * 60
# The limit of S3; far more than the largest file has in chunks of the default size.
MAX_CHUNKS = 10_000
# Number of presigned URLs in the response to a create request; more are available on request.
INITIAL_URLS = 10

UploadStatus = Literal["active", "completed", "expired"]
ChunkStatus = Literal["pending", "completed", "failed"]


@dataclass(eq=False, slots=True)
class Chunk:
    """One chunk of a file; ``etag`` is that of its last complete upload."""

    index: int
    size: int
    etag: str | None = None
    changed_at: float | None = None
    reported_at: float | None = None
    error: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def status(self) -> ChunkStatus:
        """The status as the API names it; a chunk that was sent but not reported is pending."""
        return "completed" if self.reported_at is not None else "failed" if self.error else "pending"


@dataclass(frozen=True, slots=True)
class PresignedUrl:
    """A presigned URL: valid for one upload of one chunk until it expires."""

    index: int
    signature: str = field(repr=False)
    expires_at: float


@dataclass(eq=False, slots=True)
class Upload:
    """One upload."""

    id: str
    asset_id: str
    request: UploadRequest
    chunk_size: int
    created_at: float
    path: Path
    fate: AssetFate | None
    chunks: list[Chunk]
    presigned_urls: dict[str, PresignedUrl] = field(default_factory=dict)
    completed_at: float | None = None
    # The signature of the URL of the complete file.
    signature: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def expires_at(self) -> float:
        """When it ends, whether complete or not."""
        return self.created_at + UPLOAD_SECONDS

    @property
    def updated_at(self) -> float:
        """When it changed last."""
        return max(chunk.changed_at or self.created_at for chunk in self.chunks)

    def count(self, status: ChunkStatus) -> int:
        """Return the number of chunks with a status."""
        return sum(chunk.status == status for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The result of one batch of reported chunks."""

    processed: int
    duplicates: int
    completes: bool


class Uploads:
    """All uploads of a sandbox; used on the server's event loop only."""

    def __init__(self, options: Options, clock: Clock, files: Files, assets: Assets) -> None:
        self._options = options
        self._clock = clock
        self._files = files
        self._assets = assets
        self._uploads: dict[str, Upload] = {}

    def create(self, request: UploadRequest, fate: AssetFate | None) -> Upload:
        """Create an upload with a sparse file of the full size."""
        now, size = self._clock.now(), self._options.chunk_size
        starts = range(0, request.total_size, size)
        if len(starts) > MAX_CHUNKS:
            raise invalid(
                f"The upload would have {len(starts)} chunks of {size} bytes; at most {MAX_CHUNKS} are allowed."
            )
        chunks = [Chunk(index, min(size, request.total_size - start)) for index, start in enumerate(starts, 1)]
        upload = Upload(new_id(now), new_id(now), request, size, now, self._files.new_path(), fate, chunks)
        with upload.path.open("wb") as file:
            file.truncate(request.total_size)
        self._uploads[upload.id] = upload
        return upload

    def get(self, upload_id: str) -> Upload:
        """Return an upload; raise ApiError 404 if it does not exist."""
        if upload_id not in self._uploads:
            raise not_found(upload_id, "multipart_uploads")
        return self._uploads[upload_id]

    def incomplete(self) -> list[Upload]:
        """Return the uploads that are not complete, newest first."""
        return [upload for upload in reversed(self._uploads.values()) if self.status(upload) != "completed"]

    def status(self, upload: Upload) -> UploadStatus:
        """Return the status of an upload on the sandbox's clock; delete the file of an expired one."""
        if upload.completed_at is not None:
            return "completed"
        if self._clock.now() < upload.expires_at:
            return "active"
        upload.path.unlink(missing_ok=True)
        return "expired"

    def sign(self, upload: Upload, start: int, count: int) -> list[PresignedUrl]:
        """Return new presigned URLs for consecutive chunks; earlier ones stay valid."""
        self._check_active(upload)
        if start + count - 1 > len(upload.chunks):
            raise invalid(f"The upload has {len(upload.chunks)} chunks; start {start} with count {count} goes beyond.")
        now = self._clock.now()
        upload.presigned_urls = {key: link for key, link in upload.presigned_urls.items() if link.expires_at > now}
        expires_at = min(now + URL_SECONDS, upload.expires_at)
        urls = [PresignedUrl(index, secrets.token_hex(32), expires_at) for index in range(start, start + count)]
        upload.presigned_urls |= {link.signature: link for link in urls}
        return urls

    def report(self, upload: Upload, reported: list[CompletedChunk], fate: AssetFate | None) -> ReportResult:
        """Record uploaded chunks; if one of a batch is invalid, none is recorded."""
        if self.status(upload) == "expired":
            self._check_active(upload)
        chunks = [_verified_chunk(upload, item) for item in reported]
        new = {chunk.index: chunk for chunk in chunks if chunk.reported_at is None}
        now = self._clock.now()
        for chunk in new.values():
            chunk.reported_at = chunk.changed_at = now
        completes = bool(new) and upload.count("completed") == len(upload.chunks)
        if completes:
            upload.completed_at = now
            upload.presigned_urls.clear()
            self._assets.create_uploaded(upload.asset_id, upload.path, upload.request, fate or upload.fate)
        return ReportResult(len(new), len(chunks) - len(new), completes)

    def _check_active(self, upload: Upload) -> None:
        if (status := self.status(upload)) != "active":
            raise invalid(f"The upload {upload.id} has status `{status}`; only an `active` one can be continued.")


def _verified_chunk(upload: Upload, reported: CompletedChunk) -> Chunk:
    """Return the chunk of a report; raise ApiError 400 unless the report matches what was uploaded."""
    if reported.index > len(upload.chunks):
        raise invalid(f"The upload has {len(upload.chunks)} chunks, so chunk {reported.index} does not exist.")
    chunk = upload.chunks[reported.index - 1]
    if reported.size != chunk.size:
        raise invalid(f"The chunk {chunk.index} has {chunk.size} bytes, not {reported.size}.")
    if chunk.etag is None:
        raise invalid(f"The chunk {chunk.index} has not been uploaded.")
    if reported.proof != chunk.etag:
        raise invalid(f"The proof of chunk {chunk.index} is not the ETag (without quotes) of what was uploaded.")
    return chunk
