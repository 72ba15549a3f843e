"""`SearchVideoMoments`: a tool with which an agent searches videos."""

from typing import Any, Literal

from langchain_core.documents import Document
from langchain_core.tools import BaseTool
from pydantic import BaseModel, Field

from langchain_twelvelabs.retrievers import TwelveLabsMomentRetriever
from twelvelabs_core import TwelveLabsError
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    TOOL_OPTIONS,
    Mode,
    complaint_about,
    finish,
    public_document,
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
        description: What the model is told about it.

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
        except TwelveLabsError as error:
            return sentence_of(error), []
        shown = [public_document(moment) for moment in moments]
        return text_for_model(moments), [Document(text, metadata=metadata) for text, metadata in shown]
