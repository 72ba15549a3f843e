"""Imports load heavy libraries only when they are used; each case runs in a new interpreter."""

import subprocess
import sys

import pytest

from twelvelabs_sandbox import Sandbox

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


# Records which modules the thread of the event loop imports.
FIRST_CALL = """
import asyncio, sys, threading
{imports}
embedding = {name}(api_key=API_KEY, base_url=BASE_URL, segment_store=":memory:")
seen = []

class Finder:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            seen.append(name)

sys.meta_path.insert(0, Finder())
asyncio.run(embedding.{method}("a red car"))
print(*[name for name in {heavy!r} if name in seen])
"""


@pytest.mark.parametrize(
    ("package", "name", "method"),
    [
        ("langchain_twelvelabs", "TwelveLabsEmbeddings", "aembed_query"),
        ("llama_index_twelvelabs", "TwelveLabsEmbedding", "aget_query_embedding"),
    ],
)
def test_the_first_async_call_imports_nothing_heavy_on_the_event_loop(
    sandbox: Sandbox, package: str, name: str, method: str
) -> None:
    """An import of numpy or of the HTTP library's parts would stop everything else on the loop."""
    code = FIRST_CALL.format(
        imports=f"from {package} import {name}", name=name, method=method, heavy=(*HEAVY, "httpcore", "h11")
    )
    code = code.replace("API_KEY", repr(sandbox.api_key)).replace("BASE_URL", repr(sandbox.base_url))
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert set(found) <= {"orjson"}  # small
