"""Reads the words of a PDF file, page by page and quarter by quarter. What a page looks like is not drawn."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError

from twelvelabs_sandbox.engine.types import MediaError

Quadrant = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
QUADRANTS: tuple[Quadrant, ...] = ("top_left", "top_right", "bottom_left", "bottom_right")
# What broken files make the reader raise beside its own errors.
BROKEN = (
    PyPdfError,
    DependencyError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class PdfPage:
    """The words of one page, counted from 1, and those of its quarters, by where each run of text begins."""

    number: int
    text: str
    quadrants: dict[Quadrant, str]


def page_count(path: Path) -> int:
    """Return how many pages a PDF has; MediaError where it cannot be read."""
    with _opened(path) as reader:
        return len(reader.pages)


def pdf_pages(path: Path) -> Iterator[PdfPage]:
    """Yield the pages of a PDF in order; MediaError where it cannot be read."""
    with _opened(path) as reader:
        for number, page in enumerate(reader.pages, 1):
            yield _page(number, page)


def _page(number: int, page: PageObject) -> PdfPage:
    box = page.mediabox
    middle_x, middle_y = (float(box.left) + float(box.right)) / 2, (float(box.bottom) + float(box.top)) / 2
    runs: dict[Quadrant, list[str]] = {quadrant: [] for quadrant in QUADRANTS}

    def visit(text: str, place: list[float], matrix: list[float], *_: Any) -> None:
        if text.strip():
            x, y = _moved(matrix[4], matrix[5], place)
            runs[QUADRANTS[2 * (y < middle_y) + (x >= middle_x)]].append(text)

    text = page.extract_text(visitor_text=visit)
    return PdfPage(number, " ".join(text.split()), {key: " ".join(" ".join(run).split()) for key, run in runs.items()})


def _moved(x: float, y: float, matrix: list[float]) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


@contextmanager
def _opened(path: Path) -> Iterator[PdfReader]:
    try:
        with path.open("rb") as file:
            reader = PdfReader(file, strict=False)
            is_locked = reader.is_encrypted and not reader.decrypt("")
            if not is_locked:
                yield reader
    except BROKEN as error:
        raise MediaError("parameter_invalid", f"The file cannot be read as PDF: {type(error).__name__}.") from error
    if is_locked:
        raise MediaError("parameter_invalid", "The PDF file is encrypted.")


# A sentence ends at a sign and the space behind it, or at an empty line.
END = re.compile(r"(?<=[.!?\u2026])[\"'\u2019\u201d)\]]*\s+|(?<=[\u3002\uff01\uff1f])|\n\s*\n")
# In Markdown headings, items of lists and rows of tables stand for themselves.
OWN_LINE = re.compile(r"\s*(#{1,6}\s|[-*+]\s|\d+[.)]\s|\||>)")
# The number of an item in a list belongs to what follows.
NUMBER = re.compile(r"\d+[.)]")
# Characters to read at once; a sentence that is longer is none.
READ_CHARACTERS = 65_536


def sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a file in order, each on one line.

    Raises:
        MediaError: The file is not UTF-8, or has no sentence that ends within 65,536 characters.
    """
    rest = number = ""
    for block in _blocks(path):
        *whole, rest = END.split(rest + block)
        if len(rest) > READ_CHARACTERS:
            raise MediaError("parameter_invalid", f"The text has a sentence of more than {READ_CHARACTERS} characters.")
        for text in filter(None, map(_one_line, whole)):
            if NUMBER.fullmatch(text):
                number = f"{text} "
            else:
                yield number + text
                number = ""
    if last := _one_line(number + rest):
        yield last


def sentence_chunks(path: Path, max_sentences: int, overlap: int) -> Iterator[str]:
    """Yield the sentences of a file in groups of at most ``most``, each beginning with the last ``overlap`` before."""
    group: list[str] = []
    fresh = 0
    for sentence in sentences(path):
        if len(group) == max_sentences:
            yield " ".join(group)
            group, fresh = group[max_sentences - overlap :], 0
        group.append(sentence)
        fresh += 1
    if fresh:
        yield " ".join(group)


def _blocks(path: Path) -> Iterator[str]:
    """Yield a file line by line, with an empty line around what stands for itself."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            at_begin = True
            while line := file.readline(READ_CHARACTERS):
                yield f"\n\n{line}\n\n" if at_begin and OWN_LINE.match(line) else line
                at_begin = line.endswith("\n")
    except UnicodeDecodeError as error:
        raise MediaError("parameter_invalid", "The text is not valid UTF-8.") from error


def _one_line(text: str) -> str:
    return " ".join(text.split())


TOKEN = re.compile(r"\w+|[^\w\s]")


def count_tokens(text: str) -> int:
    """Return how many words and signs a text has."""
    return sum(1 for _ in TOKEN.finditer(text))


def first_tokens(text: str, limit: int) -> str:
    """Return a text up to the end of its ``limit``-th token; the whole text where it has no more."""
    beyond = next(islice(TOKEN.finditer(text), limit, None), None)
    return text if beyond is None else text[: beyond.start()].rstrip()
