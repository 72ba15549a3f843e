"""An offline server of the TwelveLabs embed API, for demos, tests and CI. It is NOT Marengo.

It implements the HTTP API of the real service and decodes real media, but its vectors come from simple measurements of
colours, brightness, motion, sound and words: suitable to run a program, not to judge the quality of search.
"""

from twelvelabs_sandbox.app import create_app
from twelvelabs_sandbox.faults import Fault, Faults
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.request_log import RecordedRequest, RequestLog
from twelvelabs_sandbox.server import Sandbox
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.tasks import RecordedTask

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
