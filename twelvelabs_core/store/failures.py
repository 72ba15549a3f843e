"""What the database or the file system complained about -> one error that says what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError, StatementError

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.base.settings import STORE_VARIABLE

ELSEWHERE = f"or name another place with {STORE_VARIABLE} or SegmentStore(location)"
KEEP_DAMAGED = f"Bring the file back from a backup or move it away, {ELSEWHERE}; it is never overwritten"

# The first part of SQLite's error name -> what it means, what to do.
SQLITE_ADVICE = {
    "SQLITE_BUSY": ("another process kept it locked for too long", "Look for a process that hangs, then try again"),
    "SQLITE_LOCKED": ("it is locked", "Try again"),
    "SQLITE_NOTADB": ("the file is not a SQLite database", f"Give the path of a store or of a new file, {ELSEWHERE}"),
    "SQLITE_CORRUPT": ("the file is damaged or truncated", KEEP_DAMAGED),
    "SQLITE_READONLY": ("it cannot be written", f"Make the file and its folder writable, {ELSEWHERE}"),
    "SQLITE_PERM": ("it may not be opened", f"Check its permissions, {ELSEWHERE}"),
    "SQLITE_CANTOPEN": (
        "the file cannot be opened, was removed while in use, or its place is read-only",
        f"Check that it is there and that it and its folder are writable, {ELSEWHERE}",
    ),
    "SQLITE_FULL": ("the disk is full", f"Make room, {ELSEWHERE}"),
    "SQLITE_IOERR": ("the disk could not be read or written, or is full", f"Make room, check the disk, {ELSEWHERE}"),
    "SQLITE_ERROR": ("its tables are not those of a segment store", KEEP_DAMAGED),
}
POSTGRES_LOCK_TIMEOUT = "55P03"


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn every error of SQL and of the file system within the block into one of ours.

    Args:
        place: The store's location without secrets, for the message.

    Raises:
        ConfigurationError: The store cannot be used.
        InputError: It refused a value.
    """
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise refused(place, error.orig) from error
    except DBAPIError as error:
        raise unusable(place, *explain(error.orig)) from error
    except StatementError as error:  # a value that no driver was given: it could not be converted
        raise refused(place, error.orig) from error
    except sqlite3.Error as error:
        raise unusable(place, *explain(error)) from error
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise unusable(
            place, f"its driver is not installed ({error})", 'Run pip install "twelvelabs-rag[postgres]"'
        ) from error
    except (OSError, SQLAlchemyError) as error:
        raise unusable(place, first_line(error), f"Check the location, {ELSEWHERE}") from error


def unusable(place: str, reason: str, advice: str) -> ConfigurationError:
    """Return the error for a store that cannot be used."""
    return ConfigurationError(f"the segment store {place} cannot be used: {reason}. {advice}.")


def refused(place: str, error: BaseException | None) -> InputError:
    """Return the error for a value that cannot be stored."""
    return InputError(f"the segment store {place} refused a value, nothing was written: {first_line(error)}.")


def explain(error: BaseException | None) -> tuple[str, str]:
    """Return the meaning of a driver's error, and what to do."""
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, known in SQLITE_ADVICE.items():
        if name.startswith(prefix):
            return (f"{known[0]} ({first_line(error)})", known[1])
    if getattr(error, "sqlstate", None) == POSTGRES_LOCK_TIMEOUT:
        return ("another process kept a row locked for too long", "Look for a process that hangs, then try again")
    if isinstance(error, sqlite3.Error):
        return (f"SQLite answered: {first_line(error)}", KEEP_DAMAGED)
    return (f"the database answered: {first_line(error)}", f"Check the server, user and rights, {ELSEWHERE}")


def first_line(error: BaseException | None) -> str:
    """Return the first line of an error's text, or the name of its type."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
