"""A strict reader of one JSON object: every field has a type and bounds, and no field goes unread."""

import math
import reprlib
from collections.abc import Collection, Iterable
from typing import Any

from twelvelabs_sandbox._errors import invalid, missing, unknown


def shown(value: object) -> str:
    """Return a value for an error message, cut short."""
    return reprlib.repr(value)


class Fields:
    """The fields of one JSON object, read one at a time; each error names the full path of its field."""

    def __init__(self, value: object, path: str, allowed: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise invalid(f"The {path or 'request body'} must be a JSON object, not {shown(value)}.")
        self._values = value
        self._path = path
        if extra := [self.name(key) for key in value if key not in allowed]:
            raise unknown(extra)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def name(self, key: str) -> str:
        """Return the full path of a field, such as ``video.segmentation.strategy``."""
        return f"{self._path}.{key}" if self._path else key

    def text(self, key: str) -> str:
        """Read a required text that says something."""
        value = self._get(key)
        if not isinstance(value, str):
            raise invalid(f"The {self.name(key)} parameter must be a string, not {shown(value)}.")
        if not value.strip():
            raise invalid(f"The {self.name(key)} parameter must not be empty.")
        if not _is_unicode(value):
            raise invalid(f"The {self.name(key)} parameter is not valid Unicode.")
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """Read a required text that must be one of a few."""
        value = self._get(key)
        if not isinstance(value, str) or value not in allowed:
            raise invalid(f"The {self.name(key)} parameter must be one of {_listed(allowed)}, not {shown(value)}.")
        return value

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """Read an array of different values out of a few; all of them when the field is not there."""
        if key not in self:
            return tuple(allowed)
        value = self._values[key]
        good = isinstance(value, list) and value and all(isinstance(item, str) and item in allowed for item in value)
        if not good or len(set(value)) != len(value):
            rule = f"an array of one or more different values out of {_listed(allowed)}"
            raise invalid(f"The {self.name(key)} parameter must be {rule}, not {shown(value)}.")
        return tuple(value)

    def seconds(self, key: str) -> float:
        """Read a required number that is 0 or more."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value) or value < 0:
            raise invalid(f"The {self.name(key)} parameter must be a number of 0 or more, not {shown(value)}.")
        return float(value)

    def integer(self, key: str, low: int, high: int) -> int:
        """Read a required whole number between two bounds, both allowed."""
        value = self._get(key)
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        if not whole or not low <= value <= high:
            raise invalid(
                f"The {self.name(key)} parameter must be an integer from {low} to {high}, not {shown(value)}."
            )
        return int(value)

    def flag(self, key: str) -> bool:
        """Read a required boolean."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise invalid(f"The {self.name(key)} parameter must be true or false, not {shown(value)}.")
        return value

    def any(self, key: str) -> object:
        """Read a required value of whatever kind."""
        return self._get(key)

    def inner(self, key: str, allowed: Collection[str]) -> "Fields":
        """Read a required object."""
        return Fields(self._get(key), self.name(key), allowed)

    def inners(self, key: str, allowed: Collection[str], most: int) -> list["Fields"]:
        """Read a required array of 1 to ``most`` objects."""
        value = self._get(key)
        if not isinstance(value, list):
            raise invalid(f"The {self.name(key)} parameter must be an array, not {shown(value)}.")
        if not 1 <= len(value) <= most:
            raise invalid(f"The {self.name(key)} parameter must have 1 to {most} items, not {len(value)}.")
        return [Fields(item, f"{self.name(key)}[{index}]", allowed) for index, item in enumerate(value)]

    def _get(self, key: str) -> Any:
        if key not in self._values:
            raise missing(self.name(key))
        return self._values[key]


def _is_unicode(text: str) -> bool:
    """Whether there is no half of a surrogate pair in it; JSON can write one."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # An integer with hundreds of digits.
        return False


def _listed(allowed: Iterable[str]) -> str:
    return ", ".join(f"`{item}`" for item in allowed)
