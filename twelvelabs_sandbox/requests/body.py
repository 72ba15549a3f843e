"""Reads request bodies, JSON or multipart form, up to a maximum size."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from twelvelabs_sandbox.errors import ApiError, invalid
from twelvelabs_sandbox.limits import BASE64_BYTES, DIRECT_UPLOAD_BYTES, KB, MB
from twelvelabs_sandbox.state.resources import Workers

# 36 MB of media are 48 MB of base64; allows several images in a multi_input.
JSON_BYTES = 2 * BASE64_BYTES
FORM_FIELD_BYTES = 64 * KB
MAX_FORM_FIELDS = 100
# Parsing a smaller body takes less time than handing it to a thread.
SMALL_JSON_BYTES = 256 * KB


async def read_json(request: Request, workers: Workers, *, too_large_status: int) -> object:
    """Return the parsed JSON body of a request.

    Raises:
        ApiError: 400 for invalid JSON, `too_large_status` for a body that is too large.
    """
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise invalid("The request body must be JSON with the Content-Type application/json.")
    refusal = _refusal(too_large_status, JSON_BYTES)
    try:
        text = await _limited(request, JSON_BYTES, refusal).body()
    except ClientDisconnect:
        raise invalid("The request body is incomplete.") from None
    return parse_json(text) if len(text) < SMALL_JSON_BYTES else await workers.run_request(parse_json, text)


@asynccontextmanager
async def read_form(request: Request, limit: int = DIRECT_UPLOAD_BYTES, *, files: int = 1) -> AsyncIterator[FormData]:
    """Yield the fields of a multipart form with at most ``limit`` bytes of files, which are deleted afterwards."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise invalid("The request body must be a form with the Content-Type multipart/form-data.")
    bounded = _limited(request, limit + MB, _refusal(400, limit))
    try:
        form = await bounded.form(max_files=files, max_fields=MAX_FORM_FIELDS, max_part_size=FORM_FIELD_BYTES)
    except HTTPException as error:
        raise invalid(f"The form cannot be read: {error.detail}") from error
    except ClientDisconnect:
        raise invalid("The request body is incomplete.") from None
    try:
        yield form
    finally:
        await form.close()


def _refusal(status: int, limit: int) -> ApiError:
    return ApiError(status, "parameter_invalid", f"The request body exceeds maximum limit of {limit // MB} MB")


def _limited(request: Request, limit: int, refusal: ApiError) -> Request:
    """Return the same request, whose body raises ``refusal`` once it exceeds the limit."""
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
    """Parse a JSON body strictly: no NaN, no Infinity."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON.") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
