"""Search a video by meaning: python examples/llama_index_quickstart.py match.mp4 "goalkeeper dives to the left"."""

import sys

from llama_index.core import VectorStoreIndex

from llama_index_twelvelabs import TwelveLabsEmbedding, ingest_videos

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, query = sys.argv[1:3]
index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding())  # or on any other vector store
ingest_videos(index, [video], show_progress=True)

for moment in index.as_retriever(similarity_top_k=3).retrieve(query):
    found = moment.metadata
    print(f"{moment.score:.3f}  {found['start_sec']:.1f}-{found['end_sec']:.1f} s  {found['embedding_option']}")
