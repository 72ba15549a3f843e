"""How an operation that is written once calls what has a blocking and an async form. Knows no operation.

Operations are `async def` over a `Mode`. A public method runs them as `finish(operation(BLOCKING, ...))`, its async
twin as `await operation(AWAITING, ...)`; so the two cannot come to differ.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

from twelvelabs_core.transport.io import finish as _finish

R = TypeVar("R")


class Mode:
    """Either blocks, or awaits.

    Example:
        ```python
        vectors = await mode.ask(client.embed_texts, texts)  # `Client` or `AsyncClient`
        found = await mode.call(docstore, "get_document_hash", doc_id)  # or "aget_document_hash"
        ```
    """

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async

    async def ask(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what a function returns; what an async function's coroutine returns."""
        answer = function(*args, **kwargs)
        return await answer if self.is_async else answer

    async def call(self, target: Any, method: str, *args: Any, async_name: str | None = None, **kwargs: Any) -> Any:
        """Call a method, or its async twin.

        Args:
            target: The object.
            method: Name of the blocking method.
            *args: Passed on.
            async_name: Name of the async twin. Default: the same with an `a` before it, after an underscore.
            **kwargs: Passed on.
        """
        hidden = method.startswith("_") and not method.startswith("__")
        twin = async_name or (f"_a{method[1:]}" if hidden else f"a{method}")
        return await self.ask(getattr(target, twin if self.is_async else method), *args, **kwargs)

    async def blocking(self, function: Callable[[], R]) -> R:
        """Run what reads files or talks to stores that only block; beside the loop, where there is one."""
        return await asyncio.to_thread(function) if self.is_async else function()

    async def each(self, items: Any) -> AsyncGenerator[Any]:
        """Yield the items of a blocking or an async iterator; closing this closes it."""
        try:
            if self.is_async:
                async for item in items:
                    yield item
            else:
                for item in items:
                    yield item
        finally:
            close = getattr(items, "aclose" if self.is_async else "close", None)
            if close is not None:
                await self.ask(close)


BLOCKING = Mode(is_async=False)
AWAITING = Mode(is_async=True)


def finish(operation: Coroutine[Any, Any, R]) -> R:
    """Run an operation that was given `BLOCKING`, here and to its end; also under a running event loop."""
    return _finish(operation)
