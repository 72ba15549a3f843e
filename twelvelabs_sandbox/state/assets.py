"""Assets: creation, background download and probing, status, deletion."""

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.types import MediaError, MediaInfo
from twelvelabs_sandbox.errors import ApiError, invalid, not_found
from twelvelabs_sandbox.faults import AssetFate
from twelvelabs_sandbox.formats import new_id
from twelvelabs_sandbox.limits import (
    DIRECT_UPLOAD_BYTES,
    IMAGE_BYTES,
    MEDIA_BYTES,
    MULTIPART_BYTES,
    URL_DOCUMENT_BYTES,
    size_message,
)
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.requests.assets import UserMetadata
from twelvelabs_sandbox.requests.uploads import UploadRequest
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.download import Downloader
from twelvelabs_sandbox.state.resources import Files, Workers

Status = Literal["processing", "ready", "failed"]
Method = Literal["direct", "url", "multipart"]

UNFETCHABLE = "failed to fetch or materialize source media"
FILE_BYTES: dict[Method, int] = {"direct": DIRECT_UPLOAD_BYTES, "url": MEDIA_BYTES, "multipart": MULTIPART_BYTES}
DOCUMENT_SUFFIXES = {"application/pdf": ".pdf", "text/plain": ".txt", "text/markdown": ".md"}

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Asset:
    """An asset.

    Attributes:
        declared: The media type that a multipart upload declared.
        fate: The outcome scripted by a fault.
        polls: Number of responses with its status.
        is_finished: Whether download and probing are done.
        sha256: SHA-256 of its bytes, in hex; computed on request, and before the file of a failed asset is deleted.
        enable_hls: Whether an HLS stream was requested.
        enable_thumbnail: Whether a thumbnail was requested.
        signature: The signature of its thumbnail URL.
    """

    id: str
    method: Method
    filename: str
    created_at: float
    path: Path
    user_metadata: UserMetadata | None = None
    declared: str | None = None
    fate: AssetFate | None = None
    polls: int = 0
    is_finished: bool = False
    info: MediaInfo | None = None
    error: str | None = None
    sha256: str | None = None
    enable_hls: bool = False
    enable_thumbnail: bool = False
    signature: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)


@dataclass(frozen=True, slots=True)
class ReadyAsset:
    """What an embedding needs of an asset."""

    path: Path
    info: MediaInfo
    filename: str


