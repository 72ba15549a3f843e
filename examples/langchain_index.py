"""Keep a vector store in step with videos: python examples/langchain_index.py first.mp4 second.mp4.

The second run costs nothing and writes nothing; a changed video is embedded again and replaces its old segments.
"""

import sys

from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, index_segments

if len(sys.argv) < 2:
    sys.exit(__doc__)
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
record_manager = InMemoryRecordManager(namespace="videos")  # SQLRecordManager keeps it between runs
record_manager.create_schema()
loader = TwelveLabsVideoLoader(sys.argv[1:], embeddings=embeddings, show_progress=True)

for run in ("first", "second"):
    result = index_segments(loader, record_manager, store)
    print(f"{run} run: {result['num_added']} added, {result['num_skipped']} skipped, {result['num_deleted']} deleted")
