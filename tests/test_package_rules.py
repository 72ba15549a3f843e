"""Rules for all packages that no linter checks: documentation of public names, size of files, who may block."""

import ast
import importlib
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "twelvelabs_core",
    "twelvelabs_sandbox",
    "langchain_twelvelabs",
    "llama_index_twelvelabs",
    "daft_twelvelabs",
)
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
CORE = [path for path in FILES if path.relative_to(ROOT).parts[0] == "twelvelabs_core"]
GENERATED = ROOT / "twelvelabs_core" / "_sync_client.py"
LINES_MAX = 450
FUNCTION_LINES_MAX = 60
# Methods with all options of the API: each option takes a line in the signature, the docstring and the call.
LONG_METHODS = re.compile(
    r"(segment|embed|create)_(video|audio|document|many)|create_(video|audio)|create|embed|plan|put_intent|submit"
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def uses(path: Path) -> set[str]:
    """Return the dotted names that a file uses, such as `os.environ`."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def public_values() -> Iterator[tuple[str, Any]]:
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            yield f"{package}.{name}", getattr(module, name)


def test_all_lists_the_public_names_in_order() -> None:
    for package in PACKAGES:
        names = list(importlib.import_module(package).__all__)
        assert names == sorted(set(names)), package
        assert set(names) <= set(dir(importlib.import_module(package))), package


def test_public_names_and_their_methods_are_documented() -> None:
    missing = []
    for name, value in public_values():
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue  # a type alias
        members = vars(value).items() if inspect.isclass(value) else ()
        missing += [] if inspect.getdoc(value) else [name]
        missing += [
            f"{name}.{attribute}"
            for attribute, member in members
            if not attribute.startswith("_")
            and (inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod))
            and not inspect.getdoc(getattr(value, attribute))
        ]
    assert missing == []


def test_public_classes_have_an_example_that_compiles() -> None:
    for name, value in public_values():
        text = inspect.getdoc(value) or ""
        if inspect.isclass(value) and not (issubclass(value, Exception) and name != "twelvelabs_core.TwelveLabsError"):
            assert "```python" in text or ">>> " in text, f"{name} has no example"
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            compile(textwrap.dedent(block), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_module_begins_with_a_docstring_of_one_line() -> None:
    wrong = [name_of(path) for path in FILES if not 10 <= len(first_line(path)) <= 117]
    assert wrong == []


def first_line(path: Path) -> str:
    return (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]


def test_no_file_is_longer_than_450_lines() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in FILES if path != GENERATED}
    assert {name: length for name, length in lengths.items() if length > LINES_MAX} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{name_of(path)}: {node.name}"
        for path in FILES
        if path != GENERATED
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
        and not LONG_METHODS.fullmatch(node.name)
    ]
    assert long == []


def test_only_settings_read_the_environment() -> None:
    found = [name_of(path) for path in CORE if {"os.environ", "os.getenv"} & uses(path)]
    assert found == ["twelvelabs_core/base/settings.py"]


def test_only_transport_sleeps_and_starts_threads() -> None:
    found = {path.parent.name for path in CORE if {"time.sleep", "threading.Thread"} & uses(path)}
    assert found == {"store", "transport"}  # the store tells other processes that this one is at work


def test_core_installs_no_process_wide_hooks() -> None:
    """A library must not hook every fork, signal or exit of the program that imports it."""
    hooks = {"os.register_at_fork", "signal.signal", "atexit.register", "sys.settrace"}
    assert [name_of(path) for path in CORE if hooks & uses(path)] == []


def test_no_pattern_has_possessive_quantifiers() -> None:
    """Possessive quantifiers over groups match incorrectly in CPython before 3.11.5."""
    possessive = re.compile(r"[*+?}]\+|\(\?>")
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        for text in node.args[:1]
        if isinstance(text, ast.Constant) and possessive.search(re.sub(r"\[(\\.|[^\]])*\]", "x", str(text.value)))
    ]
    assert found == []


def test_each_lower_bound_is_the_version_that_the_lowest_tests_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    asked = [
        project["project"]["dependencies"],
        *extras.values(),
        *(groups[name] for name in ("build", "demo", "pytest")),
    ]
    lock = (ROOT / "requirements-lowest.lock").read_text()
    locked = {
        name: Version(version) for name, version in reversed(re.findall(r"^([\w-]+)==([^ ;]+)", lock, re.MULTILINE))
    }
    bounds = {
        requirement.name: Version(one.version)
        for requirement in map(Requirement, (text for texts in asked for text in texts))
        for one in requirement.specifier
        if one.operator in {">=", "=="}
    }
    assert bounds == {name: locked.get(name) for name in bounds}
