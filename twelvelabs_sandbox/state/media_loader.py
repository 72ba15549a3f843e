"""Loads the media of requests into local files, and probes and checks them."""

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from starlette.datastructures import UploadFile

from twelvelabs_sandbox.embedding.marengo35_documents import PDF, with_defaults
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.vectors import window
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.errors import ApiError, OversizeError, invalid, too_large_error
from twelvelabs_sandbox.limits import (
    ANY_DURATION,
    BASE64_BYTES,
    IMAGE_BYTES,
    MEDIA_BYTES,
    SYNC35_BYTES,
    SYNC35_SECONDS,
    TASK_DOCUMENT_BYTES,
    TASK_DURATION,
    DurationLimits,
    check_audio,
    check_document,
    check_image,
    check_video,
    duration_message,
    size_message,
)
from twelvelabs_sandbox.requests.types import (
    ImageRequest,
    MediaRequest,
    MediaSource,
    MultiRequest,
    MultiSource,
    SingleVectorRequest,
    TaskRequest,
)
from twelvelabs_sandbox.state.assets import Assets
from twelvelabs_sandbox.state.download import Downloader, decode_base64
from twelvelabs_sandbox.state.resources import Files, Workers

TEXT_NAME = "document.txt"


class MediaLoader:
    """Loads single media: downloads URLs, decodes base64, resolves assets."""

    def __init__(
        self, files: Files, workers: Workers, downloader: Downloader, assets: Assets, *, echo_filenames: bool
    ) -> None:
        self._is_named = echo_filenames
        self._files = files
        self._workers = workers
        self._downloader = downloader
        self._assets = assets

    async def load(self, source: MediaSource, limit: int, default_name: str | None = None) -> LocalMedia:
        """Load one media file of at most ``limit`` bytes.

        Args:
            source: Its source.
            limit: Maximum size in bytes.
            default_name: File name for a source without one; text is recognized by its file name only.

        Raises:
            ApiError: 400 if the source is not available, too large, or not media.
        """
        if source.kind == "asset_id":
            asset = self._assets.ready(source.value)
            return LocalMedia(
                self._files.link(asset.path), asset.info, filename=asset.filename, is_named=self._is_named
            )
        return await self._load_and_probe(source, limit, default_name)

    async def save_upload(self, upload: UploadFile) -> Path:
        """Copy a file of a form, which exists during its request only, to a local file."""
        path = self._files.new_path()
        await self._workers.run_request(_copy, upload.file, path)
        return path

    async def load_upload(self, upload: UploadFile) -> LocalMedia:
        """Load a media file that was sent in a form; raise ApiError 400 if it is not media."""
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
    """Return the last segment of a URL's path."""
    return PurePosixPath(unquote(urlsplit(url).path)).name or None


async def load_images(media_loader: MediaLoader, request: SingleVectorRequest) -> list[LocalMedia]:
    """Load the images of a request in order; if one is refused, all are deleted."""
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
    """Load the video or audio of a request; if it is refused, it is deleted."""
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
    """Load the media of a task; return the request with its defaults, which depend on the media, and the media."""
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
        return with_defaults(request, media.info), media
    except ApiError:
        media.delete()
        raise


async def load_multi_input(media_loader: MediaLoader, request: MultiRequest) -> list[LocalMedia]:
    """Load the media of a request in order; if one is refused, all are deleted."""
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
    """Raise ApiError 400 if a document is combined with other content that it excludes."""
    kinds = [local.info.mime_type for local in media if local.info.kind == "document"]
    has_text = request.text is not None
    if PDF in kinds and (len(media) > 1 or has_text):
        raise invalid("A PDF document must be the only media source, and without input_text.")
    if kinds and len(kinds) == len(media) and len(media) + has_text > 1:
        raise invalid("All of the content is text: send one text document, or input_text alone, or add other media.")
