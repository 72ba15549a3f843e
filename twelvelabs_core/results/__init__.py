"""Typed answers of the API and what becomes of them: vectors, segments, records, references and transcripts.

Here belong parsing and the values that users keep. Requests and retries do not; see `transport` and `api`.
"""
