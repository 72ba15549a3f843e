"""Recommend videos like one, by vectors of whole videos: python examples/recommend_videos.py seen.mp4 others*.mp4."""

import sys

import numpy as np

from twelvelabs_core import Client

if len(sys.argv) < 3:
    sys.exit(__doc__)
whole: dict[str, np.ndarray] = {}
for video in Client().segment_many(sys.argv[1:], embedding_option=["visual", "audio"], embedding_scope=["asset"]):
    # A video may have no audio track; the mean of what it has stays comparable.
    whole[video.source] = np.mean(
        [segment.vector / np.linalg.norm(segment.vector) for segment in video.segments], axis=0
    )

seen = whole.pop(sys.argv[1])
similarity = {source: seen @ vector / np.linalg.norm(seen) / np.linalg.norm(vector) for source, vector in whole.items()}
for source in sorted(similarity, key=similarity.__getitem__, reverse=True):
    print(f"{source} ({similarity[source]:.2f})")
