"""The outermost ASGI middleware: logs requests, injects scripted faults and enforces rate limits."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twelvelabs_sandbox.errors import ApiError, too_many_requests
from twelvelabs_sandbox.faults import FATE, Fate, Fault, Faults
from twelvelabs_sandbox.formats import rfc3339_seconds
from twelvelabs_sandbox.options import Options, RateLimitForm
from twelvelabs_sandbox.rate_limits import Limiter, rate_limit_response
from twelvelabs_sandbox.request_log import RecordedRequest, RequestLog
from twelvelabs_sandbox.routes.storage import KEY_HEADERS, is_storage, scripted_storage_error
from twelvelabs_sandbox.state.clock import Clock

PREFIX = "/v1.3"
API_VERSION = (b"x-api-version", b"1.3")
SLOW_CHUNKS = 10
TEMPLATE = "twelvelabs_sandbox.template"
ERROR_CODES = {
    400: "parameter_invalid",
    401: "api_key_invalid",
    403: "api_not_allowed",
    404: "resource_not_exist",
    408: "request_canceled_or_timed_out",
}


class FaultInjection:
    """Logs requests, injects faults and enforces the rate limits of the options."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[Route],
        *,
        faults: Faults,
        requests: RequestLog,
        clock: Clock,
        options: Options,
    ) -> None:
        self._app = app
        self._routes = list(routes)
        self._faults = faults
        self._requests = requests
        self._clock = clock
        self._options = options
        self._limiter = Limiter(options, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log a request and handle it, with the fault that matches it."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not (path.startswith(PREFIX + "/") or is_storage(path)):
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], path.removeprefix(PREFIX)
        template = self._template(path)
        request = self._requests.arrived(method, path, template)
        request.leaked_key = is_storage(path) and any(name in KEY_HEADERS for name, _ in scope["headers"])
        fault = self._faults.take(method, path, template)
        faulty_send = _FaultySend(send, request, fault)
        try:
            await self._handle({**scope, TEMPLATE: template}, receive, faulty_send, fault)
        except asyncio.CancelledError:  # The server stops during this request: close its connection.
            await faulty_send.abort()

    async def _handle(self, scope: Scope, receive: Receive, faulty_send: "_FaultySend", fault: Fault | None) -> None:
        if fault is None:
            await self._limited(scope, receive, faulty_send)
            return
        await asyncio.sleep(fault.delay)
        scripted = None if fault.drop == "before" else self._scripted(fault, scope["path"])
        if fault.drop == "before" or scripted is not None:
            # Closing a connection with unread data resets it, sometimes before the client has read the response.
            await _drain(receive)
        if fault.drop == "before":
            await faulty_send.abort()
        elif scripted is not None:
            await scripted(scope, receive, faulty_send)
        else:
            source = _interrupted(receive, faulty_send) if fault.drop == "during" else receive
            await self._limited({**scope, FATE: Fate(fault.task, fault.asset)}, source, faulty_send)

    async def _limited(self, scope: Scope, receive: Receive, faulty_send: "_FaultySend") -> None:
        """Handle a request within the rate limits of the options."""
        counted = scope["method"], scope[TEMPLATE]
        wait = self._limiter.acquire(*counted)
        if wait is not None:
            await _drain(receive)
            await self._rate_limited(self._options.rate_limit_form, wait)(scope, receive, faulty_send)
            return
        try:
            await self._app(scope, receive, faulty_send)
        finally:
            self._limiter.release(*counted)

    def _template(self, path: str) -> str:
        return next((route.path for route in self._routes if route.path_regex.match(path)), path)

    def _scripted(self, fault: Fault, path: str) -> Response | None:
        """Return the response that a fault sends instead of handling the request, or None."""
        if fault.rate_limit is not None:
            return self._rate_limited(fault.rate_limit, fault.wait)
        if fault.status is None:
            return None
        if fault.body is None and is_storage(path):
            return scripted_storage_error(fault.status)
        if fault.body is None:
            return self._default_error(fault.status, fault).response(nested=self._options.nested_errors)
        text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        return Response(text, fault.status, media_type="application/json")

    def _rate_limited(self, form: RateLimitForm, wait: float) -> Response:
        return rate_limit_response(form, wait, self._clock.now(), nested=self._options.nested_errors)

    def _default_error(self, status: int, fault: Fault) -> ApiError:
        if status == 429:  # noqa: PLR2004 - HTTP
            given = {key.lower(): value for key, value in fault.headers.items()}.get("retry-after", "1")
            wait = int(given) if given.isdigit() else 1
            return too_many_requests(rfc3339_seconds(self._clock.now() + wait))
        return ApiError(status, ERROR_CODES.get(status, "internal_server_error"), "Scripted fault of the sandbox.")


def _interrupted(receive: Receive, faulty_send: "_FaultySend") -> Receive:
    """Return a `receive` that yields the first message of the body, then disconnects."""
    has_begun = False

    async def receive_once() -> Message:
        nonlocal has_begun
        if has_begun:
            await faulty_send.abort()
            return {"type": "http.disconnect"}
        has_begun = True
        return {**await receive(), "more_body": True}

    return receive_once


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass


class _FaultySend:
    """The ``send`` of one request: records the status, adds headers, delays the body, aborts the connection."""

    def __init__(self, send: Send, request: RecordedRequest, fault: Fault | None) -> None:
        self._send = send
        self._request = request
        self._fault = fault
        self._is_aborted = False

    async def __call__(self, message: Message) -> None:
        if self._is_aborted:
            return
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._fault and self._fault.drop == "mid" and message.get("body"):
            body = message["body"]
            await self._send({**message, "body": body[: len(body) // 2], "more_body": True})
            await self.abort()
        elif self._fault and self._fault.slow:
            await self._send_slowly(message, self._fault.slow)
        else:
            await self._send(message)

    async def abort(self) -> None:
        """Abort the connection without sending more."""
        self._is_aborted = True
        # ASGI has no such operation: use the transport of uvicorn's request. A test verifies that it exists.
        connection: Any = getattr(self._send, "__self__", None)
        transport = getattr(connection, "transport", None)
        if transport is None:
            raise RuntimeError("a fault with drop needs uvicorn as the server")
        transport.abort()
        # Yield once, so that uvicorn notices the closed connection and does not expect a response.
        await asyncio.sleep(0)

    async def _start(self, message: Message) -> None:
        self._request.status = message["status"]
        if self._fault and self._fault.drop == "after":
            await self.abort()
            return
        extra = (
            [(key.lower().encode(), value.encode()) for key, value in self._fault.headers.items()]
            if self._fault
            else []
        )
        omitted = {name.lower().encode() for name in self._fault.omit_headers} if self._fault else set()
        headers = [pair for pair in [*message["headers"], API_VERSION] if pair[0].lower() not in omitted]
        await self._send({**message, "headers": [*headers, *extra]})

    async def _send_slowly(self, message: Message, seconds: float) -> None:
        body = message.get("body", b"")
        step = max(1, -(-len(body) // SLOW_CHUNKS))
        for start in range(0, len(body), step):
            await asyncio.sleep(seconds / SLOW_CHUNKS)
            await self._send({**message, "body": body[start : start + step], "more_body": True})
        await self._send({**message, "body": b""})
