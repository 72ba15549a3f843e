"""Turns a film or picture into small RGB thumbnails: ten a second, or a few at each keyframe where a film is long."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.engine.types import Pixels
from twelvelabs_sandbox.engine.packets import PacketSummary
from twelvelabs_sandbox.engine.packets import PacketTimer
from twelvelabs_sandbox.engine.container import configure_decoder
from twelvelabs_sandbox.engine.container import decode_video
from twelvelabs_sandbox.engine.container import open_media
from twelvelabs_sandbox.engine.container import packets
from twelvelabs_sandbox.engine.container import seek
from twelvelabs_sandbox.engine.container import start_time
from twelvelabs_sandbox.engine.container import video_stream

WIDTH, HEIGHT = 96, 54
# Seconds from one thumbnail to the next: enough to see a cut or a movement, few enough to be cheap.
STEP = 0.1
TOLERANCE = 0.01
# A film of up to this many pixels is decoded in full: some 20 CPU seconds; 9 minutes of 720p at 24 frames a second, 20
# of 480p, 1.6 hours of 480x360 at 10. Of a longer film only the longest groups of keyframes are, within less.
FULL_DECODE_PIXELS, GROUP_DECODE_PIXELS = 1.2e10, 4e9
# What a frame costs beside its pixels, in pixels.
FRAME_COST = 30_000
# Seconds from keyframe to keyframe: nearer ones are passed over; a longer gap is always decoded, lest shots be missed.
MIN_KEYFRAME_GAP, MAX_KEYFRAME_GAP = 1.9, 12.0
# Packets from a keyframe on that give two thumbnails at STEP, with those that a decoder holds back.
HEAD_PACKETS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A small upright picture at a second of the film; pixels are RGB of shape (54, 96, 3)."""

    time: float
    pixels: Pixels


def video_thumbnails(path: Path, start: float, end: float, summary: PacketSummary) -> Iterator[Thumbnail]:
    """Yield thumbnails of a window in order.

    Raises:
        MediaError: Not one picture of it can be decoded.
    """
    with open_media(path) as container:
        video = video_stream(container)
        if video is None:
            raise MediaError("parameter_invalid", "The file has no picture track.")
        seek(container, start)
        configure_decoder(video)
        empty = True
        for thumbnail in _sampled(_timed(container, video, _frames(container, video, summary)), start, end):
            empty = False
            yield thumbnail
        if empty:
            raise MediaError("video_file_broken", f"No picture between {start:.1f} s and {end:.1f} s can be decoded.")


def image_thumbnail(frame: VideoFrame) -> Pixels:
    """Return the thumbnail of a still picture."""
    return _shrunk(VideoReformatter(), frame)


def _frames(container: InputContainer, video: VideoStream, summary: PacketSummary) -> Iterator[VideoFrame]:
    context = video.codec_context
    cost = summary.video_packets * (context.width * context.height + FRAME_COST)
    if cost <= FULL_DECODE_PIXELS or not summary.keyframes:
        return decode_video(video, packets(container, video))
    # Frame threads hold back frames, and each keyframe would have to wait for them.
    context.thread_type = "SLICE"
    whole = _whole_groups(summary, seconds=GROUP_DECODE_PIXELS / cost * (summary.last - summary.keyframes[0]))
    return _decoded_heads(video, _heads(container, video, whole))


def _whole_groups(summary: PacketSummary, seconds: float) -> set[float]:
    """Return the keyframes whose groups are to be decoded in full: the longest, as far as the seconds go."""
    gaps = sorted(((until - at, at) for at, until in pairwise([*summary.keyframes, summary.last])), reverse=True)
    whole = set()
    for gap, at in gaps:
        seconds -= gap
        if gap <= MAX_KEYFRAME_GAP and seconds < 0:
            break
        whole.add(at)
    return whole


def _heads(container: InputContainer, video: VideoStream, whole: set[float]) -> Iterator["Packet[Any] | None"]:
    """Yield the first packets of each keyframe's group, or all of some groups, and None after each stretch."""
    clock, left, last = PacketTimer(container), 0.0, float("-inf")
    for packet in packets(container, video):
        at = clock.times(packet)[0]
        if packet.is_keyframe and at in whole:
            left, last = float("inf"), at
        elif packet.is_keyframe and at - last >= MIN_KEYFRAME_GAP:
            left, last = HEAD_PACKETS, at
        if left:
            yield packet
            left -= 1
            if not left:
                yield None


def _decoded_heads(video: VideoStream, source: Iterator["Packet[Any] | None"]) -> Iterator[VideoFrame]:
    context = video.codec_context
    for packet in source:
        with suppress(av.error.FFmpegError):
            yield from context.decode(packet)
        if packet is None:
            context.flush_buffers()
    with suppress(av.error.FFmpegError):
        yield from context.decode(None)


def _timed(
    container: InputContainer, video: VideoStream, frames: Iterator[VideoFrame]
) -> Iterator[tuple[float, VideoFrame]]:
    begin, now = start_time(container), 0.0
    step = 1 / float(video.average_rate or video.guessed_rate or 25)
    for frame in frames:
        stamp = frame.pts if frame.pts is not None else frame.dts
        # Some containers leave frames without a time; they then follow one another at the usual rate.
        now = now + step if stamp is None or frame.time_base is None else float(stamp * frame.time_base) - begin
        yield now, frame


def _sampled(frames: Iterator[tuple[float, VideoFrame]], start: float, end: float) -> Iterator[Thumbnail]:
    scaler, due, before = VideoReformatter(), start, None
    for time, frame in frames:
        if time >= end:
            break
        if time < start - TOLERANCE:
            before = frame
        elif time >= due - TOLERANCE:
            if before is not None and due == start and time > start + STEP:
                # The picture that stands when the window opens came before it.
                yield Thumbnail(start, _shrunk(scaler, before))
            yield Thumbnail(max(time, start), _shrunk(scaler, frame))
            due = time + STEP
    if due == start and before is not None:
        yield Thumbnail(start, _shrunk(scaler, before))


def _shrunk(scaler: VideoReformatter, frame: VideoFrame) -> Pixels:
    """Return a frame upright, whatever its size and shape; the scaler, dear to set up, is kept from frame to frame."""
    turns = round(frame.rotation / 90)
    width, height = (HEIGHT, WIDTH) if turns % 2 else (WIDTH, HEIGHT)
    transparent = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
    layout = "rgba" if transparent else "rgb24"
    pixels = scaler.reformat(frame, width, height, layout, interpolation=Interpolation.AREA).to_ndarray()
    if transparent:
        # Viewers show transparent pictures on white; what lies under full transparency is arbitrary.
        alpha = pixels[..., 3:].astype(np.float32) / 255
        pixels = np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha))
    return np.ascontiguousarray(np.rot90(pixels, turns), dtype=np.uint8)
