"""Find where a picture appears in a video: python examples/langchain_search_by_image.py match.mp4 goalkeeper.jpg."""

import sys

from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments

if len(sys.argv) != 3:
    sys.exit(__doc__)
video, picture = sys.argv[1:3]
embeddings = TwelveLabsEmbeddings()
store = InMemoryVectorStore(embeddings)
# An image is compared with visual vectors, so the sound need not be embedded.
loader = TwelveLabsVideoLoader(video, embeddings=embeddings, embedding_option=["visual"])
add_segments(store, loader.lazy_load())

# Images, audio and texts share one vector space: any store that searches by vector can be queried with each of them.
for moment in store.similarity_search_by_vector(embeddings.embed_images([picture])[0], k=3):
    print(f"{moment.metadata['start_sec']:.1f}-{moment.metadata['end_sec']:.1f} s of {moment.metadata['title']}")
