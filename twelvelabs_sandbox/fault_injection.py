"""The outermost layer of the server: notes each request and lets scripted faults happen to it."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.routes.storage import KEY_HEADERS
from twelvelabs_sandbox.routes.storage import is_storage
from twelvelabs_sandbox.routes.storage import scripted_storage_error
from twelvelabs_sandbox.request_log import RecordedRequest
from twelvelabs_sandbox.request_log import RequestLog
from twelvelabs_sandbox.rate_limits import Limiter
from twelvelabs_sandbox.rate_limits import rate_limit_response
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.options import RateLimitForm
from twelvelabs_sandbox.formats import rfc3339_seconds
from twelvelabs_sandbox.faults import FATE
from twelvelabs_sandbox.faults import Fate
from twelvelabs_sandbox.faults import Fault
from twelvelabs_sandbox.faults import Faults
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.errors import too_many_requests

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
    """A plain ASGI application around another."""

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
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not (path.startswith(PREFIX + "/") or is_storage(path)):
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], path.removeprefix(PREFIX)
        template = self._template(path)
        request = self._requests.arrived(method, path, template)
        request.leaked_key = is_storage(path) and any(name in KEY_HEADERS for name, _ in scope["headers"])
        fault = self._faults.take(method, path, template)
        answer = _FaultySend(send, request, fault)
        try:
            await self._handle({**scope, TEMPLATE: template}, receive, answer, fault)
        except asyncio.CancelledError:  # The server stops while it handles this request: the client sees it go away.
            await answer.abort()

    async def _handle(self, scope: Scope, receive: Receive, answer: "_FaultySend", fault: Fault | None) -> None:
        if fault is None:
            await self._limited(scope, receive, answer)
            return
        await asyncio.sleep(fault.delay)
        scripted = None if fault.drop == "before" else self._scripted(fault, scope["path"])
        if fault.drop == "before" or scripted is not None:
            # A connection that is closed with unread data is reset, sometimes before the client has read its answer.
            await _drain(receive)
        if fault.drop == "before":
            await answer.abort()
        elif scripted is not None:
            await scripted(scope, receive, answer)
        else:
            source = _interrupted(receive, answer) if fault.drop == "during" else receive
            await self._limited({**scope, FATE: Fate(fault.task, fault.asset)}, source, answer)

    async def _limited(self, scope: Scope, receive: Receive, answer: "_FaultySend") -> None:
        """Handle a request within the rate limits of the options."""
        counted = scope["method"], scope[TEMPLATE]
        wait = self._limiter.acquire(*counted)
        if wait is not None:
            await _drain(receive)
            await self._rate_limited(self._options.rate_limit_form, wait)(scope, receive, answer)
            return
        try:
            await self._app(scope, receive, answer)
        finally:
            self._limiter.release(*counted)

    def _template(self, path: str) -> str:
        return next((route.path for route in self._routes if route.path_regex.match(path)), path)

    def _scripted(self, fault: Fault, path: str) -> Response | None:
        """Return the answer that a fault gives in place of the usual one, if it does."""
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
        return ApiError(
            status, ERROR_CODES.get(status, "internal_server_error"), "A fault of the sandbox, as scripted."
        )


def _interrupted(receive: Receive, answer: "_FaultySend") -> Receive:
    """Return a source of which the first piece comes, and then nothing but the end of the connection."""
    has_begun = False

    async def pieces() -> Message:
        nonlocal has_begun
        if has_begun:
            await answer.abort()
            return {"type": "http.disconnect"}
        has_begun = True
        return {**await receive(), "more_body": True}

    return pieces


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass


class _FaultySend:
    """The ``send`` of one request: notes the status, adds headers, slows the body down, cuts the connection."""

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
        """Cut the connection without another byte."""
        self._is_aborted = True
        # ASGI has no word for this, so it takes the transport of uvicorn's request; a test holds that it is there.
        connection: Any = getattr(self._send, "__self__", None)
        transport = getattr(connection, "transport", None)
        if transport is None:
            raise RuntimeError("a fault with drop needs uvicorn as the server")
        transport.abort()
        # One turn of the loop, so that uvicorn knows the connection is gone and does not miss our answer.
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
