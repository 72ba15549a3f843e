"""Keep a vector store in step with videos: python examples/langchain_index.py first.mp4 second.mp4.

The second run pays for nothing and writes nothing; a video that changed is embedded anew and its old segments go.
"""

import sys

from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, index_segments

embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
record_manager = InMemoryRecordManager(namespace="films")  # SQLRecordManager keeps it over runs
record_manager.create_schema()
loader = TwelveLabsVideoLoader(sys.argv[1:], embeddings=embeddings, show_progress=True)

for run in ("first", "second"):
    result = index_segments(loader, record_manager, store)
    print(f"{run} run: {result['num_added']} added, {result['num_skipped']} skipped, {result['num_deleted']} deleted")
