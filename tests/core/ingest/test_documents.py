"""Documents and images by tasks of Marengo 3.5: pairs of option and scope, pages, chunks, paid once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.sandbox.pdf import write_pdf
from twelvelabs_core import (
    DynamicSegmentation,
    IngestionError,
    InputError,
    Media,
    SequentialSegmentation,
    SpatialSegmentation,
    TaskFailedError,
)
from twelvelabs_core.models.options import DocumentOptions, ImageOptions
from twelvelabs_sandbox import Sandbox

TASKS = "/embed-v2/tasks"
SENTENCES = ["A red car.", "A blue lamp does not move.", "Loud noise!", "Green stripes move fast.", "The end."]


@pytest.fixture
def new(connect: Connect) -> Surface:
    return connect(model="marengo3.5")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "plan.pdf", [[(20, 150, "red stripes")], [(20, 40, "blue house")]])


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text(" ".join(SENTENCES), encoding="utf-8")
    return path


async def everything(iterator: Any) -> list[Any]:
    return [item async for item in iterator]


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


# Options


@pytest.mark.parametrize(
    ("kind", "given", "option", "scope", "cut"),
    [
        ("pdf", {}, "visual", "local", {"spatial": {"strategy": "standard"}}),
        ("pdf", {"embedding_option": ["text"]}, "text", "asset", None),
        ("pdf", {"embedding_option": ["text", "visual"]}, "visual text", "asset", None),
        ("pdf", {"embedding_scope": ["asset", "local"]}, "visual", "local asset",
         {"spatial": {"strategy": "standard"}}),
        ("text", {}, "text", "asset", None),
        (
            "text", {"segmentation": SequentialSegmentation(3)}, "text", "local",
            {"sequential": {"strategy": "sentence", "max_sentences": 3, "overlap_sentences": 0}},
        ),
        (None, {"embedding_option": ["visual"]}, "visual", "local", {"spatial": {"strategy": "standard"}}),
        (None, {"segmentation": {"spatial": {"strategy": "quadrants"}}}, "visual", "local",
         {"spatial": {"strategy": "quadrants"}}),
        (None, {"embedding_option": ["text"]}, "text", "asset", None),
        (
            None, {"segmentation": {"sequential": {"strategy": "sentence", "max_sentences": 2}}}, "text", "local",
            {"sequential": {"strategy": "sentence", "max_sentences": 2, "overlap_sentences": 0}},
        ),
    ],
)  # fmt: skip
def test_defaults_of_each_kind_are_sent(kind: Any, given: dict[str, Any], option: str, scope: str, cut: Any) -> None:
    wire = DocumentOptions.of(kind, **given).to_wire()
    assert (wire["embedding_option"], wire["embedding_scope"]) == (option.split(), scope.split())
    assert wire.get("segmentation") == cut


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("pdf", {"embedding_option": ["text"], "embedding_scope": ["local"]}, "'text' with embedding_scope 'local'"),
        ("pdf", {"embedding_option": ["text", "visual"], "embedding_scope": ["local", "asset"]}, "a PDF has no"),
        ("pdf", {"segmentation": SequentialSegmentation(3)}, "sequential segmentation does not apply to a PDF"),
        ("pdf", {"segmentation": SpatialSegmentation(), "embedding_scope": ["asset"]}, "needs embedding_scope 'local'"),
        ("pdf", {"embedding_uncertainty": True}, "embedding_uncertainty of documents"),
        ("text", {"embedding_option": ["visual"]}, "a text or Markdown file has no.*'visual'"),
        ("text", {"embedding_scope": ["local"]}, r"needs segmentation=SequentialSegmentation"),
        ("text", {"segmentation": SpatialSegmentation()}, "spatial segmentation does not apply to a text"),
        ("text", {"embedding_uncertainty": True}, r"embedding_scope \['local'\]"),
        ("text", {"segmentation": SequentialSegmentation(3), "embedding_scope": ["local", "asset"],
                  "embedding_uncertainty": True}, r"embedding_scope \['local'\]"),
        ("text", {"segmentation": DynamicSegmentation()}, "dynamic segmentation is for audio and video"),
        ("text", {"embedding_option": ["audio"]}, "visual, text; got 'audio'"),
        ("text", {"embedding_scope": ["clip"]}, "local, asset; got 'clip'"),
        ("text", {"embedding_type": ["fused_embedding"]}, "separate_embedding; got 'fused_embedding'"),
        ("text", {"model": "marengo3.0"}, r"model='marengo3\.5'"),
        (None, {}, r"cannot determine.*\['visual'\]"),
        (None, {"embedding_scope": ["asset"]}, "cannot determine"),
    ],
)  # fmt: skip
def test_unsupported_pair_of_option_and_scope_is_refused(kind: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DocumentOptions.of(kind, **given)


@pytest.mark.parametrize(
    ("name", "value"),
    [("embedding_option", ["text"]), ("embedding_scope", ["local"]), ("embedding_type", ["fused_embedding"])],
)
def test_image_task_has_one_visual_vector(name: str, value: list[str]) -> None:
    with pytest.raises(InputError, match=rf"{name} for image must be among"):
        ImageOptions.of(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"model='marengo3\.5'"):
        ImageOptions.of(model="marengo3.0")


@pytest.mark.parametrize(
    "make",
    [
        lambda: SpatialSegmentation("halves"),  # type: ignore[arg-type]
        lambda: SequentialSegmentation(0),
        lambda: SequentialSegmentation(2.5),  # type: ignore[arg-type]
        lambda: SequentialSegmentation(True),
        lambda: SequentialSegmentation(10**400),
        lambda: SequentialSegmentation(3, overlap_sentences=3),
        lambda: SequentialSegmentation(3, overlap_sentences=-1),
        lambda: DocumentOptions.of("pdf", segmentation={"spatial": {"strategy": "halves"}}),
        lambda: DocumentOptions.of("pdf", segmentation={"spatial": {}}),
        lambda: DocumentOptions.of("pdf", segmentation={"spatial": 1}),
        lambda: DocumentOptions.of("text", segmentation={"sequential": {"strategy": "sentence"}}),
        lambda: DocumentOptions.of("text", segmentation={"sequential": {"strategy": "words", "max_sentences": 2}}),
        lambda: DocumentOptions.of("text", segmentation={"sequential": {}, "spatial": {}}),
    ],
)
def test_invalid_segmentation_is_refused(make: Any) -> None:
    with pytest.raises(InputError, match=r"strategy|sentences|segmentation must"):
        make()


# Tasks


async def test_pages_are_paid_once_and_found_by_reference(new: Surface, plan: Path, sandbox: Sandbox) -> None:
    found = await new.segment_document(plan)
    assert [(s.position.page_start, s.embedding_option, s.embedding_scope) for s in found.segments] == [
        (1, "visual", "page"),
        (2, "visual", "page"),
    ]
    records = await new.register(found)
    assert [record.head for record in records] == ["plan.pdf | page 1 | visual", "plan.pdf | page 2 | visual"]
    assert [record.metadata["page_start"] for record in records] == [1, 2]
    vectors = await new.find_vectors([record.segment_id for record in records])
    assert np.array_equal(vectors, found.segments.vectors)
    again = await new.segment_document(plan)
    assert again.reused
    assert again.segments == found.segments
    assert paid(sandbox) == 1


async def test_quadrants_make_five_vectors_per_page(new: Surface, plan: Path) -> None:
    found = await new.segment_document(plan, segmentation=SpatialSegmentation("quadrants"))
    places = [(s.position.page_start, s.position.quadrant) for s in found.segments]
    assert len(places) == len(set(places)) == 10
    assert {quadrant for _, quadrant in places} == {None, "top_left", "top_right", "bottom_left", "bottom_right"}
    assert len({record.segment_id for record in found.records()}) == 10
    assert "plan.pdf | page 2 bottom_right | visual" in {record.head for record in found.records()}
    assert [s.index for s in found.segments.select(embedding_scope="page")] == list(range(10))


async def test_text_is_segmented_into_chunks(new: Surface, note: Path, sandbox: Sandbox) -> None:
    cut = SequentialSegmentation(2, overlap_sentences=1)
    found = await new.segment_document(note, segmentation=cut, embedding_uncertainty=True)
    assert [s.position.chunk_index for s in found.segments] == list(range(len(found.segments)))
    assert {(s.embedding_option, s.embedding_scope) for s in found.segments} == {("text", "chunk")}
    assert found.segments.uncertainty is not None
    again = await new.segment_document(note, segmentation=cut.__class__(2, 1), embedding_uncertainty=True)
    assert again.reused
    assert again.segments == found.segments
    plain = await new.segment_document(note, segmentation=cut)
    assert plain.segments.uncertainty is None
    whole = await new.segment_document(note)
    assert [(s.embedding_option, s.embedding_scope) for s in whole.segments] == [("text", "asset")]
    other = await new.segment_document(note, segmentation=SequentialSegmentation(3))
    assert not {r.segment_id for r in other.records()} & {r.segment_id for r in found.records()}
    assert paid(sandbox) == 4
    assert sandbox.count("POST", "/assets") == 1


async def test_image_task_is_paid_once(connect: Connect, picture: Path, sandbox: Sandbox) -> None:
    client = connect(model="marengo3.5", embedding_dimension=128)
    found = await client.segment_image(picture)
    assert [(s.embedding_option, s.embedding_scope) for s in found.segments] == [("visual", "asset")]
    assert found.segments.vectors.shape == (1, 128)
    assert found.space == "sandbox/marengo3.5/128"
    assert (await client.segment_image(picture)).reused
    assert not (await connect(model="marengo3.5").segment_image(picture)).reused
    assert paid(sandbox) == 2


async def test_segment_many_accepts_pdf_and_text_documents(
    new: Surface, plan: Path, note: Path, sandbox: Sandbox
) -> None:
    found = await everything(new.segment_many([plan, note], input_type="document"))
    assert {one.title: [s.embedding_scope for s in one.segments] for one in found} == {
        "plan.pdf": ["page", "page"],
        "note.md": ["asset"],
    }
    pictures = await everything(new.segment_many([plan], input_type="document", embedding_scope=["asset"]))
    assert [s.embedding_scope for s in pictures[0].segments] == ["asset"]
    assert paid(sandbox) == 3


PAPERS = ["document", "image"]
CHUNKS, QUARTERS = SequentialSegmentation(2), SpatialSegmentation("quadrants")


@pytest.mark.parametrize(
    ("cuts", "pages", "chunks"), [(None, 2, 0), (CHUNKS, 2, 3), (QUARTERS, 10, 0), ([QUARTERS, CHUNKS], 10, 3)]
)
async def test_files_of_several_kinds_are_embedded_in_one_call(  # noqa: PLR0917  # four fixtures, three parameters
    new: Surface, plan: Path, note: Path, picture: Path, cuts: Any, pages: int, chunks: int
) -> None:
    """The kind of each file is detected by its name or first bytes, and decides its segmentation."""
    media = [plan, note, picture, Media.of(content(picture), source="bytes")]
    found = await everything(new.segment_many(media, input_type=PAPERS, segmentation=cuts))
    assert {one.source.rpartition("/")[2]: [s.embedding_scope for s in one.segments] for one in found} == {
        "plan.pdf": ["page"] * pages,
        "note.md": ["chunk"] * chunks or ["asset"],
        "picture.jpg": ["asset"],
        "bytes": ["asset"],
    }
    # The same work as of each alone.
    alone = await new.segment_document(note, segmentation=CHUNKS if chunks else None)
    assert alone.reused
    assert (await new.segment_image(picture)).reused


async def test_unnamed_bytes_are_uploaded_under_a_name_with_their_suffix(new: Surface, plan: Path) -> None:
    for data, ending in ((content(plan), ".pdf"), (b"A red car. A blue house.", ".txt")):
        found = await new.segment_document(data)
        assert len(found.segments) == (2 if ending == ".pdf" else 1)
        assets = await everything(new.assets.list(filename=found.title))
        assert assets
        assert all(str(asset.filename).startswith(found.title) for asset in assets)
        assert all(str(asset.filename).endswith(ending) for asset in assets)


async def test_file_of_another_kind_is_reported_and_others_are_embedded(
    new: Surface, plan: Path, video_path: Path, sandbox: Sandbox
) -> None:
    with pytest.raises(IngestionError) as caught:
        await everything(new.segment_many([plan, video_path, "asset:64f8d2c7e4a1b37f8a9c5d12"], input_type=PAPERS))
    reasons = {failure.source: failure.reason for failure in caught.value.failures}
    assert reasons.keys() == {str(video_path), "asset:64f8d2c7e4a1b37f8a9c5d12"}
    assert "its media type is video; input_type must be one of document, image" in reasons[str(video_path)]
    assert "cannot determine" in reasons["asset:64f8d2c7e4a1b37f8a9c5d12"]
    assert paid(sandbox) == 1


async def test_segmentations_for_no_given_file_are_refused(new: Surface, note: Path, sandbox: Sandbox) -> None:
    for options, message in (
        ({"segmentation": [DynamicSegmentation()]}, "dynamic segmentation does not apply to input_type document"),
        ({"segmentation": [CHUNKS, SequentialSegmentation(3)]}, "segmentation has 2 entries for text"),
        (
            {"input_type": "image", "segmentation": [CHUNKS]},
            "sequential segmentation does not apply to",
        ),
        ({"input_type": []}, "input_type is empty"),
        ({"embedding_scope": ["local"]}, "embedding_scope for image must be among asset"),
        ({"start_sec": 1.0}, "start_sec is for audio and video"),
    ):
        with pytest.raises(InputError, match=message):
            await everything(new.segment_many([note], **{"input_type": PAPERS, **options}))
    with pytest.raises(InputError, match="spatial segmentation does not apply to a text"):
        await everything(new.segment_many([note], input_type="document", segmentation=QUARTERS))
    assert sandbox.count() == 0


async def test_document_and_image_tasks_can_be_created_without_waiting(new: Surface, plan: Path, picture: Path) -> None:
    for made in (await new.tasks.create_document(plan), await new.tasks.create_image(picture)):
        task = await new.tasks.wait(made.id)
        assert len(task.segments)
        assert task.usage is not None


async def test_pdf_with_too_many_pages_fails_with_the_servers_message(new: Surface, tmp_path: Path) -> None:
    thick = write_pdf(tmp_path / "thick.pdf", [[(20, 20, f"page {number}")] for number in range(70)])
    with pytest.raises(TaskFailedError, match="70 pages"):
        await new.segment_document(thick)


# Refused before anything is sent


async def test_non_documents_are_refused(new: Surface, tmp_path: Path, picture: Path, sandbox: Sandbox) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    (tmp_path / "b.txt").write_bytes(b" \n\t")
    (tmp_path / "c.md").touch()
    cases: dict[Any, str] = {
        tmp_path / "a.docx": r"PDF \(\.pdf\), text \(\.txt\) or Markdown \(\.md\); this is \.docx",
        tmp_path / "b.txt": "contains no text",
        tmp_path / "c.md": "empty",
        tmp_path / "missing.pdf": "no such file",
        content(picture): "is image, not a document",
        "asset:64f8d2c7e4a1b37f8a9c5d12": "cannot determine",
    }
    for document, message in cases.items():
        with pytest.raises(InputError, match=message):
            await new.segment_document(document)
    assert sandbox.count() == 0


async def test_times_and_segmentations_are_refused_for_documents_and_images(
    new: Surface, note: Path, sandbox: Sandbox
) -> None:
    for options, message in (
        ({"start_sec": 1.0}, "start_sec is for audio and video"),
        ({"time_based_metadata": []}, "time_based_metadata is for audio and video"),
        ({"input_type": "image", "segmentation": SpatialSegmentation()}, "segmentation does not apply to images"),
        ({"input_type": "text"}, "audio, video, document or image, got 'text'"),
    ):
        with pytest.raises(InputError, match=message):
            await everything(new.segment_many([note], **{"input_type": "document", **options}))
    assert sandbox.count() == 0


async def test_documents_are_refused_by_marengo30(client: Surface, plan: Path, picture: Path, sandbox: Sandbox) -> None:
    calls: list[Any] = [
        lambda: client.segment_document(plan),
        lambda: client.tasks.create_document(plan),
        lambda: client.segment_image(picture),
        lambda: client.tasks.create_image(picture),
        lambda: everything(client.segment_many([plan], input_type="document")),
    ]
    for call in calls:
        with pytest.raises(InputError, match=r"got '(document|image)' \(needs model='marengo3\.5'\)"):
            await call()
    assert sandbox.count() == 0
