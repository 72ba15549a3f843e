"""Calls of the official SDK that work with its sync and its async client."""

import asyncio
import base64
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import twelvelabs as sdk

WAIT_SECONDS = 60.0


async def of(answer: Any) -> Any:
    """Return the result of a call, sync or async."""
    return await answer if inspect.isawaitable(answer) else answer


async def items(pager: Any) -> list[Any]:
    """Return all items of a list, which the SDK reads page by page."""
    found = await of(pager)
    return [item async for item in found] if hasattr(found, "__aiter__") else list(found)


async def wait(poll: Callable[[], Any], *statuses: str) -> Any:
    """Poll until the status is one of some statuses."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        seen = await of(poll())
        if seen.status in statuses:
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError(f"still {seen}")


def inline(path: Path) -> sdk.MediaSource:
    return sdk.MediaSource(base_64_string=encoded(path))


def named(kind: Any, path: Path, name: str | None = None) -> sdk.MultiInputMediaSource:
    source = sdk.MultiInputMediaSource(media_type=kind, base_64_string=encoded(path))
    # A name of None would be sent as null.
    return source if name is None else source.model_copy(update={"name": name})


def sent(path: Path) -> tuple[str, bytes]:
    """Return a file for a form."""
    return path.name, path.read_bytes()


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


async def ready_asset(client: Any, path: Path) -> str:
    """Upload a file and wait until it is processed; return the asset's id."""
    made = await of(client.assets.create(method="direct", file=sent(path)))
    await wait(lambda: client.assets.retrieve(made.id), "ready")
    return str(made.id)
