"""Search one stretch of a video: python examples/llama_index_filter_by_time.py match.mp4 "a goal" 30 60."""

import sys

from llama_index.core import VectorStoreIndex

from llama_index_twelvelabs import TwelveLabsEmbedding, ingest_videos, time_filter

if len(sys.argv) != 5:
    sys.exit(__doc__)
video, query = sys.argv[1:3]
first_sec, last_sec = float(sys.argv[3]), float(sys.argv[4])
index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding())
ingest_videos(index, [video])

filters = time_filter(first_sec, last_sec, embedding_option="visual", source=video)
for moment in index.as_retriever(similarity_top_k=5, filters=filters).retrieve(query):
    print(f"{moment.score:.3f}  {moment.metadata['start_sec']:.1f}-{moment.metadata['end_sec']:.1f} s")
