"""What tests run in processes of their own; here because a spawned process must be able to import it."""

import os
from typing import Any

from twelvelabs_core import AsyncClient, Client, Settings, TwelveLabsError


def raise_it(error: TwelveLabsError) -> None:
    """Raise an error on the other side."""
    raise error


def send_back(value: Any) -> Any:
    """Return what came."""
    return value


def embed(client: Client, text: str) -> list[float]:
    """Embed a text on the other side."""
    return client.embed_text(text).vector.tolist()  # type: ignore[no-any-return]


def embed_async(client: AsyncClient, text: str) -> list[float]:
    """Embed a text on the other side, in a loop."""
    import asyncio  # noqa: PLC0415

    return asyncio.run(client.embed_text(text)).vector.tolist()  # type: ignore[no-any-return]


def key_of(settings: Settings) -> str:
    """Return the key that a worker has."""
    return settings.api_key.get_secret_value()


def with_key(key: str) -> None:
    """Give a worker's environment another key."""
    os.environ["TWELVELABS_API_KEY"] = key
