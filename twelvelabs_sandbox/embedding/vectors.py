"""From a checked request and its files to vectors, by way of the media engine."""

from collections.abc import Iterator, Sequence

from twelvelabs_sandbox.requests.types import DocumentRequest
from twelvelabs_sandbox.requests.types import ImageRequest
from twelvelabs_sandbox.requests.types import MediaRequest
from twelvelabs_sandbox.requests.types import SingleVectorRequest
from twelvelabs_sandbox.requests.types import TaskRequest
from twelvelabs_sandbox.requests.types import VectorOptions
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.engine.visual import embed_text_and_images
from twelvelabs_sandbox.engine.types import ClipVector
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.types import Row
from twelvelabs_sandbox.embedding.types import Usage
from twelvelabs_sandbox.embedding.types import clip_rows
from twelvelabs_sandbox.embedding.types import media_labels
from twelvelabs_sandbox.embedding.marengo35_multi_input import IMAGE_TOKENS
from twelvelabs_sandbox.embedding.marengo35_media import marengo35_row
from twelvelabs_sandbox.embedding.marengo35_media import media_rows
from twelvelabs_sandbox.embedding.marengo35_documents import document_rows


def window(request: MediaRequest, media: LocalMedia) -> tuple[float, float]:
    """Return the asked begin and end in seconds, the end at most that of the file."""
    duration = media.info.duration or 0.0
    if request.start_sec >= duration:
        raise invalid(
            f"The {request.input_type}.start_sec parameter must be less than the duration of the media: "
            f"{request.start_sec:g} >= {duration:g}."
        )
    return request.start_sec, duration if request.end_sec is None else min(request.end_sec, duration)


def single_vector(request: SingleVectorRequest, images: Sequence[LocalMedia]) -> FloatVector:
    """Return the one vector of a text, images or both (blocking)."""
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
    """Yield the vectors of a task and note what it used (blocking)."""
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
    """Return the vectors of a film or sound of marengo3.0, in order of time (blocking)."""
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
