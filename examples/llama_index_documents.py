"""Search PDFs, notes and pictures by meaning: python examples/llama_index_documents.py documents "attic floor plan"."""

import sys
from pathlib import Path

from llama_index.core import VectorStoreIndex

from llama_index_twelvelabs import TwelveLabsDocumentReader, TwelveLabsEmbedding, ingest_videos
from twelvelabs_core import SequentialSegmentation

if len(sys.argv) != 3:
    sys.exit(__doc__)
folder, query = sys.argv[1:3]
embed_model = TwelveLabsEmbedding(model="marengo3.5")  # the model that supports documents
index = VectorStoreIndex([], embed_model=embed_model)
files = sorted(path for path in Path(folder).iterdir() if path.suffix in {".pdf", ".txt", ".md", ".jpg", ".png"})
# PDFs page by page, texts in chunks of at most five sentences, pictures as a whole.
reader = TwelveLabsDocumentReader(embed_model=embed_model, segmentation=SequentialSegmentation(5))
ingest_videos(index, files, segmenter=reader.segmenter)  # safe to repeat: unchanged files are skipped

for found in index.as_retriever(similarity_top_k=3).retrieve(query):
    place = found.metadata
    print(f"{found.score:.3f}  {place['title']}  page {place['page_start']}  chunk {place['chunk_index']}")
