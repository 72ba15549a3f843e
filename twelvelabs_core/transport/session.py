"""`Session`: sends API calls with the key, retries, rate limits and typed errors."""

import functools
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar, cast
from urllib.parse import quote

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import (
    APIConnectionError,
    APIResponseError,
    ConfigurationError,
    InputError,
    RateLimitError,
    ServerError,
    TwelveLabsError,
)
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.base.version import user_agent
from twelvelabs_core.results.decode import VECTOR_KEYS, Split, VectorSplitter
from twelvelabs_core.results.responses import Answer, Page
from twelvelabs_core.transport.body import Call, NoAnswerError, Reply, Sink
from twelvelabs_core.transport.error_response import connection_error, limits_reset_at, status_error
from twelvelabs_core.transport.http import KeyAuth
from twelvelabs_core.transport.io import Exchange, Io
from twelvelabs_core.transport.polling import LAST_REQUEST, current_time_limit
from twelvelabs_core.transport.rate_limit import Permit, RateLimiter, category_of, rate_limits_of
from twelvelabs_core.transport.retry import RATE_LIMITED, Outcome, RetryPolicy
from twelvelabs_core.transport.shared_pace import PaceStore

logger = logging.getLogger("twelvelabs_core")

T = TypeVar("T", bound=Answer)
SinkT = TypeVar("SinkT", bound=Sink | None)

