"""Assets: uploads that tasks and other requests refer to by id."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from twelvelabs_core import _limits
from twelvelabs_core._checks import check_readable
from twelvelabs_core._errors import InputError, TaskTimeoutError, TwelveLabsError
from twelvelabs_core._io import Io
from twelvelabs_core._media import Media, MediaInput
from twelvelabs_core._media_lists import many
from twelvelabs_core._models import model_of
from twelvelabs_core._operations._base import Requests, path_part
from twelvelabs_core._polling import Patience
from twelvelabs_core._rate_limiter import RateLimiter
from twelvelabs_core._responses import Asset, parse_asset, parse_asset_page
from twelvelabs_core._settings import Settings
from twelvelabs_core._wire import Body, Call, counted, form_body

ASSET_TYPES = ("image", "video", "audio", "document")


class AssetOperations(Requests):
    """Uploads, finds and deletes assets."""

    def __init__(
        self,
        settings: Settings,
        io: Io,
        *,
        model: str,
        embedding_dimension: int | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        super().__init__(settings, io, rate_limiter)
        self._rules = model_of(model)
        self.model = self._rules.name
        self.embedding_dimension = self._rules.dimension(embedding_dimension)

    async def create_asset(
        self,
        media: MediaInput,
        *,
        filename: str | None = None,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
    ) -> Asset:
        """Upload a file from disk, or have the API fetch a URL.

        The asset is `processing` at first; `wait_for_asset` returns it `ready`. The upload is streamed from disk and
        never repeated by itself, since an asset may exist already when the answer is lost.

        Args:
            media: Path, bytes or binary file object of at most 200 MB (API reference), or an http(s) URL (4 GB).
            filename: Name to give it, 1 to 255 characters. Default: the file's.
            enable_hls: Whether to make a stream for players.
            enable_thumbnail: Whether to make a thumbnail.

        Returns:
            The `Asset`, with its id.

        Raises:
            InputError: The file is missing, empty or too large.
        """
        return await self._upload(Media.of(media), filename, enable_hls=enable_hls, enable_thumbnail=enable_thumbnail)

    async def _upload(
        self,
        item: Media,
        filename: str | None = None,
        *,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
        on_sent: Callable[[int, int], None] | None = None,
    ) -> Asset:
        name = filename or item.filename
        if len(name) > _limits.FILENAME_MAX:
            raise InputError(f"filename may have at most {_limits.FILENAME_MAX} characters, got {len(name)}.")
        fields = {
            "method": "direct" if item.is_local else "url",
            "filename": name,
            "enable_hls": _word(enable_hls),
            "enable_thumbnail": _word(enable_thumbnail),
        }
        body = await self.io.blocking(lambda: _asset_body(item, fields, name))
        if on_sent is not None:
            body = counted(body, on_sent)
        call = Call(f"upload {item.source}", "POST", "/assets", body=body, repeatable=False)
        return parse_asset((await self.call(call)).body)

    async def retrieve_asset(self, asset_id: str) -> Asset:
        """Return an asset as it is now.

        Raises:
            NotFoundError: There is none of this id.
        """
        call = Call(f"look at asset {asset_id}", "GET", f"/assets/{path_part(asset_id, 'asset')}")
        return parse_asset((await self.call(call)).body)

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
        async for asset in self.pages(call, parse_asset_page, {} if filename is None else {"filename": filename}):
            yield asset

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
        await self.call(Call(f"delete asset {asset_id}", "DELETE", f"/assets/{path_part(asset_id, 'asset')}", params))

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
        patience = Patience(self.settings.task_timeout if timeout is None else timeout)
        while True:
            asset = await self.retrieve_asset(asset_id)
            if asset.status == "ready":
                return asset
            if asset.status == "failed":
                raise TwelveLabsError(f"asset {asset_id} failed: {asset.error or 'no reason given'}. Upload it again.")
            if patience.is_over:
                raise TaskTimeoutError(
                    f"asset {asset_id} is not ready after {patience.limit:g} s; wait again with its id.",
                    task_id=asset_id,
                )
            await self.io.sleep(patience.next_look())

    async def _as_ready_asset(self, media: Media) -> Media:
        asset = await self.create_asset(media)
        await self.wait_for_asset(asset.id)
        return Media.of(f"asset:{asset.id}", source=media.source)


def _asset_body(media: Media, fields: dict[str, str], filename: str) -> Body:
    if media.url is not None:
        return form_body({**fields, "url": media.url})
    if media.asset_id is not None:
        raise InputError(f"{media.source} is an asset already.")
    check_readable(media)
    return form_body(fields, media, filename=filename)


def _word(value: Any) -> str:
    return "true" if value else "false"
