"""Every request states the name and version of this package, to the API and to the hosts of videos."""

import contextlib
import re
from importlib.metadata import version

from tests.core.conftest import Connect
from tests.core.raw_server import RawServer
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from twelvelabs_core import BadRequestError

EXPECTED = f"twelvelabs-rag/{version('twelvelabs-rag')}"


async def test_requests_to_the_api_state_the_version(connect: Connect) -> None:
    with RawServer() as server:
        server.say(b'{"code": "parameter_invalid", "message": "noted"}', head="HTTP/1.1 400 Bad Request")
        with contextlib.suppress(BadRequestError):
            await connect(base_url=server.url, max_retries=0).embed_text("red")
        (request,) = server.requests
    assert re.search(rb"(?im)^user-agent: (.*)\r$", request)[1].decode() == EXPECTED  # type: ignore[index]


async def test_requests_to_the_host_of_a_video_state_the_version(client: Surface, server: VideoServer) -> None:
    await client.segment_video(server.url())
    assert {headers["user-agent"] for method, _, headers in server.requests if method == "HEAD"} == {EXPECTED}
