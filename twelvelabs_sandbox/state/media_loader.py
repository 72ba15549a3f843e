"""A media source of a request becomes a file of ours that was looked at."""

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from starlette.datastructures import UploadFile

from twelvelabs_sandbox.state.resources import Files
from twelvelabs_sandbox.state.resources import Workers
from twelvelabs_sandbox.state.download import Downloader
from twelvelabs_sandbox.state.download import decode_base64
from twelvelabs_sandbox.state.assets import Assets
from twelvelabs_sandbox.requests.types import ImageRequest
from twelvelabs_sandbox.requests.types import MediaRequest
from twelvelabs_sandbox.requests.types import MediaSource
from twelvelabs_sandbox.requests.types import MultiRequest
from twelvelabs_sandbox.requests.types import MultiSource
from twelvelabs_sandbox.requests.types import SingleVectorRequest
from twelvelabs_sandbox.requests.types import TaskRequest
from twelvelabs_sandbox.limits import ANY_DURATION
from twelvelabs_sandbox.limits import BASE64_BYTES
from twelvelabs_sandbox.limits import IMAGE_BYTES
from twelvelabs_sandbox.limits import MEDIA_BYTES
from twelvelabs_sandbox.limits import SYNC35_BYTES
from twelvelabs_sandbox.limits import SYNC35_SECONDS
from twelvelabs_sandbox.limits import TASK_DOCUMENT_BYTES
from twelvelabs_sandbox.limits import TASK_DURATION
from twelvelabs_sandbox.limits import DurationLimits
from twelvelabs_sandbox.limits import check_audio
from twelvelabs_sandbox.limits import check_document
from twelvelabs_sandbox.limits import check_image
from twelvelabs_sandbox.limits import check_video
from twelvelabs_sandbox.limits import duration_message
from twelvelabs_sandbox.limits import size_message
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.errors import OversizeError
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.errors import too_large_error
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.marengo35_documents import PDF
from twelvelabs_sandbox.embedding.marengo35_documents import completed
from twelvelabs_sandbox.embedding.vectors import window

TEXT_NAME = "document.txt"


class MediaLoader:
    """Takes media in: downloads URLs, decodes base64, looks assets up."""

    def __init__(
        self, files: Files, workers: Workers, downloader: Downloader, assets: Assets, *, echo_filenames: bool
    ) -> None:
        self._is_named = echo_filenames
        self._files = files
        self._workers = workers
        self._downloader = downloader
        self._assets = assets

    async def load(self, source: MediaSource, limit: int, default_name: str | None = None) -> LocalMedia:
        """Bring one medium to disk, at most ``limit`` bytes of it.

        Args:
            source: Where it is.
            limit: The most bytes.
            default_name: A name for what has none, since only a name can make a text of a file.

        Raises:
            ApiError: 400 where it cannot be had, is too large, or is no media.
        """
        if source.kind == "asset_id":
            asset = self._assets.ready(source.value)
            return LocalMedia(
                self._files.link(asset.path), asset.info, filename=asset.filename, is_named=self._is_named
            )
        return await self._load_and_probe(source, limit, default_name)

    async def save_upload(self, upload: UploadFile) -> Path:
        """Copy a file part of a form, which goes with its request, to a file of ours."""
        path = self._files.new_path()
        await self._workers.run_request(_copy, upload.file, path)
        return path

    async def load_upload(self, upload: UploadFile) -> LocalMedia:
        """Take a medium that was sent in a form; ApiError 400 where it is none."""
        path, name = await self.save_upload(upload), PurePath(upload.filename or "").name or None
        try:
            info = await self._workers.run_request(probe, path, name)
            return LocalMedia(path, info, filename=name, is_named=self._is_named)
        except MediaError as error:
            path.unlink(missing_ok=True)
            raise ApiError(400, error.code, str(error)) from error

    async def _load_and_probe(self, source: MediaSource, limit: int, default_name: str | None) -> LocalMedia:
        path = self._files.new_path()
        try:
            if source.kind == "url":
                await self._downloader.download(source.value, path, limit)
                info = await self._workers.run_request(probe, path, url_filename(source.value) or default_name)
                return LocalMedia(path, info, url=source.value, is_named=self._is_named)
            await self._workers.run_request(decode_base64, source.value, path, min(limit, BASE64_BYTES))
            return LocalMedia(path, await self._workers.run_request(probe, path, default_name))
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


