"""What is known of media without another request: file digests, URL contents, assets, unfinished uploads, words."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, Table, and_, bindparam, delete, select

from twelvelabs_core.results.transcript import Word
from twelvelabs_core.store.database import Database
from twelvelabs_core.store.entries import KnownUrl, UploadEntry
from twelvelabs_core.store.schema import (
    assets,
    compiled,
    files,
    pending_transcripts,
    transcripts,
    uploads,
    upsert,
    urls,
)


class Lookups:
    """The methods of a `SegmentStore` for what is known of media.

    `content` is the identity of the media, `account` the fingerprint of the account that uploaded it, `origin` who made
    a transcription: `twelvelabs` or `sandbox`.
    """

    _database: Database

    def find_digest(self, path: str, size: int, mtime_ns: int) -> str | None:
        """Return the SHA-256 of a file, or None unless its bytes and time of change are those it was written with."""
        row = self._find(files, path=path, size=size, mtime_ns=mtime_ns)
        return None if row is None else row.sha256

    def put_digest(self, path: str, size: int, mtime_ns: int, sha256: str) -> None:
        """Write the SHA-256 of a file as it was with this size and time of change; not in a read-only store."""
        if not self._database.is_read_only:
            self._put(files, path=path, size=size, mtime_ns=mtime_ns, sha256=sha256)

    def find_url(self, url: str) -> KnownUrl | None:
        """Return the content behind an unsigned URL and its ETag or Last-Modified, as last known; or None."""
        with self._database.reading() as connection:
            return find_known_url(connection, url)

    def put_url(self, url: str, content: str, validator: str | None) -> None:
        """Write the content behind an unsigned URL; not in a read-only store, where it saves no payment."""
        if not self._database.is_read_only:
            self._put(urls, url=url, content=content, validator=validator)

    def find_asset(self, content: str, account: str) -> str | None:
        """Return the id of the asset as which an account has uploaded this content, or None."""
        row = self._find(assets, content=content, account=account)
        return None if row is None else row.asset_id

    def put_asset(self, content: str, account: str, asset_id: str) -> None:
        """Write the id of the asset as which an account has uploaded this content; its upload session is deleted."""
        with self._database.writing() as connection:
            put_row(connection, assets, content=content, account=account, asset_id=asset_id)
            delete_rows(connection, uploads, asset_id=asset_id)

    def drop_asset(self, content: str, account: str) -> None:
        """Delete the asset id of this content."""
        with self._database.writing() as connection:
            delete_rows(connection, assets, content=content, account=account)

    def find_upload(self, content: str, account: str) -> UploadEntry | None:
        """Return the session in which an account began to upload this content in chunks, or None."""
        row = self._find(uploads, content=content, account=account)
        return None if row is None else UploadEntry(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name

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
        """Write that an account has begun to upload this content in chunks; the arguments are as in `UploadEntry`."""
        ids = {"content": content, "account": account, "upload_id": upload_id, "asset_id": asset_id}
        session = {"chunk_size": chunk_size, "upload_headers": dict(upload_headers), "options": dict(options)}
        self._put(uploads, **ids, **session)

    def drop_upload(self, asset_id: str) -> None:
        """Delete the session in which this asset was uploaded, because it is complete or lost."""
        with self._database.writing() as connection:
            delete_rows(connection, uploads, asset_id=asset_id)

    def find_transcript(self, content: str, origin: str) -> tuple[Word, ...] | None:
        """Return the words spoken in this content: none where the API has none, None where none were requested."""
        row = self._find(transcripts, content=content, origin=origin)
        return None if row is None else tuple(Word(*word) for word in row.words)

    def put_transcript(self, content: str, origin: str, words: Sequence[Word]) -> None:
        """Write the words spoken in this content, in place of earlier ones; they are not pending any more."""
        with self._database.writing() as connection:
            put_row(connection, transcripts, content=content, origin=origin, words=[list(word) for word in words])
            delete_rows(connection, pending_transcripts, content=content, origin=origin)

    def find_pending_transcript(self, content: str, origin: str) -> tuple[str, float] | None:
        """Return the asset whose words were not ready when last waited for, and when, in seconds since the epoch."""
        row = self._find(pending_transcripts, content=content, origin=origin)
        return None if row is None else (row.asset_id, row.updated_at)

    def put_pending_transcript(self, content: str, origin: str, asset_id: str) -> None:
        """Write that this content has no words yet, although they were waited for."""
        self._put(pending_transcripts, content=content, origin=origin, asset_id=asset_id)

    def drop_transcript(self, content: str) -> None:
        """Delete the words of this content: the next run that wants them requests them again.

        Args:
            content: Identity of the media, as `Client.content_of` returns it.
        """
        with self._database.writing() as connection:
            delete_rows(connection, transcripts, content=content)
            delete_rows(connection, pending_transcripts, content=content)

    def _find(self, table: Table, **values: Any) -> Row[Any] | None:
        with self._database.reading() as connection:
            return connection.execute(_select(table, *values), values).one_or_none()

    def _put(self, into: Table, **values: Any) -> None:
        with self._database.writing() as connection:
            put_row(connection, into, **values)


@cache
def _select(table: Table, *names: str) -> Select[Any]:
    return select(table).where(*(table.c[name] == bindparam(name) for name in names))


def find_known_url(connection: Connection, url: str) -> KnownUrl | None:
    """Return what is known of an unsigned URL, or None."""
    row = connection.execute(_select(urls, "url"), {"url": url}).one_or_none()
    return None if row is None else KnownUrl(row.content, row.validator)


def put_row(connection: Connection, into: Table, **values: Any) -> None:
    """Write one row and its time, in place of the one with the same primary key."""
    values["updated_at"] = time.time()
    connection.execute(_put(connection.dialect.name, into), values)


@cache
def _put(dialect: str, into: Table) -> Executable:
    statement = upsert(dialect, into)
    changes = {column.name: statement.excluded[column.name] for column in into.c if not column.primary_key}
    return compiled(statement.on_conflict_do_update(index_elements=list(into.primary_key), set_=changes), into.c.keys())


def delete_rows(connection: Connection, table: Table, **values: Any) -> None:
    """Delete the rows that have these values."""
    connection.execute(delete(table).where(and_(*(table.c[name] == value for name, value in values.items()))))
