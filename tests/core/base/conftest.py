"""A URL of a video with a signature, and options that embed it at little cost."""

from typing import Any

from twelvelabs_core import FixedSegmentation

CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}
SIGNATURE = "5ecre7516na7ure"
SIGNED = f"video.mp4?id=1&X-Amz-Credential={SIGNATURE}&X-Amz-Signature={SIGNATURE}"
