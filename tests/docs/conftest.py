"""The environment in which the pages are read."""

from pathlib import Path

import pytest

from twelvelabs_sandbox import Sandbox


@pytest.fixture
def reader_folder(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the environment that the README requires; return an empty working directory. Nothing is paid for yet."""
    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    monkeypatch.setenv("TWELVELABS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TWELVELABS_STORE", str(tmp_path / "segments.sqlite3"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
