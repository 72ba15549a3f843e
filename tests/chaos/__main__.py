"""The command: ``python -m tests.chaos --videos 200 --kills 20 --store sqlite --processes 1``."""

import argparse
import sys
import time
from pathlib import Path

from tests.chaos.act import Act, Plan

FOLDER = Path(".chaos")
# Where lists name nothing, a smaller run shows what there is to see.
SHARE_WITHOUT_NAMES = 4


def main() -> None:
    """Play both acts and print their verdicts; exit 1 where a promise was broken."""
    asked = _parser().parse_args()
    begin = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - begin:6.1f} s] {line}", file=sys.stderr, flush=True)  # noqa: T201  # a command

    failed = []
    for echoes in (True, False):
        share = 1 if echoes else SHARE_WITHOUT_NAMES
        plan = Plan(
            videos=max(6, asked.videos // share),
            kills=max(1, asked.kills // share),
            processes=asked.processes,
            store=asked.store,
            seed=asked.seed,
            echoes=echoes,
        )
        act = Act(plan, FOLDER / ("named" if echoes else "nameless"), FOLDER / "films", say)
        verdict = act.play()
        print("\n".join(verdict.lines), flush=True)  # noqa: T201  # a command
        failed += verdict.failed
    say("done")
    if failed:
        sys.exit(f"chaos: broken: {'; '.join(failed)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--videos", type=int, default=200, help="how many, bad ones among them (default 200)")
    parser.add_argument("--kills", type=int, default=20, help="how often a process is killed (default 20)")
    parser.add_argument("--processes", type=int, default=1, help="how many work at once (default 1)")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite", help="the journal")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default 1)")
    return parser


if __name__ == "__main__":
    main()
