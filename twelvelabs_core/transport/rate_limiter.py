"""What a caller's own rate limiter looks like: it is asked before each request that embeds something."""

from typing import Any, Protocol


class RateLimiter(Protocol):
    """Lets requests go at a pace of the caller's choice; LlamaIndex's limiters look like this.

    It is asked once per text, image, clip or embedding task, whatever the number of tries. One limiter may serve
    several clients, threads and event loops.

    Example:
        ```python
        limiter = TokenBucketRateLimiter(requests_per_minute=60)  # of llama_index.core.rate_limiter
        client = Client(rate_limiter=limiter)
        ```
    """

    def acquire(self) -> Any:
        """Block until the next request may go; for `Client`."""

    async def async_acquire(self) -> Any:
        """Wait until the next request may go; for `AsyncClient`."""
