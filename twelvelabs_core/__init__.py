"""One client for TwelveLabs' embed API: text, images, and long audio and video as paid-once segments.

Knows no framework; `langchain_twelvelabs` and `llama_index_twelvelabs` stand on it.
"""

from twelvelabs_core._sync_client import Assets, Client, LegacyV1, Tasks, Uploads
from twelvelabs_core.api.legacy_v1 import AsyncLegacyV1
from twelvelabs_core.api.requests import MediaSource
from twelvelabs_core.api.uploads import CompletedChunk
from twelvelabs_core.base.errors import (
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
from twelvelabs_core.base.progress import OnProgress, Progress
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.client import AsyncClient
from twelvelabs_core.ingest.batch import OnError
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.media.validate import UserMetadata
from twelvelabs_core.models.options import SegmentOptions, TimeBasedMetadata
from twelvelabs_core.models.segmentation import (
    DynamicSegmentation,
    FixedSegmentation,
    Segmentation,
    SequentialSegmentation,
    SpatialSegmentation,
)
from twelvelabs_core.results.legacy_v1 import LegacyEmbedding, LegacyPart, LegacyTask
from twelvelabs_core.results.records import SegmentedMedia, SegmentRecord
from twelvelabs_core.results.references import parse_query, parse_reference, readable_text, strip_reference
from twelvelabs_core.results.responses import Asset, Embedding, MediaMetadata, Task, TaskSummary, Usage
from twelvelabs_core.results.segments import Segment, SegmentPosition, Segments
from twelvelabs_core.results.transcript import Word
from twelvelabs_core.results.upload_responses import (
    ChunkBatchReport,
    MultipartUpload,
    MultipartUploadStatus,
    MultipartUploadSummary,
    PresignedUrl,
    Transcription,
    TranscriptionEntry,
    UploadedChunk,
)
from twelvelabs_core.store.store import SegmentStore, StoredVector, StoreInfo, TaskEntry, UploadEntry
from twelvelabs_core.transport.rate_limit import RateLimiter

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
    "SegmentPosition",
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
