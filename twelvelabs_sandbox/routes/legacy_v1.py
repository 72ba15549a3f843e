"""``/embed`` and ``/embed/tasks``: the legacy v1 embed API, deprecated by the vendor."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from twelvelabs_sandbox.embedding.legacy_v1_json import (
    audio_segment,
    failure,
    plain_segment,
    result,
    task_chunks,
    v1_task_metadata,
)
from twelvelabs_sandbox.embedding.types import Json, LocalMedia
from twelvelabs_sandbox.embedding.vectors import media_vectors
from twelvelabs_sandbox.engine.documents import first_tokens
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.errors import ApiError
from twelvelabs_sandbox.faults import fate_of
from twelvelabs_sandbox.formats import page_body, rfc3339
from twelvelabs_sandbox.limits import (
    IMAGE_BYTES,
    MEDIA_BYTES,
    SYNC_DURATION,
    TASK_DURATION,
    V1_UPLOAD_BYTES,
    check_audio,
    check_image,
    check_video,
)
from twelvelabs_sandbox.requests.body import read_form
from twelvelabs_sandbox.requests.legacy_v1 import Origin, audio_request, embed_form, task_form, video_request
from twelvelabs_sandbox.requests.query import choice_query, page_query, time_query
from twelvelabs_sandbox.requests.types import MediaSource
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.tasks import STATUSES, Task

OPTIONS = ("visual", "audio", "transcription")
Segments = list[Json]
# Longer texts are truncated silently.
MAX_TEXT_TOKENS = 500


class V1Routes:
    """The endpoints of v1."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._tasks = backend.v1_tasks
        self.routes = [
            Route("/embed", self.embed, methods=["POST"]),
            Route("/embed/tasks", self.create, methods=["POST"]),
            Route("/embed/tasks", self.list, methods=["GET"]),
            Route("/embed/tasks/{task_id}", self.retrieve, methods=["GET"]),
            Route("/embed/tasks/{task_id}/status", self.status, methods=["GET"]),
        ]

    async def embed(self, request: Request) -> Response:
        """Embed a text, an image and audio independently; a failed input has an error message instead of vectors."""
        async with read_form(request, V1_UPLOAD_BYTES, files=2) as form:
            parsed = embed_form(form)
            body: Json = {"model_name": parsed.model}
            if parsed.text is not None:
                vector = embed_text(first_tokens(parsed.text, MAX_TEXT_TOKENS))
                body["text_embedding"] = {"segments": [plain_segment(vector)]}
            if parsed.image is not None:
                body["image_embedding"] = await self._part(parsed.image, IMAGE_BYTES, self._image)
            if parsed.audio is not None:
                start = parsed.audio_start_sec
                body["audio_embedding"] = await self._part(
                    parsed.audio, MEDIA_BYTES, lambda media: self._audio(media, start)
                )
        return JSONResponse(body)

    async def create(self, request: Request) -> Response:
        """Create a task for one video."""
        self._tasks.check_capacity()
        async with read_form(request, V1_UPLOAD_BYTES) as form:
            parsed = task_form(form)
            media = await self._take(parsed.video, MEDIA_BYTES)
        try:
            check_video(media.info, TASK_DURATION)
            wanted = video_request(parsed, media.info.duration or 0.0)
        except ApiError:
            media.delete()
            raise
        task = self._tasks.create(parsed.model, wanted, media, fate_of(request.scope).task)
        return JSONResponse({"_id": task.id})

    async def list(self, request: Request) -> Response:
        """List the tasks of v1 without their vectors."""
        query = request.query_params
        page, limit = page_query(query)
        since, until = time_query(query, "started_at"), time_query(query, "ended_at")
        found = self._tasks.poll_all(since, until, choice_query(query, "status", STATUSES))
        return JSONResponse(page_body(found, page, limit, lambda task: self._head(task) | self._metadata(task)))

    async def status(self, request: Request) -> Response:
        """Return the status of a task."""
        task = self._poll(request)
        body = {"_id": task.id, "model_name": task.model, "status": self._tasks.status(task)}
        return JSONResponse(body | self._metadata(task))

    async def retrieve(self, request: Request) -> Response:
        """Return a task and, when it is ready, its vectors, all or those of some options."""
        options = choice_query(request.query_params, "embedding_option", OPTIONS) or set(OPTIONS)
        task = self._poll(request)
        head = self._head(task)
        if head["status"] != "ready" or task.result is None:
            return JSONResponse(head | self._metadata(task))
        return StreamingResponse(
            task_chunks(head, v1_task_metadata(task.request, task.media), task.result, options),
            media_type="application/json",
        )

    async def _part(self, origin: Origin, limit: int, embed: Callable[[LocalMedia], Awaitable[Segments]]) -> Json:
        try:
            media = await self._take(origin, limit)
        except ApiError as error:
            return failure(error)
        try:
            return result(await embed(media), media)
        except (ApiError, MediaError) as error:
            return failure(error)
        finally:
            media.delete()

    async def _image(self, media: LocalMedia) -> Segments:
        check_image(media.info)
        return [plain_segment(await self._backend.workers.run_request(embed_image, media.path))]

    async def _audio(self, media: LocalMedia, start: float) -> Segments:
        check_audio(media.info, SYNC_DURATION)
        clips = await self._backend.workers.run_request(media_vectors, audio_request(start), media)
        return [audio_segment(clip) for clip in clips]

    async def _take(self, origin: Origin, limit: int) -> LocalMedia:
        if isinstance(origin, MediaSource):
            return await self._backend.media_loader.load(origin, limit)
        return await self._backend.media_loader.load_upload(origin)

    def _poll(self, request: Request) -> Task:
        try:
            return self._tasks.poll(request.path_params["task_id"])
        except ApiError as error:  # The documentation of v1 lists no 404.
            raise ApiError(400, error.code, error.message) from None

    def _head(self, task: Task) -> Json:
        return {
            "_id": task.id,
            "model_name": task.model,
            "status": self._tasks.status(task),
            "created_at": rfc3339(task.created_at),
            "updated_at": rfc3339(self._tasks.updated_at(task)),
        }

    def _metadata(self, task: Task) -> Json:
        return {"video_embedding": {"metadata": v1_task_metadata(task.request, task.media)}}
