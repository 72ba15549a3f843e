"""`Client` and `AsyncClient` are one surface: same names, parameters, defaults, types and words."""

import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, get_type_hints

import pytest

from twelvelabs_core import AsyncClient, Client


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


NAMES = sorted(public(Client) & public(AsyncClient))
METHODS = [name for name in NAMES if callable(getattr(Client, name))]


def unwrapped(annotation: Any) -> str:
    """Return a return type as both clients would write it."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(collections\.abc\.)?Async(Iterator|Generator)\b", "collections.abc.Iterator", text)


def test_both_have_the_same_public_names() -> None:
    """Looked at on objects, as a shell completes them: nothing of the machinery is on show."""
    one, other = Client("tlk_sandbox_x", store=":memory:"), AsyncClient("tlk_sandbox_x", store=":memory:")
    names = {kind: {name for name in dir(kind) if not name.startswith("_")} for kind in (one, other)}
    assert names[one] - {"close"} == names[other] - {"aclose"}


@pytest.mark.parametrize("name", ["__init__", *METHODS])
def test_both_take_the_same(name: str) -> None:
    one, other = (inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient))
    assert list(one.parameters.values()) == list(other.parameters.values())


@pytest.mark.parametrize("name", METHODS)
def test_both_return_the_same(name: str) -> None:
    one, other = (get_type_hints(getattr(kind, name)).get("return") for kind in (Client, AsyncClient))
    assert unwrapped(one) == unwrapped(other)
    method: Callable[..., Any] = getattr(AsyncClient, name)
    if name == "segment_many" or inspect.isasyncgenfunction(method):
        assert getattr(one, "__origin__", None) is Iterator
        assert getattr(other, "__origin__", None) is AsyncIterator
    else:
        assert inspect.iscoroutinefunction(method)
    assert not inspect.iscoroutinefunction(getattr(Client, name))


@pytest.mark.parametrize("name", NAMES)
def test_both_say_the_same(name: str) -> None:
    one, other = (inspect.getdoc(getattr(kind, name)) for kind in (Client, AsyncClient))
    assert one == other
    assert one


@pytest.mark.parametrize("name", METHODS)
def test_every_parameter_is_explained(name: str) -> None:
    text = inspect.getdoc(getattr(Client, name)) or ""
    parameters = [parameter for parameter in inspect.signature(getattr(Client, name)).parameters if parameter != "self"]
    if parameters and not name.startswith("retrieve"):
        section = text.partition("Args:")[2]
        assert [parameter for parameter in parameters if f"{parameter}:" not in section] == []


def test_the_constructor_is_explained_where_people_look() -> None:
    text = inspect.getdoc(Client) or ""
    parameters = list(inspect.signature(Client).parameters)
    assert [name for name in parameters if f"{name}:" not in text] == []
