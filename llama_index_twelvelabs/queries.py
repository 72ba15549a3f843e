"""`query_bundle` and `time_filter`: queries by image, audio and video, and filters by time."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.schema import QueryBundle
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters

from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from twelvelabs_core import InputError, MediaInput
from twelvelabs_core.integration import AWAITING, BLOCKING, Conditions, Mode, finish, time_window_of


def query_bundle(
    embed_model: TwelveLabsEmbedding,
    *,
    text: str | None = None,
    image: MediaInput | None = None,
    audio: MediaInput | None = None,
    video: MediaInput | None = None,
    query_str: str | None = None,
    embedding_option: str | None = None,
    start_sec: float | None = None,
    end_sec: float | None = None,
) -> QueryBundle:
    """Return a query with its vector, for any retriever or query engine, which then embeds nothing.

    Args:
        embed_model: The index's embedding.
        text: Words to search by; alone, or together with an image as one vector.
        image: An image to search by; path, URL, bytes, binary file object or `asset:<id>`.
        audio: An audio clip to search by, up to 10 minutes; 10 to 30 s are represented best.
        video: A video clip to search by, up to 10 minutes; 10 to 30 s are represented best.
        query_str: The question for a language model, which does not get the media. Default: `text`, else "".
        embedding_option: For audio and video: `visual` (default for video), `audio` (default for audio),
            `transcription` or `fused`.
        start_sec: First second of the audio or video to search by. Default 0.
        end_sec: Last second. Default: the end.

    Returns:
        A `QueryBundle` whose `embedding` has 512 floats.

    Raises:
        InputError: No query, an unsupported combination, or unsuitable media; nothing was sent.

    Example:
        ```python
        retriever.retrieve(query_bundle(embed_model, image="frame.jpg"))
        query_engine.query(query_bundle(embed_model, video="goal.mp4", query_str="When does this happen again?"))
        ```
    """
    given = {"text": text, "image": image, "audio": audio, "video": video}
    options = {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
    vector = finish(embed_query_media(BLOCKING, embed_model, given, options))
    return QueryBundle(query_str=query_str or text or "", embedding=vector)


async def aquery_bundle(
    embed_model: TwelveLabsEmbedding,
    *,
    text: str | None = None,
    image: MediaInput | None = None,
    audio: MediaInput | None = None,
    video: MediaInput | None = None,
    query_str: str | None = None,
    embedding_option: str | None = None,
    start_sec: float | None = None,
    end_sec: float | None = None,
) -> QueryBundle:
    """Return a query with its vector; the async variant of `query_bundle`."""
    given = {"text": text, "image": image, "audio": audio, "video": video}
    options = {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
    vector = await embed_query_media(AWAITING, embed_model, given, options)
    return QueryBundle(query_str=query_str or text or "", embedding=vector)


async def embed_query_media(
    mode: Mode,
    embed_model: TwelveLabsEmbedding,
    given: dict[str, MediaInput | None],
    options: dict[str, float | str | None],
) -> list[float]:
    """Return the vector of a query by a text, an image, both, an audio or a video clip.

    Raises:
        InputError: No query, an unsupported combination, or unsuitable media; nothing was sent.
    """
    if not isinstance(embed_model, TwelveLabsEmbedding):
        raise InputError(f"embed_model must be a TwelveLabsEmbedding, got {type(embed_model).__name__}.")
    wanted = {name: value for name, value in given.items() if value is not None}
    chosen = {name: value for name, value in options.items() if value is not None}
    names = tuple(wanted)
    if chosen and names not in (("audio",), ("video",)):
        raise InputError(
            f"{next(iter(chosen))} is for a query by audio or video, not by {' and '.join(names) or 'nothing'}."
        )
    if names == ("text", "image"):
        args = (wanted["text"], wanted["image"])
        return await _embedded(mode, embed_model, "get_text_image_embedding", *args)
    if len(names) != 1:
        raise InputError(
            f"pass one of text, image, audio and video, or text with image; got {' and '.join(names) or 'none'}."
        )
    method = "get_query_embedding" if names == ("text",) else f"get_{names[0]}_embedding"
    return await _embedded(mode, embed_model, method, wanted[names[0]], **chosen)


async def _embedded(
    mode: Mode, embed_model: TwelveLabsEmbedding, method: str, *args: object, **options: Any
) -> list[float]:
    found: list[float] = await mode.call(embed_model, method, *args, **options)
    return found


def time_filter(
    start_sec: float | None = None,
    end_sec: float | None = None,
    *,
    embedding_option: str | Sequence[str] | None = None,
    source: str | Sequence[str] | None = None,
) -> MetadataFilters:
    """Return filters for segments that overlap a time range, by option or by source.

    They are flat and compare floats, which all LlamaIndex vector stores with filters support.

    Args:
        start_sec: Segments that end after this second. Default: any.
        end_sec: Segments that begin before this second. Default: any. With one of both, segments without times, such
            as pages, are not found.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`; or a list of them.
        source: The `source` of a video, or a list of them. Not from users or language models: LlamaIndex's adapters of
            LanceDB, Milvus and PostgreSQL write it into their query without quoting it. `source=` of
            `TwelveLabsMomentRetriever.search` takes any text.

    Returns:
        `MetadataFilters`, which are combined by `and`.

    Raises:
        InputError: No argument, an invalid time, an empty list, or an option that no segment has.

    Example:
        ```python
        retriever = index.as_retriever(filters=time_filter(60, 120, embedding_option="visual"))
        ```
    """
    window = time_window_of(start_sec, end_sec)
    filters = []
    if window is not None:  # pages, chunks and images, whose times are 0, are in no range
        filters.append(MetadataFilter(key="end_sec", value=window[0], operator=FilterOperator.GT))
    if window is not None and end_sec is not None:
        filters.append(MetadataFilter(key="start_sec", value=window[1], operator=FilterOperator.LT))
    for option in [embedding_option] if isinstance(embedding_option, str) else embedding_option or ():
        Conditions(embedding_option=option)  # raises for one that no segment has
    for key, value in (("embedding_option", embedding_option), ("source", source)):
        if isinstance(value, str):
            filters.append(MetadataFilter(key=key, value=value, operator=FilterOperator.EQ))
        elif value is not None and not value:
            raise InputError(f"{key} is an empty list, by which nothing can be found: pass None for any.")
        elif value is not None:
            filters.append(MetadataFilter(key=key, value=list(value), operator=FilterOperator.IN))
    if not filters:
        raise InputError("nothing to filter by: pass start_sec, end_sec, embedding_option or source.")
    return MetadataFilters(filters=list(filters))
