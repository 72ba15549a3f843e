"""``/assets``: upload by form or by URL, poll, list, delete."""

from mimetypes import guess_type
from pathlib import PurePath

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox._assets import Asset, AssetFate
from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._body import read_form
from twelvelabs_sandbox._engine import MediaInfo
from twelvelabs_sandbox._errors import invalid
from twelvelabs_sandbox._faults import fate_of
from twelvelabs_sandbox._intake import url_filename
from twelvelabs_sandbox._limits import DIRECT_UPLOAD_BYTES, too_large
from twelvelabs_sandbox._media_fetch import checked_url
from twelvelabs_sandbox._playback import playback
from twelvelabs_sandbox._validation import (
    ASSET_KINDS,
    LONGEST_FILENAME,
    AssetRequest,
    asset_form,
    choice_query,
    page_query,
)
from twelvelabs_sandbox._wire import page_body, rfc3339


class AssetRoutes:
    """The asset endpoints."""

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
        """Take a file or an address in; what it is will be known later."""
        fate = fate_of(request.scope).asset
        async with read_form(request) as form:
            asked = asset_form(form)
            asset = await self._from_file(asked, asked.file, fate) if asked.file else self._from_url(asked, fate)
            asset.enable_hls, asset.enable_thumbnail = asked.enable_hls, asked.enable_thumbnail
        return JSONResponse(self._short(asset, "processing"), 201)

    async def list(self, request: Request) -> Response:
        """List assets."""
        query = request.query_params
        page, limit = page_query(query)
        kinds = choice_query(query, "asset_types", ASSET_KINDS)
        found = self._assets.look_all(set(query.getlist("asset_ids")), kinds, query.get("filename", ""))
        return JSONResponse(page_body(found, page, limit, lambda asset: self._detail(asset, request)))

    async def retrieve(self, request: Request) -> Response:
        """Give one asset's status and facts."""
        return JSONResponse(self._detail(self._assets.look(request.path_params["asset_id"]), request))

    async def delete(self, request: Request) -> Response:
        """Delete one asset; nothing here refers to assets, so ``force`` changes nothing."""
        if request.query_params.get("force", "false").lower() not in {"true", "false"}:
            raise invalid("The force parameter must be true or false.")
        await self._assets.delete(request.path_params["asset_id"])
        return Response(status_code=204)

    async def _from_file(self, asked: AssetRequest, upload: UploadFile, fate: AssetFate | None) -> Asset:
        if (upload.size or 0) > DIRECT_UPLOAD_BYTES:
            raise invalid(too_large(upload.size or 0, DIRECT_UPLOAD_BYTES))
        path = await self._backend.intake.save(upload)
        name = asked.filename or PurePath(upload.filename or "").name or "file"
        return self._assets.create_direct(path, name[:LONGEST_FILENAME], asked.user_metadata, fate)

    def _from_url(self, asked: AssetRequest, fate: AssetFate | None) -> Asset:
        url = checked_url(asked.url or "")
        name = asked.filename or url_filename(url) or "file"
        return self._assets.create_from_url(url, name[:LONGEST_FILENAME], asked.user_metadata, fate)

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
            body["technical_metadata"] = _technical(asset.info)
            if asset.info.duration is not None:
                body["duration"] = asset.info.duration
        return body


def _technical(info: MediaInfo) -> dict[str, object]:
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