_LISTED_PAGES_MAX = 10_000  # of 50 items; ends the list of a server that repeats its pages
_FREE_TRIES = 10  # per retry, for requests that are refused while others succeed; endless work of others must not block


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a call: either a reply or an error.

    Attributes:
        reply: The response, if its status is a success.
        error: The error to raise, if it is not.
        outcome: How it ended, for `RetryPolicy.wait`.
    """

    reply: Reply | None
    error: TwelveLabsError | None
    outcome: Outcome


class Session:
    """Sends calls to the API.

    Args:
        settings: Key, base URL, time-out, retries and limits.
        io: How to send and wait.
        rate_limiter: The caller's own rate limiter, see `wait_for_rate_limiter`.
        open_pace: Opens the store through which the processes of an account share one pace; None: they do not.

    Attributes:
        policy: When a failed call is retried.
        clock_offset: How far the server's clock was ahead of the local one at its last response; 0 if unknown.
    """

    def __init__(
        self,
        settings: Settings,
        io: Io,
        rate_limiter: RateLimiter | None = None,
        open_pace: Callable[[], PaceStore] | None = None,
    ) -> None:
        self.settings = settings
        self.io = io
        self.policy = RetryPolicy(settings.max_retries, settings.max_retry_wait)
        self._auth = KeyAuth(settings.api_key)
        self._rate_limiter = rate_limiter
        self._rate_limits = rate_limits_of(settings, open_pace)
        self.clock_offset = timedelta(0)

    async def send(self, call: Call) -> Reply:
        """Send a call whose response is small; return its reply.

        Raises:
            TwelveLabsError: It failed, after the retries that `policy` allows.
        """
        return (await self._send(call, lambda: None))[0]

    async def send_for_vectors(self, call: Call, keys: tuple[str] | tuple[str, str] = VECTOR_KEYS) -> Split:
        """Send a call whose response contains vectors under `keys`; they are decoded straight into a matrix.

        Raises:
            TwelveLabsError: It failed, after the retries that `policy` allows.
        """
        make_sink = functools.partial(VectorSplitter, max_bytes=limits.VECTORS_REPLY_MAX_BYTES, keys=keys)
        return (await self._send(call, make_sink))[1].finish()

    async def pages(
        self, call: Call, parse: Callable[[bytes], Page[T]], filters: Mapping[str, str]
    ) -> AsyncIterator[T]:
        """Yield the items of a list, fetched page by page.

        Raises:
            TwelveLabsError: A page could not be fetched.
        """
        for number in range(1, _LISTED_PAGES_MAX + 1):
            params = (*filters.items(), ("page", str(number)), ("page_limit", str(limits.PAGE_LIMIT_MAX)))
            page = parse((await self.send(replace(call, params=call.params + params))).body)
            for item in page.data:
                yield item
            last = page.page_info.total_page
            if not page.data or (last is not None and number >= last):
                return
        raise APIResponseError(f"could not {call.attempt}: the list does not end after {_LISTED_PAGES_MAX:,} pages.")

    async def try_once(self, call: Call, sink: Sink | None = None) -> Attempt:
        """Send a call once, without retries and rate limits; `sink` takes the body of a success."""
        try:
            reply = await self.io.exchange(self._exchange(call, sink))
        except NoAnswerError as failure:
            return Attempt(None, connection_error(call, failure), Outcome(None, failure.may_have_arrived))
        now = time.time()
        if not call.foreign:
            self._note_clock(reply, now)
            self._rate_limits.note_media(reply.headers, now)
        if reply.ok:
            reset_at = None if call.foreign else limits_reset_at(reply.headers, now)
            return Attempt(reply, None, Outcome(reply.status, retry_after=_seconds_until(reset_at, now)))
        refused = status_error(call, self._without_key(reply), now, self.settings.base_url)
        return Attempt(None, refused, Outcome(reply.status, retry_after=_seconds_until(refused.retry_at, now)))

    @property
    def media_seconds_left(self) -> float | None:
        """Seconds of media that the API still accepts, as its last answer said; None if it did not."""
        return self._rate_limits.media_seconds_left(time.time())

    def may_pass(self, error: TwelveLabsError) -> bool:
        """Return whether a failure may pass by itself: a lost connection, 5xx, or a 429 without a long pause."""
        if isinstance(error, RateLimitError):
            return error.retry_at is None or error.retry_at - time.time() <= self.policy.max_wait
        return isinstance(error, APIConnectionError | ServerError)

    async def wait_for_rate_limiter(self) -> None:
        """Wait for the caller's own rate limiter, before a request that embeds something."""
        if self._rate_limiter is not None:
            await self.io.acquire(self._rate_limiter)

    async def acquire(self, category: str, attempt: str) -> Permit:
        """Wait until a request may be sent; give the permit to its call (`Call.permit`) or to `release`.

        A call with a permit does not wait again, unless a pause has begun in between. What was recorded before it must
        not grow old, so all its tries count and each of its waits is limited to `max_retry_wait`.

        Args:
            category: The rate-limit category of the request.
            attempt: What the request is for, for the message.

        Raises:
            RateLimitError: The API demands a pause longer than `max_retry_wait`, or than the time limit.
        """
        max_wait = current_time_limit().remaining(self.io.now())
        return await self._rate_limits.acquire(category, self.settings, attempt, self.io.sleep, max_wait=max_wait)

    def release(self, permit: Permit) -> None:
        """Give back a permit that no call uses; without effect after the call."""
        self._rate_limits.release(permit)

    def check_pause(self, category: str, attempt: str) -> None:
        """Verify that a request would not be refused, before work that only this request makes useful.

        Raises:
            RateLimitError: The API demands a pause longer than `max_retry_wait`.
        """
        self._rate_limits.check_pause(category, self.settings, attempt)

    async def _send(self, call: Call, make_sink: Callable[[], SinkT]) -> tuple[Reply, SinkT]:
        self._check_destination(call)
        category = category_of(call.method, call.path, call.category)
        permit = call.permit
        max_wait = math.inf if permit is None else self.policy.max_wait
        free_tries = self.policy.max_retries * _FREE_TRIES if permit is None else 0
        tries = 0
        seen: int | None = None  # successes of the category
        while True:
            remaining = current_time_limit().remaining(self.io.now())
            permit = await self._rate_limits.acquire(
                category, self.settings, call.attempt, self.io.sleep, permit=permit, max_wait=min(max_wait, remaining)
            )
            seen = permit.successes if seen is None else seen
            try:
                sink = make_sink()  # a new one for each try: half a body must leave no trace
                attempt = await self._try_and_note(call, sink)
                successes = self._rate_limits.record(permit, attempt.outcome, self.settings)
            finally:
                self._rate_limits.release(permit)
            if attempt.reply is not None:
                return attempt.reply, sink
            # A refusal while other requests of the category succeed is not a failure: this request is only late.
            is_free = attempt.outcome.status == RATE_LIMITED and successes > seen and free_tries > 0
            free_tries -= is_free
            tries += not is_free
            seen = successes
            await self._wait_to_retry(call, attempt, tries)

    async def _wait_to_retry(self, call: Call, attempt: Attempt, tries: int) -> None:
        limit = current_time_limit()
        wait = self.policy.wait(tries, attempt.outcome, repeatable=call.repeatable, is_patient=limit.is_patient)
        error = cast("TwelveLabsError", attempt.error)
        if wait is None or wait >= limit.remaining(self.io.now()):
            raise error
        if tries == self.policy.max_retries + 1:
            logger.warning("%s It is retried until the time-out.", error)
        if attempt.outcome.status != RATE_LIMITED:  # after a 429, the next permit is given after the pause of all
            await self.io.sleep(wait)

    async def _try_and_note(self, call: Call, sink: Sink | None) -> Attempt:
        note = call.note
        if note is None:
            return await self.try_once(call, sink)

        async def send_and_note() -> Attempt:
            attempt = await self.try_once(call, sink)
            if attempt.reply is not None:
                await note(attempt.reply)
            return attempt

        return await self.io.uninterrupted(send_and_note)

    def _note_clock(self, reply: Reply, now: float) -> None:
        date = _parse_date(reply.headers.get("date", ""))
        if date is not None:
            self.clock_offset = date - datetime.fromtimestamp(now, UTC)

    def _without_key(self, reply: Reply) -> Reply:
        """Return an error response without the API key, should the server quote it."""
        key = self.settings.api_key
        body = reply.body.replace(key.get_secret_value().encode(), b"***")
        headers = {name: value.replace(key.get_secret_value(), "***") for name, value in reply.headers.items()}
        return replace(reply, headers=headers, body=body)

    def _exchange(self, call: Call, sink: Sink | None) -> Exchange:
        headers = {"accept": "*/*", "user-agent": user_agent()}
        if call.body is not None:
            headers |= {"content-type": call.body.content_type} if call.body.content_type else {}
            headers["content-length"] = str(call.body.length)
        return Exchange(
            call.method,
            call.path if call.foreign else self.settings.base_url + call.path,
            headers | dict(call.headers),
            self.settings.timeout,
            current_time_limit().until + LAST_REQUEST - self.io.now(),
            call.body,
            sink,
            call.params,
            None if call.foreign else self._auth,
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
        InputError: It is not a str, or would lead to another path.
    """
    is_id = isinstance(identity, str) and identity.isprintable() and identity.strip() not in ("", ".", "..")
    if not is_id:
        raise InputError(f"{identity!r} is not a valid {kind} id; expected a str such as '64f8d2c7e4a1b37f8a9c5d12'.")
    return quote(str(identity), safe="")


def _seconds_until(moment: float | None, now: float) -> float | None:
    """Return the seconds until a time of the server, converted once; later waits use the monotonic clock."""
    return None if moment is None or moment <= now else moment - now


@functools.lru_cache(maxsize=16)  # all responses of one second have the same date
def _parse_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
