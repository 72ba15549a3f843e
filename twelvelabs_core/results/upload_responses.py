"""Typed responses of the multipart upload and transcription endpoints, as frozen models.

As everywhere, strings lose keys and signatures; only the URLs and headers with which chunks are sent stay unchanged.
"""

from typing import Annotated, Any, Never

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, SecretStr

from twelvelabs_core.results.decode import read_json, validate, without_secrets
from twelvelabs_core.results.responses import EMPTY_FOR_NULL, Answer, Message, Number, PageInfo, PlainId, Time

UploadId = Annotated[PlainId, Field(validation_alias=AliasChoices("upload_id", "_id", "id"))]
Index = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=1, lt=2**53)]


class PresignedUrl(Answer):
    """The URL for the PUT request of one chunk. Valid once and for one hour; a password: never log or store it.

    Attributes:
        chunk_index: Number of the chunk, from 1.
        url: The URL; `url.get_secret_value()` shows it. Send the bytes with the session's `upload_headers` and
            without the API key.
        expires_at: When it expires (UTC), or None.

    Example:
        ```python
        (one,) = client.uploads.create_presigned_urls(upload_id, start=7, count=1)
        print(one.chunk_index, one.expires_at)
        ```
    """

    model_config = ConfigDict(extra="ignore")  # unknown fields may contain secrets

    chunk_index: Index
    url: SecretStr
    expires_at: Time | None = None

    def __reduce__(self) -> Never:
        raise TypeError("a presigned URL is a password and is not pickled; request another with create_presigned_urls.")


class MultipartUpload(Answer):
    """A session in which a large file is uploaded chunk by chunk. It lasts 24 hours.

    Attributes:
        upload_id: The session's id.
        asset_id: The id of the future asset; not usable before all chunks are uploaded.
        chunk_size: Bytes of each chunk; the last may have fewer.
        total_chunks: Number of chunks, or None.
        upload_urls: The URLs of the first chunks, possibly not of all. Not in `model_dump`.
        upload_headers: The headers that each chunk requires. Not in `model_dump`.
        expires_at: When the upload expires (UTC), or None.

    Example:
        ```python
        upload = client.uploads.create("match.mp4", asset_type="video", total_size=3_000_000_000)
        print(upload.upload_id, upload.chunk_size, upload.total_chunks)
        ```
    """

    upload_id: UploadId
    asset_id: PlainId
    chunk_size: Bytes
    total_chunks: Index | None = None
    upload_urls: Annotated[tuple[PresignedUrl, ...], EMPTY_FOR_NULL] = Field(default=(), repr=False, exclude=True)
    upload_headers: Annotated[dict[str, str], BeforeValidator(lambda value: value or {})] = Field(
        default_factory=dict, repr=False, exclude=True
    )
    expires_at: Time | None = None

    def __reduce__(self) -> Never:
        raise TypeError("an upload session contains presigned URLs and is not pickled; keep its upload_id.")


class ChunkBatchReport(Answer):
    """The response to a report of uploaded chunks.

    Attributes:
        asset_id: The id of the future asset, or None.
        processed_chunks: Number of chunks that were new.
        duplicate_chunks: Number of those reported before; harmless.
        total_completed: Number of all chunks reported so far, or None.
        url: The URL of the asset, without signature, once all chunks are uploaded; else None.

    Example:
        ```python
        report = client.uploads.report_chunk_batch(upload_id, chunks)
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
        for chunk in client.uploads.retrieve(upload_id).uploaded_chunks:
            print(chunk.index, chunk.status)
        ```
    """

    index: Index
    status: str
    uploaded_at: Time | None = None
    updated_at: Time | None = None
    error: Message = None


