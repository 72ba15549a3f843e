"""The location of a segment store (a path, a SQLAlchemy URL or ":memory:"), and the errors that name it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import sqlalchemy.exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
    StatementError,
)

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.base.settings import STORE_VARIABLE

MEMORY = ":memory:"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql+psycopg2": "postgresql+psycopg",
}

ELSEWHERE = f"or give another location with {STORE_VARIABLE} or SegmentStore(location)"
NOT_A_STORE = f"Give the path of a segment store or of a new file, {ELSEWHERE}"
KEEP_DAMAGED = (
    "Restore the file from a backup, and delete the files of its name with -journal, -wal and -shm; or move it away, "
    f"{ELSEWHERE}; it is never overwritten"
)

# First part of SQLite's error name -> what it means, what to do.
SQLITE_ADVICE = {
    "SQLITE_BUSY": ("another process kept it locked for too long", "Find the process that holds the lock, then retry"),
    "SQLITE_LOCKED": ("it is locked", "Try again"),
    "SQLITE_NOTADB": ("the file is not a SQLite database, or its beginning is lost", KEEP_DAMAGED),
    "SQLITE_CORRUPT": ("the file is damaged or truncated", KEEP_DAMAGED),
    "SQLITE_READONLY": ("it cannot be written", f"Make the file and its folder writable, {ELSEWHERE}"),
    "SQLITE_PERM": ("its permissions do not allow opening it", f"Check its permissions, {ELSEWHERE}"),
    "SQLITE_CANTOPEN": (
        "the file cannot be opened, was removed while in use, or its folder is read-only",
        f"Check that the file exists and that it and its folder are writable, {ELSEWHERE}",
    ),
    "SQLITE_FULL": ("the disk is full", f"Free disk space, {ELSEWHERE}"),
    "SQLITE_IOERR": (
        "the disk could not be read or written, or is full",
        f"Free disk space, check the disk, {ELSEWHERE}",
    ),
    "SQLITE_ERROR": ("its tables are not those of a segment store", KEEP_DAMAGED),
}
POSTGRES_LOCK_TIMEOUT = "55P03"


@dataclass(frozen=True, slots=True)
class Location:
    """The checked location of a store.

    Attributes:
        printable: For messages: the path, ":memory:", or the URL without its password.
        path: The SQLite file, absolute; None for memory and for a server.
        url: A server's URL; None for SQLite.
    """

    printable: str
    path: Path | None = None
    url: URL | None = None

    @property
    def is_memory(self) -> bool:
        """Whether the store exists only in the memory of this process."""
        return self.path is None and self.url is None

    @property
    def portable(self) -> str:
        """What another process needs to find the same store; includes a server's password."""
        return self.url.render_as_string(hide_password=False) if self.url else self.printable


def default_path() -> Path:
    """Return the store's file in the user's data directory; a cache directory may be emptied, paid vectors must not."""
    return platformdirs.user_data_path("twelvelabs-rag", appauthor=False) / "segments.sqlite3"


def parse_location(location: str | os.PathLike[str]) -> Location:
    """Check a location that the caller or the environment gave; ConfigurationError where it cannot be one."""
    if not isinstance(location, str | os.PathLike):
        raise ConfigurationError(
            f"segment_store must be a SegmentStore, a path, a URL or ':memory:', got {type(location).__name__}."
        )
    text = os.fsdecode(os.fspath(location))
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        text = "\x00"
    if "\x00" in text:
        raise ConfigurationError("the segment store's location contains a NUL character or a lone surrogate.")
    if not text.strip():
        raise ConfigurationError("the segment store's location is empty; give a path, a URL or ':memory:'.")
    if text == MEMORY:
        return Location(MEMORY)
    return _parse_url(text) if "://" in text else _file_location(text)


def _parse_url(text: str) -> Location:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # its message may quote the password
        raise ConfigurationError(
            "the segment store's URL cannot be parsed; the form is postgresql+psycopg://user:password@host/database."
        ) from None
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        raise ConfigurationError(
            f"the segment store cannot use {url.drivername!r}; give a path or one of {', '.join(sorted(DRIVERS))}."
        )
    if driver != "sqlite":
        # libpq also takes a password as a query parameter.
        query = {name: "***" if "pass" in name.lower() else value for name, value in url.query.items()}
        printable = url.set(query=query).render_as_string(hide_password=True)
        return Location(printable, url=url.set(drivername=driver))
    if url.query or url.host:
        raise ConfigurationError("a SQLite URL of the segment store is sqlite:///path, without host and options.")
    return Location(MEMORY) if url.database in (None, "", MEMORY) else _file_location(str(url.database))


def _file_location(text: str) -> Location:
    """Make a path absolute now: the working directory may change, and a worker may have another."""
    path = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111  # resolve() would follow links
    return Location(str(path), path=path)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Replace every error of SQL and of the file system within the block by one that says what to do.

    Raises:
        ConfigurationError: The store cannot be used.
        InputError: The database refused a value.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, ModuleNotFoundError) as error:
        raise _translation(place, error) from error


def _translation(place: str, error: Exception) -> ConfigurationError | InputError:
    original = error.orig if isinstance(error, StatementError) else error
    if isinstance(error, DBAPIError | sqlite3.Error) and not isinstance(error, DataError | IntegrityError):
        return unusable(place, *explain(original))
    if isinstance(error, StatementError):  # or a value that could not be converted, so no driver received it
        reason = _first_line(original)
        return InputError(f"the segment store {place} refused a value, nothing was written: {reason}.")
    if isinstance(error, ModuleNotFoundError | NoSuchModuleError):
        reason = f"its driver is not installed ({error})"
        return unusable(place, reason, 'Run pip install "twelvelabs-rag[postgres]"')
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return unusable(place, "other threads of this process used it for too long", "Try again")
    return unusable(place, _first_line(error), f"Check the location, {ELSEWHERE}")


def unusable(place: str, reason: str, advice: str) -> ConfigurationError:
    """Return the error for a store that cannot be used."""
    return ConfigurationError(f"the segment store {place} cannot be used: {reason}. {advice}.")


def explain(error: BaseException | None) -> tuple[str, str]:
    """Return the meaning of a driver's error, and what to do."""
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, (meaning, advice) in SQLITE_ADVICE.items():
        if name.startswith(prefix):
            return f"{meaning} ({_first_line(error)})", advice
    if getattr(error, "sqlstate", None) == POSTGRES_LOCK_TIMEOUT:
        return "another process kept a row locked for too long", SQLITE_ADVICE["SQLITE_BUSY"][1]
    if isinstance(error, sqlite3.Error):
        return f"SQLite reported: {_first_line(error)}", KEEP_DAMAGED
    return f"the database reported: {_first_line(error)}", f"Check the server, user and rights, {ELSEWHERE}"


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
