"""The table of endpoints matches what the methods send, the vendor's index, and the document."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest
from starlette.routing import Route

from tests.core.conftest import Connect
from tests.core.surface import Surface
from tests.endpoint_table import CALLS, DOCUMENT, document, methods_of
from twelvelabs_core import AsyncClient, Client, CompletedChunk, InputError, Progress
from twelvelabs_core.models.marengo import MODELS
from twelvelabs_sandbox import Clock, Faults, Options, RequestLog, Sandbox
from twelvelabs_sandbox.app import create_app
from twelvelabs_sandbox.films import Scene, write_film
from twelvelabs_sandbox.routes.storage import is_storage

pytestmark = pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")

# The vendor's index of endpoints for embeddings and uploads.
VENDORS = {
    "POST /embed-v2",
    "POST /embed-v2/tasks",
    "GET /embed-v2/tasks",
    "GET /embed-v2/tasks/{task_id}",
    "POST /embed",
    "POST /embed/tasks",
    "GET /embed/tasks",
    "GET /embed/tasks/{task_id}",
    "GET /embed/tasks/{task_id}/status",
    "POST /assets",
    "GET /assets",
    "GET /assets/{asset_id}",
    "DELETE /assets/{asset_id}",
    "GET /assets/{asset_id}/transcription",
    "PATCH /assets/{asset_id}/user-metadata",
    "PUT /assets/{asset_id}/user-metadata",
    "DELETE /assets/{asset_id}/user-metadata",
    "POST /assets/multipart-uploads",
    "GET /assets/multipart-uploads",
    "GET /assets/multipart-uploads/{upload_id}",
    "POST /assets/multipart-uploads/{upload_id}",
    "POST /assets/multipart-uploads/{upload_id}/presigned-urls",
}
CHUNK = 4096
Run = Callable[[Surface, Path, Any], Any]
Prepare = Callable[[Surface, Path], Awaitable[Any]]


class Scenario(NamedTuple):
    """A call of one method.

    Attributes:
        run: Calls it with a client, a folder of media, and the result of `prepare`.
        prepare: Creates what the method needs.
    """

    run: Run
    prepare: Prepare | None = None


async def asset(client: Surface, media: Path) -> str:
    found: str = (await client.assets.wait((await client.assets.create(media / "spoken.mkv")).id)).id
    return found


async def task(client: Surface, media: Path) -> str:
    found: str = (await client.tasks.create_video(media / "video.mp4")).id
    return found


async def upload(client: Surface, _: Path) -> Any:
    return await client.uploads.create("a.mp4", asset_type="video", total_size=3 * CHUNK)


async def sent_chunk(client: Surface, media: Path) -> tuple[str, CompletedChunk]:
    session = await upload(client, media)
    url, headers = session.upload_urls[0].url.get_secret_value(), session.upload_headers
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.put(url, content=bytes(CHUNK), headers=headers)
    return session.upload_id, CompletedChunk(1, answer.raise_for_status().headers["ETag"], CHUNK)


async def segmented(client: Surface, media: Path) -> Any:
    return await client.segment_video(media / "video.mp4")


async def registered(client: Surface, media: Path) -> list[str]:
    return [record.segment_id for record in await client.register(await segmented(client, media))]


async def old_task(client: Surface, media: Path) -> str:
    found: str = await client.legacy_v1.create_task(video_file=media / "video.mp4")
    return found


async def every(items: Any) -> list[Any]:
    return [item async for item in items]


async def every_method(client: Surface, media: Path) -> None:
    """Upload directly, and in more chunks than one response has URLs for; interrupt the upload and resume it."""

    def interrupt(step: Progress) -> None:
        if step.done > 10 * CHUNK:
            raise BrokenPipeError

    await client.assets.create(media / "video.mp4")
    with pytest.raises(BrokenPipeError):
        await client.assets.create(media / "long.mp4", method="multipart", on_progress=interrupt)
    await client.assets.create(media / "long.mp4", method="multipart")


SCENARIOS: dict[str, Scenario] = {
    "embed_text": Scenario(lambda c, _, __: c.embed_text("red")),
    "embed_texts": Scenario(lambda c, _, __: c.embed_texts(["red", "blue"])),
    "embed_image": Scenario(lambda c, m, _: c.embed_image(m / "picture.jpg")),
    "embed_images": Scenario(lambda c, m, _: c.embed_images([m / "picture.jpg"])),
    "embed_text_image": Scenario(lambda c, m, _: c.embed_text_image("red", m / "picture.jpg")),
    "embed_multi_input": Scenario(lambda c, m, _: c.embed_multi_input([m / "picture.jpg"])),
    "embed_audio": Scenario(lambda c, m, _: c.embed_audio(m / "sound.wav")),
    "embed_video": Scenario(lambda c, m, _: c.embed_video(m / "video.mp4")),
    "embed_clip": Scenario(lambda c, m, _: c.embed_clip(m / "video.mp4")),
    "embed_clips": Scenario(lambda c, m, _: c.embed_clips([m / "video.mp4"])),
    "tasks.create_audio": Scenario(lambda c, m, _: c.tasks.create_audio(m / "sound.wav")),
    "tasks.create_video": Scenario(lambda c, m, _: c.tasks.create_video(m / "video.mp4")),
    "tasks.create_document": Scenario(lambda c, m, _: c.tasks.create_document(m / "text.md")),
    "tasks.create_image": Scenario(lambda c, m, _: c.tasks.create_image(m / "picture.jpg")),
    "tasks.retrieve": Scenario(lambda c, _, id_: c.tasks.retrieve(id_), task),
    "tasks.list": Scenario(lambda c, _, __: every(c.tasks.list())),
    "tasks.wait": Scenario(lambda c, _, id_: c.tasks.wait(id_), task),
    "assets.create": Scenario(lambda c, m, _: every_method(c, m)),
    "assets.retrieve": Scenario(lambda c, _, id_: c.assets.retrieve(id_), asset),
    "assets.list": Scenario(lambda c, _, __: every(c.assets.list())),
    "assets.delete": Scenario(lambda c, _, id_: c.assets.delete(id_), asset),
    "assets.wait": Scenario(lambda c, _, id_: c.assets.wait(id_), asset),
    "assets.retrieve_transcription": Scenario(lambda c, _, id_: c.assets.retrieve_transcription(id_), asset),
    "assets.update_user_metadata": Scenario(lambda c, _, id_: c.assets.update_user_metadata(id_, {"a": 1}), asset),
    "assets.replace_user_metadata": Scenario(lambda c, _, id_: c.assets.replace_user_metadata(id_, {"a": 1}), asset),
    "assets.delete_user_metadata": Scenario(lambda c, _, id_: c.assets.delete_user_metadata(id_), asset),
    "uploads.create": Scenario(lambda c, m, _: upload(c, m)),
    "uploads.create_presigned_urls": Scenario(
        lambda c, _, u: c.uploads.create_presigned_urls(u.upload_id, start=1, count=1), upload
    ),
    "uploads.report_chunk_batch": Scenario(
        lambda c, _, sent: c.uploads.report_chunk_batch(sent[0], [sent[1]]), sent_chunk
    ),
    "uploads.retrieve": Scenario(lambda c, _, u: c.uploads.retrieve(u.upload_id), upload),
    "uploads.list": Scenario(lambda c, _, __: every(c.uploads.list())),
    "segment_video": Scenario(lambda c, m, _: c.segment_video(m / "video.mp4", keep_asset=False)),
    "segment_audio": Scenario(lambda c, m, _: c.segment_audio(m / "sound.wav", keep_asset=False)),
    "segment_document": Scenario(lambda c, m, _: c.segment_document(m / "text.md")),
    "segment_image": Scenario(lambda c, m, _: c.segment_image(m / "picture.jpg")),
    "segment_many": Scenario(lambda c, m, _: every(c.segment_many([m / "video.mp4"]))),
    "submit": Scenario(lambda c, m, _: c.submit(m / "video.mp4")),
    "collect": Scenario(
        lambda c, _, ticket: c.collect(ticket, timeout=30), lambda c, m: c.submit(m / "video.mp4", keep_asset=True)
    ),
    "plan": Scenario(lambda c, m, _: c.plan([m / "video.mp4"])),
    "register": Scenario(lambda c, _, media: c.register(media), segmented),
    "content_of": Scenario(lambda c, m, _: c.content_of(m / "video.mp4")),
    "find_moments": Scenario(lambda c, _, __: c.find_moments([], np.zeros(512, np.float32)), registered),
    "moment_vector": Scenario(lambda c, _, ids: c.moment_vector(ids), registered),
    "find_vectors": Scenario(lambda c, _, ids: c.find_vectors(ids), registered),
    "find_vectors_by_text": Scenario(lambda c, _, ids: c.find_vectors_by_text([f"see {ids[0]}"]), registered),
    "legacy_v1.embed": Scenario(lambda c, _, __: c.legacy_v1.embed(text="red")),
    "legacy_v1.create_task": Scenario(lambda c, m, _: c.legacy_v1.create_task(video_file=m / "video.mp4")),
    "legacy_v1.task_status": Scenario(lambda c, _, id_: c.legacy_v1.task_status(id_), old_task),
    "legacy_v1.retrieve_task": Scenario(lambda c, _, id_: c.legacy_v1.retrieve_task(id_), old_task),
    "legacy_v1.list_tasks": Scenario(lambda c, _, __: every(c.legacy_v1.list_tasks())),
    "legacy_v1.wait_for_task": Scenario(lambda c, _, id_: c.legacy_v1.wait_for_task(id_), old_task),
}


@pytest.fixture(scope="module")
def media(media_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of every kind; long.mp4 has 60 chunks."""
    folder = tmp_path_factory.mktemp("endpoints")
    for name in ("video.mp4", "sound.wav", "picture.jpg"):
        (folder / name).write_bytes((media_folder / name).read_bytes())
    captions = [(0.5, 2.0, "a goalkeeper dives")]
    write_film(folder / "spoken.mkv", [Scene(color="red", seconds=5.0)], fps=5, captions=captions)
    (folder / "text.md").write_text("A red car. A blue lamp.")
    video_path = (folder / "video.mp4").read_bytes()
    (folder / "long.mp4").write_bytes(video_path + bytes(60 * CHUNK - len(video_path)))
    return folder


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `make table`"


