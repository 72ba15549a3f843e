"""Queries by text, image, sound, clip, and text with image; filters on time, option and video."""

from pathlib import Path
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.schema import QueryBundle, TextNode

from llama_index_twelvelabs import TwelveLabsEmbedding, aquery_bundle, query_bundle, time_filter
from tests.llama_index.fixtures import description, paid
from twelvelabs_core import InputError
from twelvelabs_sandbox import Sandbox

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def index(nodes: list[TextNode], shared_model: TwelveLabsEmbedding) -> VectorStoreIndex:
    return VectorStoreIndex(nodes, embed_model=shared_model)


async def bundle(mode: str, embed_model: TwelveLabsEmbedding, **query: Any) -> QueryBundle:
    return await aquery_bundle(embed_model, **query) if mode == "async" else query_bundle(embed_model, **query)


@pytest.fixture
def queries(frame: Path, clip: Path, sound: Path) -> list[tuple[dict[str, Any], float, str]]:
    """Queries, each with the start and the option of the expected moment."""
    return [
        ({"text": description(2)}, 12.0, "visual"),
        ({"image": frame}, 12.0, "visual"),
        ({"text": "green and black checkerboard", "image": frame}, 12.0, "visual"),
        ({"video": clip}, 6.0, "visual"),
        ({"video": clip, "embedding_option": "audio"}, 6.0, "audio"),
        ({"audio": sound}, 0.0, "audio"),
        ({"audio": sound, "start_sec": 1, "end_sec": 5}, 0.0, "audio"),
    ]


@both_modes
async def test_each_kind_of_query_finds_its_scene(
    mode: str,
    index: VectorStoreIndex,
    shared_model: TwelveLabsEmbedding,
    queries: list[tuple[dict[str, Any], float, str]],
    sandbox: Sandbox,
) -> None:
    for place, (query, start_sec, option) in enumerate(queries, start=1):
        asked = await bundle(mode, shared_model, **query)
        assert paid(sandbox) == place
        retriever = index.as_retriever(similarity_top_k=1)
        (best,) = await retriever.aretrieve(asked) if mode == "async" else retriever.retrieve(asked)
        assert (best.metadata["start_sec"], best.metadata["embedding_option"]) == (start_sec, option), query
        assert paid(sandbox) == place  # the retriever embeds nothing more


def test_query_str_is_for_the_model_and_the_image_for_the_search(
    index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, frame: Path
) -> None:
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=1)
    answer = engine.query(query_bundle(shared_model, image=frame, query_str="When does this happen?"))
    assert "When does this happen?" in str(answer)
    assert "start_sec: 12.0" in str(answer)
    assert query_bundle(shared_model, text="a red car").query_str == "a red car"
    assert query_bundle(shared_model, image=frame).query_str == ""


@both_modes
async def test_invalid_query_combinations_are_refused(
    mode: str, embed_model: TwelveLabsEmbedding, frame: Path, clip: Path, sandbox: Sandbox
) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "pass one of text, image, audio and video, or text with image; got none"),
        ({"image": frame, "video": clip}, "got image and video"),
        ({"text": "x", "image": frame, "audio": clip}, "got text and image and audio"),
        ({"image": frame, "start_sec": 1}, "start_sec is for a query by audio or video, not by image"),
        ({"text": "x", "embedding_option": "audio"}, "embedding_option is for a query by audio or video"),
        ({"text": " "}, "is empty"),
        ({"video": clip, "embedding_option": "smell"}, "must be one of visual, audio, transcription, fused"),
        ({"image": "missing.png"}, r"missing\.png: no such file"),
    ]
    for query, message in refused:
        with pytest.raises(InputError, match=message):
            await bundle(mode, embed_model, **query)
    assert sandbox.count() == 0


def starts(index: VectorStoreIndex, filters: Any) -> set[tuple[float, str]]:
    found = index.as_retriever(similarity_top_k=100, filters=filters).retrieve(QueryBundle("", embedding=[1.0] * 512))
    return {(hit.metadata["start_sec"], hit.metadata["embedding_option"]) for hit in found}


def test_filters_select_overlapping_segments(index: VectorStoreIndex, video_path: Path) -> None:
    assert {start for start, _ in starts(index, time_filter(7, 12))} == {6.0}  # 12-18 only touches the range
    assert {start for start, _ in starts(index, time_filter(11.9, 12.1))} == {6.0, 12.0}
    assert {start for start, _ in starts(index, time_filter(18))} == {18.0}
    assert {start for start, _ in starts(index, time_filter(end_sec=0.5))} == {0.0}
    assert starts(index, time_filter(0, 12, embedding_option="visual")) == {(0.0, "visual"), (6.0, "visual")}
    only = time_filter(embedding_option=["transcription", "audio"], source=str(video_path), end_sec=6)
    assert starts(index, only) == {(0.0, "transcription"), (0.0, "audio")}
    assert starts(index, time_filter(source=["other.mp4"])) == set()


def test_segments_without_times_are_in_no_range(nodes: list[TextNode], shared_model: TwelveLabsEmbedding) -> None:
    page = nodes[0]
    page.metadata = {**page.metadata, "start_sec": 0.0, "end_sec": 0.0}
    index = VectorStoreIndex([page], embed_model=shared_model)
    assert starts(index, time_filter(end_sec=6)) == set()


def test_filters_are_flat_and_of_floats() -> None:
    filters = time_filter(3, 9, embedding_option=["visual"], source="match.mp4").filters
    assert [(one.key, one.operator.value, one.value) for one in filters] == [  # type: ignore[union-attr]
        ("end_sec", ">", 3.0),
        ("start_sec", "<", 9.0),
        ("embedding_option", "in", ["visual"]),
        ("source", "==", "match.mp4"),
    ]
    assert all(type(one.value) is float for one in filters[:2])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": []}, "source is an empty list"),
        ({"embedding_option": (), "start_sec": 3}, "embedding_option is an empty list"),
        ({}, "nothing to filter by"),
        ({"start_sec": -1}, "start_sec must be a number of seconds from 0, got -1"),
        ({"end_sec": True}, "end_sec must be a number of seconds from 0, got True"),
        ({"start_sec": "0:12"}, "start_sec must be a number of seconds from 0, got '0:12'"),
        ({"start_sec": 9, "end_sec": 9}, "end_sec must be after start_sec, got start_sec=9 and end_sec=9"),
        ({"end_sec": float("nan")}, "end_sec must be a number"),
        ({"embedding_option": "vsual"}, r"embedding_option must be one of visual \(seen\), audio .*, got 'vsual'"),
        ({"embedding_option": ["visual", "sound"]}, "embedding_option must be one of .*, got 'sound'"),
    ],
)
def test_invalid_filters_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        time_filter(**arguments)


@both_modes
async def test_a_query_without_an_embedding_is_refused(mode: str) -> None:
    with pytest.raises(InputError, match="embed_model must be a TwelveLabsEmbedding, got str"):
        await bundle(mode, "x", text="a")  # type: ignore[arg-type]
