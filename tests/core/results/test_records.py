"""Segments as records: permanent ids, metadata of plain types."""

import json

import numpy as np
import pytest

from twelvelabs_core import SegmentedMedia, SegmentPosition, Segments, parse_reference

POSITIONS = [
    SegmentPosition(0.0, 6.0, "visual", "clip"),
    SegmentPosition(0.0, 6.0, "audio", "clip"),
    SegmentPosition(0.0, 6.0, "fused", "clip"),
    SegmentPosition(6.0, 11.5, "visual", "clip"),
    SegmentPosition(0.0, 11.5, "visual", "asset"),
]


def segmented_media(**changes: object) -> SegmentedMedia:
    values: dict[str, object] = {
        "source": "films/a.mp4",
        "title": "a.mp4",
        "model": "marengo3.0",
        "space": "marengo3.0/512",
        "content": "sha256:ab",
        "duration_sec": 11.5,
        "segments": Segments(np.arange(20, dtype=np.float32).reshape(5, 4), POSITIONS),
        "task_id": "64f8d2c7e4a1b37f8a9c5d12",
        "reused": False,
        "attempts": 1,
        "task_key": "k",
        "options": {"embedding_option": ["audio", "visual"]},
    }
    return SegmentedMedia(**(values | changes))  # type: ignore[arg-type]


def ids(media: SegmentedMedia, namespace: str | None = None) -> list[str]:
    return [record.segment_id for record in media.records(namespace)]


def test_media_are_shown_in_one_line_and_as_a_table() -> None:
    shown = "'films/a.mp4': 5 vectors of 4, until 11.5 s, marengo3.0/512, new"
    assert repr(segmented_media()) == f"<SegmentedMedia {shown}>"
    html = segmented_media(source="<a>.mp4", reused=True)._repr_html_()
    assert "&#x27;&lt;a&gt;.mp4&#x27;: 5 vectors of 4, until 11.5 s, marengo3.0/512, reused" in html
    assert html.count("<tr>") == 6


def test_segment_ids_are_stable() -> None:
    """If this test fails, repeated ingestion duplicates the segments of every existing vector store."""
    assert ids(segmented_media()) == [
        "39548b30-3416-5ffe-9a9a-28085dd19ea9",
        "d23750fc-d3c2-504a-94ac-bba754fe4405",
        "874bf0d6-e8ac-5fd2-a1cc-462296bc9a48",
        "f5cc0c20-d720-52b4-a0ca-9eda040ee484",
        "14814753-d870-5a63-8ec6-25d28764aa2a",
    ]


def test_every_segment_has_another_id() -> None:
    assert len(set(ids(segmented_media()))) == len(POSITIONS)


@pytest.mark.parametrize(
    "change",
    [{"space": "sandbox/marengo3.0/512"}, {"source": "b.mp4"}, {"content": "sha256:cd"}],
)
def test_space_source_and_content_change_every_id(change: dict[str, object]) -> None:
    assert not set(ids(segmented_media())) & set(ids(segmented_media(**change)))


@pytest.mark.parametrize("change", [{"title": "b"}, {"task_id": "x"}, {"reused": True}, {"task_key": "x"}])
def test_nothing_else_changes_an_id(change: dict[str, object]) -> None:
    assert ids(segmented_media(**change)) == ids(segmented_media())


def test_only_ids_of_fused_vectors_depend_on_the_fused_options() -> None:
    three = segmented_media(options={"embedding_option": ["audio", "transcription", "visual"]})
    changed = [one != other for one, other in zip(ids(segmented_media()), ids(three), strict=True)]
    assert changed == [position.embedding_option == "fused" for position in segmented_media().segments.positions]


def test_a_namespace_makes_other_ids_and_the_same_ones_each_time() -> None:
    assert not set(ids(segmented_media())) & set(ids(segmented_media(), "tenant"))
    assert ids(segmented_media(), "tenant") == ids(segmented_media(), "tenant")
    assert not set(ids(segmented_media(), "tenant")) & set(ids(segmented_media(), "other"))


def test_source_cannot_collide_with_another_field() -> None:
    one = segmented_media(source='a","sha256:x', content="y")
    other = segmented_media(source="a", content='sha256:x","y')
    assert not set(ids(one)) & set(ids(other))


def test_times_that_differ_by_less_than_a_millisecond_have_the_same_id() -> None:
    moved = [position._replace(start_sec=position.start_sec + 0.0002) for position in POSITIONS]
    shifted = segmented_media(segments=Segments(segmented_media().segments.vectors, moved))
    assert set(ids(shifted)) == set(ids(segmented_media()))


