"""How the bytes of an answer become Python values: strict JSON in, and no signed URL or key left in any text.

Answers quote the URLs that they were given; a presigned one is a password and must not live on in a model, a log or a
pickle.
"""

from typing import Any

import pydantic_core

from twelvelabs_core._errors import APIResponseError
from twelvelabs_core._urls import redact


def read_json(body: bytes) -> Any:
    """Return the value of a JSON document.

    Raises:
        APIResponseError: The body is empty, cut off, followed by something else, not UTF-8, nested too deeply, or
            otherwise not JSON.
    """
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        reason = str(error).partition(" at line ")[0]
        raise APIResponseError(
            f"The response is not valid JSON: {reason}. Nothing of it was used; it may have been cut off on the way."
        ) from None


def without_secrets(value: Any) -> Any:
    """Return a JSON value with every text in it redacted, names of fields included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {redact(name): without_secrets(item) for name, item in value.items()}
    return value


def deviation(where: str, what: str) -> APIResponseError:
    """Return the error for an answer that is JSON, but not as documented."""
    return APIResponseError(f"The response is not as documented: {where}: {what}. Nothing of it was used.")
