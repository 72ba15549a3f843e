"""``POST /embed-v2``: vectors in the answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twelvelabs_sandbox.state.media_loader import load_images
from twelvelabs_sandbox.state.media_loader import load_media
from twelvelabs_sandbox.state.media_loader import load_multi_input
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.requests.types import MediaRequest
from twelvelabs_sandbox.requests.types import MultiRequest
from twelvelabs_sandbox.requests.types import SingleVectorRequest
from twelvelabs_sandbox.requests.embed import sync_request
from twelvelabs_sandbox.requests.body import read_json
from twelvelabs_sandbox.limits import SYNC_DURATION
from twelvelabs_sandbox.embedding.vectors import media_vectors
from twelvelabs_sandbox.embedding.vectors import single_vector
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.types import Usage
from twelvelabs_sandbox.embedding.response_json import media_body
from twelvelabs_sandbox.embedding.response_json import multi_input_body
from twelvelabs_sandbox.embedding.response_json import shuffled
from twelvelabs_sandbox.embedding.response_json import single_vector_body
from twelvelabs_sandbox.embedding.marengo35_multi_input import multi_input_row


class EmbedRoutes:
    """The synchronous endpoint."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.routes = [Route("/embed-v2", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Embed a text, images, a film or a sound at once."""
        body = await read_json(request, self._backend.workers, too_large_status=413)
        _, parsed = sync_request(body)
        match parsed:
            case MediaRequest():
                answer = await self._media(parsed)
            case MultiRequest():
                answer = await self._multi(parsed)
            case SingleVectorRequest():
                answer = await self._still(parsed)
        return Response(answer, media_type="application/json")

    async def _still(self, parsed: SingleVectorRequest) -> bytes:
        if not parsed.images:  # A text takes microseconds: no thread.
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
