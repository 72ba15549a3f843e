"""The command of `make demo`.

    python -m examples.demo [--video VIDEO] [--query TEXT] [--live] [--folder .demo]

Without `--live` everything runs here, against the embedded sandbox, and keys in the environment are not looked at.
"""

import signal
import sys


def start() -> int:
    """Say something before the imports, which take seconds on a machine that has never made them."""
    # Until there is something to clean up, Ctrl-C just ends it; a traceback through imports says nothing to anybody.
    on_interrupt = signal.getsignal(signal.SIGINT)
    if on_interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    print("Starting ...", flush=True)
    from examples.demo.command import main  # noqa: PLC0415

    signal.signal(signal.SIGINT, on_interrupt)
    return main()


if __name__ == "__main__":
    sys.exit(start())
