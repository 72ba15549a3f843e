"""Scales video frames and images to small RGB thumbnails: ten per second, fewer around keyframes for long videos."""

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

from twelvelabs_sandbox.engine.container import (
    configure_decoder,
    decode_video,
    open_media,
    video_stream,
)
from twelvelabs_sandbox.engine.packets import PacketSummary, packets, timed_packets
from twelvelabs_sandbox.engine.types import MediaError, Pixels

WIDTH, HEIGHT = 96, 54
# Seconds between thumbnails: short enough for shot boundaries and motion, long enough to be cheap.
STEP = 0.1
TOLERANCE = 0.01
# A video of up to this many pixels is decoded completely: about 20 CPU seconds, for 9 minutes of 720p at 24 frames per
# second, 20 minutes of 480p, or 1.6 hours of 480x360 at 10. Of a longer video only the longest keyframe groups are.
FULL_DECODE_PIXELS, GROUP_DECODE_PIXELS = 1.2e10, 4e9
# Cost of a frame besides its pixels, in pixels.
FRAME_COST = 30_000
# Seconds between keyframes: closer ones are skipped; groups longer than the maximum are always decoded, since shots
# would be missed.
MIN_KEYFRAME_GAP, MAX_KEYFRAME_GAP = 1.9, 12.0
# Packets after a keyframe that yield two thumbnails STEP apart, including those that a decoder buffers.
HEAD_PACKETS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A small upright image at a second of the file; pixels are RGB of shape (54, 96, 3)."""

    time: float
    pixels: Pixels


def video_thumbnails(path: Path, start: float, end: float, summary: PacketSummary) -> Iterator[Thumbnail]:
    """Yield the thumbnails of a window in order.

    Raises:
        MediaError: The file has no video track, or no frame of the window can be decoded.
    """
    with open_media(path) as container:
        video = video_stream(container)
        if video is None:
            raise MediaError("parameter_invalid", "The file has no video track.")
        configure_decoder(video)
        empty = True
        for thumbnail in _sampled(_timed(video, _frames(container, video, summary), summary.decode_from), start, end):
            empty = False
            yield thumbnail
        if empty:
            raise MediaError("video_file_broken", f"No frame between {start:.1f} s and {end:.1f} s can be decoded.")


def image_thumbnail(frame: VideoFrame) -> Pixels:
    """Return the thumbnail of an image."""
    return _scaled(VideoReformatter(), frame)


def _frames(container: InputContainer, video: VideoStream, summary: PacketSummary) -> Iterator[VideoFrame]:
    context = video.codec_context
    cost = summary.video_packets * (context.width * context.height + FRAME_COST)
    if cost <= FULL_DECODE_PIXELS or not summary.keyframes:
        return decode_video(video, packets(container, video, since=summary.decode_from))
    # Frame threads buffer frames, which would delay each keyframe.
    context.thread_type = "SLICE"
    complete = _complete_groups(summary, seconds=GROUP_DECODE_PIXELS / cost * (summary.last - summary.keyframes[0]))
    return _decoded_heads(video, _heads(container, video, complete, summary.decode_from))


def _complete_groups(summary: PacketSummary, seconds: float) -> set[float]:
    """Return the keyframes whose groups are decoded completely: the longest ones, within a budget of seconds."""
    gaps = sorted(((until - at, at) for at, until in pairwise([*summary.keyframes, summary.last])), reverse=True)
    complete = set()
    for gap, at in gaps:
        seconds -= gap
        if gap <= MAX_KEYFRAME_GAP and seconds < 0:
            break
        complete.add(at)
    return complete


def _heads(
    container: InputContainer, video: VideoStream, complete: set[float], since: float
) -> Iterator["Packet[Any] | None"]:
    """Yield the first packets of each keyframe group, all packets of the complete groups, and None after each gap."""
    left, last = 0.0, float("-inf")
    for timed in timed_packets(container, video, since=since):
        at, packet = timed.begin, timed.packet
        if packet.is_keyframe and at in complete:
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


def _timed(video: VideoStream, frames: Iterator[VideoFrame], now: float) -> Iterator[tuple[float, VideoFrame]]:
    step = 1 / float(video.average_rate or video.guessed_rate or 25)
    for frame in frames:
        stamp = frame.pts if frame.pts is not None else frame.dts
        # Frames without a timestamp follow at the average frame rate.
        now = now + step if stamp is None or frame.time_base is None else float(stamp * frame.time_base)
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
                # The first frame shown in the window starts before it.
                yield Thumbnail(start, _scaled(scaler, before))
            yield Thumbnail(max(time, start), _scaled(scaler, frame))
            due = time + STEP
    if due == start and before is not None:
        yield Thumbnail(start, _scaled(scaler, before))


def _scaled(scaler: VideoReformatter, frame: VideoFrame) -> Pixels:
    """Return an upright RGB thumbnail of a frame of any size and format.

    The scaler is expensive to set up and therefore reused.
    """
    turns = round(frame.rotation / 90)
    width, height = (HEIGHT, WIDTH) if turns % 2 else (WIDTH, HEIGHT)
    transparent = frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
    layout = "rgba" if transparent else "rgb24"
    pixels = scaler.reformat(frame, width, height, layout, interpolation=Interpolation.AREA).to_ndarray()
    if transparent:
        # Viewers show transparent images on white; the colour of fully transparent pixels is arbitrary.
        alpha = pixels[..., 3:].astype(np.float32) / 255
        pixels = np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha))
    return np.ascontiguousarray(np.rot90(pixels, turns), dtype=np.uint8)
