"""What a user may note on an asset: plain values under names."""

from typing import Any

from twelvelabs_sandbox._errors import invalid
from twelvelabs_sandbox._fields import shown

UserMetadata = dict[str, Any]


def checked_metadata(value: object, *, nulls: bool = False) -> UserMetadata:
    """Return user metadata where it is an object of strings, numbers, booleans and string arrays.

    Args:
        value: What the request holds.
        nulls: Whether null is allowed too, as where metadata are changed.
    """
    if not isinstance(value, dict):
        raise invalid(f"The user_metadata parameter must be a JSON object, not {shown(value)}.")
    for key, item in value.items():
        if not (_is_plain(item) or (nulls and item is None)):
            raise invalid(f"The user_metadata value of {shown(key)} must be a string, number, boolean or string array.")
    return value


def merged(metadata: UserMetadata, changes: UserMetadata) -> UserMetadata:
    """Return metadata with changes: null deletes a name, an empty string or array changes nothing."""
    kept = {key: item for key, item in metadata.items() if key not in changes or changes[key] is not None}
    return kept | without_blanks(changes)


def without_blanks(metadata: UserMetadata) -> UserMetadata:
    """Return metadata without nulls, empty strings and empty arrays."""
    return {key: item for key, item in metadata.items() if item is not None and item not in ("", [])}


def _is_plain(item: object) -> bool:
    if isinstance(item, list):
        return all(isinstance(part, str) for part in item)
    return isinstance(item, str | int | float)
