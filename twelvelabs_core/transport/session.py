"""One request with its retries: what every operation is made of."""

import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    InputError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TwelveLabsError,
)
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.results.decode import VECTOR_KEYS, Split, VectorSplitter
from twelvelabs_core.results.responses import Answer, Page
from twelvelabs_core.transport.body import Call, NoAnswerError, Reply, Sink
from twelvelabs_core.transport.error_response import limits_reset_at, parse_error, when_to_retry
from twelvelabs_core.transport.io import Exchange, Io
from twelvelabs_core.transport.rate_limit import Bounds, Governor, Turn, category_of, governor_of
from twelvelabs_core.transport.rate_limiter import RateLimiter
from twelvelabs_core.transport.retry import RATE_LIMITED, Outcome, RetryPolicy, Tries

T = TypeVar("T", bound=Answer)
SinkT = TypeVar("SinkT", bound=Sink | None)

USER_AGENT = "twelvelabs-rag"
_FIRST_SERVER_ERROR = 500
_LEAST_TIMEOUT = 0.1  # of a request whose turn came late
_LISTED_PAGES_MAX = 10_000  # of 50 items; a server that never ends its list must not hold us for ever


@dataclass(slots=True)
class _Reserved:
    """A turn that was taken ahead of its request, until the request takes it over."""

    governor: Governor
    turn: Turn | None

    def take(self) -> Turn | None:
        turn, self.turn = self.turn, None
        return turn


_reserved: ContextVar[_Reserved | None] = ContextVar("twelvelabs_turn", default=None)


