"""Writes docs/demo.png, the picture of the demo's page on the sandbox: `make picture`."""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium.webdriver.common.by import By

from tests.examples.browser import chromium, resize, wait_until

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "demo.png"
WIDTH, HEIGHT = 1000, 735  # two rows of moments
SHOWN_SEC = 37.0  # in the first moment
IS_SHOWN = "const p = arguments[0]; return p.paused && !p.seeking && p.readyState > 1"


def write_picture(target: Path, *arguments: str) -> None:
    """Run the demo in a new folder, and write what its page shows after a click on the first moment."""
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "examples.demo", "--folder", f"{folder}/demo", *arguments]
        subprocess.run(demo, cwd=ROOT, env={**os.environ, "COLUMNS": "120"}, stdout=sys.stderr, timeout=240, check=True)
        with chromium(Path(folder) / "profile") as browser:
            resize(browser, WIDTH, HEIGHT)
            browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            browser.get((Path(folder) / "demo" / "moments.html").as_uri())
            browser.find_element(By.CSS_SELECTOR, "button.moment").click()
            player = browser.find_element(By.ID, "player")
            wait_until(lambda: browser.execute_script("return arguments[0].currentTime > 0", player))
            browser.execute_script("arguments[0].pause(); arguments[0].currentTime = arguments[1]", player, SHOWN_SEC)
            if not wait_until(lambda: browser.execute_script(IS_SHOWN, player)):
                sys.exit("the page does not show the moment")
            shown = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
            shown.convert("RGB").quantize(256).save(target, optimize=True)  # a palette: a third of the size


if __name__ == "__main__":
    write_picture(PICTURE)
