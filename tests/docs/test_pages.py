"""Runs every Python block of the README and of the pages in docs against the sandbox.

The blocks run in this process, which saves their import time; `__main__` is a new module each time. A block that prints
has a text block directly after it, its expected output, in which `...` matches anything. The comment
`<!-- not run: reason -->` directly before a block leaves it out.
"""

import ast
import contextlib
import json
import re
import runpy
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.docs.page_blocks import ROOT, Block, blocks
from tests.sandbox.pdf import write_pdf

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "examples/README.md"]
NOTEBOOKS = sorted((ROOT / "examples").rglob("*.ipynb"))
README_WORDS = range(700, 901)
PARAGRAPH_WORDS_MAX = 60


BLOCKS = [block for page in PAGES for block in blocks(page) if block.is_run]
FAST = ("README.md", "docs/langchain.md", "docs/llama-index.md", "docs/sync.md", "docs/cost.md")


def _case(block: Block) -> Any:
    """The blocks of most pages are left to `make test-all`."""
    marks = () if block.place.startswith(FAST) else pytest.mark.slow
    return pytest.param(block, id=block.place, marks=marks)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the media that the pages name, written by the block of the sandbox's page."""
    folder = tmp_path_factory.mktemp("readme")
    (code,) = [
        block.code for block in BLOCKS if block.place.startswith("docs/sandbox.md") and "write_sound" in block.code
    ]
    (folder / "media.py").write_text(code, "utf-8")
    with contextlib.chdir(folder):
        runpy.run_path("media.py")
    write_pdf(folder / "documents" / "plan.pdf", [[(20, 150, "purple stripes")], [(20, 40, "blue checkerboard")]])
    spans = [{"source": "match.mp4", "start_sec": 0.0, "end_sec": 6.0}]
    judged = [{"query": "fast red and white stripes", "label": "look", "spans": spans}]
    (folder / "judged.json").write_text(json.dumps(judged))
    return folder


def test_readme_is_short_and_shows_output_for_each_framework() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.split()) in README_WORDS
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    longest = max(re.split(r"\n\n|\n(?=- )", prose), key=lambda one: 0 if one.startswith("|") else len(one.split()))
    assert len(longest.split()) <= PARAGRAPH_WORDS_MAX, longest
    shown = [block for block in blocks(ROOT / "README.md") if block.output]
    assert [package for package in ("langchain", "llama_index") if any(package in block.code for block in shown)] == [
        "langchain",
        "llama_index",
    ]


@pytest.mark.usefixtures("reader_folder")
@pytest.mark.parametrize("block", [*map(_case, BLOCKS)])
def test_block_prints_the_output_shown_on_the_page(
    block: Block, media: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(media)
    path = media / f"{block.place.replace('/', ' ')}.py"  # a failure's traceback names it
    path.write_text(block.code, "utf-8")
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out.strip()
    assert bool(printed) == (block.output is not None), f"{block.place} prints, but the page does not show: {printed}"
    if block.output is not None:
        pattern = ".*".join(re.escape(part) for part in block.output.strip().split("..."))
        assert re.fullmatch(pattern, printed), printed


def test_what_a_page_imports_comes_with_the_frameworks_or_with_a_line_of_the_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    frameworks = [*project["dependencies"], *extras["langchain"], *extras["llama-index"]]
    providers = packages_distributions()
    for page in PAGES:
        lines = re.findall(r"^pip install (.+)", page.read_text("utf-8"), re.MULTILINE)
        installed = set(re.findall(r"[a-z][a-z0-9-]+", " ".join([*frameworks, *lines])))
        nodes = [node for block in blocks(page) for node in ast.walk(ast.parse(block.code))]
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
        for root in {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names):
            if not (ROOT / root).is_dir():
                names = {re.sub(r"[._]", "-", name).lower() for name in providers[root]}
                assert names & installed, f"{page.name}: show how to install {root}"


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a code host and the site make them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", without_code(page))
    for target, anchor in links:
        found = (page.parent / target) if target else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


@pytest.mark.parametrize("page", [*LINKED, *NOTEBOOKS], ids=lambda page: page.name)
def test_pages_install_from_a_checkout_until_the_package_is_on_an_index(page: Path) -> None:
    assert not re.search(r"pip install (\S+ )*\\?[\"']?twelvelabs-rag", page.read_text("utf-8"))
