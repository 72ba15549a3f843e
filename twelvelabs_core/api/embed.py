"""The synchronous endpoint `POST /embed-v2` for text, images and combinations: one vector for each request."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from twelvelabs_core.api import requests
from twelvelabs_core.api.requests import MediaSource, Source
from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_image, check_source, check_text
from twelvelabs_core.models.marengo import EmbeddingModel
from twelvelabs_core.models.options import check_flag
from twelvelabs_core.results.responses import Embedding, parse_embedding
from twelvelabs_core.results.segments import Matrix
from twelvelabs_core.transport.body import Call, json_body
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.results.decode import Split


class EmbedMethods:
    """The methods of a client that embed text, images and combinations of media."""

    _session: Session
    _embedding_model: EmbeddingModel

    async def embed_text(
        self, text: str, *, auto_truncate: bool = False, embedding_uncertainty: bool = False
    ) -> Embedding:
        """Embed one text.

        The model reads 500 tokens (marengo3.0) or 2,000 tokens (marengo3.5; API reference). marengo3.5 refuses a
        longer text, or truncates it with `auto_truncate`; what marengo3.0 does is not documented.

        Args:
            text: At least one character that is not white space.
            auto_truncate: Let the API truncate a text that is too long; `usage.truncated` of the result says whether
                it did. marengo3.5.
            embedding_uncertainty: Also return the uncertainty of each value. marengo3.5.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,): 512, or the client's `embedding_dimension`.

        Raises:
            InputError: The text is empty, or the model does not accept an option; no request was sent.
            TwelveLabsError: See `twelvelabs_core` for the error classes.
        """
        model = self._embedding_model
        options = _check_options(model, auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        return await _embed_text_image(self._session, model, check_text(text), None, **options)

    async def embed_texts(
        self, texts: Iterable[str], *, auto_truncate: bool = False, embedding_uncertainty: bool = False
    ) -> list[Embedding]:
        """Embed texts by one request each, with at most `max_concurrency` requests at once.

        All texts are checked before the first request. The first error cancels the remaining requests.

        Args:
            texts: Any number of texts, as for `embed_text`; equal texts are sent once.
            auto_truncate: As for `embed_text`, for each text.
            embedding_uncertainty: As for `embed_text`, for each text.

        Returns:
            One `Embedding` for each text, in the same order.

        Raises:
            InputError: A text is empty; the message has its position. No request was sent.
        """
        session, model = self._session, self._embedding_model
        options = _check_options(model, auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        checked = [check_text(text, f"texts[{position}]") for position, text in enumerate(many(texts, "texts"))]
        unique = list(dict.fromkeys(checked))

        async def embed(text: str) -> Embedding:
            return await _embed_text_image(session, model, text, None, **options)

        embeddings = await session.io.map(embed, unique, session.settings.max_concurrency)
        by_text = dict(zip(unique, embeddings, strict=True))
        return [by_text[text] for text in checked]

    async def embed_image(
        self, image: MediaInput, *, embedding_uncertainty: bool = False, check: bool = True
    ) -> Embedding:
        """Embed one image.

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`; at most 32 MB (API reference). marengo3.0:
                JPEG or PNG of at least 128x128 pixels (model page).
            embedding_uncertainty: Also return the uncertainty of each value. marengo3.5.
            check: As for `segment_video`.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,).

        Raises:
            InputError: The file is missing, not an image, too small or too large; no request was sent.
        """
        (embedding,) = await self.embed_images([image], embedding_uncertainty=embedding_uncertainty, check=check)
        return embedding

    async def embed_images(
        self, images: Iterable[MediaInput], *, embedding_uncertainty: bool = False, check: bool = True
    ) -> list[Embedding]:
        """Embed images by one request each, with at most `max_concurrency` requests at once.

        All images are checked before the first request. The first error cancels the remaining requests.

        Args:
            images: Any number of images, as for `embed_image`.
            embedding_uncertainty: As for `embed_image`, for each image.
            check: As for `segment_video`, for each image.

        Returns:
            One `Embedding` for each image, in the same order.

        Raises:
            InputError: An image cannot be embedded; no request was sent.
        """
        session, model = self._session, self._embedding_model
        options = _check_options(model, embedding_uncertainty=embedding_uncertainty)
        given = many(images, "images")
        checked = await session.io.blocking(lambda: [_checked_image(image, model, check=check) for image in given])

        async def embed(image: Media) -> Embedding:
            return await _embed_text_image(session, model, None, image, **options)

        return await session.io.map(embed, checked, session.settings.max_concurrency)

    async def embed_text_image(
        self, text: str, image: MediaInput, *, auto_truncate: bool = False, check: bool = True
    ) -> Embedding:
        """Embed a text and an image into one vector.

        Args:
            text: As for `embed_text`.
            image: As for `embed_image`.
            auto_truncate: As for `embed_text`.
            check: As for `segment_video`.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,).

        Raises:
            InputError: The text is empty, or the image cannot be embedded; no request was sent.
        """
        session, model = self._session, self._embedding_model
        options = _check_options(model, auto_truncate=auto_truncate)
        check_text(text)
        checked = await session.io.blocking(lambda: _checked_image(image, model, check=check))
        return await _embed_text_image(session, model, text, checked, **options)

    async def embed_multi_input(
        self,
        media_sources: Sequence[MediaInput | MediaSource],
        *,
        text: str | None = None,
        auto_truncate: bool = False,
        embedding_uncertainty: bool = False,
        check: bool = True,
    ) -> Embedding:
        """Embed up to ten media, and an optional text, into one vector.

        marengo3.0 combines images. marengo3.5 also accepts video, audio (at most 30 s) and documents, each of at most
        32 MB (API reference). Media of different types need a text. A PDF must be the only input. A text document
        cannot be combined with text alone.

        Args:
            media_sources: 1 to 10 media, plain or as `MediaSource` with media type and name; their order matters. With
                marengo3.5 the list may be empty if `text` is given.
            text: An optional text, as for `embed_text`. It refers to a source by `<@name>`.
            auto_truncate: As for `embed_text`.
            embedding_uncertainty: Also return the uncertainty of each value; for media without a text, or a text
                without media, and not for documents. marengo3.5.
            check: As for `segment_video`, for each item.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (dimension,).

        Raises:
            InputError: Too few or too many media, an item that cannot be embedded, a `<@name>` that no source has, or
                a combination that the model does not accept; no request was sent.
        """
        session, model = self._session, self._embedding_model
        options = _check_options(model, auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        if text is None:
            del options["auto_truncate"]
        else:
            check_text(text)
        sources = await check_sources(session, model, many(media_sources, "media_sources"), text, check=check)
        if embedding_uncertainty:
            requests.check_uncertainty(sources, text)
        return await embed_sources(session, model, sources, text, **options)


async def check_sources(
    session: Session,
    model: EmbeddingModel,
    values: Sequence[MediaInput | MediaSource],
    text: str | None,
    *,
    check: bool,
) -> list[Source]:
    """Return the media of one `multi_input`, each checked alone and all together."""
    rules = model.rules
    requests.check_source_count(len(values), rules, has_text=text is not None)

    def checked() -> list[Source]:
        sources = [Source.of(value, rules, check=check) for value in values]
        requests.check_names(sources, text)
        requests.check_combination(sources, text, rules)
        for source in sources:
            check_source(source.media, source.media_type, rules)
        return sources

    return await session.io.blocking(checked)


async def embed_sources(
    session: Session, model: EmbeddingModel, sources: Sequence[Source], text: str | None = None, **options: bool
) -> Embedding:
    """Embed the checked media and text of one `multi_input` into one vector; options as for `request_embedding`."""
    attempt = "embed the media" if sources else "embed the text"
    body = requests.multi_input_request(model.name, sources, text)
    # Seconds of audio and video are billed: after a lost answer the caller decides whether to send it again.
    is_billed = any(source.media_type in ("audio", "video") for source in sources)
    return parse_embedding(await request_embedding(session, model, attempt, body, repeatable=not is_billed, **options))


async def request_embedding(
    session: Session,
    model: EmbeddingModel,
    attempt: str,
    body: dict[str, Any],
    *,
    auto_truncate: bool | None = None,
    embedding_uncertainty: bool = False,
    repeatable: bool = True,
) -> "Split":
    """Send a body to `POST /embed-v2`, after the caller's rate limiter, and return the vectors of the answer.

    Args:
        session: Sends the request.
        model: Adds its own request fields.
        attempt: What the request tries, for messages: "embed the text".
        body: The request without the fields of `requests.with_model_fields`.
        auto_truncate: See `requests.with_model_fields`.
        embedding_uncertainty: See `requests.with_model_fields`.
        repeatable: Whether the request may be sent again after an answer was lost.
    """
    complete = requests.with_model_fields(
        body, model, embedding_uncertainty=embedding_uncertainty, auto_truncate=auto_truncate
    )
    await session.wait_for_rate_limiter()
    category = requests.category(complete)
    call = Call(attempt, "POST", "/embed-v2", body=json_body(complete), repeatable=repeatable, category=category)
    split = await session.send_for_vectors(call)
    check_dimension(split.vectors, model.dimension)
    return split


def check_dimension(vectors: Matrix, expected: int) -> None:
    """Refuse vectors that do not belong to the client's vector space."""
    if len(vectors) and vectors.shape[1] != expected:
        raise APIResponseError(
            f"the API returned vectors of {vectors.shape[1]} values where {expected} were expected; "
            "the answer was discarded."
        )


async def _embed_text_image(
    session: Session, model: EmbeddingModel, text: str | None, image: Media | None, /, **options: bool
) -> Embedding:
    what = " and ".join(name for name, value in (("text", text), ("image", image)) if value is not None)
    body = requests.text_image_request(model.rules, text, image)
    return parse_embedding(await request_embedding(session, model, f"embed the {what}", body, **options))


def _check_options(model: EmbeddingModel, **options: bool) -> dict[str, bool]:
    for name, value in options.items():
        check_flag(name, value, model.rules)
    return options


def _checked_image(value: MediaInput, model: EmbeddingModel, *, check: bool) -> Media:
    media = Media.of(value, check=check)
    check_image(media, model.rules)
    return media
