"""Ids, timestamps and pages in the format of the API."""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import TypeVar

T = TypeVar("T")


def new_id(now: float) -> str:
    """Return 24 hex digits that start with the time, as the vendor's ids do."""
    return f"{int(now):08x}{secrets.token_hex(8)}"


def rfc3339(seconds: float) -> str:
    """Format seconds since 1970 as ``2024-09-26T10:29:19.968Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_seconds(seconds: float) -> str:
    """Format a time in whole seconds, rounded up, as rate-limit messages do."""
    return datetime.fromtimestamp(ceil(seconds), UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Parse an RFC 3339 time to seconds since 1970; without a time zone it is UTC.

    Raises:
        ValueError: The text is not a time.
    """
    moment = datetime.fromisoformat(text)
    if "T" not in text.upper() and " " not in text:
        raise ValueError(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def page_body(items: Sequence[T], page: int, limit: int, render: Callable[[T], dict[str, object]]) -> dict[str, object]:
    """Return one page of a list; a page after the last is empty, which the official SDK relies on."""
    shown = items[(page - 1) * limit : page * limit]
    info = {
        "limit_per_page": limit,
        "page": page,
        "total_page": ceil(len(items) / limit),
        "total_results": len(items),
    }
    return {"data": [render(item) for item in shown], "page_info": info}
