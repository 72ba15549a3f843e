"""What the README says works in a new environment: its lines in order, and each extra alone."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.examples.media import SCENES
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import write_film

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
UV = shutil.which("uv", path=str(Path(sys.prefix) / "bin")) or shutil.which("uv")
NO_INDEX = re.compile(r"Failed to fetch|error sending request|dns error|Connection refused|tcp connect", re.IGNORECASE)
CHECKOUT = "./twelvelabs-rag"  # in the README

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None or os.name == "nt", reason="needs uv and a POSIX shell"),
]

# Of the extras that are not a framework: a use that needs the extra and nothing else.
USES = {
    "daft": """
import os
os.environ["DO_NOT_TRACK"] = "1"
import daft
from daft_twelvelabs import TwelveLabsProvider, embed_video
video = embed_video(daft.col("path"), provider=TwelveLabsProvider())
(row,) = daft.from_pydict({"path": ["match.mp4"]}).with_column("video", video).to_pylist()
assert row["video"]["segments"], row
""",
    "evaluation": """
from twelvelabs_core.moments.evaluation import JudgedQuery, Span, evaluate, plot
judged = [JudgedQuery("a goal", [Span("match.mp4", 0.0, 6.0)], "look")]
plot({"none": evaluate(lambda query: [], judged)}, "recall.png")
""",
    "fast": """
import orjson
from twelvelabs_core import Client
print(Client().embed_text("red").vector.shape)
""",
    "media": """
from types import SimpleNamespace
from twelvelabs_core import Client
from twelvelabs_core.moments.export import write_clip
print(Client().plan("match.mp4"))
write_clip(SimpleNamespace(source="match.mp4", start_sec=0.0, end_sec=2.0), "clip.mp4")
""",
    "postgres": """
from twelvelabs_core import ConfigurationError, SegmentStore
try:
    SegmentStore("postgresql+psycopg://user@127.0.0.1:9/none").info()
except ConfigurationError as error:
    assert "pip install" not in str(error), error
""",
    "sandbox": """
from twelvelabs_core import Client
from twelvelabs_sandbox import Sandbox
with Sandbox() as sandbox:
    client = Client(sandbox.api_key, base_url=sandbox.base_url, store=":memory:")
    print(client.segment_video("match.mp4"))
""",
}


def blocks() -> list[tuple[str, str, str]]:
    """Return language, text and expected output of each block of the README."""
    pattern = r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?"
    return [(one[1], one[2], one[3] or "") for one in re.finditer(pattern, README, re.MULTILINE | re.DOTALL)]


class FreshEnvironment:
    """A folder with a new virtual environment, and nothing of the checkout but a link to it.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / CHECKOUT).symlink_to(ROOT)
        kept = (
            "HOME",
            "LANG",
            "UV_CACHE_DIR",
            "XDG_CACHE_HOME",
            "SSL_CERT_FILE",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
        )
        environment = {name: os.environ[name] for name in os.environ if name.upper() in kept or name.startswith("UV_")}
        environment |= {"VIRTUAL_ENV": str(folder / "venv"), "PATH": f"{folder / 'venv' / 'bin'}:/usr/bin:/bin"}
        self.environment = environment | {"TWELVELABS_STORE": str(folder / "segments.sqlite3")}
        self._run([str(UV), "venv", "--quiet", "--python", sys.executable, "venv"])
        pip = folder / "venv" / "bin" / "pip"  # as fast as uv; the README's readers have their own
        pip.write_text(f'#!/bin/sh\nexec {UV} pip "$@"\n')
        pip.chmod(0o755)

    def shell(self, script: str) -> None:
        """Run lines of a shell; skip the test where they fail because there is no package index."""
        self._run(["bash", "-e", "-c", script])

    def python(self, code: str) -> None:
        """Run a script."""
        self._run(["python", "-c", code])

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=280, check=False
        )
        if done.returncode and NO_INDEX.search(done.stderr):
            pytest.skip(f"the package index cannot be reached: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def fresh(tmp_path: Path) -> FreshEnvironment:
    return FreshEnvironment(tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_lines_of_the_readme_in_order(fresh: FreshEnvironment) -> None:
    lines, expected = ["trap 'kill $(jobs -p)' EXIT"], {}
    for number, (language, text, output) in enumerate(blocks()):
        if language == "sh":  # `make` runs in the checkout
            lines += [line for line in text.splitlines() if not line.startswith("make ")]
            continue
        lines += [f"python - > {number}.txt <<'END_OF_BLOCK'", text, "END_OF_BLOCK"]
        expected[number] = output.strip()
    assert len(expected) == 4
    fresh.shell("\n".join(lines).replace("8765", str(free_port())))
    for number, output in expected.items():
        printed = (fresh.folder / f"{number}.txt").read_text("utf-8").strip()
        assert re.fullmatch(".*".join(re.escape(part) for part in output.split("...")), printed), printed


EXTRAS = sorted({*USES, "langchain", "llama-index"})


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_alone(extra: str, fresh: FreshEnvironment, sandbox: Sandbox) -> None:
    package = {"langchain": "langchain_twelvelabs", "llama-index": "llama_index_twelvelabs"}.get(extra)
    uses = [text for language, text, _ in blocks() if language == "python" and package and package in text]
    fresh.environment |= {"TWELVELABS_API_KEY": sandbox.api_key, "TWELVELABS_BASE_URL": sandbox.base_url}
    for name, scenes in (("match.mp4", SCENES), ("training.mp4", SCENES[::-1])):
        write_film(fresh.folder / name, scenes)
    fresh.shell(f'pip install --quiet "{CHECKOUT}[{extra}]"')
    for code in uses or [USES[extra]]:
        fresh.python(code)


def test_every_extra_is_in_the_readme_and_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = sorted(project["optional-dependencies"])
    assert extras == EXTRAS
    assert [extra for extra in extras if f"`{extra}`" not in README] == []
