"""Head and reference: what a text claims to be, and which segment it agrees with."""

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core import (
    SegmentedMedia,
    SegmentPosition,
    SegmentRecord,
    Segments,
    parse_reference,
    readable_text,
    strip_reference,
)
from twelvelabs_core.results.records import readable_head_of
from twelvelabs_core.results.references import clock, head_title, read_claim

IDENTITY = "0b9a7c5e-1c2d-5e3f-8a9b-0123456789ab"
OTHER = "1b9a7c5e-1c2d-5e3f-8a9b-0123456789ab"
HEAD = "match.mp4 | 0:12.5-0:18.0 | visual"
REFERENCE = f"tl-segment:{IDENTITY}"
WHOLE = f"{HEAD}\nGoalkeeper dives\n{REFERENCE}"

times = st.floats(0, 15_000)
options = st.sampled_from(["visual", "audio", "transcription", "fused", "text", "", "visual-text", "option_2"])
plain_words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n")).filter(
    lambda text: "tl-segment" not in text
)


def record(title: str, start: float, end: float, option: str, scope: str) -> SegmentRecord:
    segments = Segments(np.ones((1, 4), np.float32), [SegmentPosition(start, end, option, scope)])
    media = SegmentedMedia(
        source="s", title=title, model="marengo3.0", space="marengo3.0/512", content="sha256:a", duration_sec=end,
        segments=segments, task_id=None, reused=False, attempts=1, task_key="k",
        options={"embedding_option": ["audio", "visual"]},
    )  # fmt: skip
    return media.records()[0]


def believed(text: str, one: SegmentRecord) -> bool:
    """Whether a text is believed where the segment store knows this segment alone."""
    claim = read_claim(text)
    titles = {head_title(str(one.metadata["title"]))}
    return claim is not None and claim.segment_id == one.segment_id and claim.agrees(position_of(one), titles)


def position_of(one: SegmentRecord) -> SegmentPosition:
    values = one.metadata
    return SegmentPosition(
        float(values["start_sec"]),
        float(values["end_sec"]),
        str(values["embedding_option"]),
        str(values["embedding_scope"]),
    )


@given(st.text(), st.tuples(times, times), options, st.sampled_from(["clip", "asset", ""]), plain_words)
def test_text_of_a_segment_refers_to_it(
    title: str, window: tuple[float, float], option: str, scope: str, body: str
) -> None:
    one = record(title, window[0], window[0] + window[1], option, scope)
    for given_body in ("", body, f"{body}\n{body}"):
        text = one.text(with_reference=True, body=given_body)
        assert parse_reference(text) == one.segment_id
        assert believed(text, one)
        assert strip_reference(text) + "\n" + one.reference == text
        shown = one.text(with_reference=False, body=given_body)
        assert readable_text(text) == shown
        assert parse_reference(shown) is None
        assert believed(f"segment_id: {one.segment_id}\n\n{shown}", one)
    assert "\n" not in one.head
    assert readable_head_of(one.metadata) == one.text(with_reference=False, body="")


def test_title_that_contains_a_reference_or_head_is_accepted() -> None:
    for title in (REFERENCE, f"about {REFERENCE.upper()} and {REFERENCE}", HEAD, "a | 0:12.5-0:18.0 | visual | b"):
        one = record(title, 0, 6, "visual", "clip")
        assert believed(one.text(with_reference=True), one)
        assert "0:00.0-0:06.0, visual" in readable_text(one.text(with_reference=True))


def test_another_title_or_position_is_not_believed() -> None:
    one = record("match.mp4", 12.5, 18, "visual", "clip")
    for head in (
        "rematch.mp4 | 0:12.5-0:18.0 | visual",
        "match.mp4 | 0:12.5-0:18.1 | visual",
        "match.mp4 | 0:12.5-0:18.0 | visual-text",
        "match.mp4 | 0:12.5-0:18.0 | audio",
        "match.mp4",
        "",
    ):
        assert not believed(f"{head}\n{one.reference}", one), head
        claim = read_claim(f"{head}\n{one.reference}")
        assert claim is not None
        # No title is known of a source that an earlier version registered.
        assert claim.agrees(position_of(one), ()) == head.startswith("rematch")


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"{HEAD}\n{REFERENCE}",
        f"{HEAD}\n\nspeech\n\n{REFERENCE}\n",
        WHOLE.replace("\n", "\r\n"),
        f"  {HEAD}  \n\t{REFERENCE} ",
        f"Instruct: find the passage\n{WHOLE}\nmore",
        f"source: x\nstart_sec: 2.0\n\n{WHOLE}",
        WHOLE.replace("\n", " "),
        WHOLE.lower(),
        WHOLE.upper(),
    ],
)
def test_text_added_around_is_accepted(text: str) -> None:
    assert parse_reference(text) == IDENTITY
    claim = read_claim(text)
    assert claim is not None
    assert claim.agrees(SegmentPosition(12.5, 18.0, "visual", "clip"), {"match.mp4"})
    assert REFERENCE not in strip_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red car",
        "a | b | c",
        "The score at 0:12.5-0:18.0 was 1:0 | visual aids helped",
        "match.mp4 | visual",
        "| name | time | option |\n|---|---|---|\n| a | 0:12 | b |",
        "see tl-segment documents for more",
        f"The answer is in\n{HEAD}\nat its beginning.",
        f"Found:\n\n{HEAD}",
        "match.mp4, 0:12.5-0:18.0, visual",
        "The prefix is tl-segment: and an id stands behind it.",
        'see tl-segment:<uuid>, or tl-segment:"..." where it was cut',
        "of segment:0b9a7c5e we know nothing",
        "segment: 12345678 of the market, segment:12345678901",
        "see tl-segment:a",
        "tl-segment:",
        f"{WHOLE}\n{WHOLE}".replace(IDENTITY, OTHER, 1),
        IDENTITY,
    ],
)
def test_ordinary_text_is_not_a_reference(text: str) -> None:
    assert read_claim(text) is None
    assert parse_reference(text) is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert parse_reference(text) is None
    assert strip_reference(text) == readable_text(text) == text


def test_joined_text_is_readable() -> None:
    assert readable_text(WHOLE.replace("\n", " ")) == "match.mp4, 0:12.5-0:18.0, visual Goalkeeper dives"
    assert readable_text(WHOLE) == "match.mp4, 0:12.5-0:18.0, visual\nGoalkeeper dives"


def test_a_very_long_text_is_read_quickly() -> None:
    pieces = ("a | ", " ", "\t\n", "a | 0:00.0-", "tl-segment: of ", "| 0:12.5-0:18.0 | ", "a: b\n", "0b9a7c5e-", "9")
    for text in pieces:
        assert parse_reference(text * 50_000) is None
        assert strip_reference(text * 50_000) == readable_text(text * 50_000) == text * 50_000


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00.0"),
        (12.5, "0:12.5"),
        (59.96, "1:00.0"),
        (599.96, "10:00.0"),
        (3599.96, "1:00:00.0"),
        (14e3, "3:53:20.0"),
    ],
)
def test_times_are_formatted_as_clock_times(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_the_texts_of_one_clip_differ_by_option_and_scope() -> None:
    options = ("visual", "audio", "fused")
    heads = {record("a", 0, 6, option, scope).head for option in options for scope in ("clip", "asset")}
    assert len(heads) == 6


def test_ids_are_uuids() -> None:
    assert uuid.UUID(record("a", 0, 6, "visual", "clip").segment_id).version == 5
