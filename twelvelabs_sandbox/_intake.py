"""A media source of a request becomes a file of ours that was looked at."""

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from starlette.datastructures import UploadFile

from twelvelabs_sandbox._assets import Assets
from twelvelabs_sandbox._engine import MediaError, MediaInfo, probe
from twelvelabs_sandbox._errors import ApiError
from twelvelabs_sandbox._files import Files
from twelvelabs_sandbox._limits import BASE64_BYTES
from twelvelabs_sandbox._media_fetch import Downloader, decode_base64
from twelvelabs_sandbox._values import MediaSource
from twelvelabs_sandbox._workers import Workers


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """One medium on our disk; who holds it deletes it.

    Attributes:
        path: Where it lies.
        info: What it is.
        url: The address it came from, if any.
        filename: The name of the asset it came from, if any.
        is_named: Whether answers say url and filename.
    """

    path: Path
    info: MediaInfo
    url: str | None = None
    filename: str | None = None
    is_named: bool = True

    def delete(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


class Intake:
    """Takes media in: downloads URLs, decodes base64, looks assets up."""

    def __init__(
        self, files: Files, workers: Workers, downloader: Downloader, assets: Assets, *, echo_filenames: bool
    ) -> None:
        self._is_named = echo_filenames
        self._files = files
        self._workers = workers
        self._downloader = downloader
        self._assets = assets

    async def take(self, source: MediaSource, limit: int, usual_name: str | None = None) -> LocalMedia:
        """Bring one medium to disk, at most ``limit`` bytes of it.

        Args:
            source: Where it is.
            limit: The most bytes.
            usual_name: A name for what has none, since only a name can make a text of a file.

        Raises:
            ApiError: 400 where it cannot be had, is too large, or is no media.
        """
        if source.kind == "asset_id":
            asset = self._assets.ready(source.value)
            return LocalMedia(
                self._files.second(asset.path), asset.info, filename=asset.filename, is_named=self._is_named
            )
        return await self._looked_at(source, limit, usual_name)

    async def save(self, upload: UploadFile) -> Path:
        """Copy a file part of a form, which goes with its request, to a file of ours."""
        path = self._files.new()
        await self._workers.for_request(_copy, upload.file, path)
        return path

    async def take_upload(self, upload: UploadFile) -> LocalMedia:
        """Take a medium that was sent in a form; ApiError 400 where it is none."""
        path, name = await self.save(upload), PurePath(upload.filename or "").name or None
        try:
            info = await self._workers.for_request(probe, path, name)
            return LocalMedia(path, info, filename=name, is_named=self._is_named)
        except MediaError as error:
            path.unlink(missing_ok=True)
            raise ApiError(400, error.code, str(error)) from error

    async def _looked_at(self, source: MediaSource, limit: int, usual_name: str | None) -> LocalMedia:
        path = self._files.new()
        try:
            if source.kind == "url":
                await self._downloader.download(source.value, path, limit)
                info = await self._workers.for_request(probe, path, url_filename(source.value) or usual_name)
                return LocalMedia(path, info, url=source.value, is_named=self._is_named)
            await self._workers.for_request(decode_base64, source.value, path, min(limit, BASE64_BYTES))
            return LocalMedia(path, await self._workers.for_request(probe, path, usual_name))
        except MediaError as error:
            path.unlink(missing_ok=True)
            raise ApiError(400, error.code, str(error)) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _copy(source: BinaryIO, path: Path) -> None:
    source.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file, 1024 * 1024)


def url_filename(url: str) -> str | None:
    """Return the last part of a URL's path."""
    return PurePosixPath(unquote(urlsplit(url).path)).name or None
