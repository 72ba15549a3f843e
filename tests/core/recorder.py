"""A server that records and refuses every request, to compare the requests of two clients."""

import asyncio
import json
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.loopback_server import LoopbackServer
from twelvelabs_core import AsyncClient, BadRequestError, Client

KEY = "tlk_sandbox_recorder"
REFUSAL = b'{"code":"parameter_invalid","message":"noted"}'


class Sent(NamedTuple):
    """A recorded request.

    Attributes:
        method: Such as `POST`.
        path: Without the query.
        query: The values of each parameter.
        body: JSON as a value; a form as the values of each field, files as (name, type, content); None without a body.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any


class Recorder(LoopbackServer):
    """Records requests until it is closed.

    Attributes:
        sent: Every request.
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        super().__init__(self._handler())

    @property
    def base_url(self) -> str:
        """The base URL of the server."""
        return f"{self.origin}/v1.3"

    def take(self) -> Sent:
        """Return and forget the only request since the last call."""
        (only,) = self.sent
        self.sent.clear()
        return only

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sent = self.sent

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def note(self) -> None:
                parts = urlsplit(self.path)
                data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                body = _read(self.headers.get("Content-Type", ""), data) if data else None
                sent.append(Sent(self.command, parts.path, parse_qs(parts.query, keep_blank_values=True), body))
                self.send_response(400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(REFUSAL)))
                self.end_headers()
                self.wfile.write(REFUSAL)

            def log_message(self, *_: Any) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.note)
        return Handler


def sent_by_us(recorder: Recorder, kind: str, call: Callable[[Any], Any], **options: Any) -> Sent:
    """Return the one request of a call (of an iterator, its first) of our client, `blocking` or `async`."""
    options |= {"base_url": recorder.base_url, "store": ":memory:"}

    def blocking() -> None:
        with Client(KEY, **options) as client:
            found = call(client)
            if isinstance(found, Iterator):
                next(found)

    async def asynchronous() -> None:
        async with AsyncClient(KEY, **options) as client:
            found = call(client)
            await (anext(found) if hasattr(found, "__aiter__") else found)

    run = blocking if kind == "blocking" else lambda: asyncio.run(asynchronous())
    with pytest.raises(BadRequestError, match="noted"):
        run()
    return recorder.take()


def _read(content_type: str, data: bytes) -> Any:
    if not content_type.startswith("multipart/form-data"):
        return json.loads(data)
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + data, policy=HTTP)
    fields: dict[str, list[Any]] = {}
    for part in message.iter_parts():
        name, content = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        filename = part.get_filename()
        value = content if filename is None else (filename, part.get_content_type(), content)
        fields.setdefault(name, []).append(value)
    return fields
