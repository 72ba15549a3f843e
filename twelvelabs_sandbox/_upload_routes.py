"""``/assets/multipart-uploads``: open a session, ask for links, report parts, look what is there."""

from math import ceil
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._body import read_json
from twelvelabs_sandbox._faults import fate_of
from twelvelabs_sandbox._storage_routes import CONTENT_PATH, PART_PATH
from twelvelabs_sandbox._upload_bodies import create_body, links_body, report_body
from twelvelabs_sandbox._uploads import FIRST_LINKS, LINK_SECONDS, Link, Part, Upload
from twelvelabs_sandbox._validation import page_query
from twelvelabs_sandbox._wire import page_body, rfc3339

PATH = "/assets/multipart-uploads"
UPLOAD_PATH = PATH + "/{upload_id}"


class UploadRoutes:
    """The endpoints for files of any size."""

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
        """Open a session; its asset id is known, its asset exists only when all parts are there."""
        upload = self._uploads.create(create_body(await self._json(request)), fate_of(request.scope).asset)
        links = self._uploads.sign(upload, 1, min(FIRST_LINKS, len(upload.parts)))
        body = {
            "upload_id": upload.id,
            "asset_id": upload.asset_id,
            "upload_urls": [_link(request, upload, link) for link in links],
            "upload_headers": dict(self._backend.options.upload_headers),
            "chunk_size": upload.chunk_size,
            "total_chunks": len(upload.parts),
            "expires_at": rfc3339(upload.expires_at),
        }
        return JSONResponse(body, 201)

    async def list(self, request: Request) -> Response:
        """List the sessions that are not complete."""
        page, limit = page_query(request.query_params)
        return JSONResponse(page_body(self._uploads.incomplete(), page, limit, self._summary))

    async def retrieve(self, request: Request) -> Response:
        """Give a session's state and that of its parts, page by page."""
        upload = self._of(request)
        page, limit = page_query(request.query_params)
        paged = page_body(upload.parts, page, limit, _part)
        body = {
            "upload_id": upload.id,
            "status": self._uploads.status(upload),
            "uploaded_chunks": paged["data"],
            "chunks_completed": upload.count("completed"),
            "chunks_failed": upload.count("failed"),
            "chunks_pending": upload.count("pending"),
            "page_info": paged["page_info"],
            "total_size": upload.request.total_size,
            "uploaded_size": sum(part.size for part in upload.parts if part.status == "completed"),
            "created_at": rfc3339(upload.created_at),
            "updated_at": rfc3339(upload.updated_at),
        }
        return JSONResponse(body)

    async def report(self, request: Request) -> Response:
        """Take note of parts that were sent; the last one makes the asset."""
        upload = self._of(request)
        reported = report_body(await self._json(request))
        result = self._uploads.report(upload, reported, fate_of(request.scope).asset)
        body: dict[str, object] = {
            "asset_id": upload.asset_id,
            "processed_chunks": result.processed,
            "duplicate_chunks": result.duplicates,
            "total_completed": upload.count("completed"),
        }
        if result.completes:
            address = _address(request, CONTENT_PATH.format(upload_id=upload.id), upload.signature)
            body = {"url": address, **body}
        return JSONResponse(body)

    async def sign(self, request: Request) -> Response:
        """Give fresh links for a run of parts."""
        upload = self._of(request)
        start, count = links_body(await self._json(request))
        links = self._uploads.sign(upload, start, count)
        body = {
            "upload_id": upload.id,
            "start_index": start,
            "count": count,
            "upload_urls": [_link(request, upload, link) for link in links],
            "generated_at": rfc3339(links[0].expires_at - LINK_SECONDS),
            "expires_at": rfc3339(links[0].expires_at),
        }
        return JSONResponse(body)

    async def _json(self, request: Request) -> object:
        return await read_json(request, self._backend.workers, too_large_status=400)

    def _of(self, request: Request) -> Upload:
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


def _part(part: Part) -> dict[str, object]:
    body: dict[str, object] = {
        "index": part.index,
        "status": part.status,
        "uploaded_at": None if part.reported_at is None else rfc3339(part.reported_at),
    }
    if part.changed_at is not None:
        body["updated_at"] = rfc3339(part.changed_at)
    return body | {"error": part.error} if part.status == "failed" else body


def _link(request: Request, upload: Upload, link: Link) -> dict[str, object]:
    path = PART_PATH.format(upload_id=upload.id, chunk_index=link.index)
    return {
        "chunk_index": link.index,
        "url": _address(request, path, link.signature),
        "expires_at": rfc3339(link.expires_at),
    }


def _address(request: Request, path: str, signature: str) -> str:
    """Return an address on the same host, signed in the way of S3, so that leaks of signatures can be found."""
    query = urlencode({"X-Amz-Expires": LINK_SECONDS, "X-Amz-Signature": signature})
    return f"{request.url.scheme}://{request.url.netloc}{path}?{query}"
