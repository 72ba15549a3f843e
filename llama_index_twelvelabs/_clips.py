"""Short video clips and sounds as one vector each, under the method names of LlamaIndex's other integrations."""

from collections.abc import Sequence
from typing import Any, Literal

from llama_index.core.base.embeddings.base import Embedding
from llama_index_instrumentation import get_dispatcher

from llama_index_twelvelabs._base import ConnectedEmbedding
from llama_index_twelvelabs._modes import AWAITING, BLOCKING, Mode, finish
from llama_index_twelvelabs._observing import embed_media, embed_medium
from twelvelabs_core import Media, MediaInput

dispatcher = get_dispatcher(__name__)


class ClipEmbedding(ConnectedEmbedding):
    """Embeds clips. Public methods make `Media` of what they get; only that reaches spans, events and callbacks."""

    def get_video_embedding(
        self,
        video_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short clip as one vector, to search with. For segments with times: `TwelveLabsVideoReader`.

        Args:
            video_path: Path, URL, bytes, binary file object or `asset:<id>`; 360x360 to 5184x2160 pixels, to 10
                minutes (API reference and model page). One vector says most about 10 to 30 s.
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
        options = clip(embedding_option, start_sec, end_sec)
        return finish(embed_medium(BLOCKING, self, "_get_video_embedding", video_path, **options))

    async def aget_video_embedding(
        self,
        video_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short clip as one vector; the async twin of `get_video_embedding`."""
        options = clip(embedding_option, start_sec, end_sec)
        return await embed_medium(AWAITING, self, "_get_video_embedding", video_path, **options)

    def get_video_embeddings(
        self,
        video_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short clips as one vector each, at most `max_concurrency` at once.

        Args:
            video_paths: Any number of clips, as for `get_video_embedding`.
            embedding_option: As for `get_video_embedding`.
            start_sec: As for `get_video_embedding`, for each.
            end_sec: As for `get_video_embedding`, for each.

        Returns:
            512 floats per clip, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            APIResponseError: As for `get_video_embedding`.
        """
        options = clip(embedding_option, start_sec, end_sec)
        return finish(embed_media(BLOCKING, self, "_get_video_embeddings", video_paths, "video_paths", **options))

    async def aget_video_embeddings(
        self,
        video_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short clips as one vector each; the async twin of `get_video_embeddings`."""
        options = clip(embedding_option, start_sec, end_sec)
        return await embed_media(AWAITING, self, "_get_video_embeddings", video_paths, "video_paths", **options)

    @dispatcher.span
    def _get_video_embedding(self, video_path: Media, **options: Any) -> Embedding:
        return finish(self._clips(BLOCKING, "video", [video_path], options))[0]

    @dispatcher.span
    async def _aget_video_embedding(self, video_path: Media, **options: Any) -> Embedding:
        return (await self._clips(AWAITING, "video", [video_path], options))[0]

    @dispatcher.span
    def _get_video_embeddings(self, video_paths: Sequence[Media], **options: Any) -> list[Embedding]:
        return finish(self._clips(BLOCKING, "video", video_paths, options))

    @dispatcher.span
    async def _aget_video_embeddings(self, video_paths: Sequence[Media], **options: Any) -> list[Embedding]:
        return await self._clips(AWAITING, "video", video_paths, options)

    def get_audio_embedding(
        self,
        audio_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short sound as one vector, to search with.

        Args:
            audio_path: Path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3 or FLAC, to 10 minutes (API
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
        options = clip(embedding_option, start_sec, end_sec)
        return finish(embed_medium(BLOCKING, self, "_get_audio_embedding", audio_path, **options))

    async def aget_audio_embedding(
        self,
        audio_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short sound as one vector; the async twin of `get_audio_embedding`."""
        options = clip(embedding_option, start_sec, end_sec)
        return await embed_medium(AWAITING, self, "_get_audio_embedding", audio_path, **options)

    def get_audio_embeddings(
        self,
        audio_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short sounds as one vector each, at most `max_concurrency` at once.

        Args:
            audio_paths: Any number of sounds, as for `get_audio_embedding`.
            embedding_option: As for `get_audio_embedding`.
            start_sec: As for `get_audio_embedding`, for each.
            end_sec: As for `get_audio_embedding`, for each.

        Returns:
            512 floats per sound, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            APIResponseError: As for `get_audio_embedding`.
        """
        options = clip(embedding_option, start_sec, end_sec)
        return finish(embed_media(BLOCKING, self, "_get_audio_embeddings", audio_paths, "audio_paths", **options))

    async def aget_audio_embeddings(
        self,
        audio_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short sounds as one vector each; the async twin of `get_audio_embeddings`."""
        options = clip(embedding_option, start_sec, end_sec)
        return await embed_media(AWAITING, self, "_get_audio_embeddings", audio_paths, "audio_paths", **options)

    @dispatcher.span
    def _get_audio_embedding(self, audio_path: Media, **options: Any) -> Embedding:
        return finish(self._clips(BLOCKING, "audio", [audio_path], options))[0]

    @dispatcher.span
    async def _aget_audio_embedding(self, audio_path: Media, **options: Any) -> Embedding:
        return (await self._clips(AWAITING, "audio", [audio_path], options))[0]

    @dispatcher.span
    def _get_audio_embeddings(self, audio_paths: Sequence[Media], **options: Any) -> list[Embedding]:
        return finish(self._clips(BLOCKING, "audio", audio_paths, options))

    @dispatcher.span
    async def _aget_audio_embeddings(self, audio_paths: Sequence[Media], **options: Any) -> list[Embedding]:
        return await self._clips(AWAITING, "audio", audio_paths, options)

    async def _clips(
        self, mode: Mode, input_type: Literal["audio", "video"], clips: Sequence[Media], options: dict[str, Any]
    ) -> list[Embedding]:
        client = self.async_client if mode.is_async else self.client
        vectors = await mode.ask(client.embed_clips, clips, input_type=input_type, **options)
        return [vector.tolist() for vector in vectors]


def clip(embedding_option: str | None, start_sec: float | None, end_sec: float | None) -> dict[str, Any]:
    """Return the options of one clip by their names."""
    return {"embedding_option": embedding_option, "start_sec": start_sec, "end_sec": end_sec}
