"""No log line of this package or of the HTTP library contains the key or a URL's signature, at any level."""

import logging

import pytest
from pydantic import SecretStr

from tests.core.base.conftest import CUT, SIGNATURE, SIGNED
from tests.core.conftest import Connect
from tests.core.surface import content
from tests.core.video_server import VideoServer
from twelvelabs_core import TwelveLabsError
from twelvelabs_sandbox import Fault, Sandbox


@pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")
async def test_no_log_holds_a_secret(
    connect: Connect, server: VideoServer, elsewhere: VideoServer, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect()
    server.redirect = elsewhere.url(SIGNED)
    await client.segment_video(server.url(SIGNED), **CUT)
    await client.segment_video(content(server.video_path), **CUT)
    await client.assets.create(server.url(SIGNED))
    await client.legacy_v1.create_task(video_url=server.url(SIGNED))
    await client.legacy_v1.embed(image_url=server.url(SIGNED))
    sandbox.faults.add(Fault(path="/embed-v2", status=500, headers={"Location": server.url(SIGNED)}))
    await client.embed_text(f"red {server.url(SIGNED)}")
    with pytest.raises(TwelveLabsError):
        await connect(api_key=SecretStr("tlk_sandbox_wrong")).embed_text("red")
    await client.close()
    # Only the client's logs are checked; the sandbox runs on another thread of this process.
    records = [one for one in caplog.records if not str(one.threadName).startswith("twelvelabs-sandbox")]
    logged = "\n".join(f"{one.name} {one.getMessage()} {one.__dict__!r}" for one in records)
    assert {"httpx", "httpcore"} <= {one.name.partition(".")[0] for one in records}  # these logs were captured
    assert "video.mp4" in logged
    for secret in (SIGNATURE, sandbox.api_key, "tlk_sandbox_wrong"):
        assert secret not in logged
