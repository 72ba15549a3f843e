"""What hangs on an asset: its transcription and the metadata that its owner noted."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox._assets import Asset
from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._body import read_json
from twelvelabs_sandbox._engine import spoken_words
from twelvelabs_sandbox._errors import ApiError
from twelvelabs_sandbox._fields import Fields
from twelvelabs_sandbox._transcripts import KINDS, transcript
from twelvelabs_sandbox._user_metadata import UserMetadata, checked_metadata, merged, without_blanks
from twelvelabs_sandbox._validation import choice_query

METADATA_PATH = "/assets/{asset_id}/user-metadata"


class AssetPartRoutes:
    """The endpoints below one asset."""

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
        """Give what is said in a film: its captions, else the titles of its chapters."""
        kinds = choice_query(request.query_params, "include", KINDS, commas=True) or {"words"}
        asset = self._of(request)
        status = self._assets.status(asset)
        if status == "failed":
            return JSONResponse({"status": status, "error": {"message": asset.error}})
        if status == "processing" or asset.info is None:
            return JSONResponse({"status": "processing"})
        if asset.info.duration is None:
            raise _no_transcription(asset)
        spoken = await self._backend.workers.for_request(spoken_words, asset.path)
        if not spoken and asset.info.audio_codec is None:
            raise _no_transcription(asset)
        return JSONResponse({"status": status, **transcript(spoken, kinds)})

    async def merge_metadata(self, request: Request) -> Response:
        """Add, change and delete single names."""
        asset, changes = self._of(request), await self._metadata(request)
        return self._noted(asset, merged(asset.user_metadata or {}, changes))

    async def replace_metadata(self, request: Request) -> Response:
        """Put new metadata in the place of all that there are."""
        asset, metadata = self._of(request), await self._metadata(request)
        return self._noted(asset, without_blanks(metadata))

    async def delete_metadata(self, request: Request) -> Response:
        """Forget all metadata."""
        return self._noted(self._of(request), {})

    def _of(self, request: Request) -> Asset:
        return self._assets.find(request.path_params["asset_id"])

    def _noted(self, asset: Asset, metadata: UserMetadata) -> Response:
        asset.user_metadata = metadata or None
        return Response(status_code=204)

    async def _metadata(self, request: Request) -> UserMetadata:
        body = await read_json(request, self._backend.workers, too_large_status=400)
        return checked_metadata(Fields(body, "", ("user_metadata",)).any("user_metadata"), nulls=True)


def _no_transcription(asset: Asset) -> ApiError:
    return ApiError(404, "resource_not_exist", f"The asset {asset.id} has no transcription.")