async def load_images(media_loader: MediaLoader, request: SingleVectorRequest) -> list[LocalMedia]:
    """Bring the images of a request to disk, in order; all are deleted again if one of them is refused."""
    taken: list[LocalMedia] = []
    try:
        for source in request.images:
            image = await media_loader.load(source, IMAGE_BYTES)
            taken.append(image)
            check_image(image.info)
    except BaseException:
        for image in taken:
            image.delete()
        raise
    return taken


async def load_media(media_loader: MediaLoader, request: MediaRequest, length: DurationLimits) -> LocalMedia:
    """Bring the film or sound of a request to disk; deleted again if it is refused."""
    media = await media_loader.load(request.source, MEDIA_BYTES)
    try:
        check = check_audio if request.input_type == "audio" else check_video
        check(media.info, length)
        window(request, media)
    except ApiError:
        media.delete()
        raise
    return media


async def load_for_task(media_loader: MediaLoader, request: TaskRequest) -> tuple[TaskRequest, LocalMedia]:
    """Bring the medium of a task to disk; also returns the request with the defaults that depend on the medium."""
    if isinstance(request, MediaRequest):
        return request, await load_media(media_loader, request, TASK_DURATION)
    if isinstance(request, ImageRequest):
        media = await media_loader.load(request.source, IMAGE_BYTES)
    else:
        media = await media_loader.load(request.source, TASK_DOCUMENT_BYTES, TEXT_NAME)
    try:
        if isinstance(request, ImageRequest):
            check_image(media.info)
            return request, media
        check_document(media.info, TASK_DOCUMENT_BYTES)
        return completed(request, media.info), media
    except ApiError:
        media.delete()
        raise


async def load_multi_input(media_loader: MediaLoader, request: MultiRequest) -> list[LocalMedia]:
    """Bring the media of a request to disk, in order; all are deleted again if one of them is refused."""
    taken: list[LocalMedia] = []
    try:
        for item in request.sources:
            name = TEXT_NAME if item.media_type == "document" else None
            media = await media_loader.load(item.source, SYNC35_BYTES, name)
            taken.append(media)
            _check(item, media)
        _check_documents(request, taken)
    except BaseException as error:
        for media in taken:
            media.delete()
        if isinstance(error, OversizeError):
            raise ApiError(413, error.code, error.message) from error
        raise
    return taken


def _check(item: MultiSource, media: LocalMedia) -> None:
    if media.info.size > SYNC35_BYTES:
        raise too_large_error(size_message(media.info.size, SYNC35_BYTES))
    match item.media_type:
        case "image":
            check_image(media.info)
        case "audio":
            check_audio(media.info, ANY_DURATION)
        case "video":
            check_video(media.info, ANY_DURATION)
        case _:
            check_document(media.info, SYNC35_BYTES)
    if (media.info.duration or 0) > SYNC35_SECONDS:
        raise too_large_error(duration_message(media.info.duration or 0, SYNC35_SECONDS))


def _check_documents(request: MultiRequest, media: Sequence[LocalMedia]) -> None:
    """Refuse what documents cannot be combined with."""
    kinds = [local.info.mime_type for local in media if local.info.kind == "document"]
    has_text = request.text is not None
    if PDF in kinds and (len(media) > 1 or has_text):
        raise invalid("A PDF document must be the only media source, and without input_text.")
    if kinds and len(kinds) == len(media) and len(media) + has_text > 1:
        raise invalid("All of the content is text: send one text document, or input_text alone, or add other media.")
