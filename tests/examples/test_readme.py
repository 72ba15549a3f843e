"""Every Python block of the README is run as a reader would run it, against the sandbox."""

import os
import re
import subprocess
import sys
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


def test_the_readme_has_runnable_blocks() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize(("line", "code"), BLOCKS, ids=[f"line-{line}" for line, _ in BLOCKS])
def test_block_runs(line: int, code: str, media: Path, sandbox: Sandbox) -> None:
    environment = {
        **os.environ,
        "TWELVELABS_API_KEY": sandbox.api_key,
        "TWELVELABS_BASE_URL": sandbox.base_url,
        "TWELVELABS_STORE": str(media / "segments.sqlite3"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=media,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"README.md line {line}:\n{done.stderr}"
    assert "print(" not in code or done.stdout.strip(), f"README.md line {line} prints nothing"