class Assets:
    """All assets of a sandbox; used on the server's event loop only."""

    def __init__(self, options: Options, clock: Clock, files: Files, workers: Workers, downloader: Downloader) -> None:
        self._options = options
        self._clock = clock
        self._files = files
        self._workers = workers
        self._downloader = downloader
        self._assets: dict[str, Asset] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def create_direct(self, path: Path, filename: str, metadata: UserMetadata | None, fate: AssetFate | None) -> Asset:
        """Create an asset from a local file, whose ownership passes to the asset."""
        now = self._clock.now()
        return self._begin(Asset(new_id(now), "direct", filename, now, path, metadata, fate=fate))

    def create_from_url(self, url: str, filename: str, metadata: UserMetadata | None, fate: AssetFate | None) -> Asset:
        """Create an asset that is downloaded in the background."""
        now = self._clock.now()
        return self._begin(Asset(new_id(now), "url", filename, now, self._files.new_path(), metadata, fate=fate), url)

    def create_uploaded(self, asset_id: str, path: Path, request: UploadRequest, fate: AssetFate | None) -> Asset:
        """Create the asset of a complete upload, with the id that was returned when the upload was created."""
        now, metadata = self._clock.now(), request.user_metadata
        asset = Asset(asset_id, "multipart", request.filename, now, path, metadata, declared=request.kind, fate=fate)
        asset.enable_hls, asset.enable_thumbnail = request.enable_hls, request.enable_thumbnail
        return self._begin(asset)

    def poll(self, asset_id: str) -> Asset:
        """Return an asset and count the poll; raise ApiError 404 if it does not exist."""
        asset = self._get(asset_id)
        asset.polls += 1
        return asset

    def poll_all(self, ids: Collection[str], kinds: Collection[str], filename: str) -> list[Asset]:
        """Return assets, newest first, and count the poll of each; an empty filter matches all."""
        found = []
        for asset in reversed(self._assets.values()):
            kind = asset.info.kind if asset.info else None
            if (
                (not ids or asset.id in ids)
                and (not kinds or kind in kinds)
                and filename.lower() in asset.filename.lower()
            ):
                asset.polls += 1
                found.append(asset)
        return found

    def status(self, asset: Asset) -> Status:
        """Return the reported status of an asset, on the sandbox's clock."""
        due = self._clock.now() >= asset.created_at + self._options.asset_seconds
        if not asset.is_finished or not due or asset.polls <= self._options.asset_polls:
            return "processing"
        return "failed" if asset.error else "ready"

    def ready(self, asset_id: str) -> ReadyAsset:
        """Return an asset for embedding; raise ApiError 400 if it does not exist or is not ready."""
        try:
            asset = self._get(asset_id)
        except ApiError as error:
            raise ApiError(400, error.code, error.message) from None
        status = self.status(asset)
        if status != "ready" or asset.info is None:
            raise invalid(f"The asset {asset_id} has status `{status}`; only an asset with status `ready` can be used.")
        return ReadyAsset(asset.path, asset.info, asset.filename)

    def find(self, asset_id: str) -> Asset:
        """Return an asset without counting a poll; raise ApiError 404 if it does not exist."""
        return self._get(asset_id)

    async def checksum(self, asset: Asset) -> str | None:
        """Return the SHA-256 of an asset's bytes in hex; None if they are not available yet."""
        if asset.sha256 is None and asset.path.exists() and (asset.method != "url" or asset.is_finished or asset.error):
            # The file of a failed asset may be deleted at the same time; its checksum is stored before.
            with contextlib.suppress(FileNotFoundError):
                asset.sha256 = await self._workers.run_request(_sha256, asset.path)
        return asset.sha256

    async def delete(self, asset_id: str) -> None:
        """Delete an asset; tasks created from it continue."""
        asset = self._get(asset_id)
        del self._assets[asset_id]
        await self._stop(asset_id)
        asset.path.unlink(missing_ok=True)

    async def aclose(self) -> None:
        """Cancel all background work."""
        for asset_id in list(self._running):
            await self._stop(asset_id)

    def _get(self, asset_id: str) -> Asset:
        if asset_id not in self._assets:
            raise not_found(asset_id, "assets")
        return self._assets[asset_id]

    def _begin(self, asset: Asset, url: str | None = None) -> Asset:
        self._assets[asset.id] = asset
        running = asyncio.get_running_loop().create_task(self._prepare(asset, url))
        self._running[asset.id] = running
        running.add_done_callback(lambda _: self._running.pop(asset.id, None))
        return asset

    async def _stop(self, asset_id: str) -> None:
        if running := self._running.get(asset_id):
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _prepare(self, asset: Asset, url: str | None) -> None:
        try:
            if asset.fate is None:
                await self._fetch_and_probe(asset, url)
            asset.error = asset.error or (UNFETCHABLE if asset.fate == "failed" else None)
        except MediaError as error:
            asset.error = str(error)
        except ApiError as error:
            asset.error = UNFETCHABLE if error.code == "media_url_not_exists" else error.message
        except Exception:
            log.exception("asset %s failed", asset.id)
            asset.error = UNFETCHABLE
        if asset.error and asset.path.exists():
            await self.checksum(asset)
            asset.path.unlink(missing_ok=True)
        asset.is_finished = asset.fate != "stuck"

    async def _fetch_and_probe(self, asset: Asset, url: str | None) -> None:
        if url is not None:
            await self._downloader.download(url, asset.path, MEDIA_BYTES)
        info = await self._workers.run_request(probe, asset.path, asset.filename)
        asset.error = _refusal(asset, info)
        asset.info = info


def _refusal(asset: Asset, info: MediaInfo) -> str | None:
    if asset.declared not in {None, info.kind}:
        return f"The upload was opened for a file of type {asset.declared}, but the file is {info.kind}."
    limits = {"image": IMAGE_BYTES}
    if asset.method == "url":
        limits["document"] = URL_DOCUMENT_BYTES
    limit = limits.get(info.kind, FILE_BYTES[asset.method])
    if info.size > limit:
        return size_message(info.size, limit)
    suffix = PurePath(asset.filename).suffix.lower()
    if info.kind == "document" and suffix != DOCUMENT_SUFFIXES.get(info.mime_type):
        return f"The extension of {asset.filename} does not fit its content, which is {info.mime_type}."
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
