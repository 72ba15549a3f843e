"""Measures the documents of stored segments, embedded by both adapters: the reference in each names its vector.

python benchmarks/references.py [--texts 20000] [--repeats 3]
"""

import argparse
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from local_api import KEY

from langchain_twelvelabs import TwelveLabsEmbeddings
from llama_index_twelvelabs import TwelveLabsEmbedding
from twelvelabs_core import Client, SegmentStore
from twelvelabs_core.results.references import head_line, reference_line
from twelvelabs_core.results.segments import SegmentPosition, Segments

PER_VIDEO = 500
DIMENSION = 512


def fill(store: SegmentStore, space: str, count: int) -> list[str]:
    """Write videos of 500 segments each; return the texts of their documents."""
    texts: list[str] = []
    positions = [SegmentPosition(row * 6.0, row * 6.0 + 6.0, "visual", "clip") for row in range(PER_VIDEO)]
    for number in range(count // PER_VIDEO):
        key = name = f"video {number}.mp4"
        values = np.random.default_rng(number).standard_normal((PER_VIDEO, DIMENSION), dtype=np.float32)
        store.put_intent(key, space=space, content=key, model="marengo3.0", params={}, source=name, account="a")
        store.put_result(key, Segments(values, positions), duration_sec=3000.0)
        ids = [str(uuid.uuid4()) for _ in positions]
        store.add_aliases(key, zip(ids, range(PER_VIDEO), strict=True), source=name, title=name)
        texts += [
            f"{head_line(name, position)}\nsome words of this clip\n{reference_line(segment_id)}"
            for position, segment_id in zip(positions, ids, strict=True)
        ]
    return texts


def measure(count: int, repeats: int) -> dict[str, list[float]]:
    """Return the texts a second of CPU of each way, in each repeat."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, SegmentStore(Path(folder, "s.sqlite3")) as store:
        options: dict[str, Any] = {"api_key": KEY, "base_url": "http://127.0.0.1:9/v1.3"}
        client = Client(**options, store=store)
        texts = fill(store, client.space, count)
        langchain = TwelveLabsEmbeddings(**options, segment_store=store)
        llama_index = TwelveLabsEmbedding(**options, segment_store=store)
        matrix = np.zeros((count, DIMENSION), dtype=np.float32)
        ways = {
            "LangChain": lambda: langchain.embed_documents(texts),
            "LlamaIndex": lambda: llama_index.get_text_embedding_batch(texts),
            "arrays": lambda: client.find_vectors_by_text(texts),
            "only lists of floats": matrix.tolist,
        }
        for _ in range(repeats):
            for way, run in ways.items():
                cpu = time.process_time()
                run()
                found.setdefault(way, []).append(count / (time.process_time() - cpu))
    return found


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for way, rates in measure(options.texts, options.repeats).items():
        print(f"{way:<22}{statistics.median(rates):>9.0f} texts a second of CPU")


if __name__ == "__main__":
    main()
