"""Words that this project replaced by plainer ones, in pages, docstrings, comments and messages."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "twelvelabs_core",
    "langchain_twelvelabs",
    "llama_index_twelvelabs",
    "daft_twelvelabs",
    "twelvelabs_sandbox",
    "examples",
)
REPLACED = {
    r"(?<!\.)\bfilms?\b": "video",  # except the module `twelvelabs_sandbox.films`
    r"\bmediums\b": "media",
    r"\bpapers?\b": "document",
    r"\btwins?\b": "async variant, offline server",
    r"\bpatien(t|ce)\b|\bcourage\b|\bhonest(ly)?\b": "say what it does",
    r"\bhereof\b|\bthereof\b|\bthereby\b": "so",
    r"\bnobody\b|\bsomebody\b|\bwhoever\b|\bstrangers?\b": "name the caller, thread or process",
    r"\bgo(es)? on\b|\bwent on\b": "resume, continue",
    r"\band its like\b|\bits kin\b": "the rest",
    r"\bfor ever\b": "permanently",
    r"\bin no time\b": "quickly",
    r"\b(is|are|be) gone\b": "deleted, ended, no longer exists",
    r"\btold\b": "say what is sent, read or reported",
}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page without its code, or the strings and comments of a module or notebook, with their lines."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from code_texts(source)
    elif path.suffix == ".ipynb":
        for cell in json.loads(source)["cells"]:  # the line is that in its cell
            text = "".join(cell["source"])
            yield from code_texts(text) if cell["cell_type"] == "code" else prose(text)
    else:
        yield from prose(source)


def prose(text: str) -> Iterator[tuple[int, str]]:
    shown = re.sub(r"```.*?```|`[^`\n]*`", lambda code: "\n" * code[0].count("\n"), text, flags=re.DOTALL)
    yield from enumerate(shown.splitlines(), 1)


def code_texts(code: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    for number, line in enumerate(code.splitlines(), 1):
        if comment := re.search(r"(?:^|\s)# (.*)", line):
            yield number, comment[1]


PAGES = sorted(
    path for suffix in ("md", "rst") for path in (*ROOT.glob(f"*.{suffix}"), *(ROOT / "docs").rglob(f"*.{suffix}"))
)
NOTEBOOKS = sorted((ROOT / "examples").rglob("*.ipynb"))
NOT_PROSE = {"vocabulary.py"}  # words of queries
MODULES = [path for one in PACKAGES for path in sorted((ROOT / one).rglob("*.py")) if path.name not in NOT_PROSE]


@pytest.mark.parametrize("files", [PAGES, NOTEBOOKS, MODULES], ids=["pages", "notebooks", "modules"])
def test_replaced_words_do_not_return(files: list[Path]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]!r}; say: {instead}"
        for path in files
        for line, text in texts(path)
        for words, instead in REPLACED.items()
        for match in re.finditer(words, text, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)
