"""Let a language model answer from moments: python examples/llama_index_rag.py match.mp4 "Who scored first?"."""

import sys

from llama_index.core import VectorStoreIndex
from llama_index.core.llms import MockLLM

from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsVideoReader

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, question = sys.argv[1:3]
embed_model = TwelveLabsEmbedding()
nodes = TwelveLabsVideoReader(embed_model=embed_model).load_nodes(video)
index = VectorStoreIndex(nodes, embed_model=embed_model)  # the vectors are on the nodes: nothing is embedded again

# MockLLM returns its prompt: title, times and option of each moment. Replace it with your model.
engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=4)
print(engine.query(question))
