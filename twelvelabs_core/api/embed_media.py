"""The synchronous endpoint, `POST /embed-v2`, for short audio and video: segments or one vector, answered at once.

One vector for a whole clip: how to ask for it, and how to take it out of the answer. Pure.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from twelvelabs_core.api import requests
from twelvelabs_core.api.embed import EmbedOperations
from twelvelabs_core.api.endpoints import AS_ASSET, EVERY_MODEL, POST_EMBED, calls
from twelvelabs_core.api.multi_input import MediaSource
from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import APIResponseError, InputError
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_audio_video, check_has_sound, check_window
from twelvelabs_core.models.marengo import Model
from twelvelabs_core.models.options import SegmentOptions
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.responses import parse_segments
from twelvelabs_core.results.segments import Matrix, Segments


class EmbedMediaOperations(EmbedOperations):
    """Embeds audio and video that are short enough to be answered at once."""

    @calls(POST_EMBED, also=AS_ASSET, models=["marengo3.0"])
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
        """Embed audio of up to 10 minutes as segments, answered at once. For longer audio: `segment_audio`.

        marengo3.0 only; with marengo3.5 use `segment_audio`, or `embed_clip` for one vector of up to 30 s.

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
        self._check_sync("audio")
        options = SegmentOptions.of(
            "audio",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            model=self.model,
        )
        return await self._embed_segments(audio, options)

    @calls(POST_EMBED, also=AS_ASSET, models=["marengo3.0"])
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
        """Embed video of up to 10 minutes as segments, answered at once. For longer video: `segment_video`.

        marengo3.0 only; with marengo3.5 use `segment_video`, or `embed_clip` for one vector of up to 30 s.

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
        self._check_sync("video")
        options = SegmentOptions.of(
            "video",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            model=self.model,
        )
        return await self._embed_segments(video, options)

    @calls(POST_EMBED, also=AS_ASSET, models=EVERY_MODEL)
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
            clip: Path, URL, bytes, binary file object or `asset:<id>`. With marengo3.0 to 10 minutes, as for
                `embed_video` and `embed_audio` (one vector says most about 10 to 30 s); with marengo3.5 to 30 s and
                32 MB (API reference).
            input_type: `video` or `audio`.
            embedding_option: `visual` (what is seen; the default for video), `audio` (how it sounds; the default for
                audio), `transcription` (what is said), or `fused` (all of them). marengo3.5 makes one vector of all
                that a clip holds, without a choice.
            start_sec: First second to embed, marengo3.0 only. Default 0.
            end_sec: Last second, marengo3.0 only. Default: the end.

        Returns:
            float32 array of shape (dimension,).

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            APIResponseError: The API gave no such vector, as for `transcription` where nobody speaks.
        """
        (vector,) = await self.embed_clips(
            [clip],
            input_type=input_type,
            embedding_option=embedding_option,
            start_sec=start_sec,
            end_sec=end_sec,
        )
        return vector

    @calls(POST_EMBED, also=AS_ASSET, models=EVERY_MODEL)
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
            One float32 array of shape (dimension,) per clip, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            APIResponseError: As for `embed_clip`.
        """
        if self._rules.by_multi_input:
            check_whole_clip(input_type, embedding_option, start_sec, end_sec, self._rules)
            return await self._embed_whole(many(clips, "clips"), input_type)
        option = clip_option(input_type, embedding_option, self._rules)
        options = clip_options(input_type, option, start_sec, end_sec)
        checked = [await self._clip(clip, options) for clip in many(clips, "clips")]

        async def one(media: Media) -> Matrix:
            return take_one(await self._embed_checked_segments(media, options), option)

        return await self._io.map(one, checked, self.settings.max_concurrency)

    async def _embed_whole(self, clips: list[MediaInput], input_type: Literal["audio", "video"]) -> list[Matrix]:
        """Embed clips with a model that makes one vector of all that a clip holds."""
        checked = [await self._sources([MediaSource(clip, input_type)], None) for clip in clips]
        return [embedding.vector for embedding in await self._embed_each(checked)]

    async def _embed_segments(self, value: MediaInput, options: SegmentOptions) -> Segments:
        return await self._embed_checked_segments(await self._clip(value, options), options)

    async def _clip(self, value: MediaInput, options: SegmentOptions) -> Media:
        media = await self._io.blocking(lambda: Media.of(value))
        await self._io.blocking(lambda: self._check_segments(media, options, task=False))
        return media

    async def _embed_checked_segments(self, media: Media, options: SegmentOptions) -> Segments:
        if media.is_local and await self._io.blocking(media.size) > limits.BASE64_MAX_BYTES:
            media = await self._as_ready_asset(media, options.input_type)
        body = requests.segments_request(self.model, media, options)
        # Minutes of media are billed: when no answer comes, the caller decides whether to ask again.
        return parse_segments(await self._embed(f"embed the {options.input_type}", body, repeatable=False))

    def _check_segments(self, media: Media, options: SegmentOptions, *, task: bool) -> float | None:
        """Check media and its time window against the limits; return its length where it could be found out."""
        found = check_audio_video(media, options.input_type, task=task, model=self._rules)
        if found is not None and not options.time_based_metadata:
            check_has_sound(media, found, options.input_type, options.embedding_option)
        duration = None if found is None else found.duration_sec
        check_window(options.start_sec, options.end_sec, duration, media.source)
        return duration

    def _check_sync(self, input_type: str) -> None:
        """Refuse to embed audio or video at once as segments, where the model has no such request."""
        if input_type not in self._rules.sync_inputs:
            hint = self._rules.hint(lambda model: input_type in model.sync_inputs)
            raise InputError(
                f"{self.model} does not embed {input_type} as segments at once{hint}: use segment_{input_type}, "
                f"or embed_clip for one vector of up to {self._rules.sync_max_sec:g} s."
            )


FUSED = "fused"
_DEFAULTS = {"video": "visual", "audio": "audio"}


def clip_option(input_type: str, embedding_option: str | None, model: Model) -> str:
    """Return the one option that is asked for.

    Raises:
        InputError: Not audio or video, or not one of its options.
    """
    if input_type not in _DEFAULTS:
        raise InputError(f"input_type must be audio or video, got {input_type!r}.")
    if embedding_option is None:
        return _DEFAULTS[input_type]
    allowed = (*model.rules(input_type).options, FUSED)
    if embedding_option not in allowed:
        raise InputError(
            f"embedding_option for {input_type} must be one of {', '.join(allowed)}; got {embedding_option!r}."
        )
    return embedding_option


def check_whole_clip(
    input_type: str, embedding_option: str | None, start_sec: float | None, end_sec: float | None, model: Model
) -> None:
    """Refuse to choose a part of a clip, where the model makes one vector of all that it holds.

    Raises:
        InputError: Not audio or video, or an option or time is given.
    """
    if input_type not in _DEFAULTS:
        raise InputError(f"input_type must be audio or video, got {input_type!r}.")
    advice = f"segment_{input_type} with embedding_scope=['asset'] takes it, and another model does so at once"
    hint = model.hint(lambda other: input_type in other.sync_inputs)
    if embedding_option is not None and (input_type, embedding_option) != ("audio", "audio"):
        raise InputError(
            f"{model.name} makes one vector of all that a clip holds and has no choice of embedding_option, "
            f"got {embedding_option!r}; {advice}{hint}."
        )
    if start_sec is not None or end_sec is not None:
        raise InputError(
            f"{model.name} embeds a clip as a whole, got start_sec={start_sec} and end_sec={end_sec}; {advice}{hint}."
        )


def clip_options(
    input_type: Literal["audio", "video"], embedding_option: str, start_sec: float | None, end_sec: float | None
) -> SegmentOptions:
    """Return the options that ask for exactly one vector of the whole clip.

    Raises:
        InputError: A time out of range.
    """
    is_fused = embedding_option == FUSED
    return SegmentOptions.of(
        input_type,
        start_sec=start_sec,
        end_sec=end_sec,
        embedding_option=None if is_fused else [embedding_option],
        embedding_type=["fused_embedding"] if is_fused else None,
        embedding_scope=["asset"],
    )


def take_one(segments: Segments, embedding_option: str) -> Matrix:
    """Return the vector that was asked for.

    Raises:
        APIResponseError: It is not there.
    """
    found = segments.select(embedding_option=embedding_option, embedding_scope="asset")
    if not len(found):
        raise APIResponseError(
            f"the API answered without a vector for embedding_option {embedding_option!r}: nothing to "
            f"{'hear' if embedding_option == 'audio' else 'embed'} in it? Choose another embedding_option."
        )
    return found[0].vector
