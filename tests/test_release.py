"""Wheel and sdist have what they must, as `make release-check` verifies before a release."""

import shutil
from pathlib import Path

import pytest

from tools import release_check

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (release_check.ROOT / ".git").exists() or shutil.which("git") is None, reason="git lists the files"
    ),
]


def test_wheel_and_sdist_are_built_offline_and_have_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    wheel, sdist = release_check.build(tmp_path)
    assert wheel.name.startswith("twelvelabs_rag-")
    assert sdist.name.startswith("twelvelabs_rag-")
