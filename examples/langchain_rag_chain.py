"""Answer from moments, with citations: python examples/langchain_rag_chain.py match.mp4 "Who scored first?"."""

import sys

from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, format_document
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    add_segments,
    document_prompt,
)
from twelvelabs_core import citations

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, question = sys.argv[1:3]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
add_segments(store, TwelveLabsVideoLoader(video, embeddings=embeddings).lazy_load())
retriever = TwelveLabsMomentRetriever(vectorstore=store, k=3)


def as_context(found: dict[str, list[Document]]) -> str:
    """Format the moments for the model."""
    return "\n".join(format_document(moment, document_prompt) for moment in found["moments"])


prompt = ChatPromptTemplate.from_template(
    "Moments of a video:\n{context}\nQuestion: {question}\nAnswer, and name the times that you rely on."
)
model = FakeListChatModel(responses=["See the moments below."])  # replace it: init_chat_model("...")
answer = RunnablePassthrough.assign(context=as_context) | prompt | model | StrOutputParser()
chain = RunnablePassthrough.assign(moments=lambda given: retriever.invoke(given["question"])).assign(answer=answer)

result = chain.invoke({"question": question})
print(result["answer"])
for citation in citations(result["moments"]):
    print(f"{citation['title']}, {citation['start_sec']:.1f}-{citation['end_sec']:.1f} s, {citation['url']}")
