"""Presigned URLs as of S3, outside ``/v1.3`` and without API key: upload chunks, uploaded files and thumbnails."""

import hashlib
import hmac
from html import escape

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox.engine.images import preview_jpeg
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.state.assets import Asset, Status
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.uploads import Chunk, Upload

STORAGE_PREFIXES = ("/uploads/", "/thumbnails/")
CHUNK_PATH = "/uploads/{upload_id}/parts/{chunk_index}"
CONTENT_PATH = "/uploads/{upload_id}/content"
THUMBNAIL_PATH = "/thumbnails/{asset_id}.jpg"
# Headers that would disclose the key to a storage host.
KEY_HEADERS = {b"x-api-key", b"authorization"}
SIGNATURE = "X-Amz-Signature"
# Maximum number of bytes read of a refused body before its connection is closed.
MAX_DRAINED_BYTES = 64 * 1024 * 1024
CODES = {403: "AccessDenied", 404: "NoSuchUpload", 503: "SlowDown"}
THUMBNAIL_KINDS = {"video", "image"}
STREAM_KINDS = {"video", "audio"}
# Reported only: the URL is valid as long as the asset exists.
THUMBNAIL_URL_SECONDS = 3600


class StorageRoutes:
    """Upload and download by presigned URL."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._options = backend.options
        self._uploads = backend.uploads
        self._assets = backend.assets
        self._clock = clock
        self.routes = [
            Route(CHUNK_PATH, self.put, methods=["PUT"]),
            Route(CONTENT_PATH, self.get, methods=["GET"]),
        ]

    async def put(self, request: Request) -> Response:
        """Receive one chunk; its URL cannot be used again, whatever the result."""
        _refuse_key(request)
        upload, chunk = self._claim(request)
        self._check_headers(request)
        size = _content_length(request)
        async with chunk.lock:
            etag = await _receive(request, upload, chunk, size, self._clock)
        return Response(status_code=200, headers={"ETag": f'"{etag}"'})

    async def get(self, request: Request) -> Response:
        """Return the file of a complete upload whose asset still exists."""
        _refuse_key(request)
        upload = self._known(request)
        given = request.query_params.get(SIGNATURE, "").encode()
        if upload.completed_at is None or not hmac.compare_digest(given, upload.signature.encode()):
            raise StorageError(403, "SignatureDoesNotMatch", "The signature does not match this URL.")
        if not upload.path.exists():
            raise StorageError(404, "NoSuchKey", "The file was deleted.")
        return FileResponse(upload.path, media_type="application/octet-stream")

    def _known(self, request: Request) -> Upload:
        try:
            return self._uploads.get(request.path_params["upload_id"])
        except ApiError:
            raise StorageError(404, "NoSuchUpload", "The upload does not exist.") from None

    def _claim(self, request: Request) -> tuple[Upload, Chunk]:
        upload = self._known(request)
        presigned = upload.presigned_urls.pop(request.query_params.get(SIGNATURE, ""), None)
        if presigned is None or str(presigned.index) != request.path_params["chunk_index"]:
            raise StorageError(403, "SignatureDoesNotMatch", "The URL was used before, or belongs to another chunk.")
        if self._clock.now() >= presigned.expires_at or self._uploads.status(upload) != "active":
            raise StorageError(403, "AccessDenied", "Request has expired.")
        return upload, upload.chunks[presigned.index - 1]

    def _check_headers(self, request: Request) -> None:
        for name, value in self._options.upload_headers.items():
            if request.headers.get(name) != value:
                message = f"The header {name} must be {value!r}, as in upload_headers: it is part of the signature."
                raise StorageError(403, "SignatureDoesNotMatch", message)


class StorageError(Exception):
    """An error in the XML format of the storage."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> Response:
        """Return the response."""
        text = f"<Code>{self.code}</Code><Message>{escape(str(self))}</Message>"
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'
        return Response(xml, self.status, media_type="application/xml")


async def handle_storage_error(request: Request, error: Exception) -> Response:
    """Send an error once the request body was read; closing the connection earlier would lose the response."""
    await _drain(request)
    assert isinstance(error, StorageError)  # noqa: S101 - Starlette calls this for StorageError only
    return error.response()


def scripted_storage_error(status: int) -> Response:
    """Return the storage's response for a status that a fault sets."""
    message = "Request has expired." if status == 403 else "Scripted fault of the sandbox."  # noqa: PLR2004 - HTTP
    return StorageError(status, CODES.get(status, "InternalError"), message).response()


