"""The endpoints of multipart uploads, `/assets/multipart-uploads`, one operation each.

`create_asset` and `segment_video` use them by themselves for large files (`_uploads`).
"""

import dataclasses
from collections.abc import AsyncIterator, Sequence

from twelvelabs_core.api.chunks import CompletedChunk, check_count
from twelvelabs_core.api.endpoints import GET_UPLOAD, GET_UPLOADS, POST_UPLOAD, POST_UPLOADS, POST_URLS, calls
from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import many
from twelvelabs_core.media.validate import (
    MULTIPART_TYPES,
    UserMetadata,
    check_filename,
    check_upload_size,
    check_user_metadata,
)
from twelvelabs_core.results.responses import Page
from twelvelabs_core.results.upload_responses import (
    ChunkBatchReport,
    MultipartUpload,
    MultipartUploadStatus,
    MultipartUploadSummary,
    PresignedUrl,
    UploadedChunk,
    parse_chunk_batch_report,
    parse_multipart_upload,
    parse_presigned_urls,
    parse_upload_page,
    parse_upload_status,
)
from twelvelabs_core.transport.body import Call, json_body
from twelvelabs_core.transport.session import Requests, path_part

MULTIPART_PATH = "/assets/multipart-uploads"


class MultipartOperations(Requests):
    """Creates upload sessions, asks for URLs, reports chunks, looks at progress."""

    @calls(POST_UPLOADS)
    async def create_multipart_upload(
        self,
        filename: str,
        *,
        asset_type: str,
        total_size: int,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
        user_metadata: UserMetadata | None = None,
    ) -> MultipartUpload:
        """Create a session to upload one large file in chunks. `create_asset` does all of this for you.

        Send each chunk of exactly `chunk_size` bytes (the last may be smaller) by PUT to its presigned URL, with the
        session's `upload_headers` and without the API key; report the ETags with `report_chunk_batch`.

        Args:
            filename: Name of the asset, 1 to 255 characters.
            asset_type: `video`, `audio` or `image` (`type` in the API reference).
            total_size: Bytes of the file: video and audio to 10 GB, images to 32 MB (API reference).
            enable_hls: Whether to make a stream for players.
            enable_thumbnail: Whether to make a thumbnail.
            user_metadata: Notes to keep on the asset.

        Returns:
            A `MultipartUpload`, good for 24 hours.

        Raises:
            InputError: An argument is out of range; nothing was sent.
        """
        if asset_type not in MULTIPART_TYPES:
            raise InputError(f"asset_type must be one of {', '.join(MULTIPART_TYPES)}; got {asset_type!r}.")
        check_count(total_size, "total_size")
        check_upload_size(filename, total_size, asset_type)
        body = {
            "filename": check_filename(filename),
            "type": asset_type,
            "total_size": total_size,
            "enable_hls": enable_hls,
            "enable_thumbnail": enable_thumbnail,
        }
        if user_metadata is not None:
            body["user_metadata"] = check_user_metadata(user_metadata)
        attempt = f"create the upload session of {filename}"
        call = Call(attempt, "POST", MULTIPART_PATH, body=json_body(body), repeatable=False)
        return parse_multipart_upload((await self._call(call)).body)

    @calls(POST_URLS)
    async def create_presigned_urls(self, upload_id: str, *, start: int, count: int) -> tuple[PresignedUrl, ...]:
        """Ask for fresh URLs of consecutive chunks: each works once and for an hour.

        Args:
            upload_id: The session's id.
            start: Number of the first chunk, from 1.
            count: How many, 1 to 50 (API reference).

        Returns:
            One `PresignedUrl` per chunk.

        Raises:
            NotFoundError: There is no such session, or its 24 hours are over.
        """
        check_count(start, "start")
        check_count(count, "count", limits.MULTIPART_BATCH_MAX)
        path = f"{_session_path(upload_id)}/presigned-urls"
        body = json_body({"start": start, "count": count})
        call = Call(f"get URLs for upload {upload_id}", "POST", path, body=body)
        return parse_presigned_urls((await self._call(call)).body)

    @calls(POST_UPLOAD)
    async def report_chunk_batch(self, upload_id: str, completed_chunks: Sequence[CompletedChunk]) -> ChunkBatchReport:
        """Report chunks that were sent. When the last one is reported, the asset is made of them.

        Reporting a chunk twice is harmless.

        Args:
            upload_id: The session's id.
            completed_chunks: 1 to 50 (API reference), in any order.

        Returns:
            A `ChunkBatchReport`; its `url` is None until all chunks are in.

        Raises:
            NotFoundError: There is no such session, or its 24 hours are over.
        """
        chunks = many(completed_chunks, "completed_chunks")
        if not 1 <= len(chunks) <= limits.MULTIPART_BATCH_MAX:
            raise InputError(f"completed_chunks must be 1 to {limits.MULTIPART_BATCH_MAX} chunks, got {len(chunks)}.")
        body = json_body({"completed_chunks": [_proof(chunk) for chunk in chunks]})
        call = Call(f"report chunks of upload {upload_id}", "POST", _session_path(upload_id), body=body)
        return parse_chunk_batch_report((await self._call(call)).body)

    @calls(GET_UPLOAD)
    async def retrieve_multipart_upload(self, upload_id: str) -> MultipartUploadStatus:
        """Return how far an upload is, with all its chunks (they come in pages of 50).

        Args:
            upload_id: The session's id.

        Returns:
            A `MultipartUploadStatus`. `completed` means received: wait for the asset before using it.

        Raises:
            NotFoundError: There is no such session.
        """
        seen: list[MultipartUploadStatus] = []

        def parse(body: bytes) -> Page[UploadedChunk]:
            status, page_info = parse_upload_status(body)
            seen.append(status)
            return Page[UploadedChunk](data=status.uploaded_chunks, page_info=page_info)

        call = Call(f"look at upload {upload_id}", "GET", _session_path(upload_id))
        chunks = {chunk.index: chunk async for chunk in self._pages(call, parse, {})}
        return seen[-1].model_copy(update={"uploaded_chunks": tuple(chunks[index] for index in sorted(chunks))})

    @calls(GET_UPLOADS)
    async def list_multipart_uploads(self) -> AsyncIterator[MultipartUploadSummary]:
        """Iterate over the account's unfinished uploads; pages are fetched as they are needed."""
        call = Call("list multipart uploads", "GET", MULTIPART_PATH)
        async for upload in self._pages(call, parse_upload_page, {}):
            yield upload


def _session_path(upload_id: str) -> str:
    return f"{MULTIPART_PATH}/{path_part(upload_id, 'upload')}"


def _proof(chunk: object) -> dict[str, object]:
    if not isinstance(chunk, CompletedChunk):
        raise InputError(f"completed_chunks must hold CompletedChunk values, got {type(chunk).__name__}.")
    return dataclasses.asdict(chunk) | {"proof": chunk.proof.strip('" ')}
