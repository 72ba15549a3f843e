"""Find the moments that look like a picture: python examples/llama_index_search_by_image.py match.mp4 photo.jpg."""

import sys

from llama_index.core import VectorStoreIndex

from llama_index_twelvelabs import TwelveLabsEmbedding, ingest_videos, query_bundle, time_filter

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, picture = sys.argv[1:3]
embed_model = TwelveLabsEmbedding()
index = VectorStoreIndex([], embed_model=embed_model)
ingest_videos(index, [video])

retriever = index.as_retriever(similarity_top_k=3, filters=time_filter(embedding_option="visual"))
# Also: video="clip.mp4", audio="cheer.wav", or text="this, but in red" together with the picture.
for moment in retriever.retrieve(query_bundle(embed_model, image=picture)):
    print(f"{moment.score:.3f}  {moment.metadata['start_sec']:.1f}-{moment.metadata['end_sec']:.1f} s")
