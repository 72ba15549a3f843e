"""One client for TwelveLabs' embed API: text, images, and long audio and video as paid-once segments.

Knows no framework; `langchain_twelvelabs` and `llama_index_twelvelabs` stand on it.
"""

from twelvelabs_core._answers_uploads import (
    ChunkBatchReport,
    MultipartUpload,
    MultipartUploadStatus,
    MultipartUploadSummary,
    PresignedUrl,
    Transcription,
    TranscriptionEntry,
    UploadedChunk,
)
from twelvelabs_core._answers_v1 import LegacyEmbedding, LegacyPart, LegacyTask
from twelvelabs_core._clients import AsyncClient, Client
from twelvelabs_core._errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    Failure,
    IngestionError,
    InputError,
    NotFoundError,
    RateLimitError,
    SegmentNotFoundError,
    ServerError,
    TaskError,
    TaskFailedError,
    TaskTimeoutError,
    TwelveLabsError,
)
from twelvelabs_core._failure_report import OnError
from twelvelabs_core._legacy_v1 import AsyncLegacyV1, LegacyV1
from twelvelabs_core._media import Media, MediaInput
from twelvelabs_core._multi_input import MediaSource
from twelvelabs_core._options import SegmentOptions, TimeBasedMetadata
from twelvelabs_core._progress import OnProgress, Progress
from twelvelabs_core._rate_limiter import RateLimiter
from twelvelabs_core._records import SegmentedMedia, SegmentRecord
from twelvelabs_core._references import parse_query, parse_reference, readable_text, strip_reference
from twelvelabs_core._responses import Asset, Embedding, MediaMetadata, Task, TaskSummary, Usage
from twelvelabs_core._segmentations import (
    DynamicSegmentation,
    FixedSegmentation,
    Segmentation,
    SequentialSegmentation,
    SpatialSegmentation,
)
from twelvelabs_core._segments import Locus, Segment, Segments
from twelvelabs_core._settings import Settings
from twelvelabs_core._store import SegmentStore, StoredVector, StoreInfo, TaskEntry, UploadEntry
from twelvelabs_core._transcript import Word
from twelvelabs_core._uploading import CompletedChunk
from twelvelabs_core._user_metadata import UserMetadata

__all__ = [
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "Asset",
    "AsyncClient",
    "AsyncLegacyV1",
    "AuthenticationError",
    "BadRequestError",
    "ChunkBatchReport",
    "Client",
    "CompletedChunk",
    "ConfigurationError",
    "DynamicSegmentation",
    "Embedding",
    "Failure",
    "FixedSegmentation",
    "IngestionError",
    "InputError",
    "LegacyEmbedding",
    "LegacyPart",
    "LegacyTask",
    "LegacyV1",
    "Locus",
    "Media",
    "MediaInput",
    "MediaMetadata",
    "MediaSource",
    "MultipartUpload",
    "MultipartUploadStatus",
    "MultipartUploadSummary",
    "NotFoundError",
    "OnError",
    "OnProgress",
    "PresignedUrl",
    "Progress",
    "RateLimitError",
    "RateLimiter",
    "Segment",
    "SegmentNotFoundError",
    "SegmentOptions",
    "SegmentRecord",
    "SegmentStore",
    "Segmentation",
    "SegmentedMedia",
    "Segments",
    "SequentialSegmentation",
    "ServerError",
    "Settings",
    "SpatialSegmentation",
    "StoreInfo",
    "StoredVector",
    "Task",
    "TaskEntry",
    "TaskError",
    "TaskFailedError",
    "TaskSummary",
    "TaskTimeoutError",
    "TimeBasedMetadata",
    "Transcription",
    "TranscriptionEntry",
    "TwelveLabsError",
    "UploadEntry",
    "UploadedChunk",
    "Usage",
    "UserMetadata",
    "Word",
    "parse_query",
    "parse_reference",
    "readable_text",
    "strip_reference",
]
