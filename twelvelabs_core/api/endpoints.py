"""What each operation asks of the API, declared beside its code. The table in the README is made of it.

Tests hold every declaration against what the operation really sends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from twelvelabs_core.models.marengo import MODELS

F = TypeVar("F", bound=Callable[..., Any])
_ATTRIBUTE = "__calls__"


@dataclass(frozen=True, slots=True)
class Calls:
    """The endpoints of one operation.

    Attributes:
        endpoints: Method and path of those that it is for, such as `GET /assets/{asset_id}`; none: it asks no one.
        also: Those that it calls where they are needed, as for local files.
        models: The models that it embeds with; empty where no model is involved.
    """

    endpoints: tuple[str, ...]
    also: tuple[str, ...]
    models: tuple[str, ...]


def calls(*endpoints: str, also: Sequence[str] = (), models: Sequence[str] = ()) -> Callable[[F], F]:
    """Declare what the decorated operation asks of the API; see `Calls`. It stays the function that it is."""

    def declare(operation: F) -> F:
        setattr(operation, _ATTRIBUTE, Calls(endpoints, tuple(also), tuple(models)))
        return operation

    return declare


def calls_of(operation: Callable[..., Any]) -> Calls | None:
    """Return what an operation declares, or None."""
    found = getattr(operation, _ATTRIBUTE, None)
    return found if isinstance(found, Calls) else None


EVERY_MODEL = tuple(MODELS)

POST_EMBED = "POST /embed-v2"
POST_TASKS = "POST /embed-v2/tasks"
GET_TASKS = "GET /embed-v2/tasks"
GET_TASK = "GET /embed-v2/tasks/{task_id}"
POST_ASSETS = "POST /assets"
GET_ASSETS = "GET /assets"
GET_ASSET = "GET /assets/{asset_id}"
DELETE_ASSET = "DELETE /assets/{asset_id}"
GET_TRANSCRIPTION = "GET /assets/{asset_id}/transcription"
USER_METADATA = "/assets/{asset_id}/user-metadata"
POST_UPLOADS = "POST /assets/multipart-uploads"
GET_UPLOADS = "GET /assets/multipart-uploads"
GET_UPLOAD = "GET /assets/multipart-uploads/{upload_id}"
POST_UPLOAD = "POST /assets/multipart-uploads/{upload_id}"
POST_URLS = "POST /assets/multipart-uploads/{upload_id}/presigned-urls"
V1_POST_EMBED = "POST /embed"
V1_POST_TASKS = "POST /embed/tasks"
V1_GET_TASKS = "GET /embed/tasks"
V1_GET_TASK = "GET /embed/tasks/{task_id}"
V1_GET_STATUS = "GET /embed/tasks/{task_id}/status"

# How a local file becomes an asset: in one request, or in chunks.
IN_CHUNKS = (POST_UPLOADS, POST_UPLOAD, POST_URLS, GET_UPLOAD)
AS_ASSET = (POST_ASSETS, GET_ASSET, *IN_CHUNKS)
# The same; the list, where several are waited for or a create broke off; words; and what `keep_asset=False` asks for.
PAID_ONCE = (*AS_ASSET, GET_TASKS, GET_TRANSCRIPTION, DELETE_ASSET)
