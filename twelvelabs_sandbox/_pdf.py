"""Reads the words of a PDF file, page by page and quarter by quarter. What a page looks like is not drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError

from twelvelabs_sandbox._media_values import MediaError

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
