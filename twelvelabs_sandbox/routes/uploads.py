"""``/assets/multipart-uploads``: create an upload, request presigned URLs, report chunks, retrieve its state."""

from math import ceil
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox.faults import fate_of
from twelvelabs_sandbox.formats import page_body, rfc3339
from twelvelabs_sandbox.requests.body import read_json
from twelvelabs_sandbox.requests.query import page_query
from twelvelabs_sandbox.requests.uploads import create_body, report_body, urls_body
from twelvelabs_sandbox.routes.storage import CHUNK_PATH, CONTENT_PATH
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.uploads import INITIAL_URLS, URL_SECONDS, Chunk, PresignedUrl, Upload

PATH = "/assets/multipart-uploads"
UPLOAD_PATH = PATH + "/{upload_id}"


class UploadRoutes:
    """The endpoints of multipart uploads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._uploads = backend.uploads
        self.routes = [
            Route(PATH, self.create, methods=["POST"]),
            Route(PATH, self.list, methods=["GET"]),
            Route(UPLOAD_PATH, self.retrieve, methods=["GET"]),
            Route(UPLOAD_PATH, self.report, methods=["POST"]),
            Route(UPLOAD_PATH + "/presigned-urls", self.sign, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Create an upload; its asset id is returned now, the asset is created with the last chunk."""
        upload = self._uploads.create(create_body(await self._json(request)), fate_of(request.scope).asset)
        urls = self._uploads.sign(upload, 1, min(INITIAL_URLS, len(upload.chunks)))
        body = {
            "upload_id": upload.id,
            "asset_id": upload.asset_id,
            "upload_urls": [_url_json(request, upload, presigned) for presigned in urls],
            "upload_headers": dict(self._backend.options.upload_headers),
            "chunk_size": upload.chunk_size,
            "total_chunks": len(upload.chunks),
            "expires_at": rfc3339(upload.expires_at),
        }
        return JSONResponse(body, 201)

    async def list(self, request: Request) -> Response:
        """List the uploads that are not complete."""
        page, limit = page_query(request.query_params)
        return JSONResponse(page_body(self._uploads.incomplete(), page, limit, self._summary))

    async def retrieve(self, request: Request) -> Response:
        """Return the state of an upload and of one page of its chunks."""
        upload = self._upload(request)
        page, limit = page_query(request.query_params)
        paged = page_body(upload.chunks, page, limit, _chunk_json)
        body = {
            "upload_id": upload.id,
            "status": self._uploads.status(upload),
            "uploaded_chunks": paged["data"],
            "chunks_completed": upload.count("completed"),
            "chunks_failed": upload.count("failed"),
            "chunks_pending": upload.count("pending"),
            "page_info": paged["page_info"],
            "total_size": upload.request.total_size,
            "uploaded_size": sum(chunk.size for chunk in upload.chunks if chunk.status == "completed"),
            "created_at": rfc3339(upload.created_at),
            "updated_at": rfc3339(upload.updated_at),
        }
        return JSONResponse(body)

    async def report(self, request: Request) -> Response:
        """Record uploaded chunks; the last one creates the asset."""
        upload = self._upload(request)
        reported = report_body(await self._json(request))
        result = self._uploads.report(upload, reported, fate_of(request.scope).asset)
        body: dict[str, object] = {
            "asset_id": upload.asset_id,
            "processed_chunks": result.processed,
            "duplicate_chunks": result.duplicates,
            "total_completed": upload.count("completed"),
        }
        if result.completes:
            url = _signed_url(request, CONTENT_PATH.format(upload_id=upload.id), upload.signature)
            body = {"url": url, **body}
        return JSONResponse(body)

    async def sign(self, request: Request) -> Response:
        """Return new presigned URLs for consecutive chunks."""
        upload = self._upload(request)
        start, count = urls_body(await self._json(request))
        urls = self._uploads.sign(upload, start, count)
        body = {
            "upload_id": upload.id,
            "start_index": start,
            "count": count,
            "upload_urls": [_url_json(request, upload, presigned) for presigned in urls],
            "generated_at": rfc3339(urls[0].expires_at - URL_SECONDS),
            "expires_at": rfc3339(urls[0].expires_at),
        }
        return JSONResponse(body)

    async def _json(self, request: Request) -> object:
        return await read_json(request, self._backend.workers, too_large_status=400)

    def _upload(self, request: Request) -> Upload:
        return self._uploads.get(request.path_params["upload_id"])

    def _summary(self, upload: Upload) -> dict[str, object]:
        return {
            "upload_id": upload.id,
            "status": self._uploads.status(upload),
            "total_size": upload.request.total_size,
            "chunk_size": upload.chunk_size,
            "total_chunks": ceil(upload.request.total_size / upload.chunk_size),
            "created_at": rfc3339(upload.created_at),
            "expires_at": rfc3339(upload.expires_at),
        }


def _chunk_json(chunk: Chunk) -> dict[str, object]:
    body: dict[str, object] = {
        "index": chunk.index,
        "status": chunk.status,
        "uploaded_at": None if chunk.reported_at is None else rfc3339(chunk.reported_at),
    }
    if chunk.changed_at is not None:
        body["updated_at"] = rfc3339(chunk.changed_at)
    return body | {"error": chunk.error} if chunk.status == "failed" else body


def _url_json(request: Request, upload: Upload, presigned: PresignedUrl) -> dict[str, object]:
    path = CHUNK_PATH.format(upload_id=upload.id, chunk_index=presigned.index)
    return {
        "chunk_index": presigned.index,
        "url": _signed_url(request, path, presigned.signature),
        "expires_at": rfc3339(presigned.expires_at),
    }


def _signed_url(request: Request, path: str, signature: str) -> str:
    """Return a URL on the same host, signed like those of S3, so that tests can find leaked signatures."""
    query = urlencode({"X-Amz-Expires": URL_SECONDS, "X-Amz-Signature": signature})
    return f"{request.url.scheme}://{request.url.netloc}{path}?{query}"
