"""One client per worker process, whatever number of plans and partitions Daft sends to it."""

import asyncio
import pickle
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from twelvelabs_core import AsyncClient, Client

AnyClient = TypeVar("AnyClient", Client, AsyncClient)

_CLIENTS: dict[tuple[bytes, str], Any] = {}
_SLOTS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[int, int], asyncio.Semaphore]] = WeakKeyDictionary()


class WorkerClient(Generic[AnyClient]):
    """A client inside a Daft function: it travels as its settings, and is connected once per process.

    The key is part of them only if it was passed as an argument; else each process reads it from its environment.
    Daft has no hook at the end of a query, so a worker keeps the client, as it keeps the connections of a pool.

    Raises:
        ConfigurationError: The client's segment store is in memory, so no other process can use it.
    """

    def __init__(self, client: AnyClient) -> None:
        self._client: AnyClient | None = client
        # Here and not when Daft pickles its plan: Daft replaces the error of a store in memory by another one.
        self._pickled = pickle.dumps(client)

    def get(self) -> AnyClient:
        """Return the client.

        Raises:
            ConfigurationError: The environment of this process has no key.
        """
        if self._client is None:
            # Here and not while Daft unpickles its plan: the error is then that of the query, with its own message.
            client = pickle.loads(self._pickled)  # noqa: S301  # written by this class
            self._client = _CLIENTS.setdefault((self._pickled, client.settings.account), client)
        return self._client

    def __getstate__(self) -> bytes:
        return self._pickled

    def __setstate__(self, state: bytes) -> None:
        self._client, self._pickled = None, state


def slots_of(client: AsyncClient, limit: int) -> asyncio.Semaphore:
    """Return the slots for the unfinished media of a client, which all plans and partitions of a process share."""
    of_loop = _SLOTS.setdefault(asyncio.get_running_loop(), {})
    return of_loop.setdefault((id(client), limit), asyncio.Semaphore(limit))
