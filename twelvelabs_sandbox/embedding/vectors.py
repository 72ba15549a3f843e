"""Embeds the media of a validated request with the engine."""

from collections.abc import Iterator, Sequence

from twelvelabs_sandbox.embedding.marengo35_documents import document_rows
from twelvelabs_sandbox.embedding.marengo35_media import marengo35_row, media_rows
from twelvelabs_sandbox.embedding.marengo35_multi_input import IMAGE_TOKENS
from twelvelabs_sandbox.embedding.types import LocalMedia, Row, Usage, clip_rows, media_labels
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import ClipVector, FloatVector
from twelvelabs_sandbox.engine.visual import embed_image, embed_text_and_images
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.requests.types import (
    DocumentRequest,
    ImageRequest,
    MediaRequest,
    SingleVectorRequest,
    TaskRequest,
    VectorOptions,
)


def window(request: MediaRequest, media: LocalMedia) -> tuple[float, float]:
    """Return the requested start and end in seconds, the end limited to the duration of the file.

    Raises:
        ApiError: 400 if the start is not before the end of the file.
    """
    duration = media.info.duration or 0.0
    if request.start_sec >= duration:
        raise invalid(
            f"The {request.input_type}.start_sec parameter must be less than the duration of the media: "
            f"{request.start_sec:g} >= {duration:g}."
        )
    return request.start_sec, duration if request.end_sec is None else min(request.end_sec, duration)


def single_vector(request: SingleVectorRequest, images: Sequence[LocalMedia]) -> FloatVector:
    """Return the single vector of a text, images or both (blocking)."""
    paths = [image.path for image in images]
    match request.input_type:
        case "text":
            return embed_text(request.text or "")
        case "image":
            return embed_image(paths[0])
        case "text_image":
            return embed_text_and_images(request.text or "", paths)
        case _:
            return embed_text_and_images(request.text, paths)


def task_rows(request: TaskRequest, media: LocalMedia, usage: Usage) -> Iterator[Row]:
    """Yield the vectors of a task and add up its usage (blocking)."""
    match request:
        case ImageRequest():
            usage.tokens["image"] += IMAGE_TOKENS
            yield marengo35_row(
                embed_image(media.path), media_labels("visual", "asset", None, None), request.vector_options
            )
        case DocumentRequest():
            yield from document_rows(media.path, media.info, request, usage)
        case MediaRequest(vector_options=None):
            yield from clip_rows(media_vectors(request, media))
        case MediaRequest(vector_options=VectorOptions() as vector_options):
            yield from media_rows(media.path, request, window(request, media), vector_options, usage)


def media_vectors(request: MediaRequest, media: LocalMedia) -> list[ClipVector]:
    """Return the marengo3.0 vectors of video or audio in order of time (blocking)."""
    start, end = window(request, media)
    return embed_media(
        media.path,
        kind=request.input_type,
        start=start,
        end=end,
        segmentation=request.segmentation,
        options=request.options,
        scopes=request.scopes,
        separate=request.separate,
        fused=request.fused,
    )
