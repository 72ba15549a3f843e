"""`Client` and its resources are generated from the async ones: same names, parameters, types and docstrings."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from twelvelabs_core import (
    Assets,
    AsyncAssets,
    AsyncClient,
    AsyncLegacyV1,
    AsyncTasks,
    AsyncUploads,
    Client,
    LegacyV1,
    Tasks,
    Uploads,
)

PAIRS: list[tuple[type, type]] = [
    (Client, AsyncClient),
    (Tasks, AsyncTasks),
    (Assets, AsyncAssets),
    (Uploads, AsyncUploads),
    (LegacyV1, AsyncLegacyV1),
]
pairs = pytest.mark.parametrize(("sync", "asynchronous"), PAIRS, ids=[sync.__name__ for sync, _ in PAIRS])
INTERNAL = "For other modules of the core"


def names(kind: type) -> set[str]:
    return {
        name
        for name in dir(kind)
        if not name.startswith("_") and INTERNAL not in (inspect.getdoc(getattr(kind, name)) or "")
    }


def methods(sync: type) -> Iterator[str]:
    return (name for name in sorted(names(sync)) if callable(getattr(sync, name)) and name != "close")


def without_async(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\bAsync(Iterator|Generator)\b", "Iterator", text)


@pairs
def test_both_have_the_same_public_names(sync: type, asynchronous: type) -> None:
    assert names(sync) - {"close"} == names(asynchronous) - {"aclose"}


@pairs
def test_both_have_the_same_parameters_and_return_types(sync: type, asynchronous: type) -> None:
    for name in methods(sync):
        one, other = getattr(sync, name), inspect.unwrap(getattr(asynchronous, name))
        assert list(inspect.signature(one).parameters.values()) == list(inspect.signature(other).parameters.values())
        assert without_async(get_type_hints(one)["return"]) == without_async(get_type_hints(other)["return"])
        assert not inspect.iscoroutinefunction(one)
        assert inspect.iscoroutinefunction(other) or "Iterator" in str(get_type_hints(other)["return"])


@pairs
def test_both_have_the_same_docstrings_that_explain_every_parameter(sync: type, asynchronous: type) -> None:
    for name in names(sync) - {"close"}:
        text = inspect.getdoc(getattr(sync, name))
        assert text
        assert text == re.sub(r"\bawait ", "", inspect.getdoc(getattr(asynchronous, name)) or "")
    for name in methods(sync):
        parameters = [one for one in inspect.signature(getattr(sync, name)).parameters if one != "self"]
        section = (inspect.getdoc(getattr(sync, name)) or "").partition("Args:")[2]
        if parameters not in ([], ["asset_id"]):
            assert [one for one in parameters if f"{one}:" not in section] == [], name


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_the_constructor_is_documented_on_the_class(client: type) -> None:
    text = inspect.getdoc(client) or ""
    assert [name for name in inspect.signature(client).parameters if f"{name}:" not in text] == []
    assert "await" not in (inspect.getdoc(Client) or "")
