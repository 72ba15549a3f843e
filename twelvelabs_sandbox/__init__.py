"""An offline twin of the TwelveLabs embed API, for demos, tests and CI. It is NOT Marengo.

It speaks the same HTTP as the real service and decodes real media, but its vectors come from a small hand-made model of
colours, light, motion, sound and words: good to see a program work, of no use to judge the quality of search.
"""

from twelvelabs_sandbox.state.tasks import RecordedTask
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.server import Sandbox
from twelvelabs_sandbox.request_log import RecordedRequest
from twelvelabs_sandbox.request_log import RequestLog
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.faults import Fault
from twelvelabs_sandbox.faults import Faults
from twelvelabs_sandbox.app import create_app

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
