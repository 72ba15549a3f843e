"""What was asked of the sandbox, so that tests can count it."""

from collections import Counter, deque
from dataclasses import dataclass

# Far more than a test sends; a server that runs for weeks does not grow.
MAX_LOGGED_REQUESTS = 200_000


@dataclass(slots=True)
class RecordedRequest:
    """One request that arrived.

    Attributes:
        method: Such as ``POST``.
        path: The path after ``/v1.3``, without the query.
        template: The path with its ids named, such as ``/embed-v2/tasks/{task_id}``; the path itself where none fits.
        status: The status the request was answered with, or would have been where a fault cut the connection
            afterwards; None while it is handled, and where the connection was cut before.
        leaked_key: Whether an API key was sent to a signed address, as no client may; such a request is refused.

    Example:
        >>> RecordedRequest("GET", "/assets/65", "/assets/{asset_id}", 404).status
        404
    """

    method: str
    path: str
    template: str
    status: int | None = None
    leaked_key: bool = False


class RequestLog:
    """The last requests, in order of arrival.

    Example:
        >>> log = RequestLog()
        >>> log.arrived("GET", "/assets", "/assets").status = 200
        >>> log.count("GET", "/assets", status=200)
        1
    """

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=MAX_LOGGED_REQUESTS)

    def arrived(self, method: str, path: str, template: str) -> RecordedRequest:
        """Note a request; its status is filled in later."""
        request = RecordedRequest(method, path, template)
        self._requests.append(request)
        return request

    def all(self) -> list[RecordedRequest]:
        """Return what arrived."""
        return list(self._requests)

    def clear(self) -> None:
        """Forget what arrived."""
        self._requests.clear()

    def count(self, method: str | None = None, template: str | None = None, status: int | None = None) -> int:
        """Count requests; None counts all."""
        return sum(
            method in {None, request.method}
            and template in {None, request.template}
            and status in {None, request.status}
            for request in self.all()
        )

    def counts(self) -> dict[str, int]:
        """Return how many requests there were by method and template."""
        return dict(Counter(f"{request.method} {request.template}" for request in self.all()))
