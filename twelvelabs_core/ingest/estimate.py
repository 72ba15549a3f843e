"""The plan of an ingestion: what a run would do and pay for, for each source and in total."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from twelvelabs_core.base.html import html_table
from twelvelabs_core.media.validate import AUDIO_OPTIONS
from twelvelabs_core.models.marengo import ASSET, CLIP, FUSED, SEPARATE
from twelvelabs_core.models.options import DocumentOptions, SegmentOptions, TaskOptions
from twelvelabs_core.models.segmentation import FixedSegmentation

PlanStatus = Literal["new", "stored", "under way", "repeated", "unusable"]
Range = tuple[int, int]

_ROUNDING_SEC = 1.0  # by which containers round a duration
_COLUMNS = ("source", "status", "minutes", "vectors", "upload MB", "reason")


@dataclass(frozen=True, slots=True)
class PlannedMedia:
    """What a run would do with one source.

    Attributes:
        source: The name of the media.
        status: `new` (a task would be created), `stored` (paid for), `under way` (a task was created or is being
            created, and would be waited for), `repeated` (another source of the plan has the same content), or
            `unusable`.
        reason: Why it is unusable; of a repeated one, the other source; of a new one at a URL that was read, what is
            wrong with it, which does not stop a run: the API decides. Else "".
        duration_sec: Length of the media in seconds; None where it is unknown or does not apply.
        minutes: Minutes of media that would be paid for: 0.0 unless `new`; None where the length is unknown.
        vectors: Least and most segments that the run would return; None where it is unknown.
        upload_bytes: Bytes that would be uploaded.
        requests: Uploads and tasks that would be created. Chunks of large files and polling are not counted.

    Example:
        ```python
        for media in client.plan(paths).unusable:
            print(media.source, media.reason)
        ```
    """

    source: str
    status: PlanStatus
    reason: str = ""
    duration_sec: float | None = None
    minutes: float | None = 0.0
    vectors: Range | None = (0, 0)
    upload_bytes: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class IngestionPlan:
    """What a run would do and pay for. `print(plan)` writes a table; notebooks show one.

    Attributes:
        media: A `PlannedMedia` for each source, in their order.
        price_per_minute: The caller's price of a minute, or None.
        limit_minutes: Minutes of media that the API still accepts in its current period (hour or day), as its last
            answer in this process said; None where none did.

    Example:
        ```python
        plan = client.plan(sorted(Path("videos").glob("*.mp4")), price_per_minute=0.03)
        print(plan)
        if plan.price is not None and plan.price < 5:
            videos = list(client.segment_many(paths))
        ```
    """

    media: tuple[PlannedMedia, ...]
    price_per_minute: float | None = None
    limit_minutes: float | None = None

    @property
    def new(self) -> tuple[PlannedMedia, ...]:
        """The media for which tasks would be created."""
        return self._with("new")

    @property
    def stored(self) -> tuple[PlannedMedia, ...]:
        """The media that are paid for."""
        return self._with("stored")

    @property
    def unusable(self) -> tuple[PlannedMedia, ...]:
        """The media that cannot be used, each with its reason."""
        return self._with("unusable")

    @property
    def unknown(self) -> tuple[PlannedMedia, ...]:
        """The media whose minutes are unknown; they are missing in the totals, and refused under a budget."""
        return tuple(one for one in self.media if one.minutes is None)

    @property
    def minutes(self) -> float:
        """Minutes of media that would be paid for, without those of `unknown`."""
        return sum(one.minutes or 0.0 for one in self.media)

    @property
    def price(self) -> float | None:
        """The price of `minutes`; None without `price_per_minute`."""
        return None if self.price_per_minute is None else self.minutes * self.price_per_minute

    @property
    def vectors(self) -> Range | None:
        """Least and most segments that the run would return; None where this is unknown for some media."""
        known = [one.vectors for one in self.media if one.vectors is not None]
        return None if len(known) < len(self.media) else (sum(low for low, _ in known), sum(high for _, high in known))

    @property
    def upload_bytes(self) -> int:
        """Bytes that would be uploaded."""
        return sum(one.upload_bytes for one in self.media)

    @property
    def requests(self) -> int:
        """Uploads and tasks that would be created."""
        return sum(one.requests for one in self.media)

    def summary(self) -> str:
        """Return the totals in one line."""
        counts = Counter(one.status for one in self.media)
        parts = [f"{len(self.media)} sources", *(f"{count} {status}" for status, count in counts.items())]
        parts.append(f"{self.minutes:.2f} minutes to pay for")
        if self.unknown:
            parts.append(f"{len(self.unknown)} of unknown length")
        if self.price is not None:
            parts.append(f"price {self.price:.2f}")
        parts += [f"{_range(self.vectors)} vectors", f"{self.upload_bytes / 1e6:.1f} MB to upload"]
        parts.append(f"{self.requests} requests")
        if self.limit_minutes is not None:
            parts.append(f"the API accepts {self.limit_minutes:.1f} more minutes now")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"<IngestionPlan: {self.summary()}>"

    def __str__(self) -> str:
        rows = [_COLUMNS, *self._rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, self.summary()])

    def _repr_html_(self) -> str:
        return html_table(_COLUMNS, self._rows(), self.summary())

    def _rows(self) -> Iterable[tuple[str, ...]]:
        for one in self.media:
            is_used = one.status != "unusable"
            minutes = "unknown" if one.minutes is None else f"{one.minutes:.2f}"
            size = f"{one.upload_bytes / 1e6:.1f}"
            numbers = (minutes, _range(one.vectors), size) if is_used else ("", "", "")
            reason = one.reason.removeprefix(f"{one.source}: ")  # the name is in the first column
            yield (_printable(one.source), one.status, *numbers, _printable(reason))

    def _with(self, status: PlanStatus) -> tuple[PlannedMedia, ...]:
        return tuple(one for one in self.media if one.status == status)


def vectors_expected(options: TaskOptions, seconds: float | None, *, has_audio: bool = True) -> Range | None:
    """Return the least and the most segments that a request returns; None where this is unknown.

    Only the audio and the words of a video may have no vector, since it may be silent.

    Args:
        options: What is requested.
        seconds: Length of the embedded part in seconds, if known.
        has_audio: False where the media have no audio track.
    """
    if isinstance(options, DocumentOptions):
        return (1, len(options.embedding_option)) if set(options.embedding_scope) == {ASSET} else None
    if not isinstance(options, SegmentOptions):
        return (1, 1)
    if seconds is None:
        return None
    low, high = _clips(options, seconds) if CLIP in options.embedding_scope else (0, 0)
    if ASSET in options.embedding_scope:
        low, high = low + 1, high + 1
    chosen = options.embedding_option if SEPARATE in options.embedding_type else ()
    possible = [option for option in chosen if has_audio or option not in AUDIO_OPTIONS]
    certain = [option for option in possible if option not in AUDIO_OPTIONS]
    return low * len(certain), high * (len(possible) + (FUSED in options.embedding_type))


def _clips(options: SegmentOptions, seconds: float) -> Range:
    """Return the least and the most clips of a part of this length."""
    if isinstance(options.segmentation, FixedSegmentation):
        each = options.segmentation.duration_sec
        low = math.floor((seconds - _ROUNDING_SEC) / each)
    else:  # as many as there are scenes, each at least this long
        each, low = options.segmentation.min_duration_sec, 1
    return max(1, low), max(1, math.ceil((seconds + _ROUNDING_SEC) / each))


def _range(vectors: Range | None) -> str:
    if vectors is None:
        return "unknown"
    return str(vectors[0]) if vectors[0] == vectors[1] else f"{vectors[0]}-{vectors[1]}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