def test_the_table_has_every_method_of_both_clients() -> None:
    options: dict[str, Any] = {"api_key": "tlk_sandbox_x", "base_url": "http://localhost", "store": ":memory:"}
    methods = set(methods_of(Client(**options)))
    assert methods == set(CALLS) == set(SCENARIOS)
    assert methods - set(methods_of(AsyncClient(**options))) == set()


def test_every_endpoint_of_the_vendor_has_a_method_and_a_route_in_the_sandbox() -> None:
    assert {endpoint for calls in CALLS.values() for endpoint in calls.endpoints} == VENDORS
    assert {endpoint for calls in CALLS.values() for endpoint in calls.also} <= VENDORS
    app: Any = create_app(Options(), clock=Clock(), faults=Faults(), requests=RequestLog())
    routes: list[Route] = [route for route in app._routes if not is_storage(route.path)]
    served = {f"{method} {route.path}" for route in routes for method in route.methods or () if method != "HEAD"}
    assert served == VENDORS


def cases(*, supported: bool) -> list[Any]:
    """Return (method, model) pairs: the models that the table lists for a method, or all others."""
    return [
        pytest.param(name, model, id=f"{name}-{model}")
        for name, calls in CALLS.items()
        for model in MODELS
        if (model in (calls.models or tuple(MODELS)[:1])) is supported and (supported or calls.models)
    ]