class MultipartUploadStatus(Answer):
    """The state of an upload.

    Attributes:
        upload_id: The session's id.
        status: `active`, `completed` (all received; the asset may still be processing), `failed` or `expired`.
        uploaded_chunks: The chunks that the server lists.
        chunks_completed: Number of chunks sent and reported, or None.
        chunks_pending: Number of chunks not yet reported, or None.
        chunks_failed: Number of chunks that must be sent again, or None.
        total_size: Bytes of the whole file, or None.
        uploaded_size: Bytes reported so far, or None.
        created_at: When the session was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.

    Example:
        ```python
        status = client.uploads.retrieve(upload_id)
        print(status.status, status.chunks_completed, sorted(status.completed))
        ```
    """

    upload_id: UploadId
    status: str
    uploaded_chunks: Annotated[tuple[UploadedChunk, ...], EMPTY_FOR_NULL] = ()
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
    """An unfinished upload, as lists contain it.

    Attributes:
        upload_id: The session's id.
        status: `active`, `failed` or `expired`.
        total_size: Bytes of the whole file, or None.
        chunk_size: Bytes of each chunk, or None.
        total_chunks: Number of chunks, or None.
        created_at: When the session was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.
        expires_at: When the upload expires (UTC), or None.

    Example:
        ```python
        for upload in client.uploads.list():
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
    """A word, sentence or utterance.

    Attributes:
        start: Where it starts, in seconds.
        end: Where it ends, in seconds.
        value: The spoken text.
        speaker: The speaker of an utterance, where known; else None.

    Example:
        ```python
        for word in client.assets.retrieve_transcription(asset_id).words:
            print(word.start, word.value)
        ```
    """

    start: Number
    end: Number
    value: str
    speaker: str | None = None


class Transcription(Answer):
    """The words spoken in an asset. Which of the three lists it has depends on the request and on the model.

    Attributes:
        status: `pending`, `processing`, `ready` or `failed`.
        words: One `TranscriptionEntry` for each word, or None.
        sentences: One for each sentence, or None.
        utterances: One for each utterance of a speaker, or None.
        error: Why it failed, or None.

    Example:
        ```python
        transcription = client.assets.retrieve_transcription(asset_id, include=["sentences"])
        for sentence in transcription.sentences or ():
            print(sentence.start, sentence.end, sentence.value)
        ```
    """

    status: str
    words: tuple[TranscriptionEntry, ...] | None = None
    sentences: tuple[TranscriptionEntry, ...] | None = None
    utterances: tuple[TranscriptionEntry, ...] | None = None
    error: Message = None


class _PresignedUrls(Answer):
    upload_urls: tuple[PresignedUrl, ...]
    expires_at: Time | None = None


def parse_multipart_upload(body: bytes) -> MultipartUpload:
    """Read the response of `POST /assets/multipart-uploads`."""
    return validate(MultipartUpload, _with_upload_secrets(body), "upload session")


def parse_presigned_urls(body: bytes) -> tuple[PresignedUrl, ...]:
    """Read the response of `POST /assets/multipart-uploads/{upload_id}/presigned-urls`."""
    answer = validate(_PresignedUrls, _with_upload_secrets(body), "presigned URLs")
    shared = {"expires_at": answer.expires_at}
    return tuple(url if url.expires_at else url.model_copy(update=shared) for url in answer.upload_urls)


def parse_upload_status(body: bytes) -> tuple[MultipartUploadStatus, PageInfo]:
    """Read one page of the response of `GET /assets/multipart-uploads/{upload_id}`."""
    fields = without_secrets(read_json(body))
    page_info = fields.pop("page_info", None) if isinstance(fields, dict) else None
    status = validate(MultipartUploadStatus, fields, "upload status")
    return status, PageInfo() if page_info is None else validate(PageInfo, page_info, "page_info")


def _with_upload_secrets(body: bytes) -> Any:
    """Return a JSON value without secrets, except those with which chunks are sent."""
    value = read_json(body)
    if not isinstance(value, dict):
        return value  # refused by the model
    kept = {name: value.pop(name) for name in ("upload_urls", "upload_headers") if name in value}
    return without_secrets(value) | kept
