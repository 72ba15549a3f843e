"""Reads the parts of request bodies common to both models: sources, windows, segmentation, placeholders."""

import re
from collections.abc import Collection

from twelvelabs_sandbox.engine.types import Segmentation
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.requests.fields import Fields
from twelvelabs_sandbox.requests.types import MediaSource, SourceKind

SOURCE_KINDS: tuple[SourceKind, ...] = ("url", "base64_string", "asset_id")
MAX_SOURCES = 10
PLACEHOLDER = re.compile(r"<@([^>]+)>")


def refuse(fields: Fields, names: Collection[str], model: str) -> None:
    """Raise ApiError 400 for fields that a model does not support."""
    for name in names:
        if name in fields:
            raise invalid(f"The {fields.name(name)} parameter is not supported by {model}.")


def refuse_others(fields: Fields, kind: str, inputs: Collection[str]) -> None:
    """Raise ApiError 400 for the objects of other input types."""
    for other in inputs:
        if other != kind and other in fields:
            raise invalid(f"The {other} parameter does not belong to input_type `{kind}`.")


def media_source(fields: Fields) -> MediaSource:
    """Read a required ``media_source``."""
    return one_source(fields.inner("media_source", SOURCE_KINDS))


def one_source(source: Fields) -> MediaSource:
    """Read an object that has exactly one of ``url``, ``base64_string`` and ``asset_id``."""
    given = [kind for kind in SOURCE_KINDS if kind in source]
    if len(given) != 1:
        names = ", ".join(source.name(kind) for kind in SOURCE_KINDS)
        raise invalid(f"Exactly one of {names} is required; given: {', '.join(given) or 'none'}.")
    return MediaSource(given[0], source.text(given[0]))


def window(media: Fields) -> tuple[float, float | None]:
    """Read ``start_sec`` and ``end_sec``."""
    start = media.seconds("start_sec") if "start_sec" in media else 0.0
    end = media.seconds("end_sec") if "end_sec" in media else None
    if end is not None and end <= start:
        raise invalid(f"The {media.name('end_sec')} parameter must be greater than start_sec: {end:g} <= {start:g}.")
    return start, end


def read_segmentation(segmentation: Fields, strategies: Collection[str]) -> Segmentation:
    """Read ``strategy`` and the object of this strategy."""
    strategy = segmentation.choice("strategy", strategies)
    other = "dynamic" if strategy == "fixed" else "fixed"
    if other in segmentation:
        raise invalid(f"The {segmentation.name(other)} parameter does not belong to strategy `{strategy}`.")
    if strategy == "fixed":
        return Segmentation(fixed_sec=segmentation.inner("fixed", ("duration_sec",)).integer("duration_sec", 2, 10))
    return Segmentation(min_sec=segmentation.inner("dynamic", ("min_duration_sec",)).integer("min_duration_sec", 2, 5))


def resolved_text(text: str, names: Collection[str]) -> str | None:
    """Return a text without its placeholders, or None if nothing remains.

    Raises:
        ApiError: 400 for a placeholder that names no source.
    """
    for name in PLACEHOLDER.findall(text):
        if name not in names:
            raise invalid(f"The placeholder <@{name[:100]}> in input_text does not match an item of media_sources.")
    return PLACEHOLDER.sub(" ", text).strip() or None
