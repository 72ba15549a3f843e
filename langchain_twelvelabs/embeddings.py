"""`TwelveLabsEmbeddings`: TwelveLabs' Marengo models as LangChain `Embeddings`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

from langchain_core.embeddings import Embeddings
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from twelvelabs_core import AsyncClient, Client, ConfigurationError, InputError, MediaInput, SegmentStore, parse_query
from twelvelabs_core.base.settings import FIELDS, settings_of
from twelvelabs_core.media.source import is_one
from twelvelabs_core.models.marengo import model_of
from twelvelabs_core.models.options import check_flag
from twelvelabs_core.results.references import TextPlan
from twelvelabs_core.results.segments import Matrix


class TwelveLabsEmbeddings(BaseModel, Embeddings):
    """Embeddings of text, images, audio and video in one vector space, by TwelveLabs' Marengo models.

    For any LangChain vector store. The documents of a loader (`TwelveLabsVideoLoader` and its kin) name vectors that
    are paid for already: for them `embed_documents` reads the segment store and sends nothing. Every other text
    is embedded through the API, one request each, at most `max_concurrency` at once.

    Setup:
        Install `twelvelabs-rag[langchain]` and set the environment variable `TWELVELABS_API_KEY`.

    Key init args - embedding params:
        model: Name of the model. Default `marengo3.0`: vectors of 512 floats, whose length is not promised to be 1,
            so set cosine as the distance of the vector store.
        embedding_dimension: Floats in a vector: 512 (default), with marengo3.5 also 256 or 128. Each length is a space
            of its own; never mix two in one vector store.
        auto_truncate: Whether the API cuts texts that are too long for the model, in place of an error. marengo3.5.
        segment_store: Where the vectors of videos are kept: a `SegmentStore`, a path, a SQLAlchemy URL, or
            ":memory:". Default: `TWELVELABS_STORE`, else one file in the user's data folder.

    Key init args - client params:
        api_key: The key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`. Pickled only if passed.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        max_concurrency: Most requests at once in one call. Default 8.
        max_retries: How often a request is repeated. Default 4.
        timeout: Longest silence of the server within one request, in seconds. Default 60.
        requests_per_minute: Most requests in any minute over all objects of this process with this key and host,
            looks (GETs) not counted. Default: as the API lets them through.
        max_concurrent_requests: Most requests under way at once over all objects of this process with this key and
            host; one that takes longer than 30 s is not counted any more. Default: fewer only after the API has
            refused some.
        rate_limiter: A LangChain rate limiter, such as `InMemoryRateLimiter(requests_per_second=2)`; asked once per
            text, image, clip and embedding task, also for the loaders. It is not pickled.

    Instantiate:
        ```python
        from langchain_twelvelabs import TwelveLabsEmbeddings

        embeddings = TwelveLabsEmbeddings()
        ```

    Embed single text:
        ```python
        vector = embeddings.embed_query("goalkeeper dives to the left")  # 512 floats
        ```

    Embed multiple texts:
        ```python
        vectors = embeddings.embed_documents(["a red car", "rain on a window"])
        ```

    Embed images, audio and video:
        ```python
        vectors = embeddings.embed_images(["frame.jpg", "https://example.com/photo.png"])
        store.similarity_search_by_vector(embeddings.embed_video("ten_seconds.mp4"))
        ```

    Async:
        ```python
        vector = await embeddings.aembed_query("goalkeeper dives to the left")
        ```

    Raises:
        ConfigurationError: No key anywhere, or a value that cannot be.
        InputError: An unknown model, or what it does not take; the message names the model that does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    model: str = "marengo3.0"
    embedding_dimension: int | None = Field(default=None, strict=True)
    auto_truncate: bool = Field(default=False, strict=True)
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    base_url: str | None = None
    max_concurrency: int | None = None
    max_retries: int | None = None
    timeout: float | None = None
    requests_per_minute: float | None = None
    max_concurrent_requests: int | None = None
    segment_store: SegmentStore | None = Field(default=None, exclude=True)
    rate_limiter: BaseRateLimiter | None = Field(default=None, exclude=True, repr=False)

    _client: Client | None = PrivateAttr(default=None)
    _async_client: AsyncClient | None = PrivateAttr(default=None)

    # Written out because an error raised by a pydantic validator would reach the caller as a ValidationError.
    def __init__(
        self,
        *,
        model: str = "marengo3.0",
        embedding_dimension: int | None = None,
        auto_truncate: bool = False,
        api_key: SecretStr | str | None = None,
        base_url: str | None = None,
        max_concurrency: int | None = None,
        max_retries: int | None = None,
        timeout: float | None = None,
        requests_per_minute: float | None = None,
        max_concurrent_requests: int | None = None,
        segment_store: SegmentStore | str | os.PathLike[str] | None = None,
        rate_limiter: BaseRateLimiter | None = None,
    ) -> None:
        if segment_store is not None and not isinstance(segment_store, SegmentStore):
            segment_store = SegmentStore(segment_store)
        given = {
            "model": model,
            "embedding_dimension": embedding_dimension,
            "auto_truncate": auto_truncate,
            "api_key": api_key,
            "base_url": base_url,
            "max_concurrency": max_concurrency,
            "max_retries": max_retries,
            "timeout": timeout,
            "requests_per_minute": requests_per_minute,
            "max_concurrent_requests": max_concurrent_requests,
            "segment_store": segment_store,
            "rate_limiter": rate_limiter,
        }
        try:
            super().__init__(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}.") from None
        check_flag("auto_truncate", self.auto_truncate, model_of(self.client.model))
        settings = self.client.settings
        # The values in force, for people to see; what is in `model_fields_set` stays what the caller passed.
        for name in FIELDS:
            self.__dict__[name] = getattr(settings, name)
        self.__dict__["embedding_dimension"] = self.client.embedding_dimension

    def __setattr__(self, name: str, value: Any) -> None:
        # pydantic's own refusal would show the value, which may be a key.
        if name in type(self).model_fields:
            raise AttributeError(f"{name} cannot be changed; use model_copy(update=...), or make new embeddings.")
        super().__setattr__(name, value)

    @property
    def client(self) -> Client:
        """The client beneath; made at first use, connected at its first request."""
        if self._client is None:
            store = SegmentStore() if self.segment_store is None else self.segment_store
            self._client = Client(
                settings=settings_of(self, has_key="api_key" in self.model_fields_set),
                model=self.model,
                embedding_dimension=self.embedding_dimension,
                store=store,
                rate_limiter=_turns(self.rate_limiter),
            )
        return self._client

    @property
    def async_client(self) -> AsyncClient:
        """The asyncio client beneath, on the same segment store; serves any number of event loops."""
        if self._async_client is None:
            self._async_client = AsyncClient(
                settings=self.client.settings,
                model=self.model,
                embedding_dimension=self.embedding_dimension,
                store=self.client.store,
                rate_limiter=_turns(self.rate_limiter),
            )
        return self._async_client

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts; those of segment documents get their stored vectors and cost nothing.

        Args:
            texts: Any number of texts, each with at least one character that is not white space. The model reads
                about 500 tokens of each (API reference, marengo3.0). No text makes anything be fetched or uploaded.

        Returns:
            One list of 512 floats per text, in their order.

        Raises:
            InputError: A text is empty, is a piece of a segment's document that was split, or names a vector of
                another space. Nothing was sent.
            SegmentNotFoundError: The vector of a segment is not in the segment store. Nothing was sent.
        """
        return self._embed(TextPlan.of(texts))

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts; the async twin of `embed_documents`."""
        return await self._aembed(TextPlan.of(texts))

    def embed_query(self, text: str) -> list[float]:
        """Embed one text; the whole text of a segment document gives its stored vector ("more like this moment").

        Args:
            text: At least one character that is not white space. A part of a segment's text is a text like any other.

        Returns:
            512 floats.

        Raises:
            InputError: The text is empty, or names a vector of another space. Nothing was sent.
            SegmentNotFoundError: As for `embed_documents`.
        """
        return self._embed(TextPlan.of([text], parse_query))[0]

    async def aembed_query(self, text: str) -> list[float]:
        """Embed one text; the async twin of `embed_query`."""
        return (await self._aembed(TextPlan.of([text], parse_query)))[0]

    def embed_images(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images, one request each, at most `max_concurrency` at once.

        Args:
            uris: Paths, URLs, bytes, binary file objects or `asset:<id>`. JPEG or PNG, at least 128x128 pixels,
                at most 32 MB (API reference and model page).

        Returns:
            One list of 512 floats per image, in their order.

        Raises:
            InputError: One of them is missing, no image, too small or too large; nothing was sent.
        """
        return [_to_list(image.vector) for image in self.client.embed_images(_as_list(uris))]

    async def aembed_images(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images; the async twin of `embed_images`."""
        return [_to_list(image.vector) for image in await self.async_client.embed_images(_as_list(uris))]

    def embed_image(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images, under the name by which Chroma and LanceDB call it; the same as `embed_images`."""
        return self.embed_images(uris)

    async def aembed_image(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images; the async twin of `embed_image`."""
        return await self.aembed_images(uris)

    def embed_text_image(self, text: str, image: MediaInput) -> list[float]:
        """Embed a text and an image into one vector, such as "this shirt, but in red".

        Args:
            text: At least one character that is not white space.
            image: As for `embed_images`.

        Returns:
            512 floats.

        Raises:
            InputError: The text is empty, or the image cannot be embedded; nothing was sent.
        """
        return _to_list(self.client.embed_text_image(text, image, **self._long_texts()).vector)

    async def aembed_text_image(self, text: str, image: MediaInput) -> list[float]:
        """Embed a text and an image into one vector; the async twin of `embed_text_image`."""
        return _to_list((await self.async_client.embed_text_image(text, image, **self._long_texts())).vector)

    def embed_audio(
        self,
        audio: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short sound as one vector, to search with. For segments with times: `TwelveLabsAudioLoader`.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3 or FLAC, to 10 minutes (API
                reference and model page). One vector says most about 10 to 30 s.
            embedding_option: `audio` (how it sounds; default), `transcription` (what is said) or `fused` (both).
                marengo3.5 has one vector of everything, and no choice.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.

        Returns:
            512 floats.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            APIResponseError: The API gave no such vector, as for `transcription` where nobody speaks.
        """
        vector = self.client.embed_clip(
            audio, input_type="audio", embedding_option=embedding_option, start_sec=start_sec, end_sec=end_sec
        )
        return _to_list(vector)

    async def aembed_audio(
        self,
        audio: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short sound as one vector; the async twin of `embed_audio`."""
        vector = await self.async_client.embed_clip(
            audio, input_type="audio", embedding_option=embedding_option, start_sec=start_sec, end_sec=end_sec
        )
        return _to_list(vector)

    def embed_video(
        self,
        video: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short clip as one vector, to search with. For segments with times: `TwelveLabsVideoLoader`.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`; 360x360 to 5184x2160 pixels, to 10 minutes
                (API reference and model page). One vector says most about 10 to 30 s.
            embedding_option: `visual` (what is seen; default), `audio`, `transcription` or `fused` (all three).
                marengo3.5 has one vector of everything, and no choice.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.

        Returns:
            512 floats.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            APIResponseError: The API gave no such vector, as for `audio` of a silent film.
        """
        vector = self.client.embed_clip(
            video, input_type="video", embedding_option=embedding_option, start_sec=start_sec, end_sec=end_sec
        )
        return _to_list(vector)

    async def aembed_video(
        self,
        video: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short clip as one vector; the async twin of `embed_video`."""
        vector = await self.async_client.embed_clip(
            video, input_type="video", embedding_option=embedding_option, start_sec=start_sec, end_sec=end_sec
        )
        return _to_list(vector)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, and clients of its own."""
        copied = super().model_copy(update=update, deep=deep)
        copied._client = copied._async_client = None  # noqa: SLF001  # of its own class
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # Nothing in it changes, and a segment store in memory cannot be copied.
        return self.__copy__()

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = {**state["__dict__"], "rate_limiter": None}  # it holds a lock, and paces this process alone
        if "api_key" not in self.model_fields_set:
            fields["api_key"] = None  # a worker reads it from its own environment
        return {**state, "__dict__": fields, "__pydantic_private__": {"_client": None, "_async_client": None}}

    def _embed(self, plan: TextPlan) -> list[list[float]]:
        stored = self.client.find_vectors([*plan.references.values()]) if plan.references else []
        embedded = self.client.embed_texts(plan.plain.values(), **self._long_texts()) if plan.plain else []
        return plan.merge(stored, embedded)

    async def _aembed(self, plan: TextPlan) -> list[list[float]]:
        stored = await self.async_client.find_vectors([*plan.references.values()]) if plan.references else []
        embedded = await self.async_client.embed_texts(plan.plain.values(), **self._long_texts()) if plan.plain else []
        return plan.merge(stored, embedded)

    def _long_texts(self) -> dict[str, bool]:
        return {"auto_truncate": self.auto_truncate}


class _Turns:
    """A LangChain rate limiter, asked as the core asks; like LangChain itself it does not look at the answer."""

    def __init__(self, limiter: BaseRateLimiter) -> None:
        self._limiter = limiter

    def acquire(self) -> None:
        self._limiter.acquire(blocking=True)

    async def async_acquire(self) -> None:
        await self._limiter.aacquire(blocking=True)


def _turns(limiter: BaseRateLimiter | None) -> _Turns | None:
    return None if limiter is None else _Turns(limiter)


def _as_list(uris: Sequence[MediaInput]) -> list[MediaInput]:
    """Return a list of media; refuse a single one, whose characters or bytes would be taken for many."""
    if is_one(uris):
        raise InputError(f"uris must be a list of images, got a single {type(uris).__name__}: pass [image].")
    return list(uris)


def _to_list(vector: Matrix) -> list[float]:
    """Return a vector as plain floats; arrays break Milvus and PGVectorStore."""
    return vector.tolist()  # type: ignore[no-any-return]  # numpy types tolist as Any
