"""Makes the single vector that marengo3.5 returns for a text and up to ten media in a synchronous request."""

from collections.abc import Sequence

from twelvelabs_sandbox.embedding.marengo35_documents import CONTEXT_WINDOW_TOKENS, PDF, document_vector
from twelvelabs_sandbox.embedding.marengo35_media import marengo35_row, mean, media_tokens, whole_vector
from twelvelabs_sandbox.embedding.types import LocalMedia, Row, Usage, media_labels
from twelvelabs_sandbox.engine.documents import count_tokens, first_tokens, page_count
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.errors import ApiError, invalid
from twelvelabs_sandbox.limits import SYNC_PAGES_PER_MB, page_count_message
from twelvelabs_sandbox.requests.types import MultiRequest, MultiSource

IMAGE_TOKENS = 256


def multi_input_row(request: MultiRequest, media: Sequence[LocalMedia], usage: Usage) -> Row:
    """Return the vector of a request (blocking).

    Raises:
        ApiError: 400 if a text is too long, 413 if a PDF has too many pages.
        MediaError: A file cannot be decoded.
    """
    vectors = [_vector(request, item, local, usage) for item, local in zip(request.sources, media, strict=True)]
    if request.text:
        vectors.append(embed_text(_truncated(request, request.text, usage)))
    return marengo35_row(mean(vectors), media_labels(None, None, None, None), request.vector_options)


def _vector(request: MultiRequest, item: MultiSource, media: LocalMedia, usage: Usage) -> FloatVector:
    match item.media_type:
        case "image":
            usage.tokens["image"] += IMAGE_TOKENS
            return embed_image(media.path)
        case "document":
            if media.info.mime_type == PDF:
                refusal = page_count_message(page_count(media.path), media.info.size, SYNC_PAGES_PER_MB)
                if refusal:
                    raise ApiError(413, "parameter_invalid", refusal)
            return document_vector(media.path, media.info, usage, truncate=request.truncate)
        case "audio" | "video" as kind:
            seconds = media.info.duration or 0.0
            usage.tokens[kind] += media_tokens(kind, seconds)
            return whole_vector(media.path, kind, seconds)


def _truncated(request: MultiRequest, text: str, usage: Usage) -> str:
    tokens = count_tokens(text)
    if tokens > CONTEXT_WINDOW_TOKENS:
        if not request.truncate:
            name = "multi_input.input_text"
            raise invalid(
                f"The {name} parameter must have at most {CONTEXT_WINDOW_TOKENS} tokens, not {tokens}; set "
                "auto_truncate to truncate it."
            )
        usage.truncated = True
    usage.tokens["text"] += min(tokens, CONTEXT_WINDOW_TOKENS)
    return first_tokens(text, CONTEXT_WINDOW_TOKENS)
