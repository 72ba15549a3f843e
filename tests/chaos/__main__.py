"""The command: ``python -m tests.chaos --videos 200 --kills 20 --store sqlite --processes 3``."""

import argparse
import sys
import time
from pathlib import Path

from tests.chaos.run import ChaosRun, Plan

FOLDER = Path(".chaos")
# The run whose listings contain no names is this many times smaller.
SHARE_WITHOUT_NAMES = 4


def main() -> None:
    """Do both runs, with and without names in listings, and print the verdicts; exit 1 if a check failed."""
    asked = _parser().parse_args()
    begin = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - begin:6.1f} s] {line}", file=sys.stderr, flush=True)  # noqa: T201  # a command

    failed = []
    for names_files in (True, False):
        share = 1 if names_files else SHARE_WITHOUT_NAMES
        plan = Plan(
            videos=max(6, asked.videos // share),
            kills=max(1, asked.kills // share),
            processes=asked.processes,
            store=asked.store,
            seed=asked.seed,
            names_files=names_files,
            outage=asked.outage / share,
        )
        run = ChaosRun(plan, FOLDER / ("named" if names_files else "nameless"), FOLDER / "videos", say)
        verdict = run.run()
        print("\n".join(verdict.lines), flush=True)  # noqa: T201  # a command
        failed += verdict.failed
    say("done")
    if failed:
        sys.exit(f"chaos: failed: {'; '.join(failed)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--videos", type=int, default=200, help="number of videos, including the bad ones (default 200)"
    )
    parser.add_argument("--kills", type=int, default=20, help="number of times a process is killed (default 20)")
    parser.add_argument("--processes", type=int, default=3, help="number of concurrent processes (default 3)")
    parser.add_argument("--outage", type=float, default=120.0, help="seconds for which the API is gone (default 120)")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite", help="the journal")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random choices (default 1)")
    return parser


if __name__ == "__main__":
    main()
