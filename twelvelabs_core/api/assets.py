"""The resource `/assets`: uploaded media, to which tasks and other requests refer by id."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twelvelabs_core.api.chunked_upload import ChunkedUploads, UploadOrder
from twelvelabs_core.api.content import check_unchanged
from twelvelabs_core.api.uploads import AsyncUploads
from twelvelabs_core.base.errors import InputError, TaskFailedError, TaskTimeoutError
from twelvelabs_core.base.progress import OnProgress, Progress, check_callback
from twelvelabs_core.media.formats import kind_by_name
from twelvelabs_core.media.inspect import media_type_of
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import (
    ASSET_TYPES,
    UploadMethod,
    UserMetadata,
    check_asset_type,
    check_filename,
    check_readable,
    check_user_metadata,
    multipart_type,
    upload_method,
)
from twelvelabs_core.results.decode import read_answer
from twelvelabs_core.results.responses import Asset, parse_asset, parse_asset_page
from twelvelabs_core.results.upload_responses import Transcription
from twelvelabs_core.transport.body import Call, counted, form_body, json_body
from twelvelabs_core.transport.polling import Deadline, poll_until
from twelvelabs_core.transport.session import Session, path_part

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore

_TRANSCRIPTION_UNITS = ("words", "sentences", "utterances")


class AsyncAssets:
    """The account's assets, as `AsyncClient.assets`.

    Example:
        ```python
        async with AsyncClient() as client:
            asset = await client.assets.create("match.mp4")
            print((await client.assets.wait(asset.id)).duration)
        ```
    """

    def __init__(self, session: Session, uploads: AsyncUploads, open_store: "Callable[[], SegmentStore]") -> None:
        self._session = session
        self._open_store = open_store
        self._chunked_uploads = ChunkedUploads(session, uploads, open_store)

    async def create(
        self,
        media: MediaInput,
        *,
        filename: str | None = None,
        asset_type: str | None = None,
        method: UploadMethod | None = None,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
        user_metadata: UserMetadata | None = None,
        on_progress: OnProgress | None = None,
    ) -> Asset:
        """Upload a file from disk, or let the API fetch a URL.

        The asset is `processing` at first; `wait` returns it `ready`. A local file of up to 200 MB is sent in one
        request, streamed from disk; if its answer is lost, it is repeated, and the first asset may remain. A larger
        file is sent in chunks, in parallel and each with retries. If such an upload is interrupted, also by a crash,
        the same call within 24 hours sends only the chunks that the API has not received.

        Args:
            media: Path, bytes or binary file object: video and audio up to 10 GB, images up to 32 MB, PDF, text and
                Markdown up to 200 MB. Or an http(s) URL: video and audio up to 4 GB, documents up to 512 MB (API
                reference).
            filename: Name of the asset, 1 to 255 characters. Default: the file's name.
            asset_type: `video`, `audio`, `image` or `document`. Default: derived from the name or the content.
            method: `direct` (one request), `multipart` (in chunks) or `url`. Default: by size.
            enable_hls: Whether the API prepares an HLS stream for players.
            enable_thumbnail: Whether the API makes a thumbnail.
            user_metadata: Your own metadata of the asset: names with str, number, bool or list of str.
            on_progress: Called with a `Progress` of stage `uploading` as bytes are sent, also from other threads.

        Returns:
            The `Asset`, with its id.

        Raises:
            InputError: The file is missing, empty, too large, or changed during its upload.
        """
        check_callback(on_progress, "on_progress")
        check_asset_type(asset_type)
        item = await self._session.io.blocking(lambda: Media.of(media))
        name = check_filename(item.filename if filename is None else filename)
        options: dict[str, Any] = {"enable_hls": bool(enable_hls), "enable_thumbnail": bool(enable_thumbnail)}
        if user_metadata is not None:
            options["user_metadata"] = check_user_metadata(user_metadata)

        def report(done: int, total: int) -> None:
            if on_progress is not None:
                on_progress(Progress(item.source, "uploading", done, total))

        return await self.upload(UploadOrder(item, name, filename is not None, asset_type, options, report), method)

    async def retrieve(self, asset_id: str) -> Asset:
        """Return the current state of an asset.

        Args:
            asset_id: The asset's id.

        Raises:
            NotFoundError: The asset does not exist.
        """
        call = Call(f"retrieve asset {asset_id}", "GET", _path(asset_id))
        return parse_asset((await self._session.send(call)).body)

    async def list(
        self,
        *,
        asset_ids: Sequence[str] = (),
        asset_types: Sequence[str] = (),
        filename: str | None = None,
    ) -> AsyncIterator[Asset]:
        """Iterate over the account's assets, newest first; pages are requested as needed.

        Args:
            asset_ids: Only the assets with these ids.
            asset_types: Only these types: `image`, `video`, `audio`, `document`.
            filename: Only assets whose name contains this text, ignoring case.

        Raises:
            InputError: An unknown asset type; no request was sent.
        """
        ids, types = many(asset_ids, "asset_ids"), many(asset_types, "asset_types")
        _check_among("asset_types", types, ASSET_TYPES)
        params = [("asset_ids", item) for item in ids] + [("asset_types", item) for item in types]
        call = Call("list assets", "GET", "/assets", tuple(params))
        filters = {} if filename is None else {"filename": filename}
        async for asset in self._session.pages(call, parse_asset_page, filters):
            yield asset

    async def delete(self, asset_id: str, *, force: bool = False) -> None:
        """Delete an asset.

        Args:
            asset_id: The asset's id.
            force: Also delete an asset that an index refers to.

        Raises:
            NotFoundError: The asset does not exist.
            BadRequestError: An index refers to it (HTTP 409), and `force` is not set.
        """
        params = (("force", "true"),) if force else ()
        await self._session.send(Call(f"delete asset {asset_id}", "DELETE", _path(asset_id), params))

    async def wait(self, asset_id: str, *, timeout: float | None = None) -> Asset:
        """Wait until an asset can be used.

        Args:
            asset_id: The asset's id.
            timeout: Longest wait in seconds. Default: the settings' `task_timeout`.

        Returns:
            The `ready` asset.

        Raises:
            TaskFailedError: The asset failed; the message has the API's reason.
            TaskTimeoutError: It was not ready within the time limit.
        """
        asset = await self.wait_until_settled(asset_id, timeout)
        if asset.status == "failed":
            raise TaskFailedError(failure_of(asset))
        return asset

    async def retrieve_transcription(self, asset_id: str, *, include: Sequence[str] = ("words",)) -> Transcription:
        """Return the transcription of an audio or video asset.

        Args:
            asset_id: The asset's id.
            include: Any of `words`, `sentences`, `utterances` (one for each passage of one speaker).

        Returns:
            A `Transcription`. Check its `status`; a requested unit can be missing even if it is `ready`.

        Raises:
            NotFoundError: The asset does not exist, or it has no transcription.
        """
        units = many(include, "include")
        _check_among("include", units or ["none"], _TRANSCRIPTION_UNITS)
        params = tuple(("include", unit) for unit in units)
        attempt = f"retrieve the transcription of asset {asset_id}"
        call = Call(attempt, "GET", f"{_path(asset_id)}/transcription", params)
        body = (await self._session.send(call)).body
        return await self._session.io.blocking(lambda: read_answer(Transcription, body, "transcription"))

    async def update_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        """Merge metadata into the user metadata of an asset.

        Given names are set, None deletes a name, and all other names keep their values.

        Args:
            asset_id: The asset's id.
            user_metadata: Names and values: str, number, bool or list of str. The API ignores an empty str or list.

        Raises:
            NotFoundError: The asset does not exist.
        """
        await self._change_user_metadata("PATCH", asset_id, check_user_metadata(user_metadata))

    async def replace_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        """Replace all user metadata of an asset.

        Args:
            asset_id: The asset's id.
            user_metadata: As for `update_user_metadata`; the API ignores None, an empty str or an empty list.

        Raises:
            NotFoundError: The asset does not exist.
        """
        await self._change_user_metadata("PUT", asset_id, check_user_metadata(user_metadata))

    async def delete_user_metadata(self, asset_id: str) -> None:
        """Delete all user metadata of an asset.

        Args:
            asset_id: The asset's id.

        Raises:
            NotFoundError: The asset does not exist.
        """
        await self._change_user_metadata("DELETE", asset_id)

    async def upload(self, order: UploadOrder, method: str | None = None) -> Asset:
        """Create an asset of a file or URL, by one request or in chunks. For other modules of the core."""
        media, io = order.media, self._session.io
        size = await io.blocking(lambda: _size(media))
        asset_type = order.asset_type or await io.blocking(lambda: media_type_of(media)) or kind_by_name(order.filename)
        method = upload_method(media, size, asset_type, method)
        if method == "multipart":
            asset_type = await io.blocking(lambda: multipart_type(media, asset_type))
            return await self._upload_in_chunks(replace(order, asset_type=asset_type))
        asset = await self._upload_in_one_request(order, method)
        content = order.content
        if content is not None and media.is_local:
            await io.blocking(lambda: check_unchanged(media, content))
        return asset

    async def wait_until_settled(self, asset_id: str, timeout: float | None) -> Asset:
        """Wait until an asset is `ready` or `failed`, and return it. For other modules of the core."""
        deadline = Deadline(self._session.settings.task_timeout if timeout is None else timeout)
        asset = await poll_until(lambda: self.retrieve(asset_id), _is_settled, deadline, self._session.io.sleep)
        if not _is_settled(asset):
            raise TaskTimeoutError(f"asset {asset_id} is not ready after {deadline.limit:g} s; wait again with its id.")
        return asset

    async def as_ready_asset(self, media: Media, asset_type: str) -> Media:
        """Upload local media and return it as a ready asset. For other modules of the core."""
        asset = await self.create(media, asset_type=asset_type)
        await self.wait(asset.id)
        return Media.of(f"asset:{asset.id}", source=media.source)

    async def _upload_in_one_request(self, order: UploadOrder, method: str) -> Asset:
        media = order.media
        options = {name: json.dumps(value) for name, value in order.options.items()}  # form fields: true, false, object
        fields = {"method": method, "filename": order.filename, **options}
        if media.url is not None:
            body = form_body({**fields, "url": media.url})
        else:
            body = await self._session.io.blocking(lambda: form_body(fields, media, filename=order.filename))
        if order.on_sent is not None:
            body = counted(body, order.on_sent)
        call = Call(f"upload {media.source}", "POST", "/assets", body=body)
        return parse_asset((await self._session.send(call)).body)

    async def _upload_in_chunks(self, order: UploadOrder) -> Asset:
        asset_id = await self._chunked_uploads.upload(order)
        asset = await self.retrieve(asset_id)
        if order.content is None:
            await self._session.io.blocking(lambda: self._open_store().drop_upload(asset_id))
        return asset

    async def _change_user_metadata(self, method: str, asset_id: str, changes: dict[str, Any] | None = None) -> None:
        body = None if changes is None else json_body({"user_metadata": changes})
        attempt = f"change the user metadata of asset {asset_id}"
        await self._session.send(Call(attempt, method, f"{_path(asset_id)}/user-metadata", body=body))


def failure_of(asset: Asset) -> str:
    """Return what is wrong with an asset that failed."""
    return f"asset {asset.id} failed: {(asset.error or 'no reason given').rstrip('.')}. Upload it again."


def _check_among(name: str, values: Sequence[str], allowed: Sequence[str]) -> None:
    for value in values:
        if value not in allowed:
            raise InputError(f"{name} must be among {', '.join(allowed)}; got {value!r}.")


def _path(asset_id: str) -> str:
    return f"/assets/{path_part(asset_id, 'asset')}"


def _is_settled(asset: Asset) -> bool:
    return asset.status in ("ready", "failed")


def _size(media: Media) -> int | None:
    check_readable(media)
    return media.size() if media.is_local else None
