"""The content identity of media, by which paid work is found again."""

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twelvelabs_core.api.content import local_content
from twelvelabs_core.base.redact import unsigned_url
from twelvelabs_core.media.source import Media
from twelvelabs_core.transport.body import NoAnswerError, Reply
from twelvelabs_core.transport.io import Exchange, Io
from twelvelabs_core.transport.polling import LAST_REQUEST, current_time_limit
from twelvelabs_core.transport.session import USER_AGENT

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import KnownUrl
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_DIGEST = re.compile(r"~[0-9a-f]{16}")  # in place of a value that looks like a credential
_TIMEOUT = 10.0  # seconds in total, for each request
_SILENT_SEC = 60.0  # for which a host that did not answer in time is not asked again: each request holds up a medium
_FIRST_BYTE = {"range": "bytes=0-0"}
_NO_VALIDATOR = (
    "%s: %s, so its content is identified by the URL without its signature; pass version= when the media at this URL "
    "changes (logged once for each host)"
)


@dataclass(frozen=True, slots=True)
class MediaHosts:
    """What a client knows of the hosts of media.

    Attributes:
        warned: The hosts of which the log says already that they send no validator.
        silent_until: The time of `Io.now` until which a host that did not answer in time is not asked again.
    """

    warned: set[str] = field(default_factory=set)
    silent_until: dict[str, float] = field(default_factory=dict)


async def content_of(media: Media, store: "SegmentStore", io: Io, hosts: MediaHosts) -> str:
    """Return the content identity of media.

    It is the SHA-256 of local bytes, the asset id, or the URL without its signature and with the ETag or Last-Modified
    that its host sends. A host that sends neither does not change the identity. `version` of the media replaces what
    the host sends; with `source` it also replaces a URL whose values look like credentials.

    Args:
        media: The video, audio file, document or image.
        store: Remembers digests of files and validators of URLs.
        io: How to send and wait.
        hosts: What earlier requests showed of the hosts of media; extended here.
    """
    validator = await validator_of(media, io, hosts)
    name = validated_url(media)
    if name is None:
        return await io.blocking(lambda: stated_content(media, store))

    def find() -> str:
        known = store.find_url(name)
        found = url_now(name, validator, known)
        if found != known:
            store.put_url(name, *found)
        return found.content

    return await io.blocking(find)


def validated_url(media: Media) -> str | None:
    """Return the unsigned URL of media whose identity depends on what the host says of it; None for any other."""
    return unsigned_url(media.url) if media.url is not None and media.version is None else None


def stated_content(media: Media, store: "SegmentStore") -> str:
    """Return the content identity of an asset, of local bytes, or of a URL with a version."""
    if media.asset_id is not None:
        return f"asset:{media.asset_id}"
    if media.url is None:
        return local_content(media, store)
    name = unsigned_url(media.url)
    # A value that only looks like a credential may change with every signing; then `source=` names the media.
    name = media.source if _DIGEST.search(name) else name
    return f"url:{name}@version:{media.version}"


def url_now(name: str, validator: str | None, known: "KnownUrl | None") -> "KnownUrl":
    """Return what is known of an unsigned URL, now that its host has sent this validator."""
    from twelvelabs_core.store.entries import KnownUrl  # noqa: PLC0415  # start-up without numpy

    if known is None:
        return KnownUrl(f"url:{name}@{validator}" if validator else f"url:{name}", validator)
    if validator in (None, known.validator):
        return known
    # First stored without a validator: nothing shows that the media changed.
    return KnownUrl(known.content if known.validator is None else f"url:{name}@{validator}", validator)


async def validator_of(media: Media, io: Io, hosts: MediaHosts, *, head_only: bool = False) -> str | None:
    """Return the validator that the host of a URL sends, where the identity of the media depends on it.

    With `head_only`, a host that refuses HEAD is not asked in another way.
    """
    name = validated_url(media)
    if name is None or media.url is None:
        return None
    host = urlsplit(media.url).netloc.rpartition("@")[2]
    validator, reason = await _fetch_validator(media.url, host, io, hosts, head_only=head_only)
    if validator is None and reason is not None and name != media.url and host not in hosts.warned:
        hosts.warned.add(host)
        logger.warning(_NO_VALIDATOR, media.source, reason)
    return validator


async def _fetch_validator(
    url: str, host: str, io: Io, hosts: MediaHosts, *, head_only: bool
) -> tuple[str | None, str | None]:
    """Request the headers of a URL from its own host, without the API key; return its validator, or why there is none.

    The signature of a presigned URL may hold for GET alone. A host that refuses HEAD is asked for the first byte, and
    only the headers of its answer are read.
    """
    if not current_time_limit().remaining(io.now()):
        return None, None  # the run has no time left, and says so
    if io.now() < hosts.silent_until.get(host, 0.0):
        return None, f"its host did not answer in the last {_SILENT_SEC:.0f} s"
    try:
        reply = await _request("HEAD", url, {}, io)
        if not reply.ok and not head_only:
            reply = await _request("GET", url, _FIRST_BYTE, io)
    except NoAnswerError as error:
        if error.timed_out:
            hosts.silent_until[host] = io.now() + _SILENT_SEC
        return None, f"its host does not answer ({error})"
    if not reply.ok:
        return None, f"its host answers HTTP {reply.status}"
    etag = reply.headers.get("etag", "").removeprefix("W/").strip('"')
    validator = f"etag:{etag}" if etag else (reply.headers.get("last-modified") or None)
    return validator, "its host sends neither ETag nor Last-Modified"


async def _request(method: str, url: str, headers: dict[str, str], io: Io) -> Reply:
    seconds = min(_TIMEOUT, current_time_limit().until + LAST_REQUEST - io.now())
    headers = {"user-agent": USER_AGENT} | headers
    return await io.exchange(Exchange(method, url, headers, _TIMEOUT, seconds, follow_redirects=True, has_body=False))
