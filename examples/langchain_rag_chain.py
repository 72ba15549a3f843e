"""Let a language model answer from moments: python examples/langchain_rag_chain.py match.mp4 "Who scored first?"."""

import sys

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate, format_document
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments, document_prompt

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, question = sys.argv[1:3]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
add_segments(store, TwelveLabsVideoLoader(video, embeddings=embeddings).lazy_load())


def as_context(moments: list[Document]) -> str:
    """Format the moments for the model: title, times and option, without the reference line."""
    return "\n\n".join(format_document(moment, document_prompt) for moment in moments)


prompt = ChatPromptTemplate.from_template(
    "These moments of a video were found for a question.\n\n{context}\n\n"
    "Question: {question}\nAnswer with the times of the moments that you rely on."
)
retriever = store.as_retriever(search_kwargs={"k": 4})
chain = {"context": retriever | as_context, "question": RunnablePassthrough()} | prompt
# Add a model to get an answer: chain | init_chat_model("...") | StrOutputParser()
print(chain.invoke(question).to_string())
