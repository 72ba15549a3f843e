"""What may be uploaded as an asset, and how: by one request, or in chunks."""

import mimetypes
from typing import Literal

from twelvelabs_core import _limits
from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media
from twelvelabs_core._probe import probe

ASSET_TYPES = ("image", "video", "audio", "document")
MULTIPART_TYPES = ("video", "audio", "image")
METHODS = ("direct", "url", "multipart")

UploadMethod = Literal["direct", "url", "multipart"]

_LARGEST = {
    "video": _limits.UPLOAD_MAX_BYTES,
    "audio": _limits.UPLOAD_MAX_BYTES,
    "image": _limits.IMAGE_MAX_BYTES,
    "document": _limits.DOCUMENT_UPLOAD_MAX_BYTES,
}
_DOCUMENT_TYPES = frozenset({"application/pdf", "text/plain", "text/markdown"})


def check_filename(filename: object) -> str:
    """Return the name of an asset.

    Raises:
        InputError: It is no text of 1 to 255 characters.
    """
    if not isinstance(filename, str) or not filename:
        raise InputError(f"filename must be a str of 1 to {_limits.FILENAME_MAX} characters, got {filename!r}.")
    if len(filename) > _limits.FILENAME_MAX:
        raise InputError(f"filename may have at most {_limits.FILENAME_MAX} characters, got {len(filename)}.")
    return filename


def check_upload_size(name: str, size: int, asset_type: str) -> None:
    """Refuse what is larger than an upload of its kind may be.

    Raises:
        InputError: It is; the message has the limit.
    """
    limit = _LARGEST[asset_type]
    if size > limit:
        advice = "cut it, or encode it smaller" if limit == _limits.UPLOAD_MAX_BYTES else "make it smaller"
        raise InputError(
            f"{name}: {size:,} bytes; an upload of this kind ({asset_type}) may have at most {limit:,} "
            f"({_limits.in_words(limit)}); {advice}."
        )


def check_asset_type(asset_type: str | None) -> None:
    """Refuse an unknown kind of asset.

    Raises:
        InputError: It is none of the four.
    """
    if asset_type is not None and asset_type not in ASSET_TYPES:
        raise InputError(f"asset_type must be one of {', '.join(ASSET_TYPES)}; got {asset_type!r}.")


def kind_by_name(name: str) -> str | None:
    """Return what the ending of a name says that it is, or None."""
    mime_type = mimetypes.guess_type(name)[0] or ""
    if mime_type in _DOCUMENT_TYPES:
        return "document"
    kind = mime_type.partition("/")[0]
    return kind if kind in MULTIPART_TYPES else None


def upload_method(media: Media, size: int | None, asset_type: str | None, method: str | None) -> UploadMethod:
    """Return how a medium goes to the API.

    Args:
        media: The medium.
        size: Its bytes, if it is local.
        asset_type: What it is, if that is known.
        method: What the caller asks for; None leaves it to the size.

    Raises:
        InputError: It cannot go this way, or is too large for any.
    """
    if method is not None and method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    if size is None:
        return _method_of_remote(media, method)
    if asset_type is not None:
        check_upload_size(media.source, size, asset_type)
    if method == "url":
        raise InputError(f"{media.source}: method='url' takes an http(s) URL, this is local.")
    limit = _limits.DIRECT_UPLOAD_MAX_BYTES
    if method == "direct" and size > limit:
        raise InputError(
            f"{media.source}: {size:,} bytes; a direct upload may have at most {limit:,} ({_limits.in_words(limit)}); "
            "leave method out, and it goes in chunks."
        )
    return method or ("direct" if size <= limit else "multipart")  # type: ignore[return-value]  # checked above


def multipart_type(media: Media, asset_type: str | None) -> str:
    """Return what a session in chunks is told of a medium: `video`, `audio` or `image`.

    Raises:
        InputError: It is nothing of the kind, or nobody can tell.
    """
    kind = asset_type or _kind_by_content(media)
    if kind not in MULTIPART_TYPES:
        what = f"a {kind}" if kind else "of an unknown kind"
        raise InputError(
            f"{media.source}: is {what}; uploads above {_limits.in_words(_limits.DIRECT_UPLOAD_MAX_BYTES)} must be "
            f"{', '.join(MULTIPART_TYPES)}. If it is one, say so with asset_type=."
        )
    return kind


def _method_of_remote(media: Media, method: str | None) -> UploadMethod:
    if media.asset_id is not None:
        raise InputError(f"{media.source} is an asset already.")
    if method not in (None, "url"):
        raise InputError(f"{media.source}: method={method!r} takes local media; a URL is fetched by the API.")
    return "url"


def _kind_by_content(media: Media) -> str | None:
    """Look inside, where PyAV is installed (extra `media`)."""
    try:
        found = probe(media)
    except InputError:
        return None
    if found is None:
        return None
    if found.is_picture:
        return "image"
    return "video" if found.width is not None else "audio"
