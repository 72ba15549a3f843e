"""What is kept with an asset: the words spoken in it, and its owner's notes.

Assets: uploads that tasks and other requests refer to by id.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from twelvelabs_core.api.endpoints import (
    DELETE_ASSET,
    GET_ASSET,
    GET_ASSETS,
    GET_TRANSCRIPTION,
    IN_CHUNKS,
    POST_ASSETS,
    USER_METADATA,
    calls,
)
from twelvelabs_core.api.identity import check_unchanged
from twelvelabs_core.api.uploads import UploadOperations, UploadOrder
from twelvelabs_core.base.errors import InputError, TaskTimeoutError, TwelveLabsError
from twelvelabs_core.base.progress import OnProgress, Progress, check_callback
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.media.inspect import kind_by_name
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
from twelvelabs_core.models.marengo import model_of
from twelvelabs_core.results.responses import Asset, parse_asset, parse_asset_page
from twelvelabs_core.results.upload_responses import Transcription, parse_transcription
from twelvelabs_core.store.store import SegmentStore
from twelvelabs_core.transport.body import Call, counted, form_body, json_body
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.polling import Patience, last_seen
from twelvelabs_core.transport.rate_limiter import RateLimiter
from twelvelabs_core.transport.session import path_part

TRANSCRIPTION_KINDS = ("words", "sentences", "utterances")


class AssetDetailOperations(UploadOperations):
    """Reads transcriptions; writes user metadata."""

    @calls(GET_TRANSCRIPTION)
    async def retrieve_transcription(self, asset_id: str, *, include: Sequence[str] = ("words",)) -> Transcription:
        """Return the words spoken in an audio or video asset, as far as the API has made them out.

        Args:
            asset_id: The asset's id.
            include: Which of `words`, `sentences`, `utterances` (speakers' turns).

        Returns:
            A `Transcription`. Look at its `status`; a kind that was asked for can be missing though it is `ready`.

        Raises:
            NotFoundError: There is no asset of this id, or it has no transcription.
        """
        kinds = many(include, "include")
        unknown = [kind for kind in kinds if kind not in TRANSCRIPTION_KINDS]
        if unknown or not kinds:
            got = repr(unknown[0]) if unknown else "none"
            raise InputError(f"include must be among {', '.join(TRANSCRIPTION_KINDS)}; got {got}.")
        path = f"/assets/{path_part(asset_id, 'asset')}/transcription"
        params = tuple(("include", kind) for kind in kinds)
        call = Call(f"get the transcription of asset {asset_id}", "GET", path, params)
        return parse_transcription((await self._call(call)).body)

    @calls(f"PATCH {USER_METADATA}")
    async def update_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        """Merge notes into those kept on an asset: names given are set, None deletes one, the others stay.

        Args:
            asset_id: The asset's id.
            user_metadata: Names and values: str, number, bool or list of str. The API ignores an empty str or list.

        Raises:
            NotFoundError: There is no asset of this id.
        """
        await self._change_user_metadata("PATCH", asset_id, user_metadata)

    @calls(f"PUT {USER_METADATA}")
    async def replace_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        """Replace all notes kept on an asset.

        Args:
            asset_id: The asset's id.
            user_metadata: As for `update_user_metadata`; None, an empty str or list is ignored.

        Raises:
            NotFoundError: There is no asset of this id.
        """
        await self._change_user_metadata("PUT", asset_id, user_metadata)

    @calls(f"DELETE {USER_METADATA}")
    async def delete_user_metadata(self, asset_id: str) -> None:
        """Delete all notes kept on an asset.

        Args:
            asset_id: The asset's id.

        Raises:
            NotFoundError: There is no asset of this id.
        """
        await self._change_user_metadata("DELETE", asset_id, None)

    async def _change_user_metadata(self, method: str, asset_id: str, user_metadata: UserMetadata | None) -> None:
        path = f"/assets/{path_part(asset_id, 'asset')}/user-metadata"
        body = None
        if method != "DELETE":
            body = json_body({"user_metadata": check_user_metadata(user_metadata)})
        await self._call(Call(f"change the user metadata of asset {asset_id}", method, path, body=body))


class AssetOperations(AssetDetailOperations):
    """Uploads, finds and deletes assets."""

    def __init__(
        self,
        settings: Settings,
        io: Io,
        *,
        model: str,
        store: Callable[[], SegmentStore],
        embedding_dimension: int | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        super().__init__(settings, io, store=store, rate_limiter=rate_limiter)
        self._rules = model_of(model)
        self.model = self._rules.name
        self.embedding_dimension = self._rules.dimension(embedding_dimension)

    @calls(POST_ASSETS, also=(*IN_CHUNKS, GET_ASSET))
    async def create_asset(
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
        """Upload a file from disk, or have the API fetch a URL.

        The asset is `processing` at first; `wait_for_asset` returns it `ready`. A local file of up to 200 MB goes in
        one request, streamed from disk and never repeated by itself, since an asset may exist already when the answer
        is lost. A larger one goes in chunks, several at once and each repeated as needed; when the upload breaks off,
        even by a crash, the same call within 24 hours sends only what the server does not have.

        Args:
            media: Path, bytes or binary file object: video and audio to 10 GB, images to 32 MB, PDF, text and Markdown
                to 200 MB. Or an http(s) URL: video and audio to 4 GB, documents to 512 MB (API reference).
            filename: Name to give it, 1 to 255 characters. Default: the file's.
            asset_type: `video`, `audio`, `image` or `document`. Default: by the name, else by the content.
            method: `direct` (one request), `multipart` (in chunks) or `url`. Default: by the size.
            enable_hls: Whether to make a stream for players.
            enable_thumbnail: Whether to make a thumbnail.
            user_metadata: Notes to keep on it: names with str, number, bool or list of str.
            on_progress: Called with a `Progress` of stage `uploading` as bytes go out, from other threads too.

        Returns:
            The `Asset`, with its id.

        Raises:
            InputError: The file is missing, empty, too large, or changed while it was sent.
        """
        check_callback(on_progress, "on_progress")
        check_asset_type(asset_type)
        item = await self._io.blocking(lambda: Media.of(media))
        name = check_filename(item.filename if filename is None else filename)
        options: dict[str, Any] = {"enable_hls": bool(enable_hls), "enable_thumbnail": bool(enable_thumbnail)}
        if user_metadata is not None:
            options["user_metadata"] = check_user_metadata(user_metadata)
        order = UploadOrder(item, name, filename is not None, asset_type, options, _reporter(item, on_progress))
        return await self._upload(order, method)

    async def _upload(self, order: UploadOrder, method: str | None = None) -> Asset:
        """Make an asset of a medium, by one request or in chunks; by the size, if no method is given."""
        size = await self._io.blocking(lambda: _size(order.media))
        kind = order.asset_type or kind_by_name(order.filename)
        method = upload_method(order.media, size, kind, method)
        if method != "multipart":
            asset = await self._upload_at_once(order, method)
            content = order.content
            if content is not None and order.media.is_local:
                await self._io.blocking(lambda: check_unchanged(order.media, content))
            return asset
        kind = await self._io.blocking(lambda: multipart_type(order.media, kind))
        asset_id = await self._upload_in_chunks(replace(order, asset_type=kind))
        asset = await self.retrieve_asset(asset_id)
        if order.content is None:
            await self._io.blocking(lambda: self.store.drop_upload(asset_id))
        return asset

    async def _upload_at_once(self, order: UploadOrder, method: str) -> Asset:
        options = {name: json.dumps(value) for name, value in order.options.items()}  # true, false, and an object
        fields = {"method": method, "filename": order.filename, **options}
        if order.media.url is not None:
            body = form_body({**fields, "url": order.media.url})
        else:
            body = await self._io.blocking(lambda: form_body(fields, order.media, filename=order.filename))
        if order.on_sent is not None:
            body = counted(body, order.on_sent)
        call = Call(f"upload {order.media.source}", "POST", "/assets", body=body, repeatable=False)
        return parse_asset((await self._call(call)).body)

    @calls(GET_ASSET)
    async def retrieve_asset(self, asset_id: str) -> Asset:
        """Return an asset as it is now.

        Raises:
            NotFoundError: There is none of this id.
        """
        call = Call(f"look at asset {asset_id}", "GET", f"/assets/{path_part(asset_id, 'asset')}")
        return parse_asset((await self._call(call)).body)

    @calls(GET_ASSETS)
    async def list_assets(
        self,
        *,
        asset_ids: Sequence[str] = (),
        asset_types: Sequence[str] = (),
        filename: str | None = None,
    ) -> AsyncIterator[Asset]:
        """Iterate over the account's assets, newest first; pages are fetched as they are needed.

        Args:
            asset_ids: Only these.
            asset_types: Only these kinds: `image`, `video`, `audio`, `document`.
            filename: Only names that contain this, whatever the case.
        """
        ids, types = many(asset_ids, "asset_ids"), many(asset_types, "asset_types")
        unknown = [kind for kind in types if kind not in ASSET_TYPES]
        if unknown:
            raise InputError(f"asset_types must be among {', '.join(ASSET_TYPES)}; got {unknown[0]!r}.")
        params = [("asset_ids", item) for item in ids] + [("asset_types", kind) for kind in types]
        call = Call("list assets", "GET", "/assets", tuple(params))
        async for asset in self._pages(call, parse_asset_page, {} if filename is None else {"filename": filename}):
            yield asset

    @calls(DELETE_ASSET)
    async def delete_asset(self, asset_id: str, *, force: bool = False) -> None:
        """Delete an asset.

        Args:
            asset_id: Its id.
            force: Delete it though an index refers to it.

        Raises:
            NotFoundError: There is none of this id.
            BadRequestError: Something refers to it (409), and `force` is not set.
        """
        params = (("force", "true"),) if force else ()
        await self._call(Call(f"delete asset {asset_id}", "DELETE", f"/assets/{path_part(asset_id, 'asset')}", params))

    @calls(GET_ASSET)
    async def wait_for_asset(self, asset_id: str, *, timeout: float | None = None) -> Asset:
        """Wait until an asset can be used.

        Args:
            asset_id: Its id.
            timeout: Longest wait in seconds. Default: the settings' `task_timeout`.

        Returns:
            The asset, `ready`.

        Raises:
            TwelveLabsError: The asset failed; the message has the server's reason.
            TaskTimeoutError: It was not ready in time.
        """
        asset = await self._settled_asset(asset_id, timeout)
        if asset.status == "failed":
            raise asset_failed(asset)
        return asset

    async def _settled_asset(self, asset_id: str, timeout: float | None) -> Asset:
        """Wait until an asset is `ready` or `failed`."""
        patience = Patience(self.settings.task_timeout if timeout is None else timeout)
        asset = await last_seen(lambda: self.retrieve_asset(asset_id), _is_settled, patience, self._io.sleep)
        if not _is_settled(asset):
            reason = f"asset {asset_id} is not ready after {patience.limit:g} s; wait again with its id."
            raise TaskTimeoutError(reason)
        return asset

    async def _as_ready_asset(self, media: Media, asset_type: str) -> Media:
        asset = await self.create_asset(media, asset_type=asset_type)
        await self.wait_for_asset(asset.id)
        return Media.of(f"asset:{asset.id}", source=media.source)


def asset_failed(asset: Asset) -> TwelveLabsError:
    """Return the error for an asset that cannot be used."""
    return TwelveLabsError(f"asset {asset.id} failed: {asset.error or 'no reason given'}. Upload it again.")


def _is_settled(asset: Asset) -> bool:
    return asset.status in ("ready", "failed")


def _size(media: Media) -> int | None:
    check_readable(media)
    return media.size() if media.is_local else None


def _reporter(media: Media, on_progress: OnProgress | None) -> Callable[[int, int], None] | None:
    if on_progress is None:
        return None

    def report(done: int, total: int) -> None:
        on_progress(Progress(media.source, "uploading", done, total))

    return report
