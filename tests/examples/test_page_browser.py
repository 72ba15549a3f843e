"""The page of moments in Chromium: it opens from a file, loads its pictures and plays its moments."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from examples.demo.job import Answer, Moment
from examples.demo.page import Page, write_page
from examples.demo.preview import write_preview
from examples.demo.stills import still
from tests.examples.browser import chromium, resize, wait_until
from twelvelabs_sandbox.films import COLORS, Scene, write_film

pytestmark = pytest.mark.browser

SCENES = [Scene(color, "white", seconds=5.0, sound="tone", seed=1) for color in ("red", "green", "blue", "yellow")]
QUERY = 'a <b>"blue" & green</b> $scene'
MOMENTS = (
    Moment("<i>video</i>.mkv", 10.0, 15.0, "visual", 0.91),
    Moment("<i>video</i>.mkv", 5.0, 10.0, "audio", 0.52),
    Moment("<i>video</i>.mkv", 15.0, 20.0, "transcription", -0.03),
)
SHOWN = [COLORS["blue"], COLORS["green"], COLORS["yellow"]]
# The corner pixel, because a white box moves in the middle.
CORNER = """
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 8;
canvas.getContext("2d").drawImage(arguments[0], 0, 0, 8, 8);
return Array.from(canvas.getContext("2d").getImageData(0, 0, 1, 1).data).slice(0, 3);
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    video = folder / "video.mkv"
    write_film(video, SCENES)
    preview = write_preview(folder, "video", str(video), duration_sec=20.0)
    answers = [Answer(QUERY, MOMENTS), Answer("no result", ()), Answer("many results", MOMENTS * 4)]
    target = folder / "moments.html"
    write_page(
        target, Page("<i>video</i>.mkv", 20.0, answers, "By hand.", preview.path), lambda at: still(str(video), at)
    )
    return target


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, page: Path) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.get(page.as_uri())
        yield driver


def moments(browser: Any) -> list[Any]:
    """Return the moments of the first query."""
    return list(browser.find_elements(By.CSS_SELECTOR, "section:first-of-type button.moment"))


def player(browser: Any) -> Any:
    return browser.find_element(By.ID, "player")


def is_playing_at(browser: Any, start: float) -> Any:
    """Return whether the player plays from a second on, within the scene of five seconds."""
    script = "const p = arguments[0]; return !p.paused && !p.seeking && p.readyState > 2 ? p.currentTime : -1"
    return wait_until(lambda: start < browser.execute_script(script, player(browser)) < start + 4)


def test_page_has_no_external_resources(page: Path) -> None:
    text = page.read_text("utf-8")
    addresses = re.findall(r'(?:src|href|url|action)\s*[=(]\s*["\']?([^"\')\s>]+)', text.split('id="video">')[0])
    assert addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "default-src 'none'" in text


def test_page_opens_without_console_errors(browser: Any) -> None:
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert browser.title == "Moments in <i>video</i>.mkv"
    assert [heading.text for heading in browser.find_elements(By.TAG_NAME, "h2")] == [
        QUERY,
        "no result",
        "many results",
    ]
    assert "No moment was found." in browser.find_element(By.TAG_NAME, "main").text
    requested = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in requested if not name.startswith(("data:", "blob:"))] == []


def test_pictures_show_the_middle_of_their_moments(browser: Any) -> None:
    pictures = browser.find_elements(By.CSS_SELECTOR, "section:first-of-type .moment img")
    for picture, color in zip(pictures, SHOWN, strict=True):
        assert wait_until(partial(browser.execute_script, "return arguments[0].naturalWidth", picture)) > 0
        assert browser.execute_script(CORNER, picture) == pytest.approx(color, abs=25)


def test_moments_have_accessible_labels(browser: Any) -> None:
    facts = [" ".join(moment.text.split()) for moment in moments(browser)]
    assert facts == [
        "Play from 00:10\u201300:15 visual similarity 0.910",
        "Play from 00:05\u201300:10 audio similarity 0.520",
        "Play from 00:15\u201300:20 transcription similarity -0.030",
    ]


def test_click_plays_from_the_moment(browser: Any) -> None:
    for moment, expected, color in zip(moments(browser), MOMENTS, SHOWN, strict=True):
        moment.click()
        assert is_playing_at(browser, expected.start_sec)
        assert browser.execute_script(CORNER, player(browser)) == pytest.approx(color, abs=25)
        assert "playing" in moment.get_attribute("class")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".playing")) == 1


def test_enter_key_plays_the_moment(browser: Any) -> None:
    moments(browser)[1].send_keys(Keys.ENTER)
    assert is_playing_at(browser, MOMENTS[1].start_sec)
    assert "00:05" in browser.find_element(By.CSS_SELECTOR, "[role=status]").text


@pytest.mark.parametrize(("width", "height"), [(360, 740), (768, 1024), (1440, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_every_screen_size(browser: Any, width: int, height: int, scheme: str) -> None:
    resize(browser, width, height, mobile=width < 500)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
    assert (brightness < 60) if scheme == "dark" else (brightness > 200)
    # The player is beside or above the moments, and stays visible while they are scrolled.
    last = browser.find_elements(By.CSS_SELECTOR, "button.moment")[-1]
    browser.execute_script("arguments[0].scrollIntoView({block: 'end'})", last)
    assert browser.execute_script("return window.scrollY") > 0
    box = browser.execute_script("return arguments[0].getBoundingClientRect()", player(browser))
    assert box["top"] >= 0
    assert box["bottom"] <= height