class Requests:
    """Sends calls: adds the key, waits its turn, retries what is safe, turns every failure into a typed error."""

    def __init__(self, settings: Settings, io: Io, rate_limiter: RateLimiter | None = None) -> None:
        self.settings = settings
        self._io = io
        self._rate_limiter = rate_limiter
        self._policy = RetryPolicy(settings.max_retries, settings.max_retry_wait)
        self._bounds = Bounds(settings.max_retry_wait, settings.requests_per_minute, settings.max_concurrent_requests)
        self._governor = governor_of(settings)
        self._last_date: tuple[str, float] | None = None

    async def _wait_for_turn(self, reserve: str | None = None, attempt: str = "") -> None:
        """Wait for the caller's rate limiter, before a request that embeds something.

        Args:
            reserve: Its category, to wait for the governor too: this caller's next request of that category finds its
                turn taken, and does not wait unless a pause begins meanwhile.
            attempt: With `reserve`, what the request tries, for the message.

        Raises:
            RateLimitError: The API wants a pause longer than `max_retry_wait`.
        """
        if self._rate_limiter is not None:
            await self._io.acquire(self._rate_limiter)
        if reserve is not None:
            self._give_turn_back()
            turn = await self._governor.turn(self._io, reserve, self._bounds, attempt)
            _reserved.set(_Reserved(self._governor, turn))

    def _give_turn_back(self) -> None:
        """Free a reserved turn that no request will use."""
        reserved = _reserved.get()
        turn = None if reserved is None else reserved.take()
        if reserved is not None and turn is not None:
            reserved.governor.leave(turn)

    def _take_reserved(self, category: str) -> Turn | None:
        """Return the turn that this caller reserved for a request of a category."""
        reserved = _reserved.get()
        if reserved is None or reserved.governor is not self._governor:
            return None
        return reserved.take() if reserved.turn is not None and reserved.turn.category == category else None

    def _check_pause(self, category: str, attempt: str) -> None:
        """Refuse to prepare for a request that would be refused.

        Raises:
            RateLimitError: The API wants a pause longer than `max_retry_wait`.
        """
        self._governor.check(category, self._bounds, attempt)

    @property
    def _ahead(self) -> timedelta:
        """How far the server's clock was ahead of ours at its last answer; nothing where it did not say."""
        if self._last_date is None:
            return timedelta(0)
        date, heard_at = self._last_date
        try:
            told = parsedate_to_datetime(date)
        except ValueError:
            return timedelta(0)
        told = told if told.tzinfo else told.replace(tzinfo=UTC)
        return told - datetime.fromtimestamp(heard_at, UTC)

    async def _call(self, call: Call) -> Reply:
        """Send a call whose answer is small; return its success."""
        return (await self._with_retries(call, lambda: None, limits.REPLY_MAX_BYTES))[0]

    async def _call_for_vectors(self, call: Call, keys: tuple[str] | tuple[str, str] = VECTOR_KEYS) -> Split:
        """Send a call whose answer holds vectors under these keys; they go straight into a matrix."""
        _, splitter = await self._with_retries(
            call, lambda: VectorSplitter(max_bytes=limits.VECTORS_REPLY_MAX_BYTES, keys=keys), limits.REPLY_MAX_BYTES
        )
        return splitter.finish()

    async def _pages(
        self, call: Call, parse: Callable[[bytes], Page[T]], filters: Mapping[str, str]
    ) -> AsyncIterator[T]:
        """Yield the items of a list, page by page, until its last."""
        for number in range(1, _LISTED_PAGES_MAX + 1):
            params = (*filters.items(), ("page", str(number)), ("page_limit", str(limits.PAGE_LIMIT_MAX)))
            page = parse((await self._call(replace(call, params=call.params + params))).body)
            for item in page.data:
                yield item
            last = page.page_info.total_page
            if not page.data or (last is not None and number >= last):
                return
        raise APIResponseError(f"could not {call.attempt}: the list has no end after {_LISTED_PAGES_MAX:,} pages.")

    async def _with_retries(self, call: Call, make_sink: Callable[[], SinkT], max_bytes: int) -> tuple[Reply, SinkT]:
        self._check_destination(call)
        category = category_of(call.method, call.path, call.category)
        reserved = self._take_reserved(category)
        # What was written down before a reserved request must not grow old: its tries and their waits are few.
        longest = None if reserved is None else self._policy.max_wait
        tries = Tries(self._policy, forgiving=reserved is None)
        while True:
            # What is refused here was never sent, and counts as no try.
            turn = await self._governor.turn(
                self._io, category, self._bounds, call.attempt, longest=longest, reserved=reserved
            )
            reserved = None
            try:
                sink = make_sink()  # a new one for each try: half a body of a broken answer must leave no trace
                reply, error, outcome = await self._try_and_note(call, sink, max_bytes)
                got_through = self._governor.heard(turn, outcome, self._bounds)
            finally:
                self._governor.leave(turn)
            if reply is not None:
                return reply, sink
            tries.note(outcome, before=turn.got_through, now=got_through)
            wait = self._policy.wait(
                tries.counted,
                outcome,
                repeatable=call.repeatable,
                now=time.time(),
                jitter=random.random(),  # noqa: S311  # spreads retries, guards nothing
            )
            if wait is None:
                raise error
            left = max(0.0, call.until - self._io.now())
            if outcome.status != RATE_LIMITED or wait >= left:
                await self._io.sleep(min(wait, left))  # after a 429 the next turn is what everybody waits for
            if wait >= left:
                raise error

    async def _try_and_note(
        self, call: Call, sink: Sink | None, max_bytes: int
    ) -> tuple[Reply | None, TwelveLabsError, Outcome]:
        """Send a call once; what must be noted of its success is noted though the caller leaves meanwhile."""
        note = call.note
        if note is None:
            return await self._try(call, sink, max_bytes)

        async def whole() -> tuple[Reply | None, TwelveLabsError, Outcome]:
            tried = await self._try(call, sink, max_bytes)
            if tried[0] is not None:
                await note(tried[0])
            return tried

        return await self._io.uninterrupted(whole)

    async def _try(
        self, call: Call, sink: Sink | None, max_bytes: int
    ) -> tuple[Reply | None, TwelveLabsError, Outcome]:
        try:
            reply = await self._io.exchange(self._exchange(call, sink, max_bytes))
        except NoAnswerError as failure:
            error = connection_error(call, failure, self.settings.timeout)
            return None, error, Outcome(None, failure.may_have_arrived)
        if not call.foreign and "date" in reply.headers:
            self._last_date = reply.headers["date"], time.time()
        if reply.ok:
            resets_at = None if call.foreign else limits_reset_at(reply.headers, time.time())
            return reply, TwelveLabsError(""), Outcome(reply.status, retry_at=resets_at)
        status_error = error_of_reply(call, self._without_key(reply), time.time())
        return None, status_error, Outcome(reply.status, retry_at=status_error.retry_at)

    def _without_key(self, reply: Reply) -> Reply:
        """Return an error's reply without our key, should the server quote it in whatever form it has."""
        key = self.settings.api_key.get_secret_value().encode()
        return replace(reply, body=reply.body.replace(key, b"***"))

    def _exchange(self, call: Call, sink: Sink | None, max_bytes: int) -> Exchange:
        headers = {"accept": "*/*", "user-agent": USER_AGENT}
        if not call.foreign:
            headers["x-api-key"] = self.settings.api_key.get_secret_value()
        if call.body is not None:
            if call.body.content_type:
                headers["content-type"] = call.body.content_type
            headers["content-length"] = str(call.body.length)
        headers |= call.headers
        return Exchange(
            call.method,
            call.path if call.foreign else self.settings.base_url + call.path,
            headers,
            call.body,
            sink,
            max_bytes,
            min(self.settings.timeout, max(call.until - self._io.now(), _LEAST_TIMEOUT)),
            params=call.params,
        )

    def _check_destination(self, call: Call) -> None:
        if not call.foreign and self.settings.is_sandbox and self.settings.is_live:
            raise ConfigurationError(
                "the key is a sandbox's, but base_url is the live service: "
                "pass the sandbox's base_url, or set TWELVELABS_BASE_URL."
            )


