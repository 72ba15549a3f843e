"""TwelveLabs' video, audio, image and text embeddings for LlamaIndex: long videos become searchable moments.

```python
from llama_index.core import VectorStoreIndex
from llama_index_twelvelabs import TwelveLabsEmbedding, ingest_videos

index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding())  # key from TWELVELABS_API_KEY
ingest_videos(index, ["match.mp4"])
index.as_retriever().retrieve("goalkeeper dives to the left")
```
"""

try:
    import llama_index.core  # noqa: F401  # asked for first, to give advice in place of a traceback from deep inside
except ModuleNotFoundError as error:
    raise ImportError('llama_index_twelvelabs needs LlamaIndex: pip install "twelvelabs-rag[llama-index]"') from error

from llama_index_twelvelabs._nodes import VideoDocument
from llama_index_twelvelabs._queries import aquery_bundle, query_bundle, time_filter
from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from llama_index_twelvelabs.ingestion import (
    IngestionReport,
    TwelveLabsVideoSegmenter,
    aingest_videos,
    areplace_video,
    ingest_videos,
    keep_segment_ids,
    replace_video,
)
from llama_index_twelvelabs.readers import TwelveLabsDocumentReader, TwelveLabsVideoReader

__all__ = [
    "IngestionReport",
    "TwelveLabsDocumentReader",
    "TwelveLabsEmbedding",
    "TwelveLabsVideoReader",
    "TwelveLabsVideoSegmenter",
    "VideoDocument",
    "aingest_videos",
    "aquery_bundle",
    "areplace_video",
    "ingest_videos",
    "keep_segment_ids",
    "query_bundle",
    "replace_video",
    "time_filter",
]
