"""`TwelveLabsVideoSegmenter` in pipelines: what has not changed costs nothing, what failed is neither lost nor done."""

import asyncio
import json
import pickle
from pathlib import Path

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import Document, MediaResource, NodeRelationship, TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    VideoDocument,
    ingest_videos,
)
from tests.adapters import slow_async_mode
from tests.llama_index.fixtures import FIXED, tasks
from tests.llama_index.videos import (
    STRATEGIES,
    change,
    documents,
    folder,
    pipeline_of,
    run,
    segmenter,
    served,
    stored,
    stored_of,
    text_document,
)
from twelvelabs_core import BadRequestError, ConfigurationError, IngestionError, InputError, Media
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import Scene, write_film

__all__ = ["folder", "segmenter"]

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
each_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


@both_modes
async def test_check_false_leaves_the_limits_to_the_api(
    mode: str, tmp_path: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    path = tmp_path / "small.mp4"
    write_film(path, [Scene(seconds=5)], size=(200, 200), fps=2, audio=False)
    for check, error, message in ((True, InputError, "check=False lets the API"), (False, BadRequestError, "360x360")):
        reader = TwelveLabsVideoReader(embed_model=segmenter.embed_model, check=check)
        with pytest.raises(error, match=message):
            await reader.aload_nodes(path) if mode == "async" else reader.load_nodes(path)
        assert bool(tasks(sandbox)) != check


@slow_async_mode
@each_strategy
async def test_second_run_sends_nothing_and_a_changed_video_creates_one_task(
    mode: str, strategy: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    video_paths = folder / "red.mkv", folder / "blue.mkv"
    pipeline = pipeline_of(segmenter, strategy)
    made = await run(mode, pipeline, [*documents(segmenter, *video_paths), text_document()])
    assert tasks(sandbox) == 2
    assert sandbox.count("POST", "/embed-v2") == 1  # the text; the segments' vectors stay
    assert len(made) == len(stored(pipeline)) == 5
    assert all(node.embedding is not None for node in made)

    sandbox.clear_requests()
    assert await run(mode, pipeline, [*documents(segmenter, *video_paths), text_document()]) == []
    assert sandbox.count() == 0
    assert len(stored(pipeline)) == 5

    before = stored(pipeline)
    change(video_paths[1])
    red, blue = documents(segmenter, *video_paths)
    await run(mode, pipeline, [red, blue, text_document()])
    assert (tasks(sandbox), sandbox.count("POST", "/embed-v2")) == (1, 0)
    assert stored_of(pipeline, red) == {node_id for node_id, source in before.items() if source == red.node_id}
    old = {node_id for node_id, source in before.items() if source == blue.node_id}
    if strategy == "duplicates_only":  # LlamaIndex deletes nothing under this strategy
        assert stored_of(pipeline, blue) > old
    else:
        assert len(stored_of(pipeline, blue)) == len(old) == 2
        assert not stored_of(pipeline, blue) & old


@both_modes
async def test_upserts_and_delete_removes_a_missing_video(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    video_paths = folder / "red.mkv", folder / "blue.mkv"
    pipeline = pipeline_of(segmenter, "upserts_and_delete")
    red, blue = documents(segmenter, *video_paths)
    await run(mode, pipeline, [red, blue, text_document()])
    sandbox.clear_requests()
    await run(mode, pipeline, [*documents(segmenter, video_paths[0]), text_document()])
    assert sandbox.count() == 0
    assert not stored_of(pipeline, blue)
    assert len(stored_of(pipeline, red)) == 2
    assert len(stored_of(pipeline, text_document())) == 1


@slow_async_mode
@pytest.mark.parametrize("strategy", ["upserts", "upserts_and_delete"])
async def test_failed_video_loses_no_paid_work(
    mode: str, strategy: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    video_paths = folder / "red.mkv", folder / "blue.mkv", folder / "notes.mp4"
    video_paths[2].write_text("This is not a video.\n" * 40)
    pipeline = pipeline_of(segmenter, strategy)
    for _ in range(2):  # the second run is free, since the valid videos are in the segment store
        with pytest.raises(IngestionError, match=r"1 of 3 sources failed.*\n.*notes\.mp4: not a readable"):
            await run(mode, pipeline, [*documents(segmenter, *video_paths), text_document()])
        assert tasks(sandbox) == 2
        assert stored(pipeline) == {}
    await run(mode, pipeline, [*documents(segmenter, *video_paths[:2]), text_document()])
    assert tasks(sandbox) == 2
    assert len(stored(pipeline)) == 5


@both_modes
async def test_failed_task_is_created_again_by_the_next_run(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    video_paths = folder / "red.mkv", folder / "blue.mkv"
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="failed"))
    pipeline = pipeline_of(segmenter)
    with pytest.raises(IngestionError) as caught:
        await run(mode, pipeline, documents(segmenter, *video_paths))
    (failure,) = caught.value.failures
    assert failure.task_id
    assert tasks(sandbox) == 2
    await run(mode, pipeline, documents(segmenter, *video_paths))
    assert tasks(sandbox) == 3
    assert len(stored(pipeline)) == 4


def test_duplicates_only_skips_a_failed_video_and_ingest_videos_retries_it(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    """LlamaIndex stores the hash before it runs the transformations, as documented."""
    video_paths = folder / "red.mkv", folder / "blue.mkv"
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="failed"))
    pipeline = pipeline_of(segmenter, "duplicates_only")
    with pytest.raises(IngestionError):
        pipeline.run(documents=documents(segmenter, *video_paths))
    assert pipeline.run(documents=documents(segmenter, *video_paths)) == []
    assert stored(pipeline) == {}

    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", task="failed"))
    ours = pipeline_of(segmenter, "duplicates_only")
    with pytest.raises(IngestionError):
        ingest_videos(ours, video_paths)
    report = ingest_videos(ours, video_paths)
    assert len(report.stored) == 1
    assert len(stored(ours)) == 4


def test_pipeline_cache_separates_videos(folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox) -> None:
    """LlamaIndex uses the text of all documents as cache key, so documents without text would collide."""
    pipeline = IngestionPipeline(transformations=[segmenter])
    red = pipeline.run(documents=documents(segmenter, folder / "red.mkv"))
    blue = pipeline.run(documents=documents(segmenter, folder / "blue.mkv"))
    assert {node.metadata["title"] for node in red} == {"red.mkv"}
    assert {node.metadata["title"] for node in blue} == {"blue.mkv"}
    change(folder / "blue.mkv")
    changed = pipeline.run(documents=documents(segmenter, folder / "blue.mkv"))
    assert changed[0].embedding != blue[0].embedding
    assert tasks(sandbox) == 3
    again = pipeline.run(documents=documents(segmenter, folder / "blue.mkv"))
    assert [node.embedding for node in again] == [node.embedding for node in changed]


def test_identity_changes_with_options_that_change_vectors(embed_model: TwelveLabsEmbedding) -> None:
    first = TwelveLabsVideoSegmenter(embed_model=embed_model)
    same = TwelveLabsVideoSegmenter(
        embed_model=embed_model,
        segmentation={"strategy": "dynamic", "dynamic": {"min_duration_sec": 4}},
        embedding_option=["transcription", "audio", "visual"],
        timeout=5,
        show_progress=True,
    )
    other = TwelveLabsVideoSegmenter(embed_model=embed_model, segmentation=FIXED)
    assert first.to_dict() == same.to_dict()
    assert first.identity() == same.identity() != other.identity()
    assert first.to_dict() != other.to_dict()
    again = TwelveLabsVideoSegmenter.from_dict(json.loads(json.dumps(other.to_dict())), embed_model=embed_model)
    assert again.to_dict() == other.to_dict()


def test_invalid_options_are_refused_at_construction(embed_model: TwelveLabsEmbedding) -> None:
    with pytest.raises(InputError, match="duration_sec of fixed segmentation must be a whole number from 2 to 10"):
        TwelveLabsVideoSegmenter(
            embed_model=embed_model, segmentation={"strategy": "fixed", "fixed": {"duration_sec": 11}}
        )
    with pytest.raises(InputError, match="segmentation of audio must be fixed"):
        TwelveLabsVideoSegmenter(
            embed_model=embed_model,
            input_type="audio",
            segmentation={"strategy": "dynamic", "dynamic": {"min_duration_sec": 4}},
        )
    with pytest.raises(ConfigurationError, match="embed_model must be a TwelveLabsEmbedding, got str"):
        TwelveLabsVideoSegmenter(embed_model="local")  # type: ignore[arg-type]  # made wrong on purpose
    with pytest.raises(TypeError, match="chunk_size"):
        TwelveLabsVideoSegmenter(embed_model=embed_model, chunk_size=1)  # type: ignore[call-arg]  # the same


@both_modes
async def test_other_nodes_pass_through_in_order(mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter) -> None:
    text, node = text_document(), TextNode(text="a chunk", metadata={"source": "book.pdf"})
    (video,) = documents(segmenter, folder / "red.mkv")
    given = [text, video, node]
    made = await segmenter.acall(given) if mode == "async" else segmenter(given)
    assert made[0] is text
    assert made[-1] is node
    assert [one.metadata["embedding_option"] for one in made[1:-1]] == ["visual", "audio"]


def test_nodes_carry_source_times_and_vectors(folder: Path, segmenter: TwelveLabsVideoSegmenter) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter, segment=False)
    (video,) = reader.load_data(folder / "red.mkv", extra_info={"team": "red", "last_modified_date": "2026-11-21"})
    assert "last_modified_date" not in video.metadata  # a modification date does not change the version
    video.excluded_llm_metadata_keys.append("team")
    node, _ = segmenter([video])
    assert type(node) is TextNode
    assert node.ref_doc_id == video.node_id
    assert node.relationships.keys() == {NodeRelationship.SOURCE}
    assert node.source_node is not None
    assert (node.source_node.hash, node.source_node.metadata) == (video.hash, {})
    assert node.metadata["team"] == "red"
    assert {"content", "segmented_as"}.isdisjoint(node.metadata)
    assert "team" in node.excluded_llm_metadata_keys
    assert "team" in node.excluded_embed_metadata_keys


def test_duplicate_sources_are_refused_before_a_request(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    (video,) = documents(segmenter, folder / "red.mkv")
    with pytest.raises(InputError, match=r"1 name stands for several media, such as .*red\.mkv"):
        segmenter([video, video])
    assert sandbox.count() == 0


def test_documents_made_by_the_caller_are_segmented(folder: Path, segmenter: TwelveLabsVideoSegmenter) -> None:
    video_path = folder / "red.mkv"
    own = [
        Document(text="by path", video_resource=MediaResource(path=video_path)),
        Document(
            text="by data", video_resource=MediaResource(data=video_path.read_bytes()), metadata={"source": "kept.mkv"}
        ),
    ]
    with served(folder) as url:
        own.append(Document(text="by url", video_resource=MediaResource(url=f"{url}/red.mkv")))  # type: ignore[arg-type]
        nodes = segmenter(own)
    assert [node.metadata["source"] for node in nodes[::2]] == [str(video_path), "kept.mkv", f"{url}/red.mkv"]
    assert [node.ref_doc_id for node in nodes[::2]] == [document.node_id for document in own]


def test_unsegmented_video_is_never_embedded_as_text(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    for steps in ([SentenceSplitter()], [SentenceSplitter(), segmenter]):
        with pytest.raises(InputError, match="make TwelveLabsVideoSegmenter the first transformation"):
            VectorStoreIndex.from_documents(
                documents(segmenter, folder / "red.mkv"), transformations=steps, embed_model=segmenter.embed_model
            )
    assert sandbox.count() == 0


def test_an_index_refreshes_by_document(folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox) -> None:
    video_paths = folder / "red.mkv", folder / "blue.mkv"
    index = VectorStoreIndex.from_documents(
        [*documents(segmenter, *video_paths), text_document()],
        transformations=[segmenter],
        embed_model=segmenter.embed_model,
    )
    before = stored(index)
    assert len(before) == 5
    sandbox.clear_requests()
    assert index.refresh_ref_docs([*documents(segmenter, *video_paths), text_document()]) == [False, False, False]
    assert sandbox.count() == 0
    change(video_paths[0])
    assert index.refresh_ref_docs([*documents(segmenter, *video_paths), text_document()]) == [True, False, False]
    assert tasks(sandbox) == 1
    assert len(stored(index)) == 5
    red, _ = documents(segmenter, *video_paths)
    assert stored_of(index, red).isdisjoint(before)


@pytest.mark.slow
@both_modes
async def test_segmenter_works_in_worker_processes(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    """`run` and `arun` of LlamaIndex use pickles into new processes, or forks."""
    # Without a splitter, which would download its tokenizer in a new process.
    pipeline = pipeline_of(segmenter, transformations=[segmenter, segmenter.embed_model])
    videos = documents(segmenter, folder / "red.mkv", folder / "blue.mkv")
    if mode == "async":
        await pipeline.arun(documents=videos, num_workers=2)
    else:
        await asyncio.to_thread(pipeline.run, documents=videos, num_workers=2)
    assert tasks(sandbox) == 2
    assert len(stored(pipeline)) == 4
    segmenter(
        documents(segmenter, folder / "red.mkv", folder / "blue.mkv")
    )  # the workers wrote into this segment store
    assert tasks(sandbox) == 2


def test_signed_url_is_neither_persisted_nor_pickled(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, tmp_path: Path
) -> None:
    docstore = SimpleDocumentStore()
    pipeline = pipeline_of(segmenter, docstore=docstore)
    with served(folder) as url:
        (video,) = TwelveLabsVideoReader(segmenter=segmenter, segment=False).load_data(
            f"{url}/red.mkv?X-Amz-Signature=s3cr3t"
        )
        pipeline.run(documents=[video])
    pipeline.persist(str(tmp_path / "kept"))
    kept = [path.read_text() for path in (tmp_path / "kept").iterdir()] + [repr(video), video.to_json()]
    assert not [text for text in kept if "s3cr3t" in text]
    data = pickle.dumps(video)
    assert b"s3cr3t" not in data
    arrived = pickle.loads(data)  # noqa: S301  # made above
    assert (arrived.hash, arrived.media) == (video.hash, None)
    with pytest.raises(InputError, match="has no media"):
        segmenter([arrived])


def test_unpickled_document_of_a_file_or_asset_can_be_segmented(
    folder: Path, segmenter: TwelveLabsVideoSegmenter
) -> None:
    client = segmenter.embed_model.client
    asset = client.assets.create(folder / "red.mkv")
    client.assets.wait(asset.id)
    reader = TwelveLabsVideoReader(segmenter=segmenter, segment=False)
    given = reader.load_data([folder / "red.mkv", f"asset:{asset.id}", Media.of(folder / "blue.mkv", source="cam-7")])
    arrived = [pickle.loads(pickle.dumps(video)) for video in given]  # noqa: S301  # made here
    assert all(isinstance(video, VideoDocument) and video.media is None for video in arrived)
    here, there = segmenter(given), segmenter(arrived)
    assert [node.node_id for node in here] == [node.node_id for node in there]
    assert [node.metadata["source"] for node in there[::2]] == [str(folder / "red.mkv"), f"asset:{asset.id}", "cam-7"]


def test_audio_files_become_nodes(embed_model: TwelveLabsEmbedding, sound: Path) -> None:
    segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model, input_type="audio", end_sec=6.0)
    (document,) = TwelveLabsVideoReader(segmenter=segmenter, segment=False).load_data(sound)
    assert document.video_resource is None
    nodes = segmenter([document])
    assert {node.metadata["embedding_option"] for node in nodes} == {"audio"}
    assert TwelveLabsVideoSegmenter(embed_model=embed_model)([document]) == [document]
