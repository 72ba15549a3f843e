"""The shapes of what the API answers about multipart uploads and transcriptions, as frozen models.

The body of an answer about uploads or transcriptions -> one of its models; deviations are `APIResponseError`s.

As everywhere, texts lose keys and signatures; only the URLs and headers with which chunks are sent stay as they came.
"""

from typing import Annotated, Any, Never

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, SecretStr

from twelvelabs_core.results.decode import deviation, read_json, without_secrets
from twelvelabs_core.results.responses import (
    Answer,
    Message,
    Number,
    Page,
    PageInfo,
    Time,
    none_as_empty,
    parse_page,
    validate,
)

UploadId = Annotated[str, Field(min_length=1, validation_alias=AliasChoices("upload_id", "_id", "id"))]
Index = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=1)]


class PresignedUrl(Answer):
    """Where to PUT one chunk. It works once, for an hour, and is as good as a password: never log or store it.

    Attributes:
        chunk_index: Number of the chunk, from 1.
        url: The URL; `url.get_secret_value()` shows it. Send the bytes with the session's `upload_headers` and
            without the API key.
        expires_at: Until when it works (UTC), or None.

    Example:
        ```python
        (one,) = client.create_presigned_urls(upload_id, start=7, count=1)
        print(one.chunk_index, one.expires_at)
        ```
    """

    model_config = ConfigDict(extra="ignore")  # what else stands there may be a secret too

    chunk_index: Index
    url: SecretStr
    expires_at: Time | None = None

    def __reduce__(self) -> Never:
        raise TypeError("a presigned URL is a password and is not pickled; ask for another with create_presigned_urls.")


class MultipartUpload(Answer):
    """A session in which a large file is uploaded chunk by chunk. It lasts 24 hours.

    Attributes:
        upload_id: The session's id.
        asset_id: The asset that it will become; reserved, of no use before all chunks are in.
        chunk_size: Bytes of each chunk; the last may have fewer.
        total_chunks: Number of chunks, or None.
        upload_urls: Where the first chunks go, maybe not all. Left out of `model_dump`.
        upload_headers: Headers that each chunk must be sent with. Left out of `model_dump`.
        expires_at: Until when chunks are taken (UTC), or None.

    Example:
        ```python
        upload = client.create_multipart_upload("match.mp4", asset_type="video", total_size=3_000_000_000)
        print(upload.upload_id, upload.chunk_size, upload.total_chunks)
        ```
    """

    upload_id: UploadId
    asset_id: Annotated[str, Field(min_length=1)]
    chunk_size: Bytes
    total_chunks: Index | None = None
    upload_urls: Annotated[tuple[PresignedUrl, ...], BeforeValidator(none_as_empty)] = Field(
        default=(), repr=False, exclude=True
    )
    upload_headers: Annotated[dict[str, str], BeforeValidator(lambda value: value or {})] = Field(
        default_factory=dict, repr=False, exclude=True
    )
    expires_at: Time | None = None

    def __reduce__(self) -> Never:
        raise TypeError("an upload session holds presigned URLs and is not pickled; keep its upload_id.")


class ChunkBatchReport(Answer):
    """What the API made of a report.

    Attributes:
        asset_id: The asset that the upload will become, or None.
        processed_chunks: Number of chunks that were new.
        duplicate_chunks: Number of those reported before; harmless.
        total_completed: Number of all chunks reported so far, or None.
        url: Where the asset is, without signature, once all chunks are in; else None.

    Example:
        ```python
        report = client.report_chunk_batch(upload_id, chunks)
        print(report.total_completed, report.url is not None)
        ```
    """

    asset_id: str | None = None
    processed_chunks: Count = 0
    duplicate_chunks: Count = 0
    total_completed: Count | None = None
    url: str | None = None


