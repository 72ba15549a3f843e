"""The table of endpoints in the README, made from what the operations declare: `python -m tests.endpoint_table`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from twelvelabs_core import AsyncClient, AsyncLegacyV1, Client, LegacyV1
from twelvelabs_core.api.endpoints import Calls, calls_of
from twelvelabs_core.models.marengo import MODELS

README = Path(__file__).parents[1] / "README.md"
START = "<!-- endpoints: written by `make table` -->\n"
END = "<!-- end of endpoints -->\n"
HEAD = "| endpoint | operation | models | `Client` | `AsyncClient` |\n| --- | --- | --- | --- | --- |\n"
# What is no operation: how long connections live.
LIFETIME = {"close", "aclose"}


class Operation(NamedTuple):
    """One public method of a client, or of what a client holds.

    Attributes:
        name: As it is called on a client, such as `legacy_v1.embed`.
        calls: What it declares; None if it does not.
        blocking: Whether `Client` has it.
        asynchronous: Whether `AsyncClient` has it.
    """

    name: str
    calls: Calls | None
    blocking: bool
    asynchronous: bool


def operations() -> Iterator[Operation]:
    """Yield every operation of both clients."""
    for prefix, one, other in (("", Client, AsyncClient), ("legacy_v1.", LegacyV1, AsyncLegacyV1)):
        for name in sorted(_methods(one) | _methods(other)):
            # Both twins run the same operation; the async one is that operation itself.
            declared = calls_of(getattr(other, name, getattr(one, name, None)))
            yield Operation(prefix + name, declared, name in _methods(one), name in _methods(other))


def table() -> str:
    """Return the table: one row an endpoint and set of models."""
    groups: dict[tuple[str, tuple[str, ...], bool, bool], list[str]] = {}
    for operation in operations():
        calls = operation.calls or Calls((), (), ())
        for endpoint in calls.endpoints:
            key = (endpoint, calls.models, operation.blocking, operation.asynchronous)
            groups.setdefault(key, []).append(operation.name)
    rows = [
        f"| `{endpoint}` | {', '.join(f'`{name}`' for name in names)} | {', '.join(models) or '-'} "
        f"| {_yes(blocking)} | {_yes(asynchronous)} |\n"
        for (endpoint, models, blocking, asynchronous), names in sorted(
            groups.items(), key=lambda group: _rank(*group[0])
        )
    ]
    return HEAD + "".join(rows)


def with_table(text: str) -> str:
    """Return the README with the table of today between its two marks."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the README lacks {START.strip()!r} or {END.strip()!r}")
    return before + start + table() + end + after


def _methods(kind: type) -> set[str]:
    names = (name for name in dir(kind) if not name.startswith("_"))
    return {name for name in names if callable(getattr(kind, name))} - LIFETIME


def _rank(endpoint: str, models: tuple[str, ...], *_: bool) -> tuple[Any, ...]:
    method, _, path = endpoint.partition(" ")
    families = ("/embed-v2", "/assets", "/embed")
    family = next(number for number, start in enumerate(families) if path.startswith(start))
    return family, path, method != "POST", method, -len(models), models != tuple(MODELS)[:1]


def _yes(value: bool) -> str:  # noqa: FBT001  # private
    return "yes" if value else "no"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
