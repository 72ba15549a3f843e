"""The HTTP library logs every address that it asks. A presigned one is a password: ours are logged unsigned."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

from twelvelabs_core._urls import redact

_is_ours: ContextVar[bool] = ContextVar("twelvelabs_exchange", default=False)


@contextmanager
def unsigned_in_logs() -> Iterator[None]:
    """Leave the signatures of URLs out of what the HTTP library logs meanwhile, for us and nobody else."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def _without_signatures(record: logging.LogRecord) -> bool:
    if _is_ours.get():
        record.msg = redact(str(record.msg))  # of an answer's headers: a redirect has its address there
        if isinstance(record.args, tuple):
            record.args = tuple(redact(str(value)) if isinstance(value, httpx.URL) else value for value in record.args)
    return True


for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"):
    logging.getLogger(_name).addFilter(_without_signatures)
