"""TwelveLabs' video, audio, image and text embeddings for LlamaIndex: long videos become searchable moments.

```python
from llama_index.core import VectorStoreIndex
from llama_index_twelvelabs import TwelveLabsEmbedding, ingest_videos

index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding())  # key from TWELVELABS_API_KEY
ingest_videos(index, ["match.mp4"])
index.as_retriever().retrieve("goalkeeper dives to the left")
```
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from twelvelabs_core.integration import lazy_exports

if TYPE_CHECKING:
    from llama_index_twelvelabs.contents import adelete_segments, alist_sources, delete_segments, list_sources
    from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
    from llama_index_twelvelabs.ingestion import IngestionReport, aingest_videos, ingest_videos
    from llama_index_twelvelabs.nodes import VideoDocument, keep_segment_ids
    from llama_index_twelvelabs.postprocessors import MomentPostprocessor
    from llama_index_twelvelabs.queries import aquery_bundle, query_bundle, time_filter
    from llama_index_twelvelabs.readers import TwelveLabsDocumentReader, TwelveLabsVideoReader
    from llama_index_twelvelabs.replacement import areplace_video, replace_video
    from llama_index_twelvelabs.retrievers import TwelveLabsMomentRetriever
    from llama_index_twelvelabs.segmenter import TwelveLabsVideoSegmenter
    from llama_index_twelvelabs.sync import async_videos, sync_videos
    from llama_index_twelvelabs.tools import TwelveLabsToolSpec
else:
    # `llama_index.core` takes seconds to import, so it is imported with the first name that needs it.
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "llama_index_twelvelabs.contents": ["adelete_segments", "alist_sources", "delete_segments", "list_sources"],
            "llama_index_twelvelabs.embeddings": ["TwelveLabsEmbedding"],
            "llama_index_twelvelabs.ingestion": ["IngestionReport", "aingest_videos", "ingest_videos"],
            "llama_index_twelvelabs.nodes": ["VideoDocument", "keep_segment_ids"],
            "llama_index_twelvelabs.postprocessors": ["MomentPostprocessor"],
            "llama_index_twelvelabs.queries": ["aquery_bundle", "query_bundle", "time_filter"],
            "llama_index_twelvelabs.readers": ["TwelveLabsDocumentReader", "TwelveLabsVideoReader"],
            "llama_index_twelvelabs.retrievers": ["TwelveLabsMomentRetriever"],
            "llama_index_twelvelabs.segmenter": ["TwelveLabsVideoSegmenter"],
            "llama_index_twelvelabs.sync": ["async_videos", "sync_videos"],
            "llama_index_twelvelabs.tools": ["TwelveLabsToolSpec"],
            "llama_index_twelvelabs.replacement": ["areplace_video", "replace_video"],
        },
    )

try:
    is_installed = find_spec("llama_index.core") is not None
except (ModuleNotFoundError, ValueError):  # no parent package; or a module that was set to None
    is_installed = False
if not is_installed:
    raise ImportError('llama_index_twelvelabs needs LlamaIndex: pip install "twelvelabs-rag[llama-index]"')

__all__ = [
    "IngestionReport",
    "MomentPostprocessor",
    "TwelveLabsDocumentReader",
    "TwelveLabsEmbedding",
    "TwelveLabsMomentRetriever",
    "TwelveLabsToolSpec",
    "TwelveLabsVideoReader",
    "TwelveLabsVideoSegmenter",
    "VideoDocument",
    "adelete_segments",
    "aingest_videos",
    "alist_sources",
    "aquery_bundle",
    "areplace_video",
    "async_videos",
    "delete_segments",
    "ingest_videos",
    "keep_segment_ids",
    "list_sources",
    "query_bundle",
    "replace_video",
    "sync_videos",
    "time_filter",
]
