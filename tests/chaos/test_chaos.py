"""A small chaos run inside the suite; `make chaos` plays the large one."""

import sys
from pathlib import Path

import pytest

from tests.chaos.act import API_KEY, Act, Plan
from tests.chaos.leaks import look, needles
from tests.chaos.videos import Signature

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are forked and killed")


def test_a_small_storm_loses_nothing(tmp_path: Path) -> None:
    plan = Plan(videos=6, kills=2, seed=3, timeout=4.0, patience=(0.5, 3.0))
    verdict = Act(plan, tmp_path / "run", tmp_path / "films", lambda _: None).play()
    assert not verdict.failed, "\n".join(verdict.lines)


def test_every_form_of_a_secret_is_found(tmp_path: Path) -> None:
    for name, secret in needles(API_KEY, Signature.of(1)).items():
        place = tmp_path / name.replace(",", "")
        place.write_bytes(b"before " + secret + b" after")
        assert [leak[1] for leak in look({"channel": place}, needles(API_KEY, Signature.of(1))).leaks]
