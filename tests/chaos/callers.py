"""The ways in which a worker embeds its media: LangChain's loaders, the async client, LlamaIndex.

Each yields jobs. A job embeds some media completely and writes them to Qdrant, under the same ids whatever the way.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from langchain_qdrant import QdrantVectorStore
from llama_index.core import VectorStoreIndex
from llama_index.vector_stores.qdrant import QdrantVectorStore as LlamaIndexQdrant
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

from langchain_twelvelabs import TwelveLabsDocumentLoader, TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from llama_index_twelvelabs import (
    TwelveLabsDocumentReader,
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    ingest_videos,
)
from tests.chaos.media import DOCUMENT, DOCUMENT_MODEL, DOCUMENTS, VIDEO, VIDEOS, WAYS
from twelvelabs_core import AsyncClient, SegmentedMedia

BATCH = 16
Job = Callable[[], object]


def langchain(config: Mapping[str, Any], client: QdrantClient) -> Iterator[Job]:
    """Yield a job for the videos, for each window and for the documents, with loaders and `add_segments`."""

    def store(collection: str, embeddings: TwelveLabsEmbeddings) -> QdrantVectorStore:
        _make_collection(client, collection)
        return QdrantVectorStore(client, collection, embedding=embeddings, validate_collection_config=False)

    def videos(given: list[str], **window: float) -> None:
        embeddings = TwelveLabsEmbeddings(segment_store=config["store"], **_settings(config))
        timeout = config["timeout"]
        loader = TwelveLabsVideoLoader(
            given, embeddings=embeddings, **VIDEO, **window, timeout=timeout, show_progress=True
        )
        add_segments(store(VIDEOS, embeddings), loader.lazy_load(), batch_size=BATCH)

    def documents() -> None:
        embeddings = TwelveLabsEmbeddings(model=DOCUMENT_MODEL, segment_store=config["store"], **_settings(config))
        given, timeout = config["documents"], config["timeout"]
        loader = TwelveLabsDocumentLoader(given, embeddings=embeddings, **DOCUMENT, timeout=timeout)
        add_segments(store(DOCUMENTS, embeddings), loader.lazy_load(), batch_size=BATCH)

    yield lambda: videos(config["videos"])
    for path, start, end in config["windows"]:
        yield lambda path=path, start=start, end=end: videos([path], start_sec=start, end_sec=end)
    yield documents


def async_client(config: Mapping[str, Any], client: QdrantClient) -> Iterator[Job]:
    """Yield the same jobs with `AsyncClient`, whose segments are written without a framework."""

    def connect(**options: Any) -> AsyncClient:
        return AsyncClient(store=config["store"], **options, **_settings(config))

    async def videos() -> None:
        async with connect() as api:
            async for media in api.segment_many(config["videos"], **VIDEO, timeout=config["timeout"]):
                await _write(client, VIDEOS, api, media)

    async def window(path: str, start: float, end: float) -> None:
        async with connect() as api:
            media = await api.segment_video(path, **VIDEO, start_sec=start, end_sec=end, timeout=config["timeout"])
            await _write(client, VIDEOS, api, media)

    async def documents() -> None:
        async with connect(model=DOCUMENT_MODEL) as api:
            found = api.segment_many(config["documents"], input_type="document", **DOCUMENT, timeout=config["timeout"])
            async for media in found:
                await _write(client, DOCUMENTS, api, media)

    yield lambda: asyncio.run(videos())
    for path, start, end in config["windows"]:
        yield lambda path=path, start=start, end=end: asyncio.run(window(path, start, end))
    yield lambda: asyncio.run(documents())


def llama_index(config: Mapping[str, Any], client: QdrantClient) -> Iterator[Job]:
    """Yield the same jobs with `ingest_videos` and the readers."""

    def videos() -> None:
        model = TwelveLabsEmbedding(segment_store=config["store"], **_settings(config))
        index = VectorStoreIndex.from_vector_store(LlamaIndexQdrant(VIDEOS, client=client), embed_model=model)
        segmenter = TwelveLabsVideoSegmenter(embed_model=model, **VIDEO, timeout=config["timeout"])
        ingest_videos(index, config["videos"], segmenter=segmenter)

    def window(path: str, start: float, end: float) -> None:
        model = TwelveLabsEmbedding(segment_store=config["store"], **_settings(config))
        reader = TwelveLabsVideoReader(
            embed_model=model, **VIDEO, start_sec=start, end_sec=end, timeout=config["timeout"]
        )
        LlamaIndexQdrant(VIDEOS, client=client).add(reader.load_nodes([path]))

    def documents() -> None:
        model = TwelveLabsEmbedding(model_name=DOCUMENT_MODEL, segment_store=config["store"], **_settings(config))
        reader = TwelveLabsDocumentReader(embed_model=model, **DOCUMENT, timeout=config["timeout"])
        LlamaIndexQdrant(DOCUMENTS, client=client).add(reader.load_nodes(config["documents"]))

    yield videos
    for path, start, end in config["windows"]:
        yield lambda path=path, start=start, end=end: window(path, start, end)
    yield documents


CALLERS = dict(zip(WAYS, (langchain, async_client, llama_index), strict=True))


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    names = {"base_url": "base_url", "max_concurrency": "max_concurrency", "timeout": "silence"}
    return {name: config[key] for name, key in names.items()}


async def _write(client: QdrantClient, collection: str, api: AsyncClient, media: SegmentedMedia) -> None:
    _make_collection(client, collection)
    points = [
        PointStruct(id=record.segment_id, vector=record.vector.tolist(), payload={"metadata": record.metadata})
        for record in await api.register(media)
    ]
    client.upsert(collection, points)


def _make_collection(client: QdrantClient, collection: str) -> None:
    if not client.collection_exists(collection):
        client.create_collection(collection, VectorParams(size=512, distance=Distance.COSINE))
