"""Request bodies, never more of one than a limit."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from twelvelabs_sandbox.state.resources import Workers
from twelvelabs_sandbox.limits import BASE64_BYTES
from twelvelabs_sandbox.limits import DIRECT_UPLOAD_BYTES
from twelvelabs_sandbox.limits import KB
from twelvelabs_sandbox.limits import MB
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.errors import invalid

# 36 MB of media are 48 MB of base64; there is room for several images of a multi_input.
JSON_BYTES = 2 * BASE64_BYTES
FORM_FIELD_BYTES = 64 * KB
MAX_FORM_FIELDS = 100
# Below this, handing the text to a thread costs more than parsing it.
SMALL_JSON_BYTES = 256 * KB


async def read_json(request: Request, workers: Workers, *, too_large_status: int) -> object:
    """Return the JSON of a body."""
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise invalid("The request body must be JSON with the Content-Type application/json.")
    refusal = _refusal(too_large_status, JSON_BYTES)
    try:
        text = await _bounded(request, JSON_BYTES, refusal).body()
    except ClientDisconnect:
        raise invalid("The request body ended before its end.") from None
    return parse_json(text) if len(text) < SMALL_JSON_BYTES else await workers.run_request(parse_json, text)


@asynccontextmanager
async def read_form(request: Request, limit: int = DIRECT_UPLOAD_BYTES, *, files: int = 1) -> AsyncIterator[FormData]:
    """Give the fields of a multipart form of at most ``limit`` bytes of files, which are gone afterwards."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise invalid("The request body must be a form with the Content-Type multipart/form-data.")
    bounded = _bounded(request, limit + MB, _refusal(400, limit))
    try:
        form = await bounded.form(max_files=files, max_fields=MAX_FORM_FIELDS, max_part_size=FORM_FIELD_BYTES)
    except HTTPException as error:
        raise invalid(f"The form cannot be read: {error.detail}") from error
    except ClientDisconnect:
        raise invalid("The request body ended before its end.") from None
    try:
        yield form
    finally:
        await form.close()


def _refusal(status: int, limit: int) -> ApiError:
    return ApiError(status, "parameter_invalid", f"The request body exceeds maximum limit of {limit // MB} MB")


def _bounded(request: Request, limit: int, refusal: ApiError) -> Request:
    """Return the same request, whose body raises ``refusal`` as soon as it is too long."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise refusal
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise refusal
        return message

    return Request(request.scope, receive)


def parse_json(text: bytes) -> object:
    """Read a JSON body strictly: no NaN, no Infinity."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON.") from None


def _no_constant(name: str) -> float:
    raise ValueError(name)
