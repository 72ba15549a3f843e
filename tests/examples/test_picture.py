"""The picture of the demo's page, which README and docs show: `make picture`."""

from pathlib import Path

import pytest
from PIL import Image

from tests.examples.media import SCENES
from tests.examples.picture import HEIGHT, PICTURE, WIDTH, write_picture
from twelvelabs_sandbox.films import describe_look, write_film

SIZE_MAX = 300_000


@pytest.mark.browser
@pytest.mark.slow
def test_the_command_writes_a_picture_of_the_page(tmp_path: Path) -> None:
    write_film(tmp_path / "match.mp4", SCENES)
    target = tmp_path / "demo.png"
    write_picture(target, "--video", str(tmp_path / "match.mp4"), "--query", describe_look(SCENES[0]))
    assert target.stat().st_size < SIZE_MAX
    with Image.open(target) as picture:
        assert picture.size == (WIDTH, HEIGHT)
        shown = picture.convert("RGB").crop((0, 0, WIDTH // 2, HEIGHT))  # the heading and the player
        assert len(shown.getcolors(WIDTH * HEIGHT)) > 100


def test_the_picture_in_docs_is_small() -> None:
    with Image.open(PICTURE) as picture:
        assert picture.size == (WIDTH, HEIGHT)
    assert PICTURE.stat().st_size < SIZE_MAX
