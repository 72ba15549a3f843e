"""The synchronous endpoint, `POST /embed-v2`: text, images and short audio or video, answered at once."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from twelvelabs_core import _limits, _requests
from twelvelabs_core._checks import check_audio_video, check_image, check_text, check_window
from twelvelabs_core._decode import Split
from twelvelabs_core._errors import APIResponseError, InputError
from twelvelabs_core._media import Media, MediaInput
from twelvelabs_core._media_lists import many
from twelvelabs_core._one_vector import clip_option, clip_options, take_one
from twelvelabs_core._operations._assets import AssetOperations
from twelvelabs_core._requests import Segmentation, SegmentOptions
from twelvelabs_core._responses import Embedding, parse_embedding, parse_segments
from twelvelabs_core._segments import Matrix, Segments
from twelvelabs_core._settings import DIMENSION
from twelvelabs_core._wire import Call, json_body


class EmbedOperations(AssetOperations):
    """Embeds what is small enough to be answered at once."""

    async def embed_text(self, text: str) -> Embedding:
        """Embed one text.

        Args:
            text: At least one character that is not white space. The model reads about 500 tokens
                (API reference, marengo3.0); they cannot be counted without the vendor's tokenizer.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (512,).

        Raises:
            InputError: The text is empty.
            TwelveLabsError: See `twelvelabs_core` for the tree.
        """
        body = _requests.text_request(self.model, check_text(text))
        return parse_embedding(await self._embed("embed the text", body))

    async def embed_texts(self, texts: Iterable[str]) -> list[Embedding]:
        """Embed texts, one request each, at most `max_concurrency` at once.

        All texts are checked before the first is sent; the first error ends the rest.

        Args:
            texts: Any number of texts; equal ones are sent once.

        Returns:
            One `Embedding` per text, in their order.

        Raises:
            InputError: One of them is empty; the message has its position.
        """
        checked = [check_text(text, f"texts[{position}]") for position, text in enumerate(many(texts, "texts"))]
        unique = list(dict.fromkeys(checked))
        embeddings = await self.io.map(self.embed_text, unique, self.settings.max_concurrency)
        by_text = dict(zip(unique, embeddings, strict=True))
        return [by_text[text] for text in checked]

    async def embed_image(self, image: MediaInput) -> Embedding:
        """Embed one image.

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`. JPEG or PNG, at least 128x128 pixels,
                at most 32 MB (API reference and model page).

        Returns:
            An `Embedding`; its `vector` is float32 of shape (512,).

        Raises:
            InputError: The file is missing, no image, too small or too large; nothing was sent.
        """
        return await self._embed_checked_image(await self._image(image))

    async def embed_images(self, images: Iterable[MediaInput]) -> list[Embedding]:
        """Embed images, one request each, at most `max_concurrency` at once.

        All images are checked before the first is sent; the first error ends the rest.

        Args:
            images: Any number of images, as for `embed_image`.

        Returns:
            One `Embedding` per image, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
        """
        checked = [await self._image(image) for image in many(images, "images")]
        return await self.io.map(self._embed_checked_image, checked, self.settings.max_concurrency)

    async def embed_text_image(self, text: str, image: MediaInput) -> Embedding:
        """Embed a text and an image into one vector.

        Args:
            text: As for `embed_text`.
            image: As for `embed_image`.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (512,).

        Raises:
            InputError: The text is empty, or the image cannot be embedded.
        """
        check_text(text)
        body = _requests.text_image_request(self.model, text, await self._image(image))
        return parse_embedding(await self._embed("embed the text and image", body))

    async def embed_multi_input(self, media_sources: Sequence[MediaInput], *, text: str | None = None) -> Embedding:
        """Embed up to ten images, and a text if given, into one vector.

        Args:
            media_sources: 1 to 10 images, as for `embed_image`; their order matters.
            text: An optional text, as for `embed_text`.

        Returns:
            An `Embedding`; its `vector` is float32 of shape (512,).

        Raises:
            InputError: No image, more than ten, or one that cannot be embedded.
        """
        sources = many(media_sources, "media_sources")
        count, most = len(sources), _limits.MULTI_INPUT_MAX_SOURCES
        if not 1 <= count <= most:
            raise InputError(f"media_sources must hold 1 to {most} images, got {count}.")
        if text is not None:
            check_text(text)
        images = [await self._image(image) for image in sources]
        body = _requests.multi_input_request(self.model, images, text)
        return parse_embedding(await self._embed("embed the images", body))

    async def embed_audio(
        self,
        audio: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
    ) -> Segments:
        """Embed audio of up to 10 minutes, answered at once. For longer audio: `segment_audio`.

        A local file of up to 36 MB travels inside the request, a larger one is uploaded first.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3 or FLAC (model page).
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.
            segmentation: `FixedSegmentation`. Default 6 s.
            embedding_option: `audio`, `transcription`. Default both.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both.

        Returns:
            `Segments`: a float32 matrix with times, options and scopes.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
        """
        options = SegmentOptions.of(
            "audio",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
        )
        return await self._embed_segments(audio, options)

    async def embed_video(
        self,
        video: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
    ) -> Segments:
        """Embed video of up to 10 minutes, answered at once. For longer video: `segment_video`.

        A local file of up to 36 MB travels inside the request, a larger one is uploaded first.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`; 360x360 to 5184x2160 pixels, 1:1 to 2.4:1
                lying or standing (model page).
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.
            segmentation: `DynamicSegmentation` (default, 4 s) or `FixedSegmentation`.
            embedding_option: `visual`, `audio`, `transcription`. Default all.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both.

        Returns:
            `Segments`: a float32 matrix with times, options and scopes.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
        """
        options = SegmentOptions.of(
            "video",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
        )
        return await self._embed_segments(video, options)

    async def embed_clip(
        self,
        clip: MediaInput,
        *,
        input_type: Literal["audio", "video"] = "video",
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Matrix:
        """Embed a short clip as one vector, to search with. For vectors with times: `embed_video`, `segment_video`.

        Args:
            clip: Path, URL, bytes, binary file object or `asset:<id>`, to 10 minutes; as for `embed_video` and
                `embed_audio`. One vector says most about 10 to 30 s.
            input_type: `video` or `audio`.
            embedding_option: `visual` (what is seen; the default for video), `audio` (how it sounds; the default for
                audio), `transcription` (what is said), or `fused` (all of them).
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.

        Returns:
            float32 array of shape (512,).

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            APIResponseError: The API gave no such vector, as for `audio` of a silent film.
        """
        (vector,) = await self.embed_clips(
            [clip],
            input_type=input_type,
            embedding_option=embedding_option,
            start_sec=start_sec,
            end_sec=end_sec,
        )
        return vector

    async def embed_clips(
        self,
        clips: Iterable[MediaInput],
        *,
        input_type: Literal["audio", "video"] = "video",
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Matrix]:
        """Embed short clips as one vector each, at most `max_concurrency` at once.

        All clips are checked before the first is sent; the first error ends the rest.

        Args:
            clips: Any number of clips, as for `embed_clip`.
            input_type: As for `embed_clip`.
            embedding_option: As for `embed_clip`.
            start_sec: As for `embed_clip`, for each.
            end_sec: As for `embed_clip`, for each.

        Returns:
            One float32 array of shape (512,) per clip, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            APIResponseError: As for `embed_clip`.
        """
        option = clip_option(input_type, embedding_option)
        options = clip_options(input_type, option, start_sec, end_sec)
        checked = [await self._clip(clip, options) for clip in many(clips, "clips")]

        async def one(media: Media) -> Matrix:
            return take_one(await self._embed_checked_segments(media, options), option)

        return await self.io.map(one, checked, self.settings.max_concurrency)

    async def _embed_segments(self, value: MediaInput, options: SegmentOptions) -> Segments:
        return await self._embed_checked_segments(await self._clip(value, options), options)

    async def _clip(self, value: MediaInput, options: SegmentOptions) -> Media:
        media = await self.io.blocking(lambda: Media.of(value))
        await self.io.blocking(lambda: check_for(media, options, task=False))
        return media

    async def _embed_checked_segments(self, media: Media, options: SegmentOptions) -> Segments:
        if media.is_local and await self.io.blocking(media.size) > _limits.BASE64_MAX_BYTES:
            media = await self._as_ready_asset(media, options.input_type)
        body = _requests.segments_request(self.model, media, options)
        # Minutes of media are billed: when no answer comes, the caller decides whether to ask again.
        return parse_segments(await self._embed(f"embed the {options.input_type}", body, repeatable=False))

    async def _image(self, value: MediaInput) -> Media:
        media = await self.io.blocking(lambda: Media.of(value))
        await self.io.blocking(lambda: check_image(media))
        return media

    async def _embed_checked_image(self, image: Media) -> Embedding:
        return parse_embedding(await self._embed("embed the image", _requests.image_request(self.model, image)))

    async def _embed(self, attempt: str, body: dict[str, Any], *, repeatable: bool = True) -> Split:
        await self._wait_for_turn()
        call = Call(attempt, "POST", "/embed-v2", body=json_body(body), repeatable=repeatable)
        split = await self.call_for_vectors(call)
        check_dimension(split.vectors)
        return split


def check_dimension(vectors: Matrix) -> None:
    """Refuse vectors that do not belong to the client's space.

    Raises:
        APIResponseError: They have another number of values.
    """
    if len(vectors) and vectors.shape[1] != DIMENSION:
        raise APIResponseError(
            f"the API answered with vectors of {vectors.shape[1]} values where {DIMENSION} were expected; "
            "nothing of it was used."
        )


def check_for(media: Media, options: SegmentOptions, *, task: bool) -> float | None:
    """Check media and its time window against the limits; return its length where it could be found out."""
    kind: Literal["audio", "video"] = options.input_type
    found = check_audio_video(media, kind, task=task)
    duration = None if found is None else found.duration_sec
    check_window(options.start_sec, options.end_sec, duration, media.source)
    return duration
