"""The notes that an owner keeps on an asset, against what the API stores."""

import math
from collections.abc import Mapping
from typing import Any

from twelvelabs_core._errors import InputError

UserMetadata = Mapping[str, str | int | float | bool | list[str] | None]
"""Names and values: str, number, bool or list of str. None deletes a name in an update and means nothing elsewhere."""

_WIDEST_INT = 2**53 - 1  # reference: integers beyond 53 bits are to be sent as text


def check_user_metadata(user_metadata: object) -> dict[str, Any]:
    """Return the notes as a plain dict.

    Raises:
        InputError: A name is no text, or a value is of another kind or too large a number.
    """
    if not isinstance(user_metadata, Mapping):
        raise InputError(f"user_metadata must be a mapping of names to values, got {type(user_metadata).__name__}.")
    for name, value in user_metadata.items():
        if not isinstance(name, str):
            raise InputError(f"user_metadata has the name {name!r}; names must be str.")
        _check_value(name, value)
    return dict(user_metadata)


def _check_value(name: str, value: object) -> None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return
    if value is not None and not isinstance(value, str | int | float):
        raise InputError(
            f"user_metadata[{name!r}] is of type {type(value).__name__}; the API stores str, numbers, bool and "
            "lists of str."
        )
    if isinstance(value, int) and abs(value) > _WIDEST_INT:
        raise InputError(f"user_metadata[{name!r}] is {value}: integers beyond {_WIDEST_INT} must be passed as str.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"user_metadata[{name!r}] is {value}, which JSON cannot carry.")
