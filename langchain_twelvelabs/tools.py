"""`SearchVideoMoments`, `MoreLikeThis` and `ListVideos`: tools with which an agent searches videos."""

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.documents import Document
from langchain_core.tools import BaseTool
from pydantic import BaseModel, Field

from langchain_twelvelabs.retrievers import TwelveLabsMomentRetriever
from twelvelabs_core import Moment, TwelveLabsError
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    TOOL_OPTIONS,
    Mode,
    client_of,
    complaint_about,
    complaint_about_source,
    example_named,
    finish,
    public_document,
    searchable_titles,
    sentence_of,
    text_for_model,
    time_window_of,
)

K_MAX = 20


class SearchVideoMomentsInput(BaseModel):
    """The arguments of `SearchVideoMoments`, as a language model sees them.

    Example:
        ```python
        tool.invoke({"query": "goalkeeper dives", "k": 3, "modality": "seen"})
        ```
    """

    query: str = Field(description="What to look for, in a few words: what is seen, heard or said.", min_length=1)
    k: int = Field(default=5, description=f"Maximum number of moments to return, 1 to {K_MAX}.", ge=1, le=K_MAX)
    source: str | None = Field(
        default=None, description="Title of one video, as in earlier results, to search only in it."
    )
    start_sec: float | None = Field(default=None, description="Search only after this second of the videos.", ge=0)
    end_sec: float | None = Field(default=None, description="Search only before this second of the videos.", ge=0)
    modality: Literal["seen", "heard", "said", "any"] = Field(
        default="any", description="Search only what is seen, heard (sounds, music) or said (speech); or any."
    )


class SearchVideoMoments(BaseTool):
    """A tool that finds moments of videos and audio files for an agent.

    A model gets one line per moment: title, time range, why it matches, the words spoken in it, and for videos with an
    http(s) URL a link to the moment. Application code gets the documents as the message's `artifact`. Neither contains
    a vector, a key, or the path of a file. An error of the API, such as a wrong key, becomes a sentence for the model.

    Attributes:
        retriever: Where moments come from; it applies `k`, `source`, times and modality of each call.
        name: Name of the tool for the model. Default `search_video_moments`.
        description: What the model reads about it.

    Example:
        ```python
        from langchain.agents import create_agent

        agent = create_agent(model, [SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store))])
        ```
    """

    name: str = "search_video_moments"
    description: str = (
        "Find moments in videos and audio files by what is seen, heard or said. Returns titles with time ranges "
        "(minutes:seconds), best first. Cite a moment by its title and time range."
    )
    args_schema: type[BaseModel] = SearchVideoMomentsInput
    response_format: Literal["content_and_artifact"] = "content_and_artifact"
    retriever: TwelveLabsMomentRetriever

    def _run(
        self,
        query: str,
        *,
        k: int = 5,
        source: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        modality: str = "any",
    ) -> tuple[str, list[Document]]:
        conditions = {"source": source, "start_sec": start_sec, "end_sec": end_sec, "modality": modality}
        return finish(self._search(BLOCKING, query, k, conditions))

    async def _arun(
        self,
        query: str,
        *,
        k: int = 5,
        source: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        modality: str = "any",
    ) -> tuple[str, list[Document]]:
        conditions = {"source": source, "start_sec": start_sec, "end_sec": end_sec, "modality": modality}
        return await self._search(AWAITING, query, k, conditions)

    async def _search(self, mode: Mode, query: str, k: int, given: dict[str, Any]) -> tuple[str, list[Document]]:
        if complaint := complaint_about(query, given["start_sec"], given["end_sec"]):
            return complaint, []
        arguments = {
            "source": given["source"] or None,
            "embedding_option": TOOL_OPTIONS.get(given["modality"]),
            "time_window": time_window_of(given["start_sec"], given["end_sec"]),
        }
        try:
            # Not through `invoke`, whose trace would show the paths of files.
            moments = await self.retriever.find_moments(mode, {"text": query}, k, **arguments)
            if given["source"] and not moments:
                client = await client_of(mode, self.retriever.used_embeddings())
                search = self.retriever.vector_search()
                if complaint := await complaint_about_source(mode, client, search, given["source"]):
                    return complaint, []
        except TwelveLabsError as error:
            return sentence_of(error), []
        return _answer(moments)


