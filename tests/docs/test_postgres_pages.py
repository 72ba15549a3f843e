"""The blocks of the pages that need a PostgreSQL server, run on one, twice, since their stores last."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core import postgres
from tests.docs.page_blocks import ROOT, blocks
from tests.examples.media import SCENES
from twelvelabs_sandbox.films import write_film

DATABASE = "user@host/database"  # in the page
BLOCKS = [block.code for block in blocks(ROOT / "docs" / "vector-stores.md") if DATABASE in block.code]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What follows the driver in the URL of a server with pgvector."""
    with postgres.server(tmp_path_factory.mktemp("postgres")) as url:
        yield url.partition("://")[2]


def test_both_frameworks_are_shown() -> None:
    assert ["langchain_postgres" in code for code in BLOCKS] == [True, False]


@pytest.mark.usefixtures("reader_folder")
@pytest.mark.parametrize("code", BLOCKS, ids=["langchain", "llama_index"])
def test_a_block_runs_on_postgresql(
    code: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_film(tmp_path / "match.mp4", SCENES)
    (tmp_path / "block.py").write_text(code.replace(DATABASE, database), "utf-8")
    for _ in range(2):
        runpy.run_path("block.py", run_name="__main__")
    assert capsys.readouterr().out == "6.0\n6.0\n"
