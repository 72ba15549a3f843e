"""`SegmentStore`: tasks and vectors that were paid for, kept durably."""

import os
from types import TracebackType
from typing import Any, Self

from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.base.settings import store_location
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Removed, StoredVector, StoreInfo, TaskEntry, UploadEntry, UrlEntry
from twelvelabs_core.store.journal import Journal
from twelvelabs_core.store.location import default_path, parse_location
from twelvelabs_core.store.lookups import Lookups
from twelvelabs_core.store.maintenance import Maintenance
from twelvelabs_core.store.vectors import Vectors

__all__ = ["Removed", "SegmentStore", "StoreInfo", "StoredVector", "TaskEntry", "UploadEntry", "UrlEntry"]


class SegmentStore(Journal, Vectors, Lookups, Maintenance):
    """A durable journal of embedding tasks and of the vectors that they gave.

    One file (SQLite, mode 0600) or a PostgreSQL database that several machines share. It is opened at first use.
    Several threads and processes may use one store at once; a writer waits up to 30 s for another. What a method has
    written is on the disk when it returns, all or nothing. A store is pickled as its location; a server's password
    goes with it only where the caller passed the location, not where the environment named it.

    A forked child may use the store of its parent, unless the fork happened while another thread was in a
    transaction of a SQLite store: the child then raises `ConfigurationError`, because SQLite cannot work there.
    PostgreSQL does not have this limit.

    Every method that uses the database blocks, may be called from any thread, and raises `ConfigurationError`, with
    advice, where the store cannot be used: not writable, not a store, of a newer version, damaged, locked for too
    long, disk full, server unreachable. A store that cannot be read is never overwritten.

    Attributes:
        location: Path, ":memory:", or URL without password, for messages.

    Args:
        location: Path of a SQLite file, created at first use; ":memory:" for a store that ends with its object
            (threads share it, a forked child continues with a copy); or a SQLAlchemy URL, `sqlite:///path` or
            `postgresql+psycopg://user:password@host/database` (extra `postgres`). Default: environment
            `TWELVELABS_STORE`, else `segments.sqlite3` in the user's data directory.

    Raises:
        ConfigurationError: The location is empty or of an unknown kind.

    Example:
        ```python
        with SegmentStore("segments.sqlite3") as store:
            print(store.info().vectors, store.sources())
        ```
    """

    # The base classes group the methods by their tables; they have no state but this database.

    def __init__(self, location: str | os.PathLike[str] | None = None) -> None:
        self._is_given = location is not None
        given = location if location is not None else store_location()
        self._database = Database(parse_location(given if given is not None else default_path()))

    @property
    def location(self) -> str:
        """Path, ":memory:", or URL without password, for messages."""
        return self._database.location.printable

    def close(self) -> None:
        """Close what is open. A file or server is opened again by the next use; a store in memory is lost."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SegmentStore({self.location!r})"

    def __copy__(self) -> Self:
        return self  # a second object would be the same store, or, in memory, an empty one

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str | None]]:
        if self._database.location.is_memory:
            raise ConfigurationError(
                "a segment store in memory cannot be sent to another process; give SegmentStore the path of a file."
            )
        return type(self), (self._database.location.portable if self._is_given else None,)
