"""The synchronous endpoint, `POST /embed-v2`: text, images and mixtures, one vector each, answered at once."""

from collections.abc import Iterable, Sequence
from typing import Any

from twelvelabs_core.api import requests
from twelvelabs_core.api.assets import AssetOperations
from twelvelabs_core.api.endpoints import EVERY_MODEL, POST_EMBED, calls
from twelvelabs_core.api.multi_input import (
    MediaSource,
    Source,
    check_count,
    check_names,
    check_together,
    check_uncertainty,
)
from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_image, check_source, check_text
from twelvelabs_core.models.marengo import Model, check_length
from twelvelabs_core.models.options import check_flag
from twelvelabs_core.results.decode import Split
from twelvelabs_core.results.responses import Embedding, parse_embedding
from twelvelabs_core.results.segments import Matrix
from twelvelabs_core.transport.body import Call, json_body


class EmbedOperations(AssetOperations):
    """Embeds what becomes one vector."""

    @calls(POST_EMBED, models=EVERY_MODEL)
    async def embed_text(
        self, text: str, *, auto_truncate: bool = False, embedding_uncertainty: bool = False
    ) -> Embedding:
        """Embed one text.

        The model reads 500 tokens (marengo3.0) or 2,000 (marengo3.5; API reference), which only the vendor's tokenizer
        can count. A text with more words than that, or more than 128 characters for each token, is refused here; one
        below may still be too long: marengo3.5 then answers with an error, or cuts with `auto_truncate`; what
        marengo3.0 does is not documented.

        Args:
            text: At least one character that is not white space.
            auto_truncate: Have the API cut a text that is too long; `usage.truncated` of the result tells. marengo3.5.
            embedding_uncertainty: Return also how unsure the model is of each value. marengo3.5.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,): 512, or the client's `embedding_dimension`.

        Raises:
            InputError: The text is empty, or too long beyond doubt.
            TwelveLabsError: See `twelvelabs_core` for the tree.
        """
        self._check_flags(auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        self._text(text, auto_truncate=auto_truncate)
        return await self._embed_checked_text(text, auto_truncate, embedding_uncertainty)

    @calls(POST_EMBED, models=EVERY_MODEL)
    async def embed_texts(
        self, texts: Iterable[str], *, auto_truncate: bool = False, embedding_uncertainty: bool = False
    ) -> list[Embedding]:
        """Embed texts, one request each, at most `max_concurrency` at once.

        All texts are checked before the first is sent; the first error ends the rest.

        Args:
            texts: Any number of texts, as for `embed_text`; equal ones are sent once.
            auto_truncate: As for `embed_text`, for each.
            embedding_uncertainty: As for `embed_text`, for each.

        Returns:
            One `Embedding` per text, in their order.

        Raises:
            InputError: One of them is empty, or too long beyond doubt; the message has its position.
        """
        self._check_flags(auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        checked = [
            self._text(text, f"texts[{position}]", auto_truncate=auto_truncate)
            for position, text in enumerate(many(texts, "texts"))
        ]
        unique = list(dict.fromkeys(checked))

        async def one(text: str) -> Embedding:
            return await self._embed_checked_text(text, auto_truncate, embedding_uncertainty)

        embeddings = await self._io.map(one, unique, self.settings.max_concurrency)
        by_text = dict(zip(unique, embeddings, strict=True))
        return [by_text[text] for text in checked]

    @calls(POST_EMBED, models=EVERY_MODEL)
    async def embed_image(self, image: MediaInput, *, embedding_uncertainty: bool = False) -> Embedding:
        """Embed one image.

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`; at most 32 MB (API reference). With marengo3.0
                JPEG or PNG, at least 128x128 pixels (model page).
            embedding_uncertainty: Return also how unsure the model is of each value. marengo3.5.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,).

        Raises:
            InputError: The file is missing, no image, too small or too large; nothing was sent.
        """
        (embedding,) = await self.embed_images([image], embedding_uncertainty=embedding_uncertainty)
        return embedding

    @calls(POST_EMBED, models=EVERY_MODEL)
    async def embed_images(
        self, images: Iterable[MediaInput], *, embedding_uncertainty: bool = False
    ) -> list[Embedding]:
        """Embed images, one request each, at most `max_concurrency` at once.

        All images are checked before the first is sent; the first error ends the rest.

        Args:
            images: Any number of images, as for `embed_image`.
            embedding_uncertainty: As for `embed_image`, for each.

        Returns:
            One `Embedding` per image, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
        """
        self._check_flags(embedding_uncertainty=embedding_uncertainty)
        checked = [await self._image(image) for image in many(images, "images")]

        async def one(image: Media) -> Embedding:
            if self._rules.by_multi_input:
                body = requests.multi_input_request(self.model, [Source(image, "image")], None)
            else:
                body = requests.image_request(self.model, image)
            return parse_embedding(
                await self._embed("embed the image", body, embedding_uncertainty=embedding_uncertainty)
            )

        return await self._io.map(one, checked, self.settings.max_concurrency)

    @calls(POST_EMBED, models=EVERY_MODEL)
    async def embed_text_image(self, text: str, image: MediaInput, *, auto_truncate: bool = False) -> Embedding:
        """Embed a text and an image into one vector.

        Args:
            text: As for `embed_text`.
            image: As for `embed_image`.
            auto_truncate: As for `embed_text`.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,).

        Raises:
            InputError: The text is empty or too long beyond doubt, or the image cannot be embedded.
        """
        self._check_flags(auto_truncate=auto_truncate)
        self._text(text, auto_truncate=auto_truncate)
        medium = await self._image(image)
        if self._rules.by_multi_input:
            body = requests.multi_input_request(self.model, [Source(medium, "image")], text)
        else:
            body = requests.text_image_request(self.model, text, medium)
        return parse_embedding(await self._embed("embed the text and image", body, auto_truncate=auto_truncate))

    @calls(POST_EMBED, models=EVERY_MODEL)
    async def embed_multi_input(
        self,
        media_sources: Sequence[MediaInput | MediaSource],
        *,
        text: str | None = None,
        auto_truncate: bool = False,
        embedding_uncertainty: bool = False,
    ) -> Embedding:
        """Embed up to ten media, and a text if given, into one vector.

        marengo3.0 combines images. marengo3.5 also takes video, audio (to 30 s) and documents, each of at most 32 MB
        (API reference), under these rules: media of different kinds need a text; a PDF stands alone and without a
        text; a text document cannot be combined with nothing but text.

        Args:
            media_sources: 1 to 10 media, plain or as `MediaSource` with kind and name; their order matters. With
                marengo3.5 there may be none where there is a text.
            text: An optional text, as for `embed_text`. It refers to a source by `<@name>`.
            auto_truncate: As for `embed_text`.
            embedding_uncertainty: Return also how unsure the model is of each value; for media without a text, or a
                text without media, and for no document. marengo3.5.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,).

        Raises:
            InputError: Too few or too many media, one that cannot be embedded, a `<@name>` that names none, or a
                combination that the model does not take; nothing was sent.
        """
        self._check_flags(auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        if text is not None:
            self._text(text, auto_truncate=auto_truncate)
        sources = await self._sources(many(media_sources, "media_sources"), text)
        if embedding_uncertainty:
            check_uncertainty(sources, text)
        return await self._embed_sources(sources, text, auto_truncate, embedding_uncertainty)

    async def _embed_checked_text(self, text: str, auto_truncate: bool, embedding_uncertainty: bool) -> Embedding:  # noqa: FBT001  # both named by every caller's own parameters
        if self._rules.by_multi_input:
            return await self._embed_sources([], text, auto_truncate, embedding_uncertainty)
        return parse_embedding(await self._embed("embed the text", requests.text_request(self.model, text)))

    async def _sources(self, values: Sequence[MediaInput | MediaSource], text: str | None) -> list[Source]:
        """Check the media of one `multi_input`, each alone and all together."""
        check_count(len(values), self._rules, has_text=text is not None)
        sources = await self._io.blocking(lambda: [Source.of(value, self._rules) for value in values])
        check_names(sources, text)
        check_together(sources, text, self._rules)
        await self._io.blocking(lambda: check_sources(sources, self._rules))
        return sources

    async def _embed_sources(
        self,
        sources: Sequence[Source],
        text: str | None,
        auto_truncate: bool = False,  # noqa: FBT001, FBT002  # private
        embedding_uncertainty: bool = False,  # noqa: FBT001, FBT002  # private
    ) -> Embedding:
        body = requests.multi_input_request(self.model, sources, text)
        truncate = None if text is None else auto_truncate
        attempt = "embed the media" if sources else "embed the text"
        # Seconds of media are billed: when no answer comes, the caller decides whether to ask again.
        repeatable = not any(source.media_type in ("audio", "video") for source in sources)
        return parse_embedding(
            await self._embed(
                attempt,
                body,
                auto_truncate=truncate,
                embedding_uncertainty=embedding_uncertainty,
                repeatable=repeatable,
            )
        )

    async def _embed_each(self, checked: Sequence[Sequence[Source]]) -> list[Embedding]:
        async def one(sources: Sequence[Source]) -> Embedding:
            return await self._embed_sources(sources, None)

        return await self._io.map(one, checked, self.settings.max_concurrency)

    def _text(self, text: str, what: str = "text", *, auto_truncate: bool) -> str:
        return check_length(check_text(text, what), self._rules, what, auto_truncate=auto_truncate)

    def _check_flags(self, **flags: bool) -> None:
        for name, value in flags.items():
            check_flag(name, value, self._rules)

    async def _image(self, value: MediaInput) -> Media:
        media = await self._io.blocking(lambda: Media.of(value))
        await self._io.blocking(lambda: check_image(media, self._rules))
        return media

    async def _embed(
        self,
        attempt: str,
        body: dict[str, Any],
        *,
        auto_truncate: bool | None = None,
        embedding_uncertainty: bool = False,
        repeatable: bool = True,
    ) -> Split:
        complete = requests.with_extras(
            body,
            self._rules,
            embedding_dimension=self.embedding_dimension,
            embedding_uncertainty=embedding_uncertainty,
            auto_truncate=auto_truncate,
        )
        await self._wait_for_turn()
        kind = requests.category(complete)
        call = Call(attempt, "POST", "/embed-v2", body=json_body(complete), repeatable=repeatable, category=kind)
        split = await self._call_for_vectors(call)
        check_dimension(split.vectors, self.embedding_dimension)
        return split


def check_sources(sources: Sequence[Source], model: Model) -> None:
    """Check the media of one `multi_input`, each alone."""
    for source in sources:
        check_source(source.media, source.media_type, model)


def check_dimension(vectors: Matrix, expected: int) -> None:
    """Refuse vectors that do not belong to the client's space.

    Raises:
        APIResponseError: They have another number of values.
    """
    if len(vectors) and vectors.shape[1] != expected:
        raise APIResponseError(
            f"the API answered with vectors of {vectors.shape[1]} values where {expected} were expected; "
            "nothing of it was used."
        )
