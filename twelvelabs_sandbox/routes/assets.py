"""``/assets``: create by file or URL, list, retrieve, delete; transcription and user metadata of an asset."""

from mimetypes import guess_type
from pathlib import PurePath

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox.engine.captions import KINDS, read_captions, transcript
from twelvelabs_sandbox.engine.types import MediaInfo
from twelvelabs_sandbox.errors import ApiError, invalid
from twelvelabs_sandbox.faults import AssetFate, fate_of
from twelvelabs_sandbox.formats import page_body, rfc3339
from twelvelabs_sandbox.limits import DIRECT_UPLOAD_BYTES, size_message
from twelvelabs_sandbox.requests.assets import (
    ASSET_KINDS,
    MAX_FILENAME_LENGTH,
    AssetRequest,
    UserMetadata,
    asset_form,
    check_metadata,
    drop_blanks,
    merge_metadata,
)
from twelvelabs_sandbox.requests.body import read_form, read_json
from twelvelabs_sandbox.requests.fields import Fields
from twelvelabs_sandbox.requests.query import choice_query, page_query
from twelvelabs_sandbox.routes.storage import playback
from twelvelabs_sandbox.state.assets import Asset
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.download import check_url
from twelvelabs_sandbox.state.media_loader import url_filename

METADATA_PATH = "/assets/{asset_id}/user-metadata"


class AssetRoutes:
    """``/assets`` and ``/assets/{asset_id}``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._assets = backend.assets
        self.routes = [
            Route("/assets", self.create, methods=["POST"]),
            Route("/assets", self.list, methods=["GET"]),
            Route("/assets/{asset_id}", self.retrieve, methods=["GET"]),
            Route("/assets/{asset_id}", self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Create an asset from a file or a URL; it is probed in the background."""
        fate = fate_of(request.scope).asset
        async with read_form(request) as form:
            parsed = asset_form(form)
            asset = await self._from_file(parsed, parsed.file, fate) if parsed.file else self._from_url(parsed, fate)
            asset.enable_hls, asset.enable_thumbnail = parsed.enable_hls, parsed.enable_thumbnail
        return JSONResponse(self._short(asset, "processing"), 201)

    async def list(self, request: Request) -> Response:
        """List assets."""
        query = request.query_params
        page, limit = page_query(query)
        kinds = choice_query(query, "asset_types", ASSET_KINDS)
        found = self._assets.poll_all(set(query.getlist("asset_ids")), kinds, query.get("filename", ""))
        return JSONResponse(page_body(found, page, limit, lambda asset: self._detail(asset, request)))

    async def retrieve(self, request: Request) -> Response:
        """Return the status and the properties of an asset."""
        return JSONResponse(self._detail(self._assets.poll(request.path_params["asset_id"]), request))

    async def delete(self, request: Request) -> Response:
        """Delete an asset; nothing refers to assets here, so ``force`` has no effect."""
        if request.query_params.get("force", "false").lower() not in {"true", "false"}:
            raise invalid("The force parameter must be true or false.")
        await self._assets.delete(request.path_params["asset_id"])
        return Response(status_code=204)

    async def _from_file(self, parsed: AssetRequest, upload: UploadFile, fate: AssetFate | None) -> Asset:
        if (upload.size or 0) > DIRECT_UPLOAD_BYTES:
            raise invalid(size_message(upload.size or 0, DIRECT_UPLOAD_BYTES))
        path = await self._backend.media_loader.save_upload(upload)
        name = parsed.filename or PurePath(upload.filename or "").name or "file"
        return self._assets.create_direct(path, name[:MAX_FILENAME_LENGTH], parsed.user_metadata, fate)

    def _from_url(self, parsed: AssetRequest, fate: AssetFate | None) -> Asset:
        url = check_url(parsed.url or "")
        name = parsed.filename or url_filename(url) or "file"
        return self._assets.create_from_url(url, name[:MAX_FILENAME_LENGTH], parsed.user_metadata, fate)

    def _short(self, asset: Asset, status: str) -> dict[str, object]:
        guessed = guess_type(asset.filename)[0] or "application/octet-stream"
        body: dict[str, object] = {
            "_id": asset.id,
            "method": asset.method,
            "status": status,
            "filename": asset.filename,
            "file_type": asset.info.mime_type if asset.info else guessed,
            "created_at": rfc3339(asset.created_at),
        }
        return body if asset.user_metadata is None else body | {"user_metadata": asset.user_metadata}

    def _detail(self, asset: Asset, request: Request) -> dict[str, object]:
        status = self._assets.status(asset)
        base = f"{request.url.scheme}://{request.url.netloc}"
        body = self._short(asset, status) | playback(asset, status, base)
        if status == "failed":
            body["error"] = {"message": asset.error}
        if status == "ready" and asset.info is not None:
            body["size"] = asset.info.size
            body["technical_metadata"] = _technical_metadata(asset.info)
            if asset.info.duration is not None:
                body["duration"] = asset.info.duration
        return body