class UploadedChunk(Answer):
    """One chunk as the server knows it.

    Attributes:
        index: Number of the chunk, from 1.
        status: `completed` (sent and reported), `pending` (not yet reported) or `failed` (send it again).
        uploaded_at: When it was reported (UTC), or None.
        updated_at: When this last changed (UTC), or None.
        error: Why it failed, or None.

    Example:
        ```python
        for chunk in client.retrieve_multipart_upload(upload_id).uploaded_chunks:
            print(chunk.index, chunk.status)
        ```
    """

    index: Index
    status: str
    uploaded_at: Time | None = None
    updated_at: Time | None = None
    error: Message = None


class MultipartUploadStatus(Answer):
    """How far an upload is.

    Attributes:
        upload_id: The session's id.
        status: `active`, `completed` (all received; the asset may still be processing), `failed` or `expired`.
        uploaded_chunks: The chunks that the server lists.
        chunks_completed: Number of chunks sent and reported, or None.
        chunks_pending: Number of chunks not yet reported, or None.
        chunks_failed: Number of chunks to be sent again, or None.
        total_size: Bytes of the whole file, or None.
        uploaded_size: Bytes reported so far, or None.
        created_at: When the session was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.

    Example:
        ```python
        status = client.retrieve_multipart_upload(upload_id)
        print(status.status, status.chunks_completed, sorted(status.completed))
        ```
    """

    upload_id: UploadId
    status: str
    uploaded_chunks: Annotated[tuple[UploadedChunk, ...], BeforeValidator(none_as_empty)] = ()
    chunks_completed: Count | None = None
    chunks_pending: Count | None = None
    chunks_failed: Count | None = None
    total_size: Count | None = None
    uploaded_size: Count | None = None
    created_at: Time | None = None
    updated_at: Time | None = None

    @property
    def completed(self) -> frozenset[int]:
        """The numbers of the chunks that the server has."""
        return frozenset(chunk.index for chunk in self.uploaded_chunks if chunk.status == "completed")


class MultipartUploadSummary(Answer):
    """An unfinished upload as lists show it.

    Attributes:
        upload_id: The session's id.
        status: `active`, `failed` or `expired`.
        total_size: Bytes of the whole file, or None.
        chunk_size: Bytes of each chunk, or None.
        total_chunks: Number of chunks, or None.
        created_at: When the session was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.
        expires_at: Until when chunks are taken (UTC), or None.

    Example:
        ```python
        for upload in client.list_multipart_uploads():
            print(upload.upload_id, upload.total_size, upload.created_at)
        ```
    """

    upload_id: UploadId
    status: str
    total_size: Count | None = None
    chunk_size: Count | None = None
    total_chunks: Count | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    expires_at: Time | None = None


class TranscriptionEntry(Answer):
    """A word, sentence or speaker's turn.

    Attributes:
        start: Where it starts, in seconds.
        end: Where it ends, in seconds.
        value: What was said.
        speaker: Who said it, for utterances where it is known; else None.

    Example:
        ```python
        for word in client.retrieve_transcription(asset_id).words:
            print(word.start, word.value)
        ```
    """

    start: Number
    end: Number
    value: str
    speaker: str | None = None


class Transcription(Answer):
    """The words spoken in an asset. Which of the three kinds there are depends on what was asked for and on the model.

    Attributes:
        status: `pending`, `processing`, `ready` or `failed`.
        words: One `TranscriptionEntry` a word, or None.
        sentences: One a sentence, or None.
        utterances: One a speaker's turn, or None.
        error: Why it failed, or None.

    Example:
        ```python
        transcription = client.retrieve_transcription(asset_id, include=["sentences"])
        for sentence in transcription.sentences or ():
            print(sentence.start, sentence.end, sentence.value)
        ```
    """

    status: str
    words: tuple[TranscriptionEntry, ...] | None = None
    sentences: tuple[TranscriptionEntry, ...] | None = None
    utterances: tuple[TranscriptionEntry, ...] | None = None
    error: Message = None


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
