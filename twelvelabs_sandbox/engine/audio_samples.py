"""Decodes the sound of a stretch of film to mono samples at 16 kHz, in blocks, gaps filled with silence."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from twelvelabs_sandbox.engine.types import FloatArray
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.engine.container import audio_stream
from twelvelabs_sandbox.engine.container import configure_decoder
from twelvelabs_sandbox.engine.container import decode_audio
from twelvelabs_sandbox.engine.container import open_media
from twelvelabs_sandbox.engine.container import packets
from twelvelabs_sandbox.engine.container import seek
from twelvelabs_sandbox.engine.container import start_time

RATE = 16_000
# A time stamp that is off by more than this is a gap; smaller differences are rounding of the container.
GAP_SECONDS = 0.1


def audio_blocks(path: Path, start: float, end: float, block: int) -> Iterator[FloatArray]:
    """Yield the samples of a window, `block` at a time; the last block is filled up with silence.

    Raises:
        MediaError: The file has no sound track, or nothing of it can be decoded.
    """
    count = round((end - start) * RATE)
    buffer, filled, done = np.zeros(block, np.float32), 0, 0
    for samples in _placed(path, start, count):
        while samples.size:
            part, samples = samples[: block - filled], samples[block - filled :]  # noqa: PLW2901 - the rest stays
            buffer[filled : filled + part.size] = part
            filled += part.size
            if filled == block:
                yield buffer
                buffer, filled, done = np.zeros(block, np.float32), 0, done + block
    while done < count:
        yield buffer
        buffer, done = np.zeros(block, np.float32), done + block


def _placed(path: Path, start: float, count: int) -> Iterator[FloatArray]:
    """Yield samples one after another from `start` on, at most `count`, with zeros where the track pauses."""
    position = 0
    for at, samples in _resampled(path, start):
        place = at if abs(at - position) > GAP_SECONDS * RATE else position
        while position < min(place, count):
            pause = np.zeros(min(place - position, count - position, RATE), np.float32)
            position += pause.size
            yield pause
        # Sound from before the window, or that overlaps what was heard already, is cut off.
        rest = samples[max(0, position - place) :][: count - position]
        position += rest.size
        yield rest
        if position >= count:
            return


def _resampled(path: Path, start: float) -> Iterator[tuple[int, FloatArray]]:
    """Yield decoded samples and where they belong, in samples from `start`."""
    with open_media(path) as container:
        audio = audio_stream(container)
        if audio is None:
            raise MediaError("parameter_invalid", "The file has no sound track.")
        # A second earlier: compressed sound needs a little run-up.
        seek(container, start - 1)
        configure_decoder(audio)
        begin = start_time(container) + start
        resampler, at = AudioResampler("flt", "mono", RATE), 0
        shape: tuple[str, str, int] | None = None
        for frame in decode_audio(audio, packets(container, audio)):
            if shape not in {None, _shape(frame)}:
                resampler = AudioResampler("flt", "mono", RATE)
            shape = _shape(frame)
            if frame.pts is not None and frame.time_base is not None:
                at = round((float(frame.pts * frame.time_base) - begin) * RATE)
            for mono in resampler.resample(frame):
                samples = mono.to_ndarray()[0].astype(np.float32, copy=False)
                yield at, np.nan_to_num(samples, posinf=0.0, neginf=0.0)
                at += samples.size
        if shape is None:
            raise MediaError("video_file_broken", "Nothing of the sound track can be decoded.")


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
