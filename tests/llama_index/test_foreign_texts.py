"""Texts that only look like a segment's node get their own vectors; one of them never stops the others."""

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.evaluation import SemanticSimilarityEvaluator
from llama_index.core.memory import VectorMemory
from llama_index.core.postprocessor import SentenceEmbeddingOptimizer
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode

from llama_index_twelvelabs import TwelveLabsEmbedding
from tests.langchain.test_foreign_texts import FOREIGN, UNKNOWN
from twelvelabs_core import InputError, SegmentNotFoundError


async def embed(mode: str, model: TwelveLabsEmbedding, texts: list[str]) -> list[list[float]]:
    if mode == "async":
        return await model.aget_text_embedding_batch(texts)
    return model.get_text_embedding_batch(texts)


both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@both_modes
async def test_texts_that_look_like_segments_are_embedded_beside_segments(
    mode: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding
) -> None:
    texts = [
        *FOREIGN,
        "tl-video:match.mp4",
        "source: a\n\ntl-video:match.mp4",
        nodes[0].get_content(MetadataMode.EMBED),
    ]
    vectors = await embed(mode, shared_model, texts)
    assert vectors[-1] == nodes[0].embedding
    assert nodes[0].embedding not in vectors[:-1]


@both_modes
async def test_a_text_that_names_a_known_id_gets_its_own_vector(
    mode: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding
) -> None:
    head = nodes[0].get_content().split("\n")[0]
    title, position, option = head.rsplit(", ", 2)
    texts = [
        f"segment_id: {nodes[0].node_id}\n\nKeynote, 0:00.0-1:00.0, intro",
        f"segment_id: {nodes[0].node_id}\n\nKeynote, {position}, {option}",
        f"segment_id: {nodes[0].node_id}\n\n{title}, 0:59.0-1:01.0, {option}",
        f"segment_id: {nodes[0].node_id}\n\na customer segment",
        f"Keynote, 0:00.0-1:00.0, intro\nsee tl-segment:{nodes[0].node_id}",
    ]
    assert nodes[0].embedding not in await embed(mode, shared_model, texts)
    for text in texts:
        assert shared_model.get_query_embedding(text) != nodes[0].embedding


async def test_evaluators_optimisers_and_memories_work_on_answers_that_quote_moments(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding
) -> None:
    shown = nodes[1].get_content()
    answer = f"{shown}\nis the moment, as in {nodes[2].get_content(MetadataMode.LLM)}."
    evaluator = SemanticSimilarityEvaluator(embed_model=shared_model)
    result = await evaluator.aevaluate(response=answer, reference=shown)
    assert result.score is not None
    optimizer = SentenceEmbeddingOptimizer(
        embed_model=shared_model,
        percentile_cutoff=0.5,
        tokenizer_fn=lambda text: [line for line in text.split("\n") if line],
    )
    hits = [NodeWithScore(node=TextNode(text=f"{answer}\nmore words"), score=1.0), NodeWithScore(node=nodes[0])]
    assert len(optimizer.postprocess_nodes(hits, query_bundle=QueryBundle("goal"))) == len(hits)
    memory = VectorMemory.from_defaults(embed_model=shared_model, retriever_kwargs={"similarity_top_k": 1})
    memory.put(ChatMessage(role="user", content="where is the goal?"))
    memory.put(ChatMessage(role="assistant", content=shown))
    memory.put(ChatMessage(role="assistant", content=nodes[2].get_content(MetadataMode.EMBED)))
    assert memory.get("the goal")
    assert await shared_model.aget_text_embedding(shown) != nodes[1].embedding


def test_nodes_without_a_vector_in_the_store_are_an_error(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding
) -> None:
    text = nodes[0].get_content(MetadataMode.EMBED).replace(nodes[0].node_id, UNKNOWN)
    with pytest.raises(SegmentNotFoundError, match="Load its video again"):
        shared_model.get_text_embedding_batch(["a red car", text])


def test_documents_of_langchain_that_were_split_are_refused(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding
) -> None:
    head = " | ".join(nodes[0].get_content().split("\n")[0].rsplit(", ", 2))
    for text in (f"{head}\nspeech", f"speech\ntl-segment:{nodes[0].node_id}"):
        with pytest.raises(InputError, match=r"texts\[1\]: .*text splitter"):
            shared_model.get_text_embedding_batch(["a red car", text])