def test_metadata_are_flat_plain_and_complete() -> None:
    for record in segmented_media().records():
        assert list(record.metadata) == [
            "segment_id", "source", "title", "start_sec", "end_sec", "duration_sec", "segment_index",
            "embedding_option", "embedding_scope", "model", "space", "page_start", "page_end", "quadrant",
            "chunk_index",
        ]  # fmt: skip
        assert {type(value) for value in record.metadata.values()} == {str, float, int}
        assert json.loads(json.dumps(record.metadata)) == record.metadata
        assert record.metadata["segment_id"] == record.segment_id


def test_the_index_counts_time_ranges_and_the_options_of_one_share_it() -> None:
    found = [
        (record.metadata["embedding_scope"], record.metadata["segment_index"], record.metadata["embedding_option"])
        for record in segmented_media().records()
    ]
    assert found == [
        ("clip", 0, "visual"), ("clip", 0, "audio"), ("clip", 0, "fused"), ("clip", 1, "visual"),
        ("asset", 0, "visual"),
    ]  # fmt: skip


def test_each_record_has_the_vector_of_its_segment() -> None:
    media = segmented_media()
    for record, segment in zip(media.records(), media.segments, strict=True):
        assert np.array_equal(record.vector, segment.vector)
        assert record.metadata["start_sec"] == segment.start_sec


# Documents


PAGES = [
    SegmentPosition(0.0, 0.0, "visual", "page", 1, 1),
    SegmentPosition(0.0, 0.0, "visual", "page", 1, 1, "top_left"),
    SegmentPosition(0.0, 0.0, "visual", "page", 2, 2),
    SegmentPosition(0.0, 0.0, "visual", "asset"),
]
CHUNKS = [SegmentPosition(0.0, 0.0, "text", "chunk", chunk_index=index) for index in range(3)]
SENTENCES = {"sequential": {"strategy": "sentence", "max_sentences": 8, "overlap_sentences": 2}}


def document(positions: list[SegmentPosition], **options: object) -> SegmentedMedia:
    rows = Segments(np.arange(4 * len(positions), dtype=np.float32).reshape(-1, 4), positions)
    return segmented_media(
        title="plan.pdf", segments=rows, duration_sec=0.0, model="marengo3.5", space="marengo3.5/512",
        options={"input_type": "document", "embedding_option": ["visual"], **options},
    )  # fmt: skip


def test_pages_and_chunks_have_page_and_chunk_numbers_instead_of_times() -> None:
    found = [(record.head, list(record.metadata.values())[-4:]) for record in document(PAGES).records()]
    assert found == [
        ("plan.pdf | page 1 | visual", [1, 1, "", -1]),
        ("plan.pdf | page 1 top_left | visual", [1, 1, "top_left", -1]),
        ("plan.pdf | page 2 | visual", [2, 2, "", -1]),
        ("plan.pdf | whole | visual asset", [0, 0, "", -1]),
    ]
    record = document(CHUNKS, segmentation=SENTENCES).records()[2]
    assert record.head == "plan.pdf | chunk 2 | text"
    assert (record.metadata["chunk_index"], record.metadata["start_sec"], record.metadata["end_sec"]) == (2, 0.0, 0.0)
    assert {type(value) for value in record.metadata.values()} == {str, float, int}


@pytest.mark.parametrize("positions", [PAGES, CHUNKS])
def test_every_page_and_chunk_has_an_id_and_a_reference_that_is_read_back(positions: list[SegmentPosition]) -> None:
    records = document(positions, segmentation=SENTENCES).records()
    assert len({record.segment_id for record in records}) == len(positions)
    for record in records:
        assert parse_reference(record.text(with_reference=True)) == record.segment_id


def test_ids_of_documents_never_change() -> None:
    assert [
        document(PAGES).records()[0].segment_id,
        document(CHUNKS, segmentation=SENTENCES).records()[0].segment_id,
    ] == [
        "cd8ac059-8190-5f71-b463-6ca27caef6f3",
        "1d87f14d-d066-5f28-ba6f-ff4dfa0a4d9d",
    ]


def test_segmentation_changes_the_ids_of_chunks_and_not_of_pages() -> None:
    other = {"sequential": {**SENTENCES["sequential"], "max_sentences": 9}}
    assert not set(ids(document(CHUNKS, segmentation=SENTENCES))) & set(ids(document(CHUNKS, segmentation=other)))
    quadrants = {"spatial": {"strategy": "quadrants"}}
    assert ids(document(PAGES)) == ids(document(PAGES, segmentation=quadrants))


def test_time_based_metadata_change_only_the_fused_ids() -> None:
    described = [
        segmented_media(options={"embedding_option": ["audio", "visual"], "time_based_metadata": [{"text": text}]})
        for text in ("kick-off", "goal")
    ]
    for one, other in ((described[0], described[1]), (described[0], segmented_media())):
        changed = [mine != yours for mine, yours in zip(ids(one), ids(other), strict=True)]
        assert changed == [position.embedding_option == "fused" for position in segmented_media().segments.positions]
