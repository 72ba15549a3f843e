"""An agent that searches a video: python examples/llama_index_agent.py match.mp4 "a goal"."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsMomentRetriever,
    TwelveLabsToolSpec,
    TwelveLabsVideoReader,
)

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, query = sys.argv[1:3]


def script(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
    """Call the tool, then answer with the first moment; replace the model by one of yours."""
    results = [message.content for message in messages if message.role == MessageRole.TOOL]
    if not results:
        call = ToolCallBlock(tool_call_id="1", tool_name="search_video_moments", tool_kwargs={"query": query})
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=[call])
    first = json.loads(results[-1] or "")[0]
    return ChatMessage(role=MessageRole.ASSISTANT, content=f"{first['title']}, {first['time']}: {first['why']}")


async def main() -> None:
    """Load the video and ask the agent."""
    embed_model = TwelveLabsEmbedding()
    nodes = await TwelveLabsVideoReader(embed_model=embed_model).aload_nodes(video)
    index = VectorStoreIndex(nodes, embed_model=embed_model)
    tools = TwelveLabsToolSpec(TwelveLabsMomentRetriever(index)).to_tool_list()
    agent = FunctionAgent(tools=tools, llm=MockFunctionCallingLLM(response_generator=script), streaming=False)
    print(await agent.run(user_msg=f"When does the video show {query}?"))


asyncio.run(main())
