"""A small chaos run as part of the suite; `make chaos` does the large one."""

import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.chaos.leaks import needles, search
from tests.chaos.media import Signature
from tests.chaos.run import API_KEY, ChaosRun, Plan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are forked and killed")


@pytest.mark.slow
def test_small_chaos_run_loses_nothing_and_pays_once(tmp_path: Path) -> None:
    # Within the time-out of the first calm run, a process that was killed during a create is silent for long enough.
    plan = Plan(videos=6, kills=2, seed=3, timeout=8.0, kill_after=(0.5, 3.0))
    verdict = ChaosRun(plan, tmp_path / "run", tmp_path / "videos", lambda _: None).run()
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
def test_secret_is_found_in_every_encoding(tmp_path: Path, form: str) -> None:
    (tmp_path / "output.txt").write_bytes(b"before " + FORMS[form] + b" after")
    assert search({"log": tmp_path}, needles(API_KEY, SIGNATURE)).leaking == {"log"}
    (tmp_path / "output.txt").write_bytes(b"before *** after X-Amz-Signature=***")
    assert not search({"log": tmp_path}, needles(API_KEY, SIGNATURE)).leaks
