"""The faults of a chaos run: random API faults, rate-limit bursts, broken connections and a locked journal.

The seed decides which faults happen and in which order; which requests they hit depends on timing.
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


class CountingFaults(Faults):
    """Faults that count what was injected."""

    def __init__(self) -> None:
        super().__init__()
        self.injected: Counter[str] = Counter()

    def take(self, method: str, path: str, template: str) -> Fault | None:
        fault = super().take(method, path, template)
        if fault is not None:
            self.injected[_name(fault)] += 1
        return fault


class FaultInjector:
    """Injects faults on a background thread, from `start` to `stop`.

    Attributes:
        interruptions: Number of times the gateway was interrupted.
        locks: Number of times the journal was locked.
    """

    def __init__(self, sandbox: Sandbox, gateway: Gateway, journal: Journal, seed: int) -> None:
        self._sandbox = sandbox
        self._gateway = gateway
        self._journal = journal
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  # not a secret
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._inject, daemon=True)
        self.interruptions = 0
        self.locks = 0
        self.error: BaseException | None = None

    def start(self) -> None:
        self._sandbox.faults.add(*_faults(self._seed))
        self._thread.start()

    def stop(self) -> None:
        """Stop; on return the sandbox has no faults and is reachable, and the journal is unlocked."""
        self._over.set()
        self._thread.join()
        self._sandbox.clear_faults()
        if self.error is not None:
            raise self.error

    def _inject(self) -> None:
        try:
            while not self._over.wait(self._random.uniform(*PAUSE)):
                self._random.choice([self._burst, self._burst, self._interrupt, self._lock])()
        except BaseException as error:  # noqa: BLE001  # raised by stop
            self.error = error

    def _burst(self) -> None:
        form = self._random.choice(RATE_LIMIT_FORMS)
        path = self._random.choice([TASKS, TASKS, ONE_TASK, ASSETS, ONE_ASSET])
        times = self._random.randint(1, 3)
        self._sandbox.faults.add(Fault(path=path, rate_limit=form, wait=0.5, times=times))

    def _interrupt(self) -> None:
        self.interruptions += 1
        self._gateway.interrupt_for(self._random.uniform(0.05, 0.5))

    def _lock(self) -> None:
        self.locks += 1
        self._journal.lock_for(self._random.uniform(0.1, 1.0))


def _faults(seed: int) -> list[Fault]:
    """Return the faults that apply at random throughout the run."""
    faults = []
    for number, path in enumerate((TASKS, ONE_TASK, ASSETS, ONE_ASSET)):
        always = {"path": path, "times": None, "seed": seed + number}
        faults += [Fault(status=status, probability=0.015, **always) for status in (500, 502, 503)]
        faults += [Fault(drop=drop, probability=0.012, **always) for drop in DROPS]
        faults += [Fault(slow=0.7, probability=0.02, **always), Fault(delay=0.5, probability=0.02, **always)]
    fates = [Fault(path=TASKS, method="POST", task=fate, probability=0.03, times=None, seed=seed) for fate in FATES]
    # Fates come first, so that other faults do not reduce their probability.
    return fates + faults


def _name(fault: Fault) -> str:
    if fault.rate_limit:
        return f"429 {fault.rate_limit}"
    if fault.status:
        return str(fault.status)
    if fault.drop:
        return f"dropped {fault.drop}"
    return f"task {fault.task}" if fault.task else ("slow" if fault.slow else "late")
