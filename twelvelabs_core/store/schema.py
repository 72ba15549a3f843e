"""The tables of a segment store, their version, and the check that a database has exactly these."""

import json
import time
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from twelvelabs_core.store.failures import ELSEWHERE, KEEP_DAMAGED, unusable

VERSION = 1


class Name(TypeDecorator[str]):
    """Text that may come from a file name: bytes that are no UTF-8 are stored escaped instead of refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's
        """Escape what no database takes as text."""
        return None if value is None else value.encode("utf-8", "backslashreplace").decode("utf-8")


class Json(TypeDecorator[Any]):
    """A plain JSON value as text, the same with every driver."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002  # SQLAlchemy's
        """Write the value."""
        return json.dumps(value, sort_keys=True, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002  # SQLAlchemy's
        """Read the value."""
        return json.loads(value or "null")


metadata = MetaData()


def table(name: str, *parts: Any, **options: Any) -> Table:
    """Define a table; the prefix keeps it apart from others in a shared PostgreSQL database."""
    return Table(f"twelvelabs_{name}", metadata, *parts, **options)


def needed(name: str, kind: Any, **options: Any) -> Column[Any]:
    """Define a column that always has a value."""
    return Column(name, kind, nullable=False, **options)


meta = table("meta", Column("name", Text, primary_key=True), needed("value", Text))

tasks = table(
    "tasks",
    Column("id", Integer, primary_key=True),
    needed("key", Text, unique=True),
    needed("space", Text),
    needed("content", Name),
    needed("model", Text),
    needed("params", Json),
    needed("source", Name, index=True),
    needed("account", Text),
    needed("state", Text),
    Column("task_id", Text),
    Column("error", Name),
    Column("duration_sec", Double),
    Column("dimension", Integer),
    Column("vector_count", Integer),
    needed("attempts", Integer),
    needed("owner", Text),
    needed("revision", Integer),
    needed("created_at", Double),
    needed("updated_at", Double),
    CheckConstraint("state IN ('intent', 'processing', 'ready', 'failed', 'expired')", name="known_state"),
    sqlite_autoincrement=True,  # the number of a deleted task is never given to another
)

vectors = table(
    "vectors",
    Column("task", Integer, ForeignKey(tasks.c.id, ondelete="CASCADE"), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    needed("start_sec", Double),
    needed("end_sec", Double),
    needed("embedding_option", Text),
    needed("embedding_scope", Text),
    Column("page_start", Integer),
    Column("page_end", Integer),
    Column("quadrant", Text),
    Column("chunk_index", Integer),
    needed("vector", LargeBinary),  # float32, little-endian; after it its uncertainty, where that was asked for
    needed("checksum", BigInteger),  # CRC-32 of `vector`: a flipped bit is found, not searched with
)

segments = table(
    "segments",
    Column("segment_id", Text, primary_key=True),
    needed("task", Integer),
    needed("row", Integer),
    needed("source", Name, index=True),
    ForeignKeyConstraint(["task", "row"], [vectors.c.task, vectors.c.row], ondelete="CASCADE"),
    Index("twelvelabs_segments_vector", "task", "row"),
    sqlite_with_rowid=False,
)

files = table(
    "files",
    Column("path", Name, primary_key=True),
    needed("size", BigInteger),
    needed("mtime_ns", BigInteger),
    needed("sha256", Text),
    needed("updated_at", Double),
)

urls = table(
    "urls",
    Column("url", Name, primary_key=True),
    needed("content", Name),
    Column("validator", Name),
    needed("updated_at", Double),
)

assets = table(
    "assets",
    Column("content", Name, primary_key=True),
    Column("account", Text, primary_key=True),
    needed("asset_id", Text),
    needed("updated_at", Double),
)

uploads = table(
    "uploads",
    Column("content", Name, primary_key=True),
    Column("account", Text, primary_key=True),
    needed("upload_id", Text),
    needed("asset_id", Text, index=True),
    needed("chunk_size", BigInteger),
    needed("upload_headers", Json),
    needed("options", Json),
    needed("updated_at", Double),
)

transcripts = table(
    "transcripts",
    Column("content", Name, primary_key=True),
    # Who made it: `twelvelabs` or `sandbox`. A row of `<origin> pending` says that it was not ready when it was last
    # waited for; releases that do not know of this never look at it.
    Column("origin", Text, primary_key=True),
    # [[start, end, word], ...]; none where the API has no transcription; of what is pending, [asset id].
    needed("words", Json),
    needed("updated_at", Double),
)

# Tables that stores written before they were thought of may lack. Nothing else changed with them, so the version is
# the same: older releases go on with a store that has them.
ADDED = (uploads, transcripts)


def create_tables(connection: Connection) -> None:
    """Make the tables of a new store and write their version."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        insert(meta), [{"name": "version", "value": str(VERSION)}, {"name": "created_at", "value": str(time.time())}]
    )


def journal_name(connection: Connection) -> str | None:
    """Return the name that tells this store's journal from all others, or None where it has none yet."""
    return connection.scalar(select(meta.c.value).where(meta.c.name == "journal"))


def name_journal(connection: Connection) -> str:
    """Give this store's journal a name for good, unless somebody else just did; return it."""
    into = postgresql.insert(meta) if connection.dialect.name == "postgresql" else sqlite.insert(meta)
    connection.execute(into.values(name="journal", value=uuid.uuid4().hex).on_conflict_do_nothing())
    return str(journal_name(connection))


def has_tables(connection: Connection) -> bool:
    """Return whether any table of a store is there."""
    return any(name in metadata.tables for name in inspect(connection).get_table_names())


def lacks_tables(connection: Connection) -> bool:
    """Return whether a store is older than one of its tables."""
    return not {table.name for table in ADDED} <= set(inspect(connection).get_table_names())


def add_tables(connection: Connection) -> None:
    """Make the tables that an older store lacks; call it while nobody else writes."""
    metadata.create_all(connection, tables=ADDED)


def check_tables(connection: Connection, place: str) -> None:
    """Make sure that the database is a segment store of this version.

    Args:
        connection: An open connection to it.
        place: The store's location without secrets, for messages.

    Raises:
        ConfigurationError: It is something else, a store of another version, or lacks a table.
    """
    present = set(inspect(connection).get_table_names())
    if meta.name not in present:
        advice = f"Give the path of a store or of a new file, {ELSEWHERE}"
        raise unusable(place, "it is a database, but not a segment store", advice)
    version = connection.scalar(select(meta.c.value).where(meta.c.name == "version"))
    if version != str(VERSION):
        raise unusable(
            place,
            f"it is of version {version}, this package reads version {VERSION}",
            f"Use the twelvelabs-rag release that wrote it. {KEEP_DAMAGED}",
        )
    if missing := set(metadata.tables) - present - {table.name for table in ADDED}:
        raise unusable(place, f"its tables {', '.join(sorted(missing))} are missing", KEEP_DAMAGED)
