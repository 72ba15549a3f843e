"""The synchronous endpoint `POST /embed-v2` for short audio and video: segments, or one vector for a whole clip."""

from collections.abc import Iterable, Sequence
from typing import Literal

from twelvelabs_core.api import requests
from twelvelabs_core.api.assets import AsyncAssets
from twelvelabs_core.api.embed import check_sources, embed_sources, request_embedding
from twelvelabs_core.api.requests import MediaSource
from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import APIResponseError, InputError
from twelvelabs_core.media.inspect import Probe
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_audio_video, check_has_sound, check_window
from twelvelabs_core.models.marengo import EmbeddingModel, Model
from twelvelabs_core.models.options import SegmentOptions
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.responses import parse_segments
from twelvelabs_core.results.segments import Matrix, Segments
from twelvelabs_core.transport.session import Session

_FUSED = "fused"
_DEFAULT_OPTIONS = {"video": "visual", "audio": "audio"}


class EmbedMediaMethods:
    """The methods of a client that embed audio and video which are short enough for one request."""

    _session: Session
    _embedding_model: EmbeddingModel
    assets: AsyncAssets

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
        check: bool = True,
    ) -> Segments:
        """Embed audio of up to 10 minutes as segments, in one request. For longer audio use `segment_audio`.

        marengo3.0 only; with marengo3.5 use `segment_audio`, or `embed_clip` for one vector of up to 30 s.

        A local file of up to 36 MB is sent inside the request, a larger one is uploaded as an asset first.

        Args:
            audio: Path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3 or FLAC (model page).
            start_sec: First second to embed. Default 0.
            end_sec: Last second to embed. Default: the end.
            segmentation: `FixedSegmentation`. Default 6 s.
            embedding_option: `audio`, `transcription`. Default both.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both.
            check: As for `segment_video`.

        Returns:
            `Segments`: a float32 matrix of shape (n, dimension) with times, options and scopes.

        Raises:
            InputError: The media or an option cannot be used; no request was sent.
        """
        self._check_sync_input("audio")
        options = SegmentOptions.of(
            "audio",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            model=self._embedding_model.name,
        )
        return await self._embed_segments(await self._checked_media(audio, options, check=check), options)

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
        check: bool = True,
    ) -> Segments:
        """Embed video of up to 10 minutes as segments, in one request. For longer video use `segment_video`.

        marengo3.0 only; with marengo3.5 use `segment_video`, or `embed_clip` for one vector of up to 30 s.

        A local file of up to 36 MB is sent inside the request, a larger one is uploaded as an asset first.

        Args:
            video: Path, URL, bytes, binary file object or `asset:<id>`; 360x360 to 5184x2160 pixels, 1:1 to 2.4:1,
                landscape or portrait (model page).
            start_sec: First second to embed. Default 0.
            end_sec: Last second to embed. Default: the end.
            segmentation: `DynamicSegmentation` (default, 4 s) or `FixedSegmentation`.
            embedding_option: `visual`, `audio`, `transcription`. Default all.
            embedding_scope: `clip` (each segment), `asset` (the whole). Default both.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both.
            check: As for `segment_video`.

        Returns:
            `Segments`: a float32 matrix of shape (n, dimension) with times, options and scopes.

        Raises:
            InputError: The media or an option cannot be used; no request was sent.
        """
        self._check_sync_input("video")
        options = SegmentOptions.of(
            "video",
            start_sec=start_sec,
            end_sec=end_sec,
            segmentation=segmentation,
            embedding_option=embedding_option,
            embedding_scope=embedding_scope,
            embedding_type=embedding_type,
            model=self._embedding_model.name,
        )
        return await self._embed_segments(await self._checked_media(video, options, check=check), options)

    async def embed_clip(
        self,
        clip: MediaInput,
        *,
        input_type: Literal["audio", "video"] = "video",
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        check: bool = True,
    ) -> Matrix:
        """Embed a short clip as one vector, to search with. For vectors with times: `embed_video`, `segment_video`.

        Args:
            clip: Path, URL, bytes, binary file object or `asset:<id>`. marengo3.0: at most 10 minutes, as for
                `embed_video` and `embed_audio`; one vector describes 10 to 30 s best. marengo3.5: at most 30 s and
                32 MB (API reference).
            input_type: `video` or `audio`.
            embedding_option: `visual` (the picture; default for video), `audio` (the sound; default for audio),
                `transcription` (the speech), or `fused` (all of them). marengo3.5 makes one vector of the whole clip
                and has no options.
            start_sec: First second to embed, marengo3.0 only. Default 0.
            end_sec: Last second to embed, marengo3.0 only. Default: the end.
            check: As for `segment_video`.

        Returns:
            float32 array of shape (dimension,).

        Raises:
            InputError: The media or an option cannot be used; no request was sent.
            APIResponseError: The API returned no such vector, for example for `transcription` of a clip without speech.
        """
        (vector,) = await self.embed_clips(
            [clip],
            input_type=input_type,
            embedding_option=embedding_option,
            start_sec=start_sec,
            end_sec=end_sec,
            check=check,
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
        check: bool = True,
    ) -> list[Matrix]:
        """Embed short clips as one vector each, with at most `max_concurrency` requests at once.

        All clips are checked before the first request. The first error cancels the remaining requests.

        Args:
            clips: Any number of clips, as for `embed_clip`.
            input_type: As for `embed_clip`.
            embedding_option: As for `embed_clip`.
            start_sec: As for `embed_clip`, for each clip.
            end_sec: As for `embed_clip`, for each clip.
            check: As for `segment_video`, for each clip.

        Returns:
            One float32 array of shape (dimension,) for each clip, in the same order.

        Raises:
            InputError: A clip cannot be embedded; no request was sent.
            APIResponseError: As for `embed_clip`.
        """
        session, model = self._session, self._embedding_model
        given, limit = many(clips, "clips"), session.settings.max_concurrency
        if input_type not in _DEFAULT_OPTIONS:
            raise InputError(f"input_type must be audio or video, got {input_type!r}.")
        if model.rules.by_multi_input:
            _check_whole_clip(input_type, embedding_option, start_sec, end_sec, model.rules)
            return await self._embed_whole_clips([MediaSource(clip, input_type) for clip in given], check=check)
        option = _clip_option(input_type, embedding_option, model.rules)
        options = SegmentOptions.of(
            input_type,
            start_sec=start_sec,
            end_sec=end_sec,
            embedding_option=None if option == _FUSED else [option],
            embedding_type=["fused_embedding"] if option == _FUSED else None,
            embedding_scope=["asset"],
        )
        checked = [await self._checked_media(clip, options, check=check) for clip in given]

        return await session.io.map(lambda media: self._clip_vector(media, options, option), checked, limit)

    async def _clip_vector(self, media: Media, options: SegmentOptions, option: str) -> Matrix:
        segments = await self._embed_segments(media, options)
        found = segments.select(embedding_option=option, embedding_scope="asset")
        if not len(found):
            raise APIResponseError(
                f"the API returned no vector for embedding_option {option!r}; the clip may have no such content. "
                "Choose another embedding_option."
            )
        return found[0].vector

    async def _embed_whole_clips(self, clips: Sequence[MediaSource], *, check: bool) -> list[Matrix]:
        session, model = self._session, self._embedding_model
        checked = [await check_sources(session, model, [clip], None, check=check) for clip in clips]
        limit = session.settings.max_concurrency
        embeddings = await session.io.map(lambda sources: embed_sources(session, model, sources), checked, limit)
        return [embedding.vector for embedding in embeddings]

    def _check_sync_input(self, input_type: str) -> None:
        """Refuse to embed audio or video as segments in one request, where the model has no such request."""
        model = self._embedding_model.rules
        if input_type not in model.sync_inputs:
            hint = model.hint(lambda other: input_type in other.sync_inputs)
            raise InputError(
                f"{model.name} cannot embed {input_type} as segments in one request{hint}: use segment_{input_type}, "
                f"or embed_clip for one vector of up to {model.sync_max_sec:g} s."
            )

    async def _checked_media(self, value: MediaInput, options: SegmentOptions, *, check: bool) -> Media:
        def checked() -> Media:
            media = Media.of(value, check=check)
            check_timed_media(media, options, self._embedding_model.rules, task=False)
            return media

        return await self._session.io.blocking(checked)

    async def _embed_segments(self, media: Media, options: SegmentOptions) -> Segments:
        session, model = self._session, self._embedding_model
        if media.is_local and await session.io.blocking(media.size) > limits.BASE64_MAX_BYTES:
            media = await self.assets.as_ready_asset(media, options.input_type)
        body = requests.segments_request(model.name, media, options)
        # Minutes of media are billed: after a lost answer the caller decides whether to send it again.
        split = await request_embedding(session, model, f"embed the {options.input_type}", body, repeatable=False)
        return parse_segments(split)


