"""`SegmentStore`: tasks and vectors that were paid for, kept durably.

The SQL stands in `_storage`; here is what the store promises. All methods block, all may be called from any thread.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.base.settings import store_location
from twelvelabs_core.results.segments import Segments
from twelvelabs_core.results.transcript import Word
from twelvelabs_core.store import journal, lookups, maintenance, schema, vectors
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import Removed, StoredVector, StoreInfo, TaskEntry, UploadEntry, UrlEntry
from twelvelabs_core.store.location import default_path, parse_location
from twelvelabs_core.store.schema import assets, files, tasks, uploads, urls

__all__ = ["Removed", "SegmentStore", "StoreInfo", "StoredVector", "TaskEntry", "UploadEntry", "UrlEntry"]


class SegmentStore:
    """A durable journal of embedding tasks and of the vectors that they gave.

    One file (SQLite, mode 0600) or a PostgreSQL database that several machines share. It is opened at first use.
    Several threads and processes may use one store at once, also after a fork; a writer waits up to 30 s for another.
    What a method has written is on the disk when it returns, all or nothing. A store is pickled as its location; a
    server's password goes with it only where the caller passed the location, not where the environment named it.

    Every method that touches the store raises `ConfigurationError`, with advice, when it cannot be used: no right to
    write, not a store, another version, damaged, locked for too long, disk full, server not there. Nothing is ever
    reset.

    Attributes:
        location: Where it lies, for people: path, ":memory:", or URL without password.

    Args:
        location: Path of a SQLite file, made at first use; ":memory:" for a store that ends with its object (threads
            share it, a forked child goes on with a copy); or a SQLAlchemy URL, `sqlite:///path` or
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

    def __init__(self, location: str | os.PathLike[str] | None = None) -> None:
        self._is_given = location is not None
        given = location if location is not None else store_location()
        self._location = parse_location(given if given is not None else default_path())
        self._database = Database(self._location)
        self._journal_name: str | None = None

    @property
    def location(self) -> str:
        """Where it lies, for people: path, ":memory:", or URL without password."""
        return self._location.printable

    @property
    def journal_name(self) -> str:
        """A name that tells this store's journal from all others; uploads carry a digest of it."""
        if self._journal_name is None:
            with self._database.reading() as connection:
                self._journal_name = schema.journal_name(connection)
        if self._journal_name is None:
            if self._database.is_read_only:
                return ""  # nothing will be uploaded
            with self._database.writing() as connection:
                self._journal_name = schema.name_journal(connection)
        return self._journal_name

    # The journal of paid work.

    def find_task(self, key: str) -> TaskEntry | None:
        """Return the journal entry of a task key, or None."""
        with self._database.reading() as connection:
            return journal.find(connection, key)

    def put_intent(
        self,
        key: str,
        *,
        space: str,
        content: str,
        model: str,
        params: Mapping[str, Any],
        source: str,
        account: str,
        replacing: TaskEntry | None = None,
    ) -> bool:
        """Write that a task is about to be created, unless its key has a living entry.

        Of several threads, processes or machines that try at once, exactly one gets True; the others see with
        `find_task` who has it. An ended entry (failed, expired) is replaced, as another attempt.

        Args:
            key: Identity of the work.
            space: Who makes the vectors.
            content: Identity of the medium.
            model: The model's name.
            params: The parameters that change the vectors; plain JSON values.
            source: The caller's name of the medium, without signature.
            account: Fingerprint of the account that pays.
            replacing: An entry under way, as `find_task` returned it, whose owner is gone: it is replaced too, unless
                somebody has written to it since.

        Returns:
            Whether this call wrote the intent.
        """
        values = {
            "key": key,
            "space": space,
            "content": content,
            "model": model,
            "params": dict(params),
            "source": source,
            "account": account,
        }
        with self._database.writing() as connection:
            return journal.put_intent(connection, values, replacing)

    def put_task_id(self, key: str, task_id: str) -> None:
        """Write the server's id of a task: its state is `processing` from now.

        A ready entry stays as it is, and so does one that has another task by now.

        Raises:
            InputError: There is no entry of this key.
        """
        with self._database.writing() as connection:
            journal.put_task_id(connection, key, task_id)

    def adopt_task(self, entry: TaskEntry, task_id: str) -> bool:
        """Write the id of a task that was found at the server for an intent; its state is `processing` from now.

        Args:
            entry: The intent, as `find_task` returned it.
            task_id: The server's id of its task.

        Returns:
            Whether the id was written; False when somebody has written to the entry since, or another entry has it.
        """
        with self._database.writing() as connection:
            return journal.adopt(connection, entry, task_id)

    def claimants(self, entry: TaskEntry, task_ids: Sequence[str]) -> list[TaskEntry]:
        """Return the other entries that have one of some tasks, or may have made it without knowing its id.

        Args:
            entry: The intent whose task is looked for.
            task_ids: Tasks that could be its own; a few.
        """
        with self._database.reading() as connection:
            return journal.claimants(connection, entry, task_ids)

    def put_failure(self, key: str, reason: str, *, task_id: str | None = None, expired: bool = False) -> None:
        """Write that a task has failed, or has expired at the server. A ready entry stays as it is.

        Args:
            key: Identity of the work.
            reason: Why, without secrets.
            task_id: The task that it was; None when none was created. An entry that has another task by now, because
                somebody paid for the work again, stays as it is.
            expired: Whether the server has forgotten the task; the state is then `expired`, else `failed`.

        Raises:
            InputError: There is no entry of this key.
        """
        with self._database.writing() as connection:
            journal.put_failure(connection, key, task_id, state="expired" if expired else "failed", reason=reason)

    def put_result(self, key: str, segments: Segments, *, duration_sec: float) -> None:
        """Write the result of a task, all vectors in one transaction: its state is `ready` from now, for good.

        When the entry is ready already, because another process waited for the same task, the first result stays.

        Args:
            key: Identity of the work.
            segments: The vectors with their times.
            duration_sec: Length of the medium in seconds.

        Raises:
            InputError: There is no entry of this key.
        """
        with self._database.writing() as connection:
            if vectors.put(connection, key, segments):
                known = {"duration_sec": duration_sec, "dimension": segments.dimension, "vector_count": len(segments)}
                journal.change(connection, key, state="ready", error=None, **known)

    def load_result(self, key: str) -> tuple[Segments, float]:
        """Return the vectors of a ready task and the length of its medium in seconds.

        Raises:
            InputError: There is no ready entry of this key.
            ConfigurationError: Vectors are missing or damaged.
        """
        with self._database.reading() as connection:
            return vectors.load(connection, key)

    def delete_task(self, key: str) -> Removed:
        """Delete an entry with its vectors and all segment ids that name them; the next run pays for it again."""
        with self._database.writing() as connection:
            return maintenance.delete_tasks(connection, tasks.c.key == key)

    # Segments by id.

    def add_aliases(self, key: str, rows: Iterable[tuple[str, int]], *, source: str) -> None:
        """Let segment ids name vectors of a ready task.

        Safe to repeat. An id that names a vector already goes on naming that one, whatever is asked here; it is free
        again only when that vector was deleted.

        Args:
            key: Identity of the task.
            rows: Pairs of segment id and row in the task's `Segments`, any number.
            source: The caller's name of the medium, to list and delete by.

        Raises:
            InputError: There is no entry of this key, or it has no such row; nothing is written.
        """
        rows = list(rows)
        if self._database.is_read_only and self.find_vectors([name for name, _ in rows]).keys() >= dict(rows).keys():
            return
        with self._database.writing() as connection:
            vectors.add_aliases(connection, key, rows, source)

    def find_vectors(self, segment_ids: Sequence[str]) -> dict[str, StoredVector]:
        """Return the vectors that segment ids name; ids which name none are absent. Any number of ids.

        Raises:
            ConfigurationError: A vector is damaged.
        """
        with self._database.reading() as connection:
            return vectors.find(connection, segment_ids)

    # Identity of media.

    def find_digest(self, path: str, size: int, mtime_ns: int) -> str | None:
        """Return the SHA-256 of a file, or None unless size and time of change are those it was written with.

        Args:
            path: The file's absolute path.
            size: Its size in bytes.
            mtime_ns: Its time of change in nanoseconds.
        """
        with self._database.reading() as connection:
            return lookups.find_digest(connection, path, size, mtime_ns)

    def put_digest(self, path: str, size: int, mtime_ns: int, sha256: str) -> None:
        """Write the SHA-256 of a file as it was with this size and time of change; not in a read-only store."""
        if self._database.is_read_only:
            return
        with self._database.writing() as connection:
            lookups.put(connection, files, path=path, size=size, mtime_ns=mtime_ns, sha256=sha256)

    def find_url(self, url: str) -> UrlEntry | None:
        """Return what was last known of the medium behind an unsigned URL, or None."""
        with self._database.reading() as connection:
            return lookups.find_url(connection, url)

    def put_url(self, url: str, content: str, validator: str | None) -> None:
        """Write the identity of the medium behind an unsigned URL, and its ETag or Last-Modified.

        Not in a read-only store, where it saves no payment.
        """
        if self._database.is_read_only:
            return
        with self._database.writing() as connection:
            lookups.put(connection, urls, url=url, content=content, validator=validator)

    def find_asset(self, content: str, account: str) -> str | None:
        """Return the id of the asset as which an account has uploaded this content, or None."""
        with self._database.reading() as connection:
            return lookups.find_asset(connection, content, account)

    def put_asset(self, content: str, account: str, asset_id: str) -> None:
        """Write the id of the asset as which an account has uploaded this content, in place of an earlier one.

        If it was uploaded in chunks, that session is forgotten.
        """
        with self._database.writing() as connection:
            lookups.put(connection, assets, content=content, account=account, asset_id=asset_id)
            lookups.drop_upload(connection, asset_id)

    def drop_asset(self, content: str, account: str) -> None:
        """Forget the asset of this content, for instance when the server does not know it any more."""
        with self._database.writing() as connection:
            lookups.drop_asset(connection, content, account)

    def find_upload(self, content: str, account: str) -> UploadEntry | None:
        """Return the session in which an account began to upload this content in chunks, or None."""
        with self._database.reading() as connection:
            return lookups.find_upload(connection, content, account)

    def put_upload(
        self,
        content: str,
        account: str,
        *,
        upload_id: str,
        asset_id: str,
        chunk_size: int,
        upload_headers: Mapping[str, str],
        options: Mapping[str, Any],
    ) -> None:
        """Write that an account has begun to upload this content in chunks, in place of an earlier session.

        Args:
            content: Identity of the bytes.
            account: Fingerprint of the account.
            upload_id: The server's id of the session.
            asset_id: The asset that it will become.
            chunk_size: Bytes of each chunk but the last.
            upload_headers: Headers that each chunk must be sent with.
            options: What the session was created with; plain JSON values.
        """
        values = {"upload_id": upload_id, "asset_id": asset_id, "chunk_size": chunk_size}
        session = {**values, "upload_headers": dict(upload_headers), "options": dict(options)}
        with self._database.writing() as connection:
            lookups.put(connection, uploads, content=content, account=account, **session)

    def drop_upload(self, asset_id: str) -> None:
        """Forget the session in which this asset was uploaded, because it is complete or lost."""
        with self._database.writing() as connection:
            lookups.drop_upload(connection, asset_id)

    def is_under_way(self, content: str, account: str) -> bool:
        """Return whether an account has tasks of this content which, as far as is known, have not ended."""
        with self._database.reading() as connection:
            return journal.is_under_way(connection, content, account)

    # What is said in media.

    def find_transcript(self, content: str, origin: str) -> tuple[Word, ...] | None:
        """Return the words spoken in this content, none where the API has no transcription; None if nobody asked.

        Args:
            content: Identity of the medium.
            origin: Who made the transcription: `twelvelabs` or `sandbox`.
        """
        with self._database.reading() as connection:
            found = lookups.find_transcript(connection, content, origin)
        return None if found is None else tuple(Word(*word) for word in found)

    def put_transcript(self, content: str, origin: str, words: Sequence[Word]) -> None:
        """Write the words spoken in this content, in place of earlier ones."""
        rows = [list(word) for word in words]
        with self._database.writing() as connection:
            lookups.put_transcript(connection, content, origin, rows)

    def find_pending_transcript(self, content: str, origin: str) -> tuple[str, float] | None:
        """Return the asset whose words were waited for in vain, and when, in seconds since the epoch; None if none.

        Args:
            content: Identity of the medium.
            origin: Who makes the transcription: `twelvelabs` or `sandbox`.
        """
        with self._database.reading() as connection:
            return lookups.find_pending_transcript(connection, content, origin)

    def put_pending_transcript(self, content: str, origin: str, asset_id: str) -> None:
        """Write that this content has no words yet, though they were waited for."""
        with self._database.writing() as connection:
            lookups.put_pending_transcript(connection, content, origin, asset_id)

    def drop_transcript(self, content: str) -> None:
        """Forget the words of this content: the next run that wants them asks the API again.

        Args:
            content: Identity of the medium, as `Client.content_of` returns it.
        """
        with self._database.writing() as connection:
            lookups.drop_transcript(connection, content)

    # Housekeeping.

    def info(self) -> StoreInfo:
        """Return what the store holds and how much space it takes."""
        with self._database.reading() as connection:
            return maintenance.info(connection, self.location)

    def sources(self) -> dict[str, int]:
        """Return every source by name with its number of segment ids; 0 where only a task is known."""
        with self._database.reading() as connection:
            return maintenance.sources(connection)

    def delete_source(self, source: str, *, vectors: bool = False) -> Removed:
        """Delete the segment ids of a source; the vectors that were paid for, and its words, stay unless asked.

        Args:
            source: The name, as `sources` lists it. An unknown one deletes nothing.
            vectors: Also delete tasks that this source used or was the first to name, with their vectors and the
                transcript, as far as they have ended (ready, failed, expired) and no other source uses them. Tasks
                under way stay.

        Returns:
            What was deleted.
        """
        with self._database.writing() as connection:
            removed = maintenance.delete_source(connection, source, with_vectors=vectors)
        return self._give_back_space(removed)

    def prune(self, *, older_than: timedelta | float) -> Removed:
        """Delete what was neither written nor given segment ids for some time and which nothing uses.

        That is: entries that failed or expired; ready entries, with their vectors, that no segment id names (results
        which were only ever used directly are such); remembered digests of files and uploads that were begun. Entries
        under way, vectors that a segment id names, and what is known of URLs and assets stay.

        Args:
            older_than: How long ago, as timedelta or in seconds; 0 is everything of the kind.

        Returns:
            What was deleted; digests are not counted.

        Raises:
            InputError: `older_than` is negative.
        """
        seconds = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
        if not seconds >= 0:
            raise InputError(f"older_than must be 0 seconds or more, got {older_than!r}.")
        with self._database.writing() as connection:
            removed = maintenance.prune(connection, time.time() - seconds)
        return self._give_back_space(removed)

    def close(self) -> None:
        """Close what is open. A file or server is opened again by the next use; a store in memory is gone."""
        self._database.close()

    def _give_back_space(self, removed: Removed) -> Removed:
        if removed.vectors:
            # The rows are gone whatever comes of this: where the disk is full or a reader in the way, the file keeps
            # its size and the next vectors use the space.
            with contextlib.suppress(ConfigurationError):
                self._database.vacuum()
        return removed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SegmentStore({self.location!r})"

    def __copy__(self) -> Self:
        return self  # a handle: a second one would be the same store, or, in memory, an empty one

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str | None]]:
        if self._location.is_memory:
            raise ConfigurationError(
                "a segment store in memory cannot go to another process; give SegmentStore the path of a file."
            )
        return type(self), (self._location.portable if self._is_given else None,)
