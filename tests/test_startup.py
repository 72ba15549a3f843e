"""Imports load heavy libraries only when they are used; each case runs in a new interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

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
EXPORT = "from twelvelabs_core.moments.export import MomentTable, moments_to_csv, moments_to_html, moments_to_srt"
MADE = f'{NAME}; TwelveLabsEmbeddings(api_key="tlk_sandbox_x", base_url="http://127.0.0.1:9/v1.3")'


@pytest.mark.parametrize(("code", "allowed"), [(CORE, set()), (EXPORT, set()), (NAME, {"httpx"}), (MADE, {"httpx"})])
def test_import_loads_no_heavy_library(code: str, allowed: set[str]) -> None:
    report = f"import sys; {code}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True).stdout.split()
    assert set(found) <= allowed


WATCHED = """
import asyncio, sys, threading

class Watch:
    names = []
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            self.names.append(name)

async def main():
    sys.meta_path.insert(0, Watch())
    await CALL

asyncio.run(main())
heavy = ("anyio", "av", "httpcore", "numpy", "orjson", "sqlalchemy")
print(*[name for name in Watch.names if name.partition(".")[0] in heavy])
"""
CLIENT = "from twelvelabs_core import AsyncClient; client = AsyncClient(KEY, base_url=URL)"
LANGCHAIN = "from langchain_twelvelabs import TwelveLabsEmbeddings as E; client = E(api_key=KEY, base_url=URL)"
LLAMA_INDEX = "from llama_index_twelvelabs import TwelveLabsEmbedding as E; client = E(api_key=KEY, base_url=URL)"


@pytest.mark.parametrize(
    ("setup", "call"),
    [
        (CLIENT, "client.embed_text('a red car')"),
        pytest.param(CLIENT, "client.segment_video(VIDEO)", marks=pytest.mark.slow),
        pytest.param(CLIENT, "client.find_vectors_by_text(['v.mp4 | 0:00.0-0:06.0 | visual'])", marks=pytest.mark.slow),
        pytest.param(LANGCHAIN, "client.aembed_query('a red car')", marks=pytest.mark.slow),
        pytest.param(LLAMA_INDEX, "client.aget_query_embedding('a red car')", marks=pytest.mark.slow),
    ],
)
def test_first_async_call_imports_nothing_heavy_on_the_event_loop(
    setup: str, call: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """An import on the loop would stop all other requests of a web server."""
    write_film(tmp_path / "video.mp4", [Scene(color="red", seconds=5.0)], fps=5)
    values = {"KEY": sandbox.api_key, "URL": sandbox.base_url, "VIDEO": str(tmp_path / "video.mp4")}
    names = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    code = f"{names}{setup}\n{WATCHED.replace('CALL', call)}"
    environment = os.environ | {"TWELVELABS_STORE": str(tmp_path / "segments.sqlite3")}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.split() == []
