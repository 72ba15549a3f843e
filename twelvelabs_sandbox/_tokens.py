"""Counts tokens in a simple way: words and signs. The vendor's own tokenizer is not public and will count otherwise."""

import re
from itertools import islice

TOKEN = re.compile(r"\w+|[^\w\s]")


def count_tokens(text: str) -> int:
    """Return how many words and signs a text has."""
    return sum(1 for _ in TOKEN.finditer(text))


def first_tokens(text: str, limit: int) -> str:
    """Return a text up to the end of its ``limit``-th token; the whole text where it has no more."""
    beyond = next(islice(TOKEN.finditer(text), limit, None), None)
    return text if beyond is None else text[: beyond.start()].rstrip()
