"""`TwelveLabsToolSpec`: tools with which an agent searches videos."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from llama_index.core.tools.tool_spec.base import BaseToolSpec

from llama_index_twelvelabs.retrievers import TwelveLabsMomentRetriever
from twelvelabs_core import TwelveLabsError
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
    moment_for_model,
    searchable_titles,
    sentence_of,
    time_window_of,
)

K_MAX = 20

Query = Annotated[str, "What to look for, in a few words: what is seen, heard or said."]
Count = Annotated[int, f"Maximum number of moments to return, 1 to {K_MAX}."]
Source = Annotated[str | None, "Title of one video, as in earlier results, to search only in it."]
After = Annotated[float | None, "Search only after this second of the videos."]
Before = Annotated[float | None, "Search only before this second of the videos."]
Modality = Annotated[
    Literal["seen", "heard", "said", "any"], "Only what is seen, heard (sounds, music) or said (speech); or any."
]
Title = Annotated[str, "Title of the video, as in earlier results."]
Start = Annotated[float, "First second of the moment."]
End = Annotated[float, "Last second of the moment."]


class TwelveLabsToolSpec(BaseToolSpec):
    """Tools with which an agent searches videos: search, more like a moment, and the list of videos.

    Each has a blocking and an async form and returns JSON: moments with `title`, `start_sec`, `end_sec`, `why`, the
    `words` spoken, and for videos with an http(s) URL a link to the moment. They contain no vector, no key, and no path
    of a file. An error of the API, such as a wrong key, is returned as `{"error": "..."}` with a sentence.

    Args:
        retriever: Where moments come from.

    Example:
        ```python
        tools = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index)).to_tool_list()
        agent = FunctionAgent(tools=tools, llm=llm)
        ```
    """

    spec_functions = [  # noqa: RUF012  # LlamaIndex's own name and type
        ("search_video_moments", "asearch_video_moments"),
        ("more_like_this", "amore_like_this"),
        ("list_videos", "alist_videos"),
    ]

    def __init__(self, retriever: TwelveLabsMomentRetriever) -> None:
        self.retriever = retriever

    def search_video_moments(
        self,
        query: Query,
        *,
        k: Count = 5,
        source: Source = None,
        start_sec: After = None,
        end_sec: Before = None,
        modality: Modality = "any",
    ) -> str:
        """Find moments in videos and audio files by what is seen, heard or said.

        Returns JSON, best first. Cite a moment by its title and its time.
        """
        given = {"source": source, "start_sec": start_sec, "end_sec": end_sec, "modality": modality}
        return finish(_answer(lambda: self._search(BLOCKING, query, k, given)))

    async def asearch_video_moments(
        self,
        query: Query,
        *,
        k: Count = 5,
        source: Source = None,
        start_sec: After = None,
        end_sec: Before = None,
        modality: Modality = "any",
    ) -> str:
        """Find moments in videos and audio files; the async variant of `search_video_moments`."""
        given = {"source": source, "start_sec": start_sec, "end_sec": end_sec, "modality": modality}
        return await _answer(lambda: self._search(AWAITING, query, k, given))

    def more_like_this(self, source: Title, start_sec: Start, end_sec: End, k: Count = 5) -> str:
        """Find moments like one of an earlier result. Returns JSON, best first, without that moment."""
        return finish(_answer(lambda: self._more(BLOCKING, source, start_sec, end_sec, k)))

    async def amore_like_this(self, source: Title, start_sec: Start, end_sec: End, k: Count = 5) -> str:
        """Find moments like one of an earlier result; the async variant of `more_like_this`."""
        return await _answer(lambda: self._more(AWAITING, source, start_sec, end_sec, k))

    def list_videos(self) -> str:
        """List the titles of the videos and audio files that can be searched. Returns JSON."""
        return finish(_answer(lambda: self._list(BLOCKING)))

    async def alist_videos(self) -> str:
        """List the titles of the videos and audio files; the async variant of `list_videos`."""
        return await _answer(lambda: self._list(AWAITING))

    async def _search(self, mode: Mode, query: str, k: int, given: dict[str, Any]) -> Any:
        if complaint := complaint_about(query, given["start_sec"], given["end_sec"]) or _complaint_about_count(k):
            return {"error": complaint}
        if not isinstance(given["source"], str | None):
            return {"error": f"The search failed: source must be a title, got {given['source']!r}."}
        if given["modality"] not in (*TOOL_OPTIONS, "any"):
            names = ", ".join(f"{word} ({option})" for word, option in TOOL_OPTIONS.items())
            return {"error": f"The search failed: modality must be one of {names}, any; got {given['modality']}."}
        moments = await self.retriever.find_moments(
            mode,
            {"text": query},
            _count(k),
            source=None if given["source"] == "" else given["source"],
            embedding_option=TOOL_OPTIONS.get(given["modality"]),
            time_window=time_window_of(given["start_sec"], given["end_sec"]),
        )
        if given["source"] and not moments:
            client = await client_of(mode, self.retriever.embed_model)
            if complaint := await complaint_about_source(mode, client, self.retriever.vector_search(), given["source"]):
                return {"error": complaint}
        return [moment_for_model(moment) for moment in moments]

    async def _more(self, mode: Mode, title: str, start_sec: float, end_sec: float, k: int) -> Any:
        if complaint := _complaint_about_count(k):
            return {"error": complaint}
        client = await client_of(mode, self.retriever.embed_model)
        like = await example_named(
            mode, client, self.retriever.vector_search(), title, start_sec=start_sec, end_sec=end_sec
        )
        if isinstance(like, str):
            return {"error": like}
        moments = await self.retriever.find_moments(mode, {"like": like}, _count(k))
        return [moment_for_model(moment) for moment in moments]

    async def _list(self, mode: Mode) -> list[str]:
        client = await client_of(mode, self.retriever.embed_model)
        return await searchable_titles(mode, client, self.retriever.vector_search())


async def _answer(search: Callable[[], Awaitable[Any]]) -> str:
    try:
        return json.dumps(await search(), ensure_ascii=False)
    except TwelveLabsError as error:
        return json.dumps({"error": sentence_of(error)}, ensure_ascii=False)


def _complaint_about_count(k: object) -> str | None:
    """Return what a language model did wrong with `k`: LlamaIndex passes arguments unchecked."""
    if isinstance(k, bool) or not isinstance(k, int):
        return f"The search failed: k must be a whole number from 1 to {K_MAX}, got {k!r}."
    return None


def _count(k: int) -> int:
    return max(1, min(k, K_MAX))
