"""Reads query parameters: pages, times and choices."""

from starlette.datastructures import QueryParams

from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.formats import parse_time
from twelvelabs_sandbox.requests.fields import short_repr

MAX_PAGE_LIMIT = 50


def page_query(query: QueryParams) -> tuple[int, int]:
    """Read ``page`` and ``page_limit``."""
    return _integer(query, "page", 1, 2**63 - 1), _integer(query, "page_limit", 10, MAX_PAGE_LIMIT)


def time_query(query: QueryParams, name: str) -> float | None:
    """Read an RFC 3339 time as seconds since 1970."""
    if (text := query.get(name)) is None:
        return None
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise invalid(f"The {name} parameter must be an RFC 3339 time, not {short_repr(text)}.") from None


def choice_query(query: QueryParams, name: str, allowed: tuple[str, ...], *, commas: bool = False) -> set[str]:
    """Read a query parameter that may be repeated and has a fixed set of values; empty if it is missing.

    Args:
        query: All query parameters.
        name: The name of the parameter.
        allowed: The allowed values.
        commas: Whether one parameter may contain several values, separated by commas.
    """
    texts = query.getlist(name)
    values = {value for text in texts for value in text.split(",")} if commas else set(texts)
    if wrong := values.difference(allowed):
        raise invalid(f"The {name} parameter must be one of {', '.join(allowed)}, not {short_repr(min(wrong))}.")
    return values


def _integer(query: QueryParams, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else 0
    if not 1 <= number <= most:
        raise invalid(f"The {name} parameter must be an integer from 1 to {most}, not {short_repr(text)}.")
    return number
