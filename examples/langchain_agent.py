"""An agent that searches a video: python examples/langchain_agent.py match.mp4 "a goal"."""

import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    SearchVideoMoments,
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    add_segments,
)
from twelvelabs_core import citations

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, query = sys.argv[1:3]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
add_segments(store, TwelveLabsVideoLoader(video, embeddings=embeddings).lazy_load())


class ScriptedModel(GenericFakeChatModel):
    """Calls the tool once and then answers; replace it by a model such as init_chat_model("...")."""

    def bind_tools(self, *_: Any, **__: Any) -> Any:
        """Do nothing: the calls are fixed."""
        return self


call = {"name": "search_video_moments", "args": {"query": query, "k": 2}, "id": "1"}
model = ScriptedModel(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("These moments show it.")]))
agent = create_agent(model, [SearchVideoMoments(retriever=TwelveLabsMomentRetriever(vectorstore=store))])

for message in agent.invoke({"messages": [("user", f"When does the video show {query}?")]})["messages"]:
    print(f"{message.type}: {message.content}")
    if isinstance(message, ToolMessage):
        print("cited:", [citation["url"] for citation in citations(message.artifact)])
