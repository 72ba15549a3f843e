"""Where a segment store lies: path, SQLAlchemy URL or ":memory:" -> one checked `Location`."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from twelvelabs_core.base.errors import ConfigurationError

MEMORY = ":memory:"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql+psycopg2": "postgresql+psycopg2",
}


@dataclass(frozen=True, slots=True)
class Location:
    """A checked place of a store.

    Attributes:
        printable: For people: the path, ":memory:", or the URL without its password.
        path: The SQLite file, absolute; None for memory and for a server.
        url: A server's URL; None for SQLite.
    """

    printable: str
    path: Path | None = None
    url: URL | None = None

    @property
    def is_memory(self) -> bool:
        """Whether the store lives in this process alone."""
        return self.path is None and self.url is None

    @property
    def portable(self) -> str:
        """What another process needs to find the same store; holds a server's password."""
        return self.url.render_as_string(hide_password=False) if self.url else self.printable


def default_path() -> Path:
    """Return the store's file in the user's data directory; caches get wiped, paid vectors must not."""
    return platformdirs.user_data_path("twelvelabs-rag", appauthor=False) / "segments.sqlite3"


def parse_location(location: str | os.PathLike[str]) -> Location:
    """Check what a caller or the environment gave.

    Raises:
        ConfigurationError: It is empty, or a URL of something else than SQLite or PostgreSQL.
    """
    if not isinstance(location, str | os.PathLike):
        raise ConfigurationError(
            f"segment_store must be a SegmentStore, a path, a URL or ':memory:', got {type(location).__name__}."
        )
    text = os.fsdecode(os.fspath(location))
    if not text.strip():
        raise ConfigurationError("the segment store's location is empty; give a path, a URL or ':memory:'.")
    if text == MEMORY:
        return Location(MEMORY)
    if "://" in text:
        return parse_url(text)
    return file_location(text)


def parse_url(text: str) -> Location:
    """Check a SQLAlchemy URL."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # its message may quote the password
        raise ConfigurationError(
            "the segment store's URL cannot be read; it looks like postgresql+psycopg://user:password@host/database."
        ) from None
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        raise ConfigurationError(
            f"the segment store cannot use {url.drivername!r}; it knows {', '.join(sorted(DRIVERS))}, or a path."
        )
    if driver != "sqlite":
        return Location(printable_url(url), url=url.set(drivername=driver))
    if url.query or url.host:
        raise ConfigurationError("a SQLite URL of the segment store is sqlite:///path, without host and options.")
    return Location(MEMORY) if url.database in (None, "", MEMORY) else file_location(str(url.database))


def file_location(text: str) -> Location:
    """Make a path absolute now, for the working directory may change and a worker may have another."""
    path = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111  # links stay as given
    return Location(str(path), path=path)


def printable_url(url: URL) -> str:
    """Write a URL without secrets; libpq also takes a password as a query parameter."""
    query = {name: "***" if "pass" in name.lower() else value for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)
