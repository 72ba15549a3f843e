"""Search PDFs, notes and pictures by meaning: python examples/langchain_documents.py documents "attic floor plan"."""

import sys
from pathlib import Path

from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsDocumentLoader, TwelveLabsEmbeddings, add_segments
from twelvelabs_core import SequentialSegmentation

if len(sys.argv) != 3:
    sys.exit(__doc__)
folder, query = sys.argv[1:3]
embeddings = TwelveLabsEmbeddings(model="marengo3.5")  # the model that supports documents
store = InMemoryVectorStore(embeddings)
files = sorted(path for path in Path(folder).iterdir() if path.suffix in {".pdf", ".txt", ".md", ".jpg", ".png"})
# PDFs page by page, texts in chunks of at most five sentences, pictures as a whole.
loader = TwelveLabsDocumentLoader(files, embeddings=embeddings, segmentation=SequentialSegmentation(5))
add_segments(store, loader.lazy_load())

for found, score in store.similarity_search_with_score(query, k=3):
    place = found.metadata
    print(f"{score:.3f}  {place['title']}  page {place['page_start']}  chunk {place['chunk_index']}")
