"""An offline twin of the TwelveLabs embed API, for demos, tests and CI. It is NOT Marengo.

It speaks the same HTTP as the real service and decodes real media, but its vectors come from a small hand-made model of
colours, light, motion, sound and words: good to see a program work, of no use to judge the quality of search.
"""

from twelvelabs_sandbox._app import create_app
from twelvelabs_sandbox._clock import Clock
from twelvelabs_sandbox._faults import Fault, Faults
from twelvelabs_sandbox._options import Options
from twelvelabs_sandbox._request_log import RecordedRequest, RequestLog
from twelvelabs_sandbox._server import Sandbox
from twelvelabs_sandbox._task_log import RecordedTask

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
