"""Measures what moments cost beside a search: CPU time of many hits, and the overhead over `similarity_search`.

    python benchmarks/moments_speed.py [--hits 10000] [--videos 1 10 30] [--profile]

Videos are random vectors, one hour each: clips of 4 s with the options visual, audio and transcription, 2,700 vectors.
No API is asked: queries are vectors. All figures are CPU time, which other work on the machine changes less.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore

from twelvelabs_core import Client, Hit, MomentOptions, SegmentPosition, Segments
from twelvelabs_core.moments.search import moments_of
from twelvelabs_core.results.segments import Matrix
from twelvelabs_core.store.store import SegmentStore

DIMENSION = 512
SPACE = f"sandbox/marengo3.0/{DIMENSION}"
KEY = "tlk_sandbox_moments_benchmark"
CLIP_SEC = 4.0
CLIPS = 900
OPTIONS = ("visual", "audio", "transcription")
FETCH_K = 100
GOAL_MS = 150


def make_video(seed: int) -> Segments:
    """Return the vectors of one hour: neighbouring clips are alike, as in real videos."""
    random = np.random.default_rng(seed)
    scenes = np.repeat(random.standard_normal((CLIPS // 3, len(OPTIONS), DIMENSION)), 3, axis=0)
    vectors = (scenes + 0.5 * random.standard_normal(scenes.shape)).reshape(-1, DIMENSION).astype(np.float32)
    positions = [
        SegmentPosition(clip * CLIP_SEC, (clip + 1) * CLIP_SEC, option, "clip")
        for clip in range(CLIPS)
        for option in OPTIONS
    ]
    return Segments(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), positions)


def metadata_of(number: int, segments: Segments) -> list[dict[str, object]]:
    """Return the metadata of each vector's document."""
    source = f"/videos/{number}.mp4"
    return [
        {
            "segment_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source}#{row}")),
            "source": source,
            "title": f"{number}.mp4",
            "start_sec": position.start_sec,
            "end_sec": position.end_sec,
            "duration_sec": CLIPS * CLIP_SEC,
            "embedding_option": position.embedding_option,
            "embedding_scope": "clip",
        }
        for row, position in enumerate(segments.positions)
    ]


def best_ms(work: Callable[[], object], times: int = 7) -> float:
    """Return the least milliseconds of CPU of several runs."""
    took = []
    for _ in range(times):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took) * 1000


def many_hits(count: int, *, profile: bool) -> None:
    """Print the CPU time from many hits of ten videos to five moments."""
    stored, hits = {}, []
    for number in range(10):
        segments = make_video(number)
        for row in metadata_of(number, segments):
            hits.append(Hit.of(row))
            stored[str(row["source"])] = [segments]
    order = np.random.default_rng(0).permutation(len(hits))[:count]
    chosen, query = [hits[place] for place in order], make_video(0).vectors[1]

    def work() -> object:
        return moments_of(chosen, query, stored, MomentOptions(), k=5)

    took = best_ms(work)
    print(
        f"{len(chosen):,} hits of 10 videos of an hour to 5 moments: {took:.0f} ms of CPU (goal {GOAL_MS} ms)",
        flush=True,
    )
    if profile:
        with cProfile.Profile() as profiler:
            work()
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(25)


def overhead(videos: int, folder: Path, *, profile: bool) -> None:
    """Print the time of a search and of its moments, in a library of videos of one hour."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=DIMENSION))
    with SegmentStore(folder / f"{videos}.sqlite3") as segment_store:
        for number in range(videos):
            segments, key = make_video(number), f"task-{number}"
            rows = metadata_of(number, segments)
            segment_store.put_intent(
                key,
                space=SPACE,
                content=key,
                model="marengo3.0",
                params={},
                source=str(rows[0]["source"]),
                account="bench",
            )
            segment_store.put_task_id(key, key)
            segment_store.put_result(key, segments, duration_sec=CLIPS * CLIP_SEC)
            names = [(str(row["segment_id"]), place) for place, row in enumerate(rows)]
            segment_store.add_aliases(key, names, source=str(rows[0]["source"]))
            for name, vector, row in zip(names, segments.vectors.tolist(), rows, strict=True):
                store.store[name[0]] = {"id": name[0], "vector": vector, "text": "", "metadata": row}
        query: Matrix = make_video(0).vectors[1]
        with Client(api_key=KEY, base_url="http://127.0.0.1:9/v1.3", store=segment_store) as client:
            found: list[Document] = store.similarity_search_by_vector(query.tolist(), k=FETCH_K)
            hits = [Hit.of(document.metadata, item=document) for document in found]

            def work() -> object:
                return client.find_moments(hits, query, k=5)

            first = best_ms(work, times=1)
            again = best_ms(work)
            scan = best_ms(lambda: store.similarity_search_by_vector(query.tolist(), k=FETCH_K), times=3)
            sources = len({hit.source for hit in hits})
            print(
                f"{videos:3} videos, {FETCH_K} hits of {sources} of them: similarity_search {scan:.0f} ms, "
                f"find_moments {first:.0f} ms at first, then {again:.0f} ms ({again / scan:.2f} of similarity_search)",
                flush=True,
            )
            if profile:
                with cProfile.Profile() as profiler:
                    work()
                pstats.Stats(profiler).sort_stats("cumulative").print_stats(25)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hits", type=int, default=10_000)
    parser.add_argument("--videos", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    arguments = parser.parse_args()
    many_hits(arguments.hits, profile=arguments.profile)
    with tempfile.TemporaryDirectory() as folder:
        for videos in arguments.videos:
            overhead(videos, Path(folder), profile=arguments.profile)


if __name__ == "__main__":
    main()
