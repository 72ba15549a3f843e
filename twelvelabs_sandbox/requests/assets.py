"""Reads and validates the form and the user metadata of ``/assets``."""

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile

from twelvelabs_sandbox.errors import ApiError, invalid, missing, unknown
from twelvelabs_sandbox.requests.body import parse_json
from twelvelabs_sandbox.requests.fields import is_unicode, short_repr

UserMetadata = dict[str, Any]

MAX_FILENAME_LENGTH = 255
ASSET_FIELDS = {"method", "file", "url", "filename", "enable_hls", "enable_thumbnail", "user_metadata"}
ASSET_KINDS = ("image", "video", "audio", "document")


@dataclass(frozen=True, slots=True)
class AssetRequest:
    """A validated ``POST /assets``: either an uploaded file or a URL."""

    file: UploadFile | None
    url: str | None
    filename: str | None
    user_metadata: UserMetadata | None
    enable_hls: bool
    enable_thumbnail: bool


def asset_form(form: FormData) -> AssetRequest:
    """Read the multipart form of ``POST /assets``."""
    if extra := [key for key in form if key not in ASSET_FIELDS]:
        raise unknown(extra)
    if repeated := [key for key in form if len(form.getlist(key)) > 1]:
        raise invalid(f"The {repeated[0]} parameter must be given once.")
    method = _form_text(form, "method")
    if method not in {"direct", "url"}:
        raise invalid(f"The method parameter must be one of `direct`, `url`, not {short_repr(method)}.")
    needed, other = ("file", "url") if method == "direct" else ("url", "file")
    if needed not in form:
        raise missing(needed)
    if other in form:
        raise invalid(f"The {other} parameter does not belong to method `{method}`.")
    return AssetRequest(
        file=_form_file(form) if method == "direct" else None,
        url=_form_text(form, "url") if method == "url" else None,
        filename=check_filename(_form_text(form, "filename")) if "filename" in form else None,
        user_metadata=_metadata(_form_text(form, "user_metadata")) if "user_metadata" in form else None,
        enable_hls=_form_flag(form, "enable_hls"),
        enable_thumbnail=_form_flag(form, "enable_thumbnail"),
    )


def _form_flag(form: FormData, name: str) -> bool:
    """Read a boolean form field; the default is true, as in the vendor's latest reference."""
    text = _form_text(form, name, "true").lower()
    if text not in {"true", "false"}:
        raise invalid(f"The {name} parameter must be true or false.")
    return text == "true"


def _form_text(form: FormData, key: str, default: str | None = None) -> str:
    value = form.get(key, default)
    if value is None:
        raise missing(key)
    if not isinstance(value, str):
        raise invalid(f"The {key} parameter must be a text field, not a file.")
    return value


def _form_file(form: FormData) -> UploadFile:
    value = form["file"]
    if isinstance(value, str):
        raise invalid("The file parameter must be a file part with a filename.")
    if not value.size:
        raise invalid("The uploaded file is empty.")
    return value


def check_filename(name: str) -> str:
    """Return a file name; raise ApiError 400 if it is too short or too long."""
    if not 1 <= len(name) <= MAX_FILENAME_LENGTH:
        raise invalid(f"The filename parameter must have 1 to {MAX_FILENAME_LENGTH} characters, not {len(name)}.")
    return name


def _metadata(text: str) -> UserMetadata:
    try:
        value = parse_json(text.encode(errors="replace"))
    except ApiError:
        raise invalid(
            f"The user_metadata parameter must be a JSON object as a string, not {short_repr(text)}."
        ) from None
    return drop_blanks(check_metadata(value, nulls=True))


def check_metadata(value: object, *, nulls: bool = False) -> UserMetadata:
    """Return user metadata; raise ApiError 400 unless it is an object of strings, numbers, booleans and string arrays.

    Args:
        value: The value in the request.
        nulls: Whether null is allowed too, as in changes.
    """
    if not isinstance(value, dict):
        raise invalid(f"The user_metadata parameter must be a JSON object, not {short_repr(value)}.")
    for key, item in value.items():
        texts = [key, *(item if isinstance(item, list) else [item])]
        if not all(is_unicode(text) for text in texts if isinstance(text, str)):
            raise invalid("The user_metadata parameter is not valid Unicode.")
        if not (_is_plain(item) or (nulls and item is None)):
            raise invalid(
                f"The user_metadata value of {short_repr(key)} must be a string, number, boolean or string array."
            )
    return value


def merge_metadata(metadata: UserMetadata, changes: UserMetadata) -> UserMetadata:
    """Return metadata with changes applied: null deletes a name, an empty string or array changes nothing."""
    kept = {key: item for key, item in metadata.items() if key not in changes or changes[key] is not None}
    return kept | drop_blanks(changes)


def drop_blanks(metadata: UserMetadata) -> UserMetadata:
    """Return metadata without nulls, empty strings and empty arrays."""
    return {key: item for key, item in metadata.items() if item is not None and item not in ("", [])}


def _is_plain(item: object) -> bool:
    if isinstance(item, list):
        return all(isinstance(element, str) for element in item)
    return isinstance(item, str | int | float)
