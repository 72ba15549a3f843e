"""The page of moments in Chromium: it opens from a file, draws timelines, and plays moments from their seconds."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.examples.browser import chromium, resize, wait_until
from twelvelabs_core import Hit, Moment, OptionScore
from twelvelabs_core.moments.export import moments_to_html, write_preview
from twelvelabs_sandbox.films import COLORS, Scene, write_film

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCENES = [Scene(color, "white", seconds=5.0, sound="tone", seed=1) for color in ("red", "green", "blue", "yellow")]
QUERY = 'a <b>"blue" & green</b> $scene'
TITLE = "<i>video</i>.mkv"


def moment(source: str, start: float, score: float | None = None, **cosines: float) -> Moment:
    """Return a moment of five seconds."""
    options = {option: OptionScore(cosine, 1) for option, cosine in cosines.items()}
    hit = Hit("id", source, TITLE, start, start + 5, 20.0, "visual", "clip")
    return Moment(f"{start}", source, TITLE, start, start + 5, start + 2.5, score, options, (hit,))


MOMENTS = (
    moment("here", 10.0, 0.81, visual=0.91, audio=0.1),
    moment("here", 5.0, 0.5, audio=0.52),
    moment("here", 15.0),
)
CLIPS = [moment("here", 5.0 * number, visual=0.1 + 0.2 * number, audio=-0.3) for number in range(4)]
SHOWN = [COLORS["blue"], COLORS["green"], COLORS["yellow"]]
# The corner pixel, because a white box moves in the middle.
CORNER = """
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 8;
canvas.getContext("2d").drawImage(arguments[0], 0, 0, 8, 8);
return Array.from(canvas.getContext("2d").getImageData(0, 0, 1, 1).data).slice(0, 3);
"""
IS_FILLED = """
const at = arguments[0].ownerSVGElement.createSVGPoint();
[at.x, at.y] = [arguments[1], arguments[2]];
return arguments[0].isPointInFill(at);
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    video = folder / "video.mkv"
    write_film(video, SCENES)
    write_preview(video, folder / "preview.mp4", duration_sec=20.0)
    other = folder / "other.mp4"
    write_film(other, SCENES[::-1])
    target = folder / "moments.html"
    page = moments_to_html(
        {
            QUERY: MOMENTS,
            "no result": (),
            "many results": MOMENTS * 4,
            "two videos": (MOMENTS[0], moment("there", 5.0, visual=0.4), moment("nowhere", 0.0)),
        },
        title=f"Moments in {TITLE}",
        notes=("By <hand>.",),
        previews={"here": folder / "preview.mp4", "there": other},
        media={"here": video},
        clips={QUERY: CLIPS},
    )
    target.write_text(page, "utf-8")
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
    addresses = re.findall(r'(?:src|href|url|action)\s*[=(]\s*["\']?([^"\')\s>]+)', text.split('id="video-0">')[0])
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
        "two videos",
    ]
    assert "By <hand>." in browser.find_element(By.TAG_NAME, "header").text
    assert "No moment was found." in browser.find_element(By.TAG_NAME, "main").text
    requested = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in requested if not name.startswith(("data:", "blob:"))] == []


def test_pictures_show_the_best_second_of_their_moments(browser: Any) -> None:
    pictures = browser.find_elements(By.CSS_SELECTOR, "section:first-of-type .moment img")
    for picture, color in zip(pictures, SHOWN, strict=True):
        assert wait_until(partial(browser.execute_script, "return arguments[0].naturalWidth", picture)) > 0
        assert browser.execute_script(CORNER, picture) == pytest.approx(color, abs=25)


def test_moments_have_accessible_labels(browser: Any) -> None:
    facts = [" ".join(moment.text.split()) for moment in moments(browser)]
    assert facts == [
        "Play from 00:10\u201300:15 seen 0.91, heard 0.10; best at 0:12.5 score 0.810",
        "Play from 00:05\u201300:10 heard 0.52; best at 0:07.5 score 0.500",
        "Play from 00:15\u201300:20 seen; best at 0:17.5",
    ]


