"""Command line: ``python -m twelvelabs_sandbox --port 8765``."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from twelvelabs_sandbox.options import Options, new_key
from twelvelabs_sandbox.server import Sandbox

LIMITS = "It is not Marengo: it measures colour, motion and sound, and does not understand what a video shows."
BANNER = f"""\
TwelveLabs sandbox: an offline server of the embed API.
{LIMITS}
Point any client at it:

export TWELVELABS_BASE_URL={{url}}
export TWELVELABS_API_KEY={{key}}

Ctrl-C stops it and deletes everything that was uploaded."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    args = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        sandbox = Sandbox(
            host=args.host, port=args.port, api_key=args.api_key or new_key(), task_seconds=args.task_seconds
        )
        sandbox.start()
    except ValueError as error:
        sys.exit(f"twelvelabs_sandbox: {error}")
    except OSError as error:
        place = f"{args.host}:{args.port}"
        sys.exit(
            f"twelvelabs_sandbox: cannot listen on {place}: {error.strerror}. "
            "Choose another --port (0: a free one) or --host."
        )
    with sandbox:
        print(BANNER.format(url=sandbox.base_url, key=sandbox.api_key), flush=True)  # noqa: T201 - output of a command
        while not stopped.wait(1.0):  # In steps, since an unlimited wait cannot be interrupted on Windows.
            pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m twelvelabs_sandbox",
        description=f"Serve the TwelveLabs embed API offline. {LIMITS}",
    )
    parser.add_argument("--port", type=int, default=8765, help="port to listen on; 0 chooses a free one (default 8765)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--api-key", help="key to accept, starts with tlk_sandbox_ (default: a new one each time)")
    parser.add_argument(
        "--task-seconds",
        type=float,
        default=Options().task_seconds,
        help="minimum seconds until a task is ready (default 0)",
    )
    return parser


if __name__ == "__main__":
    main()
