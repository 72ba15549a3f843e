"""A strict reader of one multipart form: every field has a type and bounds, and no field goes unread."""

import math
from collections.abc import Collection

from starlette.datastructures import FormData, UploadFile

from twelvelabs_sandbox._errors import invalid, missing, unknown
from twelvelabs_sandbox._fields import shown


class FormFields:
    """The fields of one form, read one at a time."""

    def __init__(self, form: FormData, allowed: Collection[str], repeated: Collection[str] = ()) -> None:
        self._form = form
        if extra := [key for key in form if key not in allowed]:
            raise unknown(extra)
        if twice := [key for key in form if key not in repeated and len(form.getlist(key)) > 1]:
            raise invalid(f"The {twice[0]} parameter must be given once.")

    def __contains__(self, key: str) -> bool:
        return key in self._form

    def text(self, key: str) -> str:
        """Read a required text that says something."""
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
        """Read a required text that must be one of a few."""
        value = self.text(key)
        if value not in allowed:
            listed = ", ".join(f"`{item}`" for item in allowed)
            raise invalid(f"The {key} parameter must be one of {listed}, not {shown(value)}.")
        return value

    def number(self, key: str, low: float, high: float = math.inf) -> float:
        """Read a required number between two bounds, both allowed."""
        text = self.text(key)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and math.isfinite(value)):
            bounds = f"a number from {low:g} to {high:g}" if math.isfinite(high) else f"a number of {low:g} or more"
            raise invalid(f"The {key} parameter must be {bounds}, not {shown(text)}.")
        return value

    def file(self, key: str) -> UploadFile:
        """Read a required file part that is not empty."""
        value = self._form[key]
        if isinstance(value, str):
            raise invalid(f"The {key} parameter must be a file part with a filename.")
        if not value.size:
            raise invalid("The uploaded file is empty.")
        return value
