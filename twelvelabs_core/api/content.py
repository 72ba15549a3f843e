"""The content identity of local media: the SHA-256 of its bytes, remembered in the segment store."""

import time
from typing import TYPE_CHECKING

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import Media, name_of_path

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore

# A file written within the last two seconds may change again without a new modification time; its digest is not kept.
_SETTLED_AFTER = 2.0


def local_content(media: Media, store: "SegmentStore") -> str:
    """Return the content identity of local media, `sha256:<hex>`.

    A file that has kept its size and modification time since it was last read is not read again.
    """
    if media.path is None:
        return f"sha256:{media.sha256()}"
    path = name_of_path(str(media.path.absolute()))
    size, modified_at = media.stamp()
    digest = store.find_digest(path, size, modified_at)
    if digest is None:
        digest = media.sha256()
        if (size, modified_at) == media.stamp() and time.time() - modified_at / 1e9 > _SETTLED_AFTER:
            store.put_digest(path, size, modified_at, digest)
    return f"sha256:{digest}"


def check_unchanged(media: Media, content: str) -> None:
    """Refuse local media whose bytes are not any more those that were identified before the upload."""
    if f"sha256:{media.sha256()}" != content:
        raise changed_during_upload(media)


def changed_during_upload(media: Media) -> InputError:
    """Return the error for media that was replaced while it was uploaded."""
    return InputError(f"{media.source}: the file changed during its upload; nothing was paid for. Try again.")
