"""The rules of the house as tests: which way imports run, who may block, what is documented, how long things are."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("twelvelabs_core", "twelvelabs_sandbox", "langchain_twelvelabs", "llama_index_twelvelabs")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FRAMEWORKS = {"langchain", "langchain_core", "langchain_community", "llama_index", "starlette", "uvicorn"}

# Who may import what: package -> top-level names that it must not import.
FORBIDDEN = {
    "twelvelabs_core": FRAMEWORKS | set(PACKAGES) - {"twelvelabs_core"},
    "twelvelabs_sandbox": set(PACKAGES) - {"twelvelabs_sandbox"} | {"langchain_core", "llama_index", "httpx_sse"},
    "langchain_twelvelabs": {"llama_index", "llama_index_twelvelabs", "twelvelabs_sandbox", "httpx"},
    "llama_index_twelvelabs": {"langchain", "langchain_core", "langchain_twelvelabs", "twelvelabs_sandbox", "httpx"},
}

LONG_FUNCTIONS = {
    # Every option of the contract is a parameter with its line in the signature, the docstring and the call.
    "segment_video",
    "segment_audio",
    "segment_many",
    "embed_audio",
    "embed_video",
    "create_audio_task",
    "create_video_task",
}


def identify(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every imported module with its line, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield node.module or "", node.lineno


def names_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every dotted name that is used, such as `os.environ`, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno


# Imports


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    wrong = [
        f"{identify(path)}:{line} imports {name}"
        for name, line in imports_of(tree_of(path))
        if name.partition(".")[0] in FORBIDDEN[package]
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [path for path in FILES if "twelvelabs_core" in path.parts], ids=identify)
def test_only_the_settings_read_the_environment_and_only_io_blocks(path: Path) -> None:
    tree = tree_of(path)
    imported = {name.partition(".")[0] for name, _ in imports_of(tree)}
    used = dict(names_of(tree))
    if path.name != "settings.py":
        assert not {"os.environ", "os.getenv"} & set(used), "only _settings reads the environment"
    if "transport" not in path.parts:
        assert not {"httpx", "asyncio", "anyio", "requests", "urllib3", "aiohttp"} & imported, "only _io speaks HTTP"
        # The store blocks by its nature; operations reach it through Io.blocking.
        assert "store" in path.parts or "time.sleep" not in used, "only _io sleeps"
        assert "threading.Thread" not in used, "only _io spawns"
        assert "concurrent" not in imported, "only _io spawns"


def test_only_few_files_hold_a_lock() -> None:
    """A lock that is held while a process forks is held for ever in the child."""
    allowed = {
        "ingest/single_flight.py",  # one worker per key across all clients of a process: no Io could hold that
        "transport/rate_limit.py",  # one pace for all clients of a process; begins anew after fork
        "ingest/wait.py",  # the tasks that all threads of one client wait for; begins anew after fork
        "base/progress.py",  # one line of a terminal that several threads write; a fork between two writes is harmless
        "api/chunks.py",  # one read position of a file object that several parts share; made anew for each upload
        "store/database.py",  # one writer at a time on a connection that threads share
        "store/fork_gate.py",  # holds forks up while SQLite writes
    }
    root = ROOT / "twelvelabs_core"
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "threading" in {name for name, _ in imports_of(tree_of(path))} and path.name not in ("blocking.py", "aio.py")
    }
    assert found <= allowed


# Public names


def public_modules() -> list[ModuleType]:
    return [importlib.import_module(package) for package in PACKAGES]


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_all_is_sorted_and_true(module: ModuleType) -> None:
    names = list(module.__all__)
    assert names == sorted(set(names))
    assert all(hasattr(module, name) for name in names)
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "").startswith(PACKAGES)
    }
    assert public <= set(names)


def public_values() -> list[tuple[str, Any]]:
    return [
        (f"{module.__name__}.{name}", getattr(module, name)) for module in public_modules() for name in module.__all__
    ]


def public_classes() -> list[tuple[str, type]]:
    return [(name, value) for name, value in public_values() if inspect.isclass(value)]


@pytest.mark.parametrize(("name", "value"), public_values(), ids=[name for name, _ in public_values()])
def test_everything_public_is_documented(name: str, value: Any) -> None:
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        pytest.skip("a type alias: documented where it stands")
    assert inspect.getdoc(value), name
    if inspect.isclass(value):
        undocumented = [
            attribute
            for attribute, member in vars(value).items()
            if not attribute.startswith("_")
            and (inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod))
            and not inspect.getdoc(getattr(value, attribute))
        ]
        assert undocumented == []


@pytest.mark.parametrize(("name", "value"), public_classes(), ids=[name for name, _ in public_classes()])
def test_every_public_class_shows_an_example(name: str, value: type) -> None:
    text = value.__doc__ or ""
    if issubclass(value, Exception) and name != "twelvelabs_core.TwelveLabsError":
        return  # the root shows how errors are caught
    assert any(sign in text for sign in ("```python", "Example", ">>> ")), f"{name} has no example"


@pytest.mark.parametrize(("name", "value"), public_values(), ids=[name for name, _ in public_values()])
def test_examples_are_python(name: str, value: Any) -> None:
    for block in re.findall(r"```python\n(.*?)```", inspect.getdoc(value) or "", re.DOTALL):
        compile(textwrap.dedent(block), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


# Size and form


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_a_module_says_in_one_line_what_it_is_for(path: Path) -> None:
    text = ast.get_docstring(tree_of(path)) or ""
    first = text.partition("\n")[0]
    assert 10 <= len(first) <= 117, f"{identify(path)}: {first!r}"


def test_nine_files_in_ten_are_read_in_one_sitting() -> None:
    lengths = {identify(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    long = sorted(name for name, length in lengths.items() if length > 450)
    assert len(long) <= len(FILES) / 10, long


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_no_function_is_long_without_a_reason(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 60
        and node.name not in LONG_FUNCTIONS
    ]
    assert long == []
