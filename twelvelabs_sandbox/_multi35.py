"""The one vector that marengo3.5 makes of a text and up to ten media in a synchronous call."""

from collections.abc import Sequence

from twelvelabs_sandbox._documents35 import PDF, WINDOW_TOKENS, document_vector
from twelvelabs_sandbox._engine import FloatVector, count_tokens, embed_image, embed_text, first_tokens, page_count
from twelvelabs_sandbox._errors import ApiError, OversizeError, invalid, oversize
from twelvelabs_sandbox._intake import Intake, LocalMedia
from twelvelabs_sandbox._limits import (
    ANY_LENGTH,
    SYNC35_BYTES,
    SYNC35_SECONDS,
    SYNC_PAGES_PER_MB,
    check_audio,
    check_document,
    check_image,
    check_video,
    pages_beyond,
    too_large,
    too_long,
)
from twelvelabs_sandbox._media35 import media_tokens, shaped, whole_vector
from twelvelabs_sandbox._rows import Row, Usage, media_labels
from twelvelabs_sandbox._space35 import mean
from twelvelabs_sandbox._values import MultiRequest, MultiSource

IMAGE_TOKENS = 256
TEXT_NAME = "document.txt"


async def take_multi(intake: Intake, request: MultiRequest) -> list[LocalMedia]:
    """Bring the media of a request to disk, in order; all are deleted again if one of them is refused."""
    taken: list[LocalMedia] = []
    try:
        for item in request.sources:
            name = TEXT_NAME if item.media_type == "document" else None
            media = await intake.take(item.source, SYNC35_BYTES, name)
            taken.append(media)
            _check(item, media)
        _check_documents(request, taken)
    except BaseException as error:
        for media in taken:
            media.delete()
        if isinstance(error, OversizeError):
            raise ApiError(413, error.code, error.message) from error
        raise
    return taken


def multi_row(request: MultiRequest, media: Sequence[LocalMedia], usage: Usage) -> Row:
    """Return the vector (blocking); ApiError 400 or 413 where a text or document is too long."""
    parts = [_vector(request, item, local, usage) for item, local in zip(request.sources, media, strict=True)]
    if request.text:
        parts.append(embed_text(_shortened(request, request.text, usage)))
    return shaped(mean(parts), media_labels(None, None, None, None), request.shape)


def _check(item: MultiSource, media: LocalMedia) -> None:
    if media.info.size > SYNC35_BYTES:
        raise oversize(too_large(media.info.size, SYNC35_BYTES))
    match item.media_type:
        case "image":
            check_image(media.info)
        case "audio":
            check_audio(media.info, ANY_LENGTH)
        case "video":
            check_video(media.info, ANY_LENGTH)
        case _:
            check_document(media.info, SYNC35_BYTES)
    if (media.info.duration or 0) > SYNC35_SECONDS:
        raise oversize(too_long(media.info.duration or 0, SYNC35_SECONDS))


def _check_documents(request: MultiRequest, media: Sequence[LocalMedia]) -> None:
    """Refuse what documents cannot be combined with."""
    kinds = [local.info.mime_type for local in media if local.info.kind == "document"]
    has_text = request.text is not None
    if PDF in kinds and (len(media) > 1 or has_text):
        raise invalid("A PDF document must be the only media source, and without input_text.")
    if kinds and len(kinds) == len(media) and len(media) + has_text > 1:
        raise invalid("All of the content is text: send one text document, or input_text alone, or add other media.")


def _vector(request: MultiRequest, item: MultiSource, media: LocalMedia, usage: Usage) -> FloatVector:
    match item.media_type:
        case "image":
            usage.tokens["image"] += IMAGE_TOKENS
            return embed_image(media.path)
        case "document":
            if media.info.mime_type == PDF:
                refusal = pages_beyond(page_count(media.path), media.info.size, SYNC_PAGES_PER_MB)
                if refusal:
                    raise ApiError(413, "parameter_invalid", refusal)
            return document_vector(media.path, media.info, usage, truncate=request.truncate)
        case "audio" | "video" as kind:
            seconds = media.info.duration or 0.0
            usage.tokens[kind] += media_tokens(kind, seconds)
            return whole_vector(media.path, kind, seconds)


def _shortened(request: MultiRequest, text: str, usage: Usage) -> str:
    tokens = count_tokens(text)
    if tokens > WINDOW_TOKENS:
        if not request.truncate:
            name = "multi_input.input_text"
            raise invalid(
                f"The {name} parameter must have at most {WINDOW_TOKENS} tokens, not {tokens}; set auto_truncate to "
                "have it cut."
            )
        usage.truncated = True
    usage.tokens["text"] += min(tokens, WINDOW_TOKENS)
    return first_tokens(text, WINDOW_TOKENS)
