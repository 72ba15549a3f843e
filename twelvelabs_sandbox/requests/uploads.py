"""The JSON bodies of multipart uploads, read strictly."""

from dataclasses import dataclass
from typing import Literal

from twelvelabs_sandbox.requests.fields import Fields
from twelvelabs_sandbox.requests.assets import UserMetadata
from twelvelabs_sandbox.requests.assets import checked_filename
from twelvelabs_sandbox.requests.assets import checked_metadata
from twelvelabs_sandbox.requests.assets import without_blanks
from twelvelabs_sandbox.limits import IMAGE_BYTES
from twelvelabs_sandbox.limits import MULTIPART_BYTES
from twelvelabs_sandbox.limits import size_message
from twelvelabs_sandbox.errors import invalid

UploadKind = Literal["video", "audio", "image"]
KINDS: tuple[UploadKind, ...] = ("video", "audio", "image")
CREATE_FIELDS = ("filename", "type", "total_size", "enable_hls", "enable_thumbnail", "user_metadata")
CHUNK_FIELDS = ("chunk_index", "proof", "proof_type", "chunk_size")
MOST_PARTS = 50
# More than any file that is allowed has, whatever the size of its parts.
MAX_CHUNK_INDEX = MULTIPART_BYTES


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What a session was opened for; ``total_size`` in bytes."""

    filename: str
    kind: UploadKind
    total_size: int
    user_metadata: UserMetadata | None
    enable_hls: bool = False
    enable_thumbnail: bool = False


@dataclass(frozen=True, slots=True)
class CompletedChunk:
    """One part that a client says it has sent."""

    index: int
    proof: str
    size: int


def create_body(body: object) -> UploadRequest:
    """Read ``POST /assets/multipart-uploads``."""
    fields = Fields(body, "", CREATE_FIELDS)
    filename = checked_filename(fields.text("filename"))
    chosen = fields.choice("type", KINDS)
    kind = next(kind for kind in KINDS if kind == chosen)
    total_size = fields.integer("total_size", 1, 2**53)
    limit = IMAGE_BYTES if kind == "image" else MULTIPART_BYTES
    if total_size > limit:
        raise invalid(size_message(total_size, limit))
    hls, thumbnail = (name in fields and fields.flag(name) for name in ("enable_hls", "enable_thumbnail"))
    metadata = (
        without_blanks(checked_metadata(fields.any("user_metadata"), nulls=True)) if "user_metadata" in fields else None
    )
    return UploadRequest(filename, kind, total_size, metadata, hls, thumbnail)


def report_body(body: object) -> list[CompletedChunk]:
    """Read ``POST /assets/multipart-uploads/{upload_id}``."""
    return [
        _part(item)
        for item in Fields(body, "", ("completed_chunks",)).inners("completed_chunks", CHUNK_FIELDS, MOST_PARTS)
    ]


def links_body(body: object) -> tuple[int, int]:
    """Read ``POST /assets/multipart-uploads/{upload_id}/presigned-urls``: the first part and how many."""
    fields = Fields(body, "", ("start", "count"))
    return fields.integer("start", 1, MAX_CHUNK_INDEX), fields.integer("count", 1, MOST_PARTS)


def _part(item: Fields) -> CompletedChunk:
    item.choice("proof_type", ("etag",))
    return CompletedChunk(
        item.integer("chunk_index", 1, MAX_CHUNK_INDEX),
        item.text("proof"),
        item.integer("chunk_size", 1, MULTIPART_BYTES),
    )