def path_part(identity: object, kind: str) -> str:
    """Return an id as exactly one part of a path.

    Raises:
        InputError: It is no text, or would lead elsewhere.
    """
    is_id = isinstance(identity, str) and identity.isprintable() and identity.strip() not in ("", ".", "..")
    if not is_id:
        raise InputError(f"{identity!r} is the id of no {kind}; expected a str such as '64f8d2c7e4a1b37f8a9c5d12'.")
    return quote(str(identity), safe="")


def connection_error(call: Call, failure: NoAnswerError, timeout: float) -> APIConnectionError:
    """Return the error of a call that got no answer."""
    advice = (
        "try again" if call.repeatable or not failure.may_have_arrived else "it may have happened: look at the list"
    )
    message = f"could not {call.attempt}: {failure}; {advice}."
    kind: type[APIConnectionError] = APIConnectionError
    if failure.timed_out:
        kind, message = APITimeoutError, f"{message} The time-out is {timeout:g} s."
    return kind(message, may_have_arrived=failure.may_have_arrived)


def error_of_reply(call: Call, reply: Reply, now: float) -> APIStatusError:
    """Return the typed error of an answer that is no success."""
    # A storage's own error page quotes the signature that it was given.
    info = parse_error(reply.status, reply.headers, b"" if call.foreign else reply.body, now)
    kind = _kind_of_foreign(reply.status) if call.foreign else _kind(reply.status)
    code = f" {info.code}" if info.code else ""
    message = f"could not {call.attempt}: HTTP {reply.status}{code}: {info.message or 'no message'}"
    return kind(
        f"{message.rstrip('.')}. {_advice(kind, info.retry_at)}".rstrip(),
        status_code=reply.status,
        code=info.code,
        request_id=info.request_id,
        retry_at=info.retry_at,
        body=info.body,
    )


def _kind(status: int) -> type[APIStatusError]:
    if status in (401, 403):
        return AuthenticationError
    if status in (404, 410):
        return NotFoundError
    if status == 429:  # noqa: PLR2004  # Too Many Requests
        return RateLimitError
    if status >= _FIRST_SERVER_ERROR:
        return ServerError
    # A redirect ends here too: the key is not carried to another address.
    return BadRequestError if status >= 400 else APIStatusError  # noqa: PLR2004


def _kind_of_foreign(status: int) -> type[APIStatusError]:
    """Return the kind of an error that has nothing to do with the API key."""
    if status >= _FIRST_SERVER_ERROR:
        return ServerError
    return BadRequestError if status >= 400 else APIStatusError  # noqa: PLR2004


def _advice(kind: type[APIStatusError], retry_at: float | None) -> str:
    if kind is RateLimitError and retry_at is not None:
        return when_to_retry(retry_at)
    return _ADVICE.get(kind, "")


_ADVICE: dict[type[APIStatusError], str] = {
    AuthenticationError: "Check the API key (TWELVELABS_API_KEY), base_url and the plan.",
    RateLimitError: "Try again later.",
    ServerError: "Try again later.",
    APIStatusError: "Redirects are not followed; check base_url.",
}
