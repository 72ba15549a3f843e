"""The log of received requests, so that tests can count them."""

from collections import Counter, deque
from dataclasses import dataclass

# Far more than a test sends; bounds the memory of a server that runs for weeks.
MAX_LOGGED_REQUESTS = 200_000


@dataclass(slots=True)
class RecordedRequest:
    """A received request.

    Attributes:
        method: For example ``POST``.
        path: The path after ``/v1.3``, without the query.
        template: The path with ids replaced, such as ``/embed-v2/tasks/{task_id}``; the path if no route matches.
        status: The status of the response, also if a fault aborted the connection afterwards; None while the request is
            handled, or if the connection was aborted before.
        leaked_key: Whether an API key was sent to a presigned URL, which clients must not do; the request is refused.

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
        """Record a request; its status is set later."""
        request = RecordedRequest(method, path, template)
        self._requests.append(request)
        return request

    def all(self) -> list[RecordedRequest]:
        """Return the recorded requests."""
        return list(self._requests)

    def clear(self) -> None:
        """Remove the recorded requests."""
        self._requests.clear()

    def count(self, method: str | None = None, template: str | None = None, status: int | None = None) -> int:
        """Count requests; None matches all."""
        return sum(
            method in {None, request.method}
            and template in {None, request.template}
            and status in {None, request.status}
            for request in self.all()
        )

    def counts(self) -> dict[str, int]:
        """Return the number of requests by method and template."""
        return dict(Counter(f"{request.method} {request.template}" for request in self.all()))
