"""Find scenes that occur more than once: python examples/near_duplicate_scenes.py *.mp4."""

import sys

import numpy as np

from twelvelabs_core import Client

if len(sys.argv) < 2:
    sys.exit(__doc__)
SIMILAR = 0.98  # cosine of two clips that count as the same scene; find yours by looking at some pairs

names, vectors = [], []
for video in Client().segment_many(sys.argv[1:], embedding_option=["visual"], embedding_scope=["clip"]):
    for segment in video.segments:
        names.append((video.title, segment.start_sec, segment.end_sec))
        vectors.append(segment.vector / np.linalg.norm(segment.vector))

cosines = np.triu(np.stack(vectors) @ np.stack(vectors).T, k=1)
for first, second in np.argwhere(cosines > SIMILAR):
    is_next = names[first][0] == names[second][0] and names[first][2] >= names[second][1]
    if not is_next:  # neighbouring clips of one long scene are no duplicates
        pair = (f"{title}, {start:.1f}-{end:.1f} s" for title, start, end in (names[first], names[second]))
        print(" = ".join(pair), f"({cosines[first, second]:.3f})")
