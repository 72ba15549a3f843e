"""``POST /embed-v2``: vectors in the answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._body import read_json
from twelvelabs_sandbox._embedding import media_vectors, still_vector, take_images, take_media
from twelvelabs_sandbox._embedding_json import media_body, multi_body, out_of_order, still_body
from twelvelabs_sandbox._intake import LocalMedia
from twelvelabs_sandbox._limits import SYNC_LENGTH
from twelvelabs_sandbox._multi35 import multi_row, take_multi
from twelvelabs_sandbox._rows import Usage
from twelvelabs_sandbox._validation import sync_request
from twelvelabs_sandbox._values import MediaRequest, MultiRequest, StillRequest


class EmbedRoutes:
    """The synchronous endpoint."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.routes = [Route("/embed-v2", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Embed a text, images, a film or a sound at once."""
        body = await read_json(request, self._backend.workers, too_large_status=413)
        _, asked = sync_request(body)
        match asked:
            case MediaRequest():
                answer = await self._media(asked)
            case MultiRequest():
                answer = await self._multi(asked)
            case StillRequest():
                answer = await self._still(asked)
        return Response(answer, media_type="application/json")

    async def _still(self, asked: StillRequest) -> bytes:
        if not asked.images:  # A text takes microseconds: no thread.
            return still_body(asked, [], still_vector(asked, []))
        images = await take_images(self._backend.intake, asked)
        try:
            vector = await self._backend.workers.for_request(still_vector, asked, images)
        finally:
            for image in images:
                image.delete()
        return still_body(asked, images, vector)

    async def _multi(self, asked: MultiRequest) -> bytes:
        usage = Usage()
        if not asked.sources:
            return multi_body(asked, multi_row(asked, [], usage), usage)
        taken = await take_multi(self._backend.intake, asked)
        try:
            row = await self._backend.workers.for_request(multi_row, asked, taken, usage)
        finally:
            for media in taken:
                media.delete()
        return multi_body(asked, row, usage)

    async def _media(self, asked: MediaRequest) -> bytes:
        media = await take_media(self._backend.intake, asked, SYNC_LENGTH)
        try:
            return await self._backend.workers.for_request(self._embed, asked, media)
        finally:
            media.delete()

    def _embed(self, asked: MediaRequest, media: LocalMedia) -> bytes:
        vectors = media_vectors(asked, media)
        if self._backend.options.shuffle_data:
            vectors = out_of_order(vectors)
        return media_body(asked, media, vectors)
