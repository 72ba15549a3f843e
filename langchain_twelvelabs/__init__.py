"""TwelveLabs' video, audio, image and text embeddings for LangChain: long videos become searchable moments.

```python
from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments

embeddings = TwelveLabsEmbeddings()  # key from TWELVELABS_API_KEY
loader = TwelveLabsVideoLoader("match.mp4", embeddings=embeddings)
add_segments(vector_store, loader.lazy_load())
vector_store.similarity_search("goalkeeper dives to the left")
```
"""

try:
    import langchain_core  # noqa: F401  # asked for first, to give advice in place of a traceback from deep inside
except ModuleNotFoundError as error:
    raise ImportError('langchain_twelvelabs needs LangChain: pip install "twelvelabs-rag[langchain]"') from error

from langchain_twelvelabs._add_segments import aadd_segments, add_segments
from langchain_twelvelabs._documents import SegmentPromptTemplate, document_prompt, index_kwargs
from langchain_twelvelabs.document_loaders import (
    TwelveLabsAudioLoader,
    TwelveLabsDocumentLoader,
    TwelveLabsVideoLoader,
)
from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings

__all__ = [
    "SegmentPromptTemplate",
    "TwelveLabsAudioLoader",
    "TwelveLabsDocumentLoader",
    "TwelveLabsEmbeddings",
    "TwelveLabsVideoLoader",
    "aadd_segments",
    "add_segments",
    "document_prompt",
    "index_kwargs",
]
