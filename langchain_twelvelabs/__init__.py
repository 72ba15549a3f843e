"""TwelveLabs' video, audio, image and text embeddings for LangChain: long videos become searchable moments.

```python
from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments

embeddings = TwelveLabsEmbeddings()  # key from TWELVELABS_API_KEY
loader = TwelveLabsVideoLoader("match.mp4", embeddings=embeddings)
add_segments(vector_store, loader.lazy_load())
vector_store.similarity_search("goalkeeper dives to the left")
```
"""

from typing import TYPE_CHECKING

try:
    import langchain_core  # noqa: F401  # first, for an error that says what to install
except ModuleNotFoundError as error:
    raise ImportError('langchain_twelvelabs needs LangChain: pip install "twelvelabs-rag[langchain]"') from error

from twelvelabs_core.integration import lazy_exports

if TYPE_CHECKING:
    from langchain_twelvelabs.contents import adelete_segments, alist_sources, delete_segments, list_sources
    from langchain_twelvelabs.document_loaders import TwelveLabsAudioLoader, TwelveLabsVideoLoader
    from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
    from langchain_twelvelabs.filters import segment_filter
    from langchain_twelvelabs.indexing import aindex_segments, index_kwargs, index_segments
    from langchain_twelvelabs.prompts import SegmentPromptTemplate, document_prompt
    from langchain_twelvelabs.retrievers import TwelveLabsMomentRetriever
    from langchain_twelvelabs.sync import async_videos, sync_videos
    from langchain_twelvelabs.tools import ListVideos, MoreLikeThis, SearchVideoMoments
    from langchain_twelvelabs.untimed_loaders import TwelveLabsDocumentLoader
    from langchain_twelvelabs.vectorstores import aadd_segments, add_segments
else:
    # LangChain's vector stores, loaders and prompts take longer to import than its embeddings.
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "langchain_twelvelabs.contents": ["adelete_segments", "alist_sources", "delete_segments", "list_sources"],
            "langchain_twelvelabs.document_loaders": ["TwelveLabsAudioLoader", "TwelveLabsVideoLoader"],
            "langchain_twelvelabs.embeddings": ["TwelveLabsEmbeddings"],
            "langchain_twelvelabs.filters": ["segment_filter"],
            "langchain_twelvelabs.indexing": ["aindex_segments", "index_kwargs", "index_segments"],
            "langchain_twelvelabs.prompts": ["SegmentPromptTemplate", "document_prompt"],
            "langchain_twelvelabs.retrievers": ["TwelveLabsMomentRetriever"],
            "langchain_twelvelabs.sync": ["async_videos", "sync_videos"],
            "langchain_twelvelabs.tools": ["ListVideos", "MoreLikeThis", "SearchVideoMoments"],
            "langchain_twelvelabs.untimed_loaders": ["TwelveLabsDocumentLoader"],
            "langchain_twelvelabs.vectorstores": ["aadd_segments", "add_segments"],
        },
    )

__all__ = [
    "ListVideos",
    "MoreLikeThis",
    "SearchVideoMoments",
    "SegmentPromptTemplate",
    "TwelveLabsAudioLoader",
    "TwelveLabsDocumentLoader",
    "TwelveLabsEmbeddings",
    "TwelveLabsMomentRetriever",
    "TwelveLabsVideoLoader",
    "aadd_segments",
    "add_segments",
    "adelete_segments",
    "aindex_segments",
    "alist_sources",
    "async_videos",
    "delete_segments",
    "document_prompt",
    "index_kwargs",
    "index_segments",
    "list_sources",
    "segment_filter",
    "sync_videos",
]
