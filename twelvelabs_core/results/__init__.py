"""Typed responses of the API, and the vectors, segments, records, references and transcripts made from them.

It contains parsing and the values that users keep. Requests and retries are in `transport` and `api`.
"""
