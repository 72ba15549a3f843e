"""Transcripts in nodes, for keyword search and language models."""

from pathlib import Path
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import MetadataMode

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    ingest_videos,
    keep_segment_ids,
)
from tests.llama_index.fixtures import CUT, SCENES, description, tasks
from tests.llama_index.videos import pipeline_of, run
from twelvelabs_core import InputError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import write_film

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
WANTED: dict[str, Any] = {**CUT, "include_transcript": True}
TRANSCRIPTION = "/assets/{asset_id}/transcription"


def with_words(nodes: list[Any]) -> list[Any]:
    return [node for node in nodes if "a goalkeeper dives" in node.get_content()]


@both_modes
async def test_transcript_follows_the_head_and_costs_one_request(
    mode: str, video_path: Path, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    plain = TwelveLabsVideoReader(embed_model=embed_model, **CUT).load_nodes(video_path)
    reader = TwelveLabsVideoReader(embed_model=embed_model, **WANTED)
    nodes = await reader.aload_nodes(video_path) if mode == "async" else reader.load_nodes(video_path)
    assert (tasks(sandbox), sandbox.count("GET", TRANSCRIPTION)) == (1, 1)
    spoken = with_words(nodes)
    assert {node.metadata["start_sec"] for node in spoken} == {0.0}
    assert {node.get_content().splitlines()[1] for node in spoken} == {"a goalkeeper dives"}
    assert [(n.node_id, n.metadata, n.embedding) for n in nodes] == [
        (n.node_id, n.metadata, n.embedding) for n in plain
    ]
    # A node that a store returns without its vector gets the same vector again.
    lost = spoken[0].model_copy(update={"embedding": None})
    embed_model([lost])
    assert lost.embedding == spoken[0].embedding
    sandbox.clear_requests()
    again = await reader.aload_nodes(video_path) if mode == "async" else reader.load_nodes(video_path)
    assert [node.get_content() for node in again] == [node.get_content() for node in nodes]
    assert sandbox.count() == 0


def test_language_model_reads_the_transcript(video_path: Path, embed_model: TwelveLabsEmbedding) -> None:
    index = VectorStoreIndex([], embed_model=embed_model)
    segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model, **WANTED)
    ingest_videos(index, [video_path], segmenter=segmenter)
    shown = str(index.as_query_engine(llm=MockLLM(), similarity_top_k=1).query(description(0)))
    assert "a goalkeeper dives" in shown
    assert "tl-segment:" not in shown
    assert "segment_id" not in shown


def test_include_transcript_changes_the_identity(
    video_path: Path, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    """A video stored without transcripts is written again; `keep_asset` and `timeout` do not change the identity."""
    index = VectorStoreIndex([], embed_model=embed_model)
    plain = TwelveLabsVideoSegmenter(embed_model=embed_model, **CUT)
    ingest_videos(index, [video_path], segmenter=plain)
    report = ingest_videos(index, [video_path], segmenter=TwelveLabsVideoSegmenter(embed_model=embed_model, **WANTED))
    assert (len(report.stored), tasks(sandbox)) == (1, 1)
    unused = TwelveLabsVideoSegmenter(embed_model=embed_model, keep_asset=False, timeout=5.0, **CUT)
    assert unused.identity() == plain.identity()


@both_modes
async def test_pipeline_keeps_transcripts_and_refuses_to_split_them(
    mode: str, tmp_path: Path, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    video_path = tmp_path / "talk.mkv"
    lecture = " ".join(f"sentence {number} of a long lecture." for number in range(60))
    write_film(video_path, SCENES[:1], captions=[(0.0, 5.0, lecture)])
    segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model, embedding_option=["visual"], include_transcript=True)
    documents = TwelveLabsVideoReader(segmenter=segmenter).load_data(video_path, segment=False)
    (node,) = await run(mode, pipeline_of(segmenter), documents)
    assert lecture in node.get_content(MetadataMode.NONE)
    small = SentenceSplitter(chunk_size=300, chunk_overlap=0, id_func=keep_segment_ids)
    sandbox.clear_requests()
    with pytest.raises(InputError, match="which a node parser has split"):
        await run(mode, pipeline_of(segmenter, transformations=[segmenter, small, embed_model]), documents)
    assert sandbox.count("POST", "/embed-v2") == 0


def test_include_transcript_is_refused_for_documents(embed_model: TwelveLabsEmbedding) -> None:
    new = embed_model.model_copy(update={"model_name": "marengo3.5"})
    with pytest.raises(InputError, match="include_transcript is for audio and video"):
        TwelveLabsVideoSegmenter(embed_model=new, input_type="document", include_transcript=True)
