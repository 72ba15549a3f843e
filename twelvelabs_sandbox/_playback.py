"""What is made of an asset for players, where its creation asked for it: a thumbnail, and the lack of a stream."""

import hmac

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twelvelabs_sandbox._assets import Asset, Status
from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._engine import MediaError, still
from twelvelabs_sandbox._errors import ApiError
from twelvelabs_sandbox._storage_routes import SIGNATURE, THUMBNAIL_PATH, StorageRefusal

SHOWN = {"video", "image"}
KIND_OF_STREAMS = {"video", "audio"}
# Where it leads is as long-lived as the asset; the length only has to look like one.
LINK_SECONDS = 3600


class PlaybackRoutes:
    """Where thumbnails are fetched from: by signed address and without the API key, as from S3."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.routes = [Route(THUMBNAIL_PATH, self.thumbnail, methods=["GET"])]

    async def thumbnail(self, request: Request) -> Response:
        """Give a JPEG of an asset that is still there."""
        try:
            asset = self._backend.assets.find(request.path_params["asset_id"])
        except ApiError:
            raise StorageRefusal(404, "NoSuchKey", "The file was deleted.") from None
        given = request.query_params.get(SIGNATURE, "").encode()
        if not hmac.compare_digest(given, asset.signature.encode()):
            raise StorageRefusal(403, "SignatureDoesNotMatch", "The signature is not that of this address.")
        duration = asset.info.duration if asset.info else None
        try:
            jpeg = await self._backend.workers.for_request(still, asset.path, duration)
        except MediaError as error:
            raise StorageRefusal(404, "NoSuchKey", str(error)) from None
        return Response(jpeg, media_type="image/jpeg")


def playback(asset: Asset, status: Status, base: str) -> dict[str, object]:
    """Return the fields ``hls`` and ``thumbnail`` of an asset, as far as they were asked for and its kind has them.

    No stream is ever made here, and that is what ``hls`` says in the end.

    Args:
        asset: The asset.
        status: What it is now.
        base: The address of the server, without a path.
    """
    kind = asset.info.kind if asset.info else None
    fields: dict[str, object] = {}
    if asset.enable_hls and (kind is None or kind in KIND_OF_STREAMS):
        fields["hls"] = {"status": "error" if status == "ready" else _early(asset, status)}
    if asset.enable_thumbnail and (kind is None or kind in SHOWN):
        ready = {"status": "ready", "representative_url": _address(asset, base)}
        fields["thumbnail"] = ready if status == "ready" else {"status": _early(asset, status)}
    return fields


def _address(asset: Asset, base: str) -> str:
    path = THUMBNAIL_PATH.format(asset_id=asset.id)
    return f"{base}{path}?X-Amz-Expires={LINK_SECONDS}&{SIGNATURE}={asset.signature}"


def _early(asset: Asset, status: Status) -> str:
    if status == "failed":
        return "error"
    return "pending" if asset.info is None else "processing"
