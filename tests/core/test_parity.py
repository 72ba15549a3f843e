"""`Client` and `AsyncClient` are one surface, v1 included: same names, parameters, defaults, types and words."""

import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, get_type_hints

import pytest

from twelvelabs_core import AsyncClient, AsyncLegacyV1, Client, LegacyV1


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


PAIRS: tuple[tuple[type, type], ...] = ((Client, AsyncClient), (LegacyV1, AsyncLegacyV1))
NAMES = [(*pair, name) for pair in PAIRS for name in sorted(public(pair[0]) & public(pair[1]))]
METHODS = [(one, other, name) for one, other, name in NAMES if callable(getattr(one, name))]
METHOD_IDS = [f"{one.__name__}.{name}" for one, _, name in METHODS]


def unwrapped(annotation: Any) -> str:
    """Return a return type as both clients would write it."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(collections\.abc\.)?Async(Iterator|Generator)\b", "collections.abc.Iterator", text)


@pytest.mark.parametrize("held", [None, "legacy_v1"])
def test_both_have_the_same_public_names(held: str | None) -> None:
    """Looked at on objects, as a shell completes them: nothing of the machinery is on show."""
    one, other = (kind("tlk_sandbox_x", store=":memory:") for kind in (Client, AsyncClient))
    found = [client if held is None else getattr(client, held) for client in (one, other)]
    mine, theirs = ({name for name in dir(item) if not name.startswith("_")} for item in found)
    assert mine - {"close"} == theirs - {"aclose"}


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [(*pair, "__init__") for pair in PAIRS] + METHODS,
    ids=[f"{one.__name__}.__init__" for one, _ in PAIRS] + METHOD_IDS,
)
def test_both_take_the_same(one: type, other: type, name: str) -> None:
    mine, theirs = (inspect.signature(getattr(kind, name)) for kind in (one, other))
    assert list(mine.parameters.values()) == list(theirs.parameters.values())


@pytest.mark.parametrize(("one", "other", "name"), METHODS, ids=METHOD_IDS)
def test_both_return_the_same(one: type, other: type, name: str) -> None:
    mine, theirs = (get_type_hints(getattr(kind, name)).get("return") for kind in (one, other))
    assert unwrapped(mine) == unwrapped(theirs)
    method: Callable[..., Any] = inspect.unwrap(getattr(other, name))  # without the warning of the old API
    if name == "segment_many" or inspect.isasyncgenfunction(method):
        assert getattr(mine, "__origin__", None) is Iterator
        assert getattr(theirs, "__origin__", None) is AsyncIterator
    else:
        assert inspect.iscoroutinefunction(method)
    assert not inspect.iscoroutinefunction(inspect.unwrap(getattr(one, name)))


@pytest.mark.parametrize(("one", "other", "name"), NAMES, ids=[f"{one.__name__}.{name}" for one, _, name in NAMES])
def test_both_say_the_same(one: type, other: type, name: str) -> None:
    mine, theirs = (inspect.getdoc(getattr(kind, name)) for kind in (one, other))
    assert mine == theirs
    assert mine


@pytest.mark.parametrize(("one", "other", "name"), METHODS, ids=METHOD_IDS)
def test_every_parameter_is_explained(one: type, other: type, name: str) -> None:
    text = inspect.getdoc(getattr(one, name)) or ""
    signature = inspect.signature(getattr(other, name))
    parameters = [parameter for parameter in signature.parameters if parameter != "self"]
    if parameters != ["asset_id"] and parameters:
        section = text.partition("Args:")[2]
        assert [parameter for parameter in parameters if f"{parameter}:" not in section] == []


def test_the_constructor_is_explained_where_people_look() -> None:
    text = inspect.getdoc(Client) or ""
    parameters = list(inspect.signature(Client).parameters)
    assert [name for name in parameters if f"{name}:" not in text] == []
