"""The only door of the sandbox's media engine: a file or a text goes in, facts and 512-d unit vectors come out.

The engine is NOT Marengo and knows no meaning. It measures colours, light, motion, texture, loudness, tone and noise,
maps the words of a text onto the same code words, and takes captions or chapters inside a file for its speech. Every
function blocks, may be called from any thread, gives the same vectors for the same input, and holds bounded memory.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from twelvelabs_sandbox._clips import Window, clip_vectors
from twelvelabs_sandbox._codebook import unit
from twelvelabs_sandbox._look import image_vector
from twelvelabs_sandbox._media_values import ClipVector, Cut, FloatVector, MediaError, MediaInfo
from twelvelabs_sandbox._pdf import QUADRANTS, PdfPage, page_count, pdf_pages
from twelvelabs_sandbox._probe import probe_media
from twelvelabs_sandbox._sentences import chunks, sentences
from twelvelabs_sandbox._stills import still
from twelvelabs_sandbox._texts import text_vector
from twelvelabs_sandbox._tokens import count_tokens, first_tokens
from twelvelabs_sandbox._words import spoken_words

__all__ = [
    "QUADRANTS",
    "ClipVector",
    "Cut",
    "FloatVector",
    "MediaError",
    "MediaInfo",
    "PdfPage",
    "chunks",
    "count_tokens",
    "embed_image",
    "embed_media",
    "embed_multi",
    "embed_text",
    "embed_text_image",
    "first_tokens",
    "page_count",
    "pdf_pages",
    "probe",
    "sentences",
    "spoken_words",
    "still",
]


def probe(path: Path, filename: str | None = None) -> MediaInfo:
    """Say what a file is, without judging its length or size.

    Args:
        path: The file.
        filename: The name under which the user knows it, where that is not the path's; only its suffix is used, to tell
            plain text and Markdown from each other and from broken films.

    Raises:
        MediaError: It is no media, or nothing of it can be decoded.
    """
    return probe_media(path, filename)


def embed_text(text: str) -> FloatVector:
    """Return the vector of a text, shape (512,), float32, length 1.

    Raises:
        MediaError: The text has no visible character.
    """
    return text_vector(text)


def embed_image(path: Path) -> FloatVector:
    """Return the vector of a JPEG or PNG file, shape (512,), float32, length 1.

    Raises:
        MediaError: It is neither, broken, or has more than 50 million pixels.
    """
    return image_vector(path)


def embed_text_image(text: str, path: Path) -> FloatVector:
    """Return one vector, shape (512,), of a text and an image together, each counting alike.

    Raises:
        MediaError: As for `embed_text` and `embed_image`.
    """
    return embed_multi(text, [path])


def embed_multi(text: str | None, image_paths: Sequence[Path]) -> FloatVector:
    """Return one vector, shape (512,), of several images and, where given, a text, each counting alike.

    Raises:
        MediaError: There is neither text nor image, or as for `embed_text` and `embed_image`.
    """
    parts = [image_vector(path) for path in image_paths]
    if text is not None:
        parts.append(text_vector(text))
    if not parts:
        raise MediaError("parameter_invalid", "There is neither a text nor an image to embed.")
    return unit(np.sum(parts, axis=0))


def embed_media(
    path: Path,
    *,
    kind: Literal["video", "audio"],
    start: float,
    end: float,
    cut: Cut,
    options: Collection[str],
    scopes: Collection[str],
    separate: bool,
    fused: bool,
) -> list[ClipVector]:
    """Cut a stretch of a film or sound into clips and return their vectors.

    Args:
        path: The file.
        kind: What to take it for; the sound of a film can be embedded as audio.
        start: Where to begin, in seconds of the film.
        end: Where to end; not beyond the film's length.
        cut: How to cut.
        options: Any of ``visual`` (video only), ``audio``, ``transcription``. A film without a sound track has no
            ``audio`` vectors, a clip without captions no ``transcription`` vector.
        scopes: ``clip`` for a vector of each clip, ``asset`` for the mean of all.
        separate: Whether to return one vector for each option.
        fused: Whether to return one of all options together.

    Raises:
        MediaError: The track is missing or cannot be decoded, or the file breaks off before `end`.
    """
    window = Window(path, kind, start, end, options)
    return clip_vectors(window, cut, scopes=scopes, separate=separate, fused=fused)