def is_storage(path: str) -> bool:
    """Return whether a path belongs to the storage, which needs no key."""
    return path.startswith(STORAGE_PREFIXES)


def _refuse_key(request: Request) -> None:
    if any(name in KEY_HEADERS for name, _ in request.scope["headers"]):
        message = "Only one way of authentication is allowed: a presigned URL must be used without the API key."
        raise StorageError(400, "InvalidArgument", message)


def _content_length(request: Request) -> int:
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise StorageError(411, "MissingContentLength", "The Content-Length header is required.")
    return int(length)


async def _receive(request: Request, upload: Upload, chunk: Chunk, size: int, clock: Clock) -> str:
    """Write a chunk to the file and return its ETag; a chunk that was reported before is not overwritten."""
    if size != chunk.size:
        chunk.error = f"Chunk {chunk.index} must have {chunk.size} bytes, not {size}."
        raise StorageError(400, "EntityTooSmall" if size < chunk.size else "EntityTooLarge", chunk.error)
    digest = hashlib.md5(usedforsecurity=False)
    is_final = chunk.reported_at is not None
    if not is_final:
        chunk.etag, chunk.error, chunk.changed_at = None, "The upload of the chunk was interrupted.", clock.now()
    try:
        with upload.path.open("r+b") as file:
            file.seek((chunk.index - 1) * upload.chunk_size)
            async for data in request.stream():
                digest.update(data)
                if not is_final:
                    file.write(data)
    except ClientDisconnect:
        raise StorageError(400, "RequestTimeout", "The request body is incomplete.") from None
    if not is_final:
        chunk.etag, chunk.error, chunk.changed_at = digest.hexdigest(), None, clock.now()
    return digest.hexdigest()


async def _drain(request: Request) -> None:
    received = 0
    try:
        async for data in request.stream():
            received += len(data)
            if received > MAX_DRAINED_BYTES:
                return
    except (ClientDisconnect, RuntimeError, HTTPException):
        return


class PlaybackRoutes:
    """Thumbnails by presigned URL."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.routes = [Route(THUMBNAIL_PATH, self.thumbnail, methods=["GET"])]

    async def thumbnail(self, request: Request) -> Response:
        """Return the JPEG thumbnail of an existing asset."""
        try:
            asset = self._backend.assets.find(request.path_params["asset_id"])
        except ApiError:
            raise StorageError(404, "NoSuchKey", "The file was deleted.") from None
        given = request.query_params.get(SIGNATURE, "").encode()
        if not hmac.compare_digest(given, asset.signature.encode()):
            raise StorageError(403, "SignatureDoesNotMatch", "The signature does not match this URL.")
        duration = asset.info.duration if asset.info else None
        try:
            jpeg = await self._backend.workers.run_request(preview_jpeg, asset.path, duration)
        except MediaError as error:
            raise StorageError(404, "NoSuchKey", str(error)) from None
        return Response(jpeg, media_type="image/jpeg")


def playback(asset: Asset, status: Status, base: str) -> dict[str, object]:
    """Return the fields ``hls`` and ``thumbnail`` of an asset, if requested and available for its type.

    The sandbox makes no HLS streams: the final status of ``hls`` is an error.

    Args:
        asset: The asset.
        status: Its reported status.
        base: The URL of the server, without a path.
    """
    kind = asset.info.kind if asset.info else None
    fields: dict[str, object] = {}
    if asset.enable_hls and (kind is None or kind in STREAM_KINDS):
        fields["hls"] = {"status": "error" if status == "ready" else _pending_status(asset, status)}
    if asset.enable_thumbnail and (kind is None or kind in THUMBNAIL_KINDS):
        ready = {"status": "ready", "representative_url": _thumbnail_url(asset, base)}
        fields["thumbnail"] = ready if status == "ready" else {"status": _pending_status(asset, status)}
    return fields


def _thumbnail_url(asset: Asset, base: str) -> str:
    path = THUMBNAIL_PATH.format(asset_id=asset.id)
    return f"{base}{path}?X-Amz-Expires={THUMBNAIL_URL_SECONDS}&{SIGNATURE}={asset.signature}"


def _pending_status(asset: Asset, status: Status) -> str:
    if status == "failed":
        return "error"
    return "pending" if asset.info is None else "processing"
