"""The assets of paid work: local media is uploaded once for all its tasks, and deleted after use on request."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twelvelabs_core.api.assets import AsyncAssets, failure_of
from twelvelabs_core.api.chunked_upload import UploadOrder
from twelvelabs_core.base.errors import NotFoundError, TaskFailedError
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")


class MediaAssets:
    """Keeps one asset for each content of this account."""

    def __init__(self, session: Session, assets: AsyncAssets, open_store: "Callable[[], SegmentStore]") -> None:
        self._session = session
        self._io = session.io
        self._assets = assets
        self._open_store = open_store

    @asynccontextmanager
    async def lock(self, content: str, source: str, timeout: float) -> AsyncIterator[None]:
        """Lock the asset of a content: tasks upload it once, and none deletes what another needs."""
        async with single_flight(self._io, self._open_store(), f"asset {content}", source=source, timeout=timeout):
            yield

    async def ensure_uploaded(self, order: UploadOrder, timeout: float, *, embeds: bool = True) -> str:
        """Return the id of a ready asset of the media: the one uploaded before, or a new one.

        Args:
            order: The media.
            timeout: Longest wait for the asset, in seconds.
            embeds: Whether a task follows. Then nothing is uploaded while the API refuses such tasks.
        """
        content = order.content or ""
        known = await self.find(content)
        if known is not None and await self._is_ready(known, timeout):
            return known
        if known is not None:
            await self.forget(content)
        if embeds and order.asset_type is not None:
            self._session.check_pause(order.asset_type, f"embed {order.media.source}")
        # The store keeps the session of an upload in chunks until the asset is ready: an interrupted run resumes it.
        asset = await self._assets.wait_until_settled((await self._assets.upload(order)).id, timeout)
        store = self._open_store()
        if asset.status == "failed":
            await self._io.blocking(lambda: store.drop_upload(asset.id))
            raise TaskFailedError(f"{order.media.source}: {failure_of(asset)}")
        await self._io.blocking(lambda: store.put_asset(content, self._account, asset.id))
        return asset.id

    async def delete_unused(self, content: str, source: str, timeout: float) -> None:
        """Delete the asset that was uploaded for a task, unless another task of the same content is unfinished."""
        store = self._open_store()
        async with self.lock(content, source, timeout):
            asset_id = await self.find(content)
            if asset_id is None:
                return
            if await self._io.blocking(lambda: store.is_under_way(content, self._account)):
                logger.info("asset %s of %s is kept: another task needs it", asset_id, source)
                return
            try:
                await self._assets.delete(asset_id)
            except NotFoundError:
                logger.info("asset %s of %s was already deleted", asset_id, source)
            await self.forget(content)

    async def find(self, content: str) -> str | None:
        """Return the id of the asset that this account uploaded for the content, or None."""
        store = self._open_store()
        return await self._io.blocking(lambda: store.find_asset(content, self._account))

    async def forget(self, content: str) -> None:
        """Remove the asset of the content from the segment store."""
        store = self._open_store()
        await self._io.blocking(lambda: store.drop_asset(content, self._account))

    async def exists(self, asset_id: str) -> bool:
        """Whether the API still has an asset."""
        try:
            await self._assets.retrieve(asset_id)
        except NotFoundError:
            return False
        return True

    async def _is_ready(self, asset_id: str, timeout: float) -> bool:
        try:
            await self._assets.wait(asset_id, timeout=timeout)
        except NotFoundError:
            return False
        return True

    @property
    def _account(self) -> str:
        return self._session.settings.account
