"""The one vector that marengo3.5 makes of a text and up to ten media in a synchronous call."""

from collections.abc import Sequence

from twelvelabs_sandbox.requests.types import MultiRequest
from twelvelabs_sandbox.requests.types import MultiSource
from twelvelabs_sandbox.limits import SYNC_PAGES_PER_MB
from twelvelabs_sandbox.limits import page_count_message
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.documents import count_tokens
from twelvelabs_sandbox.engine.documents import first_tokens
from twelvelabs_sandbox.engine.documents import page_count
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.types import Row
from twelvelabs_sandbox.embedding.types import Usage
from twelvelabs_sandbox.embedding.types import media_labels
from twelvelabs_sandbox.embedding.marengo35_media import marengo35_row
from twelvelabs_sandbox.embedding.marengo35_media import mean
from twelvelabs_sandbox.embedding.marengo35_media import media_tokens
from twelvelabs_sandbox.embedding.marengo35_media import whole_vector
from twelvelabs_sandbox.embedding.marengo35_documents import CONTEXT_WINDOW_TOKENS
from twelvelabs_sandbox.embedding.marengo35_documents import PDF
from twelvelabs_sandbox.embedding.marengo35_documents import document_vector

IMAGE_TOKENS = 256


def multi_input_row(request: MultiRequest, media: Sequence[LocalMedia], usage: Usage) -> Row:
    """Return the vector (blocking); ApiError 400 or 413 where a text or document is too long."""
    parts = [_vector(request, item, local, usage) for item, local in zip(request.sources, media, strict=True)]
    if request.text:
        parts.append(embed_text(_shortened(request, request.text, usage)))
    return marengo35_row(mean(parts), media_labels(None, None, None, None), request.vector_options)


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


def _shortened(request: MultiRequest, text: str, usage: Usage) -> str:
    tokens = count_tokens(text)
    if tokens > CONTEXT_WINDOW_TOKENS:
        if not request.truncate:
            name = "multi_input.input_text"
            raise invalid(
                f"The {name} parameter must have at most {CONTEXT_WINDOW_TOKENS} tokens, not {tokens}; set auto_truncate to "
                "have it cut."
            )
        usage.truncated = True
    usage.tokens["text"] += min(tokens, CONTEXT_WINDOW_TOKENS)
    return first_tokens(text, CONTEXT_WINDOW_TOKENS)
