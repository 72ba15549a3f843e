"""The content identity of any medium, by which paid work is found again."""

import logging
import re
from typing import TYPE_CHECKING

from twelvelabs_core.api.content import local_content
from twelvelabs_core.base.redact import unsigned_url
from twelvelabs_core.media.source import Media
from twelvelabs_core.transport.body import NoAnswerError
from twelvelabs_core.transport.io import Exchange, Io
from twelvelabs_core.transport.polling import LAST_REQUEST, current_time_limit
from twelvelabs_core.transport.session import USER_AGENT

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_DIGEST = re.compile(r"~[0-9a-f]{16}")  # in place of a value that looks like a credential
_HEAD_TIMEOUT = 10.0  # seconds in total
_NO_VALIDATOR = (
    "%s: its host sends neither ETag nor Last-Modified, so its content is identified by the URL without its signature; "
    "pass version= when the media at this URL changes"
)


async def content_of(media: Media, store: "SegmentStore", io: Io) -> str:
    """Return the content identity of a medium.

    It is the SHA-256 of local bytes, the asset id, or the URL without its signature and with the ETag or Last-Modified
    that its host sends. A host that sends neither does not change the identity. `version` of the medium replaces what
    the host sends; with `source` it also replaces a URL whose values look like credentials.
    """
    if media.asset_id is not None:
        return f"asset:{media.asset_id}"
    if media.url is None:
        return await io.blocking(lambda: local_content(media, store))
    name = unsigned_url(media.url)
    if media.version is not None:
        # A value that only looks like a credential may change with every signing; then `source=` names the media.
        name = media.source if _DIGEST.search(name) else name
        return f"url:{name}@version:{media.version}"
    validator = await _fetch_validator(media.url, io)
    if validator is None and name != media.url:
        logger.warning(_NO_VALIDATOR, media.source)
    known = await io.blocking(lambda: store.find_url(name))
    if known is not None and validator in (None, known[1]):
        return known[0]
    if known is not None and known[1] is None:
        content = known[0]  # first stored without a validator: nothing shows that the media changed
    else:
        content = f"url:{name}@{validator}" if validator else f"url:{name}"
    await io.blocking(lambda: store.put_url(name, content, validator))
    return content


async def _fetch_validator(url: str, io: Io) -> str | None:
    """Request the headers of a URL from its own host, without the API key."""
    seconds = min(_HEAD_TIMEOUT, current_time_limit().until + LAST_REQUEST - io.now())
    head = Exchange("HEAD", url, {"user-agent": USER_AGENT}, _HEAD_TIMEOUT, seconds, follow_redirects=True)
    try:
        reply = await io.exchange(head)
    except NoAnswerError:
        return None
    if not reply.ok:
        return None
    etag = reply.headers.get("etag", "").removeprefix("W/").strip('"')
    return f"etag:{etag}" if etag else (reply.headers.get("last-modified") or None)
