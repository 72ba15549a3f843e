"""Runs every Python block of the README and of the pages in docs against the sandbox.

The blocks run in this process, which saves their import time; `__main__` is a new module each time. A text block
directly after a Python block is its expected output; `...` in it matches anything.
"""

import json
import re
import runpy
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.examples.media import SCENES
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import write_film, write_picture, write_sound

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WORDS_MAX = 900


@dataclass(frozen=True)
class Block:
    """A Python block: its place, its code, and its expected output if the page shows one."""

    place: str
    code: str
    output: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = re.finditer(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", text, re.MULTILINE | re.DOTALL)
    name = page.relative_to(ROOT).as_posix()
    return [Block(f"{name} line {text[: match.start()].count(chr(10)) + 1}", match[1], match[2]) for match in found]


BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the media that the pages name."""
    folder = tmp_path_factory.mktemp("readme")
    write_film(folder / "match.mp4", SCENES)
    write_film(folder / "training.mp4", SCENES[::-1])
    (folder / "videos").mkdir()
    (folder / "videos" / "match.mp4").symlink_to(folder / "match.mp4")
    write_picture(folder / "photo.jpg", SCENES[0])
    write_sound(folder / "talk.wav", SCENES)
    spans = [{"source": "match.mp4", "start_sec": 0.0, "end_sec": 6.0}]
    judged = [{"query": "fast red and white stripes", "label": "look", "spans": spans}]
    (folder / "judged.json").write_text(json.dumps(judged))
    return folder


@pytest.fixture
def _as_a_reader(media: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment that the README requires, and change to the folder of media."""
    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    monkeypatch.setenv("TWELVELABS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TWELVELABS_STORE", str(media / "segments.sqlite3"))
    monkeypatch.chdir(media)


def test_readme_is_short_and_shows_output_for_each_framework() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= WORDS_MAX
    shown = [block for block in blocks(ROOT / "README.md") if block.output]
    assert [package for package in ("langchain", "llama_index") if any(package in block.code for block in shown)] == [
        "langchain",
        "llama_index",
    ]


@pytest.mark.usefixtures("_as_a_reader")
@pytest.mark.parametrize("block", BLOCKS, ids=[block.place for block in BLOCKS])
def test_block_prints_the_output_shown_on_the_page(
    block: Block, media: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = media / f"{block.place.replace('/', ' ')}.py"  # a failure's traceback names it
    path.write_text(block.code, "utf-8")
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out.strip()
    assert "print(" not in block.code or printed, f"{block.place} prints nothing"
    if block.output is not None:
        pattern = ".*".join(re.escape(part) for part in block.output.strip().split("..."))
        assert re.fullmatch(pattern, printed), printed


def test_links_between_pages_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
