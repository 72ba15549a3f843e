"""The job itself, as an application would do it: a video in, its segments into a vector store, moments out.

The store is Qdrant in local mode. It is a small installation without a server, keeps its data in a folder, accepts the
segments' UUIDs as ids, overwrites points that have the same id, and filters by metadata while it searches.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from langchain_core.documents import Document
from langchain_qdrant import QdrantVectorStore
from qdrant_client import QdrantClient, models

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from twelvelabs_core import Hit, Moment, MomentOptions, OnProgress, Progress

DIMENSION = 512
MOMENTS = 6
HITS = 30  # a moment has up to three per clip


class JobError(Exception):
    """The job cannot continue; the message gives the reason in one line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found in a video.

    Attributes:
        query: The query.
        moments: The moments that match it, best first.
        clips: Each clip of the video as a moment of its own, for its scores.
    """

    query: str
    moments: tuple[Moment, ...]
    clips: tuple[Moment, ...]

    @property
    def has_meaning(self) -> bool:
        """Whether any clip has a cosine other than 0."""
        return any(round(score.cosine, 3) for clip in self.clips for score in clip.options.values())


@dataclass(frozen=True, slots=True)
class LoadedVideo:
    """The segments of a video as documents, and whether they were paid for in this run.

    Attributes:
        embeddings: What embedded it.
        documents: One per segment and option.
        tasks_created: Number of embedding tasks created in this run.
    """

    embeddings: TwelveLabsEmbeddings
    documents: list[Document]
    tasks_created: int

    @property
    def source(self) -> str:
        """The source name in the metadata of its segments."""
        return str(self.documents[0].metadata["source"])

    @property
    def title(self) -> str:
        """The display name."""
        return str(self.documents[0].metadata["title"])

    @property
    def duration_sec(self) -> float:
        """Length of the video in seconds."""
        return float(self.documents[0].metadata["duration_sec"])

    @property
    def version(self) -> str:
        """A version that changes with the video's content: the id of a segment, which depends on it."""
        return str(self.documents[0].metadata["segment_id"])


def load_video(video: str, embeddings: TwelveLabsEmbeddings, on_progress: OnProgress) -> LoadedVideo:
    """Embed a video, or take its segments from the segment store if it was embedded before.

    Raises:
        JobError: The video has no segments.
        TwelveLabsError: The video cannot be used, or its task failed.
    """
    stages: list[str] = []

    def listen(step: Progress) -> None:
        stages.append(step.stage)
        on_progress(step)

    documents = TwelveLabsVideoLoader(video, embeddings=embeddings, on_progress=listen).load()
    if not documents:
        raise JobError(f"{video} has no segments, so there is nothing to search")
    return LoadedVideo(embeddings, documents, tasks_created=stages.count("ready"))


@contextmanager
def open_vector_store(folder: Path, embeddings: TwelveLabsEmbeddings) -> Iterator[QdrantVectorStore]:
    """Open the persistent vector store, with a collection for the space of these embeddings.

    Raises:
        JobError: Another process has it open.
    """
    try:
        client = QdrantClient(path=str(folder))
    except RuntimeError as error:
        raise JobError(f"{folder} is open in another process; wait until that has ended") from error
    try:
        # Vectors of two spaces are not comparable, so each space has its own collection.
        collection = embeddings.client.space.replace("/", "-")
        if not client.collection_exists(collection):
            vectors = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
            client.create_collection(collection, vectors_config=vectors)
        yield QdrantVectorStore(client, collection, embedding=embeddings, validate_collection_config=False)
    finally:
        client.close()


def store_segments(store: QdrantVectorStore, video: LoadedVideo) -> None:
    """Put a video's segments into the vector store, replacing those with the same source."""
    store.client.delete(store.collection_name, models.FilterSelector(filter=_of(video.source)))
    add_segments(store, video.documents)


def find_moments(store: QdrantVectorStore, video: LoadedVideo, queries: Iterable[str]) -> Iterator[Answer]:
    """Yield the moments of this video that match each query."""
    client = video.embeddings.client
    clips = [Hit.of(document.metadata) for document in video.documents]
    for query in queries:
        vector = client.embed_text(query).vector
        found = store.similarity_search_by_vector(vector.tolist(), k=HITS, filter=_of(video.source))
        moments = client.find_moments([Hit.of(document.metadata) for document in found], vector, k=MOMENTS)
        each = client.find_moments(clips, vector, k=len(clips), options=MomentOptions(max_moment_sec=0))
        yield Answer(query, tuple(moments), tuple(each))


def _of(source: str) -> models.Filter:
    return models.Filter(must=[models.FieldCondition(key="metadata.source", match=models.MatchValue(value=source))])
