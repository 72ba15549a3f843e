"""Decodes the audio track of a window to mono samples at 16 kHz, in blocks, with gaps filled by silence."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from twelvelabs_sandbox.engine.container import (
    audio_stream,
    configure_decoder,
    decode_audio,
    open_media,
)
from twelvelabs_sandbox.engine.packets import packets
from twelvelabs_sandbox.engine.types import FloatArray, MediaError

RATE = 16_000
# Timestamps that differ by more than this are a gap; smaller differences come from rounding in the container.
GAP_SECONDS = 0.1
# Decoders of compressed audio need preceding packets.
LEAD_SECONDS = 1.0


def audio_blocks(path: Path, start: float, end: float, block: int) -> Iterator[FloatArray]:
    """Yield the samples of a window in blocks of `block` samples; the last block is padded with silence.

    Raises:
        MediaError: The file has no audio track, or it cannot be decoded.
    """
    count = round((end - start) * RATE)
    buffer, filled, done = np.zeros(block, np.float32), 0, 0
    for samples in _aligned(path, start, count):
        while samples.size:
            head, samples = samples[: block - filled], samples[block - filled :]  # noqa: PLW2901 - the remainder is processed in the next iteration
            buffer[filled : filled + head.size] = head
            filled += head.size
            if filled == block:
                yield buffer
                buffer, filled, done = np.zeros(block, np.float32), 0, done + block
    while done < count:
        yield buffer
        buffer, done = np.zeros(block, np.float32), done + block


def _aligned(path: Path, start: float, count: int) -> Iterator[FloatArray]:
    """Yield at most `count` contiguous samples from `start` on, with zeros where the track has gaps."""
    position = 0
    for at, samples in _resampled(path, start):
        target = at if abs(at - position) > GAP_SECONDS * RATE else position
        while position < min(target, count):
            pause = np.zeros(min(target - position, count - position, RATE), np.float32)
            position += pause.size
            yield pause
        # Drop samples from before the window and samples that overlap those already returned.
        rest = samples[max(0, position - target) :][: count - position]
        position += rest.size
        yield rest
        if position >= count:
            return


def _resampled(path: Path, start: float) -> Iterator[tuple[int, FloatArray]]:
    """Yield decoded samples and their position, in samples from `start`."""
    with open_media(path) as container:
        audio = audio_stream(container)
        if audio is None:
            raise MediaError("parameter_invalid", "The file has no audio track.")
        configure_decoder(audio)
        resampler, at = AudioResampler("flt", "mono", RATE), 0
        shape: tuple[str, str, int] | None = None
        for frame in decode_audio(audio, packets(container, audio, since=start - LEAD_SECONDS)):
            if shape not in {None, _shape(frame)}:
                resampler = AudioResampler("flt", "mono", RATE)
            shape = _shape(frame)
            if frame.pts is not None and frame.time_base is not None:
                at = round((float(frame.pts * frame.time_base) - start) * RATE)
            for mono in resampler.resample(frame):
                samples = mono.to_ndarray()[0].astype(np.float32, copy=False)
                yield at, np.nan_to_num(samples, posinf=0.0, neginf=0.0)
                at += samples.size
        if shape is None:
            raise MediaError("video_file_broken", "No part of the audio track can be decoded.")


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
