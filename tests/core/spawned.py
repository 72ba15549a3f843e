"""Functions that tests run in spawned processes, which must be able to import them."""

import os
from typing import Any

from twelvelabs_core import AsyncClient, Client, Settings, TwelveLabsError


def raise_it(error: TwelveLabsError) -> None:
    """Raise an error in the worker."""
    raise error


def send_back(value: Any) -> Any:
    """Return the argument as it arrived."""
    return value


def embed(client: Client, text: str) -> list[float]:
    """Embed a text in the worker."""
    return client.embed_text(text).vector.tolist()  # type: ignore[no-any-return]


def embed_async(client: AsyncClient, text: str) -> list[float]:
    """Embed a text in an event loop of the worker."""
    import asyncio  # noqa: PLC0415

    return asyncio.run(client.embed_text(text)).vector.tolist()  # type: ignore[no-any-return]


def key_of(settings: Settings) -> str:
    """Return the API key of a client in the worker."""
    return settings.api_key.get_secret_value()


def with_key(key: str) -> None:
    """Set another API key in the worker's environment."""
    os.environ["TWELVELABS_API_KEY"] = key


def segment_within(settings: Settings, store: str, paths: list[str], max_minutes: float) -> int:
    """Segment videos within a budget in the worker; return how many were paid for."""
    from twelvelabs_core import FixedSegmentation  # noqa: PLC0415

    client = Client(settings=settings, store=store)
    failures: list[Any] = []
    found = client.segment_many(
        paths,
        segmentation=FixedSegmentation(8),
        embedding_option=["visual"],
        max_minutes=max_minutes,
        on_error=failures.append,
    )
    return sum(not one.reused for one in found)
