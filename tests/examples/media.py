"""Media for the examples of both adapters, the demo and the blocks of the documentation."""

import functools
import re
import tempfile
from pathlib import Path

from tests.sandbox.pdf import write_pdf
from twelvelabs_sandbox.films import Scene, write_film, write_picture

SCENES = [
    Scene("red", "white", "stripes", "fast", "noise", seconds=6.0),
    Scene("blue", "yellow", "plain", "still", "tone", seconds=6.0),
    Scene("green", "black", "checkerboard", "slow", "music", seconds=6.0),
]
TIMES = re.compile(r"(\d+\.\d)-(\d+\.\d) s")


@functools.cache
def _media() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_film(folder / "match.mp4", SCENES, fps=5)
        write_film(folder / "other.mp4", [Scene("purple", "white", "stripes", "slow", "music")], fps=5)
        talk = [Scene("red", seconds=6.0), Scene("blue", seconds=6.0)]
        write_film(folder / "talk.mkv", talk, captions=[(6.5, 10.0, "the goalkeeper is called Amara")], fps=5)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_media(folder: Path) -> None:
    """Write three videos, a broken one, an image of the third scene of the first video, and a folder of documents."""
    for name, content in _media().items():
        (folder / name).write_bytes(content)
    write_picture(folder / "green.png", SCENES[2], at=2.0)
    (folder / "broken.mp4").write_text("not a video")
    documents = folder / "documents"
    documents.mkdir()
    write_pdf(documents / "plan.pdf", [[(20, 150, "purple stripes")], [(20, 40, "blue checkerboard")]])
    (documents / "notes.md").write_text("A red car drives fast. It is loud.", "utf-8")
    write_picture(documents / "green.png", SCENES[2], at=2.0)
