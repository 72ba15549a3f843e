"""The resource `/assets/multipart-uploads`: sessions in which a large file is uploaded in chunks."""

import dataclasses
from collections.abc import AsyncIterator, Sequence

from twelvelabs_core.base import limits
from twelvelabs_core.base.checks import check_count
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import many
from twelvelabs_core.media.validate import (
    MULTIPART_TYPES,
    UserMetadata,
    check_filename,
    check_upload_size,
    check_user_metadata,
)
from twelvelabs_core.results.decode import read_answer
from twelvelabs_core.results.responses import Page, page_parser
from twelvelabs_core.results.upload_responses import (
    ChunkBatchReport,
    MultipartUpload,
    MultipartUploadStatus,
    MultipartUploadSummary,
    PresignedUrl,
    UploadedChunk,
    parse_multipart_upload,
    parse_presigned_urls,
    parse_upload_status,
)
from twelvelabs_core.transport.body import Call, json_body
from twelvelabs_core.transport.session import Session, path_part

_PATH = "/assets/multipart-uploads"


@dataclasses.dataclass(frozen=True, slots=True)
class CompletedChunk:
    """One chunk that was sent, for `report_chunk_batch`.

    Attributes:
        chunk_index: Number of the chunk, from 1.
        proof: The ETag in the answer to its PUT request, without quotes.
        chunk_size: Number of bytes that were sent.
        proof_type: `etag`, the only type.

    Raises:
        InputError: A number below 1, or an empty proof.

    Example:
        ```python
        chunk = CompletedChunk(chunk_index=1, proof="d41d8cd98f00b204e9800998ecf8427e", chunk_size=5_242_880)
        client.uploads.report_chunk_batch(upload_id, [chunk])
        ```
    """

    chunk_index: int
    proof: str
    chunk_size: int
    proof_type: str = "etag"

    def __post_init__(self) -> None:
        object.__setattr__(self, "chunk_index", check_count("chunk_index", self.chunk_index))
        object.__setattr__(self, "chunk_size", check_count("chunk_size", self.chunk_size))
        if not isinstance(self.proof, str) or not self.proof.strip('" '):
            raise InputError(f"proof must be the ETag of chunk {self.chunk_index}, got {self.proof!r}.")


class AsyncUploads:
    """The upload sessions of large files, as `AsyncClient.uploads`. `client.assets.create` uses them for you.

    Example:
        ```python
        async with AsyncClient() as client:
            async for upload in client.uploads.list():
                print(upload.upload_id, upload.total_size, upload.created_at)
        ```
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(
        self,
        filename: str,
        *,
        asset_type: str,
        total_size: int,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
        user_metadata: UserMetadata | None = None,
    ) -> MultipartUpload:
        """Create a session to upload one large file in chunks. `client.assets.create` does all of this for you.

        Send each chunk of exactly `chunk_size` bytes (the last may be smaller) by PUT to its presigned URL, with the
        session's `upload_headers` and without the API key. Report the ETags with `report_chunk_batch`.

        Args:
            filename: Name of the asset, 1 to 255 characters.
            asset_type: `video`, `audio` or `image` (`type` in the API reference).
            total_size: Bytes of the file: video and audio up to 10 GB, images up to 32 MB (API reference).
            enable_hls: Whether the API prepares an HLS stream for players.
            enable_thumbnail: Whether the API makes a thumbnail.
            user_metadata: Your own metadata of the asset: names with str, number, bool or list of str.

        Returns:
            A `MultipartUpload`, valid for 24 hours.

        Raises:
            InputError: An argument is out of range; no request was sent.
        """
        if asset_type not in MULTIPART_TYPES:
            raise InputError(f"asset_type must be one of {', '.join(MULTIPART_TYPES)}; got {asset_type!r}.")
        total_size = check_count("total_size", total_size)
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
        call = Call(attempt, "POST", _PATH, body=json_body(body))
        return parse_multipart_upload((await self._session.send(call)).body)

    async def create_presigned_urls(self, upload_id: str, *, start: int, count: int) -> tuple[PresignedUrl, ...]:
        """Request new URLs for consecutive chunks: each is valid for one PUT request within an hour.

        Args:
            upload_id: The session's id.
            start: Number of the first chunk, from 1.
            count: Number of chunks, 1 to 50 (API reference).

        Returns:
            One `PresignedUrl` for each chunk.

        Raises:
            NotFoundError: The session does not exist, or it has expired after 24 hours.
        """
        start = check_count("start", start)
        count = check_count("count", count, limits.MULTIPART_BATCH_MAX)
        path = f"{_session_path(upload_id)}/presigned-urls"
        body = json_body({"start": start, "count": count})
        call = Call(f"create presigned URLs for upload {upload_id}", "POST", path, body=body)
        return parse_presigned_urls((await self._session.send(call)).body)

    async def report_chunk_batch(self, upload_id: str, completed_chunks: Sequence[CompletedChunk]) -> ChunkBatchReport:
        """Report chunks that were sent. The last report completes the upload: the asset is made of its chunks.

        A chunk may be reported more than once.

        Args:
            upload_id: The session's id.
            completed_chunks: 1 to 50 chunks (API reference), in any order.

        Returns:
            A `ChunkBatchReport`; its `url` is None until all chunks are reported.

        Raises:
            NotFoundError: The session does not exist, or it has expired after 24 hours.
        """
        chunks = many(completed_chunks, "completed_chunks")
        if not 1 <= len(chunks) <= limits.MULTIPART_BATCH_MAX:
            raise InputError(f"completed_chunks must be 1 to {limits.MULTIPART_BATCH_MAX} chunks, got {len(chunks)}.")
        body = json_body({"completed_chunks": [_reported(chunk) for chunk in chunks]})
        call = Call(f"report chunks of upload {upload_id}", "POST", _session_path(upload_id), body=body)
        return read_answer(ChunkBatchReport, (await self._session.send(call)).body, "chunk report")

    async def retrieve(self, upload_id: str) -> MultipartUploadStatus:
        """Return the state of an upload session with all its chunks; the API lists them in pages of 50.

        Args:
            upload_id: The session's id.

        Returns:
            A `MultipartUploadStatus`. `completed` means that all chunks are received: wait for the asset before you
            use it.

        Raises:
            NotFoundError: The session does not exist.
        """
        pages: list[MultipartUploadStatus] = []

        def parse(body: bytes) -> Page[UploadedChunk]:
            status, page_info = parse_upload_status(body)
            pages.append(status)
            return Page[UploadedChunk](data=status.uploaded_chunks, page_info=page_info)

        call = Call(f"retrieve upload {upload_id}", "GET", _session_path(upload_id))
        chunks = {chunk.index: chunk async for chunk in self._session.pages(call, parse, {})}
        return pages[-1].model_copy(update={"uploaded_chunks": tuple(chunks[index] for index in sorted(chunks))})

    async def list(self) -> AsyncIterator[MultipartUploadSummary]:
        """Iterate over the account's incomplete upload sessions; pages are requested as needed."""
        call = Call("list multipart uploads", "GET", _PATH)
        async for upload in self._session.pages(call, page_parser(MultipartUploadSummary), {}):
            yield upload


def _session_path(upload_id: str) -> str:
    return f"{_PATH}/{path_part(upload_id, 'upload')}"


def _reported(chunk: object) -> dict[str, object]:
    if not isinstance(chunk, CompletedChunk):
        raise InputError(f"completed_chunks must hold CompletedChunk values, got {type(chunk).__name__}.")
    return dataclasses.asdict(chunk) | {"proof": chunk.proof.strip('" ')}
