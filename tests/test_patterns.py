"""Every regular expression of the package is linear, and works on the oldest supported Python.

A pattern is linear where a text of four times the length costs about four times as much. CPython before 3.11.5 matches
possessive repeats and atomic groups wrongly.
"""

import ast
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from twelvelabs_core.results.decode import VECTOR_KEYS, VectorSplitter

PACKAGES = (
    "twelvelabs_core",
    "langchain_twelvelabs",
    "llama_index_twelvelabs",
    "daft_twelvelabs",
    "twelvelabs_sandbox",
)
LETTERS = "aAé0 \n\t.,;:!?-_~%&=/\\|<>()[]{}\"'@#*+$^`"
# What a pattern expects before the part that repeats; others begin with the repeated letter.
BEGINNINGS = ("", "token=", "https://", "~acl=", "x | ", "tl-segment:", "after 2026-", "[", "<@", '"data":', ". ", "\n")
METHODS = frozenset({"search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"})
LENGTH = 5_000
SUSPICIOUS = 0.008  # seconds of the processor for that length; then a text of four times the length decides
RATIO_MAX = 9.0  # 4 for a linear pattern, 16 for a quadratic one


class Pattern(NamedTuple):
    """A pattern and the methods that are called with it."""

    value: str | bytes
    methods: frozenset[str]


def modules() -> Iterator[ModuleType]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def calls(module: ModuleType) -> Iterator[tuple[ast.expr, frozenset[str]]]:
    """Yield the pattern of each call of `re` in a module, and the methods that the module calls with it."""
    nodes = list(ast.walk(ast.parse(Path(str(module.__file__)).read_text())))
    names = {node.value: node.targets[0] for node in nodes if isinstance(node, ast.Assign)}
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile"), args=[pattern, *_]):
                name = ast.unparse(names[node])
                used = {one.attr for one in nodes if isinstance(one, ast.Attribute) and ast.unparse(one.value) == name}
                yield pattern, frozenset(used & METHODS or METHODS)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=method), args=[pattern, *_]):
                if method in METHODS:
                    yield pattern, frozenset({method})


def values(module: ModuleType, pattern: ast.expr) -> list[str | bytes]:
    """Return the values of a pattern: of an expression of the module's own names, else as listed here."""
    try:
        return [eval(compile(ast.Expression(pattern), str(module.__file__), "eval"), vars(module))]  # noqa: S307
    except NameError:
        if module.__name__.endswith("results.decode"):
            return [VectorSplitter(max_bytes=1, keys=VECTOR_KEYS)._key.pattern]
        if module.__name__.endswith("engine.images"):
            return [signature for _, signature in vars(module)["SIGNATURES"]]
        raise


@pytest.fixture(scope="module")
def patterns() -> dict[str, Pattern]:
    found = {
        f"{module.__name__}:{pattern.lineno}:{number}": Pattern(value, methods)
        for module in modules()
        for pattern, methods in calls(module)
        for number, value in enumerate(values(module, pattern))
    }
    assert len(found) > 30
    assert {name.partition(".")[0] for name in found} >= {"twelvelabs_core", "twelvelabs_sandbox"}
    return found


def seconds(pattern: Pattern, text: str) -> float:
    compiled: Any = re.compile(pattern.value, re.IGNORECASE | re.MULTILINE)
    given = text.encode() if isinstance(pattern.value, bytes) else text
    start = time.process_time()
    for method in pattern.methods & {"match", "fullmatch"}:
        getattr(compiled, method)(given)
    if pattern.methods - {"match", "fullmatch"}:
        compiled.findall(given)
    return time.process_time() - start


@pytest.mark.slow
def test_every_pattern_is_linear(patterns: dict[str, Pattern]) -> None:
    slow = []
    for name, pattern in patterns.items():
        for beginning, letter in itertools.product(BEGINNINGS, LETTERS):
            once = seconds(pattern, f"{beginning}{letter * LENGTH}\x00")
            if once > SUSPICIOUS and seconds(pattern, f"{beginning}{letter * 4 * LENGTH}\x00") > RATIO_MAX * once:
                slow.append((name, pattern.value, beginning + letter, once))
                break
    assert slow == []


def test_no_pattern_needs_a_newer_python(patterns: dict[str, Pattern]) -> None:
    plain = {name: re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", str(one.value)) for name, one in patterns.items()}
    assert {name: text for name, text in plain.items() if re.search(r"[*+?}]\+|\(\?>", text)} == {}
