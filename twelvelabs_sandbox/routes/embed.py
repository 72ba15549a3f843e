"""``POST /embed-v2``: synchronous embedding."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twelvelabs_sandbox.embedding.marengo35_multi_input import multi_input_row
from twelvelabs_sandbox.embedding.response_json import media_body, multi_input_body, shuffled, single_vector_body
from twelvelabs_sandbox.embedding.types import LocalMedia, Usage
from twelvelabs_sandbox.embedding.vectors import media_vectors, single_vector
from twelvelabs_sandbox.limits import SYNC_DURATION
from twelvelabs_sandbox.requests.body import read_json
from twelvelabs_sandbox.requests.embed import sync_request
from twelvelabs_sandbox.requests.types import MediaRequest, MultiRequest, SingleVectorRequest
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.media_loader import load_images, load_media, load_multi_input


class EmbedRoutes:
    """``/embed-v2``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.routes = [Route("/embed-v2", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Embed a text, images, video or audio and return the vectors."""
        body = await read_json(request, self._backend.workers, too_large_status=413)
        _, parsed = sync_request(body)
        match parsed:
            case MediaRequest():
                content = await self._media(parsed)
            case MultiRequest():
                content = await self._multi(parsed)
            case SingleVectorRequest():
                content = await self._single_vector(parsed)
        return Response(content, media_type="application/json")

    async def _single_vector(self, parsed: SingleVectorRequest) -> bytes:
        if not parsed.images:  # A text takes microseconds: no thread needed.
            return single_vector_body(parsed, [], single_vector(parsed, []))
        images = await load_images(self._backend.media_loader, parsed)
        try:
            vector = await self._backend.workers.run_request(single_vector, parsed, images)
        finally:
            for image in images:
                image.delete()
        return single_vector_body(parsed, images, vector)

    async def _multi(self, parsed: MultiRequest) -> bytes:
        usage = Usage()
        if not parsed.sources:
            return multi_input_body(parsed, multi_input_row(parsed, [], usage), usage)
        taken = await load_multi_input(self._backend.media_loader, parsed)
        try:
            row = await self._backend.workers.run_request(multi_input_row, parsed, taken, usage)
        finally:
            for media in taken:
                media.delete()
        return multi_input_body(parsed, row, usage)

    async def _media(self, parsed: MediaRequest) -> bytes:
        media = await load_media(self._backend.media_loader, parsed, SYNC_DURATION)
        try:
            return await self._backend.workers.run_request(self._embed, parsed, media)
        finally:
            media.delete()

    def _embed(self, parsed: MediaRequest, media: LocalMedia) -> bytes:
        vectors = media_vectors(parsed, media)
        if self._backend.options.shuffle_data:
            vectors = shuffled(vectors)
        return media_body(parsed, media, vectors)
