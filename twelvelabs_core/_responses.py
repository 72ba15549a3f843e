"""The body of an answer -> one of the models; every deviation from the documented shape is an `APIResponseError`.

Texts lose API keys and the signatures of URLs before anything is kept; `user_metadata` and thumbnail links do too.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError

from twelvelabs_core._answers import (
    Answer,
    Asset,
    Embedding,
    MediaMetadata,
    Page,
    PageInfo,
    Task,
    TaskSummary,
    Usage,
)
from twelvelabs_core._decode import Split, VectorSplitter
from twelvelabs_core._errors import APIResponseError
from twelvelabs_core._json import deviation, read_json, without_secrets
from twelvelabs_core._rows import read_rows
from twelvelabs_core._segments import Matrix, Segments

__all__ = [
    "Asset",
    "Embedding",
    "MediaMetadata",
    "Page",
    "PageInfo",
    "Task",
    "TaskSummary",
    "Usage",
    "parse_asset",
    "parse_asset_page",
    "parse_created_task",
    "parse_embedding",
    "parse_metadata",
    "parse_segments",
    "parse_task",
    "parse_task_page",
]

T = TypeVar("T", bound=Answer)


def parse_task(split: Split) -> Task:
    """Read the answer of `GET /embed-v2/tasks/{task_id}`, with the vectors of a task that is ready."""
    data, body = _without_data(split, "task")
    task = validate(Task, body | {"segments": None}, "task")
    if not data and task.status != "ready" and not len(split.vectors):
        return task
    rows = read_rows(data, split, task.metadata.input_type if task.metadata else None)
    return task.model_copy(update={"segments": rows.segments()})


def parse_created_task(body: bytes) -> Task:
    """Read the answer of `POST /embed-v2/tasks`: the id of a task that has just begun."""
    splitter = VectorSplitter()
    splitter.feed(body)
    return parse_task(splitter.finish())


def parse_embedding(split: Split) -> Embedding:
    """Read the answer of `POST /embed-v2` for one text, image, or mixture: exactly one vector."""
    data, body = _without_data(split, "embedding")
    rows = read_rows(data, split, None)
    if len(rows.loci) != 1:
        raise APIResponseError(f"The response has {len(rows.loci)} embeddings in `data` where one was expected.")
    vectors = {"vector": _only_row(rows.vectors), "uncertainty": _only_row(rows.uncertainty)}
    return validate(Embedding, body | vectors, "embedding")


def parse_segments(split: Split) -> Segments:
    """Read the vectors in the answer of `POST /embed-v2` for audio or video."""
    metadata = parse_metadata(split)
    data, _ = _without_data(split, "embedding")
    return read_rows(data, split, metadata.input_type if metadata else None).segments()


def parse_metadata(split: Split) -> MediaMetadata | None:
    """Read what the answer of `POST /embed-v2` says about the medium, such as its duration."""
    _, body = _without_data(split, "embedding")
    metadata = body.get("metadata")
    return None if metadata is None else validate(MediaMetadata, metadata, "metadata")


def parse_asset(body: bytes) -> Asset:
    """Read the answer of `POST /assets` and `GET /assets/{asset_id}`."""
    return validate(Asset, without_secrets(read_json(body)), "asset")


def parse_task_page(body: bytes) -> Page[TaskSummary]:
    """Read the answer of `GET /embed-v2/tasks`."""
    return parse_page(body, task_summary)


def parse_asset_page(body: bytes) -> Page[Asset]:
    """Read the answer of `GET /assets`."""
    return parse_page(body, lambda item, where: validate(Asset, item, where))


def _only_row(matrix: Matrix | None) -> Matrix | None:
    if matrix is None:
        return None
    matrix.setflags(write=False)
    row: Matrix = matrix[0]
    return row


def _without_data(split: Split, what: str) -> tuple[Any, dict[str, Any]]:
    """Return `data` and the other fields, the latter without secrets; vectors are never copied."""
    if not isinstance(split.rest, dict):
        raise deviation(what, "is not an object")
    others = {name: value for name, value in split.rest.items() if name != "data"}
    return split.rest.get("data"), without_secrets(others)


def parse_page(body: bytes, parse_item: Callable[[Any, str], T]) -> Page[T]:
    """Read one page of a list."""
    page = without_secrets(read_json(body))
    if not isinstance(page, dict) or "data" not in page:
        raise deviation("list", "has no field `data`")
    items = [] if page["data"] is None else page["data"]
    if not isinstance(items, list):
        raise deviation("list", "field `data` is not an array")
    parsed = tuple(parse_item(item, f"data[{index}]") for index, item in enumerate(items))
    page_info = page.get("page_info")
    return Page(parsed, PageInfo() if page_info is None else validate(PageInfo, page_info, "page_info"))


def task_summary(item: Any, where: str) -> TaskSummary:
    """Read an item of a list, whose metadata stand in `video_embedding`, `audio_embedding`..., by older names."""
    if not isinstance(item, dict):
        raise deviation(where, "is not an object")
    fields = dict(item)
    for name in ("video_embedding", "audio_embedding", "document_embedding", "image_embedding"):
        embedding = fields.pop(name, None)
        if embedding is None:
            continue
        if not isinstance(embedding, dict) or not isinstance(embedding.get("metadata", {}), dict | None):
            raise deviation(where, f"field `{name}.metadata` is not an object")
        fields["metadata"] = current_names(name.removesuffix("_embedding"), embedding.get("metadata") or {})
    return validate(TaskSummary, fields, where)


def current_names(kind: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Rename `video_embedding_option`, `audio_embedding_scopes`, `video_clip_length`... as tasks have them."""
    names = {f"{kind}_clip_length": "clip_length"}
    for singular in ("option", "scope"):
        for name in (f"{kind}_embedding_{singular}", f"{kind}_embedding_{singular}s"):
            names[name] = f"embedding_{singular}s"
    return {"input_type": kind} | {names.get(name, name): value for name, value in metadata.items()}


def validate(model: type[T], fields: Any, where: str) -> T:
    """Return the fields as the model, or say which of them is not as documented."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        # The library's own error quotes the input, which may hold what must not be shown.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise deviation(where, f"field `{path}`: {reason}" if path else reason) from None
