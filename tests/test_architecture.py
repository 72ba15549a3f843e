"""`docs/architecture.md` against the tree: the table of sub-packages, and the path of one video."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORE = ROOT / "twelvelabs_core"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STEPS_MAX = 25


def rows() -> list[tuple[str, set[str]]]:
    """Return the rows of the table of sub-packages: name and allowed imports."""
    found = re.findall(r"^\| `(\w+)/?` \|[^|]*\|([^|]*)\|$", TEXT, re.MULTILINE)
    return [(name, set(re.findall(r"`(\w+)`", imports))) for name, imports in found]


def imports_of(package: str) -> set[str]:
    """Return the sub-packages imported by the files of a sub-package."""
    found: set[str] = set()
    for path in (CORE / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twelvelabs_core."):
                found.add(str(node.module).split(".")[1])
    return found - {package}


def test_the_table_names_every_sub_package() -> None:
    assert {name for name, _ in rows()} == {path.parent.name for path in CORE.glob("*/__init__.py")}


def test_each_sub_package_imports_only_what_the_table_allows() -> None:
    for name, allowed in rows():
        assert imports_of(name) <= allowed, name


def test_table_allows_imports_of_lower_rows_only() -> None:
    names = [name for name, _ in rows()]
    for position, (name, allowed) in enumerate(rows()):
        assert allowed <= set(names[position + 1 :]), name


def test_each_step_of_the_path_of_a_video_exists() -> None:
    steps = re.findall(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`", TEXT, re.MULTILINE)
    assert 10 <= len(steps) <= STEPS_MAX
    for file, name in steps:
        assert name in definitions(ROOT / file), (file, name)


def definitions(path: Path) -> set[str]:
    """Return the functions and methods that a file defines, methods as `Class.method`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{item.name}"
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found
