"""The retriever of moments and the agent tool, on documents of one video."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from langchain_twelvelabs import (
    ListVideos,
    MoreLikeThis,
    SearchVideoMoments,
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    add_segments,
    segment_filter,
)
from tests.langchain.fixtures import FIXED, SCENE_SEC, call, connected, description
from tests.vector_stores.stores import CASES, StoreCase
from twelvelabs_core import ConfigurationError, InputError, MomentOptions, citations
from twelvelabs_sandbox import Sandbox

CUT: dict[str, Any] = {"segmentation": FIXED, "end_sec": 24.0}
both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def store(shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]) -> InMemoryVectorStore:
    store = InMemoryVectorStore(shared_embeddings)
    add_segments(store, documents)
    return store


@pytest.fixture
def retriever(store: InMemoryVectorStore) -> TwelveLabsMomentRetriever:
    return TwelveLabsMomentRetriever(vectorstore=store, k=3)


def times(documents: list[Document]) -> list[tuple[float, float]]:
    return [(document.metadata["start_sec"], document.metadata["end_sec"]) for document in documents]


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def filled(self, store: InMemoryVectorStore) -> None:
        self.store = store

    @property
    def retriever_constructor(self) -> type[TwelveLabsMomentRetriever]:
        return TwelveLabsMomentRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"vectorstore": self.store}

    @property
    def retriever_query_example(self) -> str:
        return description(0)


class Tool:
    """What both standard classes of tests need to know of the tool."""

    @pytest.fixture(autouse=True)
    def filled(self, retriever: TwelveLabsMomentRetriever) -> None:
        self.retriever = retriever

    @property
    def tool_constructor(self) -> type[BaseTool]:
        return SearchVideoMoments

    @property
    def tool_constructor_params(self) -> dict[str, Any]:
        return {"retriever": self.retriever}

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"query": description(0), "k": 2, "modality": "seen"}


class TestToolUnit(Tool, ToolsUnitTests):
    pass


class TestToolIntegration(Tool, ToolsIntegrationTests):
    pass


@both_modes
async def test_documents_of_moments(retriever: TwelveLabsMomentRetriever, mode: str) -> None:
    (first, *others) = await call(mode, retriever, "invoke", description(2))
    assert (first.metadata["start_sec"], first.metadata["end_sec"]) == (12.0, 18.0)
    assert first.page_content.startswith("scenes.mkv, 0:12.0-0:18.0, seen")
    assert first.metadata["exact"]
    assert first.metadata["ranks"]["visual"] == 1
    assert first.metadata["why"].endswith("best at 0:15.0")
    assert first.metadata["url"] == "scenes.mkv#t=12,18"
    json.dumps(first.metadata)
    assert first.metadata["score"] >= max((other.metadata["score"] for other in others), default=0.0)


@both_modes
async def test_queries_by_text_image_and_another_moment(
    retriever: TwelveLabsMomentRetriever, mode: str, frame: Path
) -> None:
    async def best(*args: Any, **query: Any) -> tuple[float, float]:
        return times(await call(mode, retriever, "search", *args, k=1, **query))[0]

    assert await best(description(1)) == (6.0, 12.0)
    assert await best(image=frame) == (12.0, 18.0)
    assert await best("a green picture", image=frame) == (12.0, 18.0)
    (first,) = await call(mode, retriever, "search", description(1), k=1)
    like = await call(mode, retriever, "search", like=first, k=4)
    assert (6.0, 12.0) not in times(like)
    assert like
    for wrong in ({}, {"text": "a", "like": first}, {"like": Document("plain text")}):
        with pytest.raises(InputError):
            await call(mode, retriever, "search", **wrong)


@both_modes
async def test_only_segments_that_fulfil_the_conditions(retriever: TwelveLabsMomentRetriever, mode: str) -> None:
    window = await call(mode, retriever, "search", description(0), time_window=(13.0, 17.0))
    assert times(window) == [(12.0, 18.0)]
    (said, *_) = await call(mode, retriever, "search", "a goalkeeper dives", embedding_option="transcription")
    assert (said.metadata["start_sec"], said.page_content) == (0.0, "scenes.mkv, 0:00.0-0:06.0, said")
    assert await call(mode, retriever, "search", description(0), source="other.mkv") == []
    assert await call(mode, retriever, "search", description(0), source="scenes.mkv") != []
    assert times(await call(mode, retriever, "invoke", description(0), time_window=(18.5, 19.0))) == [(18.0, 24.0)]


def test_documents_of_others_are_returned_as_they_are(
    retriever: TwelveLabsMomentRetriever, store: InMemoryVectorStore
) -> None:
    store.add_documents([Document(description(3), metadata={"source": "notes.txt"})])
    found = retriever.search(description(3), k=5)
    (note,) = [document for document in found if document.metadata["source"] == "notes.txt"]
    assert (note.page_content, note.metadata) == (description(3), {"source": "notes.txt", "exact": False})


def test_other_segment_store_gives_the_order_of_the_vector_store(
    sandbox: Sandbox, store: InMemoryVectorStore, tmp_path: Path
) -> None:
    retriever = TwelveLabsMomentRetriever(
        vectorstore=store, embeddings=connected(sandbox, tmp_path / "empty.sqlite3"), k=1
    )
    found = retriever.invoke(description(2))
    assert times(found)[0] == (12.0, 18.0)  # the second best clip is not its neighbour
    assert times(retriever.invoke(description(2), k=10))[0] == (0.0, 24.0)
    assert {document.metadata["exact"] for document in found} == {False}
    assert found[0].metadata["score"] is None


def test_store_that_cannot_filter_is_searched_further(
    store: InMemoryVectorStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twelvelabs_core.moments.retrieval.FETCH_MAX", 4)
    for text in ("one", "two", "three", "four"):
        store.add_texts([f"{description(1)} {text}"])
    mine = {"filter": lambda _: True}
    retriever = TwelveLabsMomentRetriever(vectorstore=store, fetch_k=1, search_kwargs=mine)
    with caplog.at_level(logging.WARNING):
        retriever.search(description(1), source="scenes.mkv")
    assert "cannot filter" in caplog.text
    monkeypatch.undo()
    assert times(retriever.search(description(1), source="scenes.mkv", k=1)) == [(6.0, 12.0)]


class OtherStore(VectorStore):
    """A kind of store that was not tested."""

    def similarity_search(self, *_: Any, **__: Any) -> list[Document]:
        return []

    @classmethod
    def from_texts(cls, *_: Any, **__: Any) -> "OtherStore":
        return cls()


def test_filters_of_an_unknown_store_are_refused() -> None:
    assert segment_filter(OtherStore()) == {}
    with pytest.raises(ConfigurationError, match="OtherStore are not known"):
        segment_filter(OtherStore(), source="match.mp4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"embedding_option": "Visual"},
            r"one of visual \(seen\), audio \(heard\), transcription \(said\), .*, got 'Visual'",
        ),
        ({"start_sec": -1}, "start_sec must be a number of seconds from 0, got -1"),
        ({"start_sec": "0:12"}, "start_sec must be a number of seconds from 0, got '0:12'"),
        ({"end_sec": float("nan")}, "end_sec must be a number of seconds from 0, got nan"),
        ({"start_sec": 9, "end_sec": 9}, "end_sec must be after start_sec, got start_sec=9 and end_sec=9"),
        ({"source": []}, "source is an empty list"),
        ({"source": ()}, "source is an empty list"),
        ({"embedding_option": []}, "embedding_option must be one of"),
    ],
)
def test_values_that_no_segment_has_are_no_filter(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        segment_filter(OtherStore(), **arguments)


@pytest.mark.parametrize("source", [[], ("match.mp4",), 5])
def test_a_search_is_in_one_file(source: Any, retriever: TwelveLabsMomentRetriever, sandbox: Sandbox) -> None:
    with pytest.raises(InputError, match="source must be the name of one file, a str or a path, got"):
        retriever.search("red", source=source)
    assert sandbox.count() == 0


@pytest.fixture
def two_videos(sandbox: Sandbox, video_path: Path, tmp_path: Path) -> TwelveLabsEmbeddings:
    """Embeddings whose segment store knows two videos of one file name."""
    embeddings = connected(sandbox, tmp_path / "two.sqlite3")
    for source in ("/data/cup/scenes.mkv", "/data/league/scenes.mkv"):
        TwelveLabsVideoLoader(video_path, embeddings=embeddings, source=source, **CUT).load()
    return embeddings


def filled(store: VectorStore, video_path: Path, embeddings: TwelveLabsEmbeddings) -> VectorStore:
    for source in ("/data/cup/scenes.mkv", "/data/league/scenes.mkv"):
        loader = TwelveLabsVideoLoader(video_path, embeddings=embeddings, source=source, **CUT)
        add_segments(store, loader.lazy_load())
    return store


def test_equal_file_names_are_told_apart_in_every_answer(two_videos: TwelveLabsEmbeddings, video_path: Path) -> None:
    store = filled(InMemoryVectorStore(two_videos), video_path, two_videos)
    for name, count in {"scenes.mkv": 2, "cup/scenes.mkv": 1, "/data/cup/scenes.mkv": 1, "other.mkv": 0}.items():
        found = store.similarity_search(description(1), k=99, **segment_filter(store, source=name, end_sec=1))
        assert len({one.metadata["source"] for one in found}) == count
    tool = SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store))
    content = tool.invoke({"query": description(1), "k": 2})
    assert content.count("cup/scenes.mkv, 0:06.0-0:12.0") == content.count("league/scenes.mkv, 0:06.0-0:12.0") == 1
    for title in ("cup/scenes.mkv", "league/scenes.mkv"):
        assert tool.invoke({"query": description(1), "k": 1, "source": title}).startswith(f"1. {title}, 0:06.0-0:12.0")


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_tools_list_videos_and_find_more_like_a_moment(
    mode: str, two_videos: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox
) -> None:
    retriever = TwelveLabsMomentRetriever(vectorstore=InMemoryVectorStore(two_videos))
    videos, more = ListVideos(retriever=retriever), MoreLikeThis(retriever=retriever)
    assert await call(mode, videos, "invoke", {}) == "No videos."
    filled(retriever.vectorstore, video_path, two_videos)
    sandbox.clear_requests()
    assert await call(mode, videos, "invoke", {}) == "cup/scenes.mkv\nleague/scenes.mkv"
    place = {"start_sec": 6, "end_sec": 12, "k": 1}
    request = {"name": more.name, "args": {"source": "cup/scenes.mkv", **place}, "id": "1", "type": "tool_call"}
    message = await call(mode, more, "invoke", request)
    assert message.content.startswith("1. league/scenes.mkv, 0:06.0-0:12.0")
    assert message.artifact[0].metadata["source"] == "league/scenes.mkv"
    assert sandbox.count() == 0
    several = await call(mode, more, "invoke", {"source": "scenes.mkv", **place})
    assert "scenes.mkv names 2 files: cup/scenes.mkv, league/scenes.mkv. Pass one of these." in several
    nothing = await call(mode, more, "invoke", {"source": "cup/scenes.mkv", "start_sec": 90, "end_sec": 99})
    assert nothing == "The search failed: cup/scenes.mkv has no moment from second 90 to 99."


@both_modes
@pytest.mark.parametrize("place", ["other collection", "other tenant"])
async def test_names_and_titles_depend_on_no_other_collection_or_tenant(
    mode: str, place: str, two_videos: TwelveLabsEmbeddings, video_path: Path
) -> None:
    store: VectorStore = InMemoryVectorStore(two_videos)
    loader = TwelveLabsVideoLoader(video_path, embeddings=two_videos, source="scenes.mkv", **CUT)  # a name and a title
    if place == "other tenant":
        add_segments(filled(store, video_path, two_videos), loader.lazy_load())
        own = {"filter": lambda document: document.metadata["source"] == "/data/cup/scenes.mkv"}
    else:
        loader.load()
        add_segments(
            store,
            TwelveLabsVideoLoader(video_path, embeddings=two_videos, source="/data/cup/scenes.mkv", **CUT).lazy_load(),
        )
        own = {}
    retriever = TwelveLabsMomentRetriever(vectorstore=store, search_kwargs=own)
    assert await call(mode, ListVideos(retriever=retriever), "invoke", {}) == "scenes.mkv"
    for source in (None, "scenes.mkv", "cup/scenes.mkv"):
        found = await call(mode, SearchVideoMoments(retriever=retriever), "invoke", {"query": "a", "source": source})
        assert found.startswith("1. scenes.mkv, ")
    place_of_example = {"source": "scenes.mkv", "start_sec": 6, "end_sec": 12}
    found = await call(mode, MoreLikeThis(retriever=retriever), "invoke", place_of_example)
    assert found.startswith("1. scenes.mkv, ")


def test_title_that_is_not_the_end_of_its_source_is_told_apart_by_the_source(
    sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    embeddings = connected(sandbox, tmp_path / "named.sqlite3")
    store = InMemoryVectorStore(embeddings)
    names = ("u7/plan.mkv", "u8/plan.mkv", "u9/scenes.mkv")
    for source in names:
        add_segments(store, TwelveLabsVideoLoader(video_path, embeddings=embeddings, source=source, **CUT).lazy_load())
    retriever = TwelveLabsMomentRetriever(vectorstore=store)
    assert ListVideos(retriever=retriever).invoke({}).split("\n") == list(names)
    more = MoreLikeThis(retriever=retriever)
    place = {"start_sec": 6, "end_sec": 12}
    for name in names:
        assert more.invoke({"source": name, **place}).startswith("1. ")
    assert "plan.mkv names 2 files: u7/plan.mkv, u8/plan.mkv." in more.invoke({"source": "plan.mkv", **place})


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.name in ("InMemory", "Chroma", "Qdrant", "LanceDB")])
def test_names_of_sources_mean_the_same_in_every_store(
    case: StoreCase,
    two_videos: TwelveLabsEmbeddings,
    video_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As with a video whose segments fill a search.
    monkeypatch.setattr("twelvelabs_core.moments.retrieval.NAMED_COUNT", 1)
    store = case.make(two_videos, tmp_path)
    retriever = TwelveLabsMomentRetriever(vectorstore=store, fetch_k=3, k=4)
    assert retriever.invoke("anything") == []
    filled(store, video_path, two_videos)
    names = ("scenes.mkv", "cup/scenes.mkv", "/data/league/scenes.mkv", "league", Path("/data/cup/scenes.mkv"))
    found = [{one.metadata["source"] for one in retriever.search(description(1), source=name)} for name in names]  # type: ignore[arg-type]
    cup, league = {"/data/cup/scenes.mkv"}, {"/data/league/scenes.mkv"}
    assert found == [cup | league, cup, league, set(), cup]


def test_no_path_reaches_the_model(
    store: InMemoryVectorStore, sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.add_documents([Document(description(3), metadata={"source": "/home/alice/secret/plan.txt"})])
    tool = SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store))
    call = {"name": tool.name, "args": {"query": description(3)}, "id": "1", "type": "tool_call"}
    message = tool.invoke(call)
    assert "plan.txt: " in message.content
    assert "secret" not in repr(message)
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_text("not a store")
    broken = TwelveLabsEmbeddings(api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=str(damaged))
    tool = SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store, embeddings=broken))
    answer = tool.invoke({"query": description(3)})
    assert "only the operator can repair it (ConfigurationError" in answer
    more = MoreLikeThis(retriever=tool.retriever).invoke({"source": "a.mp4", "start_sec": 0, "end_sec": 9})
    assert "only the operator can repair it (ConfigurationError" in more
    assert "damaged" not in more
    assert "damaged" not in answer
    assert "damaged.sqlite3" in caplog.text


def test_mistakes_in_arguments_are_told_to_the_model(store: InMemoryVectorStore) -> None:
    tool = SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store))
    assert tool.invoke({"query": " "}) == "The search failed: query must be a text that is not empty."
    assert "end_sec must be after start_sec" in tool.invoke({"query": "a", "start_sec": 5, "end_sec": 4})
    assert tool.invoke({"query": "a", "source": "x.mp4"}) == "The search failed: no video is called x.mp4."
    for start in (900, 1e12, 1e308):
        assert tool.invoke({"query": "a", "source": "scenes.mkv", "start_sec": start}) == "No moment found."


def test_mistakes_in_arguments_are_refused(retriever: TwelveLabsMomentRetriever, store: InMemoryVectorStore) -> None:
    with pytest.raises(InputError, match="k must be a whole number"):
        retriever.search("a", k=0)
    with pytest.raises(InputError, match="embedding_option must be one of"):
        retriever.search("a", embedding_option="seen")
    with pytest.raises(InputError, match="time_window must be"):
        retriever.search("a", time_window=(5, 4))
    with pytest.raises(ConfigurationError, match="'seen', which is not an embedding option; there are visual"):
        MomentOptions(weights={"seen": 1.0})
    with pytest.raises(ValueError, match="fetch_k that of a search"):
        TwelveLabsMomentRetriever(vectorstore=store, search_kwargs={"k": 3})
    assert retriever.search(description(0), time_window=(0, float("inf")))


class Trace(BaseCallbackHandler):
    """Everything that a tracer would record."""

    def __init__(self) -> None:
        self.text = ""

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        self.text += f"{serialized} {input_str} {kwargs}"

    def on_tool_end(self, output: Any, **_: Any) -> None:
        self.text += repr(output) + repr(getattr(output, "artifact", ""))

    def on_retriever_start(self, *args: Any, **kwargs: Any) -> None:
        self.text += f"{args} {kwargs}"

    def on_retriever_end(self, documents: Any, **_: Any) -> None:
        self.text += repr(documents)


class Model(GenericFakeChatModel):
    """A model that calls the tool once, and then answers with the first line of its result."""

    query: str

    def bind_tools(self, *_: Any, **__: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        results = [str(message.content) for message in messages if isinstance(message, ToolMessage)]
        calls = [ToolCall(name="search_video_moments", args={"query": self.query}, id="call-1")]
        message = AIMessage(results[-1].splitlines()[0]) if results else AIMessage("", tool_calls=calls)
        self.messages = iter([message])
        return super()._generate(messages, *args, **kwargs)


def asks_the_tool(query: str) -> Model:
    return Model(messages=iter([]), query=query)


@both_modes
async def test_agent_cites_a_moment(
    shared_embeddings: TwelveLabsEmbeddings, store: InMemoryVectorStore, video_path: Path, sandbox: Sandbox, mode: str
) -> None:
    loader = TwelveLabsVideoLoader(video_path, embeddings=shared_embeddings, segmentation=FIXED, end_sec=24.0)
    add_segments(store, loader.lazy_load())  # under its path
    retriever = TwelveLabsMomentRetriever(vectorstore=store)
    agent = create_agent(asks_the_tool(description(2)), [SearchVideoMoments(retriever=retriever)])
    trace = Trace()
    answer = await call(
        mode, agent, "invoke", {"messages": [("user", "When is it green?")]}, config={"callbacks": [trace]}
    )
    assert "scenes.mkv, 0:12.0-0:18.0: seen" in answer["messages"][-1].content
    transcript = repr(answer["messages"]) + trace.text
    assert str(video_path.parent) not in transcript
    assert sandbox.api_key not in transcript
    vector = shared_embeddings.embed_query(description(2))
    assert not [value for value in vector if abs(value) > 0.001 and str(value)[:8] in transcript]
    (message,) = [one for one in answer["messages"] if isinstance(one, ToolMessage)]
    assert citations(message.artifact)[0]["end_sec"] == 18.0


def test_wrong_key_becomes_a_sentence(sandbox: Sandbox, store: InMemoryVectorStore) -> None:
    wrong = TwelveLabsEmbeddings(api_key="tlk_sandbox_wrong", base_url=sandbox.base_url, segment_store=":memory:")
    tool = SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store, embeddings=wrong))
    agent = create_agent(asks_the_tool("a red car"), [tool])
    answer = agent.invoke({"messages": [("user", "Find a red car.")]})["messages"][-1].content
    assert answer.startswith("The search failed: ")
    assert "401" in answer or "key" in answer
    assert "tlk_sandbox_wrong" not in answer


def test_options_and_arguments_are_checked(store: InMemoryVectorStore) -> None:
    with pytest.raises(ValueError, match="fetch_k"):
        TwelveLabsMomentRetriever(vectorstore=store, fetch_k=0)
    with pytest.raises(ConfigurationError, match="max_gap_sec must be a finite number"):
        MomentOptions(max_gap_sec=-1)
    with pytest.raises(ValueError, match="modality"):
        SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store)).invoke(
            {"query": "a", "modality": "smelled"}
        )
    assert SCENE_SEC == 6.0
