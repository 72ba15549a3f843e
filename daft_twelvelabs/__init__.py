"""TwelveLabs' video, audio, image and text embeddings for Daft: data frames of videos, on one machine or on Ray.

```python
import daft
from daft_twelvelabs import TwelveLabsProvider, embed_video, segment_rows

provider = TwelveLabsProvider(store="postgresql+psycopg://user@host/segments")  # key from TWELVELABS_API_KEY
frame = daft.read_parquet("videos.parquet").with_column("video", embed_video(daft.col("url"), provider=provider))
frame.write_parquet("embedded", write_mode="overwrite")
segment_rows(daft.read_parquet("embedded")).write_lance("moments.lance", mode="overwrite")
```
"""

from typing import TYPE_CHECKING

try:
    import daft  # noqa: F401  # first, for an error that says what to install
except ModuleNotFoundError as error:
    raise ImportError('daft_twelvelabs needs Daft: pip install "twelvelabs-rag[daft]"') from error

from twelvelabs_core.integration import lazy_exports

if TYPE_CHECKING:
    from daft_twelvelabs.media import embed_audio, embed_video
    from daft_twelvelabs.provider import TwelveLabsProvider
    from daft_twelvelabs.rows import segment_rows
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "daft_twelvelabs.media": ["embed_audio", "embed_video"],
            "daft_twelvelabs.provider": ["TwelveLabsProvider"],
            "daft_twelvelabs.rows": ["segment_rows"],
        },
    )

__all__ = ["TwelveLabsProvider", "embed_audio", "embed_video", "segment_rows"]
