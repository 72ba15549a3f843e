"""The segment store: a durable journal of paid tasks and their vectors, on SQLite or PostgreSQL.

Here belongs all SQL. The order in which the journal is written is decided in `ingest`.
"""
