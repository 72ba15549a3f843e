"""The storm of a chaos run: faults by chance and in bursts, a door that shuts, a journal that is locked. All by seed.

The seed decides what happens and in which order; which request it meets depends on the machine.
"""

import random
import threading
from collections import Counter

from tests.chaos.gateway import Gateway
from tests.chaos.journals import Journal
from twelvelabs_sandbox import Fault, Faults, Sandbox
from twelvelabs_sandbox.options import RATE_LIMIT_FORMS

TASKS, ONE_TASK, ASSETS, ONE_ASSET = "/embed-v2/tasks", "/embed-v2/tasks/{task_id}", "/assets", "/assets/{asset_id}"
FATES = ("failed", "stuck", "expired")
DROPS = ("before", "during", "after", "mid")
PAUSE = 0.5, 1.5


class CountedFaults(Faults):
    """Faults that know what has struck."""

    def __init__(self) -> None:
        super().__init__()
        self.struck: Counter[str] = Counter()

    def take(self, method: str, path: str, template: str) -> Fault | None:
        fault = super().take(method, path, template)
        if fault is not None:
            self.struck[_name(fault)] += 1
        return fault


class Storm:
    """Blows on a thread of its own from start to stop.

    Attributes:
        shut: How often the door was shut.
        locked: How often the journal was locked.
    """

    def __init__(self, sandbox: Sandbox, gateway: Gateway, journal: Journal, seed: int) -> None:
        self._sandbox = sandbox
        self._gateway = gateway
        self._journal = journal
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  # a storm, no secret
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow, daemon=True)
        self.shut = 0
        self.locked = 0
        self.error: BaseException | None = None

    def start(self) -> None:
        self._sandbox.faults.add(*_faults(self._seed))
        self._thread.start()

    def stop(self) -> None:
        """End it; the sandbox is calm and reachable, and the journal free, when this returns."""
        self._over.set()
        self._thread.join()
        self._sandbox.clear_faults()
        if self.error is not None:
            raise self.error

    def _blow(self) -> None:
        try:
            while not self._over.wait(self._random.uniform(*PAUSE)):
                self._random.choice([self._burst, self._burst, self._shut, self._lock])()
        except BaseException as error:  # noqa: BLE001  # told by stop
            self.error = error

    def _burst(self) -> None:
        form = self._random.choice(RATE_LIMIT_FORMS)
        path = self._random.choice([TASKS, TASKS, ONE_TASK, ASSETS, ONE_ASSET])
        times = self._random.randint(1, 3)
        self._sandbox.faults.add(Fault(path=path, rate_limit=form, wait=0.5, times=times))

    def _shut(self) -> None:
        self.shut += 1
        self._gateway.shut_for(self._random.uniform(0.05, 0.5))

    def _lock(self) -> None:
        self.locked += 1
        self._journal.lock_for(self._random.uniform(0.1, 1.0))


def _faults(seed: int) -> list[Fault]:
    """Return what goes wrong by chance all the time."""
    faults = []
    for number, path in enumerate((TASKS, ONE_TASK, ASSETS, ONE_ASSET)):
        always = {"path": path, "times": None, "seed": seed + number}
        faults += [Fault(status=status, probability=0.015, **always) for status in (500, 502, 503)]
        faults += [Fault(drop=drop, probability=0.012, **always) for drop in DROPS]
        faults += [Fault(slow=0.7, probability=0.02, **always), Fault(delay=0.5, probability=0.02, **always)]
    fates = [Fault(path=TASKS, method="POST", task=fate, probability=0.03, times=None, seed=seed) for fate in FATES]
    # First of all, so that their share is not taken by the others.
    return fates + faults


def _name(fault: Fault) -> str:
    if fault.rate_limit:
        return f"429 {fault.rate_limit}"
    if fault.status:
        return str(fault.status)
    if fault.drop:
        return f"dropped {fault.drop}"
    return f"task {fault.task}" if fault.task else ("slow" if fault.slow else "late")
