"""`Mode`: calls the blocking or the async form of the same method, so that an operation is written once."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

R = TypeVar("R")


class Mode:
    """Calls what exists in a blocking and an async form, so that an operation is written once.

    Example:
        ```python
        vectors = await mode.run(client.embed_texts, texts)  # `Client` or `AsyncClient`
        found = await mode.call(docstore, "get_document_hash", doc_id)  # or "aget_document_hash"
        ```
    """

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the result of a function, or of the coroutine that an async function returns."""
        result = function(*args, **kwargs)
        return await result if self.is_async else result

    async def call(self, target: Any, method: str, *args: Any, async_name: str | None = None, **kwargs: Any) -> Any:
        """Call a method, or its async variant: `async_name`, by default `method` after an `a` (`_x`: `_ax`)."""
        is_private = method.startswith("_") and not method.startswith("__")
        variant = async_name or (f"_a{method[1:]}" if is_private else f"a{method}")
        return await self.run(getattr(target, variant if self.is_async else method), *args, **kwargs)

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run a function that reads files or uses a store without async methods; in a thread when awaiting."""
        return await asyncio.to_thread(function) if self.is_async else function()

    async def each(self, items: Any) -> AsyncGenerator[Any]:
        """Yield the items of an iterable; an async one only when awaiting. Closing this generator closes `items`."""
        is_async = hasattr(items, "__aiter__")
        try:
            if is_async:
                async for item in items:
                    yield item
            else:
                for item in items:
                    yield item
        finally:
            close = getattr(items, "aclose" if is_async else "close", None)
            if close is not None:
                closing = close()
                if is_async:
                    await closing


BLOCKING = Mode(is_async=False)
AWAITING = Mode(is_async=True)
