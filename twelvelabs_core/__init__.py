"""One client for TwelveLabs' embed API: text, images, and long audio and video as segments, each paid once.

Depends on no framework; `langchain_twelvelabs` and `llama_index_twelvelabs` are built on it. Every name is imported on
first use: `import twelvelabs_core` loads neither the HTTP library nor numpy nor SQLAlchemy.
"""

from typing import TYPE_CHECKING

from twelvelabs_core.base.lazy import lazy_exports

if TYPE_CHECKING:
    from twelvelabs_core._sync_client import Assets, Client, LegacyV1, Tasks, Uploads
    from twelvelabs_core.api.assets import AsyncAssets
    from twelvelabs_core.api.legacy_v1 import AsyncLegacyV1
    from twelvelabs_core.api.requests import MediaSource
    from twelvelabs_core.api.tasks import AsyncTasks
    from twelvelabs_core.api.uploads import AsyncUploads, CompletedChunk
    from twelvelabs_core.base.errors import (
        APIConnectionError,
        APIResponseError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        BudgetError,
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
    from twelvelabs_core.ingest.estimate import IngestionPlan, PlannedMedia
    from twelvelabs_core.ingest.plan import InputType
    from twelvelabs_core.ingest.sync import SyncReport
    from twelvelabs_core.ingest.ticket import Ticket
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
    from twelvelabs_core.moments.citations import Citation, citations
    from twelvelabs_core.moments.moment import Example, Hit, Moment, OptionScore
    from twelvelabs_core.moments.options import MomentOptions
    from twelvelabs_core.results.legacy_v1 import LegacyEmbedding, LegacyPart, LegacyTask
    from twelvelabs_core.results.records import SegmentedMedia, SegmentRecord
    from twelvelabs_core.results.references import parse_reference, readable_text, strip_reference
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
    from twelvelabs_core.store.store import (
        Copied,
        Payment,
        Removed,
        SegmentStore,
        StoredVector,
        StoreInfo,
        TaskEntry,
        UploadEntry,
    )
    from twelvelabs_core.transport.rate_limit import RateLimiter
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "twelvelabs_core.api.uploads": ["AsyncUploads", "CompletedChunk"],
            "twelvelabs_core._sync_client": ["Assets", "Client", "LegacyV1", "Tasks", "Uploads"],
            "twelvelabs_core.api.assets": ["AsyncAssets"],
            "twelvelabs_core.api.legacy_v1": ["AsyncLegacyV1"],
            "twelvelabs_core.api.tasks": ["AsyncTasks"],
            "twelvelabs_core.api.requests": ["MediaSource"],
            "twelvelabs_core.base.errors": [
                "APIConnectionError",
                "APIResponseError",
                "APIStatusError",
                "APITimeoutError",
                "AuthenticationError",
                "BadRequestError",
                "BudgetError",
                "ConfigurationError",
                "Failure",
                "IngestionError",
                "InputError",
                "NotFoundError",
                "RateLimitError",
                "SegmentNotFoundError",
                "ServerError",
                "TaskError",
                "TaskFailedError",
                "TaskTimeoutError",
                "TwelveLabsError",
            ],
            "twelvelabs_core.base.progress": ["OnProgress", "Progress"],
            "twelvelabs_core.base.settings": ["Settings"],
            "twelvelabs_core.client": ["AsyncClient"],
            "twelvelabs_core.ingest.estimate": ["IngestionPlan", "PlannedMedia"],
            "twelvelabs_core.ingest.plan": ["InputType"],
            "twelvelabs_core.ingest.sync": ["SyncReport"],
            "twelvelabs_core.ingest.ticket": ["Ticket"],
            "twelvelabs_core.ingest.batch": ["OnError"],
            "twelvelabs_core.media.source": ["Media", "MediaInput"],
            "twelvelabs_core.media.validate": ["UserMetadata"],
            "twelvelabs_core.models.options": ["SegmentOptions", "TimeBasedMetadata"],
            "twelvelabs_core.models.segmentation": [
                "DynamicSegmentation",
                "FixedSegmentation",
                "Segmentation",
                "SequentialSegmentation",
                "SpatialSegmentation",
            ],
            "twelvelabs_core.moments.citations": ["Citation", "citations"],
            "twelvelabs_core.moments.moment": ["Example", "Hit", "Moment", "OptionScore"],
            "twelvelabs_core.moments.options": ["MomentOptions"],
            "twelvelabs_core.results.legacy_v1": ["LegacyEmbedding", "LegacyPart", "LegacyTask"],
            "twelvelabs_core.results.records": ["SegmentRecord", "SegmentedMedia"],
            "twelvelabs_core.results.references": [
                "parse_reference",
                "readable_text",
                "strip_reference",
            ],
            "twelvelabs_core.results.responses": [
                "Asset",
                "Embedding",
                "MediaMetadata",
                "Task",
                "TaskSummary",
                "Usage",
            ],
            "twelvelabs_core.results.segments": ["SegmentPosition", "Segment", "Segments"],
            "twelvelabs_core.results.transcript": ["Word"],
            "twelvelabs_core.results.upload_responses": [
                "ChunkBatchReport",
                "MultipartUpload",
                "MultipartUploadStatus",
                "MultipartUploadSummary",
                "PresignedUrl",
                "Transcription",
                "TranscriptionEntry",
                "UploadedChunk",
            ],
            "twelvelabs_core.store.store": [
                "Copied",
                "Payment",
                "Removed",
                "SegmentStore",
                "StoreInfo",
                "StoredVector",
                "TaskEntry",
                "UploadEntry",
            ],
            "twelvelabs_core.transport.rate_limit": ["RateLimiter"],
        },
    )

__all__ = [
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "Asset",
    "Assets",
    "AsyncAssets",
    "AsyncClient",
    "AsyncLegacyV1",
    "AsyncTasks",
    "AsyncUploads",
    "AuthenticationError",
    "BadRequestError",
    "BudgetError",
    "ChunkBatchReport",
    "Citation",
    "Client",
    "CompletedChunk",
    "ConfigurationError",
    "Copied",
    "DynamicSegmentation",
    "Embedding",
    "Example",
    "Failure",
    "FixedSegmentation",
    "Hit",
    "IngestionError",
    "IngestionPlan",
    "InputError",
    "InputType",
    "LegacyEmbedding",
    "LegacyPart",
    "LegacyTask",
    "LegacyV1",
    "Media",
    "MediaInput",
    "MediaMetadata",
    "MediaSource",
    "Moment",
    "MomentOptions",
    "MultipartUpload",
    "MultipartUploadStatus",
    "MultipartUploadSummary",
    "NotFoundError",
    "OnError",
    "OnProgress",
    "OptionScore",
    "Payment",
    "PlannedMedia",
    "PresignedUrl",
    "Progress",
    "RateLimitError",
    "RateLimiter",
    "Removed",
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
    "SyncReport",
    "Task",
    "TaskEntry",
    "TaskError",
    "TaskFailedError",
    "TaskSummary",
    "TaskTimeoutError",
    "Tasks",
    "Ticket",
    "TimeBasedMetadata",
    "Transcription",
    "TranscriptionEntry",
    "TwelveLabsError",
    "UploadEntry",
    "UploadedChunk",
    "Uploads",
    "Usage",
    "UserMetadata",
    "Word",
    "citations",
    "parse_reference",
    "readable_text",
    "strip_reference",
]
