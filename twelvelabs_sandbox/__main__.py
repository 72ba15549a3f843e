"""The command: ``python -m twelvelabs_sandbox --port 8765``."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from twelvelabs_sandbox.server import Sandbox
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.options import new_key

BANNER = """\
TwelveLabs sandbox: an offline twin of the embed API. It is NOT Marengo: its vectors know no meaning.
Point any client at it:

export TWELVELABS_BASE_URL={url}
export TWELVELABS_API_KEY={key}

Ctrl-C ends it and deletes everything that it was sent."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    args = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        sandbox = Sandbox(
            host=args.host, port=args.port, api_key=args.api_key or new_key(), task_seconds=args.task_seconds
        )
        sandbox.start()
    except (ValueError, OSError) as error:
        sys.exit(f"twelvelabs_sandbox: {error}")
    with sandbox:
        print(BANNER.format(url=sandbox.base_url, key=sandbox.api_key), flush=True)  # noqa: T201 - a command speaks
        while not stopped.wait(1.0):  # In steps, since an endless wait cannot be interrupted on Windows.
            pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m twelvelabs_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="port to listen on; 0 takes a free one (default 8765)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--api-key", help="key to accept, begins with tlk_sandbox_ (default: a new one each time)")
    parser.add_argument(
        "--task-seconds", type=float, default=Options().task_seconds, help="least seconds that a task takes (default 0)"
    )
    return parser


if __name__ == "__main__":
    main()
