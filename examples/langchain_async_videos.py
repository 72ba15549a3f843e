"""Load many videos at once, without blocking: python examples/langchain_async_videos.py "a goal" *.mp4."""

import asyncio
import sys

from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, aadd_segments
from twelvelabs_core import IngestionError


async def main(query: str, videos: list[str]) -> None:
    """Search all videos together."""
    embeddings = TwelveLabsEmbeddings(max_concurrency=4)  # tasks in flight at the same time
    store = InMemoryVectorStore(embeddings)
    try:
        await aadd_segments(store, TwelveLabsVideoLoader(videos, embeddings=embeddings).alazy_load())
    except IngestionError as error:
        # All other videos are stored and can be searched below.
        for failure in error.failures:
            print(f"left out: {failure}", file=sys.stderr)

    for moment, score in await store.asimilarity_search_with_score(query, k=5):
        found = moment.metadata
        print(f"{score:.3f}  {found['title']}  {found['start_sec']:.1f}-{found['end_sec']:.1f} s")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
