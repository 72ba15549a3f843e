"""`docs/store-tables.md` lists the tables of the segment store with their columns."""

import re
from pathlib import Path

from twelvelabs_core.store.schema import metadata

PAGE = Path(__file__).parents[2] / "docs" / "store-tables.md"


def test_the_page_lists_every_table_and_column() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    shown = {f"twelvelabs_{name}": re.findall(r"`(\w+)`", columns) for name, columns in rows}
    assert shown == {name: list(table.columns.keys()) for name, table in metadata.tables.items()}
