"""Reads and validates the JSON bodies of multipart uploads."""

from dataclasses import dataclass
from typing import Literal

from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.limits import IMAGE_BYTES, MULTIPART_BYTES, size_message
from twelvelabs_sandbox.requests.assets import UserMetadata, check_filename, check_metadata, drop_blanks
from twelvelabs_sandbox.requests.fields import Fields

UploadKind = Literal["video", "audio", "image"]
KINDS: tuple[UploadKind, ...] = ("video", "audio", "image")
CREATE_FIELDS = ("filename", "type", "total_size", "enable_hls", "enable_thumbnail", "user_metadata")
CHUNK_FIELDS = ("chunk_index", "proof", "proof_type", "chunk_size")
MAX_REPORTED_CHUNKS = 50
# No file within the size limit has more chunks, even of one byte.
MAX_CHUNK_INDEX = MULTIPART_BYTES


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A validated request for a new upload; ``total_size`` in bytes."""

    filename: str
    kind: UploadKind
    total_size: int
    user_metadata: UserMetadata | None
    enable_hls: bool = False
    enable_thumbnail: bool = False


@dataclass(frozen=True, slots=True)
class CompletedChunk:
    """A chunk that the client reports as uploaded."""

    index: int
    proof: str
    size: int


def create_body(body: object) -> UploadRequest:
    """Read ``POST /assets/multipart-uploads``."""
    fields = Fields(body, "", CREATE_FIELDS)
    filename = check_filename(fields.text("filename"))
    chosen = fields.choice("type", KINDS)
    kind = next(kind for kind in KINDS if kind == chosen)
    total_size = fields.integer("total_size", 1, 2**53)
    limit = IMAGE_BYTES if kind == "image" else MULTIPART_BYTES
    if total_size > limit:
        raise invalid(size_message(total_size, limit))
    hls, thumbnail = (name in fields and fields.flag(name) for name in ("enable_hls", "enable_thumbnail"))
    metadata = (
        drop_blanks(check_metadata(fields.any("user_metadata"), nulls=True)) if "user_metadata" in fields else None
    )
    return UploadRequest(filename, kind, total_size, metadata, hls, thumbnail)


def report_body(body: object) -> list[CompletedChunk]:
    """Read ``POST /assets/multipart-uploads/{upload_id}``."""
    return [
        _part(item)
        for item in Fields(body, "", ("completed_chunks",)).inners(
            "completed_chunks", CHUNK_FIELDS, MAX_REPORTED_CHUNKS
        )
    ]


def urls_body(body: object) -> tuple[int, int]:
    """Read ``POST /assets/multipart-uploads/{upload_id}/presigned-urls``: the first chunk and the number of chunks."""
    fields = Fields(body, "", ("start", "count"))
    return fields.integer("start", 1, MAX_CHUNK_INDEX), fields.integer("count", 1, MAX_REPORTED_CHUNKS)


def _part(item: Fields) -> CompletedChunk:
    item.choice("proof_type", ("etag",))
    return CompletedChunk(
        item.integer("chunk_index", 1, MAX_CHUNK_INDEX),
        item.text("proof"),
        item.integer("chunk_size", 1, MULTIPART_BYTES),
    )
