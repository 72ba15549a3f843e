"""The body of an answer about uploads or transcriptions -> one of its models; deviations are `APIResponseError`s.

As everywhere, texts lose keys and signatures; only the URLs and headers with which chunks are sent stay as they came.
"""

from typing import Any

from twelvelabs_core._answers import Page, PageInfo
from twelvelabs_core._answers_uploads import (
    ChunkBatchReport,
    MultipartUpload,
    MultipartUploadStatus,
    MultipartUploadSummary,
    PresignedUrl,
    Transcription,
)
from twelvelabs_core._json import deviation, read_json, without_secrets
from twelvelabs_core._responses import parse_page, validate

_NEEDED_AS_SENT = ("upload_urls", "upload_headers")


def parse_multipart_upload(body: bytes) -> MultipartUpload:
    """Read the answer of `POST /assets/multipart-uploads`."""
    return validate(MultipartUpload, _object(body, "upload session"), "upload session")


def parse_presigned_urls(body: bytes) -> tuple[PresignedUrl, ...]:
    """Read the answer of `POST /assets/multipart-uploads/{upload_id}/presigned-urls`."""
    fields = _object(body, "presigned URLs")
    items = fields.get("upload_urls")
    if not isinstance(items, list):
        raise deviation("presigned URLs", "field `upload_urls` is not an array")
    shared = {"expires_at": fields.get("expires_at")}
    return tuple(
        validate(PresignedUrl, shared | item if isinstance(item, dict) else item, f"upload_urls[{index}]")
        for index, item in enumerate(items)
    )


def parse_chunk_batch_report(body: bytes) -> ChunkBatchReport:
    """Read the answer of `POST /assets/multipart-uploads/{upload_id}`."""
    return validate(ChunkBatchReport, without_secrets(read_json(body)), "chunk report")


def parse_upload_status(body: bytes) -> tuple[MultipartUploadStatus, PageInfo]:
    """Read one page of the answer of `GET /assets/multipart-uploads/{upload_id}`."""
    fields = _object(body, "upload status")
    page_info = fields.pop("page_info", None)
    status = validate(MultipartUploadStatus, fields, "upload status")
    return status, PageInfo() if page_info is None else validate(PageInfo, page_info, "page_info")


def parse_upload_page(body: bytes) -> Page[MultipartUploadSummary]:
    """Read the answer of `GET /assets/multipart-uploads`."""
    return parse_page(body, lambda item, where: validate(MultipartUploadSummary, item, where))


def parse_transcription(body: bytes) -> Transcription:
    """Read the answer of `GET /assets/{asset_id}/transcription`."""
    return validate(Transcription, without_secrets(read_json(body)), "transcription")


def _object(body: bytes, where: str) -> dict[str, Any]:
    value = read_json(body)
    if not isinstance(value, dict):
        raise deviation(where, "is not an object")
    needed = {name: value[name] for name in _NEEDED_AS_SENT if name in value}
    plain: dict[str, Any] = without_secrets({name: item for name, item in value.items() if name not in needed})
    return plain | needed
