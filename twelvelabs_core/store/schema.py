"""The tables of a segment store, their version, and the steps that upgrade an older store."""

import json
import time
import uuid
from collections.abc import Sequence
from functools import partial
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
    TextClause,
    bindparam,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from twelvelabs_core.store.location import ELSEWHERE, KEEP_DAMAGED, NOT_A_STORE, unusable


class Name(TypeDecorator[str]):
    """Text of any origin: NUL, and bytes of a file name that are not UTF-8, are stored escaped instead of refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002, D102  # SQLAlchemy's
        if value is None:
            return None
        return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")  # for PostgreSQL


class Json(TypeDecorator[Any]):
    """A plain JSON value as text, the same with every driver."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002, D102  # SQLAlchemy's
        return json.dumps(value, sort_keys=True, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002, D102  # SQLAlchemy's
        return json.loads(value or "null")


metadata = MetaData()
needed = partial(Column, nullable=False)


def table(name: str, *parts: Any, **options: Any) -> Table:
    """Define a table; the prefix distinguishes it from others in a shared PostgreSQL database."""
    return Table(f"twelvelabs_{name}", metadata, *parts, **options)


# Names and values: `version`; `created_at`; `journal`, a name that only this store has; `process <owner>`, when that
# process was last at work (see `owners`).
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
    Index("twelvelabs_tasks_content", "content", "space"),
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
    needed("vector", LargeBinary),  # float32, little-endian; followed by its uncertainty, where that was requested
    needed("checksum", BigInteger),  # CRC-32 of `vector`, so that a damaged vector is not searched with
)

# Segment id -> the vector that it names.
aliases = table(
    "aliases",
    Column("segment_id", Text, primary_key=True),
    needed("task", Integer),
    needed("row", Integer),
    needed("source", Name, index=True),
    ForeignKeyConstraint(["task", "row"], [vectors.c.task, vectors.c.row], ondelete="CASCADE"),
    Index("twelvelabs_aliases_vector", "task", "row"),
    sqlite_with_rowid=False,
)

# The titles under which a source was registered, as in head lines: a reference is believed only beside one of them.
titles = table(
    "titles",
    Column("source", Name, primary_key=True),
    Column("title", Name, primary_key=True, index=True),
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
    Column("origin", Text, primary_key=True),  # who made it: `twelvelabs` or `sandbox`
    needed("words", Json),  # [[start, end, word], ...]; empty where the API has no transcription
    needed("updated_at", Double),
)

# Transcriptions that were not ready when they were last waited for.
pending_transcripts = table(
    "pending_transcripts",
    Column("content", Name, primary_key=True),
    Column("origin", Text, primary_key=True),
    needed("asset_id", Text),
    needed("updated_at", Double),
)


# Every task whose create request was about to be sent; kept when the entry of its key is written again or deleted.
payments = table(
    "payments",
    Column("id", Integer, primary_key=True),
    needed("key", Text, index=True),
    needed("source", Name),
    needed("model", Text),
    needed("space", Text),
    Column("minutes", Double),  # of media that it embeds; NULL while they are not known
    needed("created_at", Double, index=True),
)

# What the processes of an account know of its rate limits; times by the clock of the database (see `pace`).
paces = table(
    "paces",
    Column("account", Text, primary_key=True),  # and the host of the API
    Column("category", Text, primary_key=True),
    needed("paused_until", Double),
    needed("refused_at", Double),
    needed("successes", BigInteger),
    Column("concurrency", Double),  # most concurrent requests of all processes; NULL for no limit
)

# How many concurrent requests a process of an account may send, until when.
leases = table(
    "leases",
    Column("account", Text, primary_key=True),
    Column("category", Text, primary_key=True),  # "" for all together; `max_concurrent_requests` for that setting
    Column("owner", Text, primary_key=True),
    needed("permits", Integer),
    needed("expires_at", Double),
)

Insert = sqlite.Insert | postgresql.Insert


def upsert(dialect: str, into: Table) -> Insert:
    """Begin an `INSERT ... ON CONFLICT`, which SQLAlchemy has per dialect."""
    return postgresql.insert(into) if dialect == "postgresql" else sqlite.insert(into)


