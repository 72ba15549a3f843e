"""Starts headless Chromium through its driver, for tests of pages."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import SessionNotCreatedException
from selenium.webdriver.chrome.service import Service

DRIVER = "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
TIMEOUT_SEC = 30.0


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Yield a browser with an empty profile; skip the test if Chromium is not installed."""
    binary = shutil.which("chromium")
    if binary is None or not Path(DRIVER).exists():
        pytest.skip("no Chromium with its driver here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    except SessionNotCreatedException as error:
        pytest.skip(f"Chromium does not start here: {error.msg}")
    try:
        browser.set_page_load_timeout(TIMEOUT_SEC)
        browser.set_script_timeout(TIMEOUT_SEC)
        yield browser
    finally:
        browser.quit()


def resize(browser: webdriver.Chrome, width: int, height: int, *, mobile: bool = False) -> None:
    """Show the page at this width and height."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def wait_until(condition: Callable[[], Any], timeout_sec: float = TIMEOUT_SEC) -> Any:
    """Return the first true result of a condition, or its last result after a timeout."""
    end = time.monotonic() + timeout_sec
    while not (answer := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer
