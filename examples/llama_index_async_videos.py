"""Load many videos at once, without blocking: python examples/llama_index_async_videos.py "a goal" *.mp4."""

import asyncio
import sys

from llama_index.core import VectorStoreIndex

from llama_index_twelvelabs import TwelveLabsEmbedding, aingest_videos
from twelvelabs_core import IngestionError


async def main(query: str, videos: list[str]) -> None:
    """Search all videos together."""
    index = VectorStoreIndex([], embed_model=TwelveLabsEmbedding(max_concurrency=4))  # tasks in flight at the same time
    try:
        await aingest_videos(index, videos)
    except IngestionError as error:
        # All other videos are stored and can be searched below; failed ones are retried in the next run.
        for failure in error.failures:
            print(f"left out: {failure}", file=sys.stderr)

    for moment in await index.as_retriever(similarity_top_k=5).aretrieve(query):
        found = moment.metadata
        print(f"{moment.score:.3f}  {found['title']}  {found['start_sec']:.1f}-{found['end_sec']:.1f} s")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
