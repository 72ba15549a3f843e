"""What a user may note on an asset: plain values under names."""

from typing import Any

from twelvelabs_sandbox._errors import invalid
from twelvelabs_sandbox._fields import shown

UserMetadata = dict[str, Any]


def checked_metadata(value: object, *, deletions: bool = False) -> UserMetadata:
    """Return user metadata where it is an object of strings, numbers, booleans and string arrays.

    Args:
        value: What the request holds.
        deletions: Whether null, which deletes a name, is allowed too.
    """
    if not isinstance(value, dict):
        raise invalid(f"The user_metadata parameter must be a JSON object, not {shown(value)}.")
    for key, item in value.items():
        if not (_is_plain(item) or (deletions and item is None)):
            raise invalid(f"The user_metadata value of {shown(key)} must be a string, number, boolean or string array.")
    return value


def _is_plain(item: object) -> bool:
    if isinstance(item, list):
        return all(isinstance(part, str) for part in item)
    return isinstance(item, str | int | float)
