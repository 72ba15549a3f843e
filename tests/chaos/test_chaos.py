"""A small chaos run inside the suite; `make chaos` plays the large one."""

import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.chaos.act import API_KEY, Act, Plan
from tests.chaos.leaks import look, needles
from tests.chaos.videos import Signature

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are forked and killed")


def test_a_small_storm_loses_nothing(tmp_path: Path) -> None:
    # In the time-out of the first calm run, a process that was killed in a create is found to be silent.
    plan = Plan(videos=6, kills=2, seed=3, timeout=8.0, patience=(0.5, 3.0))
    verdict = Act(plan, tmp_path / "run", tmp_path / "films", lambda _: None).play()
    assert not verdict.failed, "\n".join(verdict.lines)


SIGNATURE = Signature.of(1)
FORMS = {
    "plain": API_KEY.encode(),
    "quoted": quote(API_KEY, safe="").encode(),
    **{f"base64-{n}": b64encode(b"user:" + b"x" * n + API_KEY.encode() + b":password") for n in range(3)},
    "signature": f"X-Amz-Signature={SIGNATURE.signature[:40]}".encode(),
    "credential": SIGNATURE.credential.encode(),
    "token": SIGNATURE.token.encode(),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_a_secret_is_found(tmp_path: Path, form: str) -> None:
    (tmp_path / "said.txt").write_bytes(b"before " + FORMS[form] + b" after")
    assert look({"log": tmp_path}, needles(API_KEY, SIGNATURE)).leaking == {"log"}
    (tmp_path / "said.txt").write_bytes(b"before *** after X-Amz-Signature=***")
    assert not look({"log": tmp_path}, needles(API_KEY, SIGNATURE)).leaks
