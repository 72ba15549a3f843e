"""Measures how often each way to search finds the right scene of generated videos: plain search, fusions, moments.

    python benchmarks/moments.py [--seeds 7100 7101 7102] [--folder FOLDER] [--png FILE]

Each three seeds are one library of three videos of 30 random scenes; the third has no audio track. They are segmented
by shots, and at 2 and 4 seconds. Queries are the descriptions of look, sound and both of each scene, and the captions
of every second scene (speech); the third video is asked for looks and captions only. A result is right when its
intersection over union with a scene of the same description (speech: with the scene of the caption) is at least 0.5,
in any of the videos.

All ways get the 100 best documents of one vector store; rank fusion gets 100 of each embedding option. Vectors come
from the sandbox, whose measures are made by hand: this compares ways to search, not models. Videos and vectors are kept
in the folder, so a second run takes seconds.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from twelvelabs_core import Client, DynamicSegmentation, FixedSegmentation, Hit, Moment, MomentOptions
from twelvelabs_core.moments.evaluation import Evaluation, JudgedQuery, Span, compare, evaluate, plot, table
from twelvelabs_core.moments.timeline import Timeline
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, describe, describe_look, describe_sound, random_scenes, write_film

SEGMENTATIONS = {
    "by shots": DynamicSegmentation(min_duration_sec=4),
    "2 s": FixedSegmentation(duration_sec=2),
    "4 s": FixedSegmentation(duration_sec=4),
}
GOALS = {"by shots": 0.96, "2 s": 0.85, "4 s": 0.90}
OPTIONS = ("visual", "audio", "transcription")
SCENES = 30
FETCH_K = 100
K = 5
RRF_K = 60
KEY = "tlk_sandbox_moments_benchmark"
WORDS = (
    "goalkeeper dives left right ball header wing pass level score final cup captain referee whistle corner "
    "penalty crowd sings banner rain pitch tunnel coach bench shirt number boots grass stand flag chant trophy "
    "medal winter summer bridge river market engine station kitchen garden doctor window letter paper island "
    "storm forest mountain valley desert harbour ship"
)

Search = Callable[[str], Sequence[Document | Moment | Span]]


class Video:
    """One generated video, written once, and its queries."""

    def __init__(self, folder: Path, seed: int, *, audio: bool) -> None:
        self.path = folder / f"{seed}{'' if audio else '-silent'}.mkv"
        self.audio = audio
        scenes = random_scenes(SCENES, seed)
        self.scenes = scenes if audio else [replace(scene, sound="silence") for scene in scenes]
        begins = np.cumsum([0.0, *(scene.seconds for scene in self.scenes)])
        self.spans = [
            Span(str(self.path), round(float(begin), 3), round(float(begin) + scene.seconds, 3))
            for begin, scene in zip(begins, self.scenes, strict=False)
        ]
        random = np.random.default_rng(seed)
        sentences = [" ".join(random.choice(WORDS.split(), 6, replace=False)) for _ in self.scenes]
        self.captions = [
            (span, words) for number, (span, words) in enumerate(zip(self.spans, sentences, strict=True)) if number % 2
        ]
        if not self.path.exists():
            captions = [(span.start_sec + 0.3, span.end_sec - 0.3, words) for span, words in self.captions]
            part = self.path.with_suffix(".part.mkv")
            write_film(part, self.scenes, captions=captions, audio=audio)
            part.rename(self.path)

    def descriptions(self) -> Iterator[tuple[str, str, Span]]:
        """Yield label, text and span of each scene's descriptions."""
        makers: dict[str, Callable[[Scene], str]] = {"look": describe_look}
        if self.audio:
            makers |= {"both": describe, "sound": describe_sound}
        for label, maker in makers.items():
            for scene, span in zip(self.scenes, self.spans, strict=True):
                yield label, maker(scene), span
        for span, words in self.captions:
            yield "speech", words, span


def queries_of(videos: Sequence[Video]) -> list[JudgedQuery]:
    """Return a query for each description of each scene; equal ones have the same answers."""
    rows = [row for video in videos for row in video.descriptions()]
    answers: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for label, text, span in rows:
        answers[label, text].append(span)
    return [JudgedQuery(text, answers[label, text], label) for label, text, _ in rows]


