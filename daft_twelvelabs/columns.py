"""The arrow type of a column of segments, and its values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # Daft's own dependency

from twelvelabs_core import SegmentRecord
from twelvelabs_core.integration import METADATA_KEYS

_TYPES = {
    **dict.fromkeys(("start_sec", "end_sec", "duration_sec"), pa.float64()),
    **dict.fromkeys(("segment_index", "page_start", "page_end", "chunk_index"), pa.int64()),
}
METADATA_TYPES = {key: _TYPES.get(key, pa.string()) for key in METADATA_KEYS}
ERROR = pa.struct([("type", pa.string()), ("message", pa.string())])


def segment_type(dimension: int) -> Any:
    """Return the type of one segment: its metadata, its text and its vector."""
    vector = pa.list_(pa.field("item", pa.float32()), dimension)
    return pa.struct([*METADATA_TYPES.items(), ("text", pa.string()), ("embedding", vector)])


def struct_type(dimension: int) -> Any:
    """Return the type of a row."""
    return pa.struct([("segments", pa.list_(segment_type(dimension))), ("error", ERROR)])


def segments_array(dimension: int, records: Sequence[SegmentRecord]) -> Any:
    """Return the array of one row that succeeded; its vectors are copied once, and never become Python floats."""
    kind = struct_type(dimension)
    columns = [pa.array([record.metadata[key] for record in records], type_) for key, type_ in METADATA_TYPES.items()]
    columns.append(pa.array([record.text(with_reference=True) for record in records], pa.string()))
    matrix = np.concatenate([record.vector for record in records]) if records else np.empty(0, np.float32)
    columns.append(pa.FixedSizeListArray.from_arrays(pa.array(matrix, pa.float32()), dimension))
    segments = pa.StructArray.from_arrays(columns, fields=list(segment_type(dimension)))
    rows = pa.ListArray.from_arrays(pa.array([0, len(records)], pa.int32()), segments)
    return pa.StructArray.from_arrays([rows, pa.nulls(1, ERROR)], fields=list(kind))


def failure_array(dimension: int, kind: str, message: str) -> Any:
    """Return the array of one row that failed."""
    return pa.array([{"segments": None, "error": {"type": kind, "message": message}}], struct_type(dimension))


def joined(dimension: int, rows: Sequence[Any]) -> Any:
    """Return the array of several rows, or none."""
    return rows[0] if len(rows) == 1 else pa.concat_arrays([pa.array([], struct_type(dimension)), *rows])