def click(browser: Any, element: Any) -> None:
    """Click an element where the player does not cover it."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def timeline(browser: Any, query: int = 1, video: int = 1) -> Any:
    return browser.find_element(By.CSS_SELECTOR, f"section:nth-of-type({query}) figure:nth-of-type({video})")


def test_timeline_draws_the_scores_of_each_option(browser: Any) -> None:
    drawing = timeline(browser).find_element(By.TAG_NAME, "svg")
    label = "Scores over time: seen up to 0.70 at 0:17.5, heard up to -0.30 at 0:02.5"
    assert drawing.get_attribute("aria-label") == label
    paths = drawing.find_elements(By.TAG_NAME, "path")
    assert [path.get_attribute("class") for path in paths] == ["visual", "audio"]
    assert all(browser.execute_script("return arguments[0].getBBox().width", path) == 1000 for path in paths)
    # The clips rise from left to right, so the drawing is filled at the top right and not at the top left.
    filled = [browser.execute_script(IS_FILLED, paths[0], *point) for point in ((990, 5), (10, 5), (10, 19))]
    assert filled == [True, False, True]
    # All clips sound alike.
    assert not any(browser.execute_script(IS_FILLED, paths[1], second, 30) for second in range(10, 1000, 250))
    assert [lane.text for lane in timeline(browser).find_elements(By.CSS_SELECTOR, ".lanes span")] == ["seen", "heard"]


def test_timeline_marks_its_moments(browser: Any) -> None:
    box = timeline(browser).find_element(By.CLASS_NAME, "drawn").rect
    found = [mark.rect for mark in timeline(browser).find_elements(By.CSS_SELECTOR, "button.mark")]
    begins = [20 * (mark["x"] - box["x"]) / box["width"] for mark in found]
    assert begins == pytest.approx([10, 5, 15], abs=0.1)
    assert [20 * mark["width"] / box["width"] for mark in found] == pytest.approx([5, 5, 5], abs=0.1)


def test_click_on_the_timeline_plays_the_moment_or_the_second(browser: Any) -> None:
    click(browser, timeline(browser).find_elements(By.CSS_SELECTOR, "button.mark")[1])
    assert is_playing_at(browser, 5.0)
    assert "playing" in moments(browser)[1].get_attribute("class")
    drawn = timeline(browser).find_element(By.CLASS_NAME, "drawn")
    # The first quarter has no moment; its middle is second 2.5.
    ActionChains(browser).move_to_element_with_offset(drawn, -round(drawn.rect["width"] * 3 / 8), 0).click().perform()
    assert is_playing_at(browser, 2.3)
    assert browser.find_element(By.CSS_SELECTOR, "[role=status]").text.startswith("Playing from 00:02")
    assert browser.find_elements(By.CSS_SELECTOR, ".playing") == []


def test_each_video_has_its_timeline_and_player(browser: Any) -> None:
    section = browser.find_element(By.CSS_SELECTOR, "section:nth-of-type(4)")
    assert len(section.find_elements(By.TAG_NAME, "figure")) == 3
    # The third video has no preview: it is shown, and cannot be played.
    assert [one.tag_name for one in section.find_elements(By.CLASS_NAME, "moment")] == ["button", "button", "div"]
    click(browser, timeline(browser, 4, 2).find_element(By.CSS_SELECTOR, "button.mark"))
    assert is_playing_at(browser, 5.0)
    assert browser.execute_script(CORNER, player(browser)) == pytest.approx(COLORS["blue"], abs=25)
    click(browser, moments(browser)[0])
    assert is_playing_at(browser, 10.0)


def test_click_plays_from_the_moment(browser: Any) -> None:
    for moment, expected, color in zip(moments(browser), MOMENTS, SHOWN, strict=True):
        click(browser, moment)
        assert is_playing_at(browser, expected.start_sec)
        assert browser.execute_script(CORNER, player(browser)) == pytest.approx(color, abs=25)
        assert "playing" in moment.get_attribute("class")
    # The card and its mark on the timeline.
    assert len(browser.find_elements(By.CSS_SELECTOR, ".playing")) == 2


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
