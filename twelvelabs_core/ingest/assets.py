"""The assets of paid work: local bytes are uploaded once for all tasks of them, and deleted after use on request."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twelvelabs_core.api.assets import asset_failed
from twelvelabs_core.api.uploads import UploadOrder
from twelvelabs_core.base.errors import NotFoundError
from twelvelabs_core.ingest.single_flight import single_flight
from twelvelabs_core.ingest.wait import WatchOperations
from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

NO_PLAYBACK = {"enable_hls": False, "enable_thumbnail": False}


class PaidAssets(WatchOperations):
    """Keeps one asset for each content of this account."""

    @asynccontextmanager
    async def _asset_lock(self, order: UploadOrder, timeout: float) -> AsyncIterator[None]:
        """Hold the asset of a content, so that two tasks upload it once and none deletes what another needs."""
        place, key = place_of(self.store), f"asset {order.content}"
        async with single_flight(self._io, place, key, source=order.media.source, timeout=timeout):
            yield

    async def _make_reachable(self, order: UploadOrder, timeout: float, *, embeds: bool = True) -> None:
        """See that local bytes are a ready asset: the one uploaded before, or a new one.

        Args:
            order: The bytes.
            timeout: Longest wait for the asset, in seconds.
            embeds: Whether a task is to follow; False where the asset is wanted for something else.
        """
        if await self._is_uploaded(order, timeout):
            return
        if embeds and order.asset_type is not None:  # what cannot be embedded today need not be uploaded today
            self._check_pause(order.asset_type, f"embed {order.media.source}")
        # Until the asset is known to be ready, the store keeps the session of an upload in chunks: a run that was
        # broken off finds it, sends nothing again and waits for the same asset.
        asset = await self._settled_asset((await self._upload(order)).id, timeout)
        if asset.status == "failed":
            await self._io.blocking(lambda: self.store.drop_upload(asset.id))
            raise asset_failed(asset)
        await self._io.blocking(lambda: self.store.put_asset(order.content or "", self.settings.account, asset.id))

    async def _is_uploaded(self, order: UploadOrder, timeout: float) -> bool:
        known = await self._asset_of(order)
        if known is None:
            return False
        try:
            await self.wait_for_asset(known, timeout=timeout)
        except NotFoundError:
            await self._forget_asset(order)
            return False
        return True

    async def _delete_used_asset(self, order: UploadOrder, timeout: float) -> None:
        """Delete the asset that was uploaded for a task, unless another task of the same content is under way."""
        account, content = self.settings.account, order.content or ""
        async with self._asset_lock(order, timeout):
            asset_id = await self._asset_of(order)
            if asset_id is None:
                return
            if await self._io.blocking(lambda: self.store.is_under_way(content, account)):
                logger.info("asset %s of %s is kept: another task needs it", asset_id, order.media.source)
                return
            try:
                await self.delete_asset(asset_id)
            except NotFoundError:
                logger.info("asset %s of %s was gone already", asset_id, order.media.source)
            await self._forget_asset(order)

    async def _asset_of(self, order: UploadOrder) -> str | None:
        return await self._io.blocking(lambda: self.store.find_asset(order.content or "", self.settings.account))

    async def _forget_asset(self, order: UploadOrder) -> None:
        await self._io.blocking(lambda: self.store.drop_asset(order.content or "", self.settings.account))


def place_of(store: SegmentStore) -> str:
    """Name a store among all of this process; each one in memory is its own."""
    return f"{store.location} {id(store)}" if store.location == ":memory:" else store.location
