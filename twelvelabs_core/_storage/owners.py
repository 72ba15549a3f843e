"""Who wrote an intent, and whether that process is still there."""

import functools
import os
import secrets
import socket
from pathlib import Path

# Process numbers are used again; together with this, which forked children share, they are not.
TOKEN = secrets.token_hex(4)


def owner() -> str:
    """Name this process: machine, process number, token."""
    return f"{machine()}/{os.getpid()}/{TOKEN}"


def is_own(name: str) -> bool:
    """Return whether this process is meant."""
    return name == owner()


def has_ended(name: str) -> bool:
    """Return whether a process is known to be gone; False where that cannot be known from here."""
    where, _, rest = name.partition("/")
    number = rest.partition("/")[0]
    if where != machine() or not number.isdigit():
        return False
    return not is_alive(int(number))


@functools.lru_cache(maxsize=1)
def machine() -> str:
    """Name what process numbers are counted in: host, start of the system, container."""
    marks = [socket.gethostname().replace("/", "-")]
    try:
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8])
        marks.append(str(Path("/proc/self/ns/pid").stat().st_ino))  # containers may share a host's name
    except OSError:
        pass  # no Linux: the host's name must do
    return ".".join(marks)


def is_alive(number: int) -> bool:
    """Return whether a process of this number exists."""
    if os.name != "posix":
        return True  # elsewhere signal 0 is no harmless question; the time-out decides
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is there, and not ours
    return True
