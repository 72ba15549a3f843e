"""Words that must be said, together with moments: python examples/langchain_hybrid_search.py "goalkeeper" match.mp4."""

import sys

import bm25s
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from twelvelabs_core import Hit, Moment

if len(sys.argv) < 3:
    sys.exit(__doc__)
query, *videos = sys.argv[1:]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
loader = TwelveLabsVideoLoader(videos, embeddings=embeddings, include_transcript=True)
documents = loader.load()
add_segments(store, documents)

# One text per time range, by BM25 (pip install bm25s): exact names and numbers, which vectors blur.
said = [hit for hit in (Hit.of(one.metadata, text=one.page_content) for one in documents) if hit.words]
ranges = list({(hit.source, hit.start_sec): hit for hit in said}.values())
matches: dict[int, float] = {}
texts = bm25s.tokenize([hit.words for hit in ranges], show_progress=False)
if texts.vocab:  # else the videos are silent
    index = bm25s.BM25()
    index.index(texts, show_progress=False)
    asked = bm25s.tokenize([query], show_progress=False)
    (numbers,), (scores,) = index.retrieve(asked, k=len(ranges), show_progress=False)
    matches = {id(ranges[number]): float(score) for number, score in zip(numbers, scores, strict=True) if score > 0}

vector = embeddings.client.embed_text(query).vector
near = [Hit.of(one.metadata, text=one.page_content) for one in store.similarity_search(query, k=50)]
moments = embeddings.client.find_moments([*near, *(hit for hit in ranges if id(hit) in matches)], vector, k=20)


def score(moment: Moment) -> float:
    """Add what the vectors and what the words say, each as a share of its best score."""
    words = [matches[id(hit)] for hit in moment.hits if id(hit) in matches]
    best = max((one.score or 0.0 for one in moments), default=0.0) or 1.0
    return (moment.score or 0.0) / best + max(words, default=0.0) / max(matches.values(), default=1.0)


for moment in sorted(moments, key=score, reverse=True)[:3]:
    print(f"{moment.title}, {moment.start_sec:.1f}-{moment.end_sec:.1f} s, {score(moment):.2f}, {moment.words!r}")
