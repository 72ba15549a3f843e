"""Images, and video and audio clips, as one vector each, under the method names of LlamaIndex's other integrations."""

from collections.abc import Sequence
from typing import Any, Literal

from llama_index.core.base.embeddings.base import Embedding
from llama_index.core.embeddings import MultiModalEmbedding
from llama_index_instrumentation import get_dispatcher

from llama_index_twelvelabs._observed import embed_media, embed_medium
from twelvelabs_core import Media, MediaInput
from twelvelabs_core.integration import AWAITING, BLOCKING, EmbeddingFields, finish

dispatcher = get_dispatcher(__name__)


class MediaEmbedding(EmbeddingFields, MultiModalEmbedding):
    """Embeds media. Public methods convert their input to `Media`; only that is in spans, events and callbacks."""

    def get_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        """Embed one image.

        Args:
            img_file_path: Path, URL, bytes, binary file object or `asset:<id>`. JPEG or PNG, at least 128x128 pixels,
                at most 32 MB (API reference and model page).

        Returns:
            512 floats.

        Raises:
            InputError: It is missing, not an image, too small or too large; nothing was sent.
        """
        return finish(embed_medium(BLOCKING, self, "_get_image_embeddings", img_file_path))

    async def aget_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        """Embed one image; the async variant of `get_image_embedding`."""
        return await embed_medium(AWAITING, self, "_get_image_embeddings", img_file_path)

    def get_image_embedding_batch(
        self,
        img_file_paths: Sequence[MediaInput],
        show_progress: bool = False,  # noqa: ARG002, FBT001, FBT002  # the base class's signature
    ) -> list[Embedding]:
        """Embed images, one request each, at most `max_concurrency` at once.

        Args:
            img_file_paths: Any number of images, as for `get_image_embedding`.
            show_progress: Without effect: all images are embedded in one step.

        Returns:
            512 floats per image, in the order of the arguments.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
        """
        return finish(embed_media(BLOCKING, self, "_get_image_embeddings", img_file_paths, "img_file_paths"))

    async def aget_image_embedding_batch(
        self,
        img_file_paths: Sequence[MediaInput],
        show_progress: bool = False,  # noqa: ARG002, FBT001, FBT002  # the base class's signature
    ) -> list[Embedding]:
        """Embed images; the async variant of `get_image_embedding_batch`."""
        return await embed_media(AWAITING, self, "_get_image_embeddings", img_file_paths, "img_file_paths")

    def _get_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        return self._get_image_embeddings([img_file_path])[0]

    async def _aget_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        return (await self._aget_image_embeddings([img_file_path]))[0]

    @dispatcher.span
    def _get_image_embeddings(self, img_file_paths: Sequence[MediaInput]) -> list[Embedding]:
        return finish(self._embed_images(BLOCKING, img_file_paths))

    @dispatcher.span
    async def _aget_image_embeddings(self, img_file_paths: Sequence[MediaInput]) -> list[Embedding]:
        return await self._embed_images(AWAITING, img_file_paths)

    def get_text_image_embedding(self, text: str, image: MediaInput) -> Embedding:
        """Embed a text and an image into one vector, such as "this shirt, but in red".

        Args:
            text: At least one character that is not white space.
            image: As for `get_image_embedding`.

        Returns:
            512 floats.

        Raises:
            InputError: The text is empty, or the image cannot be embedded; nothing was sent.
        """
        return finish(embed_medium(BLOCKING, self, "_get_text_image_embeddings", image, text=text))

    async def aget_text_image_embedding(self, text: str, image: MediaInput) -> Embedding:
        """Embed a text and an image into one vector; the async variant of `get_text_image_embedding`."""
        return await embed_medium(AWAITING, self, "_get_text_image_embeddings", image, text=text)

    @dispatcher.span
    def _get_text_image_embeddings(self, images: Sequence[Media], *, text: str) -> list[Embedding]:
        return [finish(self._embed_text_image(BLOCKING, text, image)) for image in images]

    @dispatcher.span
    async def _aget_text_image_embeddings(self, images: Sequence[Media], *, text: str) -> list[Embedding]:
        return [await self._embed_text_image(AWAITING, text, image) for image in images]

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
                minutes (API reference and model page). One vector represents 10 to 30 s best.
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
        options = clip_options("video", embedding_option, start_sec, end_sec)
        return finish(embed_medium(BLOCKING, self, "_get_clip_embeddings", video_path, **options))

    async def aget_video_embedding(
        self,
        video_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short clip as one vector; the async variant of `get_video_embedding`."""
        options = clip_options("video", embedding_option, start_sec, end_sec)
        return await embed_medium(AWAITING, self, "_get_clip_embeddings", video_path, **options)

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
            512 floats per clip, in the order of the arguments.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            APIResponseError: As for `get_video_embedding`.
        """
        options = clip_options("video", embedding_option, start_sec, end_sec)
        return finish(embed_media(BLOCKING, self, "_get_clip_embeddings", video_paths, "video_paths", **options))

    async def aget_video_embeddings(
        self,
        video_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short clips as one vector each; the async variant of `get_video_embeddings`."""
        options = clip_options("video", embedding_option, start_sec, end_sec)
        return await embed_media(AWAITING, self, "_get_clip_embeddings", video_paths, "video_paths", **options)

    def get_audio_embedding(
        self,
        audio_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short audio clip as one vector, to search with.

        Args:
            audio_path: Path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3 or FLAC, to 10 minutes (API
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
        options = clip_options("audio", embedding_option, start_sec, end_sec)
        return finish(embed_medium(BLOCKING, self, "_get_clip_embeddings", audio_path, **options))

    async def aget_audio_embedding(
        self,
        audio_path: MediaInput,
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Embedding:
        """Embed a short audio clip as one vector; the async variant of `get_audio_embedding`."""
        options = clip_options("audio", embedding_option, start_sec, end_sec)
        return await embed_medium(AWAITING, self, "_get_clip_embeddings", audio_path, **options)

    def get_audio_embeddings(
        self,
        audio_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short audio clips as one vector each, at most `max_concurrency` at once.

        Args:
            audio_paths: Any number of audio clips, as for `get_audio_embedding`.
            embedding_option: As for `get_audio_embedding`.
            start_sec: As for `get_audio_embedding`, for each.
            end_sec: As for `get_audio_embedding`, for each.

        Returns:
            512 floats per audio clip, in the order of the arguments.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            APIResponseError: As for `get_audio_embedding`.
        """
        options = clip_options("audio", embedding_option, start_sec, end_sec)
        return finish(embed_media(BLOCKING, self, "_get_clip_embeddings", audio_paths, "audio_paths", **options))

    async def aget_audio_embeddings(
        self,
        audio_paths: Sequence[MediaInput],
        *,
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Embedding]:
        """Embed short audio clips as one vector each; the async variant of `get_audio_embeddings`."""
        options = clip_options("audio", embedding_option, start_sec, end_sec)
        return await embed_media(AWAITING, self, "_get_clip_embeddings", audio_paths, "audio_paths", **options)

    @dispatcher.span
    def _get_clip_embeddings(self, clips: Sequence[Media], **options: Any) -> list[Embedding]:
        return finish(self._embed_clips(BLOCKING, clips=clips, **options))

    @dispatcher.span
    async def _aget_clip_embeddings(self, clips: Sequence[Media], **options: Any) -> list[Embedding]:
        return await self._embed_clips(AWAITING, clips=clips, **options)


def clip_options(
    input_type: Literal["audio", "video"],
    embedding_option: str | None,
    start_sec: float | None,
    end_sec: float | None,
) -> dict[str, Any]:
    """Return the options of a clip by name."""
    return {
        "input_type": input_type,
        "embedding_option": embedding_option,
        "start_sec": start_sec,
        "end_sec": end_sec,
    }
