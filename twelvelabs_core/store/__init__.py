"""The segment store: a durable journal of paid tasks and their vectors, on SQLite or PostgreSQL.

All SQL of the project is in this package. The order in which the journal is written is decided in `ingest`.
"""