def check_timed_media(media: Media, options: SegmentOptions, model: Model, *, task: bool) -> Probe | None:
    """Check audio or video and its time window against the model's limits of tasks, or of the synchronous endpoint.

    Returns:
        The properties of local media, where they could be determined.
    """
    found = check_audio_video(media, options.input_type, task=task, model=model)
    if found is not None and not options.time_based_metadata:
        check_has_sound(media, found, options.input_type, options.embedding_option)
    check_window(media, found, options.start_sec, options.end_sec)
    return found


def _clip_option(input_type: str, embedding_option: str | None, model: Model) -> str:
    """Return the one option of a clip, or its default."""
    if embedding_option is None:
        return _DEFAULT_OPTIONS[input_type]
    allowed = (*model.rules(input_type).options, _FUSED)
    if embedding_option not in allowed:
        raise InputError(
            f"embedding_option for {input_type} must be one of {', '.join(allowed)}; got {embedding_option!r}."
        )
    return embedding_option


def _check_whole_clip(
    input_type: str, embedding_option: str | None, start_sec: float | None, end_sec: float | None, model: Model
) -> None:
    """Refuse an option or a time window, where the model makes one vector of a whole clip."""
    advice = f"use segment_{input_type} with embedding_scope=['asset'], or a model that accepts it"
    hint = model.hint(lambda other: input_type in other.sync_inputs)
    if embedding_option is not None and (input_type, embedding_option) != ("audio", "audio"):
        raise InputError(
            f"{model.name} makes one vector of a whole clip and has no embedding_option, "
            f"got {embedding_option!r}; {advice}{hint}."
        )
    if start_sec is not None or end_sec is not None:
        raise InputError(
            f"{model.name} embeds a clip as a whole, got start_sec={start_sec} and end_sec={end_sec}; {advice}{hint}."
        )
