"""Imports load heavy libraries only when they are used; each case runs in a new interpreter."""

import subprocess
import sys

import pytest

HEAVY = (
    "av",
    "httpx",
    "langchain_core.retrievers",
    "langchain_core.tracers",
    "langchain_core.vectorstores",
    "langsmith",
    "llama_index",
    "numpy",
    "orjson",
    "sqlalchemy",
)
CORE = "import twelvelabs_core"
NAME = "from langchain_twelvelabs import TwelveLabsEmbeddings"
MADE = f'{NAME}; TwelveLabsEmbeddings(api_key="tlk_sandbox_x", base_url="http://127.0.0.1:9/v1.3")'


@pytest.mark.parametrize(("code", "allowed"), [(CORE, set()), (NAME, {"httpx"}), (MADE, {"httpx"})])
def test_import_loads_no_heavy_library(code: str, allowed: set[str]) -> None:
    report = f"import sys; {code}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True).stdout.split()
    assert set(found) <= allowed
