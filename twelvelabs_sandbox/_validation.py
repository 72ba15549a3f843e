"""Request bodies and queries in, typed values out, or the refusal that the API would give."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, QueryParams, UploadFile

from twelvelabs_sandbox import _marengo30 as marengo30
from twelvelabs_sandbox import _marengo35 as marengo35
from twelvelabs_sandbox._errors import ApiError, invalid, missing, unknown
from twelvelabs_sandbox._fields import shown
from twelvelabs_sandbox._user_metadata import UserMetadata, checked_metadata, without_blanks
from twelvelabs_sandbox._values import EmbedRequest, TaskRequest
from twelvelabs_sandbox._wire import parse_time

SYNC_REQUESTS: dict[str, Callable[[object], EmbedRequest]] = {
    marengo30.MODEL: marengo30.sync_request,
    marengo35.MODEL: marengo35.sync_request,
}
TASK_REQUESTS: dict[str, Callable[[object], TaskRequest]] = {
    marengo30.MODEL: marengo30.task_request,
    marengo35.MODEL: marengo35.task_request,
}
MOST_PER_PAGE = 50
LONGEST_FILENAME = 255
ASSET_FIELDS = {"method", "file", "url", "filename", "enable_hls", "enable_thumbnail", "user_metadata"}
ASSET_KINDS = ("image", "video", "audio", "document")


@dataclass(frozen=True, slots=True)
class AssetRequest:
    """What ``POST /assets`` asked for: either an uploaded file or a URL."""

    file: UploadFile | None
    url: str | None
    filename: str | None
    user_metadata: UserMetadata | None
    enable_hls: bool
    enable_thumbnail: bool


def parse_json(text: bytes) -> object:
    """Read a JSON body strictly: no NaN, no Infinity."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON.") from None


def sync_request(body: object) -> tuple[str, EmbedRequest]:
    """Read ``POST /embed-v2`` by the rules of the model that it names; also returns the model."""
    model = _model(body, SYNC_REQUESTS)
    return model, SYNC_REQUESTS[model](body)


def task_request(body: object) -> tuple[str, TaskRequest]:
    """Read ``POST /embed-v2/tasks`` by the rules of the model that it names; also returns the model."""
    model = _model(body, TASK_REQUESTS)
    return model, TASK_REQUESTS[model](body)


def page_query(query: QueryParams) -> tuple[int, int]:
    """Read ``page`` and ``page_limit``."""
    return _whole(query, "page", 1, 2**63 - 1), _whole(query, "page_limit", 10, MOST_PER_PAGE)


def time_query(query: QueryParams, name: str) -> float | None:
    """Read an RFC 3339 time as seconds since 1970."""
    if (text := query.get(name)) is None:
        return None
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise invalid(f"The {name} parameter must be an RFC 3339 time, not {shown(text)}.") from None


def choice_query(query: QueryParams, name: str, allowed: tuple[str, ...], *, commas: bool = False) -> set[str]:
    """Read a query parameter that may be repeated and has a few known values; empty where it is not there.

    Args:
        query: The whole query.
        name: The parameter.
        allowed: Its values.
        commas: Whether one text may hold several values.
    """
    given = query.getlist(name)
    values = {part for text in given for part in text.split(",")} if commas else set(given)
    if wrong := values.difference(allowed):
        raise invalid(f"The {name} parameter must be one of {', '.join(allowed)}, not {shown(min(wrong))}.")
    return values


def asset_form(form: FormData) -> AssetRequest:
    """Read the multipart form of ``POST /assets``."""
    if extra := [key for key in form if key not in ASSET_FIELDS]:
        raise unknown(extra)
    if repeated := [key for key in form if len(form.getlist(key)) > 1]:
        raise invalid(f"The {repeated[0]} parameter must be given once.")
    method = _form_text(form, "method")
    if method not in {"direct", "url"}:
        raise invalid(f"The method parameter must be one of `direct`, `url`, not {shown(method)}.")
    needed, other = ("file", "url") if method == "direct" else ("url", "file")
    if needed not in form:
        raise missing(needed)
    if other in form:
        raise invalid(f"The {other} parameter does not belong to method `{method}`.")
    return AssetRequest(
        file=_form_file(form) if method == "direct" else None,
        url=_form_text(form, "url") if method == "url" else None,
        filename=checked_filename(_form_text(form, "filename")) if "filename" in form else None,
        user_metadata=_metadata(_form_text(form, "user_metadata")) if "user_metadata" in form else None,
        enable_hls=_form_flag(form, "enable_hls"),
        enable_thumbnail=_form_flag(form, "enable_thumbnail"),
    )


def _form_flag(form: FormData, name: str) -> bool:
    """Return a switch of a form; not given it is on, as the vendor's newest reference has it."""
    text = _form_text(form, name, "true").lower()
    if text not in {"true", "false"}:
        raise invalid(f"The {name} parameter must be true or false.")
    return text == "true"


def _model(body: object, known: dict[str, Any]) -> str:
    if not isinstance(body, dict):
        raise invalid(f"The request body must be a JSON object, not {shown(body)}.")
    if "model_name" not in body:
        raise missing("model_name")
    model = body["model_name"]
    if not isinstance(model, str) or model not in known:
        raise invalid(f"The model_name parameter must be one of {', '.join(known)}, not {shown(model)}.")
    return model


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _whole(query: QueryParams, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else 0
    if not 1 <= number <= most:
        raise invalid(f"The {name} parameter must be an integer from 1 to {most}, not {shown(text)}.")
    return number


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


def checked_filename(name: str) -> str:
    """Refuse names that are too short or too long."""
    if not 1 <= len(name) <= LONGEST_FILENAME:
        raise invalid(f"The filename parameter must have 1 to {LONGEST_FILENAME} characters, not {len(name)}.")
    return name


def _metadata(text: str) -> UserMetadata:
    try:
        value = parse_json(text.encode(errors="replace"))
    except ApiError:
        raise invalid(f"The user_metadata parameter must be a JSON object as a string, not {shown(text)}.") from None
    return without_blanks(checked_metadata(value, nulls=True))
