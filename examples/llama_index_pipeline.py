"""Keep a vector store in step with videos and texts: python examples/llama_index_pipeline.py a.mp4 b.mp4 notes.txt.

The second run sends nothing; a video that changed is embedded anew and its old segments go.
"""

import sys

from llama_index.core import SimpleDirectoryReader
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    keep_segment_ids,
)

if len(sys.argv) < 2:
    sys.exit(__doc__)
embed_model = TwelveLabsEmbedding()
segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model)  # the paid step, behind the document store
pipeline = IngestionPipeline(
    transformations=[segmenter, SentenceSplitter(chunk_size=400, id_func=keep_segment_ids), embed_model],
    docstore=SimpleDocumentStore(),  # pipeline.persist() keeps it between runs
    vector_store=SimpleVectorStore(),
)
videos = TwelveLabsVideoReader(segmenter=segmenter, segment=False)  # one document per video, nothing paid yet

for run in ("first", "second"):
    files = SimpleDirectoryReader(
        input_files=sys.argv[1:], file_extractor={".mp4": videos}, filename_as_id=True, raise_on_error=True
    )
    nodes = pipeline.run(documents=files.load_data())
    print(f"{run} run: {len(nodes)} nodes written")