def compiled(statement: Insert, columns: Sequence[str]) -> TextClause:
    """Return the text of an `INSERT ... ON CONFLICT` that writes these columns.

    SQLAlchemy compiles such a statement anew for each execution, in 0.5 ms; its text is compiled once.
    """
    dialect = postgresql.dialect if isinstance(statement, postgresql.Insert) else sqlite.dialect
    sql = statement.compile(dialect=dialect(paramstyle="named"), column_keys=list(columns))
    parameters = [
        bindparam(name, type_=one.type) if one.required else bindparam(name, one.value, one.type)
        for one, name in sql.bind_names.items()
    ]
    return text(str(sql)).bindparams(*parameters)


# Upgrades. A step is written in the SQL of its time and never changes: the tables above are those of the last version.

# 1 -> 2: two tables that early stores lack, the table of aliases under that name, pending transcripts in their own
# table instead of as transcripts of the origin '<origin> pending'. The SQL is the same for SQLite and PostgreSQL.
FROM_1_TO_2 = """
CREATE TABLE IF NOT EXISTS twelvelabs_uploads (
    content TEXT NOT NULL, account TEXT NOT NULL, upload_id TEXT NOT NULL, asset_id TEXT NOT NULL,
    chunk_size BIGINT NOT NULL, upload_headers TEXT NOT NULL, options TEXT NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (content, account)
);
CREATE INDEX IF NOT EXISTS ix_twelvelabs_uploads_asset_id ON twelvelabs_uploads (asset_id);
CREATE TABLE IF NOT EXISTS twelvelabs_transcripts (
    content TEXT NOT NULL, origin TEXT NOT NULL, words TEXT NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (content, origin)
);
CREATE TABLE twelvelabs_pending_transcripts (
    content TEXT NOT NULL, origin TEXT NOT NULL, asset_id TEXT NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (content, origin)
);
INSERT INTO twelvelabs_pending_transcripts
    SELECT content, replace(origin, ' pending', ''), trim(words, '["]'), updated_at FROM twelvelabs_transcripts
    WHERE origin IN ('twelvelabs pending', 'sandbox pending');
DELETE FROM twelvelabs_transcripts WHERE origin IN ('twelvelabs pending', 'sandbox pending');
DROP INDEX twelvelabs_segments_vector;
DROP INDEX ix_twelvelabs_segments_source;
ALTER TABLE twelvelabs_segments RENAME TO twelvelabs_aliases;
CREATE INDEX twelvelabs_aliases_vector ON twelvelabs_aliases (task, "row");
CREATE INDEX ix_twelvelabs_aliases_source ON twelvelabs_aliases (source)
"""


def upgrade_from_1(connection: Connection) -> None:
    """Upgrade a store of version 1 to version 2, and give it a journal name where it has none."""
    for statement in FROM_1_TO_2.split(";"):
        connection.exec_driver_sql(statement)
    name = text("INSERT INTO twelvelabs_meta (name, value) VALUES ('journal', :name) ON CONFLICT DO NOTHING")
    connection.execute(name, {"name": uuid.uuid4().hex})


FROM_2_TO_3 = """
CREATE TABLE twelvelabs_titles (source TEXT NOT NULL, title TEXT NOT NULL, PRIMARY KEY (source, title));
CREATE INDEX ix_twelvelabs_titles_title ON twelvelabs_titles (title)
"""


def upgrade_from_2(connection: Connection) -> None:
    """Upgrade a store of version 2 to version 3: a table of titles, empty for the sources that it has."""
    for statement in FROM_2_TO_3.split(";"):
        connection.exec_driver_sql(statement)


FROM_3_TO_4 = """
CREATE INDEX twelvelabs_tasks_content ON twelvelabs_tasks (content, space);
CREATE TABLE twelvelabs_payments (
    id {serial} PRIMARY KEY, key TEXT NOT NULL, source TEXT NOT NULL, model TEXT NOT NULL, space TEXT NOT NULL,
    minutes DOUBLE PRECISION, created_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX ix_twelvelabs_payments_key ON twelvelabs_payments (key);
CREATE INDEX ix_twelvelabs_payments_created_at ON twelvelabs_payments (created_at)
"""


