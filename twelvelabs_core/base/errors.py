"""The errors that this package raises, as a tree.

TwelveLabsError
├─ ConfigurationError (ValueError)   no key, bad option: before any request
├─ InputError (ValueError)           media or arguments refused before any request, with the limit and the value
├─ APIConnectionError                no answer
│  └─ APITimeoutError (TimeoutError)
├─ APIStatusError                    status_code, code, request_id, retry_at, body
│  ├─ BadRequestError · AuthenticationError · NotFoundError · RateLimitError · ServerError
├─ APIResponseError                  success status, body not as documented
├─ SegmentNotFoundError (KeyError)   a reference whose vector is not in the store
├─ BudgetError                       a task would exceed `max_minutes` or `max_cost`
├─ IngestionError                    several sources, some failed: for each its reason and task id
└─ TaskError                         task_id
   ├─ TaskFailedError · TaskTimeoutError (TimeoutError)

Errors have plain data only, so that they can be pickled. A message says what was attempted, what went wrong and what to
do, and never contains a key, a header, a signed URL or media bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


class TwelveLabsError(Exception):
    """Base class of all errors of this package.

    Attributes:
        message: What was attempted, what went wrong, what to do.
        task_id: The embedding task that was waited for when it happened, or None.

    Example:
        ```python
        try:
            client.embed_text("a red car")
        except TwelveLabsError as error:
            print(error)
        ```
    """

    task_id: str | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls cls(*args), which fails for keyword-only arguments and makes process pools hang.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[TwelveLabsError], args: tuple[Any, ...], state: dict[str, Any]) -> TwelveLabsError:
    """Restore an error from its pickle."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(TwelveLabsError, ValueError):
    """The configuration cannot be used: no key, or an invalid option. Nothing was sent."""


class InputError(TwelveLabsError, ValueError):
    """Media or arguments were refused before any request; the message names the limit and the value."""


class APIConnectionError(TwelveLabsError):
    """The API did not answer. A retry may succeed; a create may have succeeded: check the list of tasks.

    Attributes:
        may_have_arrived: False if the request was certainly not sent, so that nothing was created.
    """

    def __init__(self, message: str, *, may_have_arrived: bool = True) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class APITimeoutError(APIConnectionError, TimeoutError):
    """The API did not answer in time. Retry, or set a longer `timeout`."""


class APIStatusError(TwelveLabsError):
    """The API answered with an error.

    Attributes:
        status_code: The HTTP status.
        code: The API's own code, such as `parameter_invalid`, or None.
        request_id: The server's id of the request, or None.
        retry_at: Seconds since the epoch (UTC) from which a retry makes sense, or None.
        body: The decoded error body, truncated, without signed URLs.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        request_id: str | None = None,
        retry_at: float | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.retry_at = retry_at
        self.body = body


class BadRequestError(APIStatusError):
    """The request or its media were refused (400, 409, 413, 422). Do not retry; change the request."""


class AuthenticationError(APIStatusError):
    """The key is wrong, has expired or has no permission (401, 403). Do not retry; check the key and the plan."""


class NotFoundError(APIStatusError):
    """The task or asset does not exist, or it has expired (404). Do not retry."""


class RateLimitError(APIStatusError):
    """Too many requests or minutes of media (429). Retry at `retry_at`."""

    def retry_time(self) -> datetime | None:
        """Return `retry_at` as a UTC datetime, or None when the server gave no time."""
        return None if self.retry_at is None else datetime.fromtimestamp(self.retry_at, UTC)


class ServerError(APIStatusError):
    """The API failed (5xx). A retry may succeed; creates are not retried automatically."""


class APIResponseError(TwelveLabsError):
    """The API answered with success, but its body is not as documented. It was discarded."""


class SegmentNotFoundError(TwelveLabsError, KeyError):
    """A text refers to a segment whose vector is not in the store. Load the video again, or pass its store."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One source that could not be ingested.

    Attributes:
        source: The name of the source, without signature.
        reason: The message of its error.
        task_id: Its embedding task, when one was created.
        error: The error itself.

    Example:
        ```python
        try:
            videos = list(client.segment_many(paths))
        except IngestionError as error:
            again = [failure.source for failure in error.failures]
        ```
    """

    source: str
    reason: str
    task_id: str | None
    error: TwelveLabsError

    def __str__(self) -> str:
        """Return the name once, the reason, and the task."""
        named = self.reason if f" {self.source}:" in f" {self.reason}" else f"{self.source}: {self.reason}"
        return named + (f" [task {self.task_id}]" if self.task_id else "")


class IngestionError(TwelveLabsError):
    """Some of several sources failed; the others are in the segment store.

    Attributes:
        failures: One `Failure` per failed source.
        succeeded: The names of the sources that are done.
    """

    def __init__(self, failures: Sequence[Failure], succeeded: Sequence[str] = ()) -> None:
        lines = [f"- {failure}" for failure in failures]
        total = len(failures) + len(succeeded)
        others = "; the others are in the segment store, and the next run does not pay for them again"
        head = f"{len(failures)} of {total} sources failed{others if succeeded else ''}:"
        super().__init__("\n".join([head, *lines]))
        self.failures = tuple(failures)
        self.succeeded = tuple(succeeded)

    def __reduce__(self) -> tuple[Any, ...]:
        return IngestionError, (self.failures, self.succeeded)


class BudgetError(TwelveLabsError):
    """A task does not fit into `max_minutes` or `max_cost`, or its length is unknown. Nothing was paid for it."""


class TaskError(TwelveLabsError):
    """An embedding task, or an asset or transcription that was waited for, has no result.

    Attributes:
        task_id: The task's id; None for an asset or transcription.
    """

    def __init__(self, message: str, *, task_id: str | None = None) -> None:
        super().__init__(message)
        self.task_id = task_id


class TaskFailedError(TaskError):
    """The task failed. The message has the reason of the server.

    Also of an asset; `task_id` is None then, and the message names the asset.
    """


class TaskTimeoutError(TaskError, TimeoutError):
    """The task was not ready in time. It continues at the server: wait again with its id, nothing is paid twice.

    Also of an asset or a transcription; `task_id` is None then, and the message names the asset.
    """
