"""Answer from moments, with citations: python examples/llama_index_rag.py match.mp4 "Who scored first?"."""

import sys

from llama_index.core import VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import CitationQueryEngine

from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsMomentRetriever, TwelveLabsVideoReader
from twelvelabs_core import citations

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, question = sys.argv[1:3]
embed_model = TwelveLabsEmbedding()
nodes = TwelveLabsVideoReader(embed_model=embed_model).load_nodes(video)
index = VectorStoreIndex(nodes, embed_model=embed_model)  # the vectors are on the nodes: nothing is embedded again

# MockLLM returns its prompt, with the title and time of each moment. Replace it with your model.
engine = CitationQueryEngine(TwelveLabsMomentRetriever(index, similarity_top_k=3), llm=MockLLM())
response = engine.query(question)
print(response)
for citation in citations(response.source_nodes):
    print(f"{citation['title']}, {citation['start_sec']:.1f}-{citation['end_sec']:.1f} s, {citation['url']}")