def upgrade_from_3(connection: Connection) -> None:
    """Upgrade a store of version 3 to version 4: an index by content, and a payment for each task that was created."""
    serial = "SERIAL" if connection.dialect.name == "postgresql" else "INTEGER NOT NULL"
    for statement in FROM_3_TO_4.format(serial=serial).split(";"):
        connection.exec_driver_sql(statement)
    created = text(
        "SELECT key, source, model, space, params, duration_sec, created_at FROM twelvelabs_tasks "
        "WHERE task_id IS NOT NULL ORDER BY id"
    )
    rows = [dict(row._mapping) for row in connection.execute(created)]  # noqa: SLF001  # SQLAlchemy's public name
    for row in rows:
        row["minutes"] = _minutes_in_version_3(json.loads(row.pop("params")), row.pop("duration_sec"))
    if rows:
        names = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        connection.execute(text(f"INSERT INTO twelvelabs_payments ({names}) VALUES ({values})"), rows)  # noqa: S608  # names of columns


def _minutes_in_version_3(params: dict[str, Any], duration_sec: float | None) -> float | None:
    if params.get("input_type") in ("document", "image"):
        return 0.0
    if duration_sec is None:
        return None
    end = params.get("end_sec")
    seconds = (duration_sec if end is None else min(end, duration_sec)) - (params.get("start_sec") or 0.0)
    return max(0.0, seconds) / 60


FROM_4_TO_5 = """
CREATE TABLE twelvelabs_paces (
    account TEXT NOT NULL, category TEXT NOT NULL, paused_until DOUBLE PRECISION NOT NULL,
    refused_at DOUBLE PRECISION NOT NULL, successes BIGINT NOT NULL, concurrency DOUBLE PRECISION,
    PRIMARY KEY (account, category)
);
CREATE TABLE twelvelabs_leases (
    account TEXT NOT NULL, category TEXT NOT NULL, owner TEXT NOT NULL, permits INTEGER NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (account, category, owner)
)
"""


def upgrade_from_4(connection: Connection) -> None:
    """Upgrade a store of version 4 to version 5: two tables for the pace that the processes of an account share."""
    for statement in FROM_4_TO_5.split(";"):
        connection.exec_driver_sql(statement)


UPGRADES = (
    upgrade_from_1,
    upgrade_from_2,
    upgrade_from_3,
    upgrade_from_4,
)  # the first is for version 1, the next for version 2, ...
SCHEMA_VERSION = len(UPGRADES) + 1


def create_tables(connection: Connection) -> None:
    """Create the tables of a new store, and write its version and the name of its journal."""
    metadata.create_all(connection, checkfirst=False)
    values = {"version": str(SCHEMA_VERSION), "created_at": str(time.time()), "journal": uuid.uuid4().hex}
    connection.execute(insert(meta), [{"name": name, "value": value} for name, value in values.items()])


def has_tables(connection: Connection) -> bool:
    """Return whether any table of a store exists."""
    return any(name in metadata.tables for name in inspect(connection).get_table_names())


def is_current(connection: Connection, place: str) -> bool:
    """Return whether a database is a segment store of this version; False where it must be upgraded first.

    Raises:
        ConfigurationError: It is another database, a store of a newer version, or lacks a table.
    """
    present = set(inspect(connection).get_table_names())
    if meta.name not in present:
        raise unusable(place, "it is a database, but not a segment store", NOT_A_STORE)
    if read_version(connection, place) < SCHEMA_VERSION:
        return False
    if missing := set(metadata.tables) - present:
        raise unusable(place, f"its tables {', '.join(sorted(missing))} are missing", KEEP_DAMAGED)
    return True


def read_version(connection: Connection, place: str) -> int:
    """Return the version of a store's tables, 1 to `SCHEMA_VERSION`; ConfigurationError for any other."""
    version = str(connection.scalar(select(meta.c.value).where(meta.c.name == "version")))
    if not version.isdecimal() or version == "0":
        raise unusable(place, f"its version is {version!r}, which no release writes", KEEP_DAMAGED)
    if int(version) > SCHEMA_VERSION:
        raise unusable(
            place,
            f"it has version {version}, written by a newer release; this release reads versions up to {SCHEMA_VERSION}",
            f"Upgrade twelvelabs-rag, {ELSEWHERE}",
        )
    return int(version)


def upgrade(connection: Connection, place: str) -> None:
    """Upgrade a store to this version: all steps or none, in the transaction of this connection, which writes."""
    for step in UPGRADES[read_version(connection, place) - 1 :]:
        step(connection)
    connection.execute(update(meta).where(meta.c.name == "version").values(value=str(SCHEMA_VERSION)))
    is_current(connection, place)  # raises where a table is missing
