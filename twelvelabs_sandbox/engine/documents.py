"""Reads documents: the text of PDF pages and page quadrants, the sentences and tokens of text files.

PDF pages are not rendered. The vendor's tokenizer is not public; here a token is a word or a punctuation mark.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from twelvelabs_sandbox.engine.types import MediaError

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

Quadrant = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
QUADRANTS: tuple[Quadrant, ...] = ("top_left", "top_right", "bottom_left", "bottom_right")
# Exceptions that pypdf raises on broken files besides its own errors.
BROKEN = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
# A sentence ends at a punctuation mark followed by white space, or at an empty line.
END = re.compile(r"(?<=[.!?\u2026])[\"'\u2019\u201d)\]]*\s+|(?<=[\u3002\uff01\uff1f])|\n\s*\n")
# In Markdown, headings, list items and table rows are sentences.
OWN_LINE = re.compile(r"\s*(#{1,6}\s|[-*+]\s|\d+[.)]\s|\||>)")
# The number of a list item belongs to the following text.
NUMBER = re.compile(r"\d+[.)]")
# Characters per read, and the maximum length of a sentence.
READ_CHARACTERS = 65_536
TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class PdfPage:
    """The text of one page, numbered from 1, and of its quadrants; the start of a run of text decides its quadrant."""

    number: int
    text: str
    quadrants: dict[Quadrant, str]


def page_count(path: Path) -> int:
    """Return the number of pages of a PDF.

    Raises:
        MediaError: The file cannot be read.
    """
    with _open_pdf(path) as reader:
        return len(reader.pages)


def pdf_pages(path: Path) -> Iterator[PdfPage]:
    """Yield the pages of a PDF in order.

    Raises:
        MediaError: The file cannot be read.
    """
    with _open_pdf(path) as reader:
        for number, page in enumerate(reader.pages, 1):
            yield _page(number, page)


def _page(number: int, page: "PageObject") -> PdfPage:
    box = page.mediabox
    middle_x, middle_y = (float(box.left) + float(box.right)) / 2, (float(box.bottom) + float(box.top)) / 2
    runs: dict[Quadrant, list[str]] = {quadrant: [] for quadrant in QUADRANTS}

    def visit(text: str, transform: list[float], matrix: list[float], *_: Any) -> None:
        if text.strip():
            x, y = _transformed(matrix[4], matrix[5], transform)
            runs[QUADRANTS[2 * (y < middle_y) + (x >= middle_x)]].append(text)

    text = page.extract_text(visitor_text=visit)
    return PdfPage(number, " ".join(text.split()), {key: " ".join(" ".join(run).split()) for key, run in runs.items()})


def _transformed(x: float, y: float, matrix: list[float]) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


@contextmanager
def _open_pdf(path: Path) -> Iterator["PdfReader"]:
    # Importing pypdf takes 0.2 s, and most sandboxes read no PDF.
    from pypdf import PdfReader  # noqa: PLC0415
    from pypdf.errors import DependencyError, PyPdfError  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            reader = PdfReader(file, strict=False)
            is_locked = reader.is_encrypted and not reader.decrypt("")
            if not is_locked:
                yield reader
    except (*BROKEN, PyPdfError, DependencyError) as error:
        raise MediaError("parameter_invalid", f"The file cannot be read as PDF: {type(error).__name__}.") from error
    if is_locked:
        raise MediaError("parameter_invalid", "The PDF file is encrypted.")


def sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a text file in order, with white space normalized.

    Raises:
        MediaError: The file is not UTF-8, or a sentence has more than 65,536 characters.
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
    """Yield chunks of at most ``max_sentences``; each repeats the last ``overlap`` sentences of the previous chunk."""
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
    """Yield a file line by line, with an empty line before and after each Markdown block."""
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


def count_tokens(text: str) -> int:
    """Return the number of words and punctuation marks in a text."""
    return sum(1 for _ in TOKEN.finditer(text))


def first_tokens(text: str, limit: int) -> str:
    """Return a text up to the end of its ``limit``-th token, or the whole text if it has fewer."""
    beyond = next(islice(TOKEN.finditer(text), limit, None), None)
    return text if beyond is None else text[: beyond.start()].rstrip()
