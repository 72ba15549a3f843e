"""`segment_rows`: a frame of videos to a frame of segments, as vector stores keep them."""

from collections.abc import Sequence

import daft
from daft import DataFrame, DataType, Expression
from daft.functions import to_struct, when

from twelvelabs_core import InputError
from twelvelabs_core.integration import METADATA_KEYS, checked_metadata

_SEGMENT = "__segment__"
_FLOATS = (DataType.float16(), DataType.float32(), DataType.float64())


def segment_rows(frame: DataFrame, column: str = "video", *, metadata: Sequence[str] = ()) -> DataFrame:
    """Return one row per segment: what `langchain_twelvelabs.add_segments` writes for the same media.

    Rows that failed have no segments; read their `error` in `frame`.

    Args:
        frame: A frame with a column of `embed_video` or `embed_audio`. Write it to a file first and read it again:
            a frame that is used twice is computed twice, though paid for once.
        column: The name of that column.
        metadata: Names of columns that become metadata of each segment: of strings (without NUL), integers, floats or
            bools, which every vector store keeps. A float that is not finite becomes null, which JSON of PostgreSQL
            requires.

    Returns:
        A frame of `vector` (512 float32), `id` and `text` (as of the LangChain document) and `metadata` (a struct of
        the fifteen keys and of your own), as LangChain's LanceDB store reads them.

    Raises:
        InputError: There is no such column, `column` is not one of `embed_video` or `embed_audio`, or a column of
            `metadata` has a type that is not kept or a name that is not free.

    Example:
        ```python
        segment_rows(daft.read_parquet("embedded")).write_lance("database/moments.lance", mode="overwrite")
        ```
    """
    if isinstance(metadata, str):
        raise InputError(f"metadata must be a list such as [{metadata!r}], got a str.")
    if twice := sorted({name for name in metadata if list(metadata).count(name) > 1}):
        raise InputError(f"metadata names {', '.join(twice)} twice.")
    missing = [name for name in (column, *metadata) if name not in frame.column_names]
    if missing:
        raise InputError(f"the frame has no column {', '.join(missing)}; it has {', '.join(frame.column_names)}.")
    checked_metadata(dict.fromkeys(metadata, ""), "the frame")
    kind = frame.schema()[column].dtype
    if not kind.is_struct() or not {"segments", "error"} <= set(kind.fields):
        raise InputError(f"column {column} is not one of embed_video or embed_audio: its type is {kind!s:.80}.")
    own = [_kept(name, frame.schema()[name].dtype) for name in metadata]
    segments = daft.col(column)["segments"].alias(_SEGMENT)
    rows = frame.select(segments, *own).explode(_SEGMENT)
    segment = daft.col(_SEGMENT)
    rows = rows.where(segment["segment_id"].not_null())  # of a failure, or of media without such segments
    return rows.select(
        segment["embedding"].alias("vector"),
        segment["segment_id"].alias("id"),
        segment["text"].alias("text"),
        to_struct(*(segment[key].alias(key) for key in METADATA_KEYS), *map(daft.col, metadata)).alias("metadata"),
    )


def _kept(name: str, kind: DataType) -> Expression:
    """Return a column of metadata as every vector store keeps it."""
    column = daft.col(name)
    if kind in _FLOATS:
        return when(column.is_nan() | column.is_inf(), None).otherwise(column).alias(name)
    if not (kind.is_string() or kind.is_integer() or kind.is_boolean()):
        raise InputError(
            f"metadata column {name} has the type {kind!s:.80}, which not every vector store keeps; cast it to "
            "strings, integers, floats or bools."
        )
    return column
