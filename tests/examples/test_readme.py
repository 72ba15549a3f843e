"""Every Python block of the README is run as a reader would run it, against the sandbox.

In this process, which saves the seconds of each one's imports; `__main__` is a fresh module each time.
"""

import re
import runpy
from pathlib import Path

import pytest

from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film, write_picture, write_sound

README = Path(__file__).parents[2] / "README.md"
BLOCKS = [
    (README.read_text()[: match.start()].count("\n") + 2, match.group(1))
    for match in re.finditer(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
]
SCENES = [
    Scene("red", "white", "stripes", "fast", "noise", seconds=6.0),
    Scene("blue", "yellow", "plain", "still", "tone", seconds=6.0),
    Scene("green", "black", "checkerboard", "slow", "music", seconds=6.0),
]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the media that the README speaks of."""
    folder = tmp_path_factory.mktemp("readme")
    write_film(folder / "match.mp4", SCENES)
    write_film(folder / "training.mp4", SCENES[::-1])
    write_picture(folder / "photo.jpg", SCENES[0])
    write_sound(folder / "talk.wav", SCENES)
    return folder


@pytest.fixture
def _as_a_reader(media: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment that the README asks for, and go to the media."""
    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    monkeypatch.setenv("TWELVELABS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TWELVELABS_STORE", str(media / "segments.sqlite3"))
    monkeypatch.chdir(media)


def test_the_readme_has_runnable_blocks() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.usefixtures("_as_a_reader")
@pytest.mark.parametrize(("line", "code"), BLOCKS, ids=[f"line-{line}" for line, _ in BLOCKS])
def test_block_runs(line: int, code: str, media: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = media / f"README.md line {line}.py"  # a failure's traceback names it
    block.write_text(code, "utf-8")
    runpy.run_path(str(block), run_name="__main__")
    assert "print(" not in code or capsys.readouterr().out.strip(), f"README.md line {line} prints nothing"
