"""The Python blocks of a page."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Block:
    """A Python block: its place, code, expected output if the page shows one, and whether it is run with the others."""

    place: str
    code: str
    output: str | None
    is_run: bool


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    pattern = r"(^<!-- not run: [^\n]+ -->\n)?^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?"
    found = re.finditer(pattern, text, re.MULTILINE | re.DOTALL)
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(f"{name} line {text[: match.start()].count(chr(10)) + 1}", match[2], match[3], is_run=match[1] is None)
        for match in found
    ]
