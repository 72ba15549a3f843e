"""``/embed`` and ``/embed/tasks``: the old embed API (v1), which the vendor is going to switch off."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._body import read_form
from twelvelabs_sandbox._embedding import media_vectors
from twelvelabs_sandbox._engine import MediaError, embed_image, embed_text, first_tokens
from twelvelabs_sandbox._errors import ApiError
from twelvelabs_sandbox._faults import fate_of
from twelvelabs_sandbox._intake import LocalMedia
from twelvelabs_sandbox._limits import (
    IMAGE_BYTES,
    MEDIA_BYTES,
    SYNC_LENGTH,
    TASK_LENGTH,
    V1_UPLOAD_BYTES,
    check_audio,
    check_image,
    check_video,
)
from twelvelabs_sandbox._rows import Json
from twelvelabs_sandbox._tasks import STATUSES, Task
from twelvelabs_sandbox._v1_bodies import Origin, audio_request, embed_form, task_form, video_request
from twelvelabs_sandbox._v1_json import audio_segment, failure, plain_segment, result, task_metadata, task_pieces
from twelvelabs_sandbox._validation import choice_query, page_query, time_query
from twelvelabs_sandbox._values import MediaSource
from twelvelabs_sandbox._wire import page_body, rfc3339

OPTIONS = ("visual", "audio", "transcription")
Segments = list[Json]
# A longer text is cut, without a word.
MOST_TOKENS = 500


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
        """Embed a text, an image and a sound, each by itself; what fails says so beside the others."""
        async with read_form(request, V1_UPLOAD_BYTES, files=2) as form:
            asked = embed_form(form)
            body: Json = {"model_name": asked.model}
            if asked.text is not None:
                vector = embed_text(first_tokens(asked.text, MOST_TOKENS))
                body["text_embedding"] = {"segments": [plain_segment(vector)]}
            if asked.image is not None:
                body["image_embedding"] = await self._part(asked.image, IMAGE_BYTES, self._image)
            if asked.audio is not None:
                start = asked.audio_start_sec
                body["audio_embedding"] = await self._part(
                    asked.audio, MEDIA_BYTES, lambda media: self._audio(media, start)
                )
        return JSONResponse(body)

    async def create(self, request: Request) -> Response:
        """Begin a task for one video."""
        self._tasks.check_room()
        async with read_form(request, V1_UPLOAD_BYTES) as form:
            asked = task_form(form)
            media = await self._take(asked.video, MEDIA_BYTES)
        try:
            check_video(media.info, TASK_LENGTH)
            wanted = video_request(asked, media.info.duration or 0.0)
        except ApiError:
            media.delete()
            raise
        task = self._tasks.create(asked.model, wanted, media, fate_of(request.scope).task)
        return JSONResponse({"_id": task.id})

    async def list(self, request: Request) -> Response:
        """List the tasks of v1 without their vectors."""
        query = request.query_params
        page, limit = page_query(query)
        since, until = time_query(query, "started_at"), time_query(query, "ended_at")
        found = self._tasks.look_all(since, until, choice_query(query, "status", STATUSES))
        return JSONResponse(page_body(found, page, limit, lambda task: self._head(task) | self._metadata(task)))

    async def status(self, request: Request) -> Response:
        """Give a task's status."""
        task = self._look(request)
        body = {"_id": task.id, "model_name": task.model, "status": self._tasks.status(task)}
        return JSONResponse(body | self._metadata(task))

    async def retrieve(self, request: Request) -> Response:
        """Give a task and, when it is ready, its vectors, all or those of some options."""
        options = choice_query(request.query_params, "embedding_option", OPTIONS) or set(OPTIONS)
        task = self._look(request)
        head = self._head(task)
        if head["status"] != "ready" or task.result is None:
            return JSONResponse(head | self._metadata(task))
        return StreamingResponse(task_pieces(head, task, task.result, options), media_type="application/json")

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
        return [plain_segment(await self._backend.workers.for_request(embed_image, media.path))]

    async def _audio(self, media: LocalMedia, start: float) -> Segments:
        check_audio(media.info, SYNC_LENGTH)
        clips = await self._backend.workers.for_request(media_vectors, audio_request(start), media)
        return [audio_segment(clip) for clip in clips]

    async def _take(self, origin: Origin, limit: int) -> LocalMedia:
        if isinstance(origin, MediaSource):
            return await self._backend.intake.take(origin, limit)
        return await self._backend.intake.take_upload(origin)

    def _look(self, request: Request) -> Task:
        try:
            return self._tasks.look(request.path_params["task_id"])
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
        return {"video_embedding": {"metadata": task_metadata(task)}}
