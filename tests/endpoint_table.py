"""The endpoints that each method of a client calls; `python -m tests.endpoint_table` writes them to docs/endpoints.md.

`tests/core/api/test_endpoints.py` compares this table with the requests that the methods send.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DOCUMENT = Path(__file__).parents[1] / "docs" / "endpoints.md"
RESOURCES = ("tasks", "assets", "uploads", "legacy_v1")
# The public methods that do not belong to an endpoint.
_LIFETIME = {"close"}


class Calls(NamedTuple):
    """The endpoints of one method.

    Attributes:
        endpoints: The endpoints that it always calls.
        also: The endpoints that it calls if needed, for example for local files.
        models: The models it supports; empty if no model is involved.
    """

    endpoints: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


_30, _35 = ("marengo3.0",), ("marengo3.5",)
_BOTH = _30 + _35

_EMBED = ("POST /embed-v2",)
_TASKS, _TASK = "/embed-v2/tasks", "/embed-v2/tasks/{task_id}"
_ASSET = "/assets/{asset_id}"
_TRANSCRIPTION = f"GET {_ASSET}/transcription"
_UPLOADS, _UPLOAD = "/assets/multipart-uploads", "/assets/multipart-uploads/{upload_id}"
_V1_TASK = "/embed/tasks/{task_id}"

# A local file becomes an asset in one request, or in chunks.
_IN_CHUNKS = (f"POST {_UPLOADS}", f"POST {_UPLOAD}", f"POST {_UPLOAD}/presigned-urls", f"GET {_UPLOAD}")
_AS_ASSET = ("POST /assets", f"GET {_ASSET}", *_IN_CHUNKS)
# Also: the list of tasks, to wait for several or to find a task whose creation was interrupted; the transcription; and
# the deletion that `keep_asset=False` requests.
_PAID_ONCE = (*_AS_ASSET, f"GET {_TASKS}", _TRANSCRIPTION, f"DELETE {_ASSET}")

CALLS: dict[str, Calls] = {
    "embed_text": Calls(_EMBED, models=_BOTH),
    "embed_texts": Calls(_EMBED, models=_BOTH),
    "embed_image": Calls(_EMBED, models=_BOTH),
    "embed_images": Calls(_EMBED, models=_BOTH),
    "embed_text_image": Calls(_EMBED, models=_BOTH),
    "embed_multi_input": Calls(_EMBED, models=_BOTH),
    "embed_audio": Calls(_EMBED, _AS_ASSET, _30),
    "embed_video": Calls(_EMBED, _AS_ASSET, _30),
    "embed_clip": Calls(_EMBED, _AS_ASSET, _BOTH),
    "embed_clips": Calls(_EMBED, _AS_ASSET, _BOTH),
    "segment_video": Calls((f"POST {_TASKS}", f"GET {_TASK}"), _PAID_ONCE, _BOTH),
    "segment_audio": Calls((f"POST {_TASKS}", f"GET {_TASK}"), _PAID_ONCE, _BOTH),
    "segment_document": Calls((f"POST {_TASKS}", f"GET {_TASK}"), _PAID_ONCE, _35),
    "segment_image": Calls((f"POST {_TASKS}", f"GET {_TASK}"), _PAID_ONCE, _35),
    "segment_many": Calls((f"POST {_TASKS}", f"GET {_TASK}"), _PAID_ONCE, _BOTH),
    "submit": Calls((f"POST {_TASKS}",), _PAID_ONCE, _BOTH),
    "collect": Calls((f"GET {_TASK}",), (), _BOTH),
    "register": Calls(),
    "plan": Calls(),
    "content_of": Calls(),
    "find_vectors": Calls(),
    "find_moments": Calls(),
    "moment_vector": Calls(),
    "find_vectors_by_text": Calls(),
    "tasks.create_audio": Calls((f"POST {_TASKS}",), _AS_ASSET, _BOTH),
    "tasks.create_video": Calls((f"POST {_TASKS}",), _AS_ASSET, _BOTH),
    "tasks.create_document": Calls((f"POST {_TASKS}",), _AS_ASSET, _35),
    "tasks.create_image": Calls((f"POST {_TASKS}",), _AS_ASSET, _35),
    "tasks.retrieve": Calls((f"GET {_TASK}",)),
    "tasks.list": Calls((f"GET {_TASKS}",)),
    "tasks.wait": Calls((f"GET {_TASK}",), (f"GET {_TASKS}",)),
    "assets.create": Calls(("POST /assets",), (*_IN_CHUNKS, f"GET {_ASSET}")),
    "assets.retrieve": Calls((f"GET {_ASSET}",)),
    "assets.list": Calls(("GET /assets",)),
    "assets.delete": Calls((f"DELETE {_ASSET}",)),
    "assets.wait": Calls((f"GET {_ASSET}",)),
    "assets.retrieve_transcription": Calls((_TRANSCRIPTION,)),
    "assets.update_user_metadata": Calls((f"PATCH {_ASSET}/user-metadata",)),
    "assets.replace_user_metadata": Calls((f"PUT {_ASSET}/user-metadata",)),
    "assets.delete_user_metadata": Calls((f"DELETE {_ASSET}/user-metadata",)),
    "uploads.create": Calls((f"POST {_UPLOADS}",)),
    "uploads.create_presigned_urls": Calls((f"POST {_UPLOAD}/presigned-urls",)),
    "uploads.report_chunk_batch": Calls((f"POST {_UPLOAD}",)),
    "uploads.retrieve": Calls((f"GET {_UPLOAD}",)),
    "uploads.list": Calls((f"GET {_UPLOADS}",)),
    "legacy_v1.embed": Calls(("POST /embed",), models=_30),
    "legacy_v1.create_task": Calls(("POST /embed/tasks",), models=_30),
    "legacy_v1.task_status": Calls((f"GET {_V1_TASK}/status",)),
    "legacy_v1.retrieve_task": Calls((f"GET {_V1_TASK}",)),
    "legacy_v1.list_tasks": Calls(("GET /embed/tasks",)),
    "legacy_v1.wait_for_task": Calls((f"GET {_V1_TASK}/status", f"GET {_V1_TASK}")),
}

_HEAD = """# Endpoints

Every endpoint of the embed API and of uploads has a method in `Client` and, under the same name, in `AsyncClient`.
Where several methods call an endpoint, only those are listed that always call it.

| endpoint | method | models |
| --- | --- | --- |
"""


def methods_of(client: Any) -> Iterator[str]:
    """Yield the public methods of a client as they are called on it, such as `tasks.create_video`."""
    for prefix, holder in (("", client), *((f"{name}.", getattr(client, name)) for name in RESOURCES)):
        for name in dir(type(holder)):
            if not name.startswith("_") and name not in _LIFETIME and callable(getattr(type(holder), name)):
                yield prefix + name


def document() -> str:
    """Return the document: one row for each endpoint and set of models."""
    methods: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, calls in CALLS.items():
        for endpoint in calls.endpoints:
            methods.setdefault((endpoint, calls.models), []).append(name)
    rows = [
        f"| `{endpoint}` | {', '.join(f'`{name}`' for name in sorted(names))} | {', '.join(models) or '-'} |\n"
        for (endpoint, models), names in sorted(methods.items(), key=lambda item: _order(*item[0]))
    ]
    return _HEAD + "".join(rows)


def _order(endpoint: str, models: tuple[str, ...]) -> tuple[Any, ...]:
    method, _, path = endpoint.partition(" ")
    families = ("/embed-v2", "/assets", "/embed")
    family = next(number for number, start in enumerate(families) if path.startswith(start))
    return family, path, method != "POST", method, -len(models), models != _30


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")
