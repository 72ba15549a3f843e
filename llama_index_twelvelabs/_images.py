"""Images, and a text with an image, as one vector each, under LlamaIndex's method names."""

from collections.abc import Sequence

from llama_index.core.base.embeddings.base import Embedding
from llama_index_instrumentation import get_dispatcher

from llama_index_twelvelabs._base import ConnectedEmbedding
from llama_index_twelvelabs._modes import AWAITING, BLOCKING, Mode, finish
from llama_index_twelvelabs._observing import embed_media, embed_medium
from twelvelabs_core import Media, MediaInput

dispatcher = get_dispatcher(__name__)


class ImageEmbedding(ConnectedEmbedding):
    """Embeds images. Public methods make `Media` of what they get; only that reaches spans, events and callbacks."""

    def get_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        """Embed one image.

        Args:
            img_file_path: Path, URL, bytes, binary file object or `asset:<id>`. JPEG or PNG, at least 128x128 pixels,
                at most 32 MB (API reference and model page).

        Returns:
            512 floats.

        Raises:
            InputError: It is missing, no image, too small or too large; nothing was sent.
        """
        return finish(embed_medium(BLOCKING, self, "_get_image_embedding", img_file_path))

    async def aget_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        """Embed one image; the async twin of `get_image_embedding`."""
        return await embed_medium(AWAITING, self, "_get_image_embedding", img_file_path)

    def get_image_embedding_batch(
        self,
        img_file_paths: Sequence[MediaInput],
        show_progress: bool = False,  # noqa: ARG002, FBT001, FBT002  # the base class's signature
    ) -> list[Embedding]:
        """Embed images, one request each, at most `max_concurrency` at once.

        Args:
            img_file_paths: Any number of images, as for `get_image_embedding`.
            show_progress: Without effect: all images are one step.

        Returns:
            512 floats per image, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
        """
        return finish(embed_media(BLOCKING, self, "_get_image_embeddings", img_file_paths, "img_file_paths"))

    async def aget_image_embedding_batch(
        self,
        img_file_paths: Sequence[MediaInput],
        show_progress: bool = False,  # noqa: ARG002, FBT001, FBT002  # the base class's signature
    ) -> list[Embedding]:
        """Embed images; the async twin of `get_image_embedding_batch`."""
        return await embed_media(AWAITING, self, "_get_image_embeddings", img_file_paths, "img_file_paths")

    def _get_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        return finish(self._images(BLOCKING, [img_file_path]))[0]

    async def _aget_image_embedding(self, img_file_path: MediaInput) -> Embedding:
        return (await self._images(AWAITING, [img_file_path]))[0]

    @dispatcher.span
    def _get_image_embeddings(self, img_file_paths: Sequence[MediaInput]) -> list[Embedding]:
        return finish(self._images(BLOCKING, img_file_paths))

    @dispatcher.span
    async def _aget_image_embeddings(self, img_file_paths: Sequence[MediaInput]) -> list[Embedding]:
        return await self._images(AWAITING, img_file_paths)

    async def _images(self, mode: Mode, images: Sequence[MediaInput]) -> list[Embedding]:
        client = self.async_client if mode.is_async else self.client
        return [found.vector.tolist() for found in await mode.ask(client.embed_images, images)]

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
        return finish(embed_medium(BLOCKING, self, "_get_text_image_embedding", image, text=text))

    async def aget_text_image_embedding(self, text: str, image: MediaInput) -> Embedding:
        """Embed a text and an image into one vector; the async twin of `get_text_image_embedding`."""
        return await embed_medium(AWAITING, self, "_get_text_image_embedding", image, text=text)

    @dispatcher.span
    def _get_text_image_embedding(self, image: Media, *, text: str) -> Embedding:
        return self.client.embed_text_image(text, image, auto_truncate=self.auto_truncate).vector.tolist()  # type: ignore[no-any-return]  # numpy's Any

    @dispatcher.span
    async def _aget_text_image_embedding(self, image: Media, *, text: str) -> Embedding:
        found = await self.async_client.embed_text_image(text, image, auto_truncate=self.auto_truncate)
        return found.vector.tolist()  # type: ignore[no-any-return]  # numpy types tolist as Any
