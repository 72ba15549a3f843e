"""Search one stretch of a video: python examples/langchain_filter_by_time.py match.mp4 "a goal" 30 60."""

import sys

from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments

if len(sys.argv) != 5:
    sys.exit(__doc__)
video, query = sys.argv[1:3]
first_sec, last_sec = float(sys.argv[3]), float(sys.argv[4])
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
add_segments(store, TwelveLabsVideoLoader(video, embeddings=embeddings).lazy_load())


def wanted(document: Document) -> bool:
    """Return whether a visual segment lies between the two times; each store has its own filter syntax for this.

    Chroma:  {"$and": [{"start_sec": {"$gte": 30.0}}, {"end_sec": {"$lte": 60.0}}]}
    Qdrant:  Filter(must=[FieldCondition(key="metadata.start_sec", range=Range(gte=30.0)), ...])
    """
    found = document.metadata
    return bool(
        found["start_sec"] >= first_sec and found["end_sec"] <= last_sec and found["embedding_option"] == "visual"
    )


for moment in store.similarity_search(query, k=3, filter=wanted):
    print(f"{moment.metadata['start_sec']:.1f}-{moment.metadata['end_sec']:.1f} s")
