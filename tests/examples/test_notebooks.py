"""The notebooks run from the first to the last cell, without a key, and print what their committed outputs show."""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
BYTES_MAX = 200_000


def shown(notebook: Any) -> list[str]:
    """Return what each cell shows, without progress bars and the bytes of clips."""
    outputs = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") != "stderr"
    ]
    found = [[output.get("text", ""), *sorted(output.get("data", {}).items())] for output in outputs]
    return [str(one).partition("data:video/mp4")[0] for one in found]


def test_there_is_one_for_each_framework_and_none_is_large() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["langchain", "llama_index"]
    assert max(path.stat().st_size for path in NOTEBOOKS) < BYTES_MAX


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs_and_shows_its_committed_outputs(path: Path, tmp_path: Path) -> None:
    committed, notebook = (nbformat.read(path, as_version=4) for _ in range(2))
    names = ("TWELVELABS_API_KEY", "TWELVE_LABS_API_KEY", "TWELVELABS_BASE_URL", "TWELVELABS_STORE")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment |= {"TMPDIR": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path), env=environment)
    assert shown(notebook) == shown(committed)
    assert sum("<video controls" in text for text in shown(notebook)) == 1
    assert any("#t=4,8" in text for text in shown(notebook))