@pytest.mark.parametrize(("name", "model"), cases(supported=True))
async def test_a_method_calls_the_endpoints_of_the_table(connect: Connect, media: Path, name: str, model: str) -> None:
    calls, scenario = CALLS[name], SCENARIOS[name]
    with Sandbox(chunk_size=CHUNK) as sandbox:
        client = connect(api_key=sandbox.api_key, base_url=sandbox.base_url, model=model)
        prepared = await scenario.prepare(client, media) if scenario.prepare else None
        sandbox.clear_requests()
        await scenario.run(client, media, prepared)
        called = {f"{one.method} {one.template}" for one in sandbox.requests if not is_storage(one.path)}
        await client.close()
    assert called >= set(calls.endpoints), "the table lists an endpoint that it does not call"
    assert called <= {*calls.endpoints, *calls.also}, "it calls an endpoint that the table does not list"
    if name == "assets.create":  # the scenario uses every upload method
        assert called == {*calls.endpoints, *calls.also}


@pytest.mark.parametrize(("name", "model"), cases(supported=False))
async def test_a_method_refuses_the_models_that_the_table_does_not_list(
    connect: Connect, sandbox: Sandbox, media: Path, name: str, model: str
) -> None:
    client = connect(model=model)
    with pytest.raises(InputError, match="marengo"):
        await SCENARIOS[name].run(client, media, None)
    assert sandbox.count() == 0
    await client.close()
