"""Reads a plain text or Markdown file sentence by sentence, never much of it at once."""

import re
from collections.abc import Iterator
from pathlib import Path

from twelvelabs_sandbox._media_values import MediaError

# A sentence ends at a sign and the space behind it, or at an empty line.
END = re.compile(r"(?<=[.!?\u2026])[\"'\u2019\u201d)\]]*\s+|(?<=[\u3002\uff01\uff1f])|\n\s*\n")
# In Markdown headings, items of lists and rows of tables stand for themselves.
OWN_LINE = re.compile(r"\s*(#{1,6}\s|[-*+]\s|\d+[.)]\s|\||>)")
# The number of an item in a list belongs to what follows.
NUMBER = re.compile(r"\d+[.)]")
# Characters to read at once; a sentence that is longer is none.
PIECE = 65_536


def sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a file in order, each on one line.

    Raises:
        MediaError: The file is not UTF-8, or has no sentence that ends within 65,536 characters.
    """
    rest = number = ""
    for piece in _pieces(path):
        *whole, rest = END.split(rest + piece)
        if len(rest) > PIECE:
            raise MediaError("parameter_invalid", f"The text has a sentence of more than {PIECE} characters.")
        for text in filter(None, map(_one_line, whole)):
            if NUMBER.fullmatch(text):
                number = f"{text} "
            else:
                yield number + text
                number = ""
    if last := _one_line(number + rest):
        yield last


def chunks(path: Path, most: int, overlap: int) -> Iterator[str]:
    """Yield the sentences of a file in groups of at most ``most``, each beginning with the last ``overlap`` before."""
    group: list[str] = []
    fresh = 0
    for sentence in sentences(path):
        if len(group) == most:
            yield " ".join(group)
            group, fresh = group[most - overlap :], 0
        group.append(sentence)
        fresh += 1
    if fresh:
        yield " ".join(group)


def _pieces(path: Path) -> Iterator[str]:
    """Yield a file line by line, with an empty line around what stands for itself."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            at_begin = True
            while line := file.readline(PIECE):
                yield f"\n\n{line}\n\n" if at_begin and OWN_LINE.match(line) else line
                at_begin = line.endswith("\n")
    except UnicodeDecodeError as error:
        raise MediaError("parameter_invalid", "The text is not valid UTF-8.") from error


def _one_line(text: str) -> str:
    return " ".join(text.split())
