"""`ingest_videos` and `replace_video`: one video at a time; old segments are deleted after the new ones are stored."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import MockEmbedding, SummaryIndex, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    aingest_videos,
    areplace_video,
    ingest_videos,
    replace_video,
)
from tests.adapters import slow_async_mode
from tests.llama_index.fixtures import paid, tasks
from tests.llama_index.videos import (
    STRATEGIES,
    change,
    documents,
    folder,
    pipeline_of,
    segmenter,
    served,
    stored,
    stored_of,
    text_document,
)
from twelvelabs_core import (
    AuthenticationError,
    ConfigurationError,
    Failure,
    IngestionError,
    InputError,
    TaskFailedError,
)
from twelvelabs_sandbox import Fault, Sandbox

__all__ = ["folder", "segmenter"]

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
TARGETS = ["index", *STRATEGIES]
each_target = pytest.mark.parametrize("target", TARGETS)


def make(target: str, segmenter: TwelveLabsVideoSegmenter) -> Any:
    """Return an index, or a pipeline of that strategy; with a text in it that is to stay."""
    if target == "index":
        index = VectorStoreIndex([], embed_model=segmenter.embed_model)
        index.insert(text_document())
        return index
    pipeline = pipeline_of(segmenter, target)
    pipeline.run(documents=[text_document()])
    return pipeline


async def ingest(mode: str, target: Any, sources: Any, segmenter: TwelveLabsVideoSegmenter, **how: Any) -> Any:
    own = None if isinstance(target, IngestionPipeline) else segmenter
    if mode == "async":
        return await aingest_videos(target, sources, segmenter=own, **how)
    return ingest_videos(target, sources, segmenter=own, **how)


@slow_async_mode
@each_target
async def test_report_lists_stored_and_unchanged_videos(
    mode: str, target: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    video_paths = [folder / "red.mkv", folder / "blue.mkv"]
    place = make(target, segmenter)
    report = await ingest(mode, place, video_paths, segmenter)
    assert sorted(report.stored) == sorted(map(str, video_paths))
    assert report.unchanged == ()
    assert len(stored(place)) == 5

    sandbox.clear_requests()
    report = await ingest(mode, place, video_paths, segmenter)
    assert (report.stored, sorted(report.unchanged)) == ((), sorted(map(str, video_paths)))
    assert sandbox.count() == 0

    before = stored(place)
    change(video_paths[0])
    report = await ingest(mode, place, video_paths, segmenter)
    assert (report.stored, report.unchanged) == ((str(video_paths[0]),), (str(video_paths[1]),))
    assert (tasks(sandbox), paid(sandbox)) == (1, 1)
    red, blue = documents(segmenter, *video_paths)
    assert len(stored(place)) == 5
    assert stored_of(place, red).isdisjoint(before)
    assert stored_of(place, blue) < set(before)
    assert len(stored_of(place, text_document())) == 1


@slow_async_mode
@each_target
async def test_failed_video_keeps_its_old_nodes_and_is_retried(
    mode: str, target: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    video_paths = [folder / "red.mkv", folder / "blue.mkv"]
    place = make(target, segmenter)
    await ingest(mode, place, video_paths, segmenter)
    red, blue = documents(segmenter, *video_paths)
    old = stored_of(place, red)
    before = stored(place)

    change(video_paths[0])
    fail_next_task(sandbox)
    with pytest.raises(IngestionError, match="2 of 3 sources failed") as caught:
        await ingest(mode, place, [*video_paths, folder / "missing.mkv"], segmenter)
    failures = {failure.source: failure for failure in caught.value.failures}
    assert failures.keys() == {str(video_paths[0]), str(folder / "missing.mkv")}
    assert failures[str(video_paths[0])].task_id
    assert "no such file" in failures[str(folder / "missing.mkv")].reason
    assert caught.value.succeeded == (str(video_paths[1]),)
    assert stored(place) == before

    report = await ingest(mode, place, video_paths, segmenter)
    assert (report.stored, report.unchanged) == ((str(video_paths[0]),), (str(video_paths[1]),))
    assert stored_of(place, red).isdisjoint(old)
    assert stored_of(place, blue) < set(before)


@both_modes
async def test_skipped_failures_are_in_the_report(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, caplog: pytest.LogCaptureFixture
) -> None:
    place = make("index", segmenter)
    video_paths = [folder / "red.mkv", folder / "missing.mkv"]
    report = await ingest(mode, place, video_paths, segmenter, on_error="skip")
    assert (report.stored, report.unchanged) == ((str(video_paths[0]),), ())
    assert [failure.source for failure in report.failures] == [str(video_paths[1])]
    assert "1 of 2 sources failed" in caplog.text
    reported: list[Failure] = []
    report = await ingest(mode, place, video_paths, segmenter, on_error=reported.append)
    assert (report.unchanged, [failure.source for failure in reported]) == (
        (str(video_paths[0]),),
        [str(video_paths[1])],
    )
    with pytest.raises(InputError, match="on_error must be"):
        await ingest(mode, place, video_paths, segmenter, on_error="ignore")


@both_modes
async def test_single_failed_video_raises_its_own_error(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    place = make("index", segmenter)
    fail_next_task(sandbox)
    with pytest.raises(TaskFailedError):
        await ingest(mode, place, folder / "red.mkv", segmenter)
    with pytest.raises(InputError, match="no such file"):
        await ingest(mode, place, [folder / "missing.mkv"], segmenter)


@both_modes
async def test_authentication_error_ends_the_ingestion(
    mode: str, folder: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    wrong = TwelveLabsEmbedding(
        api_key="tlk_sandbox_wrong", base_url=sandbox.base_url, segment_store=tmp_path / "wrong.sqlite3"
    )
    segmenter = TwelveLabsVideoSegmenter(embed_model=wrong)
    index = VectorStoreIndex([], embed_model=wrong)
    with pytest.raises(AuthenticationError):
        await ingest(mode, index, [folder / "red.mkv", folder / "blue.mkv"], segmenter)


def test_videos_are_stored_before_slower_ones_end(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    place = make("index", segmenter)
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="stuck"))
    with ThreadPoolExecutor(1) as pool:
        ingestion = pool.submit(ingest_videos, place, [folder / "red.mkv", folder / "blue.mkv"], segmenter=segmenter)
        end = time.monotonic() + 60
        while len(stored(place)) < 3 and not ingestion.done() and time.monotonic() < end:
            time.sleep(0.02)
        assert len(stored(place)) == 3
        assert not ingestion.done()
        for path in ("/embed-v2/tasks", "/embed-v2/tasks/*"):
            sandbox.faults.add(Fault(path=path, method="GET", status=404, times=None))
        with pytest.raises(IngestionError, match="could not retrieve task"):
            ingestion.result(60)


def test_changed_options_replace_the_nodes(folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox) -> None:
    place = make("index", segmenter)
    ingest_videos(place, [folder / "red.mkv"], segmenter=segmenter)
    shorter = segmenter.model_copy(update={"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 3}}})
    report = ingest_videos(place, [folder / "red.mkv"], segmenter=shorter)
    assert report.stored == (str(folder / "red.mkv"),)
    assert tasks(sandbox) == 2
    assert len(stored(place)) == 1 + 4


def test_index_accepts_video_documents_without_a_segmenter(folder: Path, embed_model: TwelveLabsEmbedding) -> None:
    index = VectorStoreIndex([], embed_model=embed_model)
    reader = TwelveLabsVideoReader(embed_model=embed_model, segment=False)
    given = reader.load_data(folder / "red.mkv", extra_info={"team": "red"})
    assert ingest_videos(index, given).stored == (str(folder / "red.mkv"),)
    assert ingest_videos(index, given[0]).unchanged == (str(folder / "red.mkv"),)
    nodes = index.docstore.docs.values()
    assert {node.metadata["team"] for node in nodes} == {"red"}
    assert {node.ref_doc_id for node in nodes} == {given[0].node_id}


@slow_async_mode
@each_target
async def test_video_that_the_vector_store_lost_is_stored_again_without_cost(
    mode: str, target: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    """The document store still has its hash."""
    place, empty = make(target, segmenter), SimpleVectorStore()
    video_paths = [folder / "red.mkv", folder / "blue.mkv"]
    await ingest(mode, place, video_paths, segmenter)
    red, _ = documents(segmenter, *video_paths)
    place.vector_store.delete(red.node_id)
    sandbox.clear_requests()
    report = await ingest(mode, place, video_paths, segmenter)
    assert (report.stored, report.unchanged) == ((str(video_paths[0]),), (str(video_paths[1]),))
    assert len(stored(place)) == 5
    if target != "index":
        place.vector_store = empty
        assert sorted((await ingest(mode, place, video_paths, segmenter)).stored) == sorted(map(str, video_paths))
        assert len(empty.data.embedding_dict) == 4
    assert sandbox.count() == 0


def test_signed_urls_are_ingested_and_never_persisted(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, tmp_path: Path
) -> None:
    index = VectorStoreIndex([], embed_model=segmenter.embed_model)
    with served(folder) as url:
        first = ingest_videos(index, [f"{url}/red.mkv?X-Amz-Signature=s3cr3t"], segmenter=segmenter)
        again = ingest_videos(index, [f"{url}/red.mkv?X-Amz-Signature=0ther"], segmenter=segmenter)
    assert first.stored == again.unchanged == (f"{url}/red.mkv",)
    index.storage_context.persist(str(tmp_path / "kept"))
    assert not [path for path in (tmp_path / "kept").iterdir() if "s3cr3t" in path.read_text()]


def test_progress_is_written_on_request(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, capsys: pytest.CaptureFixture[str]
) -> None:
    place = make("index", segmenter)
    ingest_videos(place, [folder / "red.mkv"], segmenter=segmenter, show_progress=True)
    assert re.fullmatch(r"1 of 1 media in [\d.]+ s: 1 ready\n", capsys.readouterr().err)
    ingest_videos(place, [folder / "blue.mkv"], segmenter=segmenter)
    assert capsys.readouterr().err == ""


def test_unsuitable_targets_are_refused_before_a_request(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox, tmp_path: Path
) -> None:
    video_path = folder / "red.mkv"
    foreign = VectorStoreIndex([], embed_model=MockEmbedding(embed_dim=512))
    live = TwelveLabsEmbedding(api_key="tlk_made_up", segment_store=tmp_path / "live.sqlite3")
    ours = VectorStoreIndex([], embed_model=segmenter.embed_model)
    refused: list[tuple[Any, Any, dict[str, Any], str]] = [
        (foreign, video_path, {}, "embeds queries with MockEmbedding"),
        (VectorStoreIndex([], embed_model=live), video_path, {"segmenter": segmenter}, "not comparable"),
        (SummaryIndex([]), video_path, {}, "got SummaryIndex"),
        (pipeline_of(segmenter, vector_store=None), video_path, {}, "has no vector_store"),
        (pipeline_of(segmenter, transformations=[]), video_path, {}, "one TwelveLabsVideoSegmenter .* it has 0"),
        (pipeline_of(segmenter), video_path, {"segmenter": segmenter}, "has a segmenter among its transformations"),
        (ours, [text_document()], {}, "the document minutes is not of the type video"),
        (ours, [video_path, str(video_path)], {}, "1 name stands for several media"),
        (ours, [3], {}, "media must be a path"),
    ]
    for target, sources, options, message in refused:
        with pytest.raises((ConfigurationError, InputError), match=message):
            ingest_videos(target, sources, **options)
    assert sandbox.count() == 0


class Broken(SimpleVectorStore):
    """A vector store whose writes fail."""

    def add(self, nodes: Any, **_: Any) -> list[str]:
        raise ConnectionError(f"cannot take {len(nodes)} nodes")


def test_error_of_the_callers_store_reaches_the_caller(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    pipeline = pipeline_of(segmenter, vector_store=Broken())
    with pytest.raises(ConnectionError, match="cannot take 2 nodes"):
        ingest_videos(pipeline, [folder / "red.mkv"])
    pipeline.vector_store = SimpleVectorStore()
    assert ingest_videos(pipeline, [folder / "red.mkv"]).stored == (str(folder / "red.mkv"),)
    assert tasks(sandbox) == 1


# replace_video


async def replace(mode: str, index: VectorStoreIndex, nodes: list[Any]) -> list[str]:
    return await areplace_video(index, nodes) if mode == "async" else replace_video(index, nodes)


@both_modes
async def test_replacing_leaves_no_duplicates_and_other_videos_unchanged(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    index = VectorStoreIndex([], embed_model=segmenter.embed_model)
    both = reader.load_nodes([folder / "red.mkv", folder / "blue.mkv"])
    for _ in range(2):
        assert await replace(mode, index, [*both, *both]) == [node.node_id for node in both]
        assert len(stored(index)) == 4
    change(folder / "red.mkv")
    new = reader.load_nodes(folder / "red.mkv")
    assert await replace(mode, index, new) == [node.node_id for node in new]
    assert stored(index).keys() == {node.node_id for node in [*new, *both[2:]]}
    assert set(index.docstore.docs) == set(stored(index))
    assert await replace(mode, index, []) == []


def test_nodes_that_cannot_be_replaced_are_refused_and_nothing_is_deleted(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding
) -> None:
    index = VectorStoreIndex(nodes, embed_model=shared_model)
    lost = nodes[1].model_copy(update={"embedding": None})
    with pytest.raises(InputError, match="has no vector"):
        replace_video(index, [nodes[0], lost])
    with pytest.raises(InputError, match="has no source document"):
        replace_video(index, [TextNode(text="alone", embedding=[0.0])])
    with pytest.raises(InputError, match="index must be a VectorStoreIndex, got SummaryIndex"):
        replace_video(SummaryIndex([]), nodes)  # type: ignore[arg-type]  # made wrong on purpose
    assert len(stored(index)) == len(nodes)


def fail_next_task(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="failed"))
