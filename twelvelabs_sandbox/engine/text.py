"""Embeds texts: words that name a quality have its direction, all other words have a direction from their hash."""

import re
import unicodedata
from collections import Counter

import numpy as np

from twelvelabs_sandbox.engine.types import FloatVector, MediaError
from twelvelabs_sandbox.engine.vector_space import (
    COLORS,
    FACET_OF,
    FACET_WEIGHTS,
    ROW_OF,
    SIZE,
    unit,
    vector,
    word_coordinates,
)
from twelvelabs_sandbox.engine.vocabulary import MEANINGS, PHRASES, STOP_WORDS, THING_WORDS

# Weight of a word that names no quality relative to one that does.
WORD_WEIGHT = 0.7
# In "a red field with a white box" the first colour covers more: each further colour has this share of the weight.
NEXT_COLOR = 0.75
# Scripts without spaces between words: each character is a word.
UNSPACED_SCRIPTS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
WORDS = re.compile(rf"{UNSPACED_SCRIPTS.pattern}|[^\W_]+(?:['\u2019][^\W_]+)?")
PHRASE = re.compile("|".join(rf"\b{phrase}\b" for phrase in PHRASES))
ENDINGS = ("ings", "ing", "es", "ed", "ly", "s", "e")
MIN_STEM_LENGTH = 3


def embed_text(text: str) -> FloatVector:
    """Return the vector of a text, shape (512,), float32, length 1.

    Raises:
        MediaError: The text has no visible character.
    """
    if not text.strip():
        raise MediaError("parameter_invalid", "The text is empty.")
    # A text of punctuation only, such as "?!", is one word.
    words = _words(text) or [text.strip()]
    return vector(_named(words) + _unnamed(words))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("-", " ")
    words = WORDS.findall(PHRASE.sub(lambda phrase: PHRASES[phrase[0]], plain))
    telling = [word for word in words if word not in STOP_WORDS]
    return telling or words


def _named(words: list[str]) -> FloatVector:
    """Return the coordinates of the qualities that words name; each named facet has its full weight."""
    facets: dict[str, dict[str, float]] = {}
    color_weight = 1.0
    for word in words:
        qualities = MEANINGS.get(word, ())
        for quality in qualities:
            shares = facets.setdefault(FACET_OF[quality], {})
            if quality not in COLORS:
                shares[quality] = shares.get(quality, 0.0) + 1.0
            else:
                shares.setdefault(quality, color_weight)
        if any(quality in COLORS for quality in qualities):
            color_weight *= NEXT_COLOR
    coordinates = np.zeros(SIZE, np.float32)
    for facet, shares in facets.items():
        rows = [ROW_OF[quality] for quality in shares]
        coordinates[rows] = FACET_WEIGHTS[facet] * unit(list(shares.values()))
    return coordinates


def _unnamed(words: list[str]) -> FloatVector:
    """Return the coordinates of words that name no quality, or a thing; repetitions count by their square root."""
    stems = Counter(_stem(word) for word in words if word not in MEANINGS or word in THING_WORDS)
    coordinates = np.zeros(SIZE, np.float32)
    for word, count in stems.items():
        coordinates += np.float32(WORD_WEIGHT * np.sqrt(count)) * word_coordinates(word)
    return coordinates


def _stem(word: str) -> str:
    """Remove English endings, so that "dives", "dived" and "diving" are one word."""
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= MIN_STEM_LENGTH and not (ending == "s" and stem.endswith("s")):
            doubled = ending in {"ing", "ings", "ed"} and stem[-1] == stem[-2] and stem[-1] not in "lsz"
            return stem[:-1] if doubled else stem
    return word
