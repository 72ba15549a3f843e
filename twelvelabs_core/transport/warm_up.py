"""Import in a thread what the first request needs, so that an event loop does not stop for it (about 0.4 s)."""

from contextlib import suppress
from importlib import import_module

from twelvelabs_core.transport.http import ssl_context

# Imported by the HTTP library at its first request, and by `results.decode` at the first vector.
_NAMES = ("httpcore", "anyio._backends._asyncio", "anyio._core._synchronization", "numpy", "orjson")


def warm_up() -> None:
    """Import the modules, and read the certificates. What fails here fails again where it is used, with advice."""
    for name in _NAMES:
        with suppress(ImportError):
            import_module(name)
    with suppress(OSError, ValueError):  # of a file that the environment names
        ssl_context()
