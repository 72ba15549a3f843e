"""`segment_rows`: a frame of videos to a frame of segments, as vector stores keep them."""

from collections.abc import Sequence

import daft
from daft import DataFrame
from daft.functions import to_struct

from twelvelabs_core import InputError
from twelvelabs_core.integration import METADATA_KEYS, checked_metadata

_SEGMENT = "__segment__"


def segment_rows(frame: DataFrame, column: str = "video", *, metadata: Sequence[str] = ()) -> DataFrame:
    """Return one row per segment: what `langchain_twelvelabs.add_segments` writes for the same media.

    Rows that failed have no segments; read their `error` in `frame`.

    Args:
        frame: A frame with a column of `embed_video` or `embed_audio`. Write it to a file first and read it again:
            a frame that is used twice is computed twice, though paid for once.
        column: The name of that column.
        metadata: Columns of `frame` that become metadata of each segment, with values of str, int, float or bool.

    Returns:
        A frame of `vector` (512 float32), `id` and `text` (as of the LangChain document) and `metadata` (a struct of
        the fifteen keys and of your own), as LangChain's LanceDB store reads them.

    Raises:
        InputError: There is no such column, or a column of `metadata` has a name that is not free.

    Example:
        ```python
        segment_rows(daft.read_parquet("embedded")).write_lance("database/moments.lance")
        ```
    """
    missing = [name for name in (column, *metadata) if name not in frame.column_names]
    if missing:
        raise InputError(f"the frame has no column {', '.join(missing)}; it has {', '.join(frame.column_names)}.")
    checked_metadata(dict.fromkeys(metadata, ""), "the frame")
    segments = daft.col(column)["segments"].alias(_SEGMENT)
    rows = frame.select(segments, *(daft.col(name) for name in metadata)).explode(_SEGMENT)
    segment = daft.col(_SEGMENT)
    rows = rows.where(segment["segment_id"].not_null())  # of a failure, or of media without such segments
    own = [daft.col(name) for name in metadata]
    return rows.select(
        segment["embedding"].alias("vector"),
        segment["segment_id"].alias("id"),
        segment["text"].alias("text"),
        to_struct(*(segment[key].alias(key) for key in METADATA_KEYS), *own).alias("metadata"),
    )
