"""From a checked request and its files to vectors, by way of the media engine."""

from collections.abc import Iterator, Sequence

from twelvelabs_sandbox._documents35 import completed, document_rows
from twelvelabs_sandbox._engine import (
    ClipVector,
    FloatVector,
    embed_image,
    embed_media,
    embed_multi,
    embed_text,
    embed_text_image,
)
from twelvelabs_sandbox._errors import ApiError, invalid
from twelvelabs_sandbox._intake import Intake, LocalMedia
from twelvelabs_sandbox._limits import (
    IMAGE_BYTES,
    MEDIA_BYTES,
    TASK_DOCUMENT_BYTES,
    TASK_LENGTH,
    Length,
    check_audio,
    check_document,
    check_image,
    check_video,
)
from twelvelabs_sandbox._media35 import media_rows, shaped
from twelvelabs_sandbox._multi35 import IMAGE_TOKENS, TEXT_NAME
from twelvelabs_sandbox._rows import Row, Usage, clip_rows, media_labels
from twelvelabs_sandbox._values import DocumentRequest, ImageRequest, MediaRequest, Shape, StillRequest, TaskRequest


async def take_images(intake: Intake, request: StillRequest) -> list[LocalMedia]:
    """Bring the images of a request to disk, in order; all are deleted again if one of them is refused."""
    taken: list[LocalMedia] = []
    try:
        for source in request.images:
            image = await intake.take(source, IMAGE_BYTES)
            taken.append(image)
            check_image(image.info)
    except BaseException:
        for image in taken:
            image.delete()
        raise
    return taken


async def take_media(intake: Intake, request: MediaRequest, length: Length) -> LocalMedia:
    """Bring the film or sound of a request to disk; deleted again if it is refused."""
    media = await intake.take(request.source, MEDIA_BYTES)
    try:
        check = check_audio if request.input_type == "audio" else check_video
        check(media.info, length)
        window(request, media)
    except ApiError:
        media.delete()
        raise
    return media


async def take_for_task(intake: Intake, request: TaskRequest) -> tuple[TaskRequest, LocalMedia]:
    """Bring the medium of a task to disk; also returns the request with the defaults that depend on the medium."""
    if isinstance(request, MediaRequest):
        return request, await take_media(intake, request, TASK_LENGTH)
    if isinstance(request, ImageRequest):
        media = await intake.take(request.source, IMAGE_BYTES)
    else:
        media = await intake.take(request.source, TASK_DOCUMENT_BYTES, TEXT_NAME)
    try:
        if isinstance(request, ImageRequest):
            check_image(media.info)
            return request, media
        check_document(media.info, TASK_DOCUMENT_BYTES)
        return completed(request, media.info), media
    except ApiError:
        media.delete()
        raise


def window(request: MediaRequest, media: LocalMedia) -> tuple[float, float]:
    """Return the asked begin and end in seconds, the end at most that of the file."""
    duration = media.info.duration or 0.0
    if request.start_sec >= duration:
        raise invalid(
            f"The {request.input_type}.start_sec parameter must be less than the duration of the media: "
            f"{request.start_sec:g} >= {duration:g}."
        )
    return request.start_sec, duration if request.end_sec is None else min(request.end_sec, duration)


def still_vector(request: StillRequest, images: Sequence[LocalMedia]) -> FloatVector:
    """Return the one vector of a text, images or both (blocking)."""
    paths = [image.path for image in images]
    match request.input_type:
        case "text":
            return embed_text(request.text or "")
        case "image":
            return embed_image(paths[0])
        case "text_image":
            return embed_text_image(request.text or "", paths[0])
        case _:
            return embed_multi(request.text, paths)


def task_rows(request: TaskRequest, media: LocalMedia, usage: Usage) -> Iterator[Row]:
    """Yield the vectors of a task and note what it used (blocking)."""
    match request:
        case ImageRequest():
            usage.tokens["image"] += IMAGE_TOKENS
            yield shaped(embed_image(media.path), media_labels("visual", "asset", None, None), request.shape)
        case DocumentRequest():
            yield from document_rows(media.path, media.info, request, usage)
        case MediaRequest(shape=None):
            yield from clip_rows(media_vectors(request, media))
        case MediaRequest(shape=Shape() as shape):
            yield from media_rows(media.path, request, window(request, media), shape, usage)


def media_vectors(request: MediaRequest, media: LocalMedia) -> list[ClipVector]:
    """Return the vectors of a film or sound of marengo3.0, in order of time (blocking)."""
    start, end = window(request, media)
    return embed_media(
        media.path,
        kind=request.input_type,
        start=start,
        end=end,
        cut=request.cut,
        options=request.options,
        scopes=request.scopes,
        separate=request.separate,
        fused=request.fused,
    )