class Library:
    """The segments of some videos in a vector store, and the ways to search it."""

    def __init__(self, videos: Sequence[Video], sandbox: Sandbox, store: Path, name: str) -> None:
        embeddings = TwelveLabsEmbeddings(base_url=sandbox.base_url, api_key=sandbox.api_key, segment_store=store)
        self.client = Client(base_url=sandbox.base_url, api_key=sandbox.api_key, store=store)
        self.store = InMemoryVectorStore(embeddings)
        self.segments = {}
        for video in videos:
            began = time.monotonic()
            cut = SEGMENTATIONS[name]
            add_segments(self.store, TwelveLabsVideoLoader(video.path, embeddings=embeddings, segmentation=cut).load())
            media = self.client.segment_video(video.path, segmentation=cut)
            self.segments[str(video.path)] = media.segments
            print(
                f"  {video.path.name} {name}: {len(media.segments)} vectors, {time.monotonic() - began:.0f} s",
                flush=True,
            )
        self.embed = cache(lambda query: self.client.embed_text(query).vector)

    def documents(self, query: str, option: str | None = None) -> list[Document]:
        """Return the vector store's best documents, of one option or of all."""
        chosen = None if option is None else (lambda document: document.metadata["embedding_option"] == option)
        return self.store.similarity_search_by_vector(self.embed(query).tolist(), k=FETCH_K, filter=chosen)

    def plain(self, query: str) -> list[Span]:
        """Return the clips of the best documents, each once."""
        return list(dict.fromkeys(_span(document) for document in self.documents(query)))

    def rank_fusion(self, query: str) -> list[Span]:
        """Return clips by the sum over options of 1 / (60 + rank)."""
        scores: dict[Span, float] = defaultdict(float)
        for option in OPTIONS:
            for rank, document in enumerate(self.documents(query, option), 1):
                scores[_span(document)] += 1 / (RRF_K + rank)
        return sorted(scores, key=lambda span: -scores[span])

    def centred_sum(self, query: str) -> list[Span]:
        """Return all clips by the sum over options of cosine - median cosine; a missing option counts 0."""
        timelines = [Timeline.of(source, "", [one], self.embed(query)) for source, one in self.segments.items()]
        spans = [Span(one.source, start / 1000, end / 1000) for one in timelines for start, end in one.ranges]
        total = np.zeros(len(spans))
        for option in OPTIONS:
            columns = [one.cosines.get(option, np.full(len(one.ranges), np.nan)) for one in timelines]
            column = np.concatenate(columns)
            total += np.nan_to_num(column - np.nanmedian(column))
        return [spans[place] for place in np.argsort(-total, kind="stable")]

    def moments(self, query: str, options: MomentOptions) -> list[Moment]:
        """Return the moments of the best documents."""
        hits = [Hit.of(document.metadata, item=document) for document in self.documents(query)]
        return self.client.find_moments(hits, self.embed(query), k=K, options=options)

    def searches(self) -> dict[str, Search]:
        """Return the ways to search by name."""
        return {
            "plain search": self.plain,
            "reciprocal rank fusion": self.rank_fusion,
            "sum of centred cosines": self.centred_sum,
            "moments by best option": lambda query: self.moments(query, MomentOptions(score="best")),
            "moments, not grown": lambda query: self.moments(query, MomentOptions(max_moment_sec=0)),
            "moments": lambda query: self.moments(query, MomentOptions()),
        }


def _span(document: Document) -> Span:
    return Span(*(document.metadata[name] for name in Span._fields))


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """Return one evaluation of the queries of several libraries."""
    queries = tuple(query for part in parts for query in part.queries)
    return Evaluation(queries, np.concatenate([part.gains for part in parts]), parts[0].k, parts[0].iou)


def report(name: str, evaluations: dict[str, Evaluation], seconds: dict[str, float]) -> None:
    """Print recall by label, the differences from plain search, and the time of a query."""
    plain, ours = evaluations["plain search"], evaluations["moments"]
    print(f"\nSegmented {name}, {len(ours.queries)} queries, R@1 / R@5 at IoU 0.5\n")
    print(table(evaluations, ("recall@1", "recall@5")))
    print(f"\nplain search -> moments, all: {compare(plain, ours)}; goal {GOALS[name]}")
    for label in ours.labels:
        print(f"plain search -> moments, {label}: {compare(plain.only(label), ours.only(label))}")
    ratio = seconds["moments"] / seconds["plain search"]
    times = ", ".join(f"{way} {1000 * total / len(ours.queries):.1f} ms" for way, total in seconds.items())
    print(f"Per query: {times}; moments / plain search: {ratio:.1f}", flush=True)


def measure(folder: Path, seeds: Sequence[int], png: Path | None) -> None:
    """Write the videos, embed them, and report each segmentation."""
    groups = [
        [Video(folder, seed, audio=place != 2) for place, seed in enumerate(seeds[at : at + 3])]  # noqa: PLR2004
        for at in range(0, len(seeds), 3)
    ]
    with Sandbox(api_key=KEY) as sandbox:
        for name in SEGMENTATIONS:
            parts: dict[str, list[Evaluation]] = defaultdict(list)
            seconds: dict[str, float] = defaultdict(float)
            for number, videos in enumerate(groups):
                store = folder / f"{videos[0].path.stem}-{name.replace(' ', '-')}.sqlite3"
                library = Library(videos, sandbox, store, name)
                queries = queries_of(videos)
                for query in queries:
                    library.embed(query.query)
                for way, search in library.searches().items():
                    print(f"  library {number + 1}, {name}: {way}", flush=True)
                    began = time.process_time()
                    parts[way].append(evaluate(search, queries, k=K))
                    seconds[way] += time.process_time() - began
                library.client.close()
            evaluations = {way: joined(some) for way, some in parts.items()}
            report(name, evaluations, seconds)
            if png is not None:
                plot(evaluations, png.with_name(f"{png.stem}-{name.replace(' ', '-')}.png"))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7100, 7101, 7102], help="three for each library")
    parser.add_argument("--folder", type=Path, help="keeps videos and vectors; default: a temporary folder")
    parser.add_argument("--png", type=Path, help="plot recall to FILE-by-shots.png and so on")
    arguments = parser.parse_args()
    if len(arguments.seeds) % 3:
        parser.error(f"--seeds needs three seeds for each library, got {len(arguments.seeds)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        measure(folder, arguments.seeds, arguments.png)


if __name__ == "__main__":
    main()
