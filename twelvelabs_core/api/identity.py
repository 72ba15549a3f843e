"""Which content is it? The identity of a medium's bytes, by which paid work is found again."""

import logging
import time
from collections.abc import Mapping

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.base.redact import is_signed, unsigned_url
from twelvelabs_core.media.source import Media, name_of_path
from twelvelabs_core.store.store import SegmentStore
from twelvelabs_core.transport.body import NoAnswerError
from twelvelabs_core.transport.io import Exchange, Io
from twelvelabs_core.transport.session import USER_AGENT

HEAD_TIMEOUT = 10.0
HEAD_MAX_BYTES = 64 * 1024
# A file written within the last moments may change again without a new time stamp; its digest is not remembered.
_SETTLED_AFTER = 2.0
_NO_VALIDATOR = (
    "%s: its host gives neither ETag nor Last-Modified, so its content is identified by the URL without its signature "
    "alone; pass version= when the video at this URL has changed, and source= where the URL's name changes with every "
    "signing"
)

logger = logging.getLogger("twelvelabs_core")


async def content_of(media: Media, store: SegmentStore, io: Io) -> str:
    """Return the identity of a medium's content.

    The SHA-256 of local bytes (a file that has kept its size and time is not read again), the asset id, or the URL
    without its signature. Behind a URL, a different ETag or Last-Modified means other content; a missing one means
    nothing. The caller's `version` replaces both.
    """
    if media.asset_id is not None:
        return f"asset:{media.asset_id}"
    if media.url is not None:
        return await _content_of_url(media, media.url, store, io)
    return "sha256:" + await io.blocking(lambda: _digest(media, store))


def check_unchanged(media: Media, content: str) -> None:
    """Refuse local media that is no longer what its identity says: it was uploaded while somebody replaced it.

    Raises:
        InputError: It has other bytes now.
    """
    if "sha256:" + media.sha256() != content:
        raise changed_meanwhile(media)


def changed_meanwhile(media: Media) -> InputError:
    """Return the error for media that somebody replaced while it was uploaded."""
    return InputError(f"{media.source}: changed while it was being uploaded; nothing was paid for. Try again.")


def _digest(media: Media, store: SegmentStore) -> str:
    if media.path is None:
        return media.sha256()
    path = name_of_path(str(media.path.absolute()))
    size, changed_at = media.stamp()
    known = store.find_digest(path, size, changed_at)
    if known is not None:
        return known
    digest = media.sha256()
    unchanged = (size, changed_at) == media.stamp()
    if unchanged and time.time() - changed_at / 1e9 > _SETTLED_AFTER:
        store.put_digest(path, size, changed_at, digest)
    return digest


async def _content_of_url(media: Media, url: str, store: SegmentStore, io: Io) -> str:
    if media.version is not None:
        # The source's name, not the URL's: with source= both are constant, whatever a signing changes in the URL.
        return f"url:{media.source}@version:{media.version}"
    name = unsigned_url(url)
    validator = await _validator(url, io)
    if validator is None and is_signed(url):
        logger.warning(_NO_VALIDATOR, media.source)
    known = await io.blocking(lambda: store.find_url(name))
    if known is not None and (validator is None or validator == known.validator):
        return known.content
    if known is not None and known.validator is None:
        content = known.content  # first seen without a validator: nothing indicates a change
    else:
        content = f"url:{name}@{validator}" if validator else f"url:{name}"
    await io.blocking(lambda: store.put_url(name, content, validator))
    return content


async def _validator(url: str, io: Io) -> str | None:
    """Ask the film's own host, without the key, for what tells one state of it from the next."""
    head = Exchange("HEAD", url, {"user-agent": USER_AGENT}, None, None, HEAD_MAX_BYTES, HEAD_TIMEOUT, True)
    try:
        reply = await io.exchange(head)
    except NoAnswerError:
        return None
    return _of_headers(reply.headers) if reply.ok else None


def _of_headers(headers: Mapping[str, str]) -> str | None:
    etag = headers.get("etag", "").removeprefix("W/").strip('"')
    return f"etag:{etag}" if etag else (headers.get("last-modified") or None)
