"""The tables of the reference pages list what the code has."""

import inspect
import re
from pathlib import Path

import twelvelabs_core
from langchain_twelvelabs import TwelveLabsEmbeddings
from llama_index_twelvelabs import TwelveLabsEmbedding
from twelvelabs_core import Client, TwelveLabsError
from twelvelabs_core.integration import METADATA_KEYS
from twelvelabs_core.store.schema import metadata

DOCS = Path(__file__).parents[2] / "docs"


def first_column(page: str) -> list[str]:
    """The names in code at the beginning of each row."""
    cells = re.findall(r"^\| (.+?) \|", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_store_tables_lists_every_table_and_column() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", (DOCS / "store-tables.md").read_text("utf-8"), re.MULTILINE)
    shown = {f"twelvelabs_{name}": re.findall(r"`(\w+)`", columns) for name, columns in rows}
    assert shown == {name: list(table.columns.keys()) for name, table in metadata.tables.items()}


def test_settings_lists_every_argument_of_clients_and_embeddings() -> None:
    classes = (Client, TwelveLabsEmbeddings, TwelveLabsEmbedding)
    taken = {name for one in classes for name in inspect.signature(one).parameters}
    assert set(first_column("settings.md")) == taken


def test_metadata_lists_every_key() -> None:
    assert first_column("metadata.md") == [*METADATA_KEYS]


def test_errors_lists_every_error() -> None:
    public = {name: getattr(twelvelabs_core, name) for name in twelvelabs_core.__all__}
    errors = {name for name, one in public.items() if inspect.isclass(one) and issubclass(one, TwelveLabsError)}
    assert set(first_column("errors.md")) - {"retry_at", "task_id", "failures"} == errors - {"TwelveLabsError"}
