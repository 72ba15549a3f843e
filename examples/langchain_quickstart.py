"""Search a video by meaning: python examples/langchain_quickstart.py match.mp4 "goalkeeper dives to the left"."""

import sys

from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, query = sys.argv[1:3]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)  # or any other vector store
add_segments(store, TwelveLabsVideoLoader(video, embeddings=embeddings, show_progress=True).lazy_load())

for moment, score in store.similarity_search_with_score(query, k=3):
    found = moment.metadata
    print(f"{score:.3f}  {found['start_sec']:.1f}-{found['end_sec']:.1f} s  {found['embedding_option']}")
