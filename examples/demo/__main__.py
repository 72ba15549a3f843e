"""The command of `make demo`.

    python -m examples.demo [--video FILM] [--query TEXT] [--live] [--folder .demo]

Without `--live` everything runs here, against the embedded sandbox, and keys in the environment are not looked at.
"""

import sys


def start() -> int:
    """Say something before the imports, which take seconds on a machine that has never made them."""
    print("Starting ...", flush=True)
    from examples.demo.command import main  # noqa: PLC0415

    return main()


if __name__ == "__main__":
    sys.exit(start())
