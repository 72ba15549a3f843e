"""Embeds PDF, plain-text and Markdown files as marengo3.5 does, and validates what a request asks of each type."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from twelvelabs_sandbox.embedding.marengo35_media import marengo35_row, mean
from twelvelabs_sandbox.embedding.types import Row, Usage, document_labels
from twelvelabs_sandbox.engine.documents import (
    QUADRANTS,
    count_tokens,
    first_tokens,
    page_count,
    pdf_pages,
    sentence_chunks,
    sentences,
)
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import FloatVector, MediaError, MediaInfo
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.limits import TASK_PAGES_PER_MB, page_count_message
from twelvelabs_sandbox.requests.types import DocumentRequest

PDF = "application/pdf"
# Maximum number of tokens of one vector.
CONTEXT_WINDOW_TOKENS = 2000
CONTEXT_WINDOW_EXCEEDED = "Content exceeds the model's context window."
PAGE_TOKENS = 256
# Words for the appearance of every page: pages are not rendered, so nothing more is known.
PAGE_APPEARANCE, PAGE_WEIGHT = "plain white still", 0.5
ALLOWED_PAIRS = {
    True: {("visual", "local"), ("visual", "asset"), ("text", "asset")},
    False: {("text", "asset"), ("text", "local")},
}
DEFAULTS = {True: (("visual",), ("local",)), False: (("text",), ("asset",))}


class TaskFailure(Exception):  # noqa: N818 - the end of a task, not an error of the program
    """Why a task failed, in the vendor's wording."""


def with_defaults(request: DocumentRequest, info: MediaInfo) -> DocumentRequest:
    """Return a request with its defaults filled in.

    Raises:
        ApiError: 400 for an option or scope that this type of document does not support.
    """
    is_pdf, name = info.mime_type == PDF, "a PDF file" if info.mime_type == PDF else "a text file"
    options, scopes = request.options or DEFAULTS[is_pdf][0], request.scopes or DEFAULTS[is_pdf][1]
    for option in options:
        for scope in scopes:
            if (option, scope) not in ALLOWED_PAIRS[is_pdf]:
                raise invalid(
                    f"The embedding_option `{option}` with embedding_scope `{scope}` is not supported for {name}."
                )
    if request.spatial and (not is_pdf or ("visual", "local") not in _pairs(options, scopes)):
        raise invalid("The document.segmentation.spatial parameter needs a PDF file, option `visual`, scope `local`.")
    has_chunks = not is_pdf and "local" in scopes
    if request.sequential and not has_chunks:
        raise invalid("The document.segmentation.sequential parameter needs a text file, option `text`, scope `local`.")
    if has_chunks and not request.sequential:
        raise invalid("The embedding_scope `local` of a text file needs document.segmentation.sequential.")
    if request.vector_options.uncertainty and (is_pdf or scopes != ("local",)):
        raise invalid("The embedding_uncertainty parameter needs a text file whose embedding_scope is [`local`] only.")
    return replace(request, options=options, scopes=scopes)


def document_rows(path: Path, info: MediaInfo, request: DocumentRequest, usage: Usage) -> Iterator[Row]:
    """Yield the vectors of a document (blocking).

    Raises:
        MediaError: The document cannot be read.
        TaskFailure: The document has too many pages, or a chunk has too many tokens.
    """
    yield from _pdf_rows(path, info, request, usage) if info.mime_type == PDF else _text_rows(path, request, usage)


def document_vector(path: Path, info: MediaInfo, usage: Usage, *, truncate: bool) -> FloatVector:
    """Return one vector of a whole document (blocking).

    Raises:
        ApiError: 400 if the text is too long and `truncate` is false.
        MediaError: The document cannot be read.
    """
    if info.mime_type != PDF:
        text = _leading_text(sentences(path), usage)
        if usage.truncated and not truncate:
            raise invalid(
                f"The text must have at most {CONTEXT_WINDOW_TOKENS} tokens; set auto_truncate to truncate it."
            )
        usage.tokens["document"] += count_tokens(text)
        return embed_text(text)
    vectors = [_page_vector(page.text) for page in pdf_pages(path)]
    if not vectors:
        raise MediaError("parameter_invalid", "The PDF file has no page.")
    usage.tokens["document"] += PAGE_TOKENS * len(vectors)
    return mean(vectors)


def _pairs(options: Iterable[str], scopes: tuple[str, ...]) -> set[tuple[str, str]]:
    return {(option, scope) for option in options for scope in scopes}


def _pdf_rows(path: Path, info: MediaInfo, request: DocumentRequest, usage: Usage) -> Iterator[Row]:
    pairs = _pairs(request.options or (), request.scopes or ())
    by_quadrant = request.spatial == "quadrants"
    vector_count = page_count(path) * (5 if by_quadrant else 1)
    if refusal := page_count_message(vector_count, info.size, TASK_PAGES_PER_MB):
        raise TaskFailure(refusal)
    usage.tokens["document"] += PAGE_TOKENS * vector_count
    page_vectors, texts = [], []
    for page in pdf_pages(path):
        page_vectors.append(_page_vector(page.text))
        texts.append(page.text)
        if ("visual", "local") in pairs:
            yield marengo35_row(
                page_vectors[-1], document_labels("visual", "page", page=page.number), request.vector_options
            )
            for quadrant in QUADRANTS if by_quadrant else ():
                labels = document_labels("visual", "page", page=page.number, quadrant=quadrant)
                yield marengo35_row(_page_vector(page.quadrants[quadrant]), labels, request.vector_options)
    if ("visual", "asset") in pairs:
        yield marengo35_row(mean(page_vectors), document_labels("visual", "asset"), request.vector_options)
    if ("text", "asset") in pairs:
        yield marengo35_row(
            embed_text(_leading_text(texts, usage)), document_labels("text", "asset"), request.vector_options
        )


def _text_rows(path: Path, request: DocumentRequest, usage: Usage) -> Iterator[Row]:
    scopes = request.scopes or ()
    if "local" in scopes and request.sequential:
        chunks = sentence_chunks(path, request.sequential.max_sentences, request.sequential.overlap)
        for index, text in enumerate(chunks):
            tokens = count_tokens(text)
            if tokens > CONTEXT_WINDOW_TOKENS:
                raise TaskFailure(CONTEXT_WINDOW_EXCEEDED)
            usage.tokens["document"] += tokens
            yield marengo35_row(embed_text(text), document_labels("text", "chunk", chunk=index), request.vector_options)
    if "asset" in scopes:
        text = _leading_text(sentences(path), usage)
        usage.tokens["document"] += count_tokens(text)
        yield marengo35_row(embed_text(text), document_labels("text", "asset"), request.vector_options)


def _leading_text(texts: Iterable[str], usage: Usage) -> str:
    """Return the text of a text that fits into one vector, and set ``usage.truncated`` if there is more."""
    found, tokens = [], 0
    for text in texts:
        found.append(text)
        tokens += count_tokens(text)
        if tokens > CONTEXT_WINDOW_TOKENS:
            usage.truncated = True
            break
    return first_tokens(" ".join(found), CONTEXT_WINDOW_TOKENS)


def _page_vector(text: str) -> FloatVector:
    page = embed_text(PAGE_APPEARANCE)
    return mean([embed_text(text), page], [1.0, PAGE_WEIGHT]) if text.strip() else page
