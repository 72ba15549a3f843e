"""Strict readers of JSON objects and forms: every field is validated, unknown fields are refused."""

import math
import reprlib
from collections.abc import Collection, Iterable
from typing import Any

from starlette.datastructures import FormData, UploadFile

from twelvelabs_sandbox.errors import invalid, missing, unknown


def short_repr(value: object) -> str:
    """Return a shortened representation of a value for an error message."""
    return reprlib.repr(value)


class Fields:
    """The fields of one JSON object, read one by one; each error names the full path of its field."""

    def __init__(self, value: object, path: str, allowed: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise invalid(f"The {path or 'request body'} must be a JSON object, not {short_repr(value)}.")
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
        """Read a required string that is not blank."""
        value = self._get(key)
        if not isinstance(value, str):
            raise invalid(f"The {self.name(key)} parameter must be a string, not {short_repr(value)}.")
        if not value.strip():
            raise invalid(f"The {self.name(key)} parameter must not be empty.")
        if not is_unicode(value):
            raise invalid(f"The {self.name(key)} parameter is not valid Unicode.")
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """Read a required string out of a set."""
        value = self._get(key)
        if not isinstance(value, str) or value not in allowed:
            raise invalid(f"The {self.name(key)} parameter must be one of {_listed(allowed)}, not {short_repr(value)}.")
        return value

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """Read an array of distinct strings out of a set; all of them if the field is missing."""
        if key not in self:
            return tuple(allowed)
        value = self._values[key]
        good = isinstance(value, list) and value and all(isinstance(item, str) and item in allowed for item in value)
        if not good or len(set(value)) != len(value):
            rule = f"an array of one or more different values out of {_listed(allowed)}"
            raise invalid(f"The {self.name(key)} parameter must be {rule}, not {short_repr(value)}.")
        return tuple(value)

    def seconds(self, key: str) -> float:
        """Read a required number that is 0 or more."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value) or value < 0:
            raise invalid(f"The {self.name(key)} parameter must be a number of 0 or more, not {short_repr(value)}.")
        return float(value)

    def integer(self, key: str, low: int, high: int) -> int:
        """Read a required integer between two bounds, both inclusive."""
        value = self._get(key)
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        if not whole or not low <= value <= high:
            raise invalid(
                f"The {self.name(key)} parameter must be an integer from {low} to {high}, not {short_repr(value)}."
            )
        return int(value)

    def flag(self, key: str) -> bool:
        """Read a required boolean."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise invalid(f"The {self.name(key)} parameter must be true or false, not {short_repr(value)}.")
        return value

    def any(self, key: str) -> object:
        """Read a required value of any type."""
        return self._get(key)

    def inner(self, key: str, allowed: Collection[str]) -> "Fields":
        """Read a required object."""
        return Fields(self._get(key), self.name(key), allowed)

    def inners(self, key: str, allowed: Collection[str], most: int) -> list["Fields"]:
        """Read a required array of 1 to ``most`` objects."""
        value = self._get(key)
        if not isinstance(value, list):
            raise invalid(f"The {self.name(key)} parameter must be an array, not {short_repr(value)}.")
        if not 1 <= len(value) <= most:
            raise invalid(f"The {self.name(key)} parameter must have 1 to {most} items, not {len(value)}.")
        return [Fields(item, f"{self.name(key)}[{index}]", allowed) for index, item in enumerate(value)]

    def _get(self, key: str) -> Any:
        if key not in self._values:
            raise missing(self.name(key))
        return self._values[key]


def is_unicode(text: str) -> bool:
    """Return whether a string has no lone surrogate, which JSON can contain."""
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


class FormFields:
    """The fields of one form, read one by one."""

    def __init__(self, form: FormData, allowed: Collection[str], repeated: Collection[str] = ()) -> None:
        self._form = form
        if extra := [key for key in form if key not in allowed]:
            raise unknown(extra)
        if twice := [key for key in form if key not in repeated and len(form.getlist(key)) > 1]:
            raise invalid(f"The {twice[0]} parameter must be given once.")

    def __contains__(self, key: str) -> bool:
        return key in self._form

    def text(self, key: str) -> str:
        """Read a required text that is not blank."""
        if key not in self:
            raise missing(key)
        value = self.texts(key)[0]
        if not value.strip():
            raise invalid(f"The {key} parameter must not be empty.")
        return value

    def texts(self, key: str) -> list[str]:
        """Read a field that may be repeated."""
        values = self._form.getlist(key)
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise invalid(f"The {key} parameter must be a text field, not a file.")
        return texts

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """Read a required text out of a set."""
        value = self.text(key)
        if value not in allowed:
            listed = ", ".join(f"`{item}`" for item in allowed)
            raise invalid(f"The {key} parameter must be one of {listed}, not {short_repr(value)}.")
        return value

    def number(self, key: str, low: float, high: float = math.inf) -> float:
        """Read a required number between two bounds, both inclusive."""
        text = self.text(key)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and math.isfinite(value)):
            bounds = f"a number from {low:g} to {high:g}" if math.isfinite(high) else f"a number of {low:g} or more"
            raise invalid(f"The {key} parameter must be {bounds}, not {short_repr(text)}.")
        return value

    def file(self, key: str) -> UploadFile:
        """Read a required file that is not empty."""
        value = self._form[key]
        if isinstance(value, str):
            raise invalid(f"The {key} parameter must be a file part with a filename.")
        if not value.size:
            raise invalid("The uploaded file is empty.")
        return value
