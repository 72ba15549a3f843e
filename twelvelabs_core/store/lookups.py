"""What is known of media without asking again: digests of files, contents of URLs, assets, uploads begun, words."""

import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from twelvelabs_core.store.entries import UploadEntry, UrlEntry
from twelvelabs_core.store.journal import upsert
from twelvelabs_core.store.schema import assets, files, transcripts, uploads, urls

PENDING = " pending"  # behind the origin of a transcript


def put(connection: Connection, into: Table, **values: Any) -> None:
    """Write one row, in place of the one with the same primary key."""
    values["updated_at"] = time.time()
    keys = [column.name for column in into.primary_key]
    changes = {name: value for name, value in values.items() if name not in keys}
    connection.execute(
        upsert(connection, into).values(**values).on_conflict_do_update(index_elements=keys, set_=changes)
    )


def find_digest(connection: Connection, path: str, size: int, mtime_ns: int) -> str | None:
    """Return the digest of a file, if it is as it was when that was written."""
    query = select(files.c.sha256).where(files.c.path == path, files.c.size == size, files.c.mtime_ns == mtime_ns)
    return connection.scalar(query)


def find_url(connection: Connection, url: str) -> UrlEntry | None:
    """Return what is known of a URL."""
    row = connection.execute(select(urls).where(urls.c.url == url)).one_or_none()
    return None if row is None else UrlEntry(row.url, row.content, row.validator, row.updated_at)


def find_asset(connection: Connection, content: str, account: str) -> str | None:
    """Return the id under which an account has uploaded this content."""
    return connection.scalar(select(assets.c.asset_id).where(assets.c.content == content, assets.c.account == account))


def drop_asset(connection: Connection, content: str, account: str) -> None:
    """Forget an uploaded asset."""
    connection.execute(delete(assets).where(assets.c.content == content, assets.c.account == account))


def find_upload(connection: Connection, content: str, account: str) -> UploadEntry | None:
    """Return the upload session that an account began for this content."""
    query = select(uploads).where(uploads.c.content == content, uploads.c.account == account)
    row = connection.execute(query).one_or_none()
    return None if row is None else UploadEntry(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name


def drop_upload(connection: Connection, asset_id: str) -> None:
    """Forget the upload session of an asset."""
    connection.execute(delete(uploads).where(uploads.c.asset_id == asset_id))


def find_transcript(connection: Connection, content: str, origin: str) -> list[tuple[float, float, str]] | None:
    """Return the words spoken in this content, or None where nobody has asked yet."""
    which = (transcripts.c.content == content) & (transcripts.c.origin == origin)
    row = connection.execute(select(transcripts.c.words).where(which)).one_or_none()
    return None if row is None else [(start, end, word) for start, end, word in row.words]


def put_transcript(connection: Connection, content: str, origin: str, words: list[list[Any]]) -> None:
    """Write the words spoken in this content; it is not pending any more."""
    put(connection, transcripts, content=content, origin=origin, words=words)
    connection.execute(delete(transcripts).where(_is_pending(content, origin)))


def find_pending_transcript(connection: Connection, content: str, origin: str) -> tuple[str, float] | None:
    """Return the asset whose transcription was pending, and when that was."""
    query = select(transcripts.c.words, transcripts.c.updated_at).where(_is_pending(content, origin))
    row = connection.execute(query).one_or_none()
    return None if row is None else (str(row.words[0]), row.updated_at)


def put_pending_transcript(connection: Connection, content: str, origin: str, asset_id: str) -> None:
    """Write that the transcription of this content's asset was waited for and is pending."""
    put(connection, transcripts, content=content, origin=f"{origin}{PENDING}", words=[asset_id])


def _is_pending(content: str, origin: str) -> ColumnElement[bool]:
    return (transcripts.c.content == content) & (transcripts.c.origin == f"{origin}{PENDING}")


def drop_transcript(connection: Connection, content: str) -> None:
    """Forget the words of this content."""
    connection.execute(delete(transcripts).where(transcripts.c.content == content))
