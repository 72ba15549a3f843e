"""`citations`: where an answer comes from, in one form for moments, LangChain documents and LlamaIndex nodes."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.moment import Moment, media_fragment
from twelvelabs_core.moments.text import titles_of_sources


class Citation(TypedDict):
    """Where an answer comes from; plain JSON values.

    Attributes:
        title: A short name to display.
        source: The caller's name of the file.
        start_sec: First second; 0.0 where times do not apply.
        end_sec: Last second; 0.0 where times do not apply.
        url: The source with the time range as a media fragment, `https://example.com/match.mp4#t=62,70`, or the page
            of a PDF, `plan.pdf#page=2`.
        thumbnail: URL or path of a picture, or None.

    Example:
        ```python
        for number, citation in enumerate(citations(documents), 1):
            print(f"[{number}] {citation['title']} {citation['url']}")
        ```
    """

    title: str
    source: str
    start_sec: float
    end_sec: float
    url: str
    thumbnail: str | None


def citations(results: Iterable[Any], *, thumbnails: Mapping[str, str] | None = None) -> list[Citation]:
    """Return a citation for each result, in their order; equal ones once.

    Args:
        results: `Moment`s; LangChain documents, such as `answer["context"]`; or LlamaIndex nodes, such as
            `response.source_nodes`. Segments are accepted as well as moments, other documents too.
        thumbnails: For each `moment_id` the URL or path of a picture. Default: none.

    Raises:
        InputError: A result is neither a moment nor has metadata.

    Example:
        ```python
        answer = chain.invoke({"input": "When does the goalkeeper dive?"})
        print(citations(answer["context"])[0]["url"])
        ```
    """
    found = {citation["url"]: citation for citation in (_citation(one, thumbnails or {}) for one in results)}
    titles = titles_of_sources({citation["source"]: citation["title"] for citation in found.values()})
    for citation in found.values():
        citation["title"] = titles[citation["source"]] or citation["source"]
    return list(found.values())


def _citation(result: Any, thumbnails: Mapping[str, str]) -> Citation:
    metadata = _values(result)
    source, start, end = str(metadata.get("source", "")), metadata.get("start_sec"), metadata.get("end_sec")
    start_sec, end_sec = float(start or 0.0), float(end or 0.0)
    page = metadata.get("page_start") or 0
    return Citation(
        title=str(metadata.get("title") or ""),
        source=source,
        start_sec=start_sec,
        end_sec=end_sec,
        url=media_fragment(source, start_sec, end_sec) + (f"#page={page}" if page and not end_sec else ""),
        thumbnail=thumbnails.get(str(metadata.get("moment_id"))),
    )


def _values(result: Any) -> Mapping[str, Any]:
    if isinstance(result, Moment):
        return {name: getattr(result, name) for name in ("moment_id", "source", "title", "start_sec", "end_sec")}
    metadata = getattr(result, "metadata", None)
    if not isinstance(metadata, Mapping):
        raise InputError(f"cannot cite a {type(result).__name__}: it is neither a moment nor has metadata.")
    return metadata
