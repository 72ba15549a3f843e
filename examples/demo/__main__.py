"""The command of `make demo`.

    python -m examples.demo [--video VIDEO] [--query TEXT] [--live] [--folder .demo]

Without `--live` everything runs locally, against the embedded sandbox, and API keys in the environment are ignored.
"""

import signal
import sys


def start() -> int:
    """Print a line before the imports, which take seconds on the first run."""
    # During the imports there is nothing to clean up: Ctrl-C ends the process without a traceback.
    on_interrupt = signal.getsignal(signal.SIGINT)
    if on_interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    print("Starting ...", flush=True)
    from examples.demo.command import main  # noqa: PLC0415

    signal.signal(signal.SIGINT, on_interrupt)
    return main()


if __name__ == "__main__":
    sys.exit(start())
