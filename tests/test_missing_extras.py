"""Where the library of an extra is missing, the error names the extra; the sandbox's is tested with its command."""

import subprocess
import sys

import pytest

CALLS = {
    "evaluation": ("matplotlib", "from twelvelabs_core.moments.evaluation import plot; plot({}, 'recall.png')"),
    "langchain": ("langchain_core", "import langchain_twelvelabs"),
    "llama-index": ("llama_index", "import llama_index_twelvelabs"),
    "media": ("av", "from twelvelabs_core.moments.export import write_clip"),
    "postgres": (
        "psycopg",
        "from twelvelabs_core import SegmentStore; SegmentStore('postgresql+psycopg://u@127.0.0.1/d').info()",
    ),
}


@pytest.mark.parametrize("extra", CALLS)
def test_a_missing_extra_is_named(extra: str) -> None:
    library, call = CALLS[extra]
    code = f"import sys; sys.modules[{library!r}] = None; {call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert f'pip install "twelvelabs-rag[{extra}]"' in done.stderr.splitlines()[-1]