def _technical_metadata(info: MediaInfo) -> dict[str, object]:
    is_image = info.kind == "image"
    facts: dict[str, object] = {
        "file_size_bytes": info.size,
        "file_mime_type": info.mime_type,
        "file_container_format": None if is_image else info.format_name,
        "image_width": info.width if is_image else None,
        "image_height": info.height if is_image else None,
        "image_format": info.format_name if is_image else None,
        "video_width": None if is_image else info.width,
        "video_height": None if is_image else info.height,
        "video_fps": info.fps,
        "video_codec": info.video_codec,
        "video_duration_seconds": info.duration if info.video_codec else None,
        "audio_codec": info.audio_codec,
        "audio_sample_rate": info.sample_rate,
        "audio_channels": info.channels,
        "audio_duration_seconds": info.duration if info.audio_codec else None,
        "has_audio": info.audio_codec is not None if info.duration is not None else None,
    }
    return {key: value for key, value in facts.items() if value is not None}


class AssetDetailRoutes:
    """The endpoints below ``/assets/{asset_id}``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._assets = backend.assets
        self.routes = [
            Route("/assets/{asset_id}/transcription", self.transcription, methods=["GET"]),
            Route(METADATA_PATH, self.merge_metadata, methods=["PATCH"]),
            Route(METADATA_PATH, self.replace_metadata, methods=["PUT"]),
            Route(METADATA_PATH, self.delete_metadata, methods=["DELETE"]),
        ]

    async def transcription(self, request: Request) -> Response:
        """Return the transcription of an asset: its captions, else the titles of its chapters."""
        kinds = choice_query(request.query_params, "include", KINDS, commas=True) or {"words"}
        asset = self._asset(request)
        status = self._assets.status(asset)
        if status == "failed":
            return JSONResponse({"status": status, "error": {"message": asset.error}})
        if status == "processing" or asset.info is None:
            return JSONResponse({"status": "processing"})
        if asset.info.duration is None:
            raise _no_transcription(asset)
        spoken = await self._backend.workers.run_request(read_captions, asset.path)
        if not spoken and asset.info.audio_codec is None:
            raise _no_transcription(asset)
        return JSONResponse({"status": status, **transcript(spoken, kinds)})

    async def merge_metadata(self, request: Request) -> Response:
        """Add, change and delete single names."""
        asset, changes = self._asset(request), await self._metadata(request)
        return self._set_metadata(asset, merge_metadata(asset.user_metadata or {}, changes))

    async def replace_metadata(self, request: Request) -> Response:
        """Replace all metadata."""
        asset, metadata = self._asset(request), await self._metadata(request)
        return self._set_metadata(asset, drop_blanks(metadata))

    async def delete_metadata(self, request: Request) -> Response:
        """Delete all metadata."""
        return self._set_metadata(self._asset(request), {})

    def _asset(self, request: Request) -> Asset:
        return self._assets.find(request.path_params["asset_id"])

    def _set_metadata(self, asset: Asset, metadata: UserMetadata) -> Response:
        asset.user_metadata = metadata or None
        return Response(status_code=204)

    async def _metadata(self, request: Request) -> UserMetadata:
        body = await read_json(request, self._backend.workers, too_large_status=400)
        return check_metadata(Fields(body, "", ("user_metadata",)).any("user_metadata"), nulls=True)


def _no_transcription(asset: Asset) -> ApiError:
    return ApiError(404, "resource_not_exist", f"The asset {asset.id} has no transcription.")
