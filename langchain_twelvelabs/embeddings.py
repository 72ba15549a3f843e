"""`TwelveLabsEmbeddings`: TwelveLabs' Marengo models as LangChain `Embeddings`."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import ConfigDict, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from twelvelabs_core import MediaInput
from twelvelabs_core.integration import AWAITING, BLOCKING, EmbeddingFields, finish

if TYPE_CHECKING:
    from twelvelabs_core import SegmentStore


class TwelveLabsEmbeddings(EmbeddingFields, Embeddings):
    """Embeddings of text, images, audio and video in one vector space, by TwelveLabs' Marengo models.

    For any LangChain vector store. A document of this package's loaders, such as `TwelveLabsVideoLoader`, refers to
    a stored vector: for it `embed_documents` reads the segment store and sends no request. Every other text
    is embedded through the API with one request, at most `max_concurrency` at once.

    Setup:
        Install `twelvelabs-rag[langchain]` and set the environment variable `TWELVELABS_API_KEY`.

    Key init args - embedding params:
        model: Name of the model. Default `marengo3.0`: vectors of 512 floats, which are not guaranteed to have length
            1, so set cosine as the distance of the vector store.
        embedding_dimension: Values in a vector: 512 (default), with marengo3.5 also 256 or 128. Each length is a
            separate space; never mix two in one vector store.
        auto_truncate: Whether the API truncates texts that are too long for the model (marengo3.5). Default False: an
            error.
        segment_store: Where the vectors of segments are kept: a `SegmentStore`, a path, a SQLAlchemy URL, or
            ":memory:". Default: `TWELVELABS_STORE`, else one file in the user's data folder.

    Key init args - client params:
        api_key: The key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`. Pickled only if passed.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        max_concurrency: Maximum number of simultaneous requests of one call. Default 8.
        max_retries: Maximum number of retries of a request. Default 4.
        timeout: Maximum time without data from the server within one request, in seconds. Default 60.
        requests_per_minute: Maximum number of requests in any minute over all clients of this process with this key and
            host; polling requests (GETs) do not count. Default: only the API's own limit.
        max_concurrent_requests: Maximum number of simultaneous requests over all clients of this process with this key
            and host, and with a segment store on PostgreSQL over all processes that use it; after 30 s a request no
            longer counts. Default: no limit until the API returns HTTP 429.
        rate_limiter: A LangChain rate limiter, such as `InMemoryRateLimiter(requests_per_second=2)`; acquired once per
            text, image, clip and embedding task, also by the loaders. It is not pickled.

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
        ConfigurationError: No API key was found, or a value is invalid.
        InputError: The model is unknown or does not support an option; the message names one that does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "marengo3.0"
    rate_limiter: SkipJsonSchema[BaseRateLimiter | None] = Field(default=None, exclude=True, repr=False)

    # The parameters are listed for editors and type checkers; pydantic's constructor would show `api_key: Any`.
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
        segment_store: "SegmentStore | str | os.PathLike[str] | None" = None,
        rate_limiter: BaseRateLimiter | None = None,
    ) -> None:
        super().__init__(
            model=model,
            embedding_dimension=embedding_dimension,
            auto_truncate=auto_truncate,
            api_key=api_key,
            base_url=base_url,
            max_concurrency=max_concurrency,
            max_retries=max_retries,
            timeout=timeout,
            requests_per_minute=requests_per_minute,
            max_concurrent_requests=max_concurrent_requests,
            segment_store=segment_store,
            rate_limiter=rate_limiter,
        )

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        state["__dict__"]["rate_limiter"] = None  # it has a lock, and limits this process only
        return state

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts; for the documents of segments return their stored vectors, without a request.

        Args:
            texts: Any number of texts, each with at least one character that is not white space. The model reads
                about 500 tokens of each (API reference, marengo3.0). A URL or path in a text is not opened.

        Returns:
            One list of 512 floats per text, in the order of the texts.

        Raises:
            InputError: A text is empty, is provably a part of a segment's document that was split, or is the
                document of a segment of another space. Nothing was sent.
            SegmentNotFoundError: The vector of a segment is not in the segment store. Nothing was sent.
        """
        return finish(self._embed_texts(BLOCKING, texts))

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts; the async variant of `embed_documents`."""
        return await self._embed_texts(AWAITING, texts)

    def embed_query(self, text: str) -> list[float]:
        """Embed one text; the whole text of a segment's document returns its stored vector ("more like this").

        Args:
            text: At least one character that is not white space. Part of a segment's text is embedded like any other.

        Returns:
            512 floats.

        Raises:
            InputError: The text is empty, or refers to a vector of another space. Nothing was sent.
            SegmentNotFoundError: As for `embed_documents`.
        """
        return finish(self._embed_texts(BLOCKING, [text], as_query=True))[0]

    async def aembed_query(self, text: str) -> list[float]:
        """Embed one text; the async variant of `embed_query`."""
        return (await self._embed_texts(AWAITING, [text], as_query=True))[0]

    def embed_images(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images, one request each, at most `max_concurrency` at once.

        Args:
            uris: Paths, URLs, bytes, binary file objects or `asset:<id>`. JPEG or PNG, at least 128x128 pixels,
                at most 32 MB (API reference and model page).

        Returns:
            One list of 512 floats per image, in the order of `uris`.

        Raises:
            InputError: An image is missing, not an image, too small or too large; nothing was sent.
        """
        return finish(self._embed_images(BLOCKING, uris))

    async def aembed_images(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images; the async variant of `embed_images`."""
        return await self._embed_images(AWAITING, uris)

    def embed_image(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images; the same as `embed_images`, under the name that Chroma and LanceDB call."""
        return self.embed_images(uris)

    async def aembed_image(self, uris: Sequence[MediaInput]) -> list[list[float]]:
        """Embed images; the async variant of `embed_image`."""
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
        return finish(self._embed_text_image(BLOCKING, text, image))

    async def aembed_text_image(self, text: str, image: MediaInput) -> list[float]:
        """Embed a text and an image into one vector; the async variant of `embed_text_image`."""
        return await self._embed_text_image(AWAITING, text, image)

    def embed_audio(
        self,
        audio: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short audio clip as one vector, to search with. For segments with times: `TwelveLabsAudioLoader`.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3 or FLAC, to 10 minutes (API
                reference and model page). One vector represents 10 to 30 s best.
            embedding_option: `audio` (sounds and music; default), `transcription` (spoken words) or `fused` (both).
                marengo3.5 makes one vector of both and has no options.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.

        Returns:
            512 floats.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            APIResponseError: The API returned no such vector, for example `transcription` without speech.
        """
        options = {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
        return finish(self._embed_clips(BLOCKING, "audio", [audio], **options))[0]

    async def aembed_audio(
        self,
        audio: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short audio clip as one vector; the async variant of `embed_audio`."""
        options = {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
        return (await self._embed_clips(AWAITING, "audio", [audio], **options))[0]

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
                (API reference and model page). One vector represents 10 to 30 s best.
            embedding_option: `visual` (default), `audio`, `transcription` or `fused` (all three). marengo3.5 makes one
                vector of everything and has no options.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.

        Returns:
            512 floats.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            APIResponseError: The API returned no such vector, for example `audio` of a video without an audio track.
        """
        options = {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
        return finish(self._embed_clips(BLOCKING, "video", [video], **options))[0]

    async def aembed_video(
        self,
        video: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[float]:
        """Embed a short clip as one vector; the async variant of `embed_video`."""
        options = {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
        return (await self._embed_clips(AWAITING, "video", [video], **options))[0]
