"""An offline server of the TwelveLabs embed API, for demos, tests and CI. It is NOT Marengo.

It implements the HTTP API of the real service and decodes real media, but its vectors come from simple measurements of
colours, brightness, motion, sound and words: suitable to run a program, not to judge the quality of search.
"""

import sys

try:
    from twelvelabs_sandbox.app import create_app
    from twelvelabs_sandbox.faults import Fault, Faults
    from twelvelabs_sandbox.options import Options
    from twelvelabs_sandbox.request_log import RecordedRequest, RequestLog
    from twelvelabs_sandbox.server import Sandbox
    from twelvelabs_sandbox.state.clock import Clock
    from twelvelabs_sandbox.state.tasks import RecordedTask
except ModuleNotFoundError as error:
    advice = f'the sandbox needs an extra ({error}): pip install "twelvelabs-rag[sandbox]"'
    if sys.argv[:1] == ["-m"]:  # `python -m twelvelabs_sandbox`, which imports this file first
        sys.exit(advice)
    raise ModuleNotFoundError(advice, name=error.name) from error

__all__ = [
    "Clock",
    "Fault",
    "Faults",
    "Options",
    "RecordedRequest",
    "RecordedTask",
    "RequestLog",
    "Sandbox",
    "create_app",
]
