"""A question about a video, answered by an agent over its segments, with a scripted language model."""

import re
from collections.abc import Sequence
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.llms import MockLLM
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.schema import TextNode
from llama_index.core.tools import QueryEngineTool

from llama_index_twelvelabs import TwelveLabsEmbedding
from tests.llama_index.fixtures import END_SEC, description


class Script:
    """Passes the question to the tool and answers with the first moment in its result."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def __call__(self, messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        answers = [message.content or "" for message in messages if message.role == MessageRole.TOOL]
        if not answers:
            question = [message.content for message in messages if message.role == MessageRole.USER][-1]
            call = ToolCallBlock(tool_call_id="1", tool_name="search_video", tool_kwargs={"input": question})
            return ChatMessage(role=MessageRole.ASSISTANT, blocks=[call])
        self.received += answers
        found = re.search(r"start_sec: ([\d.]+)\s+end_sec: ([\d.]+)", answers[-1])
        text = f"From second {found[1]} to {found[2]}." if found else "I do not know."
        return ChatMessage(role=MessageRole.ASSISTANT, content=text)


async def ask(index: VectorStoreIndex, question: str, script: Script) -> str:
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=2, response_mode=ResponseMode.COMPACT)
    tool = QueryEngineTool.from_defaults(engine, name="search_video", description="Finds moments of the video.")
    agent = FunctionAgent(tools=[tool], llm=MockFunctionCallingLLM(response_generator=script), streaming=False)
    return str(await agent.run(user_msg=question))


async def test_agent_answers_with_times_of_the_video(nodes: list[TextNode], shared_model: TwelveLabsEmbedding) -> None:
    index = VectorStoreIndex(nodes, embed_model=shared_model)
    for scene in range(3):
        script = Script()
        answer = await ask(index, description(scene), script)
        times = [float(time) for time in re.findall(r"\d+\.\d+", answer)]
        assert times == [scene * 6.0, scene * 6.0 + 6.0]
        assert all(0 <= time <= END_SEC for time in times)
        (received,) = script.received
        assert "tl-segment" not in received  # the model gets neither reference line nor id
        assert "segment_id" not in received


async def test_agent_without_videos_gives_no_time(shared_model: TwelveLabsEmbedding) -> None:
    assert await ask(VectorStoreIndex([], embed_model=shared_model), description(0), Script()) == "I do not know."
