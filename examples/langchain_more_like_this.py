"""Find moments like the best one for a query: python examples/langchain_more_like_this.py "a goal" *.mp4."""

import sys

from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsMomentRetriever, TwelveLabsVideoLoader, add_segments

if len(sys.argv) < 3:
    sys.exit(__doc__)
query, *videos = sys.argv[1:]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
add_segments(store, TwelveLabsVideoLoader(videos, embeddings=embeddings).lazy_load())

retriever = TwelveLabsMomentRetriever(vectorstore=store, k=3)
for best in retriever.search(query, k=1):
    print("like", best.page_content)
    for moment in retriever.search(like=best):  # no request: the vectors of the moment are in the segment store
        print(f"{moment.metadata['start_sec']:.1f}-{moment.metadata['end_sec']:.1f} s, {moment.page_content}")