class MoreLikeThisInput(BaseModel):
    """The arguments of `MoreLikeThis`, as a language model sees them.

    Example:
        ```python
        tool.invoke({"source": "match.mp4", "start_sec": 62.0, "end_sec": 70.0})
        ```
    """

    source: str = Field(description="Title of the video, as in earlier results.", min_length=1)
    start_sec: float = Field(description="First second of the moment.", ge=0)
    end_sec: float = Field(description="Last second of the moment.", ge=0)
    k: int = Field(default=5, description=f"Maximum number of moments to return, 1 to {K_MAX}.", ge=1, le=K_MAX)


class MoreLikeThis(BaseTool):
    """A tool that finds moments like one of an earlier result, for an agent; nothing is sent for it.

    Its answers are those of `SearchVideoMoments`.

    Attributes:
        retriever: Where moments come from.
        name: Name of the tool for the model. Default `more_like_this`.
        description: What the model reads about it.

    Example:
        ```python
        tools = [tool(retriever=retriever) for tool in (SearchVideoMoments, MoreLikeThis, ListVideos)]
        ```
    """

    name: str = "more_like_this"
    description: str = "Find moments like one of an earlier result, best first, without that moment."
    args_schema: type[BaseModel] = MoreLikeThisInput
    response_format: Literal["content_and_artifact"] = "content_and_artifact"
    retriever: TwelveLabsMomentRetriever

    def _run(self, source: str, *, start_sec: float, end_sec: float, k: int = 5) -> tuple[str, list[Document]]:
        return finish(self._search(BLOCKING, source, start_sec, end_sec, k))

    async def _arun(self, source: str, *, start_sec: float, end_sec: float, k: int = 5) -> tuple[str, list[Document]]:
        return await self._search(AWAITING, source, start_sec, end_sec, k)

    async def _search(
        self, mode: Mode, source: str, start_sec: float, end_sec: float, k: int
    ) -> tuple[str, list[Document]]:
        try:
            client = await client_of(mode, self.retriever.used_embeddings())
            like = await example_named(
                mode, client, self.retriever.vector_search(), source, start_sec=start_sec, end_sec=end_sec
            )
            if isinstance(like, str):
                return like, []
            return _answer(await self.retriever.find_moments(mode, {"like": like}, k))
        except TwelveLabsError as error:
            return sentence_of(error), []


class ListVideos(BaseTool):
    """A tool that lists the titles of the videos and audio files that an agent can search, one per line.

    Attributes:
        retriever: What is searched.
        name: Name of the tool for the model. Default `list_videos`.
        description: What the model reads about it.

    Example:
        ```python
        print(ListVideos(retriever=retriever).invoke({}))
        ```
    """

    name: str = "list_videos"
    description: str = "List the titles of the videos and audio files that can be searched."
    retriever: TwelveLabsMomentRetriever

    def _run(self) -> str:
        return finish(self._list(BLOCKING))

    async def _arun(self) -> str:
        return await self._list(AWAITING)

    async def _list(self, mode: Mode) -> str:
        try:
            client = await client_of(mode, self.retriever.used_embeddings())
            titles = await searchable_titles(mode, client, self.retriever.vector_search())
        except TwelveLabsError as error:
            return sentence_of(error)
        return "\n".join(" ".join(title.split()) for title in titles) or "No videos."


def _answer(moments: Sequence[Moment]) -> tuple[str, list[Document]]:
    """Return what the model gets of moments, and what application code gets."""
    shown = [public_document(moment) for moment in moments]
    return text_for_model(moments), [Document(text, metadata=metadata) for text, metadata in shown]
